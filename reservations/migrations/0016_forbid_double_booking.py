"""No room is booked twice, or holds two stays; no two reservations have one number.

PostgreSQL locks the table while it builds the indexes: some 15 seconds for a million rows.
"""

from django.db import migrations
from django.db.models import Q

from hotel.migrator.constraints import Exclusion
from hotel.migrator.expressions import AsciiLower
from hotel.migrator.operations import AddExtension, AddRules


class Migration(migrations.Migration):
    dependencies = [("reservations", "0015_validate_rules"), ("payments", "0009_validate_rules")]

    operations = [
        AddExtension("btree_gist"),
        AddRules(
            "reservation",
            [
                Exclusion(
                    name="reservations_number_unique",
                    same=[AsciiLower("confirmation_number")],
                    violation_error_message="Another reservation has this confirmation number,"
                    " in other capitals perhaps.",
                    mend="Give one of the reservations another number.",
                ),
                Exclusion(
                    name="reservations_no_double_booking",
                    same=["room"],
                    span=["check_in_date", "check_out_date"],
                    condition=Q(room__isnull=False, status__in=["confirmed", "checked_in"]),
                    violation_error_message="The room is booked for some of these nights.",
                    mend="Move one of the stays to another room or other dates, or cancel it.",
                ),
                Exclusion(
                    name="reservations_one_stay_in_house",
                    same=["room"],
                    condition=Q(room__isnull=False, status="checked_in"),
                    violation_error_message="Somebody else is in the room.",
                    mend="Check out the guests who have left, or move one of the stays.",
                ),
            ],
        ),
    ]
