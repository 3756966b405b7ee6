"""Tables whose names must be quoted, or are quoted in ``db_table``, all the way up and down."""

import re

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator import verbs
from hotel.migrator.locking import table_locks
from hotel.migrator.plan import lock_order, steps
from hotel.migrator.tests.commands import db
from hotel.migrator.tests.looking import looked

NAMES = {
    "quoted": ('\'"My ""Table"\'', 'My "Table'),
    "quoted plain": ("'\"my_table\"'", "my_table"),
    "capitals": ("'MyTable'", "MyTable"),
    "blank": ("'my table'", "my table"),
    "keyword": ("'order'", "order"),
    "unicode": ("'zimmer_größe_房'", "zimmer_größe_房"),
    "quote": ("'it\\'s'", "it's"),
    "longest": (repr("t" * 63), "t" * 63),
}


@pytest.mark.parametrize("written, name", NAMES.values(), ids=NAMES)
def test_a_table_of_any_name_goes_up_and_down_without_a_loss(
    annexe, history, project, written, name
):
    annexe.write(
        "0001_initial",
        f"""
        operations.CreateModel("Room", [
            ("id", models.AutoField(primary_key=True)),
            ("number", models.CharField(max_length=20)),
            ("floor", models.IntegerField(null=True)),
        ], options={{"db_table": {written}}})
        """,
    ).migrate()
    quoted = '"' + name.replace('"', '""') + '"'
    for number in ("101", "202", "attic"):
        history.execute(f"INSERT INTO {quoted} (number) VALUES ('{number}')")
    before = history.execute(f"SELECT id, number, floor FROM {quoted} ORDER BY id")
    annexe.write(
        "0002_change",
        """
        migrations.AlterField("room", "number", models.CharField(max_length=40)),
        operations.AddField("room", "code", models.CharField(max_length=9, default="x")),
        migrations.AddConstraint("room",
            models.CheckConstraint(condition=models.Q(id__gt=0), name="positive")),
        """,
    )
    annexe.write(
        "0003_fill",
        'BatchedRunPython(upper, BatchedRunPython.keep, "room", "number")',
        code="def upper(apps, number): return Upper(number)",
        atomic=False,
    )
    annexe.write(
        "0004_index",
        'operations.AddIndex("room", models.Index(fields=["floor"], name="by_floor"))',
        atomic=False,
    )
    annexe.write("0005_drop", 'operations.RemoveField("room", "number")')
    annexe.write("0006_delete", 'operations.DeleteModel("Room")')
    assert [one.line() for one in looked() if one.refuses] == []
    db("upgrade", "--plan")
    annexe.migrate()
    db("downgrade", "annexe.0003_fill")
    db("stats")
    unlike = str(verbs.drift(connection).document)
    assert name not in unlike.replace("annexe", "")
    db("downgrade", "annexe.0001_initial", "--plan")
    db("downgrade", "annexe.0001_initial")
    for way in (("upgrade", "base:heads"), ("downgrade", "heads:base")):
        assert quoted in db(*way, "--sql")
    assert history.execute(f"SELECT id, number, floor FROM {quoted} ORDER BY id") == before


def test_a_refusal_names_a_quoted_table(annexe, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel("Room", [
            ("id", models.AutoField(primary_key=True)),
            ("floor", models.IntegerField(null=True)),
        ], options={"db_table": '"My ""Table"'})
        """,
    ).migrate()
    history.execute('INSERT INTO "My ""Table" (floor) VALUES (NULL)')
    annexe.write("0002_change", 'migrations.AlterField("room", "floor", models.IntegerField())')
    [found] = looked()
    assert found.cause == 'annexe.0002_change makes My "Table.floor NOT NULL, with NULL in 1 row.'


ELSEWHERE = """
operations.CreateModel("Room", [
    ("id", models.AutoField(primary_key=True)),
    ("floor", models.IntegerField(null=True)),
    ("near", models.ManyToManyField("self")),
], options={{"db_table": '"{}"."room"'}}),
migrations.AddIndex("room", models.Index(fields=["floor", "id"], name="by_floor")),
"""


@pytest.mark.postgresql
def test_a_table_of_another_schema_is_looked_at_and_locked_as_any(annexe, history):
    history.execute("CREATE SCHEMA other")
    annexe.write("0001_initial", ELSEWHERE.format("other")).migrate()
    history.execute("INSERT INTO other.room (floor) VALUES (NULL)")
    annexe.write("0002_change", 'migrations.AlterField("room", "floor", models.IntegerField())')
    annexe.write("0003_index", 'migrations.RemoveIndex("room", "by_floor")')
    annexe.write("0004_drop", 'operations.RemoveField("room", "floor")')
    annexe.write("0005_delete", 'operations.DeleteModel("Room")')
    [nulls] = [one for one in looked() if one.refuses]
    assert nulls.cause == (
        'annexe.0002_change makes "other"."room".floor NOT NULL, with NULL in 1 row.'
    )
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    walked = [one for one in steps.walk(executor.loader, plan) if one.name == "annexe.0004_drop"]
    wanted = lock_order.needed(connection, walked)
    assert wanted == {'"other"."room"': table_locks.EVERYBODY}
    with transaction.atomic():
        table_locks.take(connection, wanted)
        held = "SELECT mode FROM pg_locks WHERE relation = 'other.room'::regclass ORDER BY mode"
        assert history.execute(held) == [("AccessExclusiveLock",)]
    history.execute("UPDATE other.room SET floor = 1")
    history.execute("CREATE INDEX by_hand ON other.room (floor, id)")
    [hanging] = [one for one in looked() if one.refuses]
    assert '"other"."room".floor, which the index other.by_hand reads beside' in hanging.cause
    history.execute("DROP INDEX other.by_hand")
    assert [one for one in looked() if one.refuses] == []
    annexe.migrate()
    assert history.execute("SELECT to_regclass('other.room')") == [(None,)]
    annexe.migrate("0001")
    assert history.execute("SELECT id, floor FROM other.room") == [(1, 1)]
    annexe.migrate("zero")


@pytest.mark.sqlite
def test_a_table_with_its_database_named_is_made_anew_by_nobody(annexe, history):
    # SQLite lets no other table refer to it, and no index be made.
    alone = re.sub(r'\("near".*\n|migrations.*\n', "", ELSEWHERE)
    annexe.write("0001_initial", alone.format("main")).migrate()
    history.execute("INSERT INTO main.room (floor) VALUES (NULL)")
    annexe.write("0002_change", 'migrations.AlterField("room", "floor", models.IntegerField())')
    assert sorted(one.cause for one in looked() if one.refuses) == [
        'annexe.0002_change makes "main"."room" anew, which Django cannot do to a table with the'
        " name of its schema before its own.",
        'annexe.0002_change makes "main"."room".floor NOT NULL, with NULL in 1 row.',
    ]


def test_a_table_of_another_schema_is_renamed_by_nobody(annexe):
    schema = "main" if connection.vendor == "sqlite" else "public"
    alone = re.sub(r'\("near".*\n|migrations.*\n', "", ELSEWHERE)
    annexe.write("0001_initial", alone.format(schema)).migrate()
    annexe.write("0002_rename", f"""migrations.AlterModelTable("room", '"{schema}"."chamber"')""")
    [found] = [one for one in looked() if one.refuses]
    assert found.line() == (
        f'Refused: annexe.0002_rename renames "{schema}"."room" to "{schema}"."chamber", which'
        " Django cannot do to a table with the name of its schema before its own. Do it with a"
        " migrations.RunSQL, and tell the model with SeparateDatabaseAndState, and run manage.py db"
        " upgrade again."
    )
