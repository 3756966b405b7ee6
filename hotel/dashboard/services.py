"""The figures of the house are counted, day by day, from its rooms, blocks and stays.

What is counted, and why so, is decided in docs/decisions/0011-metrics.md. Dates are the hotel's,
amounts in its currency.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import accumulate, pairwise
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from hotel.business_day import slept_until
from hotel.dashboard.figures import COUNTS
from hotel.dashboard.models import BusinessDay, DailyMetrics
from hotel.refusals import Refused
from payments.models import Charge, ChargeKind
from reservations.models import Reservation, ReservationStatus, StayPart
from rooms.models import BlockKind, Room, RoomBlock, RoomType

LONGEST = 400  # days computed or shown at a time
READ_AT_ONCE = 2_000  # stays held in memory
WRITTEN_AT_ONCE = 1_000  # rows a statement; SQLite takes fewer
CENT = Decimal("0.01")

CONFIRMED, CHECKED_IN, CHECKED_OUT = (
    ReservationStatus.CONFIRMED,
    ReservationStatus.CHECKED_IN,
    ReservationStatus.CHECKED_OUT,
)
STAYING = (CONFIRMED, CHECKED_IN, CHECKED_OUT)
NOT_COMING = {
    ReservationStatus.CANCELLED: "cancellations",
    ReservationStatus.NO_SHOW: "no_shows",
}


def compute_metrics(first: date, last: date, using: str = DEFAULT_DB_ALIAS) -> list[DailyMetrics]:
    """Count every day from ``first`` to ``last``, and return the rows, by day and room type.

    What stood there of these days is replaced; counted again, the same rows stand there. Those of
    closed days stay as they are. Two that count at once take turns. Reads each of the tables once,
    however many days and stays there are.
    Raises Refused for a period that ends before it begins, or has more than ``LONGEST`` days.
    """
    check_period(first, last)
    with transaction.atomic(using=using):
        _take_turns(using)
        days = BusinessDay.objects.using(using).filter(day__range=(first, last))
        closed = set(days.filter(closed_at__isnull=False).values_list("day", flat=True))
        of_period = DailyMetrics.objects.using(using)
        frozen = list(of_period.filter(day__in=closed)) if closed else []
        written = of_period.bulk_create(
            [row for row in count_metrics(first, last, using) if row.day not in closed],
            batch_size=WRITTEN_AT_ONCE,
            update_conflicts=True,
            unique_fields=["day", "room_type"],
            update_fields=[*COUNTS, "room_revenue", "computed_at"],
        )
        return sorted([*frozen, *written], key=lambda row: (row.day, row.room_type_id))


def count_metrics(first: date, last: date, using: str = DEFAULT_DB_ALIAS) -> list[DailyMetrics]:
    """Return what ``compute_metrics`` would write of days that are all open, and write nothing."""
    now = timezone.now()
    period = _Period(first, last)
    _count_rooms(period, using)
    _count_stays(period, using)
    # Read last: a type that was made meanwhile, and has a stay, is among them.
    kinds = RoomType.objects.using(using).order_by("pk").values_list("pk", flat=True)
    return [
        DailyMetrics(day=day, room_type_id=kind, computed_at=now, **counts)
        for day, kind, counts in period.counted(list(kinds))
    ]


def check_period(first: date, last: date) -> None:
    """Raise Refused for a period that nobody computes."""
    days = (last - first).days + 1
    if days < 1:
        raise Refused(f"The period ends before it begins: from {first} to {last}.")
    if days > LONGEST:
        raise Refused(
            f"The period has {days} days, and {LONGEST} are the most at a time:"
            " choose a shorter one."
        )


def by_night(amount: Decimal, nights: int) -> tuple[Decimal, Decimal]:
    """Return what each night but the last costs, and the last one: together the amount, exactly.

    A night costs the same to the cent, half a cent rounds up, and the last one gets the rest. Where
    the nights before it would then cost more than there is, they are rounded down.
    """
    each = (amount / nights).quantize(CENT, ROUND_HALF_UP)
    if each * (nights - 1) > amount:
        each = (amount / nights).quantize(CENT, ROUND_DOWN)
    return each, amount - each * (nights - 1)


class _Period:
    """Days, and for each room type how much its counts change from one of them to the next.

    Kept as changes, a stay costs the same whether it has two nights or two hundred.
    """

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.days = (last - first).days + 1
        self.changes: dict[tuple[int, str], list[int | Decimal]] = defaultdict(
            lambda: [0] * (self.days + 1)
        )

    def place(self, day: date) -> int:
        """Return the place of a day: 0 for the first one, negative before."""
        return (day - self.first).days

    def add(self, kind: int, name: str, start: int, end: int, value: int | Decimal = 1) -> None:
        """Add ``value`` on every day from place ``start`` to before place ``end``."""
        start, end = max(start, 0), min(end, self.days)
        if start < end:
            self.changes[kind, name][start] += value
            self.changes[kind, name][end] -= value

    def counted(self, kinds: list[int]) -> Iterator[tuple[date, int, dict[str, Any]]]:
        """Yield day, room type and its counts, in the order of days and of ``kinds``."""
        names = (*COUNTS, "room_revenue")
        running = {
            (kind, name): list(accumulate(self.changes[kind, name]))
            for kind in kinds
            for name in names
        }
        for place in range(self.days):
            day = self.first + timedelta(days=place)
            for kind in kinds:
                yield day, kind, {name: running[kind, name][place] for name in names}


def _take_turns(using: str) -> None:
    """Hold off whoever else counts, until the transaction ends; who counts later, has read later.

    So does who closes a day, which comes first: one order for all. SQLite has one writer at a time
    in any case. Readers do not wait.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        days, table = (
            connection.ops.quote_name(model._meta.db_table) for model in (BusinessDay, DailyMetrics)
        )
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {days} IN ROW SHARE MODE")
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")


def _count_rooms(period: _Period, using: str) -> None:
    """Count the rooms in use, and on which nights they are out of order."""
    rooms = Room.objects.using(using).exclude(is_active=False)
    kinds = dict(rooms.values_list("pk", "room_type"))
    for kind in kinds.values():
        period.add(kind, "rooms", 0, period.days)
    blocks = (
        RoomBlock.objects.using(using)
        .standing(period.first, None)
        .filter(kind=BlockKind.OUT_OF_ORDER, start_date__lte=period.last)
        .order_by("room", "start_date", "pk")
        .values_list("room", "start_date", "end_date", "released_on")
    )
    free_from: dict[
        int, int
    ] = {}  # place of the first night that no block before counted for the room
    for room, start, *ends in blocks.iterator(chunk_size=READ_AT_ONCE):
        begin = max(period.place(start), free_from.get(room, 0))
        end = min((period.place(end) for end in ends if end), default=period.days)
        if room in kinds and begin < end:
            period.add(kinds[room], "rooms_out_of_order", begin, end)
            free_from[room] = end


def _count_stays(period: _Period, using: str) -> None:
    """Count what begins and ends, what is sold, and what it costs."""
    splits = _splits(period, using)
    broken_off = _broken_off(period, using)
    stays = (
        Reservation.objects.using(using)
        .filter(
            Q(check_out_date__gte=period.first) | Q(check_in_date__gte=period.first),
            status__in=[*STAYING, *NOT_COMING],
            check_in_date__lte=period.last,
        )
        .values_list(
            "pk",
            Coalesce("room__room_type", "room_type"),
            "status",
            "check_in_date",
            "check_out_date",
            "checked_out_at",
            "is_complimentary",
            "total_amount",
        )
    )
    for key, kind, status, arrival, booked, left_at, free, amount in stays.iterator(READ_AT_ONCE):
        start = period.place(arrival)
        if status in NOT_COMING:
            period.add(kind, NOT_COMING[status], start, start + 1)
            if key not in broken_off:
                continue
            left_at, amount = broken_off[key]
        has_left = status == CHECKED_OUT or key in broken_off
        end = period.place(_departure(arrival, booked, left_at if has_left else None))
        # Of each part but the first, where it begins; the kinds of all.
        begin, kinds = splits.get(key) or ([], [kind])
        bounds = [start, *(min(period.place(day), end) for day in begin), end]
        nights = [(one, *pair) for one, pair in zip(kinds, pairwise(bounds), strict=True)]
        slept = [night for night in nights if night[1] < night[2]]
        period.add(nights[0][0], "arrivals", start, start + 1)
        period.add((slept or nights)[-1][0], "departures", end, end + 1)
        if free or start == end:
            continue
        for one, first, after in slept:
            period.add(one, "rooms_sold", first, after)
        if amount.is_finite() and amount > 0:  # legacy rows hold negative ones, and NaN
            each, rest = by_night(amount, end - start)
            for one, first, after in slept:
                period.add(one, "room_revenue", first, min(after, end - 1), each)
            period.add(slept[-1][0], "room_revenue", end - 1, end, rest)


def _broken_off(period: _Period, using: str) -> dict[int, tuple[datetime | None, Decimal]]:
    """Return, of the stays that were cancelled in house, when, and what the nights slept cost."""
    charges = Charge.objects.using(using).filter(
        kind=ChargeKind.ROOM,
        is_voided=False,
        reservation__status=ReservationStatus.CANCELLED,
        reservation__check_out_date__gte=period.first,
        reservation__check_in_date__lte=period.last,
    )
    rows = charges.values_list("reservation", "created_at", "amount")
    return {key: (left_at, amount) for key, left_at, amount in rows}


def _splits(period: _Period, using: str) -> dict[int, tuple[list[date], list[int]]]:
    """Return, of the stays with several parts, where each but the first begins, and all kinds.

    They are few: of the others the stay itself says all.
    """
    parts = StayPart.objects.using(using)
    rows = (
        parts.filter(
            reservation__in=parts.filter(is_present=False).values("reservation"),
            reservation__check_out_date__gte=period.first,
            reservation__check_in_date__lte=period.last,
        )
        .order_by("reservation", "start_date", "pk")
        .values_list("reservation", "start_date", Coalesce("room__room_type", "room_type"))
    )
    splits: dict[int, tuple[list[date], list[int]]] = {}
    for key, start, kind in rows:
        begin, kinds = splits.setdefault(key, ([], []))
        if kinds:
            begin.append(start)
        kinds.append(kind)
    return splits


def _departure(arrival: date, booked: date, left_at: datetime | None) -> date:
    """Return the day on which a stay ends: as booked, or earlier if the guests left earlier.

    left_at: None of guests who have not left. Never before the arrival: such a stay, which legacy
    rows hold, is taken for a day use.
    """
    try:
        left = slept_until(left_at) if left_at else booked
    except OverflowError:  # the last hours of the calendar, which the hotel's clock lacks
        left = booked
    return max(arrival, min(booked, left))
