"""What happens to a stay: booked, moved, checked in and out, cancelled, undone and reinstated.

Each function does all of it or nothing, locks the rows it decides about (in the one order of tables
that rooms/locks.py states), and raises Refused with a sentence for the staff. What has
been done already is not done twice. Who may ask is decided by the back office. Dates are the
hotel's; ``by`` is a user. Rule: docs/decisions/0010-services.md.

A stay is pending, then confirmed, then in house, then checked out. It can be cancelled until it is
checked out, and be a no-show instead of in house. What was done today can be undone, and what was
cancelled can be reinstated if the room is still free.
"""

import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from hotel.business_day import business_date, is_today, slept_until
from hotel.currency import rounded
from hotel.refusals import Refused, refusing
from payments.amounts import check_decimals
from payments.charges import charge_fee, charge_nights, take_back_charges
from payments.models import ChargeKind, PaymentMethod
from payments.services import release_deposit, settle_at_check_out
from reservations.acts import require as _require
from reservations.acts import saved as _saved
from reservations.availability import free_rooms as free_rooms
from reservations.availability import (
    refuse_change_of_rooms,
    refuse_crowd,
    refuse_rooms,
    refuse_sold_out,
    sold_as,
)
from reservations.availability import rooms_left as rooms_left
from reservations.locks import lock_reservation
from reservations.models import LIVE, Guest, Reservation, ReservationStatus
from reservations.moves import move as move
from reservations.moves import swap as swap
from reservations.moves import undo_move as undo_move
from reservations.parts import planned, present
from rooms.locks import lock_room
from rooms.models import HousekeepingStatus, Room, RoomType
from rooms.services import occupy, undo_occupy, vacate

PENDING, CONFIRMED, CHECKED_IN, CHECKED_OUT, CANCELLED, NO_SHOW = ReservationStatus
LONGEST = 730  # nights of a stay


def book(  # noqa: PLR0913 - each is a column of the reservation
    *,
    guest: Guest,
    room_type: RoomType,
    arrival: date,
    departure: date,
    by: User,
    room: Room | None = None,
    adults: int = 1,
    children: int = 0,
    rate: Decimal | None = None,
    discount: Decimal | int = 0,
    status: str = CONFIRMED,
    confirmation_number: str | None = None,
    overbook: bool = False,
    crowd: bool = False,
    anyway: bool = False,
    reason: str | None = None,
    **details: Any,
) -> Reservation:
    """Return a new reservation, priced by the night.

    rate: per night, in the hotel's currency; by default the room's own, or that of its type.
    discount: off the whole stay. confirmation_number: with the number, guest and dates of a
    reservation that exists, that one is returned. overbook: sell more rooms of the type than there
    are; one room is never sold twice. crowd: let more guests in than there are beds for. Both want
    a reason. anyway: even if the arrival is in the past, the stay has more than
    ``HOTEL_LONG_STAY`` nights, a night is free of charge, or guests must change rooms. details:
    other columns, as they are named in the model. Raises Refused if the room or the type is not
    free on all of these nights, or if there are more than ``LONGEST`` of them.
    """
    with refusing():
        if confirmation_number:
            stands: Reservation | None = Reservation.objects.filter(
                confirmation_number=confirmation_number
            ).first()
            if stands:
                asked = (guest.pk, room_type.pk, arrival, departure)
                if asked == (
                    stands.guest_id,
                    stands.room_type_id,
                    stands.check_in_date,
                    stands.check_out_date,
                ):
                    _require(stands, "booked again", *LIVE)
                    return stands
                raise Refused(f"{stands} is already booked, for another guest or other dates.")
        if status not in (PENDING, CONFIRMED):
            raise Refused(
                "A new reservation is pending or confirmed: check the guests in after that."
            )
        if room_type.is_active is False:
            raise Refused(f"{room_type} is no longer in use: choose another type.")
        if not (reason or "").strip():
            _refuse_without_reason(overbook, crowd)
        room = lock_room(room.pk) if room else None
        stay = Reservation(
            confirmation_number=confirmation_number or new_confirmation_number(),
            guest=guest,
            room_type=room_type,
            room=room,
            check_in_date=arrival,
            check_out_date=departure,
            adults=adults,
            children=children,
            status=status,
            created_by=by,
            discount_amount=discount,
            currency=settings.HOTEL_CURRENCY,
            **details,
        )
        check_decimals(Decimal(discount), "discount")
        if rate is not None:
            check_decimals(Decimal(rate), "rate")
        _price(stay, _rate(room, room_type) if rate is None else rate)
        if not crowd:
            refuse_crowd(stay)
        parts = planned(stay)
        refuse_rooms(stay, parts)
        if not overbook:
            refuse_sold_out(stay, parts, arrival, departure)
            if not anyway:
                refuse_change_of_rooms(stay)
        if not anyway:
            _ask_back(stay)
        return _saved(stay, "booked", by, reason)


def _refuse_without_reason(overbook: bool, crowd: bool) -> None:
    if crowd:
        raise Refused("More guests than there are beds for need a reason: enter one.")
    if overbook:
        raise Refused("Selling more rooms than there are needs a reason: enter one.")


def _ask_back(stay: Reservation) -> None:
    """Raise Refused for what is possible, and rarely meant."""
    nights = (stay.check_out_date - stay.check_in_date).days
    if stay.check_in_date < business_date():
        question = f"arrives on {stay.check_in_date}, which is past"
    elif nights > settings.HOTEL_LONG_STAY:
        question = f"has {nights} nights, more than {settings.HOTEL_LONG_STAY}"
    elif not stay.rate_per_night and not stay.is_complimentary:
        question = "costs nothing"
    else:
        return
    raise Refused(f"This stay {question}: confirm it if that is meant, or correct it.")


def new_confirmation_number() -> str:
    """Return a number that nobody can guess: ten digits and capitals, as in the legacy system."""
    return secrets.token_hex(5).upper()


def confirm(reservation: Reservation, by: User) -> Reservation:
    """Confirm a pending reservation; its room must still be free."""
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "confirmed", PENDING)
        stay.status = CONFIRMED
        refuse_rooms(stay, planned(stay))
        return _saved(stay, "confirmed", by)


def change_dates(
    reservation: Reservation, arrival: date, departure: date, by: User, overbook: bool = False
) -> Reservation:
    """Move a stay to other dates, and price it for these nights.

    Of fewer nights the discount shrinks with them; of more nights it stays as it is.

    Of guests in house only the departure can change, and it cannot be before today.
    """
    with refusing():
        stay = lock_reservation(reservation)
        _require(stay, "moved to other dates", *LIVE)
        if (arrival, departure) == (stay.check_in_date, stay.check_out_date):
            return stay
        if stay.status == CHECKED_IN:
            if arrival != stay.check_in_date:
                raise Refused(f"{stay} is in house: its day of arrival cannot be changed.")
            if departure < business_date():
                raise Refused(f"{stay} is in house: it cannot end before today.")
        added = [(arrival, stay.check_in_date), (stay.check_out_date, departure)]
        _set_dates(stay, arrival, departure)
        parts = planned(stay)
        refuse_rooms(stay, parts)
        if not overbook:
            for first, after in added:
                refuse_sold_out(stay, parts, max(first, arrival), min(after, departure))
        return _saved(stay, "moved_to_other_dates", by)


def reprice(reservation: Reservation, rate: Decimal, discount: Decimal, by: User) -> Reservation:
    """Set the rate per night and the discount of a stay, and the price that follows."""
    with refusing():
        stay = lock_reservation(reservation)
        _require(stay, "given another price", *LIVE)
        check_decimals(Decimal(rate), "rate")
        check_decimals(Decimal(discount), "discount")
        stay.discount_amount = discount
        _price(stay, rate)
        return _saved(stay, "repriced", by)


def check_in(
    reservation: Reservation, by: User, room: Room | None = None, accept_dirty: bool = False
) -> Reservation:
    """Check the guests in, to their room or to ``room``.

    Only on a day of their stay, and if nobody else is in the room. accept_dirty: even if
    housekeeping has not cleaned it.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CHECKED_IN and room in (None, stay.room):
            return stay
        _require(stay, "checked in", CONFIRMED)
        today = business_date()
        if today < stay.check_in_date:
            raise Refused(f"{stay} arrives on {stay.check_in_date}: change its dates first.")
        if today >= stay.check_out_date:
            raise Refused(f"{stay} was to leave on {stay.check_out_date}: change its dates first.")
        if not (room or stay.room):
            raise Refused(f"{stay} has no room yet: choose one.")
        was = sold_as(present(planned(stay)))
        stay.room = room or stay.room
        stay.status = CHECKED_IN
        stay.checked_in_at = timezone.now()
        stay.checked_in_by = by
        stay.receptionist_name = by.username
        parts = planned(stay)
        chosen = refuse_rooms(stay, parts)[present(parts).room_id or 0]
        if chosen.housekeeping_status == HousekeepingStatus.DIRTY and not accept_dirty:
            raise Refused(f"Room {chosen} is dirty: clean it, or choose another one.")
        if chosen.room_type_id != was:
            refuse_sold_out(stay, parts, stay.check_in_date, stay.check_out_date)
        occupy(chosen, by)
        return _saved(stay, "checked_in", by)


def check_out(
    reservation: Reservation,
    by: User,
    method: str = PaymentMethod.CASH,
    allow_debt: bool = False,
    bill_late: bool = False,
) -> Reservation:
    """Check the guests out and settle their account: the deposit pays what is due.

    Guests who leave early pay for the nights they slept, and for one if they slept none; their
    discount shrinks with the stay. method: how the rest of the deposit, and any overpayment, is
    refunded. allow_debt: even if something is still owed after that. bill_late: guests who stayed
    past their departure pay for these nights too; otherwise the event says that they did not.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CHECKED_OUT:
            return stay
        _require(stay, "checked out", CHECKED_IN)
        slept = slept_until(timezone.now())
        late = max((slept - stay.check_out_date).days, 0)
        _set_dates(stay, stay.check_in_date, slept if late and bill_late else leaving(stay))
        settle_at_check_out(stay, by, method, allow_debt=allow_debt)
        stay.status = CHECKED_OUT
        stay.checked_out_at = timezone.now()
        room = _lock_room_of(stay)
        if room:
            vacate(room, by)
        unpaid = f"Left {late} nights past the departure, which are not billed."
        return _saved(stay, "checked_out", by, unpaid if late and not bill_late else None)


def leaving(stay: Reservation) -> date:
    """Return the day of departure of guests in house who leave now: as booked, or earlier."""
    first = stay.check_in_date + timedelta(days=1)
    return min(stay.check_out_date, max(slept_until(timezone.now()), first))


def cancel(
    reservation: Reservation,
    by: User,
    reason: str,
    in_house: bool = False,
    fee: Decimal | None = None,
    fee_nights: int | None = None,
) -> Reservation:
    """Cancel a stay; its deposit stays held until it is given back or kept.

    in_house: even a stay in house. Its guests leave: their room is free, and dirty, and they are
    charged for the nights they slept. fee, or the price of ``fee_nights``: what they are charged
    for the cancellation.
    """
    statuses = LIVE if in_house else (PENDING, CONFIRMED)
    return _end(reservation, by, CANCELLED, "cancelled", reason, *statuses, fee=(fee, fee_nights))


def mark_no_show(
    reservation: Reservation, by: User, fee: Decimal | None = None, fee_nights: int | None = None
) -> Reservation:
    """Mark a stay whose guests did not come; from the day of arrival on.

    fee, or the price of ``fee_nights``: what they are charged for it.
    """
    what = "marked as a no-show"
    return _end(reservation, by, NO_SHOW, what, "no-show", CONFIRMED, fee=(fee, fee_nights))


def undo_check_in(reservation: Reservation, by: User) -> Reservation:
    """Undo a check-in of today: the stay is confirmed again, its room available."""
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "set back to confirmed", CHECKED_IN)
        _refuse_another_day(stay, stay.checked_in_at, "checked in")
        stay.status = CONFIRMED
        stay.checked_in_at = stay.checked_in_by = stay.receptionist_name = None
        room = _lock_room_of(stay)
        if room:
            undo_occupy(room, by)
        return _saved(stay, "check_in_undone", by)


def undo_check_out(reservation: Reservation, by: User) -> Reservation:
    """Undo a check-out of today: the guests are in their room again, for the nights they had.

    What was paid and given back stays so.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CHECKED_IN:
            return stay
        _require(stay, "set back to in house", CHECKED_OUT)
        _refuse_another_day(stay, stay.checked_out_at, "checked out")
        stay.status = CHECKED_IN
        stay.checked_out_at = None
        _give_back_nights(stay)
        if not stay.room_id:
            raise Refused(f"{stay} has no room for its guests to return to.")
        parts = planned(stay)
        rooms = refuse_rooms(stay, parts)
        refuse_sold_out(stay, parts, business_date(), stay.check_out_date)
        occupy(rooms[stay.room_id], by)
        return _saved(stay, "check_out_undone", by)


def reinstate(reservation: Reservation, by: User, overbook: bool = False) -> Reservation:
    """Confirm a cancelled stay or a no-show again, if its room and type are still free.

    What it was charged for its end is voided, if it was today.
    """
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "reinstated", CANCELLED, NO_SHOW)
        take_back_charges(stay, by)
        stay.status = CONFIRMED
        stay.cancelled_at = stay.cancel_reason = None
        stay.checked_in_at = stay.checked_in_by = stay.receptionist_name = None
        parts = planned(stay)
        refuse_rooms(stay, parts)
        if not overbook:
            refuse_sold_out(stay, parts, stay.check_in_date, stay.check_out_date)
        return _saved(stay, "reinstated", by)


# What the services above are made of


def _end(
    reservation: Reservation,
    by: User,
    status: str,
    what: str,
    reason: str,
    *statuses: str,
    fee: tuple[Decimal | None, int | None],
) -> Reservation:
    with refusing():
        stay = lock_reservation(reservation)
        if stay.status == status:
            return stay
        _require(stay, what, *statuses)
        if not (reason or "").strip():
            raise Refused(f"{stay} cannot be {what} without a reason: enter one.")
        if status == NO_SHOW and business_date() < stay.check_in_date:
            raise Refused(f"{stay} arrives on {stay.check_in_date}: wait until then.")
        now = timezone.now()
        if stay.status == CHECKED_IN:
            charge_nights(stay, (slept_until(now) - stay.check_in_date).days, by)
            room = _lock_room_of(stay)
            if room:
                vacate(room, by)
        stay.status = status
        stay.cancelled_at = now
        stay.cancel_reason = reason.strip()
        kind = ChargeKind.NO_SHOW if status == NO_SHOW else ChargeKind.CANCELLATION
        charge_fee(stay, kind, by, *fee)
        release_deposit(stay, by, stay.cancel_reason)
        return _saved(stay, status, by, stay.cancel_reason)


def _lock_room_of(stay: Reservation) -> Room | None:
    return lock_room(stay.room_id) if stay.room_id else None


def _set_dates(stay: Reservation, arrival: date, departure: date) -> None:
    """Give a stay other dates, and the price of these nights.

    Of fewer nights the discount shrinks in proportion, half a unit rounds up; it never grows.
    """
    if (arrival, departure) == (stay.check_in_date, stay.check_out_date):
        return
    before = (stay.check_out_date - stay.check_in_date).days
    after = (departure - arrival).days
    stay.check_in_date, stay.check_out_date = arrival, departure
    discount = Decimal(stay.discount_amount or 0)
    if discount.is_finite() and 0 < after < before:
        stay.discount_amount = rounded(discount * after / before)
    _price(stay, stay.rate_per_night)


def _give_back_nights(stay: Reservation) -> None:
    """Give back the nights, and their price, that the last check-out took from a stay."""
    told = stay.events.filter(what="checked_out").order_by("-pk").values_list("changes", flat=True)
    for name, (before, after) in (told.first() or {}).items():
        field: Any = stay._meta.get_field(name)
        is_of_nights = name in ("check_out_date", "subtotal", "discount_amount", "total_amount")
        if is_of_nights and getattr(stay, name) == field.to_python(after):
            setattr(stay, name, field.to_python(before))


def _price(stay: Reservation, rate: Decimal) -> None:
    """Price a stay: rate by nights, less the discount."""
    nights = (stay.check_out_date - stay.check_in_date).days
    if nights > LONGEST:
        raise Refused(f"A stay can have at most {LONGEST} nights, and this one has {nights}.")
    stay.rate_per_night = rate
    stay.subtotal = Decimal(rate) * max(nights, 0)
    stay.total_amount = stay.subtotal - Decimal(stay.discount_amount or 0)
    if not stay.total_amount.is_finite():
        raise Refused(f"{stay} has an amount that is not a number: correct it first.")


def _rate(room: Room | None, room_type: RoomType) -> Decimal:
    """Return the rate per night; a room with a rate of 0 has none, as in the legacy system."""
    return (room and room.custom_rate) or room_type.default_rate


def _refuse_another_day(stay: Reservation, moment: datetime | None, what: str) -> None:
    if not is_today(moment):
        raise Refused(f"{stay} was {what} on another day: it can no longer be undone.")
