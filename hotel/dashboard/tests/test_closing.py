"""Closing the day: what is open in it, what is frozen, and what is corrected afterwards."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.tests.back_office import room
from hotel.business_day import business_date, is_today
from hotel.dashboard import closing
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics
from hotel.dashboard.services import compute_metrics
from hotel.refusals import Refused
from payments import services as money
from payments.models import Payment
from reservations import services
from reservations.models import Guest
from rooms.models import Room, RoomType

DAY = date(2026, 12, 28)
NEXT = DAY + timedelta(days=1)
HALF = Decimal("250000.00")


@pytest.fixture
def clerk(db):
    room("101")
    room("102")
    return User.objects.create(username="sari")


@pytest.fixture
def book(clerk, clock):
    """Return a function that books a room from the 28th on, and leaves the clock at noon of it."""

    def do(number="101", first=0, nights=1, **more):
        clock(2026, 12, 20, 12)
        made = services.book(
            guest=Guest.objects.create(full_name="Ibu Ratna"),
            room_type=RoomType.objects.get(code="STD"),
            arrival=DAY + timedelta(days=first),
            departure=DAY + timedelta(days=first + nights),
            by=clerk,
            room=Room.objects.get(room_number=number),
            **more,
        )
        clock(2026, 12, 28, 12)
        return made

    return do


def refusal(do, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        do(*args, **kwargs)
    return str(refused.value)


def refused_by(rule, sql):
    """Return whether the database refuses a statement, and names the rule."""
    with (
        pytest.raises(IntegrityError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    return rule in str(error.value)


def figures(day=DAY):
    [row] = DailyMetrics.objects.filter(day=day)
    return row.rooms_sold, row.room_revenue, row.arrivals, row.no_shows


def adjusted():
    rows = DailyAdjustment.objects.order_by("adjusted_on", "day")
    return [(row.adjusted_on, row.day, row.rooms_sold, row.room_revenue) for row in rows]


def test_what_is_open_is_listed(book, clerk, clock):
    coming, staying = book("101"), book("102", first=-1, nights=1)
    pending = book("101", first=2, status="pending")
    tomorrow = book("102", first=1)
    clock(2026, 12, 27, 15)
    services.check_in(staying, clerk)
    Room.objects.filter(room_number="102").update(housekeeping_status="dirty")
    clock(2026, 12, 29, 7)
    points = closing.open_points(DAY)
    assert points.arrivals == [coming]
    assert points.departures == [staying]
    assert points.unpaid == [(staying, Decimal(500_000))]
    assert points.dirty == [tomorrow]
    assert points.hinder
    assert closing.open_points(NEXT + timedelta(days=1)).arrivals == [pending]


def test_a_guest_who_is_late_is_expected_on_every_night_of_the_stay(book):
    late = book(nights=3)
    for offset, expected in ((-1, []), (0, [late]), (2, [late]), (3, [])):
        assert closing.open_points(DAY + timedelta(days=offset)).arrivals == expected


def test_who_left_without_paying_is_listed_on_that_day_only(book, clerk, clock):
    stay = book(nights=2)
    services.check_in(stay, clerk)
    clock(2026, 12, 30, 2)
    services.check_out(stay, clerk, allow_debt=True)
    assert closing.open_points(NEXT).unpaid == [(stay, Decimal(1_000_000))]
    assert closing.open_points(DAY).unpaid == []
    assert closing.open_points(NEXT + timedelta(days=1)).unpaid == []


def test_a_day_is_closed_by_somebody_at_some_time(book, clerk, clock):
    services.check_in(book(nights=2), clerk)
    clock(2026, 12, 29, 7)
    row = closing.close_day(DAY, clerk)
    assert (row.day, row.closed_by) == (DAY, clerk)
    assert figures() == (1, 500_000, 1, 0)
    event = row.events.get()
    assert (event.what, event.by, event.business_date) == ("closed", clerk, NEXT)
    assert event.changes["closed_by"] == [None, clerk.pk]


def test_who_closes_a_closed_day_gets_it_as_it_is(clerk, clock):
    clock(2026, 12, 29, 7)
    first = closing.close_day(DAY, clerk)
    again = closing.close_day(DAY, User.objects.create(username="budi"))
    assert (again.closed_by, again.closed_at) == (clerk, first.closed_at)
    assert again.events.count() == 1


def test_a_day_with_open_arrivals_or_departures_is_closed_only_if_that_is_said(book, clerk, clock):
    book()
    clock(2026, 12, 29, 7)
    assert refusal(closing.close_day, DAY, clerk) == (
        "The day of 2026-12-28 is not ready: 1 expected did not come, and 0 who were to leave are"
        " in house. Settle them, or close the day with them open."
    )
    assert not BusinessDay.objects.exists()
    closing.close_day(DAY, clerk, accept_open=True)
    assert figures() == (1, 500_000, 1, 0)


def test_no_shows_are_marked_only_if_that_is_said_and_when_the_day_has_ended(book, clerk, clock):
    stay, pending = book("101"), book("102", status="pending")
    for moment in ((2026, 12, 28, 0, 1), (2026, 12, 28, 23, 59)):
        clock(*moment)
        assert refusal(closing.close_day, DAY, clerk, no_shows=True) == (
            "The day of 2026-12-28 is not over: close it after midnight."
        )
    clock(2026, 12, 29, 5, 59)
    assert refusal(closing.close_day, DAY, clerk, no_shows=True) == (
        "Guests of 2026-12-28 can arrive until 06:00: mark no-shows after that, or close the day"
        " without."
    )
    clock(2026, 12, 29, 6, 0)
    assert "1 expected did not come" in refusal(closing.close_day, DAY, clerk, no_shows=True)
    stay.refresh_from_db()
    assert stay.status == "no_show"
    services.cancel(pending, clerk, "never confirmed")
    closing.close_day(DAY, clerk, no_shows=True)
    assert figures() == (0, 0, 0, 1)


def test_days_are_closed_one_after_the_other(clerk, clock):
    clock(2026, 12, 29, 12)
    assert closing.next_to_close() == DAY
    assert refusal(closing.close_day, NEXT, clerk) == (
        "The day of 2026-12-29 is not over: close it after midnight."
    )
    closing.close_day(DAY - timedelta(days=2), clerk)
    assert closing.next_to_close() == DAY - timedelta(days=1)
    assert refusal(closing.close_day, DAY, clerk) == "The day of 2026-12-27 is to be closed first."
    assert refusal(closing.close_day, DAY - timedelta(days=3), clerk) == (
        "The day of 2026-12-26 is closed: no day before it can be closed any more."
    )


def test_a_day_that_is_closed_after_midnight_ends_then(book, clerk, clock):
    stay = book(nights=2)
    clock(2026, 12, 29, 1, 30)
    early = money.take_payment(stay, HALF, "cash", clerk)
    clock(2026, 12, 29, 2)
    assert business_date() == DAY
    closing.close_day(DAY, clerk, accept_open=True)
    assert business_date() == NEXT
    assert not is_today(early.created_at)
    clock(2026, 12, 29, 2, 30)
    late = money.take_payment(stay, HALF, "cash", clerk)
    assert (early.payment_date, late.payment_date) == (DAY, NEXT)
    assert refusal(money.void, early, clerk, "typo") == (
        f"{early} was recorded on another day: refund it instead."
    )
    assert money.void(late, clerk, "typo").is_voided
    assert services.check_in(stay, clerk).events.get(what="checked_in").business_date == NEXT
    clock(2026, 12, 29, 6)
    assert business_date() == NEXT
    assert refusal(closing.close_day, NEXT, clerk) == (
        "The day of 2026-12-29 is not over: close it after midnight."
    )


def test_figures_of_a_closed_day_never_change(book, clerk, clock):
    stay = book(nights=2)
    services.check_in(stay, clerk)
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk)
    services.reprice(stay, Decimal(700_000), Decimal(0), clerk)
    room("103", room_type=RoomType.objects.create(name="New", code="NEW", default_rate=1))
    [frozen, *others] = compute_metrics(DAY, NEXT)
    assert (frozen.day, frozen.room_revenue) == (DAY, 500_000)
    assert [(row.day, row.room_revenue) for row in others] == [(NEXT, 700_000), (NEXT, 0)]
    assert figures() == (1, 500_000, 1, 0)
    rule = "daily_metrics_of_closed_days"
    assert refused_by(rule, "UPDATE daily_metrics SET room_revenue = 1 WHERE day = '2026-12-28'")
    assert refused_by(rule, "UPDATE daily_metrics SET day = '2026-12-28' WHERE day = '2026-12-29'")
    assert refused_by(rule, "DELETE FROM daily_metrics WHERE day = '2026-12-28'")
    assert refused_by(
        rule,
        "INSERT INTO daily_metrics (day, room_type_id, rooms, rooms_out_of_order, rooms_sold,"
        " room_revenue, arrivals, departures, cancellations, no_shows, computed_at)"
        " SELECT '2026-12-28', id, 0, 0, 0, 0, 0, 0, 0, 0, '2026-12-28 00:00:00+00:00'"
        " FROM room_types WHERE code = 'NEW'",
    )


def test_payments_of_a_closed_day_never_change(book, clerk, clock):
    stay = book(nights=2)
    paid = money.take_payment(stay, HALF, "cash", clerk)
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk, accept_open=True)
    rule = "payments_of_closed_days"
    assert refused_by(rule, "UPDATE payments SET payment_method = 'other'")
    assert refused_by(rule, "UPDATE payments SET is_voided = true, voided_at = '2026-12-29 07:00'")
    copied = "payment_date, reservation_id, amount, payment_method, payment_type, currency"
    assert refused_by(
        rule,
        f"INSERT INTO payments ({copied}) SELECT {copied} FROM payments",
    )
    Payment.objects.update(notes="the guest has the receipt")
    assert refusal(money.void, paid, clerk, "typo") == (
        f"{paid} was recorded on another day: refund it instead."
    )
    back = money.refund(paid, HALF, "cash", clerk, "typo")
    assert back.payment_date == NEXT


def test_a_closed_day_is_not_changed_past_the_services(clerk, clock):
    clock(2026, 12, 29, 7)
    closing.close_day(DAY - timedelta(days=1), clerk)
    closing.close_day(DAY, clerk)
    rule = "business_days_closed_in_order"
    opened = f"closed_at = NULL, closed_by_id = NULL, reopened_by_id = {clerk.pk}"
    opened += ", reopened_at = '2026-12-29 07:00:00+00:00', reopen_reason = 'typo'"
    assert refused_by(rule, f"UPDATE business_days SET {opened} WHERE day = '2026-12-27'")
    assert refused_by(rule, "UPDATE business_days SET closed_at = '2026-12-29 07:00:00+00:00'")
    assert refused_by(rule, "DELETE FROM business_days WHERE day = '2026-12-28'")
    assert refused_by("business_day_events_append_only", "DELETE FROM business_day_events")


def test_what_is_corrected_later_is_an_adjustment_of_the_open_day(book, clerk, clock):
    stay, gone = book("101", nights=3), book("102", nights=2)
    services.check_in(stay, clerk)
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk, accept_open=True)
    services.reprice(stay, Decimal(600_000), Decimal(0), clerk)
    services.mark_no_show(gone, clerk)
    clock(2026, 12, 30, 7)
    [row] = closing.adjustments(NEXT)
    assert (row.adjusted_on, row.day, row.rooms_sold, row.room_revenue) == (
        NEXT,
        DAY,
        -1,
        Decimal("-400000.00"),
    )
    assert (row.arrivals, row.no_shows) == (-1, 1)
    closing.close_day(NEXT, clerk)
    assert adjusted() == [(NEXT, DAY, -1, Decimal("-400000.00"))]
    assert figures() == (2, 1_000_000, 2, 0)
    assert figures(NEXT)[:2] == (1, 600_000)
    assert refused_by("daily_adjustments_of_closed_days", "DELETE FROM daily_adjustments")


def test_the_same_correction_is_adjusted_once(book, clerk, clock):
    stay = book(nights=4)
    services.check_in(stay, clerk)
    for day, rate in ((DAY, 600_000), (NEXT, 600_000), (NEXT + timedelta(days=1), 500_000)):
        clock(day.year, day.month, day.day, 23)
        clock(*(day + timedelta(days=1)).timetuple()[:3], 7)
        closing.close_day(day, clerk)
        services.reprice(stay, Decimal(rate), Decimal(0), clerk)
    clock(2027, 1, 1, 7)
    closing.close_day(date(2026, 12, 31), clerk, accept_open=True)
    more, less = Decimal("100000.00"), Decimal("-100000.00")
    assert adjusted() == [
        (NEXT, DAY, 0, more),
        (date(2026, 12, 31), DAY, 0, less),
        (date(2026, 12, 31), NEXT, 0, less),
        (date(2026, 12, 31), date(2026, 12, 30), 0, less),
    ]
    assert [figures(DAY + timedelta(days=n))[1] for n in range(4)] == [
        500_000,
        600_000,
        600_000,
        500_000,
    ]


def test_rooms_that_come_later_adjust_nothing(book, clerk, clock):
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk)
    room("103")
    assert closing.adjustments(NEXT) == []


def test_the_last_closed_day_is_opened_again_with_a_reason(book, clerk, clock):
    stay = book(nights=3)
    services.check_in(stay, clerk)
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk)
    services.reprice(stay, Decimal(600_000), Decimal(0), clerk)
    clock(2026, 12, 30, 7)
    closing.close_day(NEXT, clerk)
    assert refusal(closing.reopen_day, DAY, clerk, "a wrong rate") == (
        "Only the last closed day can be opened again: that is 2026-12-29."
    )
    assert refusal(closing.reopen_day, NEXT, clerk, " ") == (
        "The day of 2026-12-29 cannot be opened again without a reason: enter one."
    )
    row = closing.reopen_day(NEXT, clerk, " a wrong rate ")
    assert (row.closed_at, row.reopened_by, row.reopen_reason) == (None, clerk, "a wrong rate")
    assert row.events.get(what="reopened").reason == "a wrong rate"
    assert closing.reopen_day(NEXT, clerk, "again").reopen_reason == "a wrong rate"
    services.reprice(stay, Decimal(700_000), Decimal(0), clerk)
    row = closing.close_day(NEXT, clerk)
    assert (row.reopened_at, row.reopen_reason) == (None, None)
    assert [event.what for event in row.events.order_by("pk")] == ["closed", "reopened", "closed"]
    assert (figures()[1], figures(NEXT)[1]) == (500_000, 700_000)
    assert adjusted() == [(NEXT, DAY, 0, Decimal("200000.00"))]


def test_no_other_day_is_opened_again(clerk, clock):
    clock(2026, 12, 29, 7)
    assert refusal(closing.reopen_day, DAY, clerk, "why not") == (
        "The day of 2026-12-28 is not closed."
    )


def test_a_first_day_that_was_opened_again_is_the_next_to_close(clerk, clock):
    clock(2026, 12, 29, 7)
    closing.close_day(DAY, clerk)
    closing.reopen_day(DAY, clerk, "too early")
    clock(2027, 1, 15, 7)
    assert closing.next_to_close() == DAY


def test_a_day_that_is_opened_again_at_night_runs_on(book, clerk, clock):
    stay = book()
    clock(2026, 12, 29, 2)
    closing.close_day(DAY, clerk, accept_open=True)
    assert refusal(services.check_in, stay, clerk) == (
        f"{stay} was to leave on 2026-12-29: change its dates first."
    )
    closing.reopen_day(DAY, clerk, "they came after all")
    assert services.check_in(stay, clerk).status == "checked_in"
