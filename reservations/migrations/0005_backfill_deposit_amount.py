"""The deposit system, step 2 of 3: every reservation gets the deposit that its payments tell of.

Rule: an amount that is there stays. Otherwise the deposit is the sum of the reservation's deposit
payments that were not voided; there being none, 0. A payment is a deposit if its type says so or,
having no type yet, if its notes contain "deposit" or "jaminan" in any case (docs/decisions/0004).
``deposit_returned_at`` is left alone: what became of an old deposit is the ledger's question.
Inverse: the amount stays; those that were empty are archived and become empty again.
"""

from decimal import Decimal

from django.db import migrations
from django.db.models import DecimalField, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Least, Round

from hotel.migrator.expressions import mentions
from hotel.migrator.operations import BatchedRunPython

LARGEST = Decimal("9999999999.99")  # what numeric(12, 2) holds, in the hotel's currency
MONEY = DecimalField(max_digits=12, decimal_places=2)
TYPES = ["full", "downpayment", "deposit", "adjustment"]


def deposit_from_payments(apps, amount):
    Payment = apps.get_model("payments", "Payment")
    untyped = Q(payment_type__isnull=True) | ~Q(payment_type__in=TYPES)
    deposits = (
        Payment.objects.filter(reservation=OuterRef("pk"), amount__gt=0)
        .filter(Q(payment_type="deposit") | untyped & mentions("notes", "deposit", "jaminan"))
        .exclude(is_refund=True)
        .exclude(is_voided=True)
    )
    total = deposits.order_by().values("reservation").annotate(total=Sum("amount")).values("total")
    held = Coalesce(Round(Subquery(total), precision=2), Value(0), output_field=MONEY)
    return Coalesce(amount, Least(held, Value(LARGEST, MONEY)), output_field=MONEY)


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [
        ("reservations", "0004_add_deposit_columns"),
        ("payments", "0003_add_payment_type"),
    ]

    operations = [
        BatchedRunPython(
            deposit_from_payments,
            BatchedRunPython.keep,
            "reservation",
            "deposit_amount",
            tally=True,
        ),
    ]
