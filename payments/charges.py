"""What guests are charged for besides the nights booked: extras, fees, and nights of a broken stay.

A charge is added, and voided on its day if it was wrong; it is never changed. Each kind has a rate
of tax (``HOTEL_TAX_RATES``), which what is typed in includes, or which comes on top of it
(``HOTEL_TAX_INCLUDED``). Prices of nights include theirs. Rule: docs/decisions/0027-folio.md.
"""

from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from hotel.business_day import business_date, is_today
from hotel.events import record, remember
from hotel.refusals import Refused, refusing
from hotel.rules import validate
from payments.amounts import check_amount, given_reason, taxed
from payments.folio import price_of_nights
from payments.models import Charge, ChargeKind
from reservations.locks import lock_reservation
from reservations.models import Reservation

# What a clerk can charge for; the nights of a broken stay are charged as it ends.
EXTRAS = [kind for kind in ChargeKind if kind != ChargeKind.ROOM]


def charge(
    reservation: Reservation,
    kind: str,
    amount: Decimal,
    by: User,
    key: str | None = None,
    notes: str = "",
) -> Charge:
    """Return the charge that makes a guest owe more, for instance for the minibar.

    amount: above zero, with its tax or without, as the hotel has set it. Of any stay: also of one
    that is over or was cancelled, whose fees are charges. key: asked for again with the same key,
    the charge that was recorded the first time is returned.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if kind not in EXTRAS:
            raise Refused(f"Nobody is charged for {kind!r}: choose one of {', '.join(EXTRAS)}.")
        check_amount(amount)
        whole, rate, tax = taxed(kind, amount, is_included=settings.HOTEL_TAX_INCLUDED)
        stands = key and Charge.objects.filter(idempotency_key=key).first()
        if stands:
            if (stands.reservation_id, stands.kind, stands.amount) != (stay.pk, kind, whole):
                raise Refused(f"This is already recorded, as {stands} for {stands.reservation}.")
            return stands
        return _new(stay, kind, (whole, rate, tax), by, key, notes)


def void_charge(charge: Charge, by: User, reason: str) -> Charge:
    """Void a charge that was recorded today by mistake; the row stays, marked."""
    with refusing():
        lock_reservation(charge.reservation)
        locked: Charge = Charge.objects.select_for_update(of=("self",)).get(pk=charge.pk)
        if locked.is_voided:
            return locked
        if not is_today(locked.created_at):
            raise Refused(
                f"{locked} was recorded on another day: it can no longer be voided."
                " Adjust the account instead."
            )
        _void(locked, by, given_reason(reason))
        return locked


def charge_nights(stay: Reservation, nights: int, by: User) -> None:
    """Charge for nights slept of a stay that ends in house; the caller has locked it."""
    price = price_of_nights(stay, nights)
    if nights > 0 and price > 0:
        _new(stay, ChargeKind.ROOM, taxed(ChargeKind.ROOM, price), by)


def charge_fee(
    stay: Reservation, kind: str, by: User, amount: Decimal | None, nights: int | None
) -> None:
    """Charge a fee for a stay that will not happen; the caller has locked it.

    amount, or the price of some ``nights`` of the stay; no fee if neither is given, or zero.
    """
    if amount and nights:
        raise Refused("The fee is an amount or some nights: enter one of them.")
    if nights:
        booked = (stay.check_out_date - stay.check_in_date).days
        if not 0 < nights <= booked:
            raise Refused(f"{stay} has {booked} nights: the fee cannot be that of {nights}.")
        price = price_of_nights(stay, nights)
        if price > 0:
            _new(stay, kind, taxed(kind, price), by)
    elif amount:
        check_amount(amount)
        whole = taxed(kind, amount, is_included=settings.HOTEL_TAX_INCLUDED)
        _new(stay, kind, whole, by)


def take_back_charges(stay: Reservation, by: User) -> None:
    """Void what was charged as a stay ended that is now reinstated; the caller has locked it.

    Fees of another day stay. Raises Refused for nights slept that were charged on another day: they
    would be charged twice.
    """
    kinds = [ChargeKind.ROOM, ChargeKind.CANCELLATION, ChargeKind.NO_SHOW]
    for one in stay.charges.filter(kind__in=kinds, is_voided=False).order_by("pk"):
        if is_today(one.created_at):
            _void(one, by, "The stay was reinstated.")
        elif one.kind == ChargeKind.ROOM:
            raise Refused(
                f"{stay} was charged for nights slept on {one.business_date}: book a new stay."
            )


def _new(
    stay: Reservation,
    kind: str,
    whole: tuple[Decimal, Decimal, Decimal],
    by: User,
    key: str | None = None,
    notes: str = "",
) -> Charge:
    amount, rate, tax = whole
    made = Charge(
        reservation=stay,
        kind=kind,
        business_date=business_date(),
        amount=amount,
        tax_rate=rate,
        tax=tax,
        currency=settings.HOTEL_CURRENCY,
        notes=notes or None,
        created_by=by,
        idempotency_key=key,
    )
    validate(made)
    made.save(force_insert=True)
    record(made, "charged", by)
    return made


def _void(charge: Charge, by: User, reason: str) -> None:
    remember(charge)
    charge.is_voided = True
    charge.voided_at = timezone.now()
    charge.voided_by = by
    charge.void_reason = reason
    charge.save(update_fields=["is_voided", "voided_at", "voided_by", "void_reason"])
    record(charge, "voided", by, reason)
