"""What a guest is found by, step 1 of 4 (expand): a column for it, which is empty so far."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0036_retire_double_booking_of_stays"),
        ("dashboard", "0004_add_sent_forms"),
    ]

    operations = [
        AddField("guest", "search_key", models.TextField(editable=False, null=True)),
    ]
