"""Deposits held, step 3 of 4: what is held is what the movements of the deposit add up to.

Rule: collected and corrections, less what was applied, given back or forfeited; 0 without a row.
Inverse: 0 everywhere; it is computed anew on the way up.
"""

from django.db import migrations
from django.db.models import Case, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round

from hotel.migrator.operations import BatchedRunPython


def held(apps, deposit_amount):
    movements = apps.get_model("payments", "DepositMovement")._base_manager
    signed = Case(When(kind__in=["collected", "corrected"], then=F("amount")), default=-F("amount"))
    sums = movements.filter(reservation=OuterRef("pk")).order_by().values("reservation")
    # SQLite adds floating point numbers, whose last digits are noise.
    return Coalesce(Subquery(sums.values(held=Round(Sum(signed), 2))), Value(0))


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [
        ("reservations", "0019_add_deposit_held"),
        ("payments", "0014_backfill_deposit_movements"),
    ]

    operations = [
        BatchedRunPython(
            held, BatchedRunPython.clear, "reservation", "deposit_held", source="deposit_amount"
        ),
    ]
