"""The strongest lock comes first: nobody dies, and a migration gets its turn (PostgreSQL)."""

import os

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg2.extensions import make_dsn

from bench import traffic
from conftest import OWN_APPS
from hotel.migrator import preflight
from hotel.migrator.locking import table_locks
from hotel.migrator.locking.patience import short_lock_timeout
from hotel.migrator.plan import lock_order, steps, waits
from hotel.migrator.tests.commands import ROOM_AND_BED
from hotel.tests import stress

pytestmark = pytest.mark.postgresql

SAME = "def same(apps, floor): return floor"


@pytest.fixture
def beds(annexe):
    """Two tables, of which ``annexe_bed`` refers to ``annexe_room``."""
    return annexe.write("0001_initial", ROOM_AND_BED).migrate()


def held(table):
    """Return the modes in which this session has locked a table, sorted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = %s::regclass"
            " ORDER BY mode",
            [table],
        )
        return [mode for (mode,) in cursor.fetchall()]


def test_tables_are_locked_as_much_as_is_wanted_and_others_are_left_out(beds, history):
    wanted = {
        "annexe_room": table_locks.EVERYBODY,
        "annexe_bed": table_locks.WRITERS_OF_BOTH,
        "annexe_lamp": table_locks.EVERYBODY,
    }
    with short_lock_timeout(connection, 60), transaction.atomic():
        table_locks.take(connection, wanted)
        assert history.execute("SHOW lock_timeout") == [("60ms",)]
        first = "ShareUpdateExclusiveLock"
        assert held("annexe_bed") == ["ShareRowExclusiveLock", first]
        assert held("annexe_room") == ["AccessExclusiveLock", first]
    with transaction.atomic():
        table_locks.take(connection, {"annexe_room": table_locks.ROWS})
        assert held("annexe_room") == []


def test_a_table_that_belongs_to_others_is_left_out(beds, history):
    role = f"stranger_{os.getpid()}"
    history.execute(f"CREATE ROLE {role}")
    try:
        history.execute(f"GRANT REFERENCES, SELECT ON annexe_room TO {role}")
        with transaction.atomic():
            history.execute(f"SET LOCAL ROLE {role}")
            table_locks.take(connection, {"annexe_room": table_locks.WRITERS_OF_BOTH})
            assert held("annexe_room") == []
    finally:
        history.execute(f"DROP OWNED BY {role}")
        history.execute(f"DROP ROLE {role}")


LOOK = """
def look(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(relname || ' ' || mode, ', ' ORDER BY relname, mode) FROM pg_locks"
            " JOIN pg_class ON pg_class.oid = relation"
            " WHERE pid = pg_backend_pid() AND relname LIKE 'annexe_%' AND relkind = 'r'"
            " AND mode IN ('AccessExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')"
        )
        [found] = cursor.fetchone()
        cursor.execute("CREATE TABLE IF NOT EXISTS annexe_seen AS SELECT %s AS found", [found])
"""


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (
            'migrations.AddField("bed", "width", models.IntegerField(null=True))',
            "annexe_bed AccessExclusiveLock",
        ),
        (
            'migrations.AddIndex("room", models.Index(fields=["floor"], name="by_floor")),'
            'migrations.RenameField("room", "floor", "storey")',
            "annexe_room AccessExclusiveLock",
        ),
        (
            'migrations.AddField("room", "best", models.ForeignKey("Bed", models.CASCADE,'
            ' null=True, related_name="+"))',
            "annexe_bed ShareRowExclusiveLock, annexe_room AccessExclusiveLock",
        ),
        (
            'migrations.RenameModel("room", "chamber"),'
            'migrations.AddField("chamber", "beds", models.IntegerField(null=True))',
            "annexe_bed AccessExclusiveLock, annexe_room AccessExclusiveLock",
        ),
        (
            'migrations.SeparateDatabaseAndState([migrations.RemoveField("bed", "number")])',
            "annexe_bed AccessExclusiveLock",
        ),
    ],
    ids=["add", "index and rename", "foreign key", "rename table", "apart"],
)
def test_what_a_migration_locks_later_it_locks_before_its_first_operation(
    beds,
    history,
    operation,
    found,
):
    state = '[migrations.AddField("bed", "number", models.IntegerField(null=True))]'
    beds.write("0002_add_number", f"*{state}").migrate()
    beds.write(
        "0003_change",
        f"migrations.RunPython(look, migrations.RunPython.noop), {operation},",
        code=LOOK,
    ).migrate()
    assert history.execute("SELECT found FROM annexe_seen") == [(found,)]


def test_dropping_a_foreign_key_locks_its_target_first_too(beds, history):
    beds.write(
        "0002_add_best",
        """
        migrations.AddField("room", "best", models.ForeignKey(
            "Bed", models.CASCADE, null=True, related_name="+")),
        migrations.RunPython(migrations.RunPython.noop, look),
        """,
        code=LOOK,
    ).migrate()
    beds.migrate("0001")
    assert history.execute("SELECT found FROM annexe_seen") == [
        ("annexe_bed AccessExclusiveLock, annexe_room AccessExclusiveLock",)
    ]


KEYS = """
operations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))]),
operations.CreateModel("Room", [
    ("id", models.AutoField(primary_key=True)),
    ("code", models.CharField(max_length=9, unique=True)),
    ("tags", models.ManyToManyField("Tag")),
    ("near", models.ManyToManyField("self")),
]),
operations.CreateModel("Suite", [
    ("room_ptr", models.OneToOneField("Room", models.CASCADE, parent_link=True, primary_key=True)),
], bases=("annexe.room",)),
operations.CreateModel("Bath", [
    ("id", models.AutoField(primary_key=True)),
    ("suite", models.ForeignKey("Suite", models.CASCADE)),
]),
operations.CreateModel("Bed", [
    ("id", models.AutoField(primary_key=True)),
    ("loose", models.ForeignKey("Room", models.CASCADE, db_constraint=False)),
]),
operations.CreateModel("Sign", [
    ("id", models.AutoField(primary_key=True)),
    ("code", models.ForeignKey("Room", models.CASCADE, to_field="code")),
]),
"""


@pytest.mark.parametrize(
    ("operation", "tables"),
    [
        (
            'AlterField("room", "id", models.BigAutoField(primary_key=True))',
            ["bath", "bed", "room", "room_near", "room_tags", "suite"],
        ),
        ('AlterField("tag", "id", models.BigAutoField(primary_key=True))', ["room_tags", "tag"]),
        (
            'AlterField("room", "code", models.CharField(max_length=20, unique=True))',
            ["room", "sign"],
        ),
        (
            'AlterField("room", "code",'
            ' models.CharField(max_length=9, unique=True, db_column="sign"))',
            ["room"],
        ),
    ],
    ids=["key", "key of many", "to_field", "name"],
)
def test_what_refers_to_a_key_that_changes_is_locked_first_and_named(
    annexe, history, operation, tables
):
    annexe.write("0001_initial", KEYS).migrate()
    change = f"migrations.{operation}, migrations.RunPython(look, migrations.RunPython.noop),"
    annexe.write("0002_change", change, code=LOOK)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    expected = [f"annexe_{table}" for table in tables]
    named = waits.locks(connection, executor.loader, plan)
    assert sorted(one.table for one in named if one.lock == table_locks.EVERYBODY) == expected
    assert all(one.online == (len(tables) == 1) for one in named if one.table)
    wanted = lock_order.needed(connection, steps.walk(executor.loader, plan))
    assert wanted == dict.fromkeys(expected, table_locks.EVERYBODY)
    annexe.migrate()  # and locks no other that stood
    [(seen,)] = history.execute("SELECT found FROM annexe_seen")
    locked = {one.split(" ")[0] for one in seen.split(", ")}
    assert sorted(locked) == expected


def test_a_migration_that_raises_its_lock_is_named_before_it_runs(beds):
    beds.write(
        "0002_fill",
        """
        BatchedRunPython(same, BatchedRunPython.keep, "room", "floor"),
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        """,
        code=SAME,
    )
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    [finding] = preflight.findings(connection, executor.loader, plan)
    assert finding.line() == (
        "Warning: annexe.0002_fill (Add field beds to room) needs ACCESS EXCLUSIVE on annexe_room"
        " after (Change floor of room in batches) has row locks there: the migration takes that"
        " lock before it begins, and others wait until it ends. Put what changes rows into a"
        " migration of its own before this one, with atomic = False; or the operation that locks"
        " most first."
    )


@stress.whole
def test_clients_go_on_while_the_whole_history_runs(history):
    history.initial().load_sample()
    for table in ("payments", "reservations"):  # whose keys are those of the sample
        history.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        )
    keys = [key for (key,) in history.execute("SELECT id FROM reservations ORDER BY id")]
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    address = make_dsn(**{name: parameters[name] for name in names if parameters.get(name)})
    connection.close()
    with traffic.clients(address, keys) as felt:
        history.migrate()
        for app in OWN_APPS if stress.IS_WHOLE else []:
            history.migrate(app, "0001")
    assert [error for *_, errors in felt for error in errors] == []
    assert all(len(waits) > 10 for waits, _ in felt)


def test_a_replay_of_a_migration_that_is_not_atomic_locks_nothing(beds, project):
    beds.write("0002_drop", 'operations.RemoveField("room", "floor")', atomic=False).migrate()
    said = project.manage("db", "drift")
    assert "fails on an empty database" not in said.stderr
    assert said.returncode == 1  # the annexe has no models
