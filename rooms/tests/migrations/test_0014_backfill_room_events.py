"""Events of rooms begin with what the blocks know, and say so."""

import pytest
from django.utils import timezone

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0014_backfill_room_events")
BEFORE = ("rooms", "0013")
BLOCK = {
    "kind": "out_of_order",
    "start_date": "2025-11-10",
    "reason": "a leak",
    "created_at": "2025-11-07 18:30",
}


@pytest.fixture(autouse=True)
def of_jakarta():
    """Days are those of a hotel in Jakarta, wherever the tests run."""
    with timezone.override("Asia/Jakarta"):
        yield


@pytest.fixture
def blocks(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    for key in (1, 2, 3):
        legacy.room(history, key)
    history.insert("room_blocks", id=1, room_id=1, created_by=1, **BLOCK)
    history.insert("room_blocks", id=2, room_id=2, released_on="2025-11-12", **BLOCK)
    return history


def events(history):
    rows = history.execute(
        "SELECT room_id, what, business_date, by_id, reason FROM room_events ORDER BY room_id, id"
    )
    return [(key, what, str(day), *rest) for key, what, day, *rest in rows]


EXPECTED = [
    (1, "blocked", "2025-11-08", 1, "a leak"),
    (2, "blocked", "2025-11-08", None, "a leak"),
    (2, "released", "2025-11-12", None, "a leak"),
]


def test_events_go_up_and_down_and_up(blocks):
    history = blocks
    for _ in range(2):
        history.go(*MIGRATION)
        assert events(history) == EXPECTED
        assert set(history.execute("SELECT DISTINCT evidence, changes FROM room_events")) == {
            ("legacy_column", None)
        }
        history.go(*BEFORE)
        assert events(history) == []


def test_a_block_is_met_once(blocks):
    history = blocks.go(*MIGRATION)
    history.execute("DELETE FROM room_events WHERE room_id = 1")
    history.go(*BEFORE)
    history.insert("room_blocks", id=3, room_id=3, **BLOCK)
    history.go(*MIGRATION)
    assert [(key, what) for key, what, *_ in events(history)] == [
        *((2, "blocked"), (2, "released"), (3, "blocked"))
    ]


def test_an_event_of_later_survives_the_way_down(blocks):
    history = blocks.go("rooms", "0015")
    later = {"what": "set_clean", "business_date": "2026-01-01", "evidence": "recorded"}
    history.insert("room_events", room_id=3, **later)
    history.go("rooms", "0012").go("rooms", "0015")
    assert events(history) == [*EXPECTED, (3, "set_clean", "2026-01-01", None, None)]


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION)
    assert history.execute("SELECT count(*) FROM room_events") == [(0,)]
