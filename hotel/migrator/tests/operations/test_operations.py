"""What holds for every operation: names, routers, printed SQL, and how it is written down."""

import io
import re

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Upper

from hotel.migrator import operations
from hotel.migrator.operations import BatchedRunPython
from hotel.migrator.tests.projects import FLAG, ROOM


def sql_of(app, name, **options):
    """Return what ``sqlmigrate`` prints."""
    output = io.StringIO()
    call_command("sqlmigrate", app.label, name, no_color=True, stdout=output, **options)
    return output.getvalue()


# A migration without a transaction


@pytest.mark.parametrize(
    "operation",
    ['operations.DeleteModel("Room")', 'operations.RemoveField("room", "floor")'],
    ids=["table", "column"],
)
def test_drop_without_a_transaction_loses_nothing(rooms, project, operation):
    """Each operation gets a transaction of its own, which the lock that comes first needs."""
    rooms.write("0002_drop", operation, atomic=False)
    facts = project.facts()
    rooms.migrate().migrate("0001_initial")
    assert project.facts() == facts


# Names that need quotes


@pytest.mark.parametrize(
    "table, name", [("Upper Case", "Rate"), ("a-b.c", "x-y.z"), ("select", "order"), ("été", "é")]
)
def test_tables_and_columns_may_have_names_that_need_quotes(annexe, project, history, table, name):
    annexe.write(
        "0001_initial",
        f"""
        operations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True, db_column="The Key")),
                ("x", models.CharField(max_length=9, null=True, db_column={name!r})),
            ],
            options={{"db_table": {table!r}}},
        )
        """,
    )
    annexe.write(
        "0002_fill",
        'BatchedRunPython(fill, BatchedRunPython.keep, "thing", "x")',
        code="""
            def fill(apps, value):
                return Value("filled")
        """,
        atomic=False,
    )
    annexe.write(
        "0003_require",
        f"""
        operations.RequireField(
            "thing", "x", models.CharField(max_length=9, db_default="q", db_column={name!r}),
            backfill="0002_fill",
        )
        """,
        atomic=False,
    )
    annexe.write("0004_remove_x", 'operations.RemoveField("thing", "x")')
    annexe.write("0005_delete_thing", 'operations.DeleteModel("Thing")')
    annexe.migrate("0001_initial")
    thing = history.model("annexe.Thing")
    thing.objects.create(x="1")
    thing.objects.create(x=None)
    facts = project.facts()
    annexe.migrate("0003_require")
    assert set(thing.objects.values_list("x", flat=True)) == {"filled"}
    annexe.migrate().migrate("0001_initial")
    assert project.facts() == facts
    annexe.migrate("zero").migrate("0001_initial")
    assert project.facts() == facts


# A database that is not meant


class Refuse:
    """A router that lets no model of the app into any database."""

    def allow_migrate(self, db, app_label, **hints):
        """Say no to the app."""
        return app_label != "annexe"


EVERY_OPERATION = {
    "0001_initial": (ROOM, "", True),
    "0002_add_high": (
        """operations.AddField("room", "high", models.BooleanField(null=True))""",
        "",
        True,
    ),
    "0003_fill_high": (
        'BatchedRunPython(is_high, BatchedRunPython.clear, "room", "high", source="floor")',
        FLAG,
        False,
    ),
    "0004_require_high": (
        """
        operations.RequireField(
            "room", "high", models.BooleanField(), backfill="0003_fill_high"
        )
        """,
        "",
        False,
    ),
    "0005_catch_up": ('operations.CatchUp("0003_fill_high", "room", "high")', "", True),
    "0006_remove_floor": ('operations.RemoveField("room", "floor")', "", True),
    "0007_meet": (
        'operations.InsertForNewRows(meet, "room")',
        "def meet(apps, rows):\n    return []\n",
        True,
    ),
    "0008_delete_room": ('operations.DeleteModel("Room")', "", True),
}


@pytest.fixture
def everything(annexe):
    """An app whose migrations use every operation."""
    for name, (operation, code, atomic) in EVERY_OPERATION.items():
        annexe.write(name, operation, code=code, atomic=atomic)
    return annexe


def test_database_that_a_router_refuses_is_left_alone(everything, history, settings):
    settings.DATABASE_ROUTERS = [Refuse()]
    everything.migrate()
    everything.migrate("zero")
    everything.migrate("0003_fill_high")
    everything.migrate("0001_initial")
    assert history.tables() == []
    assert "migrator_archive" not in connection.introspection.table_names()


# What is printed


def test_sql_of_every_operation_is_printed_and_nothing_is_done(everything, project, history):
    everything.migrate("0001_initial")
    history.insert("annexe_room", number="1", floor=2)
    for name in EVERY_OPERATION:
        everything.migrate(name)
        facts, archive = project.facts(), project.archive()
        assert "annexe_room" in sql_of(everything, name) or "CANNOT BE WRITTEN AS SQL" in sql_of(
            everything, name
        )
        sql_of(everything, name, backwards=True)
        assert (project.facts(), project.archive()) == (facts, archive)


def test_sql_says_that_the_archive_comes_before_a_drop(everything):
    note = "-- what is dropped here, migrate archives first"
    backwards = {name: note in sql_of(everything, name, backwards=True) for name in EVERY_OPERATION}
    forwards = {name: note in sql_of(everything, name) for name in EVERY_OPERATION}
    assert [name for name in EVERY_OPERATION if backwards[name]] == [
        "0001_initial",
        "0002_add_high",
    ]
    assert [name for name in EVERY_OPERATION if forwards[name]] == [
        "0006_remove_floor",
        "0008_delete_room",
    ]


def test_every_operation_describes_itself(everything):
    migrations = MigrationLoader(None).graph.nodes
    assert [
        migrations["annexe", name].operations[0].formatted_description() for name in EVERY_OPERATION
    ] == [
        "+ Create model Room",
        "+ Add field high to room",
        "p Change high of room in batches",
        "~ Require high of room",
        "p Repeat 0003_fill_high for rows of room written since",
        "- Remove field floor from room",
        "p Insert what meet says for new rows of room",
        "- Delete model Room",
    ]


def test_squashing_makes_djangos_operation_of_ours_which_must_be_made_safe_again(rooms):
    rooms.write(
        "0002_add_view", """operations.AddField("room", "view", models.TextField(null=True))"""
    )
    call_command("squashmigrations", "annexe", "0002", interactive=False, verbosity=0)
    [squashed] = rooms.migrations.glob("*squashed*.py")
    text = squashed.read_text()
    assert "migrations.CreateModel(" in text
    assert "operations.CreateModel(" not in text
    rooms.make_safe(squashed.stem)
    assert "operations.CreateModel(" in squashed.read_text()


def upper_word(apps, value):
    return Upper(value)


def upper_refill(value):
    return Upper(value)


def rows_are_met(apps, rows):
    return []


WRITTEN = [
    operations.CreateModel("Room", [], options={"db_table": "rooms"}),
    operations.DeleteModel("Room"),
    operations.AddField("room", "x", models.TextField(null=True)),
    operations.RemoveField("room", "x"),
    operations.RemoveField("room", "x", refill=("y", upper_refill)),
    BatchedRunPython(upper_word, BatchedRunPython.keep, "room", "x"),
    BatchedRunPython(upper_word, BatchedRunPython.clear, "room", "x", source="y", tally=True),
    BatchedRunPython(upper_word, upper_word, "room", "x", batch_size=7, hints={"model_name": "a"}),
    operations.CatchUp("0003_fill", "room", "x"),
    operations.RequireField("room", "x", models.TextField(), backfill="0003_fill"),
    operations.InsertForNewRows(rows_are_met, "room", hints={"model_name": "a"}),
    operations.InsertMissing("auth.group", "name", ["Manager", "Front desk"]),
]


@pytest.mark.parametrize("operation", WRITTEN, ids=lambda operation: type(operation).__name__)
def test_operation_is_written_into_a_file_and_read_again(operation):
    migration = Migration("0001_written", "annexe")
    migration.operations = [operation]
    text = MigrationWriter(migration, include_header=False).as_string()
    assert not re.search(r"migrator\.operations\.[a-z]", text)  # a module of it may be renamed
    names = {}
    exec(compile(text, "0001_written.py", "exec"), names)
    [read] = names["Migration"].operations
    assert type(read) is type(operation)
    migration.operations = [read]
    assert MigrationWriter(migration, include_header=False).as_string() == text
    assert set(operation.deconstruct()[2]) <= set(read.deconstruct()[2])


def test_two_columns_of_a_row_that_refers_to_another_come_back(annexe, history):
    annexe.write(
        "0001_initial",
        """
operations.CreateModel("Guest", [("id", models.AutoField(primary_key=True))]),
operations.CreateModel(
    "Stay",
    [
        ("id", models.AutoField(primary_key=True)),
        ("guest", models.ForeignKey("annexe.guest", models.PROTECT)),
    ],
)
""",
    )
    annexe.write(
        "0002_add_columns",
        """
operations.AddField("stay", "left", models.IntegerField(null=True)),
operations.AddField("stay", "why", models.TextField(null=True)),
operations.AddField("stay", "more", models.IntegerField(null=True)),
""",
    )
    annexe.migrate()
    history.insert("annexe_guest", id=1)
    history.insert("annexe_stay", id=1, guest_id=1, left=5, why="ill", more=None)
    rows = history.dump()
    annexe.migrate("0001").migrate()
    assert history.dump() == rows
