"""What happens to a room: it is blocked, released, cleaned.

Each function does all of it or nothing, holds the room it decides about, and raises Refused with a
sentence for the staff. Dates are the hotel's; ``by`` is a user. ``Room.status`` is written along
for whoever reads the legacy column; whether a room can be sold is said by blocks and stays.
"""

from datetime import timedelta

from django.apps import apps
from django.utils import timezone

from hotel.refusals import Refused, refusing
from rooms.models import BlockKind, HousekeepingStatus, Room, RoomBlock, RoomStatus

WORDS = {
    BlockKind.OUT_OF_ORDER: RoomStatus.OUT_OF_ORDER,
    BlockKind.OUT_OF_SERVICE: RoomStatus.MAINTENANCE,
}


def block(room, kind, start, end, reason, by):
    """Return a new block: the room is not sold from the night of ``start`` to before ``end``.

    end: None for until further notice. Raises Refused if a stay has the room on one of the nights,
    or another block stands then.
    """
    with refusing():
        room = _hold(room)
        if start < timezone.localdate():
            raise Refused(f"Room {room} cannot be blocked in the past: begin today.")
        stays = apps.get_model("reservations", "Reservation").objects.filter(room=room)
        in_house = stays.filter(status="checked_in").first()
        if in_house and start <= timezone.localdate():
            raise Refused(f"{in_house} is in room {room}: block it when the guests have left.")
        stay = stays.taking_a_room(start, end).order_by("check_in_date", "pk").first()
        if stay:
            raise Refused(
                f"Room {room} has {stay} from {stay.check_in_date} to {stay.check_out_date}:"
                " move the stay first."
            )
        other = room.blocks.standing(start, end).order_by("start_date", "pk").first()
        if other:
            raise Refused(f"Room {room} is {other.describe()} already: release it first.")
        made = RoomBlock(
            room=room, kind=kind, start_date=start, end_date=end, reason=reason, created_by=by
        )
        made.full_clean()
        made.save(force_insert=True)
        if start == timezone.localdate():
            _set(room, status=_word(room))
        return made


def release(block, by):
    """End a block today: the room can be sold from tonight on. It is dirty, being looked at first.

    A block that has not begun never stands.
    """
    with refusing():
        room = _hold(block.room)
        block = RoomBlock.objects.get(pk=block.pk)
        today = timezone.localdate()
        stands = not block.released_on and (not block.end_date or block.end_date > today)
        if stands:
            block.released_on = today
            block.save(update_fields=["released_on"])
        if room.status != RoomStatus.OCCUPIED:
            _set(room, status=_word(room))
        if stands and block.start_date <= today:
            _set(room, housekeeping_status=HousekeepingStatus.DIRTY)
        return block


def set_housekeeping(room, status, by):
    """Say whether a room is dirty, clean or inspected; only a clean one can be inspected."""
    with refusing():
        room = _hold(room)
        if status not in HousekeepingStatus.values:
            raise Refused(f"Housekeeping knows no state {status}.")
        inspected, dirty = HousekeepingStatus.INSPECTED, HousekeepingStatus.DIRTY
        if status == inspected and room.housekeeping_status == dirty:
            raise Refused(f"Room {room} is dirty: clean it before it is inspected.")
        if status != room.housekeeping_status:
            _set(room, housekeeping_status=status)
        return room


def occupy(room):
    """Write down that somebody is in the room; the caller holds it."""
    _set(room, status=RoomStatus.OCCUPIED)


def leave(room):
    """Write down that nobody is in the room any more, and that it is dirty."""
    _set(room, status=_word(room), housekeeping_status=HousekeepingStatus.DIRTY)


def vacate(room):
    """Write down that nobody has been in the room after all."""
    _set(room, status=_word(room))


def _hold(room):
    return Room.objects.select_for_update(of=("self",)).get(pk=room.pk)


def _word(room):
    """Return the status of a room that nobody is in: that of the block of today, if any stands."""
    today = timezone.localdate()
    kinds = room.blocks.standing(today, today + timedelta(days=1)).values_list("kind", flat=True)
    return next((WORDS[kind] for kind in kinds if kind in WORDS), RoomStatus.AVAILABLE)


def _set(room, **values):
    for name, value in values.items():
        setattr(room, name, value)
    room.save(update_fields=[*values, "updated_at"])
