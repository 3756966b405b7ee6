"""What happens to a room: it is blocked, released, cleaned, occupied and left.

Each function does all of it or nothing, locks the room it decides about, and raises Refused with a
sentence for the staff. Dates are the hotel's; ``by`` is a user. ``Room.status``
is kept up to date for whoever reads the legacy column; whether a room can be sold follows from
blocks and stays (docs/decisions/0010-services.md).
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Q

from accounts.models import User
from hotel.business_day import business_date
from hotel.events import record
from hotel.refusals import Refused, refusing
from hotel.rules import validate
from rooms.inventory import Taken, left_by_night
from rooms.locks import lock_room, lock_room_types
from rooms.models import BlockKind, HousekeepingStatus, Room, RoomBlock, RoomStatus, RoomType

STATUS_OF_BLOCK: dict[str, RoomStatus] = {
    BlockKind.OUT_OF_ORDER: RoomStatus.OUT_OF_ORDER,
    BlockKind.OUT_OF_SERVICE: RoomStatus.MAINTENANCE,
}


def block(
    room: Room,
    kind: str,
    start: date,
    end: date | None,
    reason: str,
    by: User,
    *,
    overbook: bool = False,
) -> RoomBlock:
    """Return a new block: the room is not sold on the nights from ``start`` until before ``end``.

    end: None for until further notice. overbook: even if more rooms of the type are sold then than
    there are left. Raises Refused if a stay has the room on one of these nights, or if it is
    blocked already.
    """
    with refusing():
        room = lock_room(room.pk)
        if start < business_date():
            raise Refused(f"Room {room} cannot be blocked in the past: begin today.")
        in_house = room.reservation_set.filter(status="checked_in").first()
        if in_house and start <= business_date():
            raise Refused(f"{in_house} is in room {room}: block it after they have left.")
        parts = room.stay_parts.taking_a_room(start, end).select_related("reservation")
        part = parts.order_by("start_date", "pk").first()
        if part:
            raise Refused(
                f"Room {room} has {part.reservation} from {part.start_date} to {part.end_date}:"
                " move the stay first."
            )
        other = room.blocks.standing(start, end).order_by("start_date", "pk").first()
        if other:
            raise Refused(f"Room {room} is already {other.describe()}: release it first.")
        if not overbook:
            _refuse_oversold(room, start, end)
        made = RoomBlock(
            room=room, kind=kind, start_date=start, end_date=end, reason=reason, created_by=by
        )
        validate(made)
        made.save(force_insert=True)
        changes = {"status": _vacant_status(room)} if start == business_date() else {}
        _set(room, "blocked", by, f"{made.describe()}: {reason}", **changes)
        return made


def _refuse_oversold(room: Room, start: date, end: date | None) -> None:
    """Raise Refused if stays without a room need this one: all others of its type are taken."""
    lock_room_types(room.room_type_id)
    rooms = Room.objects.filter(room_type=room.room_type_id).exclude(is_active=False)
    keys = set(rooms.values_list("pk", flat=True)) - {room.pk}
    parts = room.stay_parts.model.objects.taking_a_room(start, end)  # rooms import no stays
    waiting = parts.filter(room__isnull=True, room_type=room.room_type_id)
    last = waiting.aggregate(last=Max("end_date"))["last"]
    if last is None:
        return
    taken: list[Taken] = [
        *waiting.values_list("room", "start_date", "end_date"),
        *parts.filter(room__in=keys).values_list("room", "start_date", "end_date"),
    ]
    for other in RoomBlock.objects.standing(start, end).filter(room__in=keys):
        ends = min(filter(None, (other.end_date, other.released_on)), default=None)
        taken.append((other.room_id, other.start_date, ends))
    nights = left_by_night(keys, taken, start, min(last, end) if end else last)
    short = next((night for night, left in nights.items() if left < 0), None)
    if short:
        raise Refused(
            f"Stays without a room need room {room} on {short}: no other {room.room_type} is left."
            " Move a stay to another type first."
        )


def refuse_to_retire(room: Room) -> None:
    """Raise Refused if a room that is to be put out of use is sold, or needed by what is sold.

    The caller has locked the room.
    """
    part = room.stay_parts.taking_a_room(business_date(), None).order_by("start_date", "pk").first()
    if part:
        raise Refused(
            f"Room {room} has {part.reservation} from {part.start_date} to {part.end_date}:"
            " move the stay first."
        )
    _refuse_oversold(room, business_date(), None)


def refuse_to_retype(room: Room) -> None:
    """Raise Refused if stays without a room need one that is to be of another type.

    The stays that have the room go with it. The caller has locked the room.
    """
    _refuse_oversold(room, business_date(), None)


def refuse_to_retire_type(kind: RoomType) -> None:
    """Raise Refused if a type that is to be put out of use is sold; the caller has locked it."""
    parts: Any = Room._meta.get_field("stay_parts").related_model  # rooms import no stays
    sold = parts.objects.taking_a_room(business_date(), None).filter(
        Q(room__isnull=True, room_type=kind) | Q(room__room_type=kind)
    )
    part = sold.order_by("start_date", "pk").first()
    if part:
        raise Refused(
            f"{kind} is sold to {part.reservation} from {part.start_date} to {part.end_date}:"
            " move such stays to another type first."
        )


def release(block: RoomBlock, by: User) -> RoomBlock:
    """End a block: the room can be sold from tonight on, and is dirty until it has been checked.

    A block that has not begun blocks no night at all.
    """
    with refusing():
        room = lock_room(block.room_id)
        block = RoomBlock.objects.get(pk=block.pk)
        today = business_date()
        stands = not block.released_on and (not block.end_date or block.end_date > today)
        if stands:
            block.released_on = today
            block.save(update_fields=["released_on"])
        values: dict[str, str] = {}
        if room.status != RoomStatus.OCCUPIED:
            values["status"] = _vacant_status(room)  # of the blocks that are left
        if stands:
            if block.start_date <= today:
                values["housekeeping_status"] = HousekeepingStatus.DIRTY
            _set(room, "released", by, block.describe(), **values)
        elif values.get("status", room.status) != room.status:  # nobody wrote that the block ended
            _set(room, "status_corrected", by, block.describe(), **values)
        return block


def set_housekeeping(room: Room, status: str, by: User) -> Room:
    """Set whether a room is dirty, clean or inspected; only a clean one can be inspected."""
    with refusing():
        room = lock_room(room.pk)
        if status not in HousekeepingStatus.values:
            raise Refused(f"There is no housekeeping status {status}.")
        inspected, dirty = HousekeepingStatus.INSPECTED, HousekeepingStatus.DIRTY
        if status == inspected and room.housekeeping_status == dirty:
            raise Refused(f"Room {room} is dirty: clean it before it is inspected.")
        if status != room.housekeeping_status:
            _set(room, f"set_{status}", by, housekeeping_status=status)
        return room


def occupy(room: Room, by: User) -> None:
    """Mark a room as occupied; the caller has locked it."""
    _set(room, "occupied", by, status=RoomStatus.OCCUPIED)


def vacate(room: Room, by: User) -> None:
    """Mark a room that its guests have left as vacant and dirty; the caller has locked it."""
    dirty = HousekeepingStatus.DIRTY
    _set(room, "vacated", by, status=_vacant_status(room), housekeeping_status=dirty)


def undo_occupy(room: Room, by: User) -> None:
    """Mark a room as vacant that nobody has used after all; the caller has locked it."""
    _set(room, "occupancy_undone", by, status=_vacant_status(room))


def correct_occupancy(room: Room, has_guests: bool, by: User | None) -> None:
    """Let a room say whether guests are in it; the caller has locked it, and looked at the stays.

    by: None for a command.
    """
    status = RoomStatus.OCCUPIED if has_guests else _vacant_status(room)
    _set(room, "status_corrected", by, status=status)


def _vacant_status(room: Room) -> str:
    """Return the legacy status of a room without guests: it follows from the block of today."""
    today = business_date()
    kinds = room.blocks.standing(today, today + timedelta(days=1)).values_list("kind", flat=True)
    return next(
        (STATUS_OF_BLOCK[kind] for kind in kinds if kind in STATUS_OF_BLOCK),
        RoomStatus.AVAILABLE,
    )


def _set(room: Room, what: str, by: User | None, reason: str | None = None, **values: Any) -> None:
    """Save the values of a room that is locked, with the event of the act."""
    for name, value in values.items():
        setattr(room, name, value)
    if values:
        room.save(update_fields=[*values, "updated_at"])
    record(room, what, by, reason)
