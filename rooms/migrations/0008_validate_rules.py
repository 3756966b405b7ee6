"""What must be true of rooms and their types, step 2 of 2: old rows keep it or are exempt."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("rooms", "0007_add_rules")]

    operations = [
        ValidateRules(
            "roomtype",
            [
                "room_types_rate_in_range",
            ],
        ),
        ValidateRules(
            "room",
            [
                "rooms_rate_in_range",
                "rooms_status_known",
                "rooms_housekeeping_status_known",
            ],
        ),
    ]
