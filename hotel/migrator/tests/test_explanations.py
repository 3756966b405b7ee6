"""Errors that mend: one sentence with the cause, the names and the command, from any command."""

import pytest
from django.db import connection

from hotel.migrator.tests.test_doctor import doctor
from hotel.migrator.tests.test_runner import tables  # noqa: F401
from hotel.migrator.tests.test_verbs import db, table

ON_POSTGRESQL = connection.vendor == "postgresql"


def said(done):
    """Return what a command printed on standard error, its lines of progress left out."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("annexe_")]
    return "\n".join(lines), done.returncode


COMMANDS = [["migrate"], ["makemigrations", "--check"]]


@pytest.mark.once
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_that_is_needed_and_not_there(project, annexe, words):
    annexe.write("0001_initial", table("Bed"))
    annexe.write("0003_add_desks", table("Desk"), after=[("annexe", "0002_lost")])
    assert said(project.manage(*words)) == (
        "annexe.0003_add_desks depends on annexe.0002_lost, and there is no such file: bring it"
        " back, for example with git, or mend the dependencies in the file of"
        " annexe.0003_add_desks.",
        2,
    )


@pytest.mark.once
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_circle(project, annexe, words):
    bar = project.app("bar")
    annexe.write("0001_initial", table("Bed"), after=[("bar", "0001_initial")])
    bar.write("0001_initial", table("Glass"), after=[("annexe", "0001_initial")])
    assert said(project.manage(*words)) == (
        "These migrations wait for each other in a circle: annexe.0001_initial, bar.0001_initial."
        " Take one of them out of the dependencies of another; if two apps need each other's"
        " tables, add the foreign key in a migration of its own, which depends on both.",
        2,
    )


@pytest.mark.parametrize("words", [["migrate"], ["db", "upgrade"]], ids=" ".join)
def test_one_that_came_too_late(project, annexe, history, words):
    annexe.write("0001_initial", table("Bed")).write("0002_add_desks", table("Desk")).migrate()
    key = "    id = models.AutoField(primary_key=True)\n"
    annexe.models("".join(f"class {name}(models.Model):\n{key}\n" for name in ("Bed", "Desk")))
    history.execute("DELETE FROM django_migrations WHERE name = '0001_initial'")
    assert said(project.manage(*words)) == (
        "Migration annexe.0002_add_desks is applied before its dependency annexe.0001_initial on"
        " database 'default'. If the database has what that one makes, record it as manage.py db"
        " doctor says; if not, the file came too late: let it depend on what is applied, and"
        " nothing that is applied depend on it.",
        2,
    )
    code, found = doctor()
    assert (code, [one["kind"] for one in found]) == (1, ["dependency"])
    assert "manage.py db stamp annexe.0002_add_desks; if not," in found[0]["mend"]
    assert db("stamp", "annexe.0002_add_desks") == "recorded: annexe.0001_initial\n"
    assert doctor() == (0, [])
    assert said(project.manage(*words)) == ("", 0)


FIRST_LINES = {
    "NULL": (
        'column "floor" of relation "annexe_room" contains null values',
        "NOT NULL constraint failed: new__annexe_room.floor",
    ),
    "twice": (
        'could not create unique index "annexe_room_floor_09dcfb2f_uniq"',
        "UNIQUE constraint failed: new__annexe_room.floor",
    ),
    "rule": (
        'check constraint "floors" of relation "annexe_room" is violated by some row',
        "CHECK constraint failed: floors",
    ),
    "there": (
        'column "floor" of relation "annexe_room" already exists',
        "duplicate column name: floor",
    ),
    "not there": ('relation "annexe_lamp" does not exist', "no such table: annexe_lamp"),
}
OPERATIONS = {
    "NULL": 'migrations.AlterField("room", "floor", models.IntegerField())',
    "twice": 'migrations.AlterField("room", "floor", models.IntegerField(unique=True))',
    "rule": (
        'migrations.AddConstraint("room", models.CheckConstraint(name="floors",'
        " condition=models.Q(floor__gt=5)))"
    ),
    "there": 'migrations.RunSQL("ALTER TABLE annexe_room ADD COLUMN floor integer")',
    "not there": 'migrations.RunSQL("DELETE FROM annexe_lamp")',
}
MENDS = {
    "NULL": (
        "There are rows without a value: fill them first, in a data migration or by hand, then run"
        " the same command again."
    ),
    "twice": (
        "There are rows with the same value: change or merge them first, then run the same command"
        " again."
    ),
    "rule": (
        "There are rows that break the rule: mend them first, then run the same command again."
    ),
    "there": (
        "The database has already what it makes: see what manage.py db current says; if all of it"
        " is there, record it with manage.py db stamp; if it is of a legacy system, take it over"
        " with manage.py db adopt."
    ),
    "not there": (
        "The database lacks what it builds on: see what manage.py db current says, and stamp where"
        " the database really stands."
    ),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_rows_and_tables_that_stop_a_migration(project, tables, history, case):  # noqa: F811
    history.insert("annexe_room", floor=None if case == "NULL" else 1)
    tables.write("0002_change", OPERATIONS[case])
    before = project.facts()
    done = project.manage("migrate", "--verbosity", "0")
    assert said(done) == (
        f"annexe.0002_change failed: {FIRST_LINES[case][0 if ON_POSTGRESQL else 1]}. It changed"
        f" nothing. {MENDS[case]} --traceback shows where.",
        5,
    )
    assert project.facts() == before
    assert "Traceback" in project.manage("migrate", "--traceback").stderr


def test_an_error_of_programming_keeps_its_traceback(project, tables):  # noqa: F811
    tables.write("0002_look", 'migrations.RunSQL("SELECT 1")')
    tables.write(
        "0003_change", "migrations.RunPython(change)", code="def change(apps, editor):\n    1 / 0"
    )
    done = project.manage("migrate")
    assert "Traceback" in done.stderr
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        "annexe.0003_change failed: ZeroDivisionError: division by zero. It changed nothing. The"
        " one before it in this run stands. Mend the migration or the rows, then run the same"
        " command again.",
        5,
    )


def test_a_part_that_may_be_done_is_not_told_to_be_run_again(project, tables):  # noqa: F811
    tables.write(
        "0002_change", 'migrations.RunSQL(["SELECT 1", "DELETE FROM annexe_lamp"])', atomic=False
    )
    settle = (
        "finish or undo it by hand; then record what is true with manage.py migrate --fake annexe"
        " 0002_change, or with the name of the migration before it."
    )
    done = project.manage("migrate", "-v", "0")
    assert said(done) == (
        f"annexe.0002_change failed: {FIRST_LINES['not there'][0 if ON_POSTGRESQL else 1]}. What it"
        f" did before that stands. Look at its rows and {settle} --traceback shows where.",
        5,
    )
    done = project.manage("migrate", "-v", "0")
    assert (done.stderr.endswith(f"{settle}\n"), done.returncode) == (True, 6)


@pytest.mark.parametrize("atomic", [True, False])
def test_ctrl_c(project, tables, atomic):  # noqa: F811
    code = "def wait(apps, editor):\n    raise KeyboardInterrupt"
    tables.write("0002_wait", "migrations.RunPython(wait)", code=code, atomic=atomic)
    done = project.manage("migrate", "-v", "0")
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        (
            "annexe.0002_wait was interrupted, and changed nothing: run the same command again."
            if atomic
            else "annexe.0002_wait was stopped on its way up in an operation that has no"
            " transaction (Raw Python operation, wait()), so part of it may be done: running it"
            " again could do that part twice. Look at its rows and finish or undo it by hand; then"
            " record what is true with manage.py migrate --fake annexe 0002_wait, or with the name"
            " of the migration before it."
        ),
        130,
    )
    assert "Traceback" not in done.stderr


BROKEN = {
    "no Python": ("class Migration(:", "SyntaxError: invalid syntax"),
    "no such module": ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    "a name": ("nobody", "NameError: name 'nobody' is not defined"),
}


@pytest.mark.once
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_loaded(project, tables, case):  # noqa: F811
    text, error = BROKEN[case]
    (tables.migrations / "0002_broken.py").write_text(f'"""Broken."""\n{text}\n')
    for words in (["migrate"], ["db", "doctor"]) if case == "no Python" else (["migrate"],):
        done = project.manage(*words)
        assert (done.stderr, done.returncode) == (
            f"annexe/migrations/0002_broken.py line 2: {error}. Mend the file, and run the same"
            " command again.\n",
            2,
        )


@pytest.mark.once
def test_a_file_without_a_migration(project, tables):  # noqa: F811
    (tables.migrations / "0002_broken.py").write_text("")
    assert said(project.manage("migrate")) == (
        "Migration 0002_broken in app annexe has no Migration class: write one, or move the file"
        " to another folder.",
        2,
    )


@pytest.mark.once
@pytest.mark.parametrize("where", [">&-", "> /dev/full", "| head -c 1 > /dev/null"])
def test_output_that_nobody_can_read_does_not_stop_a_run(project, tables, where):  # noqa: F811
    for name in ("0002_a", "0003_b"):
        tables.write(name, 'migrations.RunSQL("SELECT 1", migrations.RunSQL.noop)')
    done = project.manage("migrate", shell=where)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    tables.project.reload()
    assert db("current") == "annexe.0003_b (head)\n"


@pytest.mark.parametrize("words", [["migrate", "annexe", "0001"], ["db", "downgrade", "-2"]])
def test_a_step_without_a_way_back_stops_nothing_half_way(project, tables, words):  # noqa: F811
    tables.write("0002_for_good", 'migrations.RunSQL("SELECT 1")')
    tables.write("0003_add_lamps", table("Lamp")).migrate()
    before = project.facts()
    done = project.manage(*words)
    assert done.returncode == 3
    assert "annexe.0002_for_good" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.facts() == before


def test_a_step_without_a_way_back_can_be_recorded_as_undone(project, tables):  # noqa: F811
    tables.write("0002_for_good", 'migrations.RunSQL("SELECT 1")').migrate()
    done = project.manage("migrate", "--fake", "annexe", "0001")
    assert said(done) == ("", 0)
