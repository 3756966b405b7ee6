"""Each migration runs once, however many run ``migrate`` at once, and whoever is killed."""

import gc
import os
import re
import resource
import signal
import stat

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hotel.migrator.locking import run_locks
from hotel.migrator.running.runner import RARELY
from hotel.migrator.tests.commands import journal, pairs
from hotel.tests import stress

ROUNDS = stress.ROUNDS or 1  # make stress asks for more
PROCESSES = 8

STAR = """
migrations.CreateModel(
    "Star",
    [("id", models.AutoField(primary_key=True)), ("light", models.IntegerField())],
),
migrations.RunPython(lambda apps, editor: apps.get_model("annexe", "Star")(light=1).save()),
"""

# Adds 10 to what it has read, as no expression would: twice is 21, and two at once are seen.
BRIGHTER = """
import os
import signal
from pathlib import Path

HERE = Path(__file__).parent

def brighter(apps, editor):
    star = apps.get_model("annexe", "Star").objects.get()
    star.light += 10
    star.save()
    if (HERE / "wait").exists():
        (HERE / "entered").write_text("!")  # FIFOs: the test reads the one
        (HERE / "wait").read_text()  # and writes the other
    if (HERE / "kill").exists():
        (HERE / "kill").unlink()
        os.kill(os.getpid(), signal.SIGKILL)

def darker(apps, editor):
    star = apps.get_model("annexe", "Star").objects.get()
    star.light -= 10
    star.save()
"""


@pytest.fixture
def star(annexe):
    """A table with one row, to which 0002 adds 10."""
    annexe.write("0001_initial", STAR)
    annexe.write("0002_add_ten", "migrations.RunPython(brighter, darker)", code=BRIGHTER)
    return annexe


def codes(ends):
    """Return the exit codes; nothing may be said but that one waits."""
    for _, said in ends:
        assert all(line.startswith("Waiting: ") for line in said.splitlines()), said
    return sorted(code for code, _ in ends)


def light(history):
    [(value,)] = history.execute("SELECT light FROM annexe_star")
    return value


@pytest.mark.stressed
@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.parametrize("start", ["from nothing", "with one step to do"])
def test_eight_at_once_run_each_migration_once(project, star, history, start, _):
    if start == "with one step to do":
        star.migrate("0001")
    assert codes(project.together(PROCESSES)) == [0] * PROCESSES
    assert light(history) == 11
    assert sorted(journal()) == sorted(pairs("0001_initial", "0002_add_ten"))
    assert history.execute("SELECT name FROM django_migrations WHERE app = 'annexe'") == [
        ("0001_initial",),
        ("0002_add_ten",),
    ]
    assert run_locks.holder(connection) == ""


@pytest.mark.stressed
@pytest.mark.parametrize("_", range(ROUNDS))
def test_when_the_one_that_runs_is_killed_the_next_does_it(project, star, history, _):
    star.migrate("0001")
    (star.migrations / "kill").touch()
    ends = project.together(PROCESSES)
    assert codes(ends) == [-signal.SIGKILL] + [0] * (PROCESSES - 1)
    assert light(history) == 11
    assert journal() == [
        *pairs("0001_initial"),
        ("0002_add_ten", "forward", "started"),
        *pairs("0002_add_ten"),
    ]
    assert run_locks.holder(connection) == ""


def test_one_that_waits_too_long_says_for_whom_and_ends_with_4(project, star, history, settings):
    star.migrate("0001")
    for name in ("wait", "entered"):
        os.mkfifo(star.migrations / name)
    settings.MIGRATOR_WAIT = 0
    first = project.begin()
    first.reaches(star.migrations / "entered")
    held = run_locks.holder(connection)
    with pytest.raises(CommandError) as refused:
        project.migrate()
    (star.migrations / "wait").write_text("!")
    assert first.end() == (0, "")
    words = rf"process {first.child} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    if connection.vendor == "postgresql":
        words += r" \(PostgreSQL session \d+\)"
    assert re.fullmatch(words, held)
    assert str(refused.value) == (
        f"This database is being migrated by {held}, and was for the 0 seconds that this one"
        " waited (MIGRATOR_WAIT). Nothing was changed: run the same command again when the other"
        " has ended."
    )
    assert refused.value.returncode == 4
    assert light(history) == 11
    assert journal() == pairs("0001_initial", "0002_add_ten")
    call_command("migrate", verbosity=0)
    assert light(history) == 11


def end_sessions(history, name):
    """Let the server end the sessions whose name begins so."""
    history.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE %s AND datname = current_database()",
        [f"{name} %"],
    )


@pytest.mark.postgresql
def test_while_a_migration_runs_nobody_begins_though_its_lock_was_lost(
    project, star, history, settings
):
    star.migrate("0001")
    for name in ("wait", "entered"):
        os.mkfifo(star.migrations / name)
    settings.MIGRATOR_WAIT = 0
    first = project.begin()
    first.reaches(star.migrations / "entered")
    end_sessions(history, f"migrate {first.child}")
    with pytest.raises(CommandError) as refused:
        project.migrate()
    (star.migrations / "wait").write_text("!")
    assert first.end() == (0, "")
    assert re.match(
        r"This database is being migrated by a process \(PostgreSQL session \d+\), and was",
        str(refused.value),
    )
    assert refused.value.returncode == 4
    project.migrate()
    assert light(history) == 11
    assert journal() == pairs("0001_initial", "0002_add_ten")


@pytest.mark.postgresql
@pytest.mark.parametrize("ended", ["the session of the lock", "both"])
def test_one_that_waits_waits_on_when_the_server_ends_its_session(project, star, history, ended):
    star.migrate("0001")
    for name in ("wait", "entered"):
        os.mkfifo(star.migrations / name)
    first = project.begin()
    first.reaches(star.migrations / "entered")
    second = project.begin()
    named = (
        f"SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'migrate {second.child} %%'"
    )
    while not history.execute(named, []):  # it waits from then on
        pass
    end_sessions(history, f"migrate {second.child}")
    if ended == "both":  # the first one is idle in a transaction
        history.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
            " AND datname = current_database() AND application_name NOT LIKE 'migrate %%'"
        )
    (star.migrations / "wait").write_text("!")
    assert (first.end(), second.end()[0]) == ((0, ""), 0)
    assert light(history) == 11
    assert journal() == pairs("0001_initial", "0002_add_ten")


@pytest.mark.postgresql
def test_no_session_of_a_run_is_ended_for_being_idle(project, annexe, history):
    annexe.write("0001_note", "migrations.RunPython(note)", code=IDLE)
    name = connection.settings_dict["NAME"]
    history.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '1min'")
    connection.close()
    assert history.execute("SHOW idle_session_timeout") == [("1min",)]
    project.migrate()
    assert (annexe.migrations / "noted").read_text() == "[('0',)] [('0',)]"


IDLE = """
from pathlib import Path

from hotel.migrator.locking import run_locks

def note(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_session_timeout")
        found = cursor.fetchall(), run_locks.held(connection).rows("SHOW idle_session_timeout")
    (Path(__file__).parent / "noted").write_text("{} {}".format(*found))
"""


@pytest.mark.sqlite
def test_a_lock_file_is_as_open_as_the_database_and_needs_no_room(annexe, history):
    database = connection.settings_dict["NAME"]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    os.chmod(database, 0o660)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as on a full disk
    try:
        with run_locks.run_lock(connection):
            lock = os.stat(f"{database}.migrating")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (stat.S_IMODE(lock.st_mode), lock.st_size) == (0o660, 0)


def test_garbage_is_looked_for_rarely_while_it_runs_and_as_before_afterwards(project, annexe):
    annexe.write("0001_note", "migrations.RunPython(note)", code=NOTE)
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        project.migrate()
        assert gc.get_threshold() == (700, 10, 10)
    finally:
        gc.set_threshold(*before)
    assert (annexe.migrations / "noted").read_text() == str(RARELY)


NOTE = """
import gc
from pathlib import Path

def note(apps, editor):
    (Path(__file__).parent / "noted").write_text(str(gc.get_threshold()))
"""
