"""Who has to wait for a plan, and for how long about."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from conftest import OWN_APPS
from hotel.migrator.waits import Wait, locks


def waits(*targets):
    """Return the Waits on the way to ``targets``, or to head."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(list(targets) or executor.loader.graph.leaf_nodes())
    return locks(connection, executor.loader, plan)


@pytest.fixture
def big(rooms, history):
    """A table that the planner takes to have two million rows."""
    history.execute("UPDATE pg_class SET reltuples = 2000000 WHERE relname = 'annexe_room'")
    return rooms


EVERYBODY, WRITERS, NOBODY = "ACCESS EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE"
CODE = "from django.contrib.postgres import indexes, operations as postgres\n" + (
    "from django.db.models.functions import Now\n"
    "from hotel.migrator.constraints import Check, Exclusion\n"
    "from hotel.migrator.fields import ExemptionsField\n"
)
CHECK = 'models.CheckConstraint(name="c", condition=models.Q(floor__gt=0))'


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("operation", "lock", "seconds", "why"),
    [
        ('AddField("room", "beds", models.IntegerField(null=True))', EVERYBODY, 0, ""),
        ('AddField("room", "beds", models.IntegerField(default=1))', EVERYBODY, 0, ""),
        ('AddField("room", "at", models.DateTimeField(db_default=Now()))', EVERYBODY, 0, ""),
        (
            'AddField("room", "beds", models.GeneratedField(expression=F("floor") + 1,'
            " output_field=models.IntegerField(), db_persist=True))",
            *(EVERYBODY, 9, "the table is rewritten"),
        ),
        (
            'AddField("room", "beds", models.IntegerField(null=True, db_index=True))',
            *(EVERYBODY, 1.3, "an index is made"),
        ),
        ('RemoveField("room", "floor")', EVERYBODY, 0, ""),
        (
            'operations.RemoveField("room", "floor")',
            *(EVERYBODY, 20, "what is dropped is archived first"),
        ),
        ('DeleteModel("room")', EVERYBODY, 0, ""),
        ('RenameField("room", "floor", "storey")', EVERYBODY, 0, ""),
        ('RenameModel("room", "chamber")', EVERYBODY, 0, ""),
        (
            'AlterField("room", "floor", models.BigIntegerField(null=True))',
            *(EVERYBODY, 9, "the table may be rewritten"),
        ),
        ('AlterField("room", "number", models.CharField(max_length=30))', EVERYBODY, 0, ""),
        ('AlterField("room", "number", models.TextField())', EVERYBODY, 0, ""),
        (
            'AlterField("room", "number", models.CharField(max_length=3))',
            *(EVERYBODY, 9, "the table may be rewritten"),
        ),
        (
            'AlterField("room", "floor", models.IntegerField(default=0))',
            *(EVERYBODY, 0.7, "all rows are read for NULL"),
        ),
        (
            'AlterField("room", "floor", models.IntegerField(null=True, unique=True))',
            *(EVERYBODY, 1.3, "a unique index is made"),
        ),
        (
            'AlterField("room", "floor", models.IntegerField(null=True, db_index=True))',
            *(WRITERS, 1.3, "an index is made"),
        ),
        (
            'AddIndex("room", models.Index(fields=["floor"], name="i"))',
            *(WRITERS, 1.3, "an index is made"),
        ),
        (
            'AddIndex("room", indexes.BrinIndex(fields=["floor"], name="i"))',
            *(WRITERS, 4, "an index is made"),
        ),
        (
            'operations.AddIndex("room", models.Index(fields=["floor"], name="i"))',
            *(NOBODY, 0, ""),
        ),
        (
            'postgres.AddIndexConcurrently("room", models.Index(fields=["floor"], name="i"))',
            *(NOBODY, 0, ""),
        ),
        (f'AddConstraint("room", {CHECK})', EVERYBODY, 0.7, "all rows are checked"),
        (f'postgres.AddConstraintNotValid("room", {CHECK})', EVERYBODY, 0, ""),
        (
            'AddConstraint("room", models.UniqueConstraint(fields=["floor"], name="u"))',
            *(EVERYBODY, 1.3, "a unique index is made"),
        ),
        (
            'AddConstraint("room", models.UniqueConstraint(Lower("number"), name="u"))',
            *(WRITERS, 1.3, "a unique index is made"),
        ),
        (
            'AlterUniqueTogether("room", {("floor", "number")})',
            *(EVERYBODY, 1.3, "a unique index is made"),
        ),
        (
            'operations.RequireField("room", "floor", models.IntegerField(), backfill="0001")',
            *(NOBODY, 0, ""),
        ),
        (
            'operations.AddRules("room", [Check(name="r", condition=models.Q(floor__gt=0))])',
            *(EVERYBODY, 0, ""),
        ),
        (
            'operations.AddRules("room", [Exclusion(name=n, same=["number"]) for n in "pq"])',
            *(EVERYBODY, 57.2, "an exclusion constraint is made"),
        ),
        ('operations.ValidateRules("room", ["r"])', NOBODY, 0, ""),
    ],
)
def test_what_an_operation_locks(big, operation, lock, seconds, why):
    module = "" if operation.startswith(("operations.", "postgres.")) else "migrations."
    big.write("0002_change", f"{module}{operation},", code=CODE)
    [wait] = waits()
    assert (wait.migration, wait.table) == ("annexe.0002_change", "annexe_room")
    assert (wait.lock, wait.seconds, wait.why, wait.online) == (lock, seconds, why, not why)


@pytest.mark.postgresql
def test_a_foreign_key_locks_its_target_too(big):
    big.write(
        "0002_refer",
        """
        migrations.CreateModel("Bed", [
            ("id", models.AutoField(primary_key=True)),
            ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
        ]),
        migrations.AlterField("room", "floor", models.ForeignKey(
            "annexe.Bed", models.CASCADE, null=True, db_index=False, db_column="floor"
        )),
        """,
    )
    made, altered = waits()
    assert (made.table, made.lock, made.online) == ("annexe_room", "SHARE ROW EXCLUSIVE", True)
    assert (altered.table, altered.seconds) == ("annexe_room", 9.6)


@pytest.mark.postgresql
def test_what_code_locks_nobody_can_tell_and_batches_let_others_pass(big):
    big.write(
        "0002_run",
        """
        migrations.RunPython(run),
        migrations.AlterModelOptions("room", {"ordering": ["floor"]}),
        BatchedRunPython(same, BatchedRunPython.keep, "room", "floor"),
        """,
        code="def run(apps, editor): pass\n\ndef same(apps, floor): return floor",
        atomic=False,
    )
    assert [str(wait) for wait in waits()] == [
        "annexe.0002_run (Raw Python operation): whatever its code locks; nobody can tell how"
        " long.",
        "annexe.0002_run (Change floor of room in batches): row locks on annexe_room, online;"
        " a batch at a time.",
    ]


@pytest.mark.postgresql
def test_a_line_says_how_long_others_wait(big):
    big.write("0002_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    big.write("0003_check", f'migrations.AddConstraint("room", {CHECK})')
    assert [str(wait) for wait in waits()] == [
        "annexe.0002_add (Add field beds to room): ACCESS EXCLUSIVE on annexe_room, online.",
        "annexe.0003_check (Create constraint c on model room): ACCESS EXCLUSIVE on annexe_room,"
        " planned lock, some 0.7 s: all rows are checked.",
    ]


@pytest.mark.postgresql
def test_planned_locks_of_the_history_are_those_that_it_names(history):
    history.initial().load_sample()
    planned = {wait.migration for wait in waits() if wait.online is False}
    assert "reservations.0016_forbid_double_booking" in planned
    assert "reservations.0017_replace_number_of_nights" in planned
    assert "reservations.0026_index_reservations" not in planned
    assert "payments.0005_require_payment_type" not in planned
    history.climb()
    assert waits(*((app, "0001_initial") for app in reversed(OWN_APPS)))


@pytest.mark.sqlite
def test_sqlite_has_one_writer(rooms):
    rooms.write("0002_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    [wait] = waits()
    assert wait == Wait(
        *("", "", "", "the database", False, None),
        "SQLite has one writer; others read, and wait to write, while a migration runs",
    )
    assert str(wait) == (
        "the database, planned lock: SQLite has one writer; others read, and wait to write, while a"
        " migration runs."
    )
    rooms.migrate()
    assert waits() == []
