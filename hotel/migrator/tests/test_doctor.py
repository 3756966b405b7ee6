"""``manage.py db doctor``: what is wrong, what mends it, and what it mends itself."""

import json
import os
import re
import signal
import socket
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.exceptions import Interrupted
from hotel.migrator.storage import tables
from hotel.migrator.storage.tables import Cursor
from hotel.migrator.tests.commands import db, doctor, table


def only(*words):
    """Return the exit code, and what is wrong, which is one thing, and what mends it."""
    code, [found] = doctor(*words)
    return code, found["kind"], found["what"], found["mend"]


@pytest.fixture
def at_head(apps):
    """Two apps at head, whose models are those of their migrations."""
    key = "    id = models.AutoField(primary_key=True)\n"
    for app, names in zip(apps.apps, (("Bed", "Desk", "Lamp"), ("Glass", "Bottle")), strict=True):
        app.models("".join(f"class {name}(models.Model):\n{key}\n" for name in names))
    db("upgrade", verbosity=0)
    return apps


def test_nothing_is_wrong(at_head):
    assert db("doctor") == "Nothing is wrong.\n"
    assert doctor() == (0, [])


def test_what_is_left_to_apply(at_head):
    db("downgrade", "-1", verbosity=0)
    assert only() == (
        1,
        "behind",
        "Target database is not up to date: 1 migration is left to apply: bar.0002_add_bottles.",
        "Apply with manage.py migrate, or by steps with manage.py db upgrade +1.",
    )


def test_what_no_migration_has(at_head):
    at_head.apps[1].models("class Spoon(models.Model):\n    pass\n")
    assert only()[1:] == (
        "unwritten",
        "The models of bar have changes that no migration has.",
        "Write them down with manage.py makemigrations bar.",
    )


def test_a_file_that_is_missing_and_one_that_was_edited(at_head):
    annexe, bar = at_head.apps
    text = bar.path("0001_initial").read_text()
    bar.path("0001_initial").write_text(text.replace("AutoField(", "AutoField(editable=False, "))
    annexe.path("0003_add_lamps").unlink()
    annexe.project.reload()
    kinds = {found["kind"]: found for found in doctor()[1]}
    assert kinds["ghost"]["what"] == "annexe.0003_add_lamps is applied, but its file is missing."
    assert kinds["edited"]["what"].startswith("bar.0001_initial was edited since it ran on 20")
    assert not kinds["edited"]["can_fix"]


def test_a_place_in_the_graph_that_was_moved_is_no_edit(at_head, caplog):
    """As db merge --rebase and other applications move it."""
    annexe, bar = at_head.apps
    moved = '[("annexe", "0001_initial")]\n    run_before = [("annexe", "0003_add_lamps")]'
    text = bar.path("0001_initial").read_text()
    bar.path("0001_initial").write_text(
        text.replace("dependencies = []", f"dependencies = {moved}")
    )
    annexe.project.reload()
    assert doctor() == (0, [])
    assert json.loads(db("drift", "--json"))["migrations"] == []
    annexe.write("0004_next")
    at_head.migrate()
    assert caplog.messages == []


def test_two_ends(at_head):
    at_head.apps[0].write("0003_add_shelves", table("Shelf"), after=[("annexe", "0002_add_desks")])
    kinds = {found["kind"]: found for found in doctor()[1]}
    assert kinds["conflict"]["what"] == (
        "annexe ends in 2 migrations: annexe.0003_add_lamps, annexe.0003_add_shelves."
    )


def test_a_record_that_is_there_twice_is_mended(at_head, history):
    history.execute(
        "INSERT INTO django_migrations (app, name, applied)"
        " SELECT app, name, applied FROM django_migrations WHERE name = '0002_add_desks'"
    )
    code, [found] = doctor()
    assert (code, found["can_fix"], found["fixed"]) == (1, True, False)
    assert found["what"] == (
        "annexe.0002_add_desks is recorded twice, so two processes have applied it at once."
    )
    code, [found] = doctor("--fix")
    assert (code, found["fixed"]) == (0, True)
    assert doctor() == (0, [])


def test_a_cursor_of_what_has_ended_is_deleted(at_head, annexe_tables):
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner="annexe.0001_initial#0 forward", last_key="1", **counts)
    assert only("--fix")[:3] == (
        0,
        "cursor",
        "A cursor of annexe.0001_initial#0 forward was left, though that has ended.",
    )
    assert not Cursor.objects.exists()


@pytest.fixture
def annexe_tables(at_head):
    """The migrator's own tables."""
    with connection.schema_editor() as editor:
        tables.ensure(editor)


def test_an_atomic_migration_that_was_killed_was_rolled_back(at_head, history):
    moment, event = 0, ""
    while event != "started":  # of a migration, and not between two
        db("upgrade", verbosity=0)
        moment += 1
        assert at_head.killed(moment, "annexe", "zero")
        [(event,)] = history.execute("SELECT event FROM migrator_journal ORDER BY id DESC LIMIT 1")
    assert "interrupted" not in [found["kind"] for found in doctor()[1]]


COUNT = """
import os
import signal
from pathlib import Path

def count(apps, editor):
    connection.cursor().execute("INSERT INTO annexe_lamp DEFAULT VALUES")
    stopped = Path(__file__).with_name("stopped")
    if stopped.exists():  # when doctor replays it
        return
    stopped.touch()
    if {kill}:
        os.kill(os.getpid(), signal.SIGKILL)
    raise KeyboardInterrupt
"""


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_what_was_stopped_half_way_is_told_until_it_is_settled(at_head, history, kill):
    annexe = at_head.apps[0]
    annexe.write(
        "0004_count",
        "migrations.RunPython(count, migrations.RunPython.noop)",
        code=COUNT.format(kill=kill),
        atomic=False,
    )
    run = at_head.begin()
    assert run.end()[0] == (-signal.SIGKILL if kill else 1)
    cause = (
        "annexe.0004_count was stopped on its way up in an operation that has no transaction (Raw"
        " Python operation, count()), so part of it may be done: running it again could do that"
        " part twice"
    )
    mend = (
        "Look at its rows and finish or undo it by hand; then record what is true with manage.py"
        " migrate --fake annexe 0004_count, or with the name of the migration before it."
    )
    for attempt in (["migrate"], ["db", "upgrade"], ["db", "stamp", "annexe.0004"], ["migrate"]):
        with pytest.raises(Interrupted, match="may be done: running it again"):
            call_command(*attempt, verbosity=0)
        found = [found for found in doctor()[1] if found["kind"] == "interrupted"]
        assert [(one["what"], one["mend"]) for one in found] == [
            (f"{cause}, in process {run.child} on {socket.gethostname()}.", mend)
        ]
        assert f"!! {cause}. {mend}\n" in db("current")
    assert db("stamp", "annexe.0004", "--force") == (
        "recorded: annexe.0004_count\nnot half done any more: annexe.0004_count\n"
    )
    assert doctor() == (0, [])
    assert history.execute("SELECT count(*) FROM annexe_lamp") == [(1,)]


def test_batches_that_were_stopped_are_not_forgotten(flags, project):
    flags.migrate("0002")
    with connection.schema_editor() as editor:
        tables.ensure(editor)
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner="annexe.0003_fill_high#0 forward", last_key="1", **counts)
    said = (
        "annexe.0003_fill_high was interrupted on its way up: finish it first with manage.py"
        " migrate annexe 0003_fill_high."
    )
    with pytest.raises(Interrupted) as refused:
        db("stamp", "annexe.0003")
    assert str(refused.value) == (
        f"Nothing was recorded, because {said} Or, when its rows are as they should be there,"
        " stamp with --force."
    )
    assert f"!! {said}\n" in db("current")
    assert [found["what"] for found in doctor()[1] if found["kind"] == "interrupted"] == [
        "annexe.0003_fill_high was interrupted on its way up."
    ]
    flags.migrate()
    assert not Cursor.objects.exists()


def test_files_that_make_no_graph_and_what_can_be_seen_without(at_head):
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    with connection.schema_editor() as editor:
        tables.ensure(editor)
    Cursor.objects.create(owner="annexe.0001_initial#0 forward", last_key="1", **counts)
    at_head.apps[0].write("0005_late", table("Late"), after=[("annexe", "0004_lost")])
    code, found = doctor()
    assert (code, [one["kind"] for one in found]) == (1, ["graph", "cursor"])
    assert found[0]["what"].startswith("annexe.0005_late depends on annexe.0004_lost, and there")


@pytest.mark.postgresql
def test_what_this_role_may_not_look_at_is_a_finding(at_head, history):
    role = f"reader_{os.getpid()}"
    history.execute(f"CREATE ROLE {role}")
    history.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    history.execute(f"SET ROLE {role}")
    try:
        code, found = doctor()
        assert (code, [one["kind"] for one in found]) == (1, ["unseen"])
        assert found[0]["what"] == (
            "The sequences cannot be looked at: permission denied for sequence annexe_bed_id_seq."
        )
    finally:
        history.execute("RESET ROLE")
        history.execute(f"DROP OWNED BY {role}")
        history.execute(f"DROP ROLE {role}")


def test_a_record_of_an_application_that_is_not_installed(at_head, history):
    history.execute(
        "INSERT INTO django_migrations (app, name, applied)"
        " SELECT 'noapp', '0001_x', applied FROM django_migrations WHERE name = '0002_add_desks'"
    )
    assert only() == (
        1,
        "ghost",
        "noapp.0001_x is applied, but no application noapp is installed.",
        "Install it again; or, if it is gone for good, forget the record with manage.py db stamp"
        " --purge.",
    )


def test_a_record_without_a_time(at_head, history):
    null = "ALTER COLUMN applied DROP NOT NULL"
    if connection.vendor == "sqlite":
        history.execute("PRAGMA writable_schema = ON")
        history.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'datetime NOT NULL', 'datetime')"
            " WHERE name = 'django_migrations'"
        )
        history.execute("PRAGMA writable_schema = RESET")
    else:
        history.execute(f"ALTER TABLE django_migrations {null}")
    history.execute("UPDATE django_migrations SET applied = NULL")
    assert "bar.0002_add_bottles (head)\n" in db("current")
    assert "0002_add_bottles" in db("history", "--applied")
    assert only()[1:3] == (
        "drift",
        "The column applied of django_migrations differs: null yes instead of no. No script mends"
        " that: it is NULL in 5 rows (id 1, 2, 3, 4, 5): fill these, and run manage.py db drift"
        " again.",
    )


@pytest.mark.postgresql
def test_an_invalid_index_is_made_anew(at_head, history):
    history.execute("CREATE INDEX by_key ON annexe_bed (id)")
    history.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_key'::regclass")
    assert only() == (
        1,
        "invalid index",
        "The index by_key of annexe_bed is invalid: it was not finished, and no query uses it.",
        "--fix runs REINDEX INDEX CONCURRENTLY by_key, for which nobody waits.",
    )
    assert doctor("--fix")[0] == 0
    assert only()[1:3] == (
        "drift",
        "The index by_key of annexe_bed is there, and no migration makes it.",
    )


@pytest.mark.postgresql
def test_a_sequence_that_lags_behind_is_set(at_head, history):
    history.execute("INSERT INTO annexe_bed (id) VALUES (7)")
    assert only()[1:3] == (
        "sequence",
        "annexe_bed has rows up to key 7, but its sequence stands at 0: new rows would be refused.",
    )
    assert doctor("--fix")[0] == 0
    history.execute("INSERT INTO annexe_bed DEFAULT VALUES")
    assert history.execute("SELECT max(id) FROM annexe_bed") == [(8,)]
    history.execute("ALTER TABLE annexe_bed ALTER id RESTART WITH 9")  # not given out yet
    assert doctor() == (0, [])


@pytest.mark.postgresql
def test_records_of_a_restored_dump_whose_numbers_lag_behind(at_head, history):
    for name in ("django_migrations", "migrator_journal"):
        history.execute(f"SELECT setval('{name}_id_seq', 1)")
    for name in ("migrator_journal_pkey", "django_migrations_pkey"):
        done = at_head.manage("db", *(["downgrade", "-1"] if "journal" in name else ["upgrade"]))
        [number] = re.findall(r"\(id\)=\((\d+)\)", done.stderr)
        assert (done.returncode, done.stderr) == (
            5,
            "bar.0002_add_bottles could not be recorded: duplicate key value violates unique"
            f' constraint "{name}": Key (id)=({number}) already exists. It changed nothing. If the'
            " numbers of its records lag behind, as after a restored dump, manage.py db doctor"
            " --fix sets them; if not, change or merge the rows with the same key, then run the"
            " same command again. --traceback shows where.\n",
        )
        if "journal" in name:  # as if it had been the only one
            history.execute("SELECT setval('migrator_journal_id_seq', 999)")
            db("downgrade", "-1")
    _, found = doctor("--fix")
    assert [one["what"].split()[0] for one in found if one["fixed"]] == ["django_migrations"]
    db("upgrade")
    assert doctor() == (0, [])


def test_what_is_found_is_told_in_words(at_head):
    db("downgrade", "-1", verbosity=0)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("db", "doctor", stdout=out)
    assert out.getvalue() == (
        "Target database is not up to date: 1 migration is left to apply: bar.0002_add_bottles."
        " Apply with manage.py migrate, or by steps with manage.py db upgrade +1.\n"
    )
