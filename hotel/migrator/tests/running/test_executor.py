"""The executor where it is asked for less than ``migrate`` asks for, or for something else."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from hotel.migrator.running.runner import Executor
from hotel.migrator.tests.commands import journal, pairs
from hotel.migrator.tests.projects import column

OWN_WAY = """
    def apply(self, project_state, schema_editor, collect_sql=False):
        schema_editor.execute("UPDATE annexe_room SET floor = floor + 10", ())
        schema_editor.deferred_sql.append("{deferred}")
        return super().apply(project_state, schema_editor, collect_sql)
"""


def test_one_migration_by_itself_is_recorded_and_told(project):
    executor = Executor(connection)
    migration = Migration("0001_initial", "annexe")
    executor.apply_migration(ProjectState(), migration)
    executor.unapply_migration(ProjectState(), migration)
    executor.apply_migration(ProjectState(), migration, fake=True)
    assert ("annexe", "0001_initial") in MigrationRecorder(connection).applied_migrations()
    assert journal("direction", "event", "is_fake") == [
        *(("forward", "started", False), ("forward", "finished", False)),
        *(("backward", "started", False), ("backward", "finished", False)),
        *(("forward", "started", True), ("forward", "finished", True)),
    ]


def test_what_fake_initial_finds_in_place_is_told_as_not_run(rooms, history):
    history.execute("DELETE FROM django_migrations WHERE app = 'annexe'")
    call_command("migrate", fake_initial=True, verbosity=0)
    assert journal("event", "is_fake")[-2:] == [("started", True), ("finished", True)]


def own_way(rooms, deferred):
    """Write a migration that is not atomic, adds 10 to each floor, and then runs ``deferred``."""
    rooms.write("0002_own_way", "", atomic=False)
    with rooms.path("0002_own_way").open("a") as file:
        file.write(OWN_WAY.format(deferred=deferred))
    rooms.project.reload()


def test_a_migration_that_overrides_how_it_runs_runs_so(rooms, history):
    own_way(rooms, "UPDATE annexe_room SET floor = 7 WHERE floor = 11")
    rooms.migrate()
    assert column(history, "floor") == [7, 12, None]
    assert [row for row in journal() if row[2] != "entered"] == pairs(
        "0001_initial", "0002_own_way"
    )


def test_and_is_not_run_again_when_it_was_stopped(rooms, history):
    own_way(rooms, "no SQL")
    with pytest.raises(Exception, match="syntax error"):
        rooms.migrate()
    assert column(history, "floor") == [11, 12, None]
    with pytest.raises(CommandError, match=r"\(apply\(\) of its own\), so part of it") as refused:
        rooms.migrate()
    assert refused.value.returncode == 6
    assert column(history, "floor") == [11, 12, None]
    assert [row[2] for row in journal()[2:]] == ["started", "entered", "failed"]
