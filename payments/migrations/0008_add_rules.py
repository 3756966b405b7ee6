"""What must be true of payments, step 1 of 2: new and changed rows keep it.

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

    dependencies = [("payments", "0007_add_exemptions"), ("reservations", "0015_validate_rules")]

    operations = [
        AddRules(
            "payment",
            [
                Check(
                    name="payments_amount_not_zero",
                    condition=Q(amount__range=(-LARGEST_AMOUNT, LARGEST_AMOUNT)) & ~Q(amount=0),
                    violation_error_message="The amount cannot be zero.",
                    mend="Void the payment.",
                ),
                Check(
                    name="payments_amount_positive",
                    condition=Q(amount__gt=0) | Q(payment_type="adjustment"),
                    violation_error_message="Only an adjustment can have a negative amount.",
                    mend="Void the payment and record it again as an adjustment or as a refund.",
                ),
                Check(
                    name="payments_method_known",
                    condition=Q(
                        payment_method__in=[
                            "cash",
                            "credit_card",
                            "debit_card",
                            "bank_transfer",
                            "e_wallet",
                            "other",
                        ]
                    ),
                    violation_error_message="The method is none of those a payment can have.",
                    mend="Choose a method.",
                ),
                Check(
                    name="payments_type_known",
                    condition=Q(payment_type__in=["full", "downpayment", "deposit", "adjustment"]),
                    violation_error_message="The type is none of those a payment can have.",
                    mend="Choose a type.",
                ),
                Check(
                    name="payments_refund_has_reason",
                    condition=Q(is_refund=False)
                    | (Q(refund_reason__isnull=False) & ~Q(refund_reason="")),
                    violation_error_message="A refund needs a reason.",
                    mend="Write down why the money was given back.",
                ),
            ],
        ),
    ]
