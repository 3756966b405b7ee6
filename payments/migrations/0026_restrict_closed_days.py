"""Payments of a closed day: the database refuses to add, change or delete one.

Beside what never changes of a payment (0023): how it was paid, of which type it is, and voids. What
is not money (notes, references, proofs) can still be written.
"""

from django.db import migrations

from hotel.migrator.constraints import Sealed


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0025_add_charges"),
        ("dashboard", "0008_restrict_closed_days"),
    ]

    operations = [
        migrations.AddConstraint(
            "payment",
            Sealed(
                name="payments_of_closed_days",
                period="payment_date",
                closed_by=("business_days", "day", "closed_at"),
                held=["payment_method", "payment_type", "is_voided"],
                violation_error_message=(
                    "The business day of this payment is closed: record a correction on the day"
                    " that is open."
                ),
            ),
        ),
    ]
