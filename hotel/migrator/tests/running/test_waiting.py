"""Runs that locks of others hinder, and runs that lose their own."""

import re
from contextlib import closing

import pytest
from django.db import connection

from hotel.migrator.exceptions import FailedDuringApply
from hotel.migrator.locking import patience
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.running.explanations import interruption
from hotel.migrator.running.runner import Executor
from hotel.migrator.tests.commands import journal, pairs
from hotel.migrator.tests.projects import column, refused


def read(session, table):
    with session.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchall()


@pytest.mark.postgresql
@pytest.mark.parametrize("atomic", [True, False])
def test_a_reader_is_let_pass_and_the_migration_is_done_after_him(
    tables, history, reader, when, atomic
):
    tables.write(
        "0002_add_columns",
        """
        migrations.RenameField("room", "floor", "storey"),
        migrations.AddField("bed", "width", models.IntegerField(null=True)),
        migrations.RunPython(count, migrations.RunPython.noop),
        """,
        code="""
        def count(apps, editor):
            assert apps.get_model("annexe", "Room").objects.get().storey == 1
            assert apps.get_model("annexe", "Bed").objects.get().width is None
        """,
        atomic=atomic,
    )
    read(reader, "annexe_bed")
    heard = when("waits for session", reader.rollback)
    tables.migrate()
    assert column(history, "storey") == [1]
    assert column(history, "width", "annexe_bed") == [None]
    name = "annexe.0002_add_columns"
    name += "" if atomic else " (Add field width to bed)"
    [said] = heard.seen
    assert re.fullmatch(
        re.escape(name) + r" waits for session \d+ \(.*user \w+, idle in transaction\), in a"
        r" transaction since [-0-9]+ [:0-9]+Z, whose statement is: SELECT count\(\*\) FROM"
        r" annexe_bed\.",
        said,
    )
    events = [row for row in journal() if row[2] not in ("entered", "operation")]
    assert events == pairs("0001_initial", "0002_add_columns")


@pytest.mark.postgresql
def test_who_did_not_let_it_pass_in_time_is_named(project, tables, history, reader, settings):
    tables.write(
        "0002_add_width",
        'migrations.AddField("bed", "width", models.IntegerField(null=True))',
    )
    before = project.facts()
    read(reader, "annexe_bed")
    settings.MIGRATOR_WAIT = 1
    sentence, code = refused(project)
    session = reader.connection.get_backend_pid()
    assert re.fullmatch(
        r"annexe\.0002_add_width found what it changes locked for 1 seconds \(MIGRATOR_WAIT\), last"
        rf" by session {session} \(.*\), in a transaction since .*, whose statement is: SELECT"
        r" count\(\*\) FROM annexe_bed\. It changed nothing: end that session"
        rf" \(SELECT pg_terminate_backend\({session}\)\), or run the same command again when that"
        r" one has ended\.",
        sentence,
    )
    assert code == 5
    assert project.facts() == before
    assert journal("event", "error")[-1] == (
        "failed",
        f"FailedDuringApply: {sentence}",
    )
    reader.rollback()
    tables.migrate()


@pytest.mark.postgresql
def test_nobody_waits_for_a_migration_that_waits(tables, history, reader, when, settings):
    tables.write(
        "0002_add_width",
        'migrations.AddField("bed", "width", models.IntegerField(null=True))',
    )
    other = connection.copy()
    other.inc_thread_sharing()
    read(reader, "annexe_bed")

    def read_too():
        with other.cursor() as cursor:
            cursor.execute("SET statement_timeout = 1000")
        read(other, "annexe_bed")
        other.close()
        reader.rollback()

    when("waits for session", read_too)
    tables.migrate()
    assert column(history, "width", "annexe_bed") == [None]


@pytest.mark.postgresql
def test_who_waits_says_how_often_it_has_tried(tables, history, reader, when, monkeypatch):
    monkeypatch.setattr(patience, "TOLD", 0)
    tables.write(
        "0002_add_width", 'migrations.AddField("bed", "width", models.IntegerField(null=True))'
    )
    read(reader, "annexe_bed")
    heard = when("has tried .* was session", reader.rollback)
    tables.migrate()
    told = [line for line in heard.seen if "has tried" in line]
    assert re.fullmatch(
        r"annexe\.0002_add_width has tried \d+ times in \d+ s to lock what it changes; last in the"
        r" way was session \d+ \(.*",
        told[-1],
    )
    tries = [int(re.search(r"tried (\d+) times", line)[1]) for line in told]
    assert tries == [*range(2, len(told) + 2)]


@pytest.mark.postgresql
def test_the_session_keeps_the_lock_timeout_it_had(tables, history):
    history.execute("SET lock_timeout = '7s'")
    tables.write("0002_look", "migrations.RunPython(look)", code=LOOK).migrate()
    assert history.execute("SHOW lock_timeout") == [("7s",)]
    assert column(history, "floor") == [50]


LOOK = """
def look(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'")
        apps.get_model("annexe", "Room").objects.update(floor=cursor.fetchone()[0])
"""


@pytest.mark.postgresql
def test_without_its_lock_a_run_begins_no_further_migration(project, tables, history):
    ended = """
def end(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'migrate %%' AND datname = current_database()", []
        )
"""
    tables.write("0002_end", "migrations.RunPython(end)", code=ended)
    tables.write(
        "0003_add_width", 'migrations.AddField("bed", "width", models.IntegerField(null=True))'
    )
    assert refused(project) == (
        "The session that held the lock on migrating was ended by the server, so another process"
        " may have begun. What was done so far is recorded: run the same command again.",
        5,
    )
    assert journal() == pairs("0001_initial", "0002_end")
    tables.migrate()
    assert journal() == pairs("0001_initial", "0002_end", "0003_add_width")


@pytest.mark.sqlite
def test_without_its_lock_file_a_run_begins_no_further_migration(project, tables, history):
    tables.write(
        "0002_delete",
        "migrations.RunPython(delete)",
        code="""
        import os

        def delete(apps, editor):
            os.unlink(f"{connection.settings_dict['NAME']}.migrating")
        """,
    )
    tables.write(
        "0003_add_width", 'migrations.AddField("bed", "width", models.IntegerField(null=True))'
    )
    assert refused(project) == (
        f"The lock file {connection.settings_dict['NAME']}.migrating was deleted, so another"
        " process may have begun. What was done so far is recorded: run the same command again,"
        " and leave the file alone; it need not be deleted.",
        5,
    )
    tables.migrate()
    assert journal() == pairs("0001_initial", "0002_delete", "0003_add_width")


RAISE = "UPDATE annexe_room SET floor = floor + 1"


@pytest.mark.parametrize("atomic", [True, False])
def test_what_somebody_ran_without_asking_for_the_lock_is_not_run_again(tables, history, atomic):
    tables.write("0002_raise", f'migrations.RunSQL("{RAISE}", "{RAISE}")', atomic=atomic)
    key = ("annexe", "0002_raise")
    for backwards, target in ((False, "0002"), (True, "0001")):
        executor = Executor(connection)
        plan = [(executor.loader.graph.nodes[key], backwards)]
        tables.migrate(target)
        floors = column(history, "floor")
        with pytest.raises(FailedDuringApply) as late:
            executor.migrate([], plan=plan)
        assert str(late.value) == (
            "annexe.0002_raise was run by another process meanwhile, and nothing is lost: run the"
            " same command again."
        )
        assert column(history, "floor") == floors
    assert floors == [3]


def test_an_operation_that_somebody_has_done_meanwhile_is_not_run_again(project, tables, history):
    tables.write(
        "0002_raise",
        f'migrations.RunPython(meanwhile), migrations.RunSQL("{RAISE}")',
        code="""
        from hotel.migrator.storage.tables import JournalEntry

        def meanwhile(apps, editor):
            entry = JournalEntry.objects.order_by("pk").last()
            entry.pk, entry.run, entry.event = None, "0" * 32, "operation"
            entry.operation = 1
            entry.save(force_insert=True)
        """,
        atomic=False,
    )
    sentence, code = refused(project)
    assert (sentence.split(",")[0], code) == (
        "annexe.0002_raise was run by another process meanwhile",
        5,
    )
    assert column(history, "floor") == [1]


def test_ctrl_c_while_it_waits_for_another(project, tables, when):
    def interrupt():
        raise KeyboardInterrupt

    when("^Waiting: ", interrupt)
    other = connection.copy()
    with closing(other), run_lock(other), pytest.raises(KeyboardInterrupt) as stopped:
        project.migrate()
    assert interruption(stopped.value) == "Interrupted before anything was changed."


@pytest.mark.sqlite
def test_whoever_writes_for_too_long_is_waited_for_and_told(project, tables, history, settings):
    tables.write("0002_look", 'migrations.RunSQL("SELECT 1")')
    settings.MIGRATOR_WAIT = 0
    writer = connection.copy()
    with closing(writer), writer.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        history.execute("PRAGMA busy_timeout = 1")
        assert connection.features.supports_json_field  # else every check of a model says no
        assert refused(project) == (
            "annexe.0002_look found what it changes locked for 0 seconds (MIGRATOR_WAIT), last by"
            " another session. It changed nothing: run the same command again when that one has"
            " ended.",
            5,
        )
        cursor.execute("ROLLBACK")
    tables.migrate()
