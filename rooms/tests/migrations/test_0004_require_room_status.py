"""A room always has a status; those written without one since get it by the same rule."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0004_require_room_status")
BEFORE = ("rooms", "0003")


def statuses(history):
    return legacy.column(history, "rooms", "status")


def test_the_column_becomes_not_null_and_nothing_else_changes(history):
    history.before(MIGRATION)
    for key, word in enumerate(["available", "occupied", "maintenance", "out_of_order"], start=1):
        legacy.room(history, key, status=word, housekeeping_status="inspected", floor=key)
    catalog, shape, rows = history.catalog(), legacy.shape(history, "rooms"), history.dump()
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            after = legacy.shape(history, "rooms")
            assert shape - after == {"status varchar(20)"}
            assert after - shape == {"status varchar(20) NOT NULL DEFAULT 'available'"}
            assert history.dump() == rows
        history.go(*BEFORE)
        assert history.catalog() == catalog
        assert history.dump() == rows


def test_a_room_without_status_is_refused_and_one_that_names_none_is_available(history):
    history.at(MIGRATION)
    legacy.room_type(history, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        legacy.room(history, 1, status=None)
    history.insert("rooms", id=2, room_number="R2", room_type_id=1)
    assert statuses(history) == {2: "available"}


def test_rooms_written_since_get_a_status_and_go_back_without(history):
    history.at(("rooms", "0002_add_housekeeping_status"))
    legacy.room(history, 1, status=None)
    legacy.room(history, 2, status="occupied")
    history.go(*BEFORE)
    for key in (3, 4, 5):
        legacy.room(history, key, status=None)
    history.execute("UPDATE rooms SET status = NULL WHERE id = 2")
    late = {1: "available", 2: None, 3: None, 4: None, 5: None}
    assert statuses(history) == late
    for _ in range(2):
        history.go(*MIGRATION)
        assert statuses(history) == dict.fromkeys(late, "available")
        history.go(*BEFORE)
        assert statuses(history) == late

    history.go(*MIGRATION)
    history.execute("UPDATE rooms SET status = 'occupied' WHERE id = 3")
    history.execute("DELETE FROM rooms WHERE id = 4")
    legacy.room(history, 6)
    history.go(*BEFORE)
    assert statuses(history) == {1: "available", 2: None, 3: "occupied", 5: None, 6: "available"}
    history.go("rooms", "0002")
    assert statuses(history) == {1: None, 2: None, 3: "occupied", 5: None, 6: "available"}


def test_words_written_since_become_one_of_the_four_and_go_back(history):
    history.before(MIGRATION)
    late = {1: "reserved", 2: "Occupied", 3: "", 4: "maintenance"}
    for key, word in late.items():
        legacy.room(history, key, status=word)
    history.go(*MIGRATION)
    assert statuses(history) == {1: "available", 2: "available", 3: "available", 4: "maintenance"}
    history.go(*BEFORE)
    assert statuses(history) == late


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["rooms"] == []
    assert legacy.archive(history, "row_key") == []
