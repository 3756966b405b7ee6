"""What must be true of voids and refunds, step 1 of 2: new and changed rows keep it.

Payments that were voided before anybody wrote down when are exempt.
"""

from django.db import migrations
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.operations import AddRules


class Migration(migrations.Migration):
    atomic = False  # rows are exempted before the table is locked

    dependencies = [("payments", "0010_add_voids_and_refunds")]

    operations = [
        AddRules(
            "payment",
            [
                Check(
                    name="payments_void_has_time",
                    condition=Q(is_voided__isnull=True)
                    | Q(is_voided=False)
                    | Q(voided_at__isnull=False),
                    violation_error_message="A voided payment needs the time of its voiding.",
                    mend="Nothing need be done: the time is not known.",
                ),
                Check(
                    name="payments_only_refunds_give_back",
                    condition=Q(refund_of__isnull=True) | Q(is_refund=True),
                    violation_error_message="Only a refund gives another payment back.",
                    mend="Record the refund anew.",
                ),
            ],
        ),
    ]
