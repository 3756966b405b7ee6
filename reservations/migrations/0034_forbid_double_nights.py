"""Parts of stays, step 5 of 7: no night of a room is booked twice.

Parts that clash are those of legacy stays, and are exempt as these are. PostgreSQL locks the table
of parts while it builds the index: some 15 seconds for a million rows.
"""

from django.db import migrations
from django.db.models import Q

from hotel.migrator.constraints import Exclusion
from hotel.migrator.operations import AddRules


class Migration(migrations.Migration):
    dependencies = [("reservations", "0033_backfill_late_stay_parts")]

    operations = [
        AddRules(
            "staypart",
            [
                Exclusion(
                    name="stay_parts_no_double_booking",
                    same=["room"],
                    span=["start_date", "end_date"],
                    condition=Q(room__isnull=False, status__in=["confirmed", "checked_in"]),
                    violation_error_message="The room is booked for some of these nights.",
                    mend="Move one of the stays to another room or other dates, or cancel it.",
                ),
            ],
        ),
    ]
