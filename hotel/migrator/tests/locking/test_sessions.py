"""What a session is set to while a run has it, and that it gets back what it had."""

import pytest
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.db.backends.postgresql.psycopg_any import IsolationLevel

from hotel.migrator.tests import shells
from hotel.migrator.tests.sessions import option, said, session


@pytest.mark.postgresql
def test_an_isolation_level_among_the_options_is_for_others(annexe, history):
    annexe.write("0001_note", "migrations.RunPython(note)", code=ISOLATION)
    with session(isolation_level=IsolationLevel.SERIALIZABLE):
        history.execute("SELECT 1")
        assert said("migrate", "-v0") == (0, "", "")
        with transaction.atomic():
            assert history.execute("SHOW transaction_isolation") == [("serializable",)]
    assert (annexe.migrations / "noted").read_text() == "read committed"


ISOLATION = """
from pathlib import Path

def note(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        [found] = cursor.fetchone()
    (Path(__file__).parent / "noted").write_text(found)
"""
LIMITS = (
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "idle_session_timeout",
    "lock_timeout",
)
LONG = """
from pathlib import Path

from hotel.migrator.locking import run_locks

LIMITS = "statement_timeout idle_in_transaction_session_timeout idle_session_timeout lock_timeout"

def note(apps, editor):
    found = []
    for name in [*LIMITS.split(), "default_transaction_isolation"]:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW {name}")
            found += [cursor.fetchone(), *run_locks.held(connection).rows(f"SHOW {name}")]
    (Path(__file__).parent / "noted").write_text(str([value for (value,) in found]))

def go_on_anew(apps, editor):
    connection.close()
    note(apps, editor)
"""
NEEDED = [*["0"] * 6, "50ms", "0", *["read committed"] * 2]
FOREVER = [*["0"] * 8, *["read committed"] * 2]


@pytest.mark.postgresql
@pytest.mark.parametrize(("function", "noted"), [("note", NEEDED), ("go_on_anew", FOREVER)])
def test_a_run_has_the_time_it_needs_in_each_session_and_gives_back_what_was_set(
    annexe, history, settings, function, noted
):
    settings.MIGRATOR_LOCK_TIMEOUT = 50
    again = "" if function == "note" else ", atomic=False"
    annexe.write(
        "0001_note", f"migrations.RunPython({function}{again})", code=LONG, atomic=not again
    )
    limits = dict.fromkeys(LIMITS, "7h") | {"default_transaction_isolation": "serializable"}
    [(database,)] = history.execute("SELECT current_database()")
    for name, value in limits.items():
        if history.execute("SELECT current_setting(%s, true)", [name]) != [(None,)]:
            history.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")
    connection.close()
    history.execute("SET lock_timeout = '8h'")
    assert said("migrate", "-v0") == (0, "", "")
    assert (annexe.migrations / "noted").read_text() == str(noted)
    of_session = {name: history.execute(f"SHOW {name}")[0][0] for name in limits}
    assert of_session == limits | ({"lock_timeout": "8h"} if function == "note" else {})


@pytest.mark.postgresql
def test_no_statement_of_a_command_or_of_its_checks_is_given_a_limit(history):
    history.initial()
    known = [
        name
        for name in LIMITS
        if history.execute("SELECT current_setting(%s, true)", [name]) != [(None,)]
    ]
    given = set()

    def look(execute, *arguments):
        with connection.connection.cursor() as cursor:
            for name in known:
                cursor.execute(f"SHOW {name}")
                given.add((name, *cursor.fetchone()))
        return execute(*arguments)

    with session(options=option(*(f"{name}=7h" for name in known))):
        with connection.execute_wrapper(look):
            call_command("migrate", "accounts", "0002", verbosity=0, skip_checks=False)
            call_command("db", "upgrade", "accounts.0003", verbosity=0, skip_checks=False)
        assert history.execute("SHOW statement_timeout") == [("7h",)]
    assert {name for name, value in given if value == "0"} == {*known}
    assert {name for name, value in given if value == "7h"} == set()


DUMP = "SELECT set_config('search_path', '', false); SET statement_timeout = '7h';"


@pytest.mark.postgresql
@pytest.mark.parametrize("atomic", [True, False])
def test_sql_that_leaves_the_session_changed_changes_nothing_else(rooms, history, atomic):
    rooms.write(
        "0002_dump",
        f"""
        migrations.RunSQL("CREATE TABLE annexe_dumped (id integer); {DUMP}"),
        migrations.RunSQL("SELECT 1"),
        """,
        atomic=atomic,
    )
    rooms.write(
        "0003_index", """migrations.AddIndex("room", models.Index("floor", name="floors"))"""
    )
    there = "SELECT count(*) FROM pg_indexes WHERE indexname = 'floors'"
    script = said("db", "upgrade", "annexe.0001:annexe.0003", "--sql")
    assert (script[0], script[2]) == (0, "")
    assert said("migrate", "-v0") == (0, "", "")
    assert history.execute(there) == [(1,)]
    assert history.execute("SHOW statement_timeout") == [("0",)]
    assert said("db", "drift") == (
        1,
        "The models of annexe have changes that no migration has.\n",
        "",
    )
    history.execute("DROP TABLE annexe_dumped")
    history.execute("DROP INDEX floors")
    history.execute("DELETE FROM django_migrations WHERE name > '0002'")
    assert shells.run(script[1].splitlines(), shows=True)[0] == 0
    assert history.execute(there) == [(1,)]


@pytest.mark.postgresql
def test_a_run_that_fails_gives_back_what_was_set(annexe, history):
    annexe.write("0001_fail", 'migrations.RunSQL("SELECT 1/0")')
    history.execute("SET statement_timeout = '7h'")
    history.execute("SET DateStyle = 'German'")
    with pytest.raises(DataError):
        call_command("migrate", verbosity=0)
    assert history.execute("SHOW statement_timeout") == [("7h",)]
    assert history.execute("SHOW DateStyle") == [("German, DMY",)]


@pytest.mark.sqlite
def test_pragmas_are_given_back(annexe, history):
    annexe.write("0001_note", "migrations.RunPython(migrations.RunPython.noop)")
    given = {"foreign_keys": 0, "recursive_triggers": 1, "legacy_alter_table": 1}
    for name, value in given.items():
        history.execute(f"PRAGMA {name} = {value}")
    history.execute("PRAGMA case_sensitive_like = 1")
    call_command("migrate", verbosity=0)
    assert {name: history.execute(f"PRAGMA {name}")[0][0] for name in given} == given
    assert history.execute("SELECT 'a' LIKE 'A'") == [(0,)]
