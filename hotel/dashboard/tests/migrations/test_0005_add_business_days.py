"""The hotel's days: empty tables, whose rows come back after they were dropped (0005 to 0008)."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

DAYS = ("dashboard", "0005_add_business_days")
EVENTS = ("dashboard", "0006_add_business_day_events")
ADJUSTMENTS = ("dashboard", "0007_add_daily_adjustments")
RESTRICTED = ("dashboard", "0008_restrict_closed_days")
CLOSED = "2026-12-29 07:00:00.000001"

BUSINESS_DAYS = """
    id integer NOT NULL KEY
    day date NOT NULL
    unique day
    closed_at datetime
    closed_by_id integer
    closed_by_id -> users.id
    index closed_by_id
    reopened_at datetime
    reopened_by_id integer
    reopened_by_id -> users.id
    index reopened_by_id
    reopen_reason text
"""
NO_CHANGES = dict.fromkeys(["arrivals", "departures", "cancellations", "no_shows"], 0)


def close(history, key, day):
    if not history.execute("SELECT 1 FROM users"):
        legacy.payment(history, 1)
    history.insert("business_days", id=key, day=day, closed_at=CLOSED, closed_by_id=1)


def event(history, key, day):
    history.insert(
        "business_day_events",
        id=key,
        business_day_id=day,
        what="closed",
        business_date="2026-12-29",
    )


def adjust(history, key, **columns):
    plain = {"adjusted_on": "2026-12-28", "day": "2026-12-27", "room_type_id": 1, "rooms_sold": -1}
    row = {**plain, "room_revenue": "-500000.25", **NO_CHANGES, **columns}
    history.insert("daily_adjustments", id=key, **row)


def figures(history, key, day):
    counts = {"rooms": 3, "rooms_out_of_order": 1, "rooms_sold": 2, "room_revenue": "1000000.25"}
    plain = {"day": day, "room_type_id": 1, "computed_at": CLOSED}
    history.insert("daily_metrics", id=key, **plain, **counts, **NO_CHANGES)


def refused(history, sql):
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False


def test_makes_an_empty_table_beside_the_others(history):
    history.before(DAYS)
    legacy.payment(history, 1)
    rows = history.dump()
    history.step(DAYS)
    assert legacy.shape(history, "business_days") == legacy.lines(BUSINESS_DAYS)
    assert history.dump() == {**rows, "business_days": []}


def test_days_events_and_adjustments_come_back_with_their_keys(history):
    history.at(ADJUSTMENTS)
    close(history, 5, "2026-12-27")
    close(history, 3, "2026-12-28")  # in whatever order they were written
    event(history, 8, 5)
    event(history, 9, 3)
    adjust(history, 4)
    history.go(*RESTRICTED)
    figures(history, 2, "2026-12-30")
    rows = history.dump()
    for target in (("dashboard", "0007"), ("dashboard", "0004")):
        history.go(*target)
        history.go(*RESTRICTED)
        assert history.dump() == rows
    history.insert(
        "business_days", id=9, day="2026-12-29", closed_at=CLOSED, closed_by_id=1
    )  # the next one


def test_a_day_is_closed_or_open_again(history):
    history.at(DAYS)
    close(history, 1, "2026-12-27")
    assert refused(history, "UPDATE business_days SET closed_by_id = NULL")
    assert refused(history, "UPDATE business_days SET reopened_at = closed_at")
    assert refused(history, "INSERT INTO business_days (id, day) VALUES (2, '2026-12-28')")
    assert refused(history, "UPDATE business_days SET closed_at = NULL, closed_by_id = NULL")
    assert not refused(history, "DELETE FROM business_days")


@pytest.mark.parametrize(
    "change",
    [{"day": "2026-12-28"}, {"day": "2026-12-29"}, {"adjusted_on": "2026-12-28"}],
    ids=str,
)
def test_only_days_before_are_adjusted_and_each_once(history, change):
    history.at(ADJUSTMENTS)
    legacy.room_type(history, 1)
    adjust(history, 1)
    with pytest.raises(IntegrityError):
        adjust(history, 2, **change)


HELD = [
    "UPDATE daily_metrics SET rooms_sold = 1",
    "DELETE FROM daily_metrics",
    "UPDATE daily_adjustments SET rooms_sold = 1",
    "DELETE FROM daily_adjustments",
    "DELETE FROM business_day_events",
    "DELETE FROM business_days",
]


def test_what_is_closed_is_held_from_then_on_and_no_longer_on_the_way_back(history):
    history.at(ADJUSTMENTS)
    close(history, 1, "2026-12-27")
    close(history, 2, "2026-12-28")
    event(history, 1, 2)
    adjust(history, 1)
    figures(history, 1, "2026-12-28")
    assert [refused(history, sql) for sql in HELD[:5]] == [False] * 5
    history.step(RESTRICTED)
    assert [refused(history, sql) for sql in HELD] == [True] * 6
    history.step_back(RESTRICTED)
    assert [refused(history, sql) for sql in HELD[:5]] == [False] * 5
