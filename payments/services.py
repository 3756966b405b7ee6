"""What happens to money: paid, given back, voided, and deposits that are held.

A deposit is the guest's own money until it is applied or forfeited, so there are two pots: what was
paid for the stay, and what is held. The ledger of movements is the source of what is held;
``Reservation.deposit_held``, and the legacy columns ``deposit_amount`` and ``deposit_returned_at``,
are written along in the same transaction, under the lock of the reservation.

Each function does all of it or nothing, and raises Refused with a sentence for the staff. Amounts
are in the hotel's currency. ``key``: whoever asks again with the same key gets what was recorded
the first time. Rule: docs/decisions/0009-deposits.md.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, Exists, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Abs, Coalesce, Round
from django.utils import timezone

from hotel.refusals import Refused, refusing
from payments.models import DepositEvidence, DepositKind, DepositMovement, Payment, PaymentType
from reservations.models import LIVE, Reservation

COLLECTED, APPLIED, REFUNDED, FORFEITED, CORRECTED = DepositKind
CENT = Decimal("0.01")
SIGNED = Case(When(kind__in=[COLLECTED, CORRECTED], then=F("amount")), default=-F("amount"))


@dataclass(frozen=True)
class Account:
    """Where the money of a stay stands, in the hotel's currency.

    total: its price. paid: by payments that are no deposit, less refunds of them. applied: of the
    deposit, to the price. held: of the deposit, now.
    """

    total: Decimal
    paid: Decimal
    applied: Decimal
    held: Decimal

    @property
    def due(self):
        """What is to be paid for the stay, the deposit aside; below zero if too much was paid."""
        return self.total - self.paid - self.applied

    @property
    def owed(self):
        """What is still to be paid when the deposit has been applied."""
        return max(Decimal(0), self.due - self.held)


def account(reservation):
    """Return the Account of a reservation as it stands in the database.

    Raises Refused for what nobody can add up: several currencies, and PostgreSQL's NaN.
    """
    payments = reservation.payment_set.exclude(is_voided=True)
    if payments.exclude(currency=reservation.currency).exists():
        raise Refused(f"{reservation} was paid in several currencies: nobody can add them up.")
    paid = _sum(
        payments.exclude(payment_type=PaymentType.DEPOSIT),
        Case(When(is_refund=True, then=-Abs("amount")), default=F("amount")),
    )
    applied = _sum(reservation.deposit_movements.filter(kind=APPLIED), F("amount"))
    if not (paid.is_finite() and reservation.total_amount.is_finite()):
        raise Refused(f"{reservation} has an amount that is no number: correct it first.")
    return Account(reservation.total_amount, paid, applied, reservation.deposit_held)


def legacy_balance(reservation):
    """Return what the legacy system would have said is to be paid, for comparison only.

    It takes deposits for payments of the stay, and refunds for nothing at all.
    """
    payments = reservation.payment_set.exclude(is_refund=True).exclude(is_voided=True)
    return reservation.total_amount - _sum(payments, F("amount"))


def take_payment(
    reservation, amount, method, by, kind=PaymentType.FULL, key=None, reference="", notes=""
):
    """Return the payment that records money from a guest; one of kind deposit is held.

    amount: above zero; of an adjustment, anything but zero.
    """
    with refusing():
        stay = hold(reservation)
        asked = {"reservation": stay, "amount": amount, "payment_type": kind, "is_refund": False}
        stands = _recorded(key, asked)
        if stands:
            return stands
        _check(amount, negative=kind == PaymentType.ADJUSTMENT)
        if kind == PaymentType.DEPOSIT and stay.status not in LIVE:
            raise Refused(
                f"{stay} is {stay.get_status_display().lower()}: no deposit is taken for it."
            )
        made = _record(
            asked, method, by, key=key, reference_number=reference or None, notes=notes or None
        )
        if kind == PaymentType.DEPOSIT:
            _move(stay, COLLECTED, amount, by, payment=made)
        return made


def refund(payment, amount, method, by, reason, key=None):
    """Return the payment that records money given back of an earlier one.

    At most what is left of it; and if it was no deposit, no more than was paid for the stay, of
    which a check-out, or the legacy system, may have given back some without naming the payment.
    """
    with refusing():
        stay, payment = _hold_payment(payment)
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
        _check(amount)
        given = payment.amount.is_finite() and payment.amount > 0
        if payment.is_refund or payment.is_voided or not given:
            raise Refused(f"{payment} gave no money to the hotel: nothing of it can be given back.")
        left = payment.amount - _sum(payment.refunds.exclude(is_voided=True), F("amount"))
        if payment.payment_type != PaymentType.DEPOSIT:
            left = max(Decimal(0), min(left, account(stay).paid))
        if amount > left:
            raise Refused(f"Of {payment} no more than {left} is left to be given back.")
        made = _record(asked, method, by, key=key, refund_reason=_reason(reason))
        if payment.payment_type == PaymentType.DEPOSIT:
            _move(stay, REFUNDED, amount, by, payment=made, reason=reason)
        return made


def void(payment, by, reason):
    """Take back a payment or refund that was recorded today by mistake; the row stays, marked."""
    with refusing():
        stay, payment = _hold_payment(payment)
        if payment.is_voided:
            return payment
        if not is_today(payment.created_at):
            raise Refused(f"{payment} was recorded on another day: give it back instead.")
        if payment.refunds.exclude(is_voided=True).exists():
            raise Refused(f"{payment} was given back in part: void the refund first.")
        payment.is_voided = True
        payment.voided_at = timezone.now()
        payment.voided_by = by
        payment.void_reason = _reason(reason)
        payment.save(
            update_fields=["is_voided", "voided_at", "voided_by", "void_reason", "updated_at"]
        )
        moved = _sum(payment.deposit_movements, SIGNED)
        if moved:
            _move(stay, CORRECTED, -moved, by, payment=payment, reason=reason)
        return payment


def apply_deposit(reservation, amount, by, key=None):
    """Pay ``amount`` of what is due for the stay from the deposit that is held."""
    with refusing():
        stay = hold(reservation)
        if _moved(key, stay, APPLIED, amount):
            return stay
        _check(amount)
        due = account(stay).due
        if amount > due:
            raise Refused(f"{stay} owes {max(due, Decimal(0))}: no more of the deposit is applied.")
        _move(stay, APPLIED, amount, by, key=key)
        return stay


def return_deposit(reservation, amount, method, by, reason, key=None):
    """Return the payment that records the giving back of a deposit, or a part of it."""
    with refusing():
        stay = hold(reservation)
        return _return(stay, amount, method, by, reason, key)


def forfeit_deposit(reservation, amount, by, reason, key=None):
    """Keep a deposit, or a part of it, for the hotel: for damage, or a guest who did not come."""
    with refusing():
        stay = hold(reservation)
        if not _moved(key, stay, FORFEITED, amount):
            _move(stay, FORFEITED, amount, by, reason=_reason(reason), key=key)
        return stay


def settle_at_check_out(stay, by, method, allow_debt=False):
    """Pay what is due from the deposit, give the rest of it back, and what was paid too much.

    The caller holds the reservation. allow_debt: also if something is owed after that; raises
    Refused otherwise.
    """
    standing = account(stay)
    if standing.owed and not allow_debt:
        raise Refused(f"{stay} owes {standing.owed}: take the payment first, or allow the debt.")
    applied = min(standing.held, max(Decimal(0), standing.due))
    if applied:
        _move(stay, APPLIED, applied, by)
    if stay.deposit_held:
        _return(stay, stay.deposit_held, method, by, "Deposit given back at check-out.")
    if standing.due < 0:
        asked = {
            "reservation": stay,
            "amount": -standing.due,
            "payment_type": PaymentType.ADJUSTMENT,
            "is_refund": True,
        }
        _record(asked, method, by, refund_reason="Paid too much, given back at check-out.")


def held_by_ledger(reservation_key):
    """Return the expression for what the ledger says is held of a reservation.

    reservation_key: ``OuterRef`` to it. 0 where there is no movement.
    """
    sums = DepositMovement.objects.filter(reservation=reservation_key).order_by()
    sums = sums.values("reservation").values(held=Round(Sum(SIGNED), 2))
    return Coalesce(Subquery(sums), Value(Decimal(0)))


def ledger_differences():
    """Return the reservations whose ``deposit_held`` is not what the ledger says, ``by_ledger``."""
    stays = Reservation.objects.annotate(by_ledger=held_by_ledger(OuterRef("pk")))
    return stays.exclude(deposit_held=F("by_ledger")).order_by("pk")


def legacy_differences():
    """Return the reservations of whose deposit the legacy system said two things, ``collected``.

    Its payments count, and ``deposit_amount`` stays as it is, until something happens here.
    """
    movements = DepositMovement.objects.filter(reservation=OuterRef("pk")).order_by()
    sums = movements.filter(kind=COLLECTED).values("reservation")
    collected = Subquery(sums.values(total=Round(Sum("amount"), 2)))
    here = Exists(movements.filter(evidence=DepositEvidence.RECORDED))
    stays = Reservation.objects.annotate(collected=collected).filter(~here)
    return stays.exclude(deposit_amount=F("collected")).order_by("pk")


def hold(reservation):
    """Return the reservation as it is now, and let nobody else change it."""
    stay = Reservation.objects.select_for_update(of=("self",)).get(pk=reservation.pk)
    if stay.currency != settings.HOTEL_CURRENCY:
        raise Refused(
            f"{stay} is in {stay.currency}, but the hotel's currency is {settings.HOTEL_CURRENCY}."
        )
    return stay


def is_today(moment):
    """Return whether an instant, or None, is on the hotel's day of today."""
    try:
        return bool(moment) and timezone.localdate(moment) == timezone.localdate()
    except OverflowError:  # infinity, and the last hours of the calendar
        return False


def _hold_payment(payment):
    stay = hold(payment.reservation)
    return stay, Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)


def _sum(rows, amount):
    """Return a sum to the cent; SQLite adds floating point numbers."""
    total = rows.aggregate(total=Sum(amount))["total"]
    return Decimal(total or 0).quantize(CENT)


def _check(amount, negative=False):
    """Raise Refused for what is no amount of money."""
    if not amount.is_finite() or amount.normalize().as_tuple().exponent < -2:
        raise Refused("The amount must be a number with two decimals at most.")
    if amount == 0 or (amount < 0 and not negative):
        raise Refused("The amount must be more than zero.")


def _reason(reason):
    if not (reason or "").strip():
        raise Refused("Write down the reason.")
    return reason.strip()


def _recorded(key, asked):
    """Return the payment that was recorded with ``key``, if it is the one that is asked for."""
    stands = key and Payment.objects.filter(idempotency_key=key).first()
    if not stands:
        return None
    if any(getattr(stands, name) != value for name, value in asked.items()):
        raise Refused(f"This was recorded already, as {stands} for {stands.reservation}.")
    return stands


def _moved(key, stay, kind, amount):
    """Return whether the movement that is asked for was recorded with ``key`` already."""
    stands = key and DepositMovement.objects.filter(idempotency_key=key).first()
    if stands and (stands.reservation_id, stands.kind, stands.amount) != (stay.pk, kind, amount):
        raise Refused(f"This was recorded already, as {stands} for {stands.reservation}.")
    return bool(stands)


def _record(asked, method, by, key=None, **more):
    made = Payment(
        payment_date=timezone.localdate(),
        payment_method=method,
        created_by=by,
        idempotency_key=key,
        currency=settings.HOTEL_CURRENCY,
        **asked,
        **more,
    )
    made.full_clean(validate_unique=False)
    made.save(force_insert=True)
    return made


def _return(stay, amount, method, by, reason, key=None):
    asked = {
        "reservation": stay,
        "amount": amount,
        "payment_type": PaymentType.DEPOSIT,
        "is_refund": True,
        "refund_of": None,
    }
    stands = _recorded(key, asked)
    if stands:
        return stands
    _check(amount)
    made = _record(asked, method, by, key=key, refund_reason=_reason(reason))
    _move(stay, REFUNDED, amount, by, payment=made, reason=reason)
    return made


def _move(stay, kind, amount, by, payment=None, reason=None, key=None):
    """Add a movement, and change what is held; the caller holds the reservation."""
    _check(amount, negative=kind == CORRECTED)
    sign = 1 if kind in (COLLECTED, CORRECTED) else -1
    if stay.deposit_held + sign * amount < 0:
        raise Refused(f"Of {stay} a deposit of {stay.deposit_held} is held: no more can be used.")
    now = timezone.now()
    DepositMovement.objects.create(
        reservation=stay,
        kind=kind,
        amount=amount,
        currency=settings.HOTEL_CURRENCY,
        payment=payment,
        occurred_at=now,
        business_date=timezone.localdate(now),
        created_by=by,
        reason=reason,
        evidence=DepositEvidence.RECORDED,
        idempotency_key=key,
    )
    changed = ["deposit_held", "deposit_returned_at", "updated_at"]
    of_receipt = kind == COLLECTED or (kind == CORRECTED and payment and not payment.is_refund)
    if of_receipt:
        # The deposit that is held now: of one that was given back, the column says the amount no
        # longer as soon as another is collected.
        before = stay.deposit_amount if stay.deposit_held else Decimal(0)
        stay.deposit_amount = max(Decimal(0), before + amount)
        changed.append("deposit_amount")
    stay.deposit_held += sign * amount
    stay.deposit_returned_at = None if stay.deposit_held or of_receipt else now
    stay.validate_constraints(
        exclude=[f.name for f in stay._meta.fields if f.name not in (*changed, "total_amount")]
    )
    stay.save(update_fields=changed)
