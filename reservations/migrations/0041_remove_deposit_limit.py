"""A deposit may be more than the price of the stay: it is a security for more than that.

Inverse: a reservation that has such a deposit by then is exempt from the rule.
"""

from django.db import migrations
from django.db.models import F, Q

from hotel.migrator.constraints import Check
from hotel.migrator.operations import RemoveRules


class Migration(migrations.Migration):
    atomic = False  # on the way back rows are exempted before the table is locked

    dependencies = [
        ("reservations", "0040_index_guest_search_keys"),
    ]

    operations = [
        RemoveRules(
            "reservation",
            [
                Check(
                    name="reservations_deposit_within_total",
                    condition=Q(deposit_amount__lte=F("total_amount")),
                    violation_error_message="The deposit cannot be more than the total.",
                    mend="Correct the deposit or the total.",
                ),
            ],
        ),
    ]
