"""What happens to a stay: booked, moved, checked in and out, cancelled, and taken back.

Each function does all of it or nothing, holds the rows it decides about (reservations first, then
rooms, then a room type, each by key, so that no two wait for each other), and raises Refused with a
sentence for the staff. Asked for again, what has happened already happens no second time. Who may
ask is decided by the back office. Dates are the hotel's; ``by`` is a user.

A stay is pending, then confirmed, then in house, then checked out. It can be cancelled until it is
checked out, and be a no-show instead of in house. What was done today can be undone, and what was
cancelled can be reinstated if the room is still free.
"""

import secrets
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from hotel.refusals import Refused, refusing
from payments.models import PaymentMethod
from payments.services import hold, is_today, settle_at_check_out
from reservations.models import LIVE, Reservation, ReservationStatus
from rooms.models import HousekeepingStatus, Room, RoomBlock, RoomType
from rooms.services import leave, occupy, vacate

PENDING, CONFIRMED, CHECKED_IN, CHECKED_OUT, CANCELLED, NO_SHOW = ReservationStatus
PRICE = ("rate_per_night", "subtotal", "total_amount", "deposit_amount")  # see _price
LONGEST = 730  # nights of a stay


def book(
    *,
    guest,
    room_type,
    arrival,
    departure,
    by,
    room=None,
    adults=1,
    children=0,
    rate=None,
    discount=0,
    status=CONFIRMED,
    confirmation_number=None,
    overbook=False,
    **details,
):
    """Return a new reservation, priced by the night.

    rate: per night; without one the room's own, or that of the room type. discount: of the whole
    stay. confirmation_number: asked for again with the same number, guest and dates, the
    reservation that stands is returned. overbook: sell more rooms of the type than there are; a
    room is never sold twice. details: other columns, as they are named in the model.
    Raises Refused if the room or the type is not free for all of these nights, or there are more
    than ``LONGEST`` of them.
    """
    with refusing():
        if confirmation_number:
            stands = Reservation.objects.filter(confirmation_number=confirmation_number).first()
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
                raise Refused(f"{stands} is booked already, for somebody else or other dates.")
        if status not in (PENDING, CONFIRMED):
            raise Refused("A new reservation is pending or confirmed: check the guests in then.")
        room = _hold_room(room and room.pk)
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
        _price(stay, _rate(room, room_type) if rate is None else rate)
        _refuse_room(stay, room)
        if not overbook:
            _refuse_sold_out(stay, arrival, departure)
        return _saved(stay)


def new_confirmation_number():
    """Return a number that nobody guesses: ten capitals and digits, as the legacy system gave."""
    return secrets.token_hex(5).upper()


def confirm(reservation, by):
    """Confirm a pending reservation; its room must still be free."""
    with refusing():
        stay = hold(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "confirmed", PENDING)
        stay.status = CONFIRMED
        _refuse_room(stay, _hold_room(stay.room_id))
        return _saved(stay, "status")


def change_dates(reservation, arrival, departure, by, overbook=False):
    """Give a stay other dates and the price of these nights; the discount stays.

    The arrival of guests in house stands, and they do not leave before today.
    """
    with refusing():
        stay = hold(reservation)
        _require(stay, "given other dates", *LIVE)
        if (arrival, departure) == (stay.check_in_date, stay.check_out_date):
            return stay
        if stay.status == CHECKED_IN:
            if arrival != stay.check_in_date:
                raise Refused(f"{stay} is in house: its day of arrival cannot be changed.")
            if departure < timezone.localdate():
                raise Refused(f"{stay} is in house: it cannot end before today.")
        added = [(arrival, stay.check_in_date), (stay.check_out_date, departure)]
        stay.check_in_date, stay.check_out_date = arrival, departure
        _price(stay, stay.rate_per_night)
        _refuse_room(stay, _hold_room(stay.room_id))
        if not overbook:
            for first, after in added:
                _refuse_sold_out(stay, max(first, arrival), min(after, departure))
        return _saved(stay, "check_in_date", "check_out_date", *PRICE)


def reprice(reservation, rate, discount, by):
    """Give a stay another rate per night and discount, and the price that follows."""
    with refusing():
        stay = hold(reservation)
        _require(stay, "given another price", *LIVE)
        stay.discount_amount = discount
        _price(stay, rate)
        return _saved(stay, "discount_amount", *PRICE)


def move(reservation, room, by, overbook=False):
    """Give a stay another room, or its first one; the price stays.

    Guests in house move at once: the room they leave is dirty, the other one must be free today.
    """
    with refusing():
        stay = hold(reservation)
        if stay.room_id == room.pk:
            return stay
        _require(stay, "given another room", *LIVE)
        rooms = _hold_rooms(stay.room_id, room.pk)
        left, stay.room = rooms.get(stay.room_id), rooms[room.pk]
        _refuse_room(stay, stay.room)
        sold_as = left.room_type_id if left else stay.room_type_id
        if stay.room.room_type_id != sold_as and not overbook:
            _refuse_sold_out(stay, stay.check_in_date, stay.check_out_date)
        if stay.status == CHECKED_IN:
            if left:
                leave(left)
            occupy(stay.room)
        return _saved(stay, "room")


def swap(one, other, by):
    """Let two stays change rooms, also when both are in house."""
    with refusing():
        stays = _hold_all(one, other)
        first, second = stays
        if first.pk == second.pk:
            raise Refused(f"{first} cannot change rooms with itself.")
        for stay in stays:
            _require(stay, "given another room", *LIVE)
            if not stay.room_id:
                raise Refused(f"{stay} has no room to change: give it one first.")
        if first.room_id == second.room_id:
            return stays
        rooms = _hold_rooms(first.room_id, second.room_id)
        _hold_types(room.room_type_id for room in rooms.values())
        if connection.vendor == "postgresql":  # SQLite compares at the end in any case
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        first.room_id, second.room_id = second.room_id, first.room_id
        for stay in stays:
            _refuse_blocked(stay, rooms[stay.room_id])
            stay.save(update_fields=["room", "updated_at"])
        for stay in stays:
            _refuse_clashes(stay)
        for stay, other in ((first, second), (second, first)):
            if rooms[stay.room_id].room_type_id != rooms[other.room_id].room_type_id:
                _refuse_sold_out(stay, stay.check_in_date, stay.check_out_date)
        if CHECKED_IN in (first.status, second.status) and first.status != second.status:
            in_house = first if first.status == CHECKED_IN else second
            expected = second if in_house is first else first
            leave(rooms[expected.room_id])
            occupy(rooms[in_house.room_id])
        return stays


def check_in(reservation, by, room=None, accept_dirty=False):
    """Let the guests in: to their room, or to ``room``.

    Only on a day of their stay, and if nobody else is in the room. accept_dirty: also if
    housekeeping has not cleaned it.
    """
    with refusing():
        stay = hold(reservation)
        if stay.status == CHECKED_IN and room in (None, stay.room):
            return stay
        _require(stay, "checked in", CONFIRMED)
        today = timezone.localdate()
        if today < stay.check_in_date:
            raise Refused(f"{stay} arrives on {stay.check_in_date}: change its dates first.")
        if today >= stay.check_out_date:
            raise Refused(f"{stay} was to leave on {stay.check_out_date}: change its dates first.")
        rooms = _hold_rooms(stay.room_id, room.pk if room else stay.room_id)
        chosen = rooms.get(room.pk if room else stay.room_id)
        if not chosen:
            raise Refused(f"{stay} has no room: choose one.")
        sold_as = rooms[stay.room_id].room_type_id if stay.room_id else stay.room_type_id
        stay.room = chosen
        stay.status = CHECKED_IN
        stay.checked_in_at = timezone.now()
        stay.checked_in_by = by
        stay.receptionist_name = by.username
        _refuse_room(stay, chosen)
        if chosen.housekeeping_status == HousekeepingStatus.DIRTY and not accept_dirty:
            raise Refused(f"Room {chosen} is dirty: clean it, or choose another one.")
        if chosen.room_type_id != sold_as:
            _refuse_sold_out(stay, stay.check_in_date, stay.check_out_date)
        occupy(chosen)
        return _saved(stay, "room", "status", "checked_in_at", "checked_in_by", "receptionist_name")


def check_out(reservation, by, method=PaymentMethod.CASH, allow_debt=False):
    """Let the guests go, and settle what they owe with the deposit that is held.

    method: how the rest of the deposit, and what was paid too much, is given back. allow_debt: also
    if something is owed after that.
    """
    with refusing():
        stay = hold(reservation)
        if stay.status == CHECKED_OUT:
            return stay
        _require(stay, "checked out", CHECKED_IN)
        settle_at_check_out(stay, by, method, allow_debt=allow_debt)
        stay.status = CHECKED_OUT
        stay.checked_out_at = timezone.now()
        room = _hold_room(stay.room_id)
        if room:
            leave(room)
        return _saved(stay, "status", "checked_out_at")


def cancel(reservation, by, reason, in_house=False):
    """Cancel a stay; its deposit stays held until it is given back or forfeited.

    in_house: also a stay whose guests are here. They leave: their room is free, and dirty.
    """
    statuses = LIVE if in_house else (PENDING, CONFIRMED)
    return _end(reservation, CANCELLED, "cancelled", reason, *statuses)


def mark_no_show(reservation, by):
    """Say that the guests did not come; from the day of arrival on."""
    return _end(reservation, NO_SHOW, "marked as a no-show", "no-show", CONFIRMED)


def undo_check_in(reservation, by):
    """Take back a check-in of today: the stay is confirmed again, its room available."""
    with refusing():
        stay = hold(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "set back to confirmed", CHECKED_IN)
        _refuse_another_day(stay, stay.checked_in_at, "checked in")
        stay.status = CONFIRMED
        stay.checked_in_at = stay.checked_in_by = stay.receptionist_name = None
        room = _hold_room(stay.room_id)
        if room:
            vacate(room)
        return _saved(stay, "status", "checked_in_at", "checked_in_by", "receptionist_name")


def undo_check_out(reservation, by):
    """Take back a check-out of today: the guests are in their room again; money stays settled."""
    with refusing():
        stay = hold(reservation)
        if stay.status == CHECKED_IN:
            return stay
        _require(stay, "set back to in house", CHECKED_OUT)
        _refuse_another_day(stay, stay.checked_out_at, "checked out")
        stay.status = CHECKED_IN
        stay.checked_out_at = None
        room = _hold_room(stay.room_id)
        if not room:
            raise Refused(f"{stay} has no room that its guests could go back to.")
        _refuse_room(stay, room)
        _refuse_sold_out(stay, timezone.localdate(), stay.check_out_date)
        occupy(room)
        return _saved(stay, "status", "checked_out_at")


def reinstate(reservation, by, overbook=False):
    """Confirm again what was cancelled or a no-show, if the room or the type is still free."""
    with refusing():
        stay = hold(reservation)
        if stay.status == CONFIRMED:
            return stay
        _require(stay, "reinstated", CANCELLED, NO_SHOW)
        stay.status = CONFIRMED
        stay.cancelled_at = stay.cancel_reason = None
        stay.checked_in_at = stay.checked_in_by = stay.receptionist_name = None
        _refuse_room(stay, _hold_room(stay.room_id))
        if not overbook:
            _refuse_sold_out(stay, stay.check_in_date, stay.check_out_date)
        return _saved(
            stay,
            "status",
            "cancelled_at",
            "cancel_reason",
            "checked_in_at",
            "checked_in_by",
            "receptionist_name",
        )


# What can be sold


def free_rooms(arrival, departure, room_type=None):
    """Return the rooms that nobody has on any night from arrival to departure, as a queryset."""
    stays = Reservation.objects.taking_a_room(arrival, departure)
    rooms = Room.objects.exclude(is_active=False)
    if room_type:
        rooms = rooms.filter(room_type=room_type)
    return rooms.exclude(pk__in=stays.filter(room__isnull=False).values("room")).exclude(
        pk__in=RoomBlock.objects.standing(arrival, departure).values("room")
    )


def rooms_left(room_type, arrival, departure, without=None):
    """Return how many more stays of this type the house can hold on the fullest of these nights.

    A stay takes a room of the type it was booked for, or of the type of the room it has. Negative
    if more was sold than there is. without: a reservation that does not count.
    """
    rooms = Room.objects.filter(room_type=room_type).exclude(is_active=False)
    keys = set(rooms.values_list("pk", flat=True))
    stays = Reservation.objects.taking_a_room(arrival, departure).filter(
        Q(room__isnull=True, room_type=room_type) | Q(room__in=keys)
    )
    if without:
        stays = stays.exclude(pk=without.pk)
    stays = list(stays.values_list("room", "check_in_date", "check_out_date"))
    blocks = [
        (
            block.room_id,
            block.start_date,
            min(filter(None, (block.end_date, block.released_on)), default=None),
        )
        for block in RoomBlock.objects.standing(arrival, departure).filter(room__in=keys)
    ]

    def left(night):
        there = [
            row for row in (*stays, *blocks) if row[1] <= night and not (row[2] and row[2] <= night)
        ]
        without_room = sum(room is None for room, *_ in there)
        return len(keys) - without_room - len({room for room, *_ in there if room})

    nights = [arrival + timedelta(days) for days in range((departure - arrival).days)]
    return min(map(left, nights), default=len(keys))


# What the services above are made of


def _hold_all(*reservations):
    """Return the reservations in the order given, held in the order of their keys."""
    held = {stay.pk: hold(stay) for stay in sorted(reservations, key=lambda stay: stay.pk)}
    return [held[reservation.pk] for reservation in reservations]


def _hold_rooms(*keys):
    """Return the rooms by key, held in the order of their keys; None is no room."""
    rooms = Room.objects.select_for_update(of=("self",)).filter(pk__in=[key for key in keys if key])
    return {room.pk: room for room in rooms.order_by("pk")}


def _hold_types(keys):
    """Let nobody else sell the room types, held in the order of their keys."""
    list(RoomType.objects.select_for_update().filter(pk__in=set(keys)).order_by("pk"))


def _hold_room(key):
    return _hold_rooms(key).get(key)


def _saved(stay, *fields):
    """Save a stay that keeps the rules; new without ``fields``, which are those that changed."""
    unchanged = [field.name for field in stay._meta.fields if fields and field.name not in fields]
    stay.clean_fields(exclude=unchanged)
    stay.validate_constraints()
    if fields:
        stay.save(update_fields=[*fields, "updated_at"])
    else:
        stay.save(force_insert=True)
    return stay


def _require(stay, what, *statuses):
    """Raise Refused unless the stay has one of the statuses."""
    if stay.status not in statuses:
        raise Refused(f"{stay} cannot be {what}: it is {stay.get_status_display().lower()}.")


def _end(reservation, status, what, reason, *statuses):
    with refusing():
        stay = hold(reservation)
        if stay.status == status:
            return stay
        _require(stay, what, *statuses)
        if not (reason or "").strip():
            raise Refused(f"{stay} cannot be {what} without a reason: write one down.")
        if status == NO_SHOW and timezone.localdate() < stay.check_in_date:
            raise Refused(f"{stay} arrives on {stay.check_in_date}: wait until then.")
        if stay.status == CHECKED_IN:
            room = _hold_room(stay.room_id)
            if room:
                leave(room)
        stay.status = status
        stay.cancelled_at = timezone.now()
        stay.cancel_reason = reason.strip()
        return _saved(stay, "status", "cancelled_at", "cancel_reason")


def _price(stay, rate):
    """Price a stay: rate by nights, less the discount.

    The legacy column of a deposit that was given back, or some of it, is no more than the total.
    """
    nights = (stay.check_out_date - stay.check_in_date).days
    if nights > LONGEST:
        raise Refused(f"A stay has {LONGEST} nights at most, and this one {nights}.")
    stay.rate_per_night = rate
    stay.subtotal = Decimal(rate) * max(nights, 0)
    stay.total_amount = stay.subtotal - Decimal(stay.discount_amount or 0)
    if not (stay.total_amount.is_finite() and Decimal(stay.deposit_amount).is_finite()):
        raise Refused(f"{stay} has an amount that is no number: correct it first.")
    if stay.deposit_held <= stay.total_amount < stay.deposit_amount:
        stay.deposit_amount = stay.total_amount


def _rate(room, room_type):
    """Return the rate per night; a room's own rate of 0 is none, as in the legacy system."""
    return (room and room.custom_rate) or room_type.default_rate


def _refuse_room(stay, room):
    """Raise Refused if ``room``, which may be None, cannot be given to the stay."""
    if room:
        if room.is_active is False:
            raise Refused(f"Room {room} is not in use any more: choose another one.")
        _refuse_blocked(stay, room)
        _refuse_clashes(stay)


def _refuse_blocked(stay, room):
    nights = max(stay.check_in_date, timezone.localdate()), stay.check_out_date
    block = room.blocks.standing(*nights).order_by("start_date").first()
    if block:
        raise Refused(f"Room {room} is {block.describe()}: release it, or choose another one.")


def _refuse_clashes(stay):
    """Raise Refused, naming the stay that is in the way."""
    for name in ("reservations_no_double_booking", "reservations_one_stay_in_house"):
        [rule] = [rule for rule in Reservation._meta.constraints if rule.name == name]
        other = rule.clashing(stay).order_by("check_in_date", "pk").first()
        if other:
            raise Refused(
                f"Room {stay.room} has {other} from {other.check_in_date}"
                f" to {other.check_out_date}: choose another room or other dates."
            )


def _refuse_sold_out(stay, arrival, departure):
    """Raise Refused if the house has no room left for the stay on a night to come.

    Of the type of its room, or of the type that was booked where it has none.
    """
    if departure <= arrival:
        return
    kind = stay.room.room_type_id if stay.room_id else stay.room_type_id
    _hold_types([kind])
    kind = RoomType.objects.get(pk=kind)
    arrival = max(arrival, timezone.localdate())
    if rooms_left(kind, arrival, departure, without=stay) < 1:
        raise Refused(
            f"{kind} is sold out between {arrival} and {departure}:"
            " choose other dates or another type."
        )


def _refuse_another_day(stay, moment, what):
    if not is_today(moment):
        raise Refused(f"{stay} was {what} on another day: it cannot be taken back.")
