"""What the pages of the desk read: few questions each, and bounded, whatever the hotel's age.

Dates are the hotel's, amounts in its currency. Nothing here decides what may be done: the services
do, when it is asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Length

from hotel.dashboard.figures import rounded
from hotel.dashboard.services import by_night
from reservations.models import LIVE, Event, Reservation, ReservationStatus, StayPart
from rooms.models import BlockKind, Room, RoomBlock, RoomType

LISTED = 200  # rows of a list of Today; a hotel of this size has other ways to look at them
LATE = timedelta(days=30)  # how long guests who did not come are asked about
LONGEST_LISTED = timedelta(days=90)  # nights of a stay that is listed as over
NIGHTS = 14  # on the books
NIGHT = timedelta(days=1)
OUT_OF_ORDER = BlockKind.OUT_OF_ORDER

# As people count, 99 before 101; who has no room comes last, on either engine.
BY_ROOM = (Length("room__room_number").asc(nulls_last=True), "room__room_number", "pk")

PENDING, CONFIRMED, CHECKED_IN, CHECKED_OUT, *_ = ReservationStatus


def _stays() -> QuerySet[Reservation]:
    return Reservation.objects.select_related("guest", "room__room_type", "room_type")


def arriving(day: date) -> list[Reservation]:
    """Return the stays that begin on a day, whether their guests have come or not."""
    stays = _stays().filter(check_in_date=day, status__in=LIVE)
    return list(stays.order_by(*BY_ROOM)[:LISTED])


def late(day: date) -> list[Reservation]:
    """Return the confirmed stays whose guests should have come before a day, the latest first."""
    stays = _stays().filter(check_in_date__range=(day - LATE, day - NIGHT), status=CONFIRMED)
    return list(stays.order_by("-check_in_date", "pk")[:LISTED])


def in_house() -> list[Reservation]:
    """Return the stays whose guests are in the house, by room."""
    stays = _stays().filter(status=CHECKED_IN)
    return list(stays.order_by(*BY_ROOM))


def departed(day: date) -> list[Reservation]:
    """Return the stays that were to end on a day and have."""
    stays = _stays().filter(
        check_in_date__range=(day - LONGEST_LISTED, day), check_out_date=day, status=CHECKED_OUT
    )
    return list(stays.order_by(*BY_ROOM)[:LISTED])


def last_acts(stays: Iterable[Reservation], day: date) -> dict[int, Event]:
    """Return the last event of a day of each of the stays that has one, by its key."""
    events = Event.objects.filter(reservation__in=[stay.pk for stay in stays], business_date=day)
    return {event.reservation_id: event for event in events.select_related("by").order_by("pk")}


@dataclass
class House:
    """The rooms that are in use, as housekeeping and blocks have them tonight.

    states: how many rooms are inspected, clean, dirty, or out of order, by word.
    """

    rooms: dict[int, Room]
    blocks: dict[int, RoomBlock]
    states: dict[str, int] = field(default_factory=dict)

    def of_state(self, state: str) -> list[Room]:
        """Return the rooms of a state, in the order of their numbers."""
        return [room for room in self.rooms.values() if self.state(room) == state]

    def state(self, room: Room) -> str:
        """Return what stands in the way of a room: a block, or else how clean it is."""
        block = self.blocks.get(room.pk)
        return block.kind if block else room.housekeeping_status


def house(day: date) -> House:
    """Return the rooms in use, and what blocks them on the night of a day."""
    rooms = Room.objects.exclude(is_active=False).select_related("room_type")
    rooms = rooms.order_by(F("floor").asc(nulls_last=True), Length("room_number"), "room_number")
    blocks = RoomBlock.objects.standing(day, day + NIGHT).order_by("start_date", "pk")
    found = House({room.pk: room for room in rooms}, {})
    for block in blocks:
        if block.room_id in found.rooms:
            found.blocks.setdefault(block.room_id, block)
    for room in found.rooms.values():
        state = found.state(room)
        found.states[state] = found.states.get(state, 0) + 1
    return found


@dataclass
class Night:
    """What is booked for a night. oversold: types of which more rooms are taken than there are."""

    day: date
    available: int
    sold: int
    revenue: Decimal
    oversold: list[str]

    @property
    def occupancy(self) -> Fraction | None:
        """Return the share of the rooms that can be sold that is."""
        return Fraction(self.sold, self.available) if self.available else None

    @property
    def left(self) -> int:
        """Return how many rooms are left to sell; below zero in an overbooked house."""
        return self.available - self.sold

    @property
    def adr(self) -> Decimal | None:
        """Return what a room that is sold costs, to the whole unit."""
        return rounded(Fraction(self.revenue) / self.sold, 0) if self.sold else None

    @property
    def revpar(self) -> Decimal | None:
        """Return what a room that can be sold brings, to the whole unit."""
        return rounded(Fraction(self.revenue) / self.available, 0) if self.available else None


def on_the_books(first: date, nights: int = NIGHTS) -> list[Night]:
    """Return what is booked from a night on, in five questions.

    Sold is what the figures of the house take for sold (docs/decisions/0011-metrics.md): confirmed
    or in house, and not free of charge. A room is taken by pending and free stays too.
    """
    days = [first + timedelta(days=place) for place in range(nights)]
    names = dict(RoomType.objects.values_list("pk", "name"))
    rooms = Counter(Room.objects.exclude(is_active=False).values_list("room_type", flat=True))
    out_of_order, taken = _blocked(days)
    waiting: Counter[tuple[date, int]] = Counter()  # for a room of the type
    for kind, room, start, end in _taking_rooms(days):
        for day in days:
            if start <= day < end and room is None:
                waiting[day, kind] += 1
            elif room is not None and start <= day < end:
                taken[day, kind].add(room)
    sold, revenue = _sold(days)
    return [
        Night(
            day,
            available=rooms.total() - out_of_order[day],
            sold=sold[day],
            revenue=revenue[day],
            oversold=sorted(
                name
                for kind, name in names.items()
                if len(taken[day, kind]) + waiting[day, kind] > rooms[kind]
            ),
        )
        for day in days
    ]


def _taking_rooms(days: list[date]) -> Iterator[tuple[int, int | None, date, date]]:
    """Yield type, room, first night and the one after the last, of what takes a room.

    The type is that of the room, or else the one that was sold.
    """
    parts = StayPart.objects.taking_a_room(days[0], days[-1] + NIGHT)
    kind = Coalesce("room__room_type", "room_type")
    yield from parts.values_list(kind, "room", "start_date", "end_date").iterator()


def _sold(days: list[date]) -> tuple[Counter[date], defaultdict[date, Decimal]]:
    """Return how many rooms are sold by night, and what these nights cost.

    An amount that cannot be added up, of a legacy row, counts as none.
    """
    sold: Counter[date] = Counter()
    revenue: defaultdict[date, Decimal] = defaultdict(Decimal)
    stays = Reservation.objects.filter(
        status__in=[CONFIRMED, CHECKED_IN],
        check_out_date__gt=days[0],
        check_in_date__lte=days[-1],
        number_of_nights__gt=0,
        is_complimentary=False,
    )
    rows = stays.values_list("check_in_date", "check_out_date", "total_amount")
    for arrival, departure, total in rows.iterator():
        counts = total.is_finite() and total > 0
        each, rest = by_night(total if counts else Decimal(0), (departure - arrival).days)
        for day in days:
            if arrival <= day < departure:
                sold[day] += 1
                revenue[day] += rest if day + NIGHT == departure else each
    return sold, revenue


def _blocked(days: list[date]) -> tuple[Counter[date], defaultdict[tuple[date, int], set[int]]]:
    """Return how many rooms are out of order by day, and which are not sold by day and type."""
    blocks = (
        RoomBlock.objects.standing(days[0], days[-1] + NIGHT)
        .exclude(room__is_active=False)
        .select_related("room")
    )
    out_of_order: set[tuple[date, int]] = set()
    taken: defaultdict[tuple[date, int], set[int]] = defaultdict(set)
    for block in blocks:
        ends = [end for end in (block.end_date, block.released_on) if end]
        for day in days:
            if block.start_date <= day and all(day < end for end in ends):
                taken[day, block.room.room_type_id].add(block.room_id)
                if block.kind == OUT_OF_ORDER:
                    out_of_order.add((day, block.room_id))
    return Counter(day for day, _ in out_of_order), taken
