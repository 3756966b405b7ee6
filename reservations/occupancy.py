"""Which rooms are occupied: those where guests are in house. ``Room.status`` says so too.

Services keep the column equal to the stays. SQL that writes past them may not: these functions
find and correct what differs.
"""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from hotel.refusals import refusing
from reservations.models import Reservation, ReservationStatus
from rooms.locks import lock_room
from rooms.models import Room, RoomStatus
from rooms.services import correct_occupancy


def _in_house() -> QuerySet[Reservation]:
    return Reservation.objects.filter(status=ReservationStatus.CHECKED_IN)


def wrong_rooms() -> QuerySet[Any]:
    """Return the rooms that say they are occupied and are not, or the other way round.

    Each with ``has_guests``.
    """
    rooms = Room.objects.annotate(has_guests=Exists(_in_house().filter(room=OuterRef("pk"))))
    says_so = rooms.filter(status=RoomStatus.OCCUPIED, has_guests=False)
    return (says_so | rooms.exclude(status=RoomStatus.OCCUPIED).filter(has_guests=True)).order_by(
        "room_number"
    )


def correct(by: User | None) -> list[Room]:
    """Let each room say whether guests are in it; return those that said otherwise.

    Whether such a room is clean stays as it is. by: None for a command.
    """
    with refusing():
        corrected = []
        for key in sorted(wrong_rooms().values_list("pk", flat=True)):
            room = lock_room(key)
            has_guests = _in_house().filter(room=room).exists()
            if (room.status == RoomStatus.OCCUPIED) != has_guests:  # since it was locked
                correct_occupancy(room, has_guests, by)
                corrected.append(room)
        return corrected
