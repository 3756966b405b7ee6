"""What nobody but the database knows outlives a table that SQLite makes anew."""

import sqlite3

import pytest
from django.db import DatabaseError, transaction

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.looking import looked
from hotel.tests import stress

pytestmark = pytest.mark.sqlite

LOG = """
operations.CreateModel("Log", [
    ("id", models.AutoField(primary_key=True)), ("said", models.TextField()),
])
"""
TRIGGER = (
    "CREATE TRIGGER tell AFTER INSERT ON annexe_room"
    " BEGIN INSERT INTO annexe_log (said) VALUES (NEW.number); END"
)
INDEXED = 'migrations.AlterField("room", "floor", models.IntegerField(null=True, db_index=True))'
WIDER = 'migrations.AlterField("room", "number", models.CharField(max_length=40))'


@pytest.fixture
def logged(rooms, history):
    """Rooms with a second table, ``annexe_log``."""
    rooms.write("0002_log", LOG).migrate()
    return rooms


def master(history):
    found = history.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL"
        " AND name NOT LIKE 'migrator%' AND tbl_name NOT LIKE 'django%' ORDER BY name"
    )
    return [tuple(row) for row in found]


MADE = {
    "trigger": TRIGGER,
    "index over an expression": "CREATE INDEX by_hand ON annexe_room (lower(number))",
    "index of some rows": "CREATE UNIQUE INDEX by_hand ON annexe_room (floor) WHERE floor > 1",
    "index of another order": "CREATE INDEX by_hand ON annexe_room (number COLLATE NOCASE DESC)",
    "view": "CREATE VIEW above AS SELECT id, number FROM annexe_room WHERE floor > 1",
    "trigger of another table": "CREATE TRIGGER told AFTER INSERT ON annexe_log BEGIN UPDATE"
    " annexe_room SET floor = 0 WHERE number = NEW.said; END",
    "name that must be quoted": 'CREATE INDEX "by ""hand""" ON "annexe_room" ("floor" DESC)',
    "trigger that must be quoted": 'CREATE TRIGGER "tell ""update"" " BEFORE INSERT'
    " ON annexe_room BEGIN SELECT 1; END",
}
CHANGES = [
    WIDER,
    'migrations.AlterField("room", "floor", models.IntegerField(default=0))',
    'operations.AddField("room", "code", models.CharField(max_length=9, default="x"))',
    'migrations.AddConstraint("room",'
    ' models.CheckConstraint(condition=models.Q(id__gt=0), name="p"))',
    'migrations.RenameModel("Room", "Chamber")',
    'migrations.AlterModelTable("room", "chambers")',
]


PAIRS = [(made, change) for made in MADE for change in CHANGES]
PAIRS = PAIRS if stress.IS_WHOLE else PAIRS[::4]  # all of them in make stress


@stress.whole
@pytest.mark.parametrize("made, change", PAIRS)
def test_what_no_model_knows_outlives_every_change_up_and_down(logged, history, made, change):
    history.execute("DELETE FROM annexe_room WHERE floor IS NULL")
    history.execute(MADE[made])
    before = master(history)
    logged.write("0003_change", change).migrate()
    if "Rename" in change or "Table" in change:
        assert [row[:2] for row in master(history)] == [row[:2] for row in before]
    else:
        assert master(history) == before
    logged.migrate("0002")
    assert bare(master(history)) == bare(before)


def bare(found):
    """Return things with the table's name as somebody writes it who does not quote it."""
    return [(kind, name, sql.replace('"annexe_room"', "annexe_room")) for kind, name, sql in found]


BY_HAND = """CREATE TABLE annexe_bed (id integer PRIMARY KEY AUTOINCREMENT,
    name varchar(9) DEFAULT 'it''s' NOT NULL COLLATE NOCASE CHECK (annexe_bed.name <> 'bad'),
    size integer NOT NULL DEFAULT (1 + 1), mark blob NULL DEFAULT x'00ff',
    room_id integer NOT NULL REFERENCES annexe_room (id) ON DELETE CASCADE,
    CONSTRAINT "fits, in cm" CHECK (size BETWEEN 1 AND 300), UNIQUE (name, size))"""
BED = f"""
migrations.SeparateDatabaseAndState(
    [migrations.RunSQL('''{BY_HAND}''', "DROP TABLE annexe_bed")],
    [migrations.CreateModel("Bed", [
        ("id", models.AutoField(primary_key=True)), ("name", models.CharField(max_length=9)),
        ("size", models.IntegerField()), ("mark", models.BinaryField(null=True)),
        ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
    ])],
)
"""
OF_BEDS = [
    'migrations.AlterField("bed", "name", models.CharField(max_length=40))',
    'migrations.AlterField("bed", "size", models.BigIntegerField(db_column="width"))',
    'migrations.AddField("bed", "soft", models.IntegerField(default=0, db_default=0))',
    'migrations.AddConstraint("bed",'
    ' models.CheckConstraint(condition=models.Q(id__gt=0), name="p"))',
]


@pytest.mark.parametrize("change", OF_BEDS)
def test_what_a_table_says_beside_its_model_outlives_every_change(rooms, history, change):
    rooms.write("0002_bed", BED)
    rooms.write("0003_change", change)
    for target in ("0002", "0003", "0002", "0003"):
        rooms.migrate(target)
        size = "width" if "width" in change and target == "0003" else "size"
        history.execute("INSERT INTO annexe_bed (room_id) VALUES (1)")
        kept = f"SELECT name, {size}, mark FROM annexe_bed WHERE name = 'IT''S'"
        assert history.execute(kept) == [("it's", 2, b"\x00\xff")]
        for values in ("'bad', 3", "'b', 301", "'IT''S', 2"):
            with pytest.raises(DatabaseError, match="constraint failed"), transaction.atomic():
                history.execute(
                    f"INSERT INTO annexe_bed (name, {size}, room_id) VALUES ({values}, 1)"
                )
        history.execute("DELETE FROM annexe_room WHERE id = 1")
        assert history.execute("SELECT * FROM annexe_bed") == []
        history.execute("INSERT INTO annexe_room (id, number) VALUES (1, '101')")


def test_what_a_table_says_beside_its_model_is_named_before(rooms, history):
    rooms.write("0002_bed", BED).migrate()
    rooms.write("0003_change", OF_BEDS[0])
    [found] = looked()
    assert found.line() == (
        "Warning: annexe.0003_change makes annexe_bed anew, and keeps what no model knows of:"
        " DEFAULT ('it''s') COLLATE nocase of name, DEFAULT (1 + 1) of size, DEFAULT (x'00ff') of"
        " mark, check ( name <> 'bad' ), foreign key ( room_id ) references annexe_room ( id ) on"
        ' delete cascade, CONSTRAINT "fits, in cm" check ( size between 1 and 300 ), unique ( name'
        " , size ). Nothing is to be done."
    )


def test_a_column_that_a_constraint_made_by_hand_reads_is_not_dropped(rooms, history):
    rooms.write("0002_bed", BED)
    rooms.write("0003_drop", 'operations.RemoveField("bed", "room")').migrate()
    assert "cascade" not in str(history.execute("SELECT sql FROM sqlite_master"))
    indexed = 'migrations.AlterField("bed", "size", models.IntegerField(db_index=True))'
    rooms.write("0004_index", indexed).migrate()
    rooms.write("0005_drop", 'operations.RemoveField("bed", "size")')
    with pytest.raises(RefusedByPreflight) as refused:
        rooms.migrate()
    advice = (
        "of which no model knows, reads. Make the table anew without that in a migrations.RunSQL"
        " before it, and run manage.py db upgrade again."
    )
    assert str(refused.value) == (
        "Nothing was changed: 2 of the things that this run would meet must be mended first.\n"
        "  Refused: annexe.0005_drop drops annexe_bed.size, which the constraint CONSTRAINT"
        f' "fits, in cm" check ( size between 1 and 300 ), {advice}\n'
        "  Refused: annexe.0005_drop drops annexe_bed.size, which the constraint unique ( name ,"
        f" size ), {advice}"
    )
    anew = """
CREATE TABLE other (id integer PRIMARY KEY AUTOINCREMENT, name varchar(9), size integer NOT NULL,
    mark blob NULL);
INSERT INTO other SELECT id, name, size, mark FROM annexe_bed;
DROP TABLE annexe_bed;
ALTER TABLE other RENAME TO annexe_bed;
"""
    rooms.write(
        "0005_drop",
        f"""
        migrations.RunSQL({anew!r}),
        migrations.AlterField("bed", "size", models.IntegerField()),
        operations.RemoveField("bed", "size"),
        """,
        after=[("annexe", "0004_index")],
    )
    rooms.migrate()


def test_a_column_that_a_constraint_reads_is_not_dropped_by_code_either(rooms, history):
    rooms.write("0002_bed", BED).migrate()
    rooms.write(
        "0003_drop",
        """
        migrations.RunPython(run),
        migrations.AlterField("bed", "size", models.IntegerField(db_index=True)),
        operations.RemoveField("bed", "size"),
        """,
        code="def run(apps, editor): pass",
    )
    with pytest.raises(DatabaseError, match="of which no model knows, reads size"):
        rooms.migrate()


def test_a_constraint_that_the_model_gives_up_does_not_come_back(rooms, history):
    unique = 'models.UniqueConstraint(fields=["number", "floor"], name="u")'
    rooms.write("0002_add", f'migrations.AddConstraint("room", {unique})')
    rooms.write("0003_drop", 'migrations.RemoveConstraint("room", "u")')
    rooms.write("0004_change", WIDER).migrate()
    assert "UNIQUE" not in str(history.execute("SELECT sql FROM sqlite_master")).upper()


def test_a_trigger_still_fires_on_the_new_table(logged, history):
    history.execute(TRIGGER)
    logged.write("0003_change", WIDER).migrate()
    history.execute("INSERT INTO annexe_room (number) VALUES ('cellar')")
    assert history.execute("SELECT said FROM annexe_log") == [("cellar",)]


def test_a_view_over_a_view_and_the_trigger_instead_of_its_inserts_outlive_it(logged, history):
    for sql in (
        "CREATE VIEW above AS SELECT * FROM annexe_room WHERE floor > 1",
        "CREATE VIEW numbers AS SELECT number FROM above",
        "CREATE TRIGGER into_numbers INSTEAD OF INSERT ON numbers BEGIN INSERT INTO annexe_room"
        " (number, floor) VALUES (NEW.number, 5); END",
    ):
        history.execute(sql)
    logged.write("0003_change", WIDER).migrate()
    history.execute("INSERT INTO numbers VALUES ('roof')")
    assert history.execute("SELECT number FROM numbers ORDER BY 1") == [("202",), ("roof",)]


def test_an_index_that_the_model_gives_up_does_not_come_back(rooms, history):
    rooms.write("0002_index", INDEXED).migrate()
    assert [row[0] for row in master(history)] == ["index"]
    rooms.write(
        "0003_none", 'migrations.AlterField("room", "floor", models.IntegerField(null=True))'
    ).migrate()
    assert master(history) == []


def test_an_index_of_a_renamed_model_that_gives_it_up_does_not_come_back(rooms, history):
    rooms.write("0002_index", INDEXED)
    rooms.write("0003_rename", 'migrations.RenameModel("Room", "Chamber")')
    rooms.write(
        "0004_none", 'migrations.AlterField("chamber", "floor", models.IntegerField(null=True))'
    ).migrate()
    assert master(history) == []


def test_keys_that_were_given_are_not_given_again(rooms, history):
    history.execute("DELETE FROM annexe_room WHERE id = 3")
    rooms.write("0002_change", WIDER).migrate()
    history.execute("INSERT INTO annexe_room (number) VALUES ('new')")
    assert history.execute("SELECT id FROM annexe_room WHERE number = 'new'") == [(4,)]


def test_what_is_kept_is_named_before(logged, history, caplog):
    history.execute(TRIGGER)
    history.execute(MADE["index over an expression"])
    logged.write("0003_change", WIDER)
    [found] = looked()
    assert (found.kind, found.refuses) == ("kept", False)
    assert found.line() == (
        "Warning: annexe.0003_change makes annexe_room anew, and keeps what no model knows of:"
        " trigger tell, index by_hand. Nothing is to be done."
    )
    logged.migrate()
    assert [record.getMessage() for record in caplog.records if "keeps" in record.getMessage()] == [
        f"{found.cause} {found.mend}"
    ]


def test_an_index_of_a_table_that_the_plan_makes_is_no_stranger(logged, history):
    history.execute("DELETE FROM django_migrations WHERE name = '0002_log'")
    history.execute("CREATE INDEX by_said ON annexe_log (said)")
    made = LOG.replace("TextField()", "TextField(db_index=True)")
    logged.write("0002_log", made, after=[("annexe", "0001_initial")])
    said = "models.TextField(null=True, db_index=True)"
    logged.write("0003_change", f'migrations.AlterField("log", "said", {said})')
    assert [found.kind for found in looked()] == ["present"]


def test_an_index_of_which_the_record_was_lost_is_no_stranger(rooms, history):
    rooms.write("0002_index", INDEXED).migrate()
    history.execute("DELETE FROM django_migrations WHERE name = '0002_index'")
    rooms.write("0003_change", WIDER)
    assert [found.kind for found in looked()] == []


def test_what_does_not_fit_the_new_table_ends_the_migration_and_is_named(logged, history):
    logged.write(
        "0003_change",
        f"""
        migrations.RunPython(by_hand),
        operations.RemoveField("room", "floor"),
        {WIDER},
        """,
        code='''
def by_hand(apps, editor):
    editor.execute("""CREATE TRIGGER bad AFTER INSERT ON annexe_room
        BEGIN UPDATE annexe_room SET elsewhere = 1; END""")
''',
    )
    before = master(history)
    with pytest.raises(Exception, match="trigger bad"):
        logged.migrate()
    assert master(history) == before


def test_a_script_keeps_what_migrations_have_made(logged, history, project, tmp_path):
    logged.write("0003_by_hand", f"migrations.RunSQL('''{TRIGGER}''', 'DROP TRIGGER tell')")
    logged.write("0004_change", WIDER)
    script = project.manage("db", "upgrade", "base:heads", "--sql")
    assert script.returncode == 0, script.stderr
    with sqlite3.connect(tmp_path / "other.sqlite3") as other:
        other.executescript(script.stdout.replace(".bail on", ""))
        other.execute("INSERT INTO annexe_room (number) VALUES ('1')")
        assert other.execute("SELECT said FROM annexe_log").fetchall() == [("1",)]


def test_collations_of_postgresql_are_left_out_on_the_way_up_and_down(rooms, project):
    before = project.facts()
    rooms.write(
        "0002_collate",
        'CreateCollation("annexe", locale="C"), RemoveCollation("annexe", locale="C")',
        code="from django.contrib.postgres.operations import CreateCollation, RemoveCollation",
    )
    rooms.migrate().migrate("0001_initial")
    assert project.facts() == before
