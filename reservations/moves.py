"""Guests who change rooms: now, from a night to come, with each other, and back again.

What services say (reservations/services.py) holds here. A stay that changes rooms has a part for
each (docs/decisions/0026-stay-parts.md): nights that were slept stay where they were.
"""

from collections.abc import Sequence
from datetime import date

from django.db import connection

from accounts.models import User
from hotel.business_day import business_date
from hotel.events import record
from hotel.refusals import Refused, refusing
from reservations import parts as of_stay
from reservations.acts import require, saved
from reservations.availability import (
    refuse_blocked,
    refuse_clashes,
    refuse_rooms,
    refuse_sold_out,
    sold_as,
)
from reservations.locks import lock_reservation, lock_reservations
from reservations.models import LIVE, Event, Reservation, ReservationStatus, StayPart
from rooms.locks import lock_room_types, lock_rooms
from rooms.models import Room
from rooms.services import occupy, undo_occupy, vacate

CHECKED_IN = ReservationStatus.CHECKED_IN
MOVES = ("moved", "move_planned")  # the acts that ``undo_move`` takes back


def move(
    reservation: Reservation,
    room: Room,
    by: User,
    overbook: bool = False,
    from_night: date | None = None,
) -> Reservation:
    """Assign a room to a stay, or another one from a night on; the price stays.

    from_night: by default tonight for guests in house, who move at once: the room they leave is
    dirty. They stay where they are until a later night. Otherwise the first night. The room is
    theirs until the stay ends, or until the next move that is planned.
    """
    with refusing():
        stay = lock_reservation(reservation)
        require(stay, "moved to another room", *LIVE)
        first = _first_night(stay, from_night)
        is_now = stay.status == CHECKED_IN and first == _tonight(stay)
        before = of_stay.planned(stay)
        is_planned = of_stay.at(before, first).room_id == room.pk
        if is_planned and not (is_now and stay.room_id != room.pk):
            return stay
        rooms = lock_rooms(room.pk, *(part.room_id for part in before))
        after = of_stay.reroomed(before, rooms[room.pk], first)
        if is_now:
            of_stay.let_present(after, first)
        what = "moved" if of_stay.at(after, first).is_present else "move_planned"
        left = stay.room_id
        stay.room = of_stay.present(after).room
        refuse_rooms(stay, after, rooms)
        if not overbook:
            _refuse_other_type(stay, before, after, first)
        if stay.status == CHECKED_IN and left != stay.room_id:
            if left:
                vacate(rooms[left], by)
            occupy(rooms[room.pk], by)
        return saved(stay, what, by, parts=after)


def undo_move(reservation: Reservation, by: User) -> Reservation:
    """Undo the last move of a stay, or the last that was planned, if that was today.

    The guests are in their room again, and nobody has been in the other one. Raises Refused if the
    parts of the stay were changed since, or if a room that they come back to is taken.
    """
    with refusing():
        stay = lock_reservation(reservation)
        require(stay, "moved back", *LIVE)
        events = Event.objects.filter(reservation=stay, changes__has_key="parts")
        event = events.order_by("-pk").first()
        if (
            not (event and event.changes)
            or event.what not in MOVES
            or event.business_date != business_date()
        ):
            raise Refused(f"{stay} was not moved today: choose a room to move it to.")
        old, new = event.changes["parts"]
        before = of_stay.planned(stay)
        if of_stay.told(before) != new:
            raise Refused(f"{stay} was changed after its move: choose a room to move it to.")
        keys = {part.room_id for part in before} | {room for _, _, room, *_ in old}
        rooms = lock_rooms(*keys)
        after = of_stay.restored(stay, old, rooms)
        left = stay.room_id
        stay.room = of_stay.present(after).room
        refuse_rooms(stay, after, rooms)
        for part in after:
            _refuse_other_type(stay, before, [part], part.start_date)
        if stay.status == CHECKED_IN and left and left != stay.room_id:
            undo_occupy(rooms[left], by)
            if stay.room_id:
                occupy(rooms[stay.room_id], by)
        return saved(stay, "move_undone", by, parts=after)


def swap(one: Reservation, other: Reservation, by: User) -> list[Reservation]:
    """Swap the rooms of two stays, for guests in house from tonight on; return both stays."""
    with refusing():
        stays = lock_reservations(one, other)
        first, second = stays
        if first.pk == second.pk:
            raise Refused(f"{first} cannot swap rooms with itself.")
        for stay in stays:
            require(stay, "moved to another room", *LIVE)
            if not stay.room_id:
                raise Refused(f"{stay} has no room to swap: assign one first.")
        if first.room_id == second.room_id:
            return stays
        rooms = lock_rooms(first.room_id, second.room_id)
        lock_room_types(*(room.room_type_id for room in rooms.values()))
        if connection.vendor == "postgresql":  # SQLite compares at the end in any case
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        old, new = (rooms[stay.room_id] for stay in stays if stay.room_id)
        swapped = [_swapped(stay, room) for stay, room in ((first, new), (second, old))]
        for stay, (_, after) in zip(stays, swapped, strict=True):
            refuse_clashes(stay, after)
        if old.room_type_id != new.room_type_id:
            for stay, (_, after) in zip(stays, swapped, strict=True):
                refuse_sold_out(stay, after, stay.check_in_date, stay.check_out_date)
        if CHECKED_IN in (first.status, second.status) and first.status != second.status:
            left, entered = (old, new) if first.status == CHECKED_IN else (new, old)
            vacate(left, by)
            occupy(entered, by)
        for stay, (before, after) in zip(stays, swapped, strict=True):
            record(stay, "swapped", by, parts=[of_stay.told(before), of_stay.told(after)])
        return stays


def _swapped(stay: Reservation, room: Room) -> tuple[list[StayPart], list[StayPart]]:
    """Let a stay have another room, and return its parts before and after that.

    What breaks a rule until the other stay has left the room is asked at the end.
    """
    first = _first_night(stay, None)
    before = of_stay.planned(stay)
    after = of_stay.reroomed(before, room, first)
    of_stay.let_present(after, first)
    there = of_stay.at(after, first)
    refuse_blocked(room, max(first, business_date()), there.end_date)
    stay.room = room
    of_stay.write(stay, after)
    stay.save(update_fields=["room", "updated_at"])
    return before, after


def _tonight(stay: Reservation) -> date:
    return max(business_date(), stay.check_in_date)


def _first_night(stay: Reservation, asked: date | None) -> date:
    """Return the night from which a stay moves; raises Refused if that is none to come."""
    arrival, departure = stay.check_in_date, stay.check_out_date
    first = asked or arrival
    if stay.status == CHECKED_IN:
        tonight = _tonight(stay)
        if tonight >= departure:
            raise Refused(f"{stay} was to leave on {departure}: change its dates first.")
        first = asked or tonight
        if first < tonight:
            raise Refused(f"{stay} was elsewhere on {first}: choose tonight, or a later night.")
    if asked and not arrival <= asked < departure:
        raise Refused(f"{stay} is from {arrival} to {departure}: choose one of its nights.")
    return first


def _refuse_other_type(
    stay: Reservation, before: Sequence[StayPart], after: Sequence[StayPart], first: date
) -> None:
    """Raise Refused if the stay takes a room of another type than before, and none is left."""
    there = of_stay.at(after, first)
    if sold_as(there) != sold_as(of_stay.at(before, first)):
        refuse_sold_out(stay, [there], max(first, there.start_date), there.end_date)
