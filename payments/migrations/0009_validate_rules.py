"""What must be true of payments, step 2 of 2: old rows keep it or are exempt."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("payments", "0008_add_rules")]

    operations = [
        ValidateRules(
            "payment",
            [
                "payments_amount_not_zero",
                "payments_amount_positive",
                "payments_method_known",
                "payments_type_known",
                "payments_refund_has_reason",
            ],
        ),
    ]
