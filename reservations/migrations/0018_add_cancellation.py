"""When and why a stay was cancelled or nobody came, which the legacy system forgot; free stays."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0017_replace_number_of_nights"),
        ("rooms", "0010_backfill_room_blocks"),
    ]

    operations = [
        AddField("reservation", "cancelled_at", models.DateTimeField(blank=True, null=True)),
        AddField("reservation", "cancel_reason", models.TextField(blank=True, null=True)),
        AddField(
            "reservation",
            "is_complimentary",
            models.BooleanField("free of charge", db_default=False, default=False),
        ),
    ]
