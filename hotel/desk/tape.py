"""The tape chart: what is in each room on each night, laid out to be drawn.

A day has two columns, before and after noon, so that who leaves and who comes share a day of a
room. Dates are the hotel's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import F, Q
from django.db.models.functions import Length

from hotel.desk.queries import LONGEST_LISTED, NIGHT
from reservations.models import LIVE, ReservationStatus, StayPart
from rooms.models import BlockKind, Room, RoomBlock, RoomType

BLOCKS = dict(BlockKind.choices)
BY_FLOOR = (F("floor").asc(nulls_last=True), Length("room_number"), "room_number")


@dataclass
class Bar:
    """One stay or block in one room: ``kind`` is the status of the stay, ``block`` or ``free``.

    start, end: the first night and the one after the last. start_column, end_column: half days,
    from 1, as far as they are shown. stay: its key, to lead there.
    """

    kind: str
    text: str
    start: date
    end: date
    start_column: int = 0
    end_column: int = 0
    stay: int | None = None
    number: str = ""
    is_overstay: bool = False
    goes_on: bool = False


@dataclass
class Line:
    """A room, or the stays of a type that have no room yet; lanes: bars that do not overlap."""

    room: Room | None
    lanes: list[list[Bar]]


@dataclass
class Kind:
    """A type with its rooms. free: how many are left to sell by night, below zero if oversold."""

    room_type: RoomType
    free: list[int]
    lines: list[Line]


@dataclass
class Tape:
    """The chart of some nights. free: of the whole house, by night."""

    days: list[date]
    kinds: list[Kind]
    free: list[int] = field(default_factory=list)


def tape(first: date, nights: int, today: date, room_type: int | None = None) -> Tape:
    """Return the chart from a night on, of all types or of one, in five questions."""
    days = [first + timedelta(days=place) for place in range(nights)]
    rooms: defaultdict[int, list[Room]] = defaultdict(list)
    every = Room.objects.exclude(is_active=False)
    for room in every.order_by(
        F("floor").asc(nulls_last=True), Length("room_number"), "room_number"
    ):
        rooms[room.room_type_id].append(room)
    of_room: defaultdict[int, list[Bar]] = defaultdict(list)
    waiting: defaultdict[int, list[Bar]] = defaultdict(list)
    for part in _parts(first, first + timedelta(days=nights)):
        bar = _of_part(part, today)
        if part.room_id:
            of_room[part.room_id].append(bar)
        else:
            waiting[part.room_type_id].append(bar)
    for block in RoomBlock.objects.standing(first, days[-1] + NIGHT):
        of_room[block.room_id].append(_of_block(block, days[-1] + NIGHT * 2))
    kinds = []
    for kind in RoomType.objects.order_by("default_rate", "pk"):
        if (rooms[kind.pk] or waiting[kind.pk]) and room_type in (None, kind.pk):
            lines = [Line(None, _lanes(waiting[kind.pk], days))] if waiting[kind.pk] else []
            lines += [Line(room, _lanes(of_room[room.pk], days)) for room in rooms[kind.pk]]
            bars = [of_room[room.pk] for room in rooms[kind.pk]]
            kinds.append(Kind(kind, _free(bars, waiting[kind.pk], days), lines))
    free = [sum(of_night) for of_night in zip(*(kind.free for kind in kinds), strict=True)]
    return Tape(days, kinds, free)


def gaps(bars: Iterable[Bar], days: list[date], from_day: date) -> list[Bar]:
    """Return the free nights between the bars of a room, from a day on, as bars to book by."""
    free, start = [], max(days[0], from_day)
    end = days[-1] + NIGHT
    for bar in sorted(bars, key=lambda bar: bar.start):
        if start < bar.start:
            free.append(Bar("free", "", start, min(bar.start, end)))
        start = max(start, bar.end)
    if start < end:
        free.append(Bar("free", "", start, end))
    return [_placed(bar, days) for bar in free if bar.start < bar.end]


def _parts(first: date, after: date) -> list[StayPart]:
    """Return the parts of stays that are shown; those that are over by the day of their arrival."""
    over = Q(
        status=ReservationStatus.CHECKED_OUT,
        reservation__check_in_date__range=(first - LONGEST_LISTED, after),
        reservation__status=ReservationStatus.CHECKED_OUT,
    )
    parts = StayPart.objects.select_related("reservation__guest").filter(
        end_date__gt=first, start_date__lt=after
    )
    found = [*parts.filter(status__in=LIVE), *parts.filter(over)]
    return sorted(found, key=lambda part: (part.start_date, part.pk))


def _of_part(part: StayPart, today: date) -> Bar:
    stay = part.reservation
    is_overstay = part.status == ReservationStatus.CHECKED_IN and stay.check_out_date < today
    return Bar(
        part.status,
        stay.guest.full_name,
        part.start_date,
        part.end_date,
        stay=stay.pk,
        number=stay.confirmation_number,
        is_overstay=is_overstay and part.end_date == stay.check_out_date,
    )


def _of_block(block: RoomBlock, horizon: date) -> Bar:
    ends = [end for end in (block.end_date, block.released_on, horizon) if end]
    return Bar("block", f"{BLOCKS[block.kind]}: {block.reason}", block.start_date, min(ends))


def _placed(bar: Bar, days: list[date]) -> Bar:
    """Give a bar its columns: from the noon of its first day to the noon of its last."""
    last = 2 * len(days) + 1
    start, end = 2 * (bar.start - days[0]).days + 2, 2 * (bar.end - days[0]).days + 2
    bar.start_column, bar.end_column = max(start, 1), min(max(end, 2), last)
    bar.goes_on = end > last
    return bar


def _lanes(bars: list[Bar], days: list[date]) -> list[list[Bar]]:
    """Return the bars in as few lanes as keep them from lying over each other; at least one."""
    lanes: list[list[Bar]] = [[]]
    for bar in sorted(bars, key=lambda bar: (bar.start, bar.end)):
        placed = _placed(bar, days)
        for lane in lanes:
            if not lane or lane[-1].end_column <= placed.start_column:
                lane.append(placed)
                break
        else:
            lanes.append([placed])
    return lanes


def _free(rooms: list[list[Bar]], waiting: list[Bar], days: list[date]) -> list[int]:
    """Return how many rooms of a type are left to sell on each night."""

    def takes(bar: Bar, day: date) -> bool:
        return bar.start <= day < bar.end and bar.kind != ReservationStatus.CHECKED_OUT

    return [
        sum(not any(takes(bar, day) for bar in bars) for bars in rooms)
        - sum(takes(bar, day) for bar in waiting)
        for day in days
    ]
