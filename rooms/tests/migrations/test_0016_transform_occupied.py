"""Rooms are occupied where guests are in house; the words before return on the way down."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0016_transform_occupied")
BEFORE = ("rooms", "0015")
# room: its word before, the status of its stay, its word after
ROOMS = {
    1: ("available", "checked_in", "occupied"),
    2: ("occupied", "checked_in", "occupied"),
    3: ("occupied", "checked_out", "available"),
    4: ("occupied", None, "available"),
    5: ("available", "confirmed", "available"),
    6: ("maintenance", None, "maintenance"),
    7: ("out_of_order", "checked_in", "occupied"),
}


@pytest.fixture
def house(history):
    history.before(MIGRATION)
    for key, (word, status, _) in ROOMS.items():
        legacy.room(history, key, status=word)
        if status:
            at = {"checked_in_at": "2025-11-08 12:00", "checked_out_at": "2025-11-10 12:00"}
            legacy.reservation(history, key, room_id=key, status=status, **at)
    return history


def test_statuses_go_up_and_down_and_up(house):
    for _ in range(2):
        house.go(*MIGRATION)
        assert legacy.column(house, "rooms", "status") == {
            key: after for key, (*_, after) in ROOMS.items()
        }
        house.go(*BEFORE)
        assert legacy.column(house, "rooms", "status") == {
            key: before for key, (before, *_) in ROOMS.items()
        }


def test_what_was_changed_since_stays(house):
    house.go(*MIGRATION)
    house.execute("UPDATE rooms SET status = 'maintenance' WHERE id IN (1, 3)")
    house.go(*BEFORE)
    words = legacy.column(house, "rooms", "status")
    assert (words[1], words[3], words[4]) == ("maintenance", "maintenance", "occupied")


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION)
    assert history.execute("SELECT count(*) FROM rooms") == [(0,)]
