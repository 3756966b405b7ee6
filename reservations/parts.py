"""The parts of a stay: which it has, which it will have, and how they are written.

A service changes a stay in memory, asks here which parts it will have, decides about these, and
saves: the parts first, where they are not those that follow by themselves, and then the stay.
Rule: docs/decisions/0026-stay-parts.md.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

from django.db import connection

from reservations.models import Reservation, StayPart
from rooms.models import Room

WRITTEN = ("room_id", "room_type_id", "start_date", "end_date", "status", "is_present")


def planned(stay: Reservation) -> list[StayPart]:
    """Return the parts that the stay will have when it is saved, in order, not saved themselves.

    Rule: ``hotel.migrator.constraints.HasParts``, which is what the database does.
    """
    stands = stand(stay)
    if not stands:
        stands = [StayPart(reservation=stay, room_type_id=stay.room_type_id, is_present=True)]
    arrival, departure = stay.check_in_date, stay.check_out_date
    if len(stands) > 1 and not (stands[0].end_date > arrival and stands[-1].start_date < departure):
        stands = [part for part in stands if part.is_present]
    stands[0].start_date, stands[-1].end_date = arrival, departure
    for part in stands:
        part.reservation, part.status = stay, stay.status
        if part.is_present:
            part.room = stay.room
        if len(stands) == 1:
            part.room_type_id = stay.room_type_id
    return stands


def present(parts: Sequence[StayPart]) -> StayPart:
    """Return the part where the guests are, or where they come to first."""
    return next(part for part in parts if part.is_present)


def at(parts: Sequence[StayPart], night: date) -> StayPart:
    """Return the part that a night is in; of a legacy stay without one the only part."""
    return next((part for part in parts if part.start_date <= night < part.end_date), parts[-1])


def reroomed(parts: Sequence[StayPart], room: Room, first: date) -> list[StayPart]:
    """Return the parts with another room from a night on, as long as the part of that night goes.

    Neighbours that are the same are one. The present part is where it was; of a part that is cut
    in two, the one before ``first``.
    """
    there = at(parts, first)
    pieces = []
    for part in parts:
        cut = part is there and part.start_date < first < part.end_date
        if cut:
            pieces.append(_like(part, end_date=first))
        if part is there:
            start = first if cut else part.start_date
            pieces.append(
                _like(part, room=room, start_date=start, is_present=part.is_present and not cut)
            )
        else:
            pieces.append(_like(part))
    return list(_joined(pieces))


def let_present(parts: Sequence[StayPart], night: date) -> None:
    """Let the part of a night be where the guests are."""
    here = at(parts, night)
    for part in parts:
        part.is_present = part is here


def write(stay: Reservation, parts: Sequence[StayPart]) -> None:
    """Write the parts of a stay that is locked; the stay must be saved after that.

    What they break of the rules against double booking shows at the end of the transaction.
    """
    if connection.vendor == "postgresql":  # SQLite compares at the end in any case
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    rows = list(_in_order(stay))
    for row, part in zip_longest(rows, parts):
        if row and row.is_present and not (part and part.is_present):
            StayPart.objects.filter(pk=row.pk).update(is_present=False)
            row.is_present = False
    for row, part in zip_longest(rows, parts):
        if part is None:
            row.delete()
        elif row is None:
            part.save(force_insert=True)
        elif changes := _changes(row, part):
            StayPart.objects.filter(pk=row.pk).update(**changes)


def told(parts: Sequence[StayPart]) -> list[list[Any]]:
    """Return the parts as an event has them: from, to, room, type, whether it is present.

    Dates are text, rooms and types are keys.
    """
    return [
        [
            str(part.start_date),
            str(part.end_date),
            part.room_id,
            part.room_type_id,
            part.is_present,
        ]
        for part in parts
    ]


def stand(stay: Reservation) -> list[StayPart]:
    """Return the parts of a stay that are written."""
    return [] if stay._state.adding else list(_in_order(stay).select_related("room"))


def restored(stay: Reservation, parts: Any, rooms: dict[int, Room]) -> list[StayPart]:
    """Return the parts that an event tells of; rooms: by key, those among them."""
    return [
        StayPart(
            reservation=stay,
            start_date=date.fromisoformat(start),
            end_date=date.fromisoformat(end),
            room=rooms.get(room),
            room_type_id=kind,
            status=stay.status,
            is_present=present,
        )
        for start, end, room, kind, present in parts
    ]


def _changes(row: StayPart, part: StayPart) -> dict[str, Any]:
    new = {name: getattr(part, name) for name in WRITTEN}
    return {name: value for name, value in new.items() if getattr(row, name) != value}


def _in_order(stay: Reservation) -> Any:
    return StayPart.objects.filter(reservation=stay.pk).order_by("start_date", "pk")


def _like(part: StayPart, **changes: Any) -> StayPart:
    """Return a part that is not saved, with some values changed."""
    values = {name: getattr(part, name) for name in ("reservation", "room", *WRITTEN[1:])}
    return StayPart(**{**values, **changes})


def _joined(parts: Sequence[StayPart]) -> Iterator[StayPart]:
    """Yield the parts, those that follow one another in the same room and type as one."""
    last: StayPart | None = None
    for part in parts:
        if last and (last.room_id, last.room_type_id) == (part.room_id, part.room_type_id):
            last.end_date = part.end_date
            last.is_present = last.is_present or part.is_present
            continue
        if last:
            yield last
        last = part
    if last:
        yield last
