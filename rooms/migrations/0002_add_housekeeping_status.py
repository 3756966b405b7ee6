"""Housekeeping, step 1 of 2: whether a room is clean, apart from whether it is sold."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0001_initial"),
        ("reservations", "0011_replace_status"),
    ]

    operations = [
        AddField(
            model_name="room",
            name="housekeeping_status",
            field=models.CharField(
                choices=[("dirty", "Dirty"), ("clean", "Clean"), ("inspected", "Inspected")],
                db_default="clean",
                default="clean",
                max_length=20,
            ),
        ),
    ]
