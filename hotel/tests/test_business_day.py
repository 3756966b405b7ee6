"""The hotel's day: which date an instant belongs to, in any zone and whatever clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as configured

from hotel.business_day import business_date, by_clock, end_of, is_today, slept_until

pytestmark = pytest.mark.once

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hotel(settings):
    """Return a function that puts the hotel into a zone, and lets its day end at a time."""

    def put(zone, *ends):
        settings.TIME_ZONE = zone
        settings.HOTEL_DAY_ENDS = time(*ends)

    return put


def local(*moment, fold=0):
    return datetime(*moment, fold=fold, tzinfo=ZoneInfo(configured.TIME_ZONE))


def utc(*moment):
    return datetime(*moment, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ((2026, 12, 28, 6, 0), 28),
        ((2026, 12, 28, 23, 59, 59), 28),
        ((2026, 12, 29, 0, 0), 28),
        ((2026, 12, 29, 5, 59, 59, 999_999), 28),
        ((2026, 12, 29, 6, 0), 29),
    ],
)
def test_the_night_belongs_to_the_day_before(hotel, moment, expected):
    hotel("Asia/Jakarta", 6)
    assert by_clock(local(*moment)) == date(2026, 12, expected)


def test_a_day_that_ends_at_midnight_is_that_of_the_calendar(hotel):
    hotel("Asia/Jakarta", 0)
    assert by_clock(local(2026, 12, 28, 23, 59)) == date(2026, 12, 28)
    assert by_clock(local(2026, 12, 29, 0, 0)) == date(2026, 12, 29)


def test_the_instant_counts_and_not_the_zone_it_is_told_in(hotel):
    hotel("Asia/Jakarta", 6)
    assert by_clock(utc(2026, 12, 28, 22, 59)) == date(2026, 12, 28)
    assert by_clock(utc(2026, 12, 28, 23, 0)) == date(2026, 12, 29)
    assert end_of(date(2026, 12, 28)) == utc(2026, 12, 28, 23, 0)


def test_at_present_it_is_the_date_of_now(db, hotel, clock):
    hotel("Asia/Jakarta", 6)
    clock(2026, 12, 29, 0, 5)
    assert business_date() == date(2026, 12, 28)
    clock(2026, 12, 29, 6, 5)
    assert business_date() == date(2026, 12, 29)


def test_the_database_is_asked_only_at_night(db, hotel, clock, django_assert_num_queries):
    hotel("Asia/Jakarta", 6)
    for moment, asked in [((23, 59), 0), ((0, 0), 1), ((5, 59), 1), ((6, 0), 0)]:
        clock(2026, 12, 29, *moment)
        with django_assert_num_queries(asked):
            business_date()


def test_an_hour_that_comes_twice_ends_the_day_the_first_time(hotel):
    hotel("Europe/Berlin", 2, 30)  # 25 October 2026: 03:00 is 02:00 again
    assert by_clock(local(2026, 10, 25, 2, 29)) == date(2026, 10, 24)
    assert by_clock(local(2026, 10, 25, 2, 30)) == date(2026, 10, 25)
    assert by_clock(local(2026, 10, 25, 2, 0, fold=1)) == date(2026, 10, 25)


def test_a_time_that_clocks_leave_out_ends_the_day_when_it_would_have_been(hotel):
    hotel("Europe/Berlin", 2, 30)  # 29 March 2026: 02:00 is 03:00
    assert end_of(date(2026, 3, 28)) == utc(2026, 3, 29, 1, 30)
    assert by_clock(local(2026, 3, 29, 3, 29)) == date(2026, 3, 28)
    assert by_clock(local(2026, 3, 29, 3, 30)) == date(2026, 3, 29)


def test_clocks_that_go_back_over_midnight_do_not_bring_a_day_back(hotel):
    hotel("America/St_Johns", 0)  # 7 November 2010: 00:01 was 23:01 again
    assert by_clock(local(2010, 11, 7, 0, 0, 30)) == date(2010, 11, 7)
    assert by_clock(local(2010, 11, 6, 23, 30, fold=1)) == date(2010, 11, 7)


def test_a_day_that_a_zone_left_out_has_no_length(hotel):
    hotel("Pacific/Apia", 6)  # after 29 December 2011 came the 31st
    assert by_clock(local(2011, 12, 31, 5, 59)) == date(2011, 12, 29)
    assert by_clock(local(2011, 12, 31, 6, 0)) == date(2011, 12, 31)
    assert end_of(date(2011, 12, 29)) == end_of(date(2011, 12, 30))


@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (2, 30), (6, 0), (12, 0)])
@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Europe/Berlin", (2026, 10, 25)),
        ("Europe/Berlin", (2026, 3, 29)),
        ("America/St_Johns", (2010, 11, 7)),
        ("America/Sao_Paulo", (2018, 2, 18)),
        ("America/Sao_Paulo", (2018, 11, 4)),
        ("Australia/Lord_Howe", (2026, 4, 5)),
        ("Pacific/Apia", (2011, 12, 30)),
        ("Antarctica/Troll", (2026, 10, 25)),
    ],
)
def test_it_never_goes_back_and_changes_when_a_day_ends(hotel, zone, around, ends):
    hotel(zone, *ends)
    moment = utc(*around) - timedelta(days=1, hours=12)
    before = by_clock(moment)
    for _ in range(3 * 24 * 12):
        moment += 5 * MINUTE
        day = by_clock(moment)
        assert day >= before
        assert end_of(day - timedelta(days=1)) <= moment < end_of(day)
        before = day


def test_today_is_the_hotels(db, hotel, clock):
    hotel("Asia/Jakarta", 6)
    clock(2026, 12, 29, 0, 5)
    assert is_today(local(2026, 12, 28, 23, 55)) is True
    assert is_today(local(2026, 12, 28, 5, 55)) is False
    assert is_today(local(2026, 12, 29, 6, 0)) is False
    assert is_today(None) is False
    assert is_today(datetime.max.replace(tzinfo=UTC)) is False
    assert is_today(datetime.min.replace(tzinfo=UTC)) is False


def test_who_leaves_after_midnight_has_slept_in_the_night_that_runs(hotel):
    hotel("Asia/Jakarta", 6)
    assert slept_until(local(2026, 12, 28, 23, 59)) == date(2026, 12, 28)
    assert slept_until(local(2026, 12, 29, 4, 30)) == date(2026, 12, 29)
    assert slept_until(local(2026, 12, 29, 12, 0)) == date(2026, 12, 29)
