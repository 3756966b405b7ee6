"""Rooms get one of four status words, and housekeeping starts from it."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0003_transform_room_status")
BEFORE = ("rooms", "0002")

# key: (what the legacy system had, status, housekeeping)
WORDS = {
    1: ("available", "available", "clean"),
    2: ("occupied", "occupied", "dirty"),
    3: ("maintenance", "maintenance", "dirty"),
    4: ("out_of_order", "out_of_order", "dirty"),
    5: (None, "available", "clean"),
    6: ("reserved", "available", "clean"),
    7: ("blocked", "available", "clean"),
    8: ("", "available", "clean"),
    9: ("Occupied", "available", "clean"),
    10: (" occupied", "available", "clean"),
    11: ("occupied ", "available", "clean"),
    12: ("occupied\n", "available", "clean"),
    13: ("\N{FULLWIDTH LATIN SMALL LETTER O}ccupied", "available", "clean"),
    14: ("\N{CYRILLIC SMALL LETTER O}ccupied", "available", "clean"),
    15: ("out-of-order", "available", "clean"),
    16: ("AVAILABLE", "available", "clean"),
}
LEGACY = {key: word for key, (word, *_) in WORDS.items()}


def statuses(history):
    return legacy.column(history, "rooms", "status")


def housekeeping(history):
    return legacy.column(history, "rooms", "housekeeping_status")


@pytest.fixture
def with_rooms(history):
    history.before(MIGRATION)
    for key, word in LEGACY.items():
        legacy.room(history, key, status=word)
    return history


def test_words_go_up_and_down_and_up(with_rooms):
    history = with_rooms
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert statuses(history) == {key: status for key, (_, status, _) in WORDS.items()}
            assert housekeeping(history) == {key: found for key, (_, _, found) in WORDS.items()}
        history.go(*BEFORE)
        assert statuses(history) == LEGACY
        assert housekeeping(history) == dict.fromkeys(WORDS, "clean")


def test_only_words_that_were_changed_are_archived(with_rooms):
    with_rooms.go(*MIGRATION)
    found = legacy.archive(with_rooms, "column_name", "row_key", "original", "became")
    assert sorted(found, key=lambda entry: int(entry[1])) == [
        ("status", str(key), LEGACY[key], "available") for key in range(5, 17)
    ]


def test_rooms_changed_since_keep_their_new_word_on_the_way_down(with_rooms):
    history = with_rooms
    history.go(*MIGRATION)
    change = "UPDATE rooms SET status = %s WHERE id = %s"
    history.execute(change, ["occupied", 1])
    history.execute(change, ["maintenance", 5])  # was NULL
    history.execute(change, ["out_of_order", 9])  # was "Occupied"
    history.execute("UPDATE rooms SET notes = 'edited' WHERE id = 6")  # the status was not
    history.execute("DELETE FROM rooms WHERE id = 10")
    legacy.room(history, 21, status="maintenance", housekeeping_status="dirty")
    history.go(*BEFORE)
    expected = {**LEGACY, 1: "occupied", 5: "maintenance", 9: "out_of_order", 21: "maintenance"}
    del expected[10]
    assert statuses(history) == expected

    history.go(*MIGRATION)
    found = statuses(history)
    assert (found[5], found[9], found[21]) == ("maintenance", "out_of_order", "maintenance")
    assert found[6] == "available"
    assert 10 not in found


def test_what_housekeeping_found_since_comes_back_unless_the_status_was_changed(with_rooms):
    history = with_rooms
    history.go(*MIGRATION)
    history.execute("UPDATE rooms SET housekeeping_status = 'inspected' WHERE id IN (1, 2, 5, 6)")
    history.execute("UPDATE rooms SET housekeeping_status = 'dirty' WHERE id = 16")
    history.go(*BEFORE)
    assert housekeeping(history) == dict.fromkeys(WORDS, "clean")

    history.execute("UPDATE rooms SET status = 'occupied' WHERE id IN (1, 6)")
    history.go(*MIGRATION)
    found = housekeeping(history)
    assert (found[2], found[5], found[16]) == ("inspected", "inspected", "dirty")
    assert (found[1], found[6]) == ("dirty", "dirty")  # occupied by now: the rule decides
    assert found[3] == "dirty"


def test_housekeeping_from_before_is_given_back(with_rooms):
    history = with_rooms
    history.execute("UPDATE rooms SET housekeeping_status = 'inspected' WHERE id = 1")
    history.execute("UPDATE rooms SET housekeeping_status = 'dirty' WHERE id = 6")
    history.go(*MIGRATION)
    found = housekeeping(history)
    assert (found[1], found[6]) == ("clean", "clean")
    history.go(*BEFORE)
    assert housekeeping(history) == {**dict.fromkeys(WORDS, "clean"), 1: "inspected", 6: "dirty"}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["rooms"] == []
    assert legacy.archive(history, "row_key") == []
