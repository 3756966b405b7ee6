"""Runs that locks hinder, errors stop and kills cut off; and the ones that follow them."""

import logging
import re
from contextlib import closing

import pytest
from django.core.management import CommandError
from django.db import DatabaseError, connection

from hotel.migrator.exceptions import FailedDuringApply, interruption
from hotel.migrator.locks import run_lock
from hotel.migrator.runner import Executor
from hotel.migrator.tests.projects import EVERY, column
from hotel.migrator.tests.test_exactly_once import journal, pairs

TABLES = """
migrations.CreateModel(
    "Room",
    [("id", models.AutoField(primary_key=True)), ("floor", models.IntegerField(null=True))],
),
migrations.CreateModel(
    "Bed",
    [
        ("id", models.AutoField(primary_key=True)),
        ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
    ],
),
"""


@pytest.fixture
def tables(annexe, history):
    """Rooms, and beds in them; one row each."""
    annexe.write("0001_initial", TABLES).migrate()
    history.insert("annexe_room", floor=1)
    history.insert("annexe_bed", room_id=1)
    return annexe


@pytest.fixture
def reader():
    """A session of its own in a transaction that reads; closed at the end."""
    session = connection.copy()
    session.inc_thread_sharing()
    session.set_autocommit(False)
    yield session
    session.close()


def read(session, table):
    with session.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchall()


def refused(project, *target):
    with pytest.raises(CommandError) as refusal:
        project.migrate(*target)
    return str(refusal.value), refusal.value.returncode


# Locks of others


class When(logging.Handler):
    """Does something once a message matches."""

    def __init__(self, pattern, action):
        super().__init__()
        self.pattern, self.action, self.seen = pattern, action, []

    def emit(self, record):
        """Look at a message."""
        self.seen.append(record.getMessage())
        if re.search(self.pattern, self.seen[-1]):
            self.action()


@pytest.fixture
def when():
    handlers = []
    logger = logging.getLogger("hotel.migrator.locks")

    def add(pattern, action):
        handlers.append(When(pattern, action))
        logger.addHandler(handlers[-1])
        return handlers[-1]

    yield add
    for handler in handlers:
        logger.removeHandler(handler)


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
        from hotel.migrator.tables import JournalEntry

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


# Kills and errors


def test_killed_before_any_change_up_and_down_it_ends_the_same(project, annexe, history):
    annexe.write("0001_initial", TABLES)
    annexe.write(
        "0002_add_columns",
        """
        migrations.AddField("room", "beds", models.IntegerField(default=2)),
        migrations.AddField(
            "bed",
            "other",
            models.ForeignKey("annexe.Room", models.CASCADE, null=True, related_name="+"),
        ),
        """,
    )
    project.migrate("annexe", "zero")
    nothing = project.facts()
    project.migrate()
    everything = project.facts()
    for target, expected in ((("annexe", "zero"), nothing), ((), everything)):
        start, killed = (nothing if expected is everything else everything), 0
        for number in range(1, 200, EVERY):
            project.migrate(*(() if start is everything else ("annexe", "zero")))
            if not project.killed(number, *target):
                break
            killed += EVERY
            project.migrate(*target)
            assert project.facts() == expected, number
        assert killed > 8
    applied = history.execute("SELECT app, name FROM django_migrations ORDER BY name")
    assert applied == [("annexe", "0001_initial"), ("annexe", "0002_add_columns")]


HALF = """
def half(apps, editor):
    rooms = apps.get_model("annexe", "Room").objects
    rooms.create(floor=7)
    if rooms.filter(floor=1).exists():
        raise ValueError("a room on the first floor")
"""


@pytest.fixture
def half_done(tables):
    """A migration that is not atomic and stops in its second operation, which has done a part."""
    tables.write(
        "0002_half",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.RunPython(half, migrations.RunPython.noop),
        migrations.AddField("room", "doors", models.IntegerField(null=True)),
        """,
        code=HALF,
        atomic=False,
    )
    with pytest.raises(ValueError, match="a room on the first floor"):
        tables.migrate()
    return tables


def test_an_operation_that_may_be_half_done_is_not_run_again(project, half_done, history):
    assert column(history, "floor") == [1, 7]
    history.execute("UPDATE annexe_room SET floor = 2")
    assert refused(project) == (
        "annexe.0002_half was stopped on its way up in an operation that has no transaction"
        " (Raw Python operation, half()), so part of it may be done: running it again could do that"
        " part twice. Look at its rows and finish or undo it by hand; then record what is true with"
        " manage.py migrate --fake annexe 0002_half, or with the name of the migration before it.",
        6,
    )
    assert column(history, "floor") == [2, 2]
    assert [event for name, _, event in journal() if name == "0002_half"] == [
        *("started", "operation", "entered", "failed"),  # the refusal is not written
    ]


def test_what_was_recorded_by_hand_begins_anew(project, half_done, history):
    history.execute("DELETE FROM annexe_room WHERE floor = 7")
    history.execute("UPDATE annexe_room SET floor = 2")
    history.execute("ALTER TABLE annexe_room DROP COLUMN beds")
    project.migrate("annexe", "0001", fake=True)  # as the refusal says; it is recorded so anyway
    project.migrate()
    assert column(history, "floor") == [2, 7]
    assert column(history, "beds") == column(history, "doors") == [None, None]


def test_what_was_finished_by_hand_is_recorded_as_it_is(project, half_done, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN doors integer NULL")
    project.migrate("annexe", "0002", fake=True)
    project.migrate("annexe", "0001")
    assert journal()[-1] == ("0002_half", "backward", "finished")


def test_a_way_down_that_was_undone_by_hand_begins_anew(project, tables, history):
    tables.write(
        "0002_half",
        "migrations.RunPython(migrations.RunPython.noop, half)",
        code=HALF,
        atomic=False,
    ).migrate()
    for _ in range(2):
        with pytest.raises(ValueError, match="a room on the first floor"):
            project.migrate("annexe", "0001")
        sentence, code = refused(project, "annexe", "0001")
        assert ("(Raw Python operation, half())" in sentence, code) == (True, 6)
        project.migrate("annexe", "0002", fake=True)


ADD = 'migrations.AddField("room", "{}", models.IntegerField(null=True))'
FILL = 'migrations.AlterField("room", "floor", models.IntegerField())'


def edited(app, name, *operations, **more):
    app.path(name).unlink()
    app.write(name, ",\n".join(operations), atomic=False, **more)


def test_a_file_that_was_edited_when_it_was_half_done_is_refused(project, tables, history):
    tables.write("0002_beds", f"{ADD.format('beds')},\n{FILL}", atomic=False)
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    before = project.facts()
    edited(tables, "0002_beds", ADD.format("shelves"), ADD.format("doors"))
    sentence = (
        "annexe.0002_beds was stopped on its way up behind 1 of its operations, and its file was"
        " edited since: to go on with the new one could leave something out or do it twice. Bring"
        " the file back as it was, for example with git, and finish it with manage.py migrate"
        " annexe 0002_beds; or finish or undo by hand what it began, and then record what is true"
        " with manage.py migrate --fake annexe 0002_beds, or with the name of the migration before"
        " it."
    )
    assert refused(project) == (sentence, 6)
    assert refused(project, "annexe", "0001") == (sentence, 6)
    assert project.facts() == before
    history.execute("ALTER TABLE annexe_room DROP COLUMN beds")
    project.migrate("annexe", "0001", fake=True).migrate()
    assert column(history, "shelves") == column(history, "doors") == [None, None]


def test_a_file_may_be_edited_when_nothing_of_it_was_done(tables, history):
    tables.write("0002_beds", f"{FILL},\n{ADD.format('beds')}", atomic=False)
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    edited(tables, "0002_beds", ADD.format("beds"))
    tables.migrate()
    assert column(history, "beds") == [None, None]


def test_a_file_that_was_made_atomic_when_it_was_half_done_is_refused(project, half_done):
    half_done.path("0002_half").unlink()
    half_done.write("0002_half", ADD.format("beds"))
    sentence, code = refused(project)
    assert ("its file was edited since" in sentence, code) == (True, 6)


@pytest.mark.postgresql
@pytest.mark.parametrize("atomic", [True, False])
def test_a_session_that_the_server_ends_is_told_in_one_sentence(project, tables, atomic):
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    tables.write("0002_end", f'migrations.RunSQL("{end}")', atomic=atomic)
    done = project.manage("migrate")
    left = "What it had not committed is undone. When the server can be reached, run the same"
    left += " command again."
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        "annexe.0002_end failed: server closed the connection unexpectedly. "
        f"{left if atomic else HALF_DONE} --traceback shows where.",
        5,
    )
    assert "Traceback" not in done.stderr


HALF_DONE = (
    "What it did before that stands. Look at its rows and finish or undo it by hand; then record"
    " what is true with manage.py migrate --fake annexe 0002_end, or with the name of the migration"
    " before it."
)


def test_operations_that_ended_are_not_run_again(project, tables, history):
    tables.write(
        "0002_three_columns",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.RunSQL("INSERT INTO annexe_room (floor) VALUES (9)", migrations.RunSQL.noop),
        migrations.AlterField("room", "floor", models.IntegerField()),
        """,
        atomic=False,
    )
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    tables.migrate()
    assert column(history, "floor") == [1, 3, 9]
    started, *operations, finished = [
        row for row in journal("event", "operation") if row[0] != "failed"
    ][-3:]
    assert (started, operations, finished) == (
        ("started", None),
        [("operation", 2)],
        ("finished", None),
    )


INDEX = '("room", models.Index(fields=["floor"], name="by_floor"))'


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "operation",
    [
        f"AddIndexConcurrently{INDEX}",
        "migrations.SeparateDatabaseAndState("
        f"[AddIndexConcurrently{INDEX}], [migrations.AddIndex{INDEX}])",
    ],
    ids=["alone", "apart from the state"],
)
def test_an_index_that_did_not_come_about_is_dropped_and_made_anew(tables, history, operation):
    tables.write(
        "0002_index_floor",
        operation,
        code="from django.contrib.postgres.operations import AddIndexConcurrently",
        atomic=False,
    )
    history.execute("CREATE INDEX by_floor ON annexe_room (id)")
    history.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_floor'::regclass"
    )
    tables.migrate()
    valid = (
        "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indexrelid = 'by_floor'::regclass"
    )
    assert history.execute(valid) == [
        (True, "CREATE INDEX by_floor ON public.annexe_room USING btree (floor)")
    ]
    tables.migrate("0001").migrate("0002")
