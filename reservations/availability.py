"""Which rooms are free, and how many of a type are left; what sells neither twice.

The functions that raise Refused are for services, which have locked the stay and its rooms.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from hotel.business_day import business_date
from hotel.refusals import Refused
from reservations.models import Reservation, ReservationStatus, StayPart
from rooms.inventory import Taken, left_by_night
from rooms.locks import lock_room_types, lock_rooms
from rooms.models import Room, RoomBlock, RoomType

CONFIRMED, CHECKED_IN = ReservationStatus.CONFIRMED, ReservationStatus.CHECKED_IN


def free_rooms(arrival: date, departure: date, room_type: RoomType | None = None) -> QuerySet[Room]:
    """Return the rooms that are free on all nights from arrival to departure, as a queryset."""
    parts = StayPart.objects.taking_a_room(arrival, departure)
    rooms = Room.objects.exclude(is_active=False).exclude(room_type__is_active=False)
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
    nights = left_by_type([room_type], arrival, departure, without)[room_type]
    return min(nights.values(), default=0)


def left_by_type(
    kinds: Sequence[RoomType], first: date, after: date, without: Reservation | None = None
) -> dict[RoomType, dict[date, int]]:
    """Return how many rooms are left on each night, by type; see ``rooms_left``."""
    of_type: dict[int, set[int]] = {kind.pk: set() for kind in kinds}
    in_use = Room.objects.exclude(is_active=False).exclude(room_type__is_active=False)
    for key, kind in in_use.values_list("pk", "room_type"):
        of_type.get(kind, set()).add(key)
    parts = StayPart.objects.taking_a_room(first, after).filter(
        Q(room__isnull=True, room_type__in=of_type) | Q(room__room_type__in=of_type)
    )
    if without:
        parts = parts.exclude(reservation=without.pk)
    taken: dict[int, list[Taken]] = {kind: [] for kind in of_type}
    tomorrow = business_date() + timedelta(days=1)
    for room, kind, start, end, is_late in parts.annotate(
        is_late=Q(pk__in=StayPart.objects.overstaying(business_date()))
    ).values_list(
        "room", Coalesce("room__room_type", "room_type"), "start_date", "end_date", "is_late"
    ):
        taken[kind].append((room, start, tomorrow if is_late else end))
    blocks = RoomBlock.objects.standing(first, after).filter(room__room_type__in=of_type)
    for block in blocks.select_related("room"):
        end = min(filter(None, (block.end_date, block.released_on)), default=None)
        taken[block.room.room_type_id].append((block.room_id, block.start_date, end))
    return {
        kind: left_by_night(
            of_type[kind.pk],
            # A room that is out of use is none to be left, whoever has it.
            [row for row in taken[kind.pk] if row[0] is None or row[0] in of_type[kind.pk]],
            first,
            after,
        )
        for kind in kinds
    }


def oversold(first: date, after: date) -> list[tuple[date, RoomType, int]]:
    """Return the nights on which more rooms of a type are sold than there are, and how many more.

    Nights from ``first`` to before ``after``, in order.
    """
    kinds = list(RoomType.objects.order_by("code"))
    left = left_by_type(kinds, first, after)
    nights = (first + timedelta(days) for days in range((after - first).days))
    return [
        (night, kind, -left[kind][night])
        for night in nights
        for kind in kinds
        if left[kind][night] < 0
    ]


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
            if part.start_date <= business_date() < part.end_date:
                _refuse_overstayed(stay, part)
    if stay.status == CHECKED_IN:
        staying = Reservation.objects.filter(room=stay.room_id, status=CHECKED_IN)
        guests = staying.exclude(pk=stay.pk).order_by("check_in_date", "pk").first()
        if guests:
            _refuse_taken(stay.room, guests, guests.check_in_date, guests.check_out_date)


def _refuse_overstayed(stay: Reservation, part: StayPart) -> None:
    """Raise Refused if guests are in the room tonight who should have left it before today."""
    late = StayPart.objects.overstaying(business_date()).filter(room=part.room_id)
    other = late.exclude(reservation=stay.pk).select_related("reservation").first()
    if other:
        raise Refused(
            f"Room {part.room} still has {other.reservation}, who was to leave on"
            f" {other.end_date}: check them out, or choose another room."
        )


def refuse_crowd(stay: Reservation) -> None:
    """Raise Refused if more guests come than the room, or the type that is sold, has beds for."""
    kind = stay.room.room_type if stay.room else stay.room_type
    guests = (stay.adults or 0) + (stay.children or 0)
    if kind.max_occupancy is not None and guests > kind.max_occupancy:
        raise Refused(
            f"{kind} has beds for {kind.max_occupancy}, not for {guests}: choose a larger room, or"
            " let a manager allow it with a reason."
        )


def refuse_change_of_rooms(stay: Reservation) -> None:
    """Raise Refused if no single room of the type is free on all nights of a stay without one."""
    if stay.room or stay.check_out_date <= stay.check_in_date:
        return
    arrival, departure = stay.check_in_date, stay.check_out_date
    if not free_rooms(arrival, departure, stay.room_type).exists():
        raise Refused(
            f"{stay.room_type} has no room that is free on all nights from {arrival} to"
            f" {departure}: the guests must change rooms. Confirm it if they know, and plan the"
            " change."
        )


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
