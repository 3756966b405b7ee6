"""Scripts do what ``migrate`` does: each step both ways, over rows, by psql and sqlite3 alone."""

import os
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from conftest import INITIAL, OWN_APPS, PLAN
from hotel import database_url
from hotel.migrator import offline, recording, scratch
from hotel.migrator.files import own_apps
from hotel.migrator.graph import Graph
from hotel.migrator.history import checksum, entries
from hotel.migrator.locks import run_lock
from hotel.migrator.scripts import writer
from hotel.migrator.tests import shells
from hotel.migrator.tests.facts import differences, facts
from hotel.migrator.tests.test_drift import found as drift_found
from hotel.migrator.tests.test_worse_rows import FIRST_DATA_STEP, write

EVERY = 1 if "ROUND_TRIPS" in os.environ else 9  # make stress compares after each step
long = pytest.mark.skipif(
    "ROUND_TRIPS" not in os.environ, reason="half a minute long: see make stress"
)
UP = PLAN[PLAN.index(INITIAL) + 1 :]
DOWN = [key for key in reversed(UP) if key[0] in OWN_APPS]


def sql(*words):
    """Return what ``manage.py db … --sql`` prints."""
    out = StringIO()
    call_command("db", *words, "--sql", stdout=out)
    return out.getvalue().splitlines()


def refused(*words):
    """Return what is said, and the exit code, where no script can be written."""
    with pytest.raises(CommandError) as refusal:
        sql(*words)
    return str(refusal.value), refusal.value.returncode


def known(history):
    """Return all facts of the database, with what the archive holds."""
    found = facts(history)
    columns = "owner, table_name, column_name, row_key, original, became"
    days = {f"{timezone.now() - timedelta(days):%Y-%m-%d}" for days in (0, 1)}
    now = re.compile(rf"({'|'.join(days)})[ T]\d\d:\d\d:\d\d(\.\d+)?([+]00(:00)?)?")
    if "migrator_archive" in connection.introspection.table_names():
        for row in history.execute(f"SELECT {columns} FROM migrator_archive"):
            found[("archive", *row[:4])] = row[4:]
    # Without the moments at which a step has made rows.
    return {fact: now.sub("now", repr(value)) for fact, value in found.items()}


@pytest.fixture(scope="module")
def scripts(django_db_blocker):
    """The script of each step up, and of each down, over the history from the initial state on."""
    loader = MigrationLoader(None)
    graph = Graph.from_django(loader.graph, own_apps())
    found = {}
    with django_db_blocker.unblock(), scratch.database(connection) as empty:
        before = PLAN[: PLAN.index(INITIAL) + 1]
        made_first = recording.bookkeeping(empty)
        state = scratch.run(empty, loader, before)
        for backwards in (False, True):
            here = [key for key in PLAN if key in before]
            steps = DOWN if backwards else UP
            span = offline.range_of(graph, frozenset(here), steps, backwards, "all")
            for step in recording.record(empty, loader, span, state):
                one = offline.range_of(graph, frozenset(here), [step.key], backwards, "one")
                lines = writer(empty.vendor, one, made_first).lines([step], loader)
                found[step.key, backwards] = [*lines]
                here = [key for key in PLAN if key in {*here} ^ {step.key}]
            before = here
    return found


def sample(history):
    history.initial().load_sample()


def worse(history):
    history.before(FIRST_DATA_STEP)
    write(history)


@pytest.mark.parametrize("begin", [sample, pytest.param(worse, marks=long)])
def test_each_step_up_and_down_ends_as_migrate_does(history, scripts, begin):
    begin(history)
    there = MigrationRecorder(connection).applied_migrations()
    up = [key for key in UP if key not in there]
    walk = [(key, False) for key in up]
    if "ROUND_TRIPS" in os.environ:  # make stress comes back, too
        walk += [(key, True) for key in DOWN if key in up]
    looks = {place for place in range(len(walk)) if place % EVERY == 0 or place == len(up) - 1}
    looks.add(len(walk) - 1)
    expected = {}
    for place, (key, backwards) in enumerate(walk):
        (history.step_back if backwards else history.step)(key)
        if place in looks:
            expected[place] = known(history)
    begin(history)
    for place, (key, backwards) in enumerate(walk):
        assert shells.run(scripts[key, backwards]) == (0, ""), (key, backwards)
        if place in looks:
            assert differences(known(history), expected[place]) == {}, (key, backwards)


@long
def test_from_nothing_to_head_as_migrate_does(history):
    history.at("head")
    at_head = known(history)
    history.at(None)
    assert shells.run(sql("upgrade", "base:heads")) == (0, "")
    call_command("migrate", "--check", verbosity=0)
    assert drift_found() == []
    call_command("migrate", verbosity=0)  # content types and permissions, which no script makes
    assert differences(known(history), at_head) == {}


@long
def test_rows_at_head_go_down_to_nothing_and_come_back(history):
    history.initial().load_sample().climb()
    at_head = known(history)
    assert shells.run(sql("downgrade", "heads:base", "--cascade")) == (0, "")
    assert history.tables() == []
    assert drift_found() == []
    line = "The database does not stand at dashboard.0003_add_daily_metrics, where this script"
    code, complaint = shells.run(sql("downgrade", "heads:dashboard.0002"))
    assert code != 0
    assert line in complaint
    assert shells.run(sql("upgrade", "--pending")) == (0, "")
    call_command("migrate", "--check", verbosity=0)
    assert drift_found() == []
    assert differences(known(history), at_head) == {}


# What stops a script, and leaves nothing behind


def unchanged(history, script, complaint):
    """Run a script that must stop, and see that it has left nothing behind."""
    before = known(history)
    code, said = shells.run(script)
    assert code != 0
    assert complaint in said
    assert differences(known(history), before) == {}


@pytest.mark.parametrize(
    "key, name, made, complaint",
    [
        (
            ("reservations", "0018_add_cancellation"),
            "a column",
            "ALTER TABLE reservations ADD COLUMN cancelled_at integer",
            "cancelled_at",
        ),
        (
            ("reservations", "0026_index_reservations"),
            "an index, not the first of several",
            "CREATE INDEX reservations_exempt_idx ON reservations (adults)",
            "reservations_exempt_idx",
        ),
        (
            ("payments", "0013_add_deposit_movements"),
            "a table",
            "CREATE TABLE deposit_movements (id integer PRIMARY KEY)",
            "deposit_movements",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_what_is_there_already_stops_the_script(history, scripts, key, name, made, complaint):
    history.before(key).execute(made)
    unchanged(history, scripts[key, False], complaint)


def test_a_script_runs_once(history, scripts):
    key = ("reservations", "0018_add_cancellation")
    history.before(key)
    assert shells.run(scripts[key, False]) == (0, "")
    unchanged(history, scripts[key, False], "does not stand at")


@pytest.mark.postgresql
def test_a_script_that_nothing_stops_does_nothing_in_the_wrong_place(history):
    history.before(("payments", "0018_validate_currency"))
    script = sql("downgrade", "heads:payments.0016")
    assert r"\set ON_ERROR_STOP on" in script
    before = known(history)
    _, said = shells.run([line for line in script if not line.startswith("\\set")])
    assert "What comes before this in the script was not done." in said
    # What stands alone is not in a transaction that could be rolled back.
    left = {fact for fact in differences(known(history), before) if fact[0] != "index"}
    assert left == set()


@pytest.mark.postgresql
def test_a_script_stops_while_somebody_migrates(history, scripts):
    key = ("reservations", "0018_add_cancellation")
    history.before(key)
    with run_lock(connection):
        connection.ensure_connection()
        code, said = shells.run(scripts[key, False])
    assert code != 0
    assert "This database is being migrated by somebody else." in said


def test_the_journal_says_that_it_was_a_script(history, scripts):
    key = ("reservations", "0018_add_cancellation")
    history.before(key)
    assert shells.run(scripts[key, False]) == (0, "")
    started, finished = entries(connection)
    assert (started.event, finished.event) == ("started", "finished")
    assert started.run == finished.run
    assert (finished.name, finished.remark) == (key[1], "by a script: upgrade one --sql")
    assert finished.checksum == checksum(MigrationLoader(None).graph.nodes[key])


# What is written


NASTY = [
    "back\\slash",
    "quote's",
    "100 %",
    "%s %%",
    ":name",
    "line\nbreak",
    "$$ $1 --",
    "\u00e9\U0001f6cf",
]


@pytest.fixture
def notes(annexe, history):
    """A table whose data step writes texts that are hard to quote."""
    annexe.write(
        "0001_initial",
        """
        migrations.CreateModel(
            "Note", [("id", models.AutoField(primary_key=True)), ("text", models.TextField())]
        ),
        """,
    )
    return annexe


def test_values_arrive_as_they_were_given(notes, history):
    notes.write(
        "0002_write",
        f"""
        migrations.RunSQL([
            ("INSERT INTO annexe_note (text) VALUES (%s)", [text]) for text in {NASTY!r}
        ], migrations.RunSQL.noop),
        """,
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    rows = history.execute("SELECT text FROM annexe_note ORDER BY id")
    assert [text for (text,) in rows] == NASTY


def test_a_nul_is_refused(notes, history):
    notes.write(
        "0002_write",
        r"""
        migrations.RunSQL([("INSERT INTO annexe_note (text) VALUES (%s)", ["a\0b"])], ""),
        """,
    )
    history.at(None)
    assert refused("upgrade", "base:annexe.0002") == (
        "annexe.0002_write cannot be written as SQL: Raw SQL operation writes text with a NUL in"
        " it, which no database takes. Run it with manage.py migrate, and scripts for what is"
        " before and after it.",
        3,
    )


def test_python_that_reads_rows_is_refused_by_name(notes, history):
    notes.write(
        "0002_read",
        "migrations.RunPython(shout, migrations.RunPython.noop)",
        code="""
            def shout(apps, schema_editor):
                for note in apps.get_model("annexe", "Note").objects.all():
                    note.text = note.text.upper()
                    note.save()
        """,
    )
    history.at(None)
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("db", "upgrade", "annexe.0001:annexe.0002", "--sql", stdout=out)
    assert (str(refusal.value), refusal.value.returncode, out.getvalue()) == (
        "annexe.0002_read cannot be written as SQL: what it does depends on the rows that Python"
        " reads (Raw Python operation, shout()). Run it with manage.py migrate, and scripts for"
        " what is before and after it.",
        3,
        "",
    )
    # In an empty database there is nothing to read.
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert drift_found() == []


def test_python_that_reads_no_row_is_written_down(notes, history):
    notes.write(
        "0002_add",
        "migrations.RunPython(add, migrations.RunPython.noop)",
        code="""
            def add(apps, schema_editor):
                apps.get_model("annexe", "Note").objects.create(text="one")
                apps.get_model("annexe", "Note").objects.update(text="two")
        """,
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note") == [("two",)]


def test_python_that_writes_the_key_of_a_row_it_made_is_refused(notes, history):
    notes.write(
        "0002_add",
        "migrations.RunPython(add, migrations.RunPython.noop)",
        code="""
            def add(apps, schema_editor):
                Note = apps.get_model("annexe", "Note")
                note = Note.objects.create(text="one")
                Note.objects.create(text="two")
                Note.objects.filter(pk=note.pk).update(text="three")
        """,
    )
    said, code = refused("upgrade", "annexe.0001:annexe.0002")
    assert "depends on the rows that Python reads (Raw Python operation, add())" in said
    assert code == 3
    # In an empty database the key is the same.
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note ORDER BY id") == [("three",), ("two",)]


def test_a_function_of_a_batched_step_that_reads_rows_is_refused(notes, history):
    notes.write(
        "0002_count",
        'BatchedRunPython(count, BatchedRunPython.keep, "Note", "text")',
        code="""
            def count(apps, value):
                return Value(str(apps.get_model("annexe", "Note").objects.count()))
        """,
    )
    said, _ = refused("upgrade", "annexe.0001:annexe.0002")
    assert "depends on the rows that Python reads (Change text of Note in batches, count())" in said


def test_a_value_may_say_concurrently_and_a_statement_may_end_in_a_comment(notes, history):
    text = "'create index concurrently'"
    notes.write(
        "0002_write",
        f"""
        migrations.RunSQL([
            ("INSERT INTO annexe_note (text) VALUES (%s)", [{text!r}]),
            "INSERT INTO annexe_note (text) VALUES ('two') -- the second",
        ], migrations.RunSQL.noop),
        """,
    )
    script = sql("upgrade", "annexe.0001:annexe.0002")
    assert script.count("COMMIT;") == 1
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note ORDER BY id") == [(text,), ("two",)]


@pytest.mark.sqlite
def test_a_function_that_django_brings_to_sqlite_is_refused(notes, history):
    notes.write(
        "0002_pad",
        "migrations.RunPython(pad, migrations.RunPython.noop)",
        code="""
            def pad(apps, schema_editor):
                from django.db.models.functions import LPad
                notes = apps.get_model("annexe", "Note").objects
                notes.update(text="LPAD( in a value is no call")
                notes.update(text=LPad("text", 5, Value("-")))
        """,
    )
    said, _ = refused("upgrade", "annexe.0001:annexe.0002")
    assert "Raw Python operation writes with LPAD, which sqlite3 does not have." in said


def test_a_squashed_migration_is_recorded_as_migrate_does(notes, history):
    notes.write(
        "0002_noted", 'migrations.AlterField("Note", "text", models.CharField(max_length=9))'
    )
    initial = notes.path("0001_initial").read_text()
    replaced = "replaces = [('annexe', '0001_initial'), ('annexe', '0002_noted')]"
    notes.path("0001_squashed").write_text(
        initial.replace("    atomic", f"    {replaced}\n    atomic").replace(
            "TextField(", "CharField(max_length=9"
        )
    )
    notes.write("0003_last", "migrations.RunSQL('', '')", after=[("annexe", "0001_squashed")])
    recorded = "SELECT name FROM django_migrations WHERE app = 'annexe' ORDER BY name"
    history.at(None)
    notes.migrate()
    names = history.execute(recorded)
    script = sql("downgrade", "annexe.0003:annexe.0001_squashed")
    assert shells.run(script) == (0, "")
    notes.migrate("zero")
    assert shells.run(sql("upgrade", "base:annexe.0001_squashed")) == (0, "")
    assert shells.run(sql("upgrade", "annexe.0001_squashed:annexe.0003")) == (0, "")
    assert history.execute(recorded) == names
    call_command("migrate", "--check", "annexe", verbosity=0)
    # As it is where only what was squashed has run.
    history.execute("DELETE FROM django_migrations WHERE name IN ('0003_last', '0001_squashed')")
    assert shells.run(sql("upgrade", "annexe@head", "--pending")) == (0, "")


def test_the_live_database_is_not_asked(history):
    history.before(("payments", "0002_add_expenses"))

    def asked(execute, statement, *others):
        raise AssertionError(statement)

    with connection.execute_wrapper(asked):
        script = sql("upgrade", "reservations.0002:+1")
    assert [line for line in script if line.startswith("-- ")] == [
        f"-- manage.py db upgrade reservations.0002:+1 --sql --engine {connection.vendor}",
        "-- payments.0002_add_expenses",
        "-- payments.0002_add_expenses",
    ]
    assert shells.run(script) == (0, "")


def test_a_script_for_the_other_engine(history, postgresql_url, settings):
    history.at(None)
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[connection.vendor]
    settings.SCRATCH_DATABASE = database_url.parse(postgresql_url, Path())
    script = sql("upgrade", "base:accounts.0001", "--engine", other)
    assert (".bail on" in script) == (other == "sqlite")
    assert any("AUTOINCREMENT" in line for line in script) == (other == "sqlite")


@pytest.mark.parametrize(
    "words, complaint, code",
    [
        (
            ["upgrade", "heads"],
            "upgrade with --sql requires START:END, and 'heads' is none: write manage.py db upgrade"
            " base:heads --sql, or let it read what is applied: manage.py db upgrade heads"
            " --pending --sql.",
            2,
        ),
        (["upgrade", "base:heads:base"], "upgrade with --sql requires START:END", 2),
        (["upgrade", "heads:base"], "'heads:base' leads nowhere: END is not above START", 2),
        (["downgrade", "base:heads"], "'base:heads' leads nowhere: START is not above END", 2),
        (["upgrade", "base:nowhere.0001"], "Can't locate revision identified by 'nowhere.0001'", 2),
        (["upgrade"], "Name one range, such as base:heads", 2),
        (["upgrade", "base:heads", "--plan"], "--sql prints a script, and --plan means nothing", 2),
        (["downgrade", "heads:base"], "'heads:base' takes along admin.0001_initial", 3),
    ],
)
def test_a_range_that_cannot_be_written_is_refused(words, complaint, code):
    said, returned = refused(*words)
    assert said.startswith(complaint)
    assert returned == code


@pytest.mark.parametrize("word", ["--pending", "--engine=sqlite"])
def test_what_belongs_to_a_script_runs_nothing_without_one(word):
    with pytest.raises(CommandError, match="belongs to --sql, without which this would run") as e:
        call_command("db", "upgrade", word)
    assert e.value.returncode == 2


def test_steps_are_counted_from_the_start_of_the_range(history):
    graph = Graph.from_django(MigrationLoader(None).graph, own_apps())
    last = ("dashboard", "0003_add_daily_metrics"), ("payments", "0019_index_payments")
    assert offline.between(graph, "heads:-2", backwards=True).steps == last
    assert offline.between(graph, "reservations.0026:+2", backwards=False).steps == last[::-1]
    history.initial()
    assert [line for line in sql("downgrade", "-1") if line.startswith("-- ")][1:] == [
        "-- dashboard.0001_initial",
        "-- dashboard.0001_initial",
    ]
