"""The new column gets one of six words; the old one keeps its own."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0009_transform_status")
BEFORE = ("reservations", "0008")

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
    12: ("OLD_CONFIRMED", "pending"),
    13: (" confirmed", "pending"),
    14: ("confirmed ", "pending"),
    15: ("old_confirmed\n", "pending"),
    16: ("\N{FULLWIDTH LATIN SMALL LETTER C}onfirmed", "pending"),
    17: ("\N{CYRILLIC SMALL LETTER ES}onfirmed", "pending"),
    18: ("old_checked_out", "pending"),
    19: ("old_cancelled", "pending"),
    20: ("canceled", "pending"),
    21: ("no-show", "pending"),
    22: ("checked in", "pending"),
    23: ("old confirmed", "pending"),
    24: ("NULL", "pending"),
}
OLD = {key: old for key, (old, _) in WORDS.items()}
NEW = {key: new for key, (_, new) in WORDS.items()}


def new_words(history):
    return legacy.column(history, "reservations", "new_status")


def old_words(history):
    return legacy.column(history, "reservations", "status")


@pytest.fixture
def with_words(history):
    history.before(MIGRATION)
    for key, word in OLD.items():
        legacy.reservation(history, key, status=word)
    return history


def test_words_go_up_and_down_and_up(with_words):
    history = with_words
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert new_words(history) == NEW
            assert old_words(history) == OLD
        assert legacy.archive(history, "row_key") == []  # the old column still holds every word
        history.go(*BEFORE)
        assert new_words(history) == dict.fromkeys(WORDS)
        assert old_words(history) == OLD


def test_new_words_changed_since_come_back_unless_the_old_one_was_changed(with_words):
    history = with_words
    history.go(*MIGRATION)
    history.execute("UPDATE reservations SET new_status = 'no_show' WHERE id IN (1, 9, 11)")
    history.execute("UPDATE reservations SET new_status = NULL WHERE id = 2")
    history.execute("DELETE FROM reservations WHERE id = 3")
    legacy.reservation(history, 31, status="old_checked_in", new_status="cancelled")
    legacy.reservation(history, 32, status="old_checked_in", new_status=None)
    history.go(*BEFORE)
    words = {**OLD, 31: "old_checked_in", 32: "old_checked_in"}
    del words[3]
    assert old_words(history) == words
    assert new_words(history) == dict.fromkeys(words)

    history.execute("UPDATE reservations SET status = 'checked_out' WHERE id = 11")
    history.go(*MIGRATION)
    expected = {**NEW, 1: "no_show", 9: "no_show", 2: None, 31: "cancelled", 32: None}
    expected[11] = "checked_out"  # its old word was changed, so the rule decides
    del expected[3]
    assert new_words(history) == expected


def test_new_words_from_before_are_given_back(with_words):
    history = with_words
    history.execute("UPDATE reservations SET new_status = 'Weird ' WHERE id IN (1, 9)")
    history.go(*MIGRATION)
    assert new_words(history) == NEW
    history.go(*BEFORE)
    assert new_words(history) == {**dict.fromkeys(WORDS), 1: "Weird ", 9: "Weird "}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
    assert legacy.archive(history, "row_key") == []
