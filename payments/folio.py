"""The folio of a stay: what it costs, what was paid, and what is left to pay.

    balance = charges - payments - applied deposits

The nights booked are a charge as long as the stay may happen; of one that was cancelled, or whose
guests did not come, the nights slept and the fees are. Amounts are in the hotel's currency; what is
voided does not count. Rule: docs/decisions/0027-folio.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, Sum, When
from django.db.models.functions import Abs

from hotel.currency import rounded
from hotel.refusals import Refused
from payments.amounts import taxed
from payments.models import Charge, ChargeKind, DepositKind, DepositMovement, Payment, PaymentType
from reservations.models import Reservation, ReservationStatus

ENDED = (ReservationStatus.CANCELLED, ReservationStatus.NO_SHOW)
CENT = Decimal("0.01")
PAID = Case(When(is_refund=True, then=-Abs("amount")), default=F("amount"))
APPLIED = Case(
    When(kind=DepositKind.APPLIED, then=F("amount")),
    When(kind=DepositKind.UNAPPLIED, then=-F("amount")),
)


@dataclass(frozen=True)
class Account:
    """The account of a stay, in the hotel's currency.

    total: its price, and the charges besides it. paid: by payments that are no deposit, less
    refunds of them. applied: of the deposit, to what is due. held: of the deposit, now.
    """

    total: Decimal
    paid: Decimal
    applied: Decimal
    held: Decimal

    @property
    def due(self) -> Decimal:
        """What is to be paid for the stay, the deposit aside; below zero if too much was paid."""
        return self.total - self.paid - self.applied

    @property
    def owed(self) -> Decimal:
        """What is still to be paid when the deposit has been applied."""
        return max(Decimal(0), self.due - self.held)


@dataclass(frozen=True)
class Line:
    """One line of a folio: ``charge`` makes the guest owe more, ``payment`` less.

    tax: the part of the charge that is tax. row: what it stands for.
    """

    day: date
    what: str
    charge: Decimal = Decimal(0)
    payment: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    row: Any = None


@dataclass(frozen=True)
class Folio:
    """The lines of a stay in the order of their days, charges before payments."""

    lines: tuple[Line, ...]
    held: Decimal

    @property
    def charges(self) -> Decimal:
        """The sum of the charges."""
        return sum((line.charge for line in self.lines), Decimal(0))

    @property
    def payments(self) -> Decimal:
        """The sum of payments and applied deposits, less what was given back."""
        return sum((line.payment for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The part of the charges that is tax."""
        return sum((line.tax for line in self.lines), Decimal(0))

    @property
    def balance(self) -> Decimal:
        """What is to be paid for the stay, the deposit that is held aside."""
        return self.charges - self.payments


def account(reservation: Reservation) -> Account:
    """Return the Account of a reservation as it stands in the database, in three statements.

    Raises Refused for what nobody can add up: several currencies, and PostgreSQL's NaN.
    """
    foreign = Count("pk", filter=~Q(currency=reservation.currency))
    payments = reservation.payment_set.exclude(is_voided=True).aggregate(
        sum=Sum(PAID, filter=~Q(payment_type=PaymentType.DEPOSIT)), foreign=foreign
    )
    charges = reservation.charges.exclude(is_voided=True).aggregate(
        sum=Sum("amount"), foreign=foreign
    )
    if payments["foreign"] or charges["foreign"]:
        raise Refused(f"{reservation} has payments in several currencies: they cannot be added up.")
    nights, paid = _price(reservation), _exact(payments["sum"])
    if not (paid.is_finite() and nights.is_finite()):
        raise Refused(f"{reservation} has an amount that is not a number: correct it first.")
    total = nights + _exact(charges["sum"])
    return Account(total, paid, applied(reservation), reservation.deposit_held)


def applied(reservation: Reservation) -> Decimal:
    """Return what of the deposit pays for the stay."""
    return _exact(reservation.deposit_movements.aggregate(sum=Sum(APPLIED))["sum"])


def folio(reservation: Reservation) -> Folio:
    """Return the Folio of a reservation as it stands in the database, in three statements.

    Its balance is what ``account`` says is due, and it raises Refused for the same.
    """
    payments = reservation.payment_set.exclude(is_voided=True)
    movements = reservation.deposit_movements.filter(
        kind__in=[DepositKind.APPLIED, DepositKind.UNAPPLIED]
    )
    lines = [
        *_nights(reservation),
        *map(_of_charge, reservation.charges.exclude(is_voided=True).order_by("pk")),
        *map(_of_payment, payments.exclude(payment_type=PaymentType.DEPOSIT).order_by("pk")),
        *map(_of_movement, movements.order_by("pk")),
    ]
    if any(line.row.currency != reservation.currency for line in lines):
        raise Refused(f"{reservation} has payments in several currencies: they cannot be added up.")
    if not all(line.charge.is_finite() and line.payment.is_finite() for line in lines):
        raise Refused(f"{reservation} has an amount that is not a number: correct it first.")
    lines.sort(key=lambda line: (line.day, not line.charge))
    return Folio(tuple(lines), reservation.deposit_held)


def price_of_nights(reservation: Reservation, nights: int) -> Decimal:
    """Return what some nights of a stay cost: their share of its price, the discount taken off."""
    booked = (reservation.check_out_date - reservation.check_in_date).days
    if not reservation.total_amount.is_finite():
        raise Refused(f"{reservation} has an amount that is not a number: correct it first.")
    if booked < 1 or nights >= booked:
        return reservation.total_amount
    return rounded(reservation.total_amount * nights / booked)


def _price(reservation: Reservation) -> Decimal:
    """Return what the nights booked cost: nothing, if the stay is not to happen."""
    return Decimal(0) if reservation.status in ENDED else reservation.total_amount


def _exact(total: Any) -> Decimal:
    """Return a sum to the cent; SQLite adds floating point numbers."""
    return Decimal(total or 0).quantize(CENT)


def _nights(reservation: Reservation) -> Iterator[Line]:
    price = _price(reservation)
    if not price.is_finite():
        raise Refused(f"{reservation} has an amount that is not a number: correct it first.")
    if price:
        _, _, tax = taxed(ChargeKind.ROOM, price)
        nights = (reservation.check_out_date - reservation.check_in_date).days
        what = "1 night" if nights == 1 else f"{nights} nights"
        yield Line(reservation.check_in_date, what, charge=price, tax=tax, row=reservation)


def _of_charge(charge: Charge) -> Line:
    what = charge.get_kind_display()
    return Line(charge.business_date, what, charge=charge.amount, tax=charge.tax, row=charge)


def _of_payment(payment: Payment) -> Line:
    amount = -abs(payment.amount) if payment.is_refund else payment.amount
    what = "Refund" if payment.is_refund else payment.get_payment_type_display()
    return Line(payment.payment_date, what, payment=amount, row=payment)


def _of_movement(movement: DepositMovement) -> Line:
    is_applied = movement.kind == DepositKind.APPLIED
    what = "Deposit applied" if is_applied else "Deposit un-applied"
    amount = movement.amount if is_applied else -movement.amount
    return Line(movement.business_date, what, payment=amount, row=movement)
