"""What a plan takes for granted of tables and columns, held against those that stand."""

import pytest
from django.db import IntegrityError, connection

from hotel.migrator.tests.projects import column
from hotel.migrator.tests.test_preflight import looked
from hotel.migrator.tests.test_verbs import at, db, refused

ADD_BEDS = 'migrations.AddField("room", "beds", models.IntegerField(null=True))'
TAKE_BACK = (
    "If it was only recorded, and nothing of it is in the database, take the record back with"
    " manage.py db stamp annexe.0001_initial."
)
RECORD = (
    "If all of it is in the database, record it with manage.py db stamp annexe.0002_change; if not,"
    " drop what is there."
)
STANDS = (
    "An earlier migration was only recorded, or somebody has dropped it by hand: see manage.py db"
    " history --applied, and stamp where the database really stands."
)
BED = 'CreateModel("Bed", [("id", models.AutoField(primary_key=True))])'
ROOM = 'models.ManyToManyField("annexe.Room")'


def fake(rooms, *operations):
    """Record a migration of these operations without running it."""
    rooms.write("0002_change", ",\n".join(operations))
    rooms.project.migrate("annexe", "0002", fake=True)


def refusal(problem, mend, way="undone"):
    """Return the sentence and exit code that one problem of 0002 ends with."""
    return (
        "Nothing was changed: 1 of the things that this run would meet must be mended first.\n"
        f"  Refused: annexe.0002_change cannot be {way}: {problem}. {mend}",
        3,
    )


@pytest.mark.parametrize("module", ["migrations", "operations"])
def test_what_was_only_recorded_is_not_undone(rooms, project, module):
    fake(rooms, ADD_BEDS.replace("migrations", module))
    before = project.facts()
    expected = refusal("there is no column annexe_room.beds", TAKE_BACK)
    assert refused("downgrade", "-1") == expected
    assert project.facts() == before
    assert at() == ["annexe.0001", "annexe.0002"]
    db("stamp", "annexe.0001_initial")
    db("upgrade")
    db("downgrade", "-1")
    assert project.facts() == before


@pytest.mark.parametrize("module", ["migrations", "operations"])
def test_what_is_there_already_is_not_made(rooms, project, history, module):
    history.execute("ALTER TABLE annexe_room ADD COLUMN beds integer NULL")
    rooms.write("0002_change", ADD_BEDS.replace("migrations", module))
    before = project.facts()
    expected = refusal("the column annexe_room.beds is there already", RECORD, "applied")
    assert refused("upgrade") == expected
    assert project.facts() == before
    assert at() == ["annexe.0001"]
    db("stamp", "annexe.0002")
    db("downgrade", "-1")
    db("upgrade")
    assert project.facts()[0] == before[0]


MISSING = {
    f"migrations.{BED}": "there is no table annexe_bed",
    f"operations.{BED}": "there is no table annexe_bed",
    f'migrations.AddField("room", "near", {ROOM})': "there is no table annexe_room_near",
    'migrations.RenameField("room", "floor", "storey")': "there is no column annexe_room.storey",
    'migrations.RenameModel("Room", "Chamber")': "there is no table annexe_chamber",
    'migrations.AlterModelTable("room", "chambers")': "there is no table chambers",
    'migrations.AlterField("room", "floor", models.IntegerField(db_column="storey"))': (
        "there is no column annexe_room.storey"
    ),
    'migrations.RemoveField("room", "floor")': "the column annexe_room.floor is there already",
    'migrations.DeleteModel("Room")': "the table annexe_room is there already",
}


@pytest.mark.parametrize("operation", MISSING)
def test_every_kind_of_change_is_looked_for(rooms, project, operation):
    fake(rooms, operation)
    before = project.facts()
    assert refused("downgrade", "-1", "--accept-data-loss") == refusal(
        MISSING[operation], TAKE_BACK
    )
    assert project.facts() == before


@pytest.mark.parametrize(
    "operation",
    [
        'migrations.AlterField("room", "floor", models.BigIntegerField(null=True))',
        'migrations.RemoveField("room", "floor")',
        'migrations.AddIndex("room", models.Index(fields=["number"], name="by_number"))',
        'migrations.DeleteModel("Room")',
    ],
)
def test_a_table_that_somebody_has_dropped_is_not_changed(rooms, project, history, operation):
    rooms.write("0002_change", operation)
    history.execute("DROP TABLE annexe_room")
    expected = refusal("there is no table annexe_room", STANDS, "applied")
    assert refused("upgrade") == expected


def test_a_plan_may_use_what_it_makes_renames_and_drops_itself(rooms, project):
    rooms.write("0002_one", f'migrations.{BED},\nmigrations.AddField("bed", "rooms", {ROOM})')
    rooms.write(
        "0003_two",
        """
        migrations.RenameModel("Bed", "Bunk"),
        migrations.AddField("bunk", "width", models.IntegerField(null=True)),
        migrations.RenameField("bunk", "width", "breadth"),
        migrations.AlterField("bunk", "breadth", models.BigIntegerField(null=True)),
        migrations.AlterModelTable("bunk", "bunks"),
        migrations.RemoveField("room", "floor"),
        migrations.AddField("room", "floor", models.CharField(max_length=5, null=True)),
        """,
    )
    rooms.write("0004_three", 'migrations.DeleteModel("Bunk")')
    start = project.facts()
    assert [one.line() for one in looked() if one.refuses and one.kind != "dropped"] == []
    db("upgrade", "--accept-data-loss")
    assert [one.line() for one in looked(("annexe", "0001_initial")) if one.refuses] == []
    db("downgrade", "annexe.0001")
    assert project.facts()[1] == start[1]


def test_what_changes_no_table_asks_for_none(rooms, history):
    rooms.write(
        "0002_change",
        """
        migrations.AlterField("room", "floor", models.IntegerField(null=True, help_text="storey")),
        migrations.AlterModelOptions("room", {"verbose_name": "chamber"}),
        migrations.CreateModel("Hall", [], options={"managed": False, "db_table": "annexe_room"}),
        migrations.CreateModel("Suite", [], options={"proxy": True}, bases=["annexe.room"]),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField("room", "beds", models.IntegerField(null=True)),
                migrations.DeleteModel("Hall"),
            ]
        ),
        """,
    )
    assert looked() == []


def test_what_code_or_sql_may_mend_first_is_a_warning(rooms, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN beds integer NULL")
    rooms.write("0002_sql", 'migrations.RunSQL("ALTER TABLE annexe_room DROP COLUMN beds")')
    rooms.write("0003_change", ADD_BEDS)
    [found] = looked()
    assert (found.kind, found.refuses) == ("present", False)
    assert found.cause == (
        "annexe.0003_change cannot be applied: the column annexe_room.beds is there already;"
        " annexe.0002_sql (Raw SQL operation) runs first and may change that."
    )
    db("upgrade")


def test_what_sql_says_that_it_makes_is_made(rooms):
    rooms.write(
        "0002_sql",
        f"""
        migrations.RunSQL(
            "ALTER TABLE annexe_room ADD COLUMN beds integer NULL", state_operations=[{ADD_BEDS}]
        )
        """,
    )
    rooms.write(
        "0003_change", 'migrations.AlterField("room", "beds", models.BigIntegerField(null=True))'
    )
    assert looked() == []
    db("upgrade")
    assert looked() == []


def test_an_operation_of_somebody_else_is_a_warning(rooms, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN beds integer NULL")
    rooms.write(
        "0002_change",
        'AddUnlessThere("room", "beds", models.IntegerField(null=True))',
        code="""
        class AddUnlessThere(migrations.AddField):
            def database_forwards(self, *args):
                pass
        """,
    )
    assert [(one.kind, one.refuses) for one in looked()] == [("present", False)]


def test_a_migration_that_goes_on_where_it_stopped_finds_its_own(rooms, project, history):
    rooms.write(
        "0002_change",
        f'{ADD_BEDS},\nmigrations.AlterField("room", "floor", models.IntegerField())',
        atomic=False,
    )
    with pytest.raises(IntegrityError):
        project.migrate()
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    db("upgrade")
    assert column(history, "beds") == [None, None, None]


@pytest.mark.sqlite
def test_capitals_are_all_the_same_to_sqlite(rooms, history):
    rooms.write("0002_change", 'migrations.AlterModelTable("room", "Annexe_Room")')
    rooms.write(
        "0003_change",
        'migrations.AlterField("room", "floor", models.BigIntegerField(null=True,'
        ' db_column="FLOOR"))',
    )
    assert looked() == []


@pytest.mark.postgresql
def test_a_table_of_another_schema_is_not_missed(rooms, history):
    history.execute("CREATE SCHEMA elsewhere")
    try:
        rooms.write("0002_change", 'migrations.AlterModelTable("room", \'elsewhere"."room\')')
        rooms.write("0003_change", 'migrations.RemoveField("room", "floor")')
        assert [one.kind for one in looked() if one.kind in ("missing", "present")] == []
    finally:
        history.execute("DROP SCHEMA elsewhere CASCADE")
        connection.close()
