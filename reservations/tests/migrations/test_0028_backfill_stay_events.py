"""Events of stays begin with what the legacy columns know, and say so."""

import pytest
from django.utils import timezone

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0028_backfill_stay_events")
BEFORE = ("reservations", "0027")
BOOKED, CAME, LEFT = "2025-11-01 08:00", "2025-11-08 18:30", "2025-11-09 18:00"
IN = {"checked_in_at": CAME, "checked_in_by": 2}
# key: (the reservation, its events: what, business date, by, reason)
CASES = {
    1: ({"created_at": BOOKED}, [("booked", "2025-11-01", 1, None)]),
    2: ({"created_at": None}, [("booked", "2025-11-08", 1, None)]),  # the day of arrival
    3: (
        {"created_at": BOOKED, "status": "checked_out", "checked_out_at": LEFT, **IN},
        [
            ("booked", "2025-11-01", 1, None),
            ("checked_in", "2025-11-09", 2, None),  # half past one at night in Jakarta
            ("checked_out", "2025-11-10", None, None),
        ],
    ),
    4: (
        {"created_at": BOOKED, "status": "cancelled", "cancelled_at": CAME, "cancel_reason": "ill"},
        [("booked", "2025-11-01", 1, None), ("cancelled", "2025-11-09", None, "ill")],
    ),
    5: (
        {"created_at": BOOKED, "status": "no_show", "cancelled_at": LEFT, "cancel_reason": "-"},
        [("booked", "2025-11-01", 1, None), ("no_show", "2025-11-10", None, "-")],
    ),
    6: (
        {"created_at": BOOKED, "status": "cancelled"},  # nobody knows when
        [("booked", "2025-11-01", 1, None)],
    ),
    7: (
        {"created_at": BOOKED, "checked_out_at": "9999-12-31 23:59:59"},
        [("booked", "2025-11-01", 1, None), ("checked_out", "2025-11-10", None, None)],
    ),
}
EXPECTED = {key: events for key, (_, events) in CASES.items()}


@pytest.fixture(autouse=True)
def of_jakarta():
    """Days are those of a hotel in Jakarta, wherever the tests run."""
    with timezone.override("Asia/Jakarta"):
        yield


@pytest.fixture
def stays(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    legacy.user(history, 2)
    for key, (columns, _) in CASES.items():
        legacy.reservation(history, key, **columns)
    return history


def events(history):
    """Return the events by reservation, in order."""
    rows = history.execute(
        "SELECT reservation_id, what, business_date, by_id, reason FROM reservation_events"
        " ORDER BY reservation_id, id"
    )
    told = {key: [] for key in CASES}
    for key, what, day, *rest in rows:
        told[key].append((what, str(day), *rest))
    return told


def test_events_go_up_and_down_and_up(stays):
    history = stays
    for _ in range(2):
        history.go(*MIGRATION)
        assert events(history) == EXPECTED
        assert set(
            history.execute("SELECT DISTINCT evidence, changes FROM reservation_events")
        ) == {("legacy_column", None)}
        history.go(*BEFORE)
        assert events(history) == {key: [] for key in CASES}


def test_a_reservation_is_met_once(stays):
    history = stays.go(*MIGRATION)
    history.execute("DELETE FROM reservation_events WHERE reservation_id = 1")
    history.go(*BEFORE)
    legacy.reservation(history, 8, created_at=BOOKED)
    history.go(*MIGRATION)
    rows = history.execute("SELECT reservation_id FROM reservation_events WHERE what = 'booked'")
    assert sorted(key for (key,) in rows) == [2, 3, 4, 5, 6, 7, 8]


def test_an_event_of_later_survives_the_way_down(stays):
    history = stays.go("reservations", "0029")
    history.insert(
        "reservation_events",
        reservation_id=1,
        what="confirmed",
        business_date="2026-01-01",
        evidence="recorded",
    )
    history.go("reservations", "0026").go("reservations", "0029")
    assert events(history) == {
        **EXPECTED,
        1: [*EXPECTED[1], ("confirmed", "2026-01-01", None, None)],
    }


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION)
    assert history.execute("SELECT count(*) FROM reservation_events") == [(0,)]
