"""Whether a room is clean: a column that is clean by itself."""

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0002_add_housekeeping_status")
BEFORE = ("rooms", "0001")

COLUMN = {"housekeeping_status varchar(20) NOT NULL DEFAULT 'clean'"}


def housekeeping(history):
    return legacy.column(history, "rooms", "housekeeping_status")


def test_rooms_keep_everything_and_are_clean(history):
    history.before(MIGRATION)
    legacy.room(history, 1, status="occupied")
    legacy.room(history, 2, status=None, custom_rate="0.10", room_number="Clean ")
    shape, rows = legacy.shape(history, "rooms"), history.dump()["rooms"]
    history.go(*MIGRATION)
    assert legacy.shape(history, "rooms") - shape == COLUMN
    assert shape - legacy.shape(history, "rooms") == set()
    assert history.dump()["rooms"] == [{**row, "housekeeping_status": "clean"} for row in rows]

    legacy.room(history, 3)  # an older writer does not name the column
    assert housekeeping(history)[3] == "clean"


def test_what_housekeeping_found_comes_back_after_the_column_was_dropped(history):
    history.at(MIGRATION)
    found = ["clean", "dirty", "inspected", "Dirty ", "", "\N{FULLWIDTH LATIN SMALL LETTER D}irty"]
    for key, word in enumerate(found, start=1):
        legacy.room(history, key, housekeeping_status=word)
    history.go(*BEFORE)
    assert not COLUMN & legacy.shape(history, "rooms")
    assert legacy.archive(history, "row_key", "original") == [
        ("2", "dirty"),
        ("3", "inspected"),
        ("4", "Dirty "),
        ("5", ""),
        ("6", "\N{FULLWIDTH LATIN SMALL LETTER D}irty"),
    ]
    legacy.room(history, 7)
    history.execute("DELETE FROM rooms WHERE id = 3")
    history.execute("UPDATE rooms SET status = 'occupied' WHERE id = 2")

    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert housekeeping(history) == {
            1: "clean",
            2: "dirty",
            4: "Dirty ",
            5: "",
            6: "\N{FULLWIDTH LATIN SMALL LETTER D}irty",
            7: "clean",
        }
    assert legacy.archive(history, "row_key") == []


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["rooms"] == []
