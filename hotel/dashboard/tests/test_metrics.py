"""The figures of the house: what is counted on which night, and what always holds of it."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import (
    exempt_from_all,
    let_rows_be_dirty,
    payment,
    reservation,
    room,
)
from hotel.dashboard.figures import COUNTS, Total, rounded, total, totals
from hotel.dashboard.models import DailyMetrics
from hotel.dashboard.services import by_night, compute_metrics
from hotel.refusals import Refused
from payments import services as money
from reservations import services as desk
from reservations.models import Reservation
from reservations.tests.test_rules import in_processes
from rooms.models import RoomBlock, RoomType

FIRST = date(2025, 7, 1)


def night(number):
    """Return the date so many days after the first one."""
    return FIRST + timedelta(days=number)


def noon(number):
    """Return an instant of that day, at noon in the hotel."""
    return datetime.combine(night(number), time(12), timezone.get_default_timezone())


def stay(number, first, last, amount="0", **fields):
    """Add and return a confirmed stay from one day to another with this total."""
    dates = {"check_in_date": night(first), "check_out_date": night(last)}
    price = {"subtotal": Decimal(amount), "total_amount": Decimal(amount)}
    return reservation(f"RES-{number}", **{**dates, **price, **fields})


def left(last):
    """Return the fields of a stay that was checked out on that day."""
    return {"status": "checked_out", "checked_out_at": noon(last)}


def figures(name, days=5, code="STD"):
    """Compute the days from the first one on, and return what a type has of ``name`` on each."""
    rows = compute_metrics(FIRST, night(days - 1))
    kind = RoomType.objects.get(code=code).pk
    return [getattr(row, name) for row in rows if row.room_type_id == kind]


def stored():
    """Return all rows as they stand in the database, without the time."""
    names = ("day", "room_type__code", *COUNTS, "room_revenue")
    return list(DailyMetrics.objects.order_by("day", "room_type").values_list(*names))


def suite(**fields):
    kind, _ = RoomType.objects.get_or_create(
        code="SUI", defaults={"name": "Suite", "default_rate": Decimal(900_000)}
    )
    return kind


# Nights


def test_a_stay_is_sold_on_each_night_but_not_on_the_day_it_ends(db):
    stay(1, 1, 3, "1000000", room=room())
    assert figures("rooms_sold") == [0, 1, 1, 0, 0]
    assert figures("room_revenue") == [0, 500_000, 500_000, 0, 0]
    assert figures("arrivals") == [0, 1, 0, 0, 0]
    assert figures("departures") == [0, 0, 0, 1, 0]


def test_the_nights_outside_the_period_are_left_out(db):
    stay(1, -2, 9, "1100")
    stay(2, -5, 0, "500")
    stay(3, 5, 7, "200")
    assert figures("rooms_sold") == [1, 1, 1, 1, 1]
    assert figures("room_revenue") == [100] * 5
    assert figures("arrivals") == [0] * 5
    assert figures("departures") == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("fields", "sold", "arrivals", "cancellations", "no_shows"),
    [
        ({"status": "pending"}, 0, 0, 0, 0),
        ({"status": "confirmed"}, 1, 1, 0, 0),
        ({"status": "checked_in", "checked_in_at": noon(0)}, 1, 1, 0, 0),
        (left(2), 1, 1, 0, 0),
        ({"status": "cancelled"}, 0, 0, 1, 0),
        ({"status": "no_show"}, 0, 0, 0, 1),
    ],
    ids=lambda value: value.get("status") if isinstance(value, dict) else "",
)
def test_what_counts_depends_on_the_status(db, fields, sold, arrivals, cancellations, no_shows):
    stay(1, 0, 2, "500", room=room(), **fields)
    [first, second] = compute_metrics(FIRST, night(1))
    assert (first.rooms_sold, second.rooms_sold) == (sold, sold)
    assert (first.arrivals, first.cancellations, first.no_shows) == (
        arrivals,
        cancellations,
        no_shows,
    )
    assert (second.arrivals, second.cancellations, second.no_shows) == (0, 0, 0)


def test_guests_who_leave_early_pay_the_same_for_the_nights_they_had(db):
    stay(1, 0, 4, "400", room=room(), **left(2))
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("room_revenue") == [200, 200, 0, 0, 0]
    assert figures("departures") == [0, 0, 1, 0, 0]


def test_guests_who_are_checked_out_late_leave_as_booked(db):
    stay(1, 0, 2, "400", room=room(), **left(4))
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("departures") == [0, 0, 1, 0, 0]


def test_the_day_of_a_check_out_is_the_hotels(db, settings):
    settings.TIME_ZONE = "Asia/Jakarta"
    late = datetime(2025, 7, 2, 17, 30, tzinfo=UTC)  # half past midnight on the third
    stay(1, 0, 4, "400", status="checked_out", checked_out_at=late)
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]


def test_guests_who_leave_on_the_day_they_came_were_there_by_day(db):
    stay(1, 1, 2, "500", room=room(), **left(1))
    assert figures("rooms_sold") == [0] * 5
    assert figures("room_revenue") == [0] * 5
    assert figures("arrivals") == [0, 1, 0, 0, 0]
    assert figures("departures") == [0, 1, 0, 0, 0]


def test_a_stay_that_is_free_of_charge_comes_and_goes_and_is_not_sold(db):
    stay(1, 0, 2, "500", room=room(), is_complimentary=True)
    assert figures("rooms_sold") == [0] * 5
    assert figures("room_revenue") == [0] * 5
    assert figures("arrivals") == [1, 0, 0, 0, 0]
    assert figures("departures") == [0, 0, 1, 0, 0]


# Rooms and their types


def test_a_stay_without_a_room_counts_for_the_type_it_was_booked_for(db):
    stay(1, 0, 2, "500")
    stay(2, 0, 2, "700", room_type=suite())
    assert figures("room_revenue") == [250, 250, 0, 0, 0]
    assert figures("room_revenue", code="SUI") == [350, 350, 0, 0, 0]


def test_a_stay_in_a_room_counts_for_the_type_of_the_room(db):
    stay(1, 0, 2, "500", room=room("201", room_type=suite()), room_type=room("101").room_type)
    assert figures("rooms_sold") == [0] * 5
    assert figures("rooms_sold", code="SUI") == [1, 1, 0, 0, 0]


def test_rooms_in_use_are_counted(db):
    room("101")
    room("102", is_active=None)
    room("103", is_active=False)
    suite()
    assert figures("rooms") == [2] * 5
    assert figures("rooms", code="SUI") == [0] * 5


def test_a_room_out_of_order_is_not_available_from_its_first_night_to_before_the_last_day(db):
    first = room("101")
    room("102")
    RoomBlock.objects.create(
        room=first, kind="out_of_order", start_date=night(1), end_date=night(3)
    )
    assert figures("rooms_out_of_order") == [0, 1, 1, 0, 0]
    assert figures("rooms_available") == [2, 1, 1, 2, 2]
    assert figures("rooms") == [2] * 5


@pytest.mark.parametrize("kind", ["out_of_service", "house_use"])
def test_a_room_that_is_blocked_for_another_reason_stays_available(db, kind):
    RoomBlock.objects.create(room=room(), kind=kind, start_date=FIRST)
    assert figures("rooms_available") == [1] * 5


def test_a_room_that_is_not_in_use_is_not_out_of_order_either(db):
    room("102")
    RoomBlock.objects.create(
        room=room("101", is_active=False), kind="out_of_order", start_date=FIRST
    )
    assert figures("rooms_out_of_order") == [0] * 5


@pytest.mark.parametrize(
    ("start", "end", "released", "expected"),
    [
        (2, None, None, [0, 0, 1, 1, 1]),
        (-9, None, None, [1, 1, 1, 1, 1]),
        (-9, 0, None, [0, 0, 0, 0, 0]),
        (-9, 1, None, [1, 0, 0, 0, 0]),
        (4, 9, None, [0, 0, 0, 0, 1]),
        (5, 9, None, [0, 0, 0, 0, 0]),
        (0, 4, 2, [1, 1, 0, 0, 0]),
        (0, None, 2, [1, 1, 0, 0, 0]),
        (0, 2, 4, [1, 1, 0, 0, 0]),
        (2, 4, 2, [0, 0, 0, 0, 0]),  # released on its first day: it never stood
        (2, 4, 1, [0, 0, 0, 0, 0]),
    ],
)
def test_a_block_stands_until_it_ends_or_is_released(db, start, end, released, expected):
    RoomBlock.objects.create(
        room=room(),
        kind="out_of_order",
        start_date=night(start),
        end_date=None if end is None else night(end),
        released_on=None if released is None else night(released),
    )
    assert figures("rooms_out_of_order") == expected


def test_a_room_that_is_blocked_twice_is_out_of_order_once(db):
    only = room()
    for start, end in ((0, 2), (1, 4), (1, 2), (3, 4)):
        RoomBlock.objects.create(
            room=only, kind="out_of_order", start_date=night(start), end_date=night(end)
        )
    assert figures("rooms_out_of_order") == [1, 1, 1, 1, 0]


def test_moving_a_stay_within_its_type_changes_nothing(db):
    moved, other = stay(1, 0, 2, "500", room=room("101")), room("102")
    compute_metrics(FIRST, night(4))
    before = stored()
    Reservation.objects.filter(pk=moved.pk).update(room=other)
    compute_metrics(FIRST, night(4))
    assert stored() == before


# Money


@pytest.mark.parametrize(
    ("amount", "nights", "each", "last"),
    [
        ("100.00", 3, "33.33", "33.34"),
        ("200.00", 3, "66.67", "66.66"),
        ("0.05", 2, "0.03", "0.02"),
        ("0.01", 3, "0.00", "0.01"),
        ("0.05", 10, "0.00", "0.05"),  # a cent each would be more than there is
        ("9999999999.99", 1, "9999999999.99", "9999999999.99"),
        ("0.00", 4, "0.00", "0.00"),
    ],
)
def test_the_nights_add_up_to_the_cent(amount, nights, each, last):
    assert by_night(Decimal(amount), nights) == (Decimal(each), Decimal(last))
    assert Decimal(each) * (nights - 1) + Decimal(last) == Decimal(amount)


def test_what_does_not_divide_is_on_the_last_night(db):
    stay(1, 0, 3, "100.00")
    assert figures("room_revenue", 3) == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]
    assert DailyMetrics.objects.aggregate(all=Sum("room_revenue"))["all"] == 100


def test_the_discount_is_off_and_payments_play_no_part(db):
    discounted = stay(1, 0, 2, "400", subtotal=Decimal(500), discount_amount=Decimal(100))
    payment(discounted, amount=Decimal(999), payment_type="deposit")
    payment(discounted, amount=Decimal(1), payment_date=night(1))
    assert figures("room_revenue", 2) == [200, 200]


def test_a_void_pair_changes_nothing(db):
    clerk = User.objects.create(username="sari")
    paid = stay(1, 0, 2, "400")
    compute_metrics(FIRST, night(4))
    before = stored()
    money.void(money.take_payment(paid, Decimal(100), "cash", clerk), clerk, "another guest's")
    compute_metrics(FIRST, night(4))
    assert stored() == before


# Legacy rows


def dirty(number, first, last, amount="100", **fields):
    """Add and return a stay that need keep no rule."""
    return stay(number, first, last, amount, exemptions=exempt_from_all(Reservation), **fields)


def test_stays_that_overlap_in_one_room_are_all_sold(db):
    let_rows_be_dirty()
    only = room()
    dirty(1, 0, 2, room=only)
    dirty(2, 1, 3, room=only)
    rows = compute_metrics(FIRST, night(2))
    assert [(row.rooms, row.rooms_sold, row.room_revenue) for row in rows] == [
        (1, 1, 50),
        (1, 2, 100),
        (1, 1, 50),
    ]
    assert rows[1].occupancy == 2


def test_a_stay_whose_dates_are_not_in_order_was_there_by_day(db):
    let_rows_be_dirty()
    dirty(1, 3, 1)
    dirty(2, 3, 3)
    dirty(3, 2, 4, **left(0))
    assert figures("rooms_sold") == [0] * 5
    assert figures("room_revenue") == [0] * 5
    assert figures("arrivals") == [0, 0, 1, 2, 0]
    assert figures("departures") == [0, 0, 1, 2, 0]


def test_a_total_below_zero_counts_as_nothing(db):
    let_rows_be_dirty()
    dirty(1, 0, 2, "-100")
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("room_revenue") == [0] * 5


@pytest.mark.postgresql
def test_a_total_that_is_not_a_number_counts_as_nothing(db):
    let_rows_be_dirty()
    dirty(1, 0, 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reservations SET total_amount = 'NaN'")
    assert figures("room_revenue") == [0] * 5


def test_a_stay_that_is_over_and_nobody_knows_since_when_ended_as_booked(db):
    let_rows_be_dirty()
    dirty(1, 0, 3, status="checked_out")
    dirty(2, 0, 3, status="checked_out", checked_out_at=datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert figures("rooms_sold") == [2, 2, 2, 0, 0]


def test_a_status_that_is_none_counts_as_nothing(db):
    let_rows_be_dirty()
    dirty(1, 0, 3, status="Confirmed ")
    assert [row.arrivals + row.rooms_sold for row in compute_metrics(FIRST, night(2))] == [0] * 3


def test_days_at_the_ends_of_the_calendar_are_counted(db):
    let_rows_be_dirty()
    dirty(1, 0, 2, check_in_date=date.min, check_out_date=date.max)
    room()
    for first, last in ((date.min, date.min), (date.max, date.max)):
        [row] = compute_metrics(first, last)
        assert (row.day, row.rooms_sold) == (first, int(first == date.min))


# Computing


def test_every_day_and_room_type_has_a_row(db):
    room()
    suite()
    rows = compute_metrics(FIRST, night(1))
    assert [(row.day, row.room_type.code) for row in rows] == [
        (FIRST, "STD"),
        (FIRST, "SUI"),
        (night(1), "STD"),
        (night(1), "SUI"),
    ]


def test_computed_again_the_same_rows_stand_there(db):
    stay(1, 0, 3, "100.00", room=room())
    first = compute_metrics(FIRST, night(4))
    keys, rows = list(DailyMetrics.objects.values_list("pk", flat=True)), stored()
    again = compute_metrics(FIRST, night(4))
    assert list(DailyMetrics.objects.values_list("pk", flat=True)) == keys
    assert stored() == rows
    assert again[0].computed_at > first[0].computed_at
    assert set(DailyMetrics.objects.values_list("computed_at", flat=True)) == {again[0].computed_at}


def test_what_was_changed_since_is_replaced_in_the_period_alone(db):
    sold = stay(1, 0, 3, "300", room=room())
    compute_metrics(FIRST, night(2))
    Reservation.objects.filter(pk=sold.pk).update(status="cancelled")
    compute_metrics(night(1), night(1))
    rows = DailyMetrics.objects.order_by("day")
    assert [(row.rooms_sold, row.room_revenue) for row in rows] == [(1, 100), (0, 0), (1, 100)]


def test_a_hotel_without_room_types_has_no_figures(db):
    assert compute_metrics(FIRST, night(1)) == []


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (night(-1), "The period ends before it begins: from 2025-07-01 to 2025-06-30."),
        (
            night(400),
            "The period has 401 days, and 400 are the most at a time: choose a shorter one.",
        ),
    ],
)
def test_a_period_that_cannot_be_computed_is_refused(db, last, sentence):
    with pytest.raises(Refused) as refusal:
        compute_metrics(FIRST, last)
    assert str(refusal.value) == sentence
    assert not DailyMetrics.objects.exists()


def test_each_table_is_read_once_however_much_there_is(db):
    def queries(days):
        with CaptureQueriesContext(connection) as captured:
            compute_metrics(FIRST, night(days - 1))
        statements = [query["sql"] for query in captured]
        reads = [sql for sql in statements if sql.startswith(("SELECT", "DECLARE"))]
        return len(reads), len([sql for sql in statements if sql.startswith("INSERT")])

    suite()
    stay(1, 0, 2, "500", room=room("101"))
    assert queries(2) == (7, 1)
    kind = RoomType.objects.get(code="STD")
    for number in range(2, 30):
        stay(number, number, number + 9, "500", room=room(f"2{number:02}", room_type=kind))
        RoomBlock.objects.create(
            room=room(f"3{number:02}"), kind="out_of_order", start_date=night(number)
        )
    assert queries(2) == (7, 1)
    reads, writes = queries(400)
    assert reads == 7  # closed days, rooms, types, blocks, stays, parts, nights of broken stays
    # SQLite takes 999 values a statement, of 11 columns; PostgreSQL as many rows as it is given.
    assert writes == (1 if connection.vendor == "postgresql" else 9)


def test_two_processes_at_once_both_end_well(history):
    history.at("head")
    kind = room("101").room_type
    for number in range(1, 6):
        stay(number, number, number + 1, "100", room_type=kind)

    def work(place):
        for _ in range(5):
            compute_metrics(night(-place), night(30 - place))

    assert in_processes(2, work) == ["booked", "booked"]
    rows = DailyMetrics.objects.order_by("day")
    assert [row.day for row in rows] == [night(number) for number in range(-1, 31)]
    assert [row.day for row in rows if row.rooms_sold] == [night(number) for number in range(1, 6)]


# The database and the formulas


@pytest.mark.parametrize(
    "change",
    [{name: -1} for name in COUNTS]
    + [{"room_revenue": Decimal("-0.01")}, {"rooms_out_of_order": 2}],
    ids=str,
)
def test_figures_that_cannot_be_are_refused(db, change):
    room()
    compute_metrics(FIRST, FIRST)
    with pytest.raises(IntegrityError), transaction.atomic():
        DailyMetrics.objects.update(**change)


def test_a_day_and_type_have_one_row(db):
    room()
    [row] = compute_metrics(FIRST, FIRST)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_occupancy_adr_and_revpar():
    day = Total(rooms=100, rooms_out_of_order=5, rooms_sold=30, room_revenue=Decimal("15000000"))
    assert day.rooms_available == 95
    assert rounded(day.occupancy, 4) == Decimal("0.3158")
    assert rounded(day.occupancy_of_all_rooms, 4) == Decimal("0.3000")
    assert rounded(day.adr) == Decimal("500000.00")
    assert rounded(day.revpar) == Decimal("157894.74")
    assert day.occupancy * day.adr == day.revpar


def test_nothing_is_divided_by_nothing():
    closed = Total(rooms=3, rooms_out_of_order=3)
    assert (closed.occupancy, closed.adr, closed.revpar) == (None, None, None)
    assert closed.occupancy_of_all_rooms == 0
    assert rounded(closed.adr) is None
    empty = Total(rooms=3)
    assert (empty.occupancy, empty.adr, empty.revpar) == (0, None, 0)


@pytest.mark.parametrize(
    ("value", "shown"), [("0.005", "0.01"), ("0.0049", "0.00"), ("2", "2.00"), ("1.995", "2.00")]
)
def test_half_a_cent_rounds_up(value, shown):
    assert str(rounded(Fraction(value))) == shown


def test_sums_are_by_whatever_is_asked_for():
    rows = [Total(rooms=1, arrivals=2), Total(rooms=1, no_shows=4), Total(rooms=2)]
    assert total(rows) == Total(rooms=4, arrivals=2, no_shows=4)
    assert totals(rows, lambda row: row.rooms) == {
        1: Total(rooms=2, arrivals=2, no_shows=4),
        2: Total(rooms=2),
    }


# Stays in several rooms


def in_two_rooms(first, last, moved, amount, **fields):
    """Add a stay that is in a standard room first, and in a suite from the day ``moved`` on."""
    kind, _ = RoomType.objects.get_or_create(name="Suite", code="SUI", default_rate=1)
    one, other = room("101"), room("201", room_type=kind)
    with transaction.atomic():
        moving = stay(1, first, last, amount, room=other, **fields)
        moving.parts.update(start_date=night(moved))
        moving.parts.create(
            room=one,
            room_type=moving.room_type,
            start_date=night(first),
            end_date=night(moved),
            status=moving.status,
        )
    return moving


def test_each_night_is_counted_where_it_was_slept(db):
    in_two_rooms(0, 4, 2, "1000")
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("rooms_sold", code="SUI") == [0, 0, 1, 1, 0]
    assert figures("room_revenue") == [250, 250, 0, 0, 0]
    assert figures("room_revenue", code="SUI") == [0, 0, 250, 250, 0]
    assert figures("arrivals") == [1, 0, 0, 0, 0]
    assert figures("departures", code="SUI") == [0, 0, 0, 0, 1]
    assert figures("departures") == [0] * 5


def test_what_does_not_divide_is_on_the_last_night_wherever_it_was_slept(db):
    in_two_rooms(0, 3, 2, "100")
    assert figures("room_revenue") == [Decimal("33.33"), Decimal("33.33"), 0, 0, 0]
    assert figures("room_revenue", code="SUI") == [0, 0, Decimal("33.34"), 0, 0]


def test_guests_who_leave_before_they_were_to_move_are_counted_where_they_slept(db):
    in_two_rooms(0, 5, 3, "900", **left(2))
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("departures") == [0, 0, 1, 0, 0]
    assert figures("room_revenue") == [450, 450, 0, 0, 0]
    assert [sum(figures(name, code="SUI")) for name in ("rooms_sold", "departures")] == [0, 0]


def test_a_stay_that_was_split_before_the_period_is_counted_in_it(db):
    in_two_rooms(-3, 2, -1, "500")
    assert figures("rooms_sold", code="SUI") == [1, 1, 0, 0, 0]
    assert figures("room_revenue", code="SUI") == [100, 100, 0, 0, 0]


def test_a_stay_cancelled_in_house_was_sold_on_the_nights_that_were_slept(db, clock):
    clerk = User.objects.create(username="sari")
    clock(2025, 7, 1, 14)
    broken = stay(1, 0, 4, "400", room=room("101"))
    gone = stay(2, 0, 4, "400", room=room("102"))
    for one in (broken, gone):
        desk.check_in(one, clerk)
    desk.cancel(gone, clerk, "fire", in_house=True)
    before = (figures("rooms_sold"), figures("room_revenue"))
    assert before == ([1, 1, 1, 1, 0], [100, 100, 100, 100, 0])
    clock(2025, 7, 3, 9)
    desk.cancel(broken, clerk, "fire", in_house=True, fee=Decimal(50))
    assert figures("rooms_sold") == [1, 1, 0, 0, 0]
    assert figures("room_revenue") == [100, 100, 0, 0, 0]
    assert figures("cancellations") == [2, 0, 0, 0, 0]
    assert (figures("arrivals"), figures("departures")) == ([1, 0, 0, 0, 0], [0, 0, 1, 0, 0])
    desk.reinstate(broken, clerk)
    assert figures("room_revenue") == [100, 100, 100, 100, 0]
