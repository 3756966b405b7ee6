"""Parts of stays, step 7 of 7: a stay may leave its room to others for some of its nights.

That no room is booked twice is held by night now (step 5). Inverse: the rule that a room is taken
from the first night of a stay to its last is held again; stays that break it by then are exempt.
"""

from django.db import migrations
from django.db.models import Q

from hotel.migrator.constraints import Exclusion
from hotel.migrator.operations import RemoveRules


class Migration(migrations.Migration):
    dependencies = [("reservations", "0035_restrict_stay_parts")]

    operations = [
        RemoveRules(
            "reservation",
            [
                Exclusion(
                    name="reservations_no_double_booking",
                    same=["room"],
                    span=["check_in_date", "check_out_date"],
                    condition=Q(room__isnull=False, status__in=["confirmed", "checked_in"]),
                    violation_error_message="The room is booked for some of these nights.",
                    mend="Move one of the stays to another room or other dates, or cancel it.",
                ),
            ],
        ),
    ]
