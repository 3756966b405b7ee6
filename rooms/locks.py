"""Locks on rooms and room types: held until the transaction ends.

One order of tables for all: reservations (reservations/locks.py), then rooms, then room types, each
by key, so that no two transactions wait for each other.
"""

from hotel.events import remember
from rooms.models import Room, RoomType


def lock_rooms(*keys: int | None) -> dict[int, Room]:
    """Return the rooms as they are now, by key, and let nobody else change them.

    keys: None is no room.
    """
    rows = Room.objects.select_for_update(of=("self",)).filter(pk__in=filter(None, keys))
    rooms = {room.pk: room for room in rows.order_by("pk")}
    for room in rooms.values():
        remember(room)
    return rooms


def lock_room(key: int) -> Room:
    """Return the room as it is now, and let nobody else change it; raises Room.DoesNotExist."""
    room = Room.objects.select_for_update(of=("self",)).get(pk=key)
    remember(room)
    return room


def lock_room_types(*keys: int) -> dict[int, RoomType]:
    """Return the room types by key, and let nobody else sell rooms of them."""
    return RoomType.objects.select_for_update().order_by("pk").in_bulk(keys)
