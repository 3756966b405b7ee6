"""The accounts of many stays at once, for pages that list them: as ``account`` says, row by row."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from payments.folio import ENDED, Account
from payments.models import Charge, DepositKind, DepositMovement, Payment, PaymentType
from reservations.models import Reservation

ZERO = Decimal("0.00")


def accounts(stays: Iterable[Reservation]) -> dict[int, Account]:
    """Return the Account of each stay by its key, with three questions for all of them.

    What nobody can add up, which ``account`` refuses, is left out.
    """
    by_key = {stay.pk: stay for stay in stays if stay.total_amount.is_finite()}
    paid: dict[int, Decimal] = defaultdict(lambda: ZERO)
    applied: dict[int, Decimal] = defaultdict(lambda: ZERO)
    payments = Payment.objects.filter(reservation__in=by_key).exclude(is_voided=True)
    for key, kind, is_refund, currency, amount in payments.values_list(
        "reservation", "payment_type", "is_refund", "currency", "amount"
    ):
        if key in by_key and (currency != by_key[key].currency or not amount.is_finite()):
            del by_key[key]
        if kind != PaymentType.DEPOSIT:
            paid[key] += -abs(amount) if is_refund else amount
    movements = DepositMovement.objects.filter(
        reservation__in=by_key, kind__in=[DepositKind.APPLIED, DepositKind.UNAPPLIED]
    )
    for key, kind, amount in movements.values_list("reservation", "kind", "amount"):
        applied[key] += amount if kind == DepositKind.APPLIED else -amount
    totals = {
        key: ZERO if stay.status in ENDED else stay.total_amount for key, stay in by_key.items()
    }
    charges = Charge.objects.filter(reservation__in=by_key).exclude(is_voided=True)
    for key, amount in charges.values_list("reservation", "amount"):
        totals[key] += amount
    return {
        key: Account(totals[key], paid[key], applied[key], stay.deposit_held)
        for key, stay in by_key.items()
    }
