"""The new status is always filled; rows written since get it by the same rule."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0010_require_new_status")
BEFORE = ("reservations", "0009")


def words(history):
    return legacy.column(history, "reservations", "new_status")


def test_the_column_becomes_not_null_and_nothing_else_changes(history):
    history.before(MIGRATION)
    for key, word in enumerate(["pending", "confirmed", "checked_in", "no_show"], start=1):
        legacy.reservation(history, key, status=None, new_status=word)
    catalog, shape, rows = history.catalog(), legacy.shape(history, "reservations"), history.dump()
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            after = legacy.shape(history, "reservations")
            assert shape - after == {"new_status varchar(20)"}
            assert after - shape == {"new_status varchar(20) NOT NULL DEFAULT 'confirmed'"}
            assert history.dump() == rows
        history.go(*BEFORE)
        assert history.catalog() == catalog
        assert history.dump() == rows


def test_a_reservation_without_new_status_is_refused_and_one_that_names_none_is_confirmed(history):
    history.at(MIGRATION)
    legacy.reservation(history, 1, status="old_confirmed")
    with pytest.raises(IntegrityError), transaction.atomic():
        legacy.reservation(history, 2, new_status=None)
    assert words(history) == {1: "confirmed"}


def test_reservations_written_since_get_their_new_word_and_go_back_without(history):
    history.at(("reservations", "0008_add_new_status"))
    legacy.reservation(history, 1, status="old_checked_in")
    legacy.reservation(history, 2, status="cancelled")
    history.go(*BEFORE)
    older_writer = {
        3: "old_checked_in",
        4: "old_confirmed",
        5: "checked_out",
        6: "Checked_out",
        7: None,
    }
    for key, word in older_writer.items():
        legacy.reservation(history, key, status=word)
    history.execute("UPDATE reservations SET new_status = NULL WHERE id = 2")
    late = {1: "checked_in", 2: None, 3: None, 4: None, 5: None, 6: None, 7: None}
    assert words(history) == late
    for _ in range(2):
        history.go(*MIGRATION)
        assert words(history) == {
            1: "checked_in",
            2: "cancelled",
            3: "checked_in",
            4: "confirmed",
            5: "checked_out",
            6: "pending",
            7: "pending",
        }
        history.go(*BEFORE)
        assert words(history) == late

    history.go(*MIGRATION)
    history.execute("UPDATE reservations SET new_status = 'no_show' WHERE id = 4")
    history.execute("DELETE FROM reservations WHERE id = 5")
    legacy.reservation(history, 8)
    history.go(*BEFORE)
    assert words(history) == {
        1: "checked_in",
        2: None,
        3: None,
        4: "no_show",
        6: None,
        7: None,
        8: "confirmed",
    }
    stays = legacy.column(history, "reservations", "status")
    assert stays == {
        1: "old_checked_in",
        2: "cancelled",
        3: "old_checked_in",
        4: "old_confirmed",
        6: "Checked_out",
        7: None,
        8: "confirmed",
    }


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
    assert legacy.archive(history, "row_key") == []
