"""What ``migrate`` refuses before its first statement."""

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator.tables import Cursor
from hotel.migrator.tests import legacy

BACKFILL = ("reservations", "0005_backfill_deposit_amount")
OWNER = "reservations.0005_backfill_deposit_amount#0"


def interrupt(direction):
    """Leave what a killed run leaves: a cursor, and a record that says nothing of it."""
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner=f"{OWNER} {direction}", last_key="1", **counts)


def refusal(history, *target):
    with pytest.raises(CommandError) as refused:
        history.migrate(*target)
    return str(refused.value), refused.value.returncode


def test_cursors_of_finished_migrations_are_deleted(history):
    history.initial().load_sample().migrate(*BACKFILL)
    assert not Cursor.objects.exists()
    interrupt("forward")  # it is applied, so this one is of a run that ended
    history.migrate("reservations", "0006")
    assert not Cursor.objects.exists()


def test_what_was_interrupted_on_its_way_up_goes_up_before_anything_else(history):
    history.before(BACKFILL)
    legacy.reservation(history, 1)
    legacy.reservation(history, 2)
    history.migrate(*BACKFILL).migrate("reservations", "0004")  # makes the tables
    interrupt("forward")
    before = history.dump()
    sentence = (
        "reservations.0005_backfill_deposit_amount was interrupted on its way up:"
        " finish it first with manage.py migrate reservations 0005_backfill_deposit_amount."
    )
    assert refusal(history, "reservations", "0001") == (sentence, 6)
    assert refusal(history, "reservations", "0004") == (sentence, 6)
    assert history.dump() == before
    history.migrate(*BACKFILL)
    deposits = "SELECT id, deposit_amount FROM reservations ORDER BY id"
    assert history.execute(deposits) == [(1, None), (2, 0)]
    history.migrate("reservations", "0001")
    assert not Cursor.objects.exists()


def test_what_was_interrupted_on_its_way_down_goes_down_before_anything_else(history):
    history.at(BACKFILL)
    legacy.reservation(history, 1)
    history.migrate("reservations", "0004").migrate(*BACKFILL)
    interrupt("backward")
    sentence = (
        "reservations.0005_backfill_deposit_amount was interrupted on its way down:"
        " finish it first with manage.py migrate reservations 0004_add_deposit_columns."
    )
    assert refusal(history) == (sentence, 6)
    assert refusal(history, *BACKFILL) == (sentence, 6)
    history.migrate("reservations", "0004").migrate()
    assert not Cursor.objects.exists()


def test_what_another_process_has_run_meanwhile_is_not_run_again(history):
    history.before(BACKFILL)
    legacy.reservation(history, 1)
    executor = MigrationExecutor(connection)  # its plan is made, and then somebody else is faster
    plan = [(executor.loader.graph.nodes[BACKFILL], False)]
    history.migrate(*BACKFILL)
    with pytest.raises(CommandError) as refused:
        executor.migrate([], plan=plan)
    assert str(refused.value) == (
        "reservations.0005_backfill_deposit_amount was run by another process meanwhile,"
        " and nothing is lost: run the same command again."
    )
    assert not Cursor.objects.exists()
    history.migrate("reservations", "0004")
    assert history.execute("SELECT deposit_amount FROM reservations") == [(None,)]


@pytest.mark.sqlite
def test_a_row_without_its_parent_is_found_before_anything_changes(history):
    history.initial()
    legacy.reservation(history, 1)
    history.execute("PRAGMA foreign_keys = OFF")
    history.execute("UPDATE reservations SET guest_id = 99")
    history.execute("PRAGMA foreign_keys = ON")
    before = history.dump(), history.catalog()
    assert refusal(history)[0] == (
        "The row in table 'reservations' with primary key '1' has an invalid foreign key:"
        " reservations.guest_id contains a value '99' that does not have a corresponding value in"
        " guests.id. Nothing was changed: mend the row and run migrate again."
    )
    assert (history.dump(), history.catalog()) == before
