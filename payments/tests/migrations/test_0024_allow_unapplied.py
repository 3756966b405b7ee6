"""What was un-applied is a correction in the schema before, and is itself again afterwards."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0024_allow_unapplied")
BEFORE = ("payments", "0023")


def movement(history, key, kind, amount):
    history.insert(
        "deposit_movements",
        id=key,
        reservation_id=1,
        kind=kind,
        amount=amount,
        business_date="2026-11-30",
        evidence="recorded",
    )


@pytest.fixture
def ledger(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1)
    movement(history, 1, "collected", "500.00")
    movement(history, 2, "applied", "300.00")
    movement(history, 3, "corrected", "-10.00")
    return history.go(*MIGRATION)


def kinds(history):
    return [kind for (kind,) in history.execute("SELECT kind FROM deposit_movements ORDER BY id")]


STOOD = ["collected", "applied", "corrected"]


def test_kinds_go_up_and_down_and_up(ledger):
    history = ledger
    movement(history, 4, "unapplied", "100.00")
    for _ in range(2):
        assert kinds(history) == [*STOOD, "unapplied"]
        history.go(*BEFORE)
        assert kinds(history) == [*STOOD, "corrected"]
        history.go(*MIGRATION)
    assert history.execute("SELECT amount FROM deposit_movements WHERE id = 4")[0][0] == 100


def test_the_ledger_is_closed_on_both_sides_and_knows_its_kinds(ledger):
    history = ledger
    for revision, unknown in ((MIGRATION, "lent"), (BEFORE, "unapplied")):
        history.go(*revision)
        for sql in (
            "UPDATE deposit_movements SET amount = 1",
            "DELETE FROM deposit_movements",
        ):
            with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
                history.execute(sql)
        with pytest.raises(IntegrityError), transaction.atomic():
            movement(history, 9, unknown, "1.00")


def test_an_empty_ledger_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert kinds(history) == []
