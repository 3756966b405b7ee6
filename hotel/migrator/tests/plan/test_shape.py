"""What a plan takes for granted of tables and columns, held against those that stand."""

import pytest
from django.db import IntegrityError, connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.commands import at, db, refused
from hotel.migrator.tests.looking import looked
from hotel.migrator.tests.projects import column

ADD_BEDS = 'migrations.AddField("room", "beds", models.IntegerField(null=True))'
TAKE_BACK = (
    "If it was only recorded, and nothing of it is in the database, take the record back with"
    " manage.py db stamp annexe.0001_initial."
)
RECORD = (
    "If all of it is in the database, record it with manage.py db stamp annexe.0002_change; if not,"
    " drop what is there, if nobody needs it. A database of a legacy system is taken over"
    " with manage.py db adopt."
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


# What indexes and constraints read


READERS = {
    "the index i": 'migrations.AddIndex("room", models.Index(fields=["-floor"], name="i"))',
    "the index of an expression": 'migrations.AddIndex("room",'
    ' models.Index(models.F("floor") + 1, name="i"))',
    "the index of some rows": 'migrations.AddIndex("room",'
    ' models.Index(fields=["number"], name="i", condition=models.Q(floor__gt=1)))',
    "the constraint c": 'migrations.AddConstraint("room",'
    ' models.UniqueConstraint(fields=["number", "floor"], name="c"))',
    "the constraint of some rows": 'migrations.AddConstraint("room",'
    ' models.UniqueConstraint(fields=["number"], condition=models.Q(floor=1), name="c"))',
    "the check c": 'migrations.AddConstraint("room",'
    ' models.CheckConstraint(condition=models.Q(floor__gt=0), name="c"))',
    "unique_together (number, floor)": 'migrations.AlterUniqueTogether("room",'
    ' {("number", "floor")})',
}


@pytest.mark.parametrize("operation", READERS.values(), ids=READERS)
def test_what_reads_a_column_that_is_not_there_is_refused_by_every_way_in(
    rooms, history, project, operation
):
    rooms.write("0002_read", operation)
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    before = project.facts()
    [found] = [one for one in looked() if one.kind == "missing"]
    assert found.refuses
    assert found.cause.startswith(
        "annexe.0002_read cannot be applied: there is no column annexe_room.floor"
    )
    with pytest.raises(RefusedByPreflight):
        rooms.migrate()
    assert project.facts() == before


@pytest.mark.sqlite
def test_a_table_is_not_made_anew_without_one_of_its_columns(rooms, history, project):
    rooms.write("0002_widen", 'migrations.AlterField("room", "number", models.TextField())')
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    before = project.facts()
    [found] = [one for one in looked() if one.kind == "missing"]
    assert found.cause == (
        "annexe.0002_widen cannot be applied: there is no column annexe_room.floor."
    )
    with pytest.raises(RefusedByPreflight):  # SQLite would write 'floor' into every row
        rooms.migrate()
    assert project.facts() == before


@pytest.mark.sqlite
def test_columns_that_django_makes_without_being_told_are_no_strangers(rooms, history):
    rooms.write(
        "0002_beds",
        """
        migrations.CreateModel(
            "Bed",
            [
                ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
                ("size", models.IntegerField()),
            ],
            options={"order_with_respect_to": "room"},
        ),
        """,
    )
    rooms.migrate()
    rooms.write("0003_widen", 'migrations.AlterField("bed", "size", models.TextField())')
    assert [finding.line() for finding in looked() if finding.refuses] == []
    rooms.migrate()
    history.execute("INSERT INTO annexe_bed (room_id, size, _order) VALUES (1, '2 m', 7)")
    assert history.execute("SELECT id, size, _order FROM annexe_bed") == [(1, "2 m", 7)]


TWICE = "Take that operation out of the migration, or give what it makes another name."


@pytest.mark.parametrize("module", ["migrations", "operations"])
def test_a_field_that_two_branches_have_added_is_not_filled_anew(rooms, project, history, module):
    beds = f'{module}.AddField("room", "beds", models.IntegerField(default=2))'
    rooms.write("0002_beds", beds).migrate()
    history.execute("UPDATE annexe_room SET beds = 5")
    rooms.write("0003_merged", beds)
    before = project.facts()
    [found] = [one for one in looked() if one.refuses]
    assert found.line() == (
        "Refused: annexe.0003_merged cannot be applied: a field beds was added before it, with the"
        f" column annexe_room.beds. {TWICE}"
    )
    with pytest.raises(RefusedByPreflight):  # SQLite would write 2 into every row
        rooms.migrate()
    assert project.facts() == before
    assert column(history, "beds") == [5, 5, 5]


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_field_is_not_added_twice_after_code_of_the_same_plan(rooms, history, is_alone, caplog):
    beds = 'migrations.AddField("room", "beds", models.IntegerField(default=2))'
    rooms.write("0002_beds", beds).migrate()
    history.execute("UPDATE annexe_room SET beds = 5")
    rooms.write(
        "0003_code",
        "migrations.RunPython(nothing, nothing)",
        code="def nothing(apps, editor): pass",
    )
    again = beds if is_alone else f"migrations.SeparateDatabaseAndState([{beds}])"
    rooms.write("0004_merged", f"{ADD_BEDS.replace('beds', 'desks')},\n{again}")
    before_it = (
        "annexe.0004_merged cannot be applied: a field beds was added before it, with the column"
        " annexe_room.beds; annexe.0003_code (Raw Python operation) runs first and may change that."
        f" {TWICE}"
    )
    assert f"Warning: {before_it}" in db("upgrade", "--plan").splitlines()
    for attempt in (rooms.migrate, lambda: db("upgrade")):
        with pytest.raises(RefusedByPreflight) as refusal:
            attempt()
        assert str(refusal.value) == (
            "annexe.0004_merged (Add field beds to room) cannot be applied: a field beds was added"
            f" before it, with the column annexe_room.beds. {TWICE}"
        )
        assert column(history, "beds") == [5, 5, 5]
        assert at() == ["annexe.0001", "annexe.0002", "annexe.0003"]
        rooms.migrate("0002")
    assert [record.getMessage() for record in caplog.records].count(before_it) == 1


def test_a_field_is_not_added_twice_to_an_empty_database(rooms, project, history):
    beds = 'migrations.AddField("room", "beds", models.IntegerField(default=2))'
    rooms.write("0002_beds", beds)
    rooms.write("0003_merged", beds)
    project.migrate("annexe", "zero")
    for name in ("migrator_archive", "migrator_journal", "django_migrations"):
        history.execute(f"DROP TABLE IF EXISTS {name}")
    sentence = "a field beds was added before it"
    assert [sentence in one.cause for one in looked() if one.refuses] == [True]
    with pytest.raises(RefusedByPreflight, match=sentence):
        rooms.migrate()
    assert at() == ["annexe.0001", "annexe.0002"]


def test_a_model_that_two_branches_have_made_is_not_made_again(rooms, project):
    bed = f"operations.{BED}"
    rooms.write("0002_bed", bed).migrate()
    rooms.write("0003_merged", bed)
    before = project.facts()
    [found] = [one for one in looked() if one.refuses]
    assert found.line() == (
        "Refused: annexe.0003_merged cannot be applied: a model Bed was made before it, with the"
        f" table annexe_bed. {TWICE}"
    )
    with pytest.raises(RefusedByPreflight):
        rooms.migrate()
    assert project.facts() == before


def test_what_was_first_only_in_the_models_may_be_made_later(rooms, history):
    rooms.write(
        "0002_state",
        f"migrations.SeparateDatabaseAndState(state_operations=[{ADD_BEDS}])",
    ).migrate()
    rooms.write(
        "0003_column",
        'migrations.RunSQL("ALTER TABLE annexe_room ADD COLUMN beds integer NULL")',
    )
    assert looked() == []
    rooms.migrate()
    assert column(history, "beds") == [None, None, None]
