"""Errors that mend: one sentence with the cause, the names and the command, from any command."""

import pytest
from django.db import connection

from hotel.migrator.tests.commands import db, doctor, table

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
    assert found[0]["mend"] == (
        "The database has what it makes: record it with manage.py db stamp annexe.0002_add_desks."
    )
    assert db("stamp", "annexe.0002_add_desks") == "recorded: annexe.0001_initial\n"
    assert doctor() == (0, [])
    assert said(project.manage(*words)) == ("", 0)


def test_a_record_is_missing_of_what_a_later_migration_extends(project, annexe, history):
    annexe.write("0001_initial", table("Bed")).write("0002_add_desks", table("Desk"))
    annexe.write(
        "0003_add_legs",
        'operations.AddField("desk", "legs", models.IntegerField(default=4))',
    ).migrate()
    history.execute("DELETE FROM django_migrations WHERE name = '0002_add_desks'")
    kinds = {found["kind"]: found["mend"] for found in doctor()[1]}
    assert kinds["dependency"] == (
        "The database has what it makes: record it with manage.py db stamp annexe.0003_add_legs."
    )
    assert db("stamp", "annexe.0003_add_legs") == "recorded: annexe.0002_add_desks\n"
    assert "dependency" not in [found["kind"] for found in doctor()[1]]


FIRST_LINES = {
    "NULL": (
        'column "floor" of relation "annexe_room" contains null values',
        "NOT NULL constraint failed: new__annexe_room.floor",
    ),
    "no default": (
        'column "beds" of relation "annexe_room" contains null values',
        "NOT NULL constraint failed: new__annexe_room.beds",
    ),
    "twice": (
        'could not create unique index "annexe_room_floor_09dcfb2f_uniq": Key (floor)=(1) is'
        " duplicated",
        "UNIQUE constraint failed: new__annexe_room.floor",
    ),
    "one value": (
        'could not create unique index "annexe_room_code_key": Key (code)=(1) is duplicated',
        "UNIQUE constraint failed: new__annexe_room.code",
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
IN_WORDS = {
    "NULL": "Alter field floor on room",
    "no default": "Add field beds to room",
    "twice": "Alter field floor on room",
    "one value": "Add field code to room",
    "rule": "Create constraint floors on model room",
    "there": "Raw SQL operation",
    "not there": "Raw SQL operation",
}
OPERATIONS = {
    "NULL": 'migrations.AlterField("room", "floor", models.IntegerField())',
    "no default": 'migrations.AddField("room", "beds", models.IntegerField())',
    "twice": 'migrations.AlterField("room", "floor", models.IntegerField(unique=True))',
    "one value": 'migrations.AddField("room", "code", models.IntegerField(default=1, unique=True))',
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
    "no default": (
        "The table has rows, which would have no value in the new column: give it a default, or"
        " add it with null=True, fill it, and make it NOT NULL after that; then run the same"
        " command again."
    ),
    "twice": (
        "There are rows with the same value: change or merge them first, then run the same command"
        " again."
    ),
    "one value": (
        "The new column has one value for all rows: add it with null=True and without the default,"
        " fill it with a RunPython that gives each row its own, and make it unique after that; then"
        " run the same command again."
    ),
    "rule": (
        "There are rows that break the rule: mend them first, then run the same command again."
    ),
    "there": (
        "The database already has what it makes: manage.py db doctor says where the database stands"
        " and what to do; if it is of a legacy system, take it over with manage.py db adopt."
    ),
    "not there": (
        "The database lacks what it names: manage.py db doctor says whether something is missing"
        " and what to do; if nothing is, mend the migration, then run the same command again."
    ),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_rows_and_tables_that_stop_a_migration(project, tables, history, case):
    history.insert("annexe_room", floor=None if case == "NULL" else 1)
    tables.write("0002_change", OPERATIONS[case])
    before = project.facts()
    done = project.manage("migrate", "--verbosity", "0")
    assert said(done) == (
        f"annexe.0002_change ({IN_WORDS[case]}) failed:"
        f" {FIRST_LINES[case][0 if ON_POSTGRESQL else 1]}. It changed nothing. {MENDS[case]}"
        " --traceback shows where.",
        5,
    )
    assert project.facts() == before
    assert "Traceback" in project.manage("migrate", "--traceback").stderr


def test_an_error_of_programming_keeps_its_traceback(project, tables):
    tables.write("0002_look", 'migrations.RunSQL("SELECT 1")')
    tables.write(
        "0003_change", "migrations.RunPython(change)", code="def change(apps, editor):\n    1 / 0"
    )
    done = project.manage("migrate")
    assert "Traceback" in done.stderr
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        "annexe.0003_change (Raw Python operation, change()) failed: ZeroDivisionError: division by"
        " zero. It changed nothing. The one before it in this run stands. Mend the migration or the"
        " rows, then run the same command again.",
        5,
    )


def test_a_part_that_may_be_done_is_not_told_to_be_run_again(project, tables):
    tables.write(
        "0002_change", 'migrations.RunSQL(["SELECT 1", "DELETE FROM annexe_lamp"])', atomic=False
    )
    settle = (
        "finish or undo it by hand; then record what is true with manage.py migrate --fake annexe"
        " 0002_change, or with the name of the migration before it."
    )
    done = project.manage("migrate", "-v", "0")
    assert said(done) == (
        "annexe.0002_change (Raw SQL operation) failed:"
        f" {FIRST_LINES['not there'][0 if ON_POSTGRESQL else 1]}. What it did before that stands."
        f" Look at its rows and {settle} --traceback shows where.",
        5,
    )
    done = project.manage("migrate", "-v", "0")
    assert (done.stderr.endswith(f"{settle}\n"), done.returncode) == (True, 6)


@pytest.mark.parametrize("atomic", [True, False])
def test_ctrl_c(project, tables, atomic):
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


WRONG = {  # for Django: operation, in words, what it raises
    "statements of three parts": (
        'migrations.RunSQL([("SELECT 1", None, None)])',
        "Raw SQL operation",
        "ValueError: Expected a 2-tuple but got 3",
    ),
    "no such field": (
        'migrations.RemoveField("size", "depth")',
        "Remove field depth from size",
        "KeyError: 'depth', and nothing of that name is made before it",
    ),
    "no such model": (
        'migrations.AddField("bed", "depth", models.IntegerField())',
        "Add field depth to bed",
        "KeyError: ('annexe', 'bed'), and nothing of that name is made before it",
    ),
}
SIZE = """
migrations.CreateModel(
    "Size", [("id", models.AutoField(primary_key=True)), ("w", models.IntegerField())]
)
"""
MEND = "Mend the migration, then run the same command again. --traceback shows where.\n"


@pytest.mark.parametrize("case", WRONG)
def test_what_django_cannot_do_is_told_with_the_operation(project, annexe, case):
    operation, in_words, raised = WRONG[case]
    annexe.write("0001_initial", SIZE).migrate()
    annexe.write("0002_change", operation)
    stopped = case == "statements of three parts"  # the others stop whoever follows the models
    for words in (["migrate", "-v", "0"], ["db", "upgrade", "-v", "0"]):
        done = project.manage(*words)
        assert (done.stderr, done.returncode) == (
            f"annexe.0002_change ({in_words}) failed: {raised}. It changed nothing. {MEND}"
            if stopped
            else f"annexe.0002_change ({in_words}) cannot be followed: {raised}. Nothing was"
            f" changed. {MEND}",
            5 if stopped else 3,
        )
    replayed = (
        f"annexe.0002_change ({in_words}) fails on an empty database, where the migrations are"
        f" replayed: {raised}. Nothing was changed. {MEND}"
    )
    done = project.manage("db", "upgrade", "base:heads", "--sql")
    assert (done.stderr, done.returncode) == (replayed, 3)
    project.manage("db", "stamp", "annexe", "--force")
    done = project.manage("db", "drift")
    assert (done.stdout, done.stderr, done.returncode) == ("", replayed, 3)


REFUSE = """
def refuse(apps, editor):
    raise RefusedByPreflight("There are rooms without a floor.")
"""


def test_what_an_operation_refuses_is_told_with_its_name(project, tables):
    tables.write(
        "0002_look",
        "migrations.RunPython(refuse)",
        code=f"from hotel.migrator.exceptions import RefusedByPreflight\n{REFUSE}",
    )
    said = (
        "RefusedByPreflight: annexe.0002_look (Raw Python operation, refuse()): There are rooms"
        " without a floor.\n"
    )
    for words in (["migrate", "-v0"], ["db", "upgrade", "base:heads", "--sql"]):
        done = project.manage(*words)
        assert (done.stderr, done.returncode) == (said, 3)


def test_a_command_that_a_migration_calls_is_told_with_the_migration(project, tables):
    code = (
        "from django.core.management import call_command\n"
        "def load(apps, editor):\n    call_command('loaddata', 'nowhere')"
    )
    tables.write("0002_load", "migrations.RunPython(load)", code=code)
    done = project.manage("migrate", "-v", "0")
    assert done.stderr.startswith(
        "FailedDuringApply: annexe.0002_load (Raw Python operation, load()) failed: No fixture"
        " named 'nowhere' found. It changed nothing. Mend the migration or the rows,"
    )
    assert done.returncode == 5


OWN_CODE = {  # of a migration: its code, and what is said of it
    "a row twice, by a model": (
        'apps.get_model("annexe", "Room").objects.create(pk=1)',
        'duplicate key value violates unique constraint "annexe_room_pkey": Key (id)=(1) already'
        " exists"
        if ON_POSTGRESQL
        else "UNIQUE constraint failed: annexe_room.id",
    ),
    "the end of the process": ("sys.exit(0)", "sys.exit(0)"),
    "the end with a sentence": ("sys.exit('No rooms.')", "sys.exit('No rooms.')"),
    "an empty first line": ("raise ValueError('\\n\\nNo rooms.')", "ValueError: No rooms"),
}


@pytest.mark.parametrize("case", OWN_CODE)
def test_whatever_stops_the_code_of_a_migration_is_told_with_the_operation(
    project,
    tables,
    case,
):
    code, said = OWN_CODE[case]
    code = f"import sys\n\ndef change(apps, editor):\n    {code}"
    tables.write("0002_change", "migrations.RunPython(change)", code=code)
    done = project.manage("migrate", "-v", "0")
    sentence = done.stderr.splitlines()[-1]
    where = "annexe.0002_change (Raw Python operation, change()) failed: "
    assert (sentence[: len(where + said)], done.returncode) == (where + said, 5)
    assert "It changed nothing." in sentence
    assert done.stderr.count("annexe.0002_change (") == 1
    if "sys.exit" in code:
        done = project.manage("db", "upgrade", "base:heads", "--sql")
        assert done.stderr.splitlines()[-1].startswith(
            "annexe.0002_change (Raw Python operation, change()) fails on an empty database, where"
            f" the migrations are replayed: {said}. Nothing was changed."
        )
        assert (done.stdout, done.returncode) == ("", 3)


CONCURRENTLY = {
    "ours": 'operations.AddIndex("room", models.Index(F("id") / F("floor"), name="by_floor"))',
    "Django's": 'AddIndexConcurrently("room", models.Index(F("id") / F("floor"), name="by_floor"))',
    "by hand": (
        'migrations.RunSQL("CREATE INDEX CONCURRENTLY by_floor ON annexe_room ((id / floor))")'
    ),
}


@pytest.mark.postgresql
@pytest.mark.parametrize("whose", CONCURRENTLY)
def test_an_index_that_was_left_invalid_is_named(project, tables, history, whose):
    history.execute("UPDATE annexe_room SET floor = 0")
    tables.write(
        "0002_index",
        CONCURRENTLY[whose],
        code="from django.contrib.postgres.operations import AddIndexConcurrently",
        atomic=False,
    )
    done = project.manage("migrate", "-v", "0")
    in_words = "Raw SQL operation" if whose == "by hand" else "Create index by_floor on F(id)"
    assert done.stderr.startswith(f"annexe.0002_index ({in_words}")
    said = done.stderr.partition(" failed: ")[2]
    if whose == "by hand":
        assert said == (
            "division by zero. What it did before that stands, and the index by_floor is left,"
            " INVALID: DROP INDEX CONCURRENTLY by_floor. Look at its rows and finish or undo it by"
            " hand; then record what is true with manage.py migrate --fake annexe 0002_index, or"
            " with the name of the migration before it. --traceback shows where.\n"
        )
        history.execute("UPDATE annexe_room SET floor = 1")
        history.execute("DROP INDEX CONCURRENTLY by_floor")
        assert project.manage("migrate", "--fake", "annexe", "0001_initial").returncode == 0
    else:
        assert said == (
            "division by zero. It changed nothing else. The index by_floor is left, INVALID; the"
            " next run makes it anew. Mend that value, where it stands in the rows or in the"
            " migration, then run the same command again. --traceback shows where.\n"
        )
        history.execute("UPDATE annexe_room SET floor = 1")
    done = project.manage("migrate", "-v", "0")
    assert (done.stderr, done.returncode) == ("", 0)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_floor'::regclass"
    assert history.execute(valid) == [(True,)]


BROKEN = {
    "no Python": ("class Migration(:", "SyntaxError: invalid syntax"),
    "no such module": ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    "a name": ("nobody", "NameError: name 'nobody' is not defined"),
}


@pytest.mark.once
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_loaded(project, tables, case):
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
def test_a_file_without_a_migration(project, tables):
    (tables.migrations / "0002_broken.py").write_text("")
    assert said(project.manage("migrate")) == (
        "Migration 0002_broken in app annexe has no Migration class: write one, or move the file"
        " to another folder.",
        2,
    )


@pytest.mark.once
@pytest.mark.parametrize("where", [">&-", "> /dev/full", "| head -c 1 > /dev/null"])
def test_output_that_nobody_can_read_does_not_stop_a_run(project, tables, where):
    for name in ("0002_a", "0003_b"):
        tables.write(name, 'migrations.RunSQL("SELECT 1", migrations.RunSQL.noop)')
    done = project.manage("migrate", shell=where)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    tables.project.reload()
    assert db("current") == "annexe.0003_b (head)\n"


@pytest.mark.parametrize("words", [["migrate", "annexe", "0001"], ["db", "downgrade", "-2"]])
def test_a_step_without_a_way_back_stops_nothing_half_way(project, tables, words):
    tables.write("0002_for_good", 'migrations.RunSQL("SELECT 1")')
    tables.write("0003_add_lamps", table("Lamp")).migrate()
    before = project.facts()
    done = project.manage(*words)
    assert done.returncode == 3
    assert "annexe.0002_for_good" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.facts() == before


def test_a_step_without_a_way_back_can_be_recorded_as_undone(project, tables):
    tables.write("0002_for_good", 'migrations.RunSQL("SELECT 1")').migrate()
    done = project.manage("migrate", "--fake", "annexe", "0001")
    assert said(done) == ("", 0)


@pytest.mark.sqlite
def test_several_statements_in_one_entry_of_a_list(project, tables):
    tables.write("0002_two", 'migrations.RunSQL(["SELECT 1; SELECT 2"])')
    assert said(project.manage("migrate", "--verbosity", "0")) == (
        "annexe.0002_two (Raw SQL operation) failed: You can only execute one statement at a time."
        " It changed nothing. Give each statement an entry of its own in the list of SQL, then run"
        " the same command again. --traceback shows where.",
        5,
    )


@pytest.mark.postgresql
@pytest.mark.parametrize("who", ["editor", "connection.cursor()"])
def test_a_percent_sign_without_a_value_is_told(project, tables, who):
    tables.write(
        "0002_percent",
        "migrations.RunPython(ask)",
        code=f"def ask(apps, editor):\n    {who}.execute(\"SELECT 'a%'\", [])",
    )
    done = project.manage("migrate", "-v0")
    assert done.stderr.splitlines()[-1].removeprefix("FailedDuringApply: ") == (
        "annexe.0002_percent (Raw Python operation, ask()) failed: a % in its SQL stands for a"
        " value that it was not given. It changed nothing. Write %% for a percent sign, or give no"
        " parameters at all (params=None of schema_editor.execute), then run the same command"
        " again."
    )
