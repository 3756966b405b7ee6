"""Deposits held, step 2 of 4: the ledger begins with what is known of the deposits there are.

Rule: collected is what the payments of type deposit say, less those that gave some of it back;
where there is none, what the reservation says. Of a stay that is over, the deposit first paid what
was still owed for the stay, and the rest was given back: when the legacy system says so, or else
assumed, at its check-out. Of a stay that was cancelled it was given back if the legacy system says
so. Of any other stay it is held. Nothing is invented for rows with
a deposit of nothing, less than nothing, or no number.
Evidence: which of these a movement rests on. Where both are known and differ, payments count and
the difference is told (manage.py check_deposits).
Inverse: the movements made here are archived and deleted. A reservation is met once.
"""

from decimal import Decimal

from django.db import migrations
from django.db.models import Case, DecimalField, Exists, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Abs, Coalesce, Least, Round

from hotel.migrator.expressions import LocalDate
from hotel.migrator.operations import Insert, InsertForNewRows

LARGEST = Decimal("9999999999.99")  # anything above is infinite or no number
MONEY = DecimalField(max_digits=14, decimal_places=2)


def begin_ledger(apps, reservations):
    """Return the movements, of which each kind rests on what the kinds before it have made."""
    Movement = apps.get_model("payments", "DepositMovement")
    payments = apps.get_model("payments", "Payment")._base_manager.exclude(is_voided=True)
    payments = payments.alias(cents=Round("amount", 2)).filter(cents__range=(-LARGEST, LARGEST))
    deposits = payments.filter(payment_type="deposit", cents__gt=0)
    of_stay = deposits.filter(reservation=OuterRef("pk"))
    stays = reservations.alias(
        deposit=Round("deposit_amount", 2),
        held=held(Movement),
        owed=owed(payments.exclude(payment_type="deposit")),
    )
    over = stays.filter(status="checked_out", held__gt=0)
    settled = Coalesce("deposit_returned_at", "checked_out_at", "updated_at")
    settlement = {
        "reservation": F("pk"),
        "occurred_at": settled,
        "business_date": day(settled),
        "evidence": Case(
            When(deposit_returned_at__isnull=False, then=Value("legacy_column")),
            default=Value("assumed"),
        ),
    }
    return [
        Insert(
            Movement,
            deposits.filter(reservation__in=reservations.values("pk")).order_by(
                "reservation_id", "payment_date", "pk"
            ),
            reservation=F("reservation_id"),
            kind=Case(When(is_refund=True, then=Value("refunded")), default=Value("collected")),
            amount=F("cents"),
            payment=F("pk"),
            occurred_at=F("created_at"),
            business_date=F("payment_date"),
            created_by=F("created_by_id"),
            evidence="payment",
        ),
        Insert(
            Movement,
            stays.filter(held__lt=0),  # more was given back than was ever taken
            reservation=F("pk"),
            kind="corrected",
            amount=-F("held"),
            business_date=Subquery(
                of_stay.order_by("-payment_date", "-pk").values("payment_date")[:1]
            ),
            reason="More was given back than the payments say was collected.",
            evidence="assumed",
        ),
        Insert(
            Movement,
            stays.filter(~Exists(of_stay), deposit__gt=0, deposit__lte=LARGEST),
            reservation=F("pk"),
            kind="collected",
            amount=F("deposit"),
            occurred_at=F("created_at"),
            business_date=day("created_at"),
            evidence="legacy_column",
        ),
        Insert(
            Movement,
            stays.filter(
                status__in=["cancelled", "no_show"], deposit_returned_at__isnull=False, held__gt=0
            ),
            reservation=F("pk"),
            kind="refunded",
            amount=F("held"),
            occurred_at=F("deposit_returned_at"),
            business_date=day("deposit_returned_at"),
            evidence="legacy_column",
        ),
        Insert(
            Movement,
            over.filter(owed__gt=0),
            kind="applied",
            amount=Least("held", "owed"),
            **settlement,
        ),
        Insert(Movement, over, kind="refunded", amount=F("held"), **settlement),
    ]


def held(Movement):
    """Return the deposit that is held of a reservation by the movements made here."""
    given_back = When(kind__in=["applied", "refunded"], then=-F("amount"))
    movements = Movement._base_manager.exclude(evidence="recorded")
    return total(movements, Case(given_back, default=F("amount")))


def owed(payments):
    """Return what a reservation costs, less its payments: what its deposit can be applied to."""
    paid_back = When(is_refund=True, then=-Abs("cents"))
    costs = When(total_amount__range=(-LARGEST, LARGEST), then=F("total_amount"))
    return Round(
        Case(costs, default=Value(0), output_field=MONEY)
        - total(payments, Case(paid_back, default=F("cents"))),
        2,
    )


def total(rows, amount):
    """Return the sum of ``amount`` over the rows of a reservation."""
    sums = rows.filter(reservation=OuterRef("pk")).order_by().values("reservation")
    # SQLite adds floating point numbers, whose last digits are noise.
    return Coalesce(
        Subquery(sums.values(total=Round(Sum(amount), 2))), Value(0), output_field=MONEY
    )


def day(moment):
    """Return the hotel's date of an instant; the day of arrival where there is none that it has."""
    return Coalesce(LocalDate(moment), "check_in_date")


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_add_deposit_movements")]

    operations = [InsertForNewRows(begin_ledger, "reservations.reservation")]
