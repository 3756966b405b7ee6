"""What must be true of rooms and their types, step 1 of 2: new and changed rows keep it.

Rows that break a rule today are exempt from it, and stay as they are.
"""

from decimal import Decimal

from django.db import migrations
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.operations import AddRules

LARGEST_AMOUNT = Decimal("9999999999.99")


class Migration(migrations.Migration):
    atomic = False  # rows are exempted before the table is locked

    dependencies = [("rooms", "0006_add_exemptions"), ("payments", "0007_add_exemptions")]

    operations = [
        AddRules(
            "roomtype",
            [
                Check(
                    name="room_types_rate_in_range",
                    condition=Q(default_rate__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The rate cannot be negative.",
                    mend="Correct the rate.",
                ),
            ],
        ),
        AddRules(
            "room",
            [
                Check(
                    name="rooms_rate_in_range",
                    condition=Q(custom_rate__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The rate cannot be negative.",
                    mend="Correct the rate.",
                ),
                Check(
                    name="rooms_status_known",
                    condition=Q(
                        status__in=["available", "occupied", "maintenance", "out_of_order"]
                    ),
                    violation_error_message="The status is none of those a room can have.",
                    mend="Choose a status.",
                ),
                Check(
                    name="rooms_housekeeping_status_known",
                    condition=Q(housekeeping_status__in=["dirty", "clean", "inspected"]),
                    violation_error_message="The state is none of those housekeeping knows.",
                    mend="Choose a state.",
                ),
            ],
        ),
    ]
