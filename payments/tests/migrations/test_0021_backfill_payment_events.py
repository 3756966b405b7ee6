"""Events of payments begin with what the legacy columns know, and say so."""

import pytest
from django.utils import timezone

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0021_backfill_payment_events")
BEFORE = ("payments", "0020")
TAKEN, VOIDED = "2025-11-07 18:30", "2025-11-08 17:30"
# key: (the payment, its events: what, business date, by, reason)
CASES = {
    1: ({"created_at": TAKEN, "created_by": 1}, [("taken", "2025-11-08", 1, None)]),
    2: ({"created_at": None, "created_by": None}, [("taken", "2025-11-08", None, None)]),
    3: (
        {"is_refund": True, "refund_reason": "asked", "created_by": 1},
        [("refunded", "2025-11-08", 1, "asked")],
    ),
    4: (
        {"is_voided": True, "voided_at": VOIDED, "voided_by": 2, "void_reason": "twice"},
        [("taken", "2025-11-08", None, None), ("voided", "2025-11-09", 2, "twice")],
    ),
    5: ({"is_refund": None, "is_voided": None}, [("taken", "2025-11-08", None, None)]),
}
EXPECTED = {key: events for key, (_, events) in CASES.items()}


@pytest.fixture(autouse=True)
def of_jakarta():
    """Days are those of a hotel in Jakarta, wherever the tests run."""
    with timezone.override("Asia/Jakarta"):
        yield


@pytest.fixture
def payments(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    legacy.user(history, 2)
    for key, (columns, _) in CASES.items():
        legacy.payment(history, key, **columns)
    return history


def events(history):
    """Return the events by payment, in order."""
    rows = history.execute(
        "SELECT payment_id, what, business_date, by_id, reason FROM payment_events"
        " ORDER BY payment_id, id"
    )
    told = {key: [] for key in CASES}
    for key, what, day, *rest in rows:
        told[key].append((what, str(day), *rest))
    return told


def test_events_go_up_and_down_and_up(payments):
    history = payments
    for _ in range(2):
        history.go(*MIGRATION)
        assert events(history) == EXPECTED
        assert set(history.execute("SELECT DISTINCT evidence, changes FROM payment_events")) == {
            ("legacy_column", None)
        }
        history.go(*BEFORE)
        assert events(history) == {key: [] for key in CASES}


def test_a_payment_is_met_once(payments):
    history = payments.go(*MIGRATION)
    history.execute("DELETE FROM payment_events WHERE payment_id = 1")
    history.go(*BEFORE)
    legacy.payment(history, 6)
    history.go(*MIGRATION)
    rows = history.execute("SELECT payment_id FROM payment_events WHERE what = 'taken'")
    assert sorted(key for (key,) in rows) == [2, 4, 5, 6]


def test_an_event_of_later_survives_the_way_down(payments):
    history = payments.go("payments", "0022")
    later = {"what": "voided", "business_date": "2026-01-01", "evidence": "recorded"}
    history.insert("payment_events", payment_id=1, **later)
    history.go("payments", "0019").go("payments", "0022")
    assert events(history) == {**EXPECTED, 1: [*EXPECTED[1], ("voided", "2026-01-01", None, None)]}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION)
    assert history.execute("SELECT count(*) FROM payment_events") == [(0,)]
