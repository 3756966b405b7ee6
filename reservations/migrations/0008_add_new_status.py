"""The status, step 1 of 4 (expand): an empty column beside the old one."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("reservations", "0007_rename_checked_in_by_name")]

    operations = [
        AddField(
            model_name="reservation",
            name="new_status",
            field=models.CharField(max_length=20, null=True),
        ),
    ]
