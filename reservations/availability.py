"""Which rooms are free, and how many of a type are left; what sells neither twice.

The functions that raise Refused are for services, which have locked the stay and its rooms.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from hotel.business_day import business_date
from hotel.refusals import Refused
from reservations.models import Reservation, ReservationStatus, StayPart
from rooms.locks import lock_room_types, lock_rooms
from rooms.models import Room, RoomBlock, RoomType

CONFIRMED, CHECKED_IN = ReservationStatus.CONFIRMED, ReservationStatus.CHECKED_IN


def free_rooms(arrival: date, departure: date, room_type: RoomType | None = None) -> QuerySet[Room]:
    """Return the rooms that are free on all nights from arrival to departure, as a queryset."""
    parts = StayPart.objects.taking_a_room(arrival, departure)
    rooms = Room.objects.exclude(is_active=False)
    if room_type:
        rooms = rooms.filter(room_type=room_type)
    return rooms.exclude(pk__in=parts.filter(room__isnull=False).values("room")).exclude(
        pk__in=RoomBlock.objects.standing(arrival, departure).values("room")
    )


def rooms_left(
    room_type: RoomType, arrival: date, departure: date, without: Reservation | None = None
) -> int:
    """Return how many rooms of this type can still be sold for all of these nights.

    A stay takes a room of the type of the room it has, or else of the type it was booked for.
    Negative on a night that is overbooked. without: a reservation that does not count.
    """
    rooms = Room.objects.filter(room_type=room_type).exclude(is_active=False)
    keys = set(rooms.values_list("pk", flat=True))
    parts = StayPart.objects.taking_a_room(arrival, departure).filter(
        Q(room__isnull=True, room_type=room_type) | Q(room__in=keys)
    )
    if without:
        parts = parts.exclude(reservation=without.pk)
    booked = list(parts.values_list("room", "start_date", "end_date"))
    blocks = [
        (
            block.room_id,
            block.start_date,
            min(filter(None, (block.end_date, block.released_on)), default=None),
        )
        for block in RoomBlock.objects.standing(arrival, departure).filter(room__in=keys)
    ]

    def left(night: date) -> int:
        taken = [
            row
            for row in (*booked, *blocks)
            if row[1] <= night and not (row[2] and row[2] <= night)
        ]
        unassigned = sum(room is None for room, *_ in taken)
        return len(keys) - unassigned - len({room for room, *_ in taken if room})

    nights = [arrival + timedelta(days) for days in range((departure - arrival).days)]
    return min(map(left, nights), default=len(keys))


def refuse_rooms(
    stay: Reservation, parts: Sequence[StayPart], rooms: dict[int, Room] | None = None
) -> dict[int, Room]:
    """Lock the rooms of a stay and return them, by key.

    parts: as they will be. rooms: if they are locked already. Raises Refused if a room is out of
    use, or blocked on a night to come, or if another stay has it.
    """
    if rooms is None:
        rooms = lock_rooms(*(part.room_id for part in parts))
    today = business_date()
    for part in parts:
        if part.room_id and (part.end_date > today or len(parts) == 1):
            part.room = rooms[part.room_id]
            refuse_blocked(part.room, max(part.start_date, today), part.end_date)
    refuse_clashes(stay, parts)
    return rooms


def refuse_blocked(room: Room, first: date, after: date) -> None:
    """Raise Refused if a room is out of use, or blocked on one of the nights."""
    if room.is_active is False:
        raise Refused(f"Room {room} is no longer in use: choose another one.")
    block = room.blocks.standing(first, after).order_by("start_date").first()
    if block:
        raise Refused(f"Room {room} is {block.describe()}: release it, or choose another one.")


def refuse_clashes(stay: Reservation, parts: Sequence[StayPart]) -> None:
    """Raise Refused, and name the other stay, if a room of the stay is taken on its nights."""
    for part in parts:
        if part.room_id:
            others = StayPart.objects.filter(
                room=part.room_id,
                status__in=[CONFIRMED, CHECKED_IN],
                start_date__lt=part.end_date,
                end_date__gt=part.start_date,
            ).exclude(reservation=stay.pk)
            other = others.select_related("reservation").order_by("start_date", "pk").first()
            if other:
                _refuse_taken(part.room, other.reservation, other.start_date, other.end_date)
    if stay.status == CHECKED_IN:
        staying = Reservation.objects.filter(room=stay.room_id, status=CHECKED_IN)
        guests = staying.exclude(pk=stay.pk).order_by("check_in_date", "pk").first()
        if guests:
            _refuse_taken(stay.room, guests, guests.check_in_date, guests.check_out_date)


def _refuse_taken(room: Room | None, stay: Reservation, first: date, after: date) -> None:
    raise Refused(
        f"Room {room} has {stay} from {first} to {after}: choose another room or other dates."
    )


def refuse_sold_out(
    stay: Reservation, parts: Sequence[StayPart], arrival: date, departure: date
) -> None:
    """Raise Refused if no room of a type is left that the stay takes on one of these nights.

    Nights that are over do not count. The type is that of the room, or else the one that is sold.
    """
    arrival = max(arrival, business_date())
    asked = [
        (sold_as(part), max(part.start_date, arrival), min(part.end_date, departure))
        for part in parts
    ]
    asked = [(kind, first, after) for kind, first, after in asked if first < after]
    kinds = lock_room_types(*(kind for kind, _, _ in asked)) if asked else {}
    for kind, first, after in asked:
        if rooms_left(kinds[kind], first, after, without=stay) < 1:
            raise Refused(
                f"{kinds[kind]} is sold out between {first} and {after}:"
                " choose other dates or another type."
            )


def sold_as(part: StayPart) -> int:
    """Return the type of which a part takes a room: that of the room, or else the one sold."""
    return part.room.room_type_id if part.room else part.room_type_id
