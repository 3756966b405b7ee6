"""Forms that have added a row: an empty table, whose rows come back after it was dropped."""

import pytest
from django.db import IntegrityError

from hotel.migrator.tests import legacy

MIGRATION = ("dashboard", "0004_add_sent_forms")
BEFORE = ("dashboard", "0003")

SENT_FORMS = """
    id integer NOT NULL KEY
    key varchar(64) NOT NULL
    unique key
    model varchar(100) NOT NULL
    row varchar(64) NOT NULL
    sent_at datetime NOT NULL
"""


def form(history, key):
    columns = {"model": "payments.Expense", "row": "7", "sent_at": "2026-11-29 03:42:00"}
    history.insert("sent_forms", key=key, **columns)


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.payment(history, 1)
    rows = history.dump()
    history.step(MIGRATION)
    assert legacy.shape(history, "sent_forms") == legacy.lines(SENT_FORMS)
    assert history.dump() == {**rows, "sent_forms": []}


def test_forms_come_back_after_the_table_was_dropped_and_are_sent_once(history):
    history.at(MIGRATION)
    form(history, "a")
    rows = history.dump()["sent_forms"]
    history.go(*BEFORE)
    assert "sent_forms" not in history.tables()
    history.go(*MIGRATION)
    assert history.dump()["sent_forms"] == rows
    with pytest.raises(IntegrityError):
        form(history, "a")
