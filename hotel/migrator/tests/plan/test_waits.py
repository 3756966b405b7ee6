"""Who has to wait for a plan, and for how long about."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from conftest import OWN_APPS
from hotel.migrator.plan.costs import BUSY, Pace
from hotel.migrator.plan.waits import _Work, locks


def waits(*targets, pace=1.0):
    """Return the Waits on the way to ``targets``, or to head, on a database of this pace."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(list(targets) or executor.loader.graph.leaf_nodes())
    of_database = Pace(connection)
    of_database.factor = pace
    return locks(connection, executor.loader, plan, of_database)


@pytest.fixture
def big(rooms, history):
    """A table that the planner takes to have two million rows."""
    counted(history, 2_000_000)
    return rooms


def counted(history, rows, table="annexe_room"):
    """Let the planner take a table to have so many rows a page; it has one page."""
    history.execute(
        "UPDATE pg_class SET reltuples = %s, relpages = 1 WHERE relname = %s", [rows, table]
    )


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
            *(EVERYBODY, 10.3, "the table is rewritten"),
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
            *(EVERYBODY, 10.3, "the table may be rewritten"),
        ),
        ('AlterField("room", "number", models.CharField(max_length=30))', EVERYBODY, 0, ""),
        ('AlterField("room", "number", models.TextField())', EVERYBODY, 0, ""),
        (
            'AlterField("room", "number", models.CharField(max_length=3))',
            *(EVERYBODY, 10.3, "the table may be rewritten"),
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
            *(EVERYBODY, 0.7, "all rows are checked"),
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
    atomic = not any(word in operation for word in ("s.AddIndex", "RequireField"))
    big.write("0002_change", f"{module}{operation},", code=CODE, atomic=atomic)
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
    assert (altered.table, altered.seconds) == ("annexe_room", 10.9)


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
        " planned lock, 0.7 to 1.4 s: all rows are checked.",
    ]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "validated",
    ['postgres.ValidateConstraint("room", "c")', 'operations.ValidateRules("room", ["c"])'],
)
def test_what_is_validated_under_a_lock_is_no_more_online(big, validated):
    big.write("0002_check", f'postgres.AddConstraintNotValid("room", {CHECK}),', code=CODE)
    big.write("0003_validate", f"{validated},", code=CODE)
    assert [wait.online for wait in waits()] == [True, True]
    both = f'postgres.AddConstraintNotValid("room", {CHECK}), {validated},'
    big.write("0002_check", both, code=CODE, after=[("annexe", "0001_initial")])
    _, under, alone = waits()
    assert (under.lock, under.online, under.seconds, under.why) == (
        *(EVERYBODY, False, 0.7),
        "all rows are checked",
    )
    assert alone.online


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


REPLACED = """
migrations.AddField("room", "storey", models.IntegerField(null=True)),
migrations.AlterField("room", "floor", models.BigIntegerField(null=True)),
"""
BED = """
migrations.CreateModel("Bed", [
    ("id", models.AutoField(primary_key=True)), ("size", models.IntegerField(null=True)),
]),
"""


@pytest.mark.postgresql
def test_locks_that_follow_at_once_are_counted_together(big):
    """As between reservations.0016 and 0017, of which clients felt both."""
    retyped = 'migrations.AlterField("room", "floor", models.{}(null=True))'
    big.write("0002_check", f'migrations.AddConstraint("room", {CHECK})')
    big.write("0003_retype", retyped.format("BigIntegerField"))
    big.write(
        "0004_rows", "BatchedRunPython(same, BatchedRunPython.keep, 'room', 'floor')", **BATCH
    )
    big.write("0005_retype", retyped.format("IntegerField"))
    planned = "ACCESS EXCLUSIVE on annexe_room, planned lock,"
    altered, rewritten = "Alter field floor on room", "the table may be rewritten"
    assert [str(wait) for wait in waits()] == [
        f"annexe.0002_check (Create constraint c on model room): {planned} 0.7 to 1.4 s (11.0 to"
        " 22.0 s with the steps beside it): all rows are checked.",
        f"annexe.0003_retype ({altered}): {planned} 10.3 to 20.6 s (11.0 to 22.0 s with the"
        f" steps beside it): {rewritten}.",
        "annexe.0004_rows (Change floor of room in batches): row locks on annexe_room, online; a"
        " batch at a time.",
        f"annexe.0005_retype ({altered}): {planned} 10.3 to 20.6 s: {rewritten}.",
    ]
    assert [wait.together for wait in waits()] == [11.0, 11.0, 0, 10.3]


BATCH = {"atomic": False, "code": "def same(apps, floor): return floor"}


@pytest.mark.postgresql
def test_a_table_whose_migration_works_on_another_one_is_locked_as_long(big, history):
    big.write("0002_bed", BED).migrate()
    counted(history, 2_000_000)
    both = """
    migrations.AddField("bed", "name", models.IntegerField(null=True)),
    migrations.RenameModel("Bed", "Cot"),
    migrations.AlterField("cot", "name", models.IntegerField(default=1)),
    migrations.AlterField("room", "floor", models.BigIntegerField(null=True)),
    """
    big.write("0003_both", both)
    big.write("0004_apart", 'migrations.AddField("cot", "size2", models.IntegerField(null=True))')
    added, renamed, required, altered, apart = waits()
    assert str(added) == (
        "annexe.0003_both (Add field name to bed): ACCESS EXCLUSIVE on annexe_bed, online."
    )
    assert renamed.online
    assert str(required) == (
        "annexe.0003_both (Alter field name on cot): ACCESS EXCLUSIVE on annexe_cot, planned lock,"
        " under 0.1 s (10.3 to 20.6 s with the steps beside it): all rows are read for NULL."
    )
    assert (altered.seconds, altered.together) == (10.3, 10.3)
    assert apart.online
    one = both.replace('migrations.AlterField("cot", "name", models.IntegerField(default=1)),', "")
    big.write("0003_both", one, after=[("annexe", "0002_bed")])
    assert str(waits()[0]) == (
        "annexe.0003_both (Add field name to bed): ACCESS EXCLUSIVE on annexe_bed, planned lock,"
        " under 0.1 s (10.3 to 20.6 s with the steps beside it): held until the migration ends."
    )


WRITER = {
    'migrations.AddField("room", "beds", models.IntegerField(null=True))': "online",
    'migrations.AddField("room", "beds", models.IntegerField(default=1))': "planned lock, under"
    " 0.1 s: annexe_room is made anew, and 3 rows copied",
    'migrations.AlterField("room", "floor", models.TextField(null=True))': "planned lock, under"
    " 0.1 s: annexe_room is made anew, and 3 rows copied",
    'migrations.RemoveField("room", "floor")': "planned lock, under 0.1 s: 3 rows of annexe_room"
    " are written anew",
    'operations.RemoveField("room", "floor")': "planned lock, under 0.1 s: 3 rows of annexe_room"
    " are archived first",
    'migrations.DeleteModel("room")': "online",
    'operations.DeleteModel("room")': "planned lock, under 0.1 s: 3 rows of annexe_room are"
    " archived first",
    'migrations.RenameModel("room", "chamber")': "online",
    'migrations.AddIndex("room", models.Index(fields=["floor"], name="i"))': "planned lock, under"
    " 0.1 s: an index or a rule over 3 rows is made",
    'migrations.AlterModelOptions("room", {"ordering": ["floor"]})': None,
    "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)": None,
    'migrations.RunSQL("SELECT 1")': "nobody can tell how long",
    'BatchedRunPython(same, BatchedRunPython.keep, "room", "floor")': "held until all rows are"
    " changed",
}


@pytest.mark.sqlite
@pytest.mark.parametrize("operation", WRITER)
def test_a_writer_of_sqlite_waits_for_the_one_lock_as_long_as(rooms, operation):
    rooms.write("0002_change", f"{operation},", code=BATCH["code"])
    said = [str(wait) for wait in waits()]
    if WRITER[operation] is None:
        assert said == []
        return
    [line] = said
    assert line.startswith("annexe.0002_change (")
    mark = ";" if WRITER[operation].startswith(("held", "nobody")) else ","
    assert line.endswith(f"): the write lock{mark} {WRITER[operation]}.")
    rooms.migrate()
    assert waits() == []


@pytest.mark.sqlite
def test_a_rebuild_of_many_rows_takes_seconds_that_add_up(rooms, history):
    history.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 79997)"
        " INSERT INTO annexe_room (number) SELECT i FROM n"
    )
    rooms.write("0002_text", 'migrations.AlterField("room", "floor", models.TextField(null=True))')
    rooms.write("0003_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    rooms.write(
        "0004_batch", 'BatchedRunPython(same, BatchedRunPython.keep, "room", "floor")', **BATCH
    )
    rooms.write(
        "0005_index",
        'migrations.AlterField("room", "floor", models.TextField(db_index=True, null=True))',
    )
    rooms.write("0006_text", 'migrations.AlterField("room", "number", models.TextField())')
    assert [str(wait) for wait in waits()] == [
        "annexe.0002_text (Alter field floor on room): the write lock, planned lock, 0.3 to 0.7"
        " s: annexe_room is made anew, and 80000 rows copied.",
        "annexe.0003_add (Add field beds to room): the write lock, online.",
        "annexe.0004_batch (Change floor of room in batches): the write lock, online; a batch at a"
        " time.",
        "annexe.0005_index (Alter field floor on room): the write lock, planned lock, 0.5 to 0.9"
        " s (0.9 to 1.9 s with the steps beside it): annexe_room is made anew, and 80000 rows"
        " copied.",
        "annexe.0006_text (Alter field number on room): the write lock, planned lock, 0.5 to 0.9"
        " s (0.9 to 1.9 s with the steps beside it): annexe_room is made anew, and 80000 rows"
        " copied.",
    ]


TWICE = """
migrations.AlterField("room", "floor", models.BigIntegerField(null=True)),
migrations.AlterField("room", "number", models.TextField()),
migrations.AlterField("room", "number", models.CharField(max_length=20)),
"""
INDEXED = """
migrations.AddIndex("room", models.Index(fields=["floor"], name="i")),
migrations.AddIndex("room", models.Index(fields=["number", "floor"], name="j")),
"""


def many(history, rows):
    """Let ``annexe_room`` have so many rows, or be taken to."""
    if connection.vendor == "postgresql":
        counted(history, rows)
        return
    history.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
        " INSERT INTO annexe_room (number) SELECT i FROM n",
        [rows - history.execute("SELECT count(*) FROM annexe_room")[0][0]],
    )


def test_an_estimate_grows_with_rows_with_indexes_and_with_a_slow_database(rooms, history):
    rooms.write("0002_twice", TWICE)
    many(history, 20_000)
    few = [wait.seconds for wait in waits()]
    slow = [wait.seconds for wait in waits(pace=3.0)]
    many(history, 40_000)
    twice = [wait.seconds for wait in waits()]
    assert twice == pytest.approx([2 * seconds for seconds in few], abs=0.002)
    assert slow == pytest.approx([3 * seconds for seconds in few], abs=0.004)
    rooms.write("0002_index", INDEXED, after=[("annexe", "0001_initial")])
    rooms.path("0002_twice").unlink()
    rooms.write("0003_twice", TWICE, after=[("annexe", "0002_index")])
    indexed = [wait.seconds for wait in waits() if "0003" in wait.migration]
    assert all(more > less for more, less in zip(indexed, twice, strict=True) if less)


def test_what_follows_at_once_is_in_both_ends_of_the_range(rooms, history):
    rooms.write("0002_twice", TWICE)
    rooms.write("0003_text", 'migrations.AlterField("room", "floor", models.TextField(null=True))')
    many(history, 40_000)
    planned = [wait for wait in waits() if wait.online is False]
    assert len({wait.together for wait in planned}) == 1
    for wait in planned:
        assert wait.longest >= wait.together >= wait.seconds
    total = sum(wait.seconds for wait in planned)
    assert planned[0].together == pytest.approx(total, abs=0.002)


def test_beside_what_nobody_can_tell_an_estimate_is_the_least(rooms, history):
    rooms.write("0002_code", f"{TWICE} migrations.RunSQL('SELECT 1', ''),")
    many(history, 40_000)
    [first, *_] = waits()
    assert first.longest is None
    assert f"(at least {first.together:.1f} s with the steps beside it)" in str(first)


def test_the_pace_of_a_database_is_measured_once_and_only_where_work_takes_time(
    rooms, django_assert_num_queries
):
    pace = Pace(connection)
    with django_assert_num_queries(Pace.tries):
        assert pace.factor >= 1
        assert pace.factor >= 1
    with django_assert_num_queries(0):
        assert _Work(connection, Pace(connection)).of(10) == 0


@pytest.mark.postgresql
def test_a_pace_that_cannot_be_measured_is_that_of_a_busy_database(rooms, history):
    history.execute("SET statement_timeout = 1")
    try:
        assert Pace(connection).factor == BUSY
    finally:
        history.execute("SET statement_timeout = 0")
