"""What happens to money: paid, refunded, voided, and deposits that are held.

A deposit is the guest's own money until it is applied or forfeited, so there are two pots: what was
paid for the stay, and what is held. The ledger of movements decides what is held.
``Reservation.deposit_held`` and the legacy columns ``deposit_amount`` and ``deposit_returned_at``
are kept equal to it in the same transaction, under the lock of the reservation.

Each function does all of it or nothing, and raises Refused with a sentence for the staff. Amounts
are in the hotel's currency. ``key``: asked for again with the same key, what was recorded the first
time is returned. Rule: docs/decisions/0009-deposits.md.
"""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Round
from django.utils import timezone

from accounts.models import User
from hotel.business_day import business_date, is_today
from hotel.events import record, remember
from hotel.refusals import Refused, refusing
from hotel.rules import validate
from payments.amounts import check_amount, given_reason
from payments.folio import CENT, ENDED, account, applied
from payments.models import DepositEvidence, DepositKind, DepositMovement, Payment, PaymentType
from reservations.locks import lock_reservation
from reservations.models import LIVE, Reservation

COLLECTED, APPLIED, UNAPPLIED, REFUNDED, FORFEITED, CORRECTED = DepositKind
OF_FEE = "-fee"  # ends the key of the part of a kept deposit that pays a fee
ADDING = [COLLECTED, UNAPPLIED, CORRECTED]  # what makes more of a deposit held
SIGNED = Case(When(kind__in=ADDING, then=F("amount")), default=-F("amount"))


def legacy_balance(reservation: Reservation) -> Decimal:
    """Return what the legacy system would have said is to be paid, for comparison only.

    It takes deposits for payments of the stay, and refunds for nothing at all.
    """
    payments = reservation.payment_set.exclude(is_refund=True).exclude(is_voided=True)
    return reservation.total_amount - _sum(payments, F("amount"))


def take_payment(  # noqa: PLR0913, PLR0917 - each is a column of the payment
    reservation: Reservation,
    amount: Decimal,
    method: str,
    by: User,
    kind: str = PaymentType.FULL,
    key: str | None = None,
    reference: str = "",
    notes: str = "",
) -> Payment:
    """Return the payment that records money from a guest; one of kind deposit is held.

    amount: above zero; of an adjustment, anything but zero. An adjustment below zero is a refund
    of that amount, which names no payment: at most what was paid, for the reason in ``notes``.
    """
    with refusing():
        stay = lock_reservation(reservation)
        check_amount(amount, negative=kind == PaymentType.ADJUSTMENT)
        asked = {
            "reservation": stay,
            "amount": abs(amount),
            "payment_type": kind,
            "is_refund": amount < 0,
        }
        stands = _recorded(key, asked)
        if stands:
            return stands
        if amount < 0:
            paid = account(stay).paid
            if -amount > paid:
                raise Refused(f"{paid} was paid for {stay}: no more than that can be given back.")
            return _new_payment(
                asked,
                method,
                by,
                key=key,
                reference_number=reference or None,
                refund_reason=given_reason(notes),
            )
        if kind == PaymentType.DEPOSIT and stay.status not in LIVE:
            raise Refused(
                f"{stay} is {stay.get_status_display().lower()}: no deposit can be taken for it."
            )
        made = _new_payment(
            asked, method, by, key=key, reference_number=reference or None, notes=notes or None
        )
        if kind == PaymentType.DEPOSIT:
            _move(stay, COLLECTED, amount, by, payment=made)
            record(stay, "deposit_collected", by)
        return made


def refund(
    payment: Payment, amount: Decimal, method: str, by: User, reason: str, key: str | None = None
) -> Payment:
    """Return the payment that records a refund of an earlier one.

    At most what is left of it; and unless it was a deposit, at most what is paid for the stay:
    a check-out, or the legacy system, may have refunded some without naming the payment.
    """
    with refusing():
        stay, payment = _lock_payment(payment)
        asked = {
            "reservation": stay,
            "amount": amount,
            "payment_type": payment.payment_type,
            "is_refund": True,
            "refund_of": payment,
        }
        stands = _recorded(key, asked)
        if stands:
            return stands
        check_amount(amount)
        given = payment.amount.is_finite() and payment.amount > 0
        if payment.is_refund or payment.is_voided or not given:
            raise Refused(f"{payment} brought no money in: there is nothing to refund.")
        left = payment.amount - _sum(payment.refunds.exclude(is_voided=True), F("amount"))
        if payment.payment_type != PaymentType.DEPOSIT:
            left = max(Decimal(0), min(left, account(stay).paid))
        if amount > left:
            raise Refused(f"No more than {left} of {payment} can be refunded.")
        made = _new_payment(asked, method, by, key=key, refund_reason=given_reason(reason))
        if payment.payment_type == PaymentType.DEPOSIT:
            _move(stay, REFUNDED, amount, by, payment=made, reason=reason)
            record(stay, "deposit_refunded", by, made.refund_reason)
        return made


def void(payment: Payment, by: User, reason: str) -> Payment:
    """Void a payment or refund that was recorded today by mistake; the row stays, marked."""
    with refusing():
        stay, payment = _lock_payment(payment)
        if payment.is_voided:
            return payment
        if not is_today(payment.created_at):
            raise Refused(f"{payment} was recorded on another day: refund it instead.")
        if payment.refunds.exclude(is_voided=True).exists():
            raise Refused(f"{payment} was refunded in part: void the refund first.")
        payment.is_voided = True
        payment.voided_at = timezone.now()
        payment.voided_by = by
        payment.void_reason = given_reason(reason)
        payment.save(
            update_fields=["is_voided", "voided_at", "voided_by", "void_reason", "updated_at"]
        )
        record(payment, "voided", by, payment.void_reason)
        moved = _sum(payment.deposit_movements.all(), SIGNED)
        if moved:
            _move(stay, CORRECTED, -moved, by, payment=payment, reason=reason)
            record(stay, "deposit_corrected", by, payment.void_reason)
        return payment


def apply_deposit(
    reservation: Reservation, amount: Decimal, by: User, key: str | None = None
) -> Reservation:
    """Pay ``amount`` of what is due for the stay from the deposit that is held.

    Not of a stay that will not happen: its deposit is given back, or kept.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if _moved(key, stay, APPLIED, amount):
            return stay
        if stay.status in ENDED:
            raise Refused(
                f"{stay} is {stay.get_status_display().lower()}: give its deposit back, or keep it."
            )
        check_amount(amount)
        due = account(stay).due
        if amount > due:
            raise Refused(
                f"{stay} owes {max(due, Decimal(0))}: no more of the deposit can be applied."
            )
        _move(stay, APPLIED, amount, by, key=key)
        record(stay, "deposit_applied", by)
        return stay


def unapply_deposit(
    reservation: Reservation, amount: Decimal, by: User, reason: str, key: str | None = None
) -> Reservation:
    """Take back ``amount`` of what was applied of the deposit: it is held again, and due."""
    with refusing():
        stay = lock_reservation(reservation)
        if _moved(key, stay, UNAPPLIED, amount):
            return stay
        check_amount(amount)
        paid = applied(stay)
        if amount > paid:
            raise Refused(f"{paid} of the deposit pays for {stay}: no more can be un-applied.")
        _move(stay, UNAPPLIED, amount, by, reason=given_reason(reason), key=key)
        record(stay, "deposit_unapplied", by, given_reason(reason))
        return stay


def return_deposit(
    reservation: Reservation,
    amount: Decimal,
    method: str,
    by: User,
    reason: str,
    key: str | None = None,
) -> Payment:
    """Return the payment that records the refund of a deposit, or of a part of it."""
    with refusing():
        stay = lock_reservation(reservation)
        asked = _refund_of_deposit(stay, amount)
        stands = _recorded(key, asked)
        if stands:
            return stands
        check_amount(amount)
        made = _give_back(asked, method, by, given_reason(reason), key)
        record(stay, "deposit_refunded", by, made.refund_reason)
        return made


def forfeit_deposit(
    reservation: Reservation, amount: Decimal, by: User, reason: str, key: str | None = None
) -> Reservation:
    """Keep a deposit, or a part of it, for the hotel: for damage, or a guest who did not come.

    Of a stay that will not happen it pays what is due first: a fee, or nights that were slept.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if _kept(key, stay, amount):
            return stay
        reason = given_reason(reason)
        check_amount(amount)
        due = max(Decimal(0), account(stay).due) if stay.status in ENDED else Decimal(0)
        pays = min(amount, due, stay.deposit_held)
        if pays:
            _move(stay, APPLIED, pays, by, reason=reason, key=key and f"{key}{OF_FEE}")
        if amount > pays:
            _move(stay, FORFEITED, amount - pays, by, reason=reason, key=key)
        record(stay, "deposit_forfeited", by, reason)
        return stay


def release_deposit(stay: Reservation, by: User, reason: str) -> None:
    """Hold again what was applied of a deposit and is no longer due; the caller has locked it."""
    paid = applied(stay)
    if paid:
        surplus = min(paid, max(Decimal(0), -account(stay).due))
        if surplus:
            _move(stay, UNAPPLIED, surplus, by, reason=reason)


def settle_at_check_out(stay: Reservation, by: User, method: str, allow_debt: bool = False) -> None:
    """Pay what is due from the deposit, refund the rest of it, and refund any overpayment.

    What was applied and is no longer due, since the guests leave early, is a part of the rest. The
    caller has locked the reservation. allow_debt: even if something is owed after that, for
    which Refused is raised otherwise.
    """
    standing = account(stay)
    if standing.owed and not allow_debt:
        raise Refused(f"{stay} owes {standing.owed}: take the payment first, or allow the debt.")
    pays = min(standing.held, max(Decimal(0), standing.due))
    surplus = min(standing.applied, max(Decimal(0), -standing.due))
    if pays:
        _move(stay, APPLIED, pays, by)
    if surplus:
        _move(stay, UNAPPLIED, surplus, by, reason="Too much at check-out.")
    if stay.deposit_held:
        asked = _refund_of_deposit(stay, stay.deposit_held)
        _give_back(asked, method, by, "Deposit refunded at check-out.")
    if standing.due + surplus < 0:
        asked = {
            "reservation": stay,
            "amount": -standing.due - surplus,
            "payment_type": PaymentType.ADJUSTMENT,
            "is_refund": True,
        }
        _new_payment(asked, method, by, refund_reason="Overpayment refunded at check-out.")


def held_by_ledger(reservation_key: OuterRef) -> Coalesce:
    """Return the expression for what the ledger says is held of a reservation.

    reservation_key: ``OuterRef`` to it. 0 where there is no movement.
    """
    sums = DepositMovement.objects.filter(reservation=reservation_key).order_by()
    held = sums.values("reservation").values(held=Round(Sum(SIGNED), 2))
    return Coalesce(Subquery(held), Value(Decimal(0)))


def ledger_differences() -> QuerySet[Any]:
    """Return the reservations whose ``deposit_held`` is not what the ledger says, ``by_ledger``."""
    stays = Reservation.objects.annotate(by_ledger=held_by_ledger(OuterRef("pk")))
    return stays.exclude(deposit_held=F("by_ledger")).order_by("pk")


def legacy_differences() -> QuerySet[Any]:
    """Return the reservations of whose deposit the legacy system said two things, ``collected``.

    Its payments count, and ``deposit_amount`` stays as it is, until something happens here.
    """
    movements = DepositMovement.objects.filter(reservation=OuterRef("pk")).order_by()
    sums = movements.filter(kind=COLLECTED).values("reservation")
    collected = Subquery(sums.values(total=Round(Sum("amount"), 2)))
    here = Exists(movements.filter(evidence=DepositEvidence.RECORDED))
    stays = Reservation.objects.annotate(collected=collected).filter(~here)
    return stays.exclude(deposit_amount=F("collected")).order_by("pk")


def _lock_payment(payment: Payment) -> tuple[Reservation, Payment]:
    stay = lock_reservation(payment.reservation)
    locked: Payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    remember(locked)
    return stay, locked


def _sum(rows: QuerySet[Any], amount: Combinable) -> Decimal:
    """Return a sum to the cent; SQLite adds floating point numbers."""
    total = rows.aggregate(total=Sum(amount))["total"]
    return Decimal(total or 0).quantize(CENT)


def _recorded(key: str | None, asked: dict[str, Any]) -> Payment | None:
    """Return the payment that was recorded with ``key``, if it is the one that is asked for."""
    stands = key and Payment.objects.filter(idempotency_key=key).first()
    if not stands:
        return None
    if any(getattr(stands, name) != value for name, value in asked.items()):
        raise Refused(f"This is already recorded, as {stands} for {stands.reservation}.")
    return stands


def _moved(key: str | None, stay: Reservation, kind: str, amount: Decimal) -> bool:
    """Return whether the movement that is asked for was recorded with ``key`` already."""
    stands = key and DepositMovement.objects.filter(idempotency_key=key).first()
    if stands and (stands.reservation_id, stands.kind, stands.amount) != (stay.pk, kind, amount):
        raise Refused(f"This is already recorded, as {stands} for {stands.reservation}.")
    return bool(stands)


def _kept(key: str | None, stay: Reservation, amount: Decimal) -> bool:
    """Return whether ``amount`` of a deposit was kept with ``key`` already, fees included."""
    rows = list(
        DepositMovement.objects.filter(idempotency_key__in=[key, f"{key}{OF_FEE}"]) if key else ()
    )
    if rows and (
        {row.reservation_id for row in rows} != {stay.pk}
        or sum(row.amount for row in rows) != amount
        or not {row.kind for row in rows} <= {APPLIED, FORFEITED}
    ):
        raise Refused(f"This is already recorded, as {rows[0]} for {rows[0].reservation}.")
    return bool(rows)


def _new_payment(
    asked: dict[str, Any], method: str, by: User, key: str | None = None, **more: Any
) -> Payment:
    made = Payment(
        payment_date=business_date(),
        payment_method=method,
        created_by=by,
        idempotency_key=key,
        currency=settings.HOTEL_CURRENCY,
        **asked,
        **more,
    )
    validate(made)
    made.save(force_insert=True)
    record(made, "refunded" if made.is_refund else "taken", by, made.refund_reason)
    return made


def _refund_of_deposit(stay: Reservation, amount: Decimal) -> dict[str, Any]:
    """Return the payment that gives a deposit back, as a request for it."""
    return {
        "reservation": stay,
        "amount": amount,
        "payment_type": PaymentType.DEPOSIT,
        "is_refund": True,
        "refund_of": None,
    }


def _give_back(
    asked: dict[str, Any], method: str, by: User, reason: str, key: str | None = None
) -> Payment:
    """Record the refund of a deposit, and that it is no longer held."""
    made = _new_payment(asked, method, by, key=key, refund_reason=reason)
    _move(made.reservation, REFUNDED, made.amount, by, payment=made, reason=reason)
    return made


def _move(  # noqa: PLR0917 - each is a column of the movement
    stay: Reservation,
    kind: str,
    amount: Decimal,
    by: User,
    payment: Payment | None = None,
    reason: str | None = None,
    key: str | None = None,
) -> None:
    """Add a movement, and change what is held; the caller has locked the reservation."""
    check_amount(amount, negative=kind == CORRECTED)
    sign = 1 if kind in ADDING else -1
    if stay.deposit_held + sign * amount < 0:
        raise Refused(
            f"{stay} has a deposit of {stay.deposit_held}: no more than that can be used."
        )
    now = timezone.now()
    DepositMovement.objects.create(
        reservation=stay,
        kind=kind,
        amount=amount,
        currency=settings.HOTEL_CURRENCY,
        payment=payment,
        occurred_at=now,
        business_date=business_date(),
        created_by=by,
        reason=reason,
        evidence=DepositEvidence.RECORDED,
        idempotency_key=key,
    )
    changed = ["deposit_held", "deposit_returned_at", "updated_at"]
    of_receipt = kind == COLLECTED or (kind == CORRECTED and payment and not payment.is_refund)
    if of_receipt:
        # The column says how much was collected of the deposit that is held now, or was last.
        before = stay.deposit_amount if stay.deposit_held else Decimal(0)
        stay.deposit_amount = max(Decimal(0), before + amount)
        changed.append("deposit_amount")
    stay.deposit_held += sign * amount
    stay.deposit_returned_at = None if stay.deposit_held or of_receipt else now
    validate(stay, changed)
    stay.save(update_fields=changed)
