"""The nights are counted by the database; what stood there comes back on the way down."""

import logging

import pytest
from django.db import DatabaseError

from hotel.migrator.tests.legacy import column, reservation

KEY = ("reservations", "0017_replace_number_of_nights")


def test_nights_are_counted_whatever_stood_there(history):
    history.before(KEY)
    reservation(history, 1, number_of_nights=None)
    reservation(history, 2, number_of_nights=7)
    reservation(history, 3, number_of_nights=2, check_out_date="2025-12-08")
    history.go(*KEY)
    assert column(history, "reservations", "number_of_nights") == {1: 2, 2: 2, 3: 30}


def test_the_numbers_that_change_are_printed(history, caplog):
    history.before(KEY)
    reservation(history, 1, number_of_nights=None)
    reservation(history, 2, number_of_nights=7)
    reservation(history, 3, number_of_nights=2)
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.go(*KEY)
    assert [record.getMessage().strip() for record in caplog.records] == [
        f"{'.'.join(KEY)}: number_of_nights computed by the database: changed 1 (id 2), filled 1;"
        " what was stored is in migrator_archive"
    ]


def test_nights_that_nobody_had_stored_are_counted(history, caplog):
    history.before(KEY)
    reservation(history, 1, number_of_nights=None)
    reservation(history, 2, number_of_nights=None)
    with caplog.at_level(logging.INFO, "hotel.migrator"):
        history.go(*KEY)
    assert [record.getMessage().strip() for record in caplog.records] == [
        f"{'.'.join(KEY)}: number_of_nights computed by the database: changed 0, filled 2;"
        " what was stored is in migrator_archive"
    ]


def test_numbers_come_back_and_a_later_stay_has_none(history):
    history.before(KEY)
    reservation(history, 1, number_of_nights=None)
    reservation(history, 2, number_of_nights=7)
    before = history.dump()["reservations"]
    history.go(*KEY)
    reservation(history, 3)
    history.execute("UPDATE reservations SET check_out_date = '2025-11-20' WHERE id = 2")
    history.go("reservations", "0016")
    assert column(history, "reservations", "number_of_nights") == {1: None, 2: 7, 3: None}
    history.execute("DELETE FROM reservations WHERE id = 3")
    history.execute("UPDATE reservations SET check_out_date = '2025-11-10' WHERE id = 2")
    assert history.dump()["reservations"] == before


def test_nobody_writes_the_number(history):
    history.at(KEY)
    with pytest.raises(DatabaseError):
        reservation(history, 1, number_of_nights=3)
