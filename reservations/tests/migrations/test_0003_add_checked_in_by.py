"""The link to the user who checked the guest in."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0003_add_checked_in_by")
BEFORE = ("reservations", "0002")

COLUMN = {"checked_in_by integer", "checked_in_by -> users.id", "index checked_in_by"}


def checked_in_by(history):
    return legacy.column(history, "reservations", "checked_in_by")


@pytest.fixture
def checked_in(history):
    history.at(MIGRATION)
    for key in (1, 2):
        legacy.user(history, key)
    for key, user in {1: 2, 2: None, 3: 1, 4: 2}.items():
        legacy.reservation(history, key, checked_in_by=user, checked_in_by_name="Siti")
    return history


def test_reservations_keep_everything_and_were_checked_in_by_nobody(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1, checked_in_by_name="user1")
    legacy.reservation(history, 2, status=None)
    shape, rows = legacy.shape(history, "reservations"), history.dump()["reservations"]
    history.go(*MIGRATION)
    assert legacy.shape(history, "reservations") - shape == COLUMN
    assert shape - legacy.shape(history, "reservations") == set()
    assert history.dump()["reservations"] == [{**row, "checked_in_by": None} for row in rows]


def test_links_come_back_after_the_column_was_dropped(checked_in):
    history = checked_in
    history.go(*BEFORE)
    assert not COLUMN & legacy.shape(history, "reservations")
    assert set(legacy.column(history, "reservations", "checked_in_by_name").values()) == {"Siti"}
    assert legacy.archive(history, "row_key", "original") == [("1", "2"), ("3", "1"), ("4", "2")]
    history.execute("DELETE FROM reservations WHERE id = 3")
    legacy.reservation(history, 5)
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert checked_in_by(history) == {1: 2, 2: None, 4: 2, 5: None}
    assert legacy.archive(history, "row_key") == []


def test_a_link_to_a_user_who_was_deleted_meanwhile_stays_away(checked_in):
    history = checked_in
    history.go(*BEFORE)
    history.execute("DELETE FROM users WHERE id = 2")
    history.go(*MIGRATION)
    assert checked_in_by(history) == {1: None, 2: None, 3: 1, 4: None}
