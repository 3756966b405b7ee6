"""Payments are never deleted, and what was paid, when and for which stay never changes.

Voids, notes and proofs can still be written. A trigger: no row is read.
"""

from django.db import migrations

from hotel.migrator.constraints import Frozen


class Migration(migrations.Migration):
    dependencies = [("payments", "0022_restrict_payment_events")]

    operations = [
        migrations.AddConstraint(
            "payment",
            Frozen(
                name="payments_frozen",
                fixed=[
                    *("reservation", "payment_date", "amount", "currency"),
                    *("is_refund", "refund_of"),
                ],
                violation_error_message="What was paid stays as it was recorded: void it, or give"
                " it back.",
            ),
        ),
    ]
