"""``kill -9`` of ``db stamp`` and ``db drift``, with the scratch database that both replay on."""

import io
import itertools

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.running.interruptions import half_done
from hotel.migrator.schema import last_report
from hotel.migrator.scratch import databases
from hotel.migrator.storage import journal
from hotel.migrator.tests.commands import at, db
from hotel.migrator.tests.projects import EVERY, killed
from hotel.tests import stress

AGREE = 0, "Models, migrations and database agree.\n"


MODELS = """
class Room(models.Model):
    floor = models.IntegerField(null=True)
"""
HIGH = "    high = models.BooleanField(null=True)\n"


@pytest.fixture
def inn(annexe):
    """An app of two migrations."""
    annexe.models(MODELS)
    annexe.make()
    annexe.models(MODELS + HIGH)
    annexe.make()
    return annexe


@pytest.fixture
def scratch(monkeypatch):
    """Return the scratch databases on the server; the next look drops those that nobody uses."""
    monkeypatch.setattr(databases, "PREFIX", "killed_scratch_")
    monkeypatch.setattr(databases, "STALE", -1)

    def names():
        if connection.vendor == "sqlite":
            return []
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'killed\\_scratch\\_%'"
            )
            return [name for (name,) in cursor.fetchall()]

    return names


def kills(work):
    """Kill ``work`` before one change after the other, on any connection; yield after each kill.

    The last time nobody kills it.
    """
    for number in itertools.count(1, EVERY):
        if not killed(number, work, everywhere=True):
            assert number > 1
            return
        yield


def drift(*options):
    """Return the exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("db", "drift", *options, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def half_done_now():
    return half_done(connection, MigrationLoader(connection))


@stress.whole
def test_a_stamp_that_is_killed_has_recorded_nothing(project, inn, history, scratch):
    inn.migrate()
    history.execute("DELETE FROM django_migrations WHERE name > '0002'")
    before = project.facts(), at(), journal.events(connection)
    left = set()
    for _ in kills(lambda: db("stamp", "annexe.0002")):
        left.update(scratch())
        assert (project.facts(), at(), journal.events(connection)) == before
        assert half_done_now() == []
    assert at() == [*before[1], "annexe.0002"]
    assert len(journal.events(connection)) == len(before[2]) + 1
    assert drift() == AGREE
    assert bool(left) == (connection.vendor == "postgresql")
    assert scratch() == []


@stress.whole
def test_a_drift_that_is_killed_leaves_the_database_and_the_report_that_was_kept(
    project, inn, history, scratch, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # no replay is believed that was kept
    inn.migrate()
    assert drift("--keep") == AGREE
    history.execute("ALTER TABLE annexe_room ADD COLUMN stranger integer NULL")
    before = project.facts(), at(), journal.events(connection)
    kept = last_report.read(connection)
    assert kept.document["database"] == []
    left = set()
    for _ in kills(lambda: drift("--keep")):
        left.update(scratch())
        assert (project.facts(), at(), journal.events(connection)) == before
        assert last_report.read(connection) == kept
        assert half_done_now() == []
    assert len(last_report.read(connection).document["database"]) == 1
    history.execute("ALTER TABLE annexe_room DROP COLUMN stranger")
    assert drift() == AGREE
    assert bool(left) == (connection.vendor == "postgresql")
    assert scratch() == []
