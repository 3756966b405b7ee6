"""Scripts do what ``migrate`` does: each step both ways, over rows, by psql and sqlite3 alone."""

import fcntl
import os
import pickle
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from conftest import INITIAL, OWN_APPS, OWN_MIGRATIONS, PLAN
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.revisions.edits import checksum
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.scope import own_apps
from hotel.migrator.scratch import databases
from hotel.migrator.script import offline, recording
from hotel.migrator.storage.journal import entries
from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import found as drift_found
from hotel.migrator.tests.facts import differences
from hotel.migrator.tests.script.printed import known, long, refused, sql, unchanged
from hotel.migrator.tests.worse_rows import FIRST_DATA_STEP, write
from hotel.tests import stress

EVERY = 1 if stress.IS_WHOLE else 9  # make stress compares after each step


UP = PLAN[PLAN.index(INITIAL) + 1 :]


DOWN = [key for key in reversed(UP) if key[0] in OWN_APPS]


@pytest.fixture(scope="module")
def scripts(django_db_blocker):
    """The script of each step up, over the history from the initial state on; and of each down.

    Written by the first process of this run that asks, for the others too.
    """
    kept = Path(os.environ["XDG_CACHE_HOME"], f"scripts-{connection.vendor}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{kept}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with django_db_blocker.unblock():
                kept.write_bytes(pickle.dumps(written()))
    return pickle.loads(kept.read_bytes())


def written():
    loader = MigrationLoader(None)
    graph = Graph.from_django(loader.graph, own_apps())
    found = {}
    with databases.database(connection, on_paper=True) as empty:
        before = PLAN[: PLAN.index(INITIAL) + 1]
        made_first = recording.bookkeeping(empty)
        state = databases.run(empty, loader, before)
        for backwards in (False, True) if stress.IS_WHOLE else (False,):
            here = [key for key in PLAN if key in before]
            steps = DOWN if backwards else UP
            span = offline.range_of(graph, frozenset(here), steps, backwards, "all")
            for step in recording.record(empty, loader, span, state):
                one = offline.range_of(graph, frozenset(here), [step.key], backwards, "one")
                lines = offline.WRITERS[empty.vendor](one, made_first).lines([step], loader)
                found[step.key, backwards] = [*lines]
                here = [key for key in PLAN if key in {*here} ^ {step.key}]
            before = here
    return found


def sample(history):
    history.initial().load_sample()


def worse(history):
    history.before(FIRST_DATA_STEP)
    write(history)


@stress.whole
@pytest.mark.parametrize("begin", [sample, pytest.param(worse, marks=long)])
def test_each_step_up_and_down_ends_as_migrate_does(history, scripts, begin):
    begin(history)
    there = MigrationRecorder(connection).applied_migrations()
    up = [key for key in UP if key not in there]
    walk = [(key, False) for key in up]
    if stress.IS_WHOLE:  # make stress comes back, too
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


@stress.whole
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


@stress.whole
@long
def test_rows_at_head_go_down_to_nothing_and_come_back(history):
    history.initial().load_sample().climb()
    at_head = known(history)
    assert shells.run(sql("downgrade", "heads:base", "--cascade")) == (0, "")
    assert history.tables() == []
    assert drift_found() == []
    line = f"The database does not stand at {'.'.join(OWN_MIGRATIONS[-1])}, where this script"
    code, complaint = shells.run(sql("downgrade", "heads:-1"))
    assert code != 0
    assert line in complaint
    assert shells.run(sql("upgrade", "--pending")) == (0, "")
    call_command("migrate", "--check", verbosity=0)
    assert drift_found() == []
    assert differences(known(history), at_head) == {}


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


def test_a_script_for_the_other_engine(history):
    history.at(None)
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[connection.vendor]
    script = sql("upgrade", "base:accounts.0001", "--engine", other)
    assert (".bail on" in script) == (other == "sqlite")
    assert any("AUTOINCREMENT" in line for line in script) == (other == "sqlite")


@pytest.mark.parametrize(
    "words, complaint, code",
    [
        (
            ["upgrade", "heads"],
            "upgrade with --sql requires START:END, and 'heads' is not one: write manage.py db"
            " upgrade base:heads --sql, or let it read what is applied: manage.py db upgrade heads"
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
@pytest.mark.django_db
def test_a_range_that_cannot_be_written_is_refused(words, complaint, code):
    said, returned = refused(*words)
    assert said.startswith(complaint)
    assert returned == code


@pytest.mark.parametrize("word", ["--pending", "--engine=sqlite"])
@pytest.mark.django_db
def test_what_belongs_to_a_script_runs_nothing_without_one(word):
    with pytest.raises(CommandError, match="belongs to --sql, without which this would run") as e:
        call_command("db", "upgrade", word)
    assert e.value.returncode == 2


def test_steps_are_counted_from_the_start_of_the_range(history):
    graph = Graph.from_django(MigrationLoader(None).graph, own_apps())
    *_, before, last_but_one, last = OWN_MIGRATIONS
    assert offline.between(graph, "heads:-2", backwards=True).steps == (last, last_but_one)
    span = f"{'.'.join(before)}:+2"
    assert offline.between(graph, span, backwards=False).steps == (last_but_one, last)
    history.initial()
    assert [line for line in sql("downgrade", "-1") if line.startswith("-- ")][1:] == [
        "-- dashboard.0001_initial",
        "-- dashboard.0001_initial",
    ]
