"""The new status takes the place of the old one, whose words come back spelled as they were."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0011_replace_status")
BEFORE = ("reservations", "0010")
FIRST = ("reservations", "0008")  # where the old status stood alone, but for an empty column

# key: (old word, new word)
WORDS = {
    1: ("old_confirmed", "confirmed"),
    2: ("old_checked_in", "checked_in"),
    3: ("pending", "pending"),
    4: ("confirmed", "confirmed"),
    5: ("checked_in", "checked_in"),
    6: ("checked_out", "checked_out"),
    7: ("cancelled", "cancelled"),
    8: ("no_show", "no_show"),
    9: (None, "pending"),
    10: ("", "pending"),
    11: ("Confirmed", "pending"),
    12: (" old_confirmed", "pending"),
    13: ("old_checked_in ", "pending"),
    14: ("\N{FULLWIDTH LATIN SMALL LETTER P}ending", "pending"),
    15: ("canceled", "pending"),
}
OLD = {key: old for key, (old, _) in WORDS.items()}
NEW = {key: new for key, (_, new) in WORDS.items()}


def statuses(history):
    return legacy.column(history, "reservations", "status")


@pytest.fixture
def with_words(history):
    """Reservations that went through 0009 and 0010 with their old words."""
    history.at(("reservations", "0008_add_new_status"))
    for key, word in OLD.items():
        legacy.reservation(history, key, status=word)
    return history.go(*BEFORE)


def test_words_go_up_and_down_and_up(with_words):
    history = with_words
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert statuses(history) == NEW
        history.go(*BEFORE)
        assert statuses(history) == OLD
        assert legacy.column(history, "reservations", "new_status") == NEW
    history.go(*MIGRATION).go(*FIRST)
    assert statuses(history) == OLD


def test_the_new_column_takes_the_place_of_the_old_one(with_words):
    history = with_words
    catalog, shape = history.catalog(), legacy.shape(history, "reservations")
    history.go(*MIGRATION)
    after = legacy.shape(history, "reservations")
    assert shape - after == {
        "status varchar(20)",
        "index status",
        "new_status varchar(20) NOT NULL DEFAULT 'confirmed'",
    }
    assert after - shape == {"status varchar(20) NOT NULL DEFAULT 'confirmed'"}
    history.go(*BEFORE)
    assert legacy.shape(history, "reservations") == shape
    assert history.catalog() == catalog


def test_only_words_that_the_inverse_would_not_give_are_archived(with_words):
    history = with_words
    history.go(*MIGRATION)
    found = legacy.archive(history, "column_name", "row_key", "original", "became")
    assert sorted(found, key=lambda entry: int(entry[1])) == [
        ("status", str(key), *WORDS[key]) for key in (4, 5, 9, 10, 11, 12, 13, 14, 15)
    ]


def test_what_was_changed_since_follows_the_rule(with_words):
    history = with_words
    history.go(*MIGRATION)
    change = "UPDATE reservations SET status = %s WHERE id = %s"
    history.execute(change, ["checked_in", 1])
    history.execute(change, ["checked_out", 2])
    history.execute(change, ["confirmed", 3])
    history.execute(change, ["checked_in", 4])
    history.execute(change, ["confirmed", 5])
    history.execute(change, ["confirmed", 9])
    history.execute(change, ["cancelled", 11])
    history.execute(change, ["no_show", 12])
    history.execute(change, ["confirmed", 14])
    history.execute(change, ["pending", 14])  # there and back again
    history.execute("UPDATE reservations SET adults = 2 WHERE id = 13")
    history.execute("DELETE FROM reservations WHERE id = 15")
    born = ["pending", "confirmed", "checked_in", "checked_out", "cancelled", "no_show"]
    for key, word in enumerate(born, start=21):
        legacy.reservation(history, key, status=word)
    at_head = statuses(history)

    history.go(*BEFORE)
    down = {
        1: "old_checked_in",
        2: "checked_out",
        3: "old_confirmed",
        4: "old_checked_in",
        5: "old_confirmed",
        6: "checked_out",
        7: "cancelled",
        8: "no_show",
        9: "old_confirmed",
        10: "",
        11: "cancelled",
        12: "no_show",
        13: "old_checked_in ",
        14: "\N{FULLWIDTH LATIN SMALL LETTER P}ending",
        21: "pending",
        22: "old_confirmed",
        23: "old_checked_in",
        24: "checked_out",
        25: "cancelled",
        26: "no_show",
    }
    assert statuses(history) == down
    history.go(*FIRST)
    assert statuses(history) == down
    history.go(*MIGRATION)
    assert statuses(history) == at_head


def test_words_written_since_by_an_older_writer_are_caught_up_and_given_back(with_words):
    history = with_words
    # The column of the new word is unknown to the writer and stays what it was by itself.
    legacy.reservation(history, 31, status="old_checked_in")
    legacy.reservation(history, 32, status="cancelled")
    legacy.reservation(history, 33, status="Checked_in")
    legacy.reservation(history, 34, status=None)
    legacy.reservation(history, 35, status="old_confirmed")
    history.execute("UPDATE reservations SET status = 'checked_out' WHERE id = 2")
    history.execute("UPDATE reservations SET status = 'old_checked_in' WHERE id = 9")
    old = {
        **OLD,
        2: "checked_out",
        9: "old_checked_in",
        31: "old_checked_in",
        32: "cancelled",
        33: "Checked_in",
        34: None,
        35: "old_confirmed",
    }
    stale = {**NEW, **dict.fromkeys(range(31, 36), "confirmed")}
    assert statuses(history) == old
    assert legacy.column(history, "reservations", "new_status") == stale
    for _ in range(2):
        history.go(*MIGRATION)
        assert statuses(history) == {
            **NEW,
            2: "checked_out",
            9: "checked_in",
            31: "checked_in",
            32: "cancelled",
            33: "pending",
            34: "pending",
            35: "confirmed",
        }
        history.go(*BEFORE)
        assert statuses(history) == old
        assert legacy.column(history, "reservations", "new_status") == stale
    history.go(*MIGRATION).go(*FIRST)
    assert statuses(history) == old


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
    assert legacy.archive(history, "row_key") == []
