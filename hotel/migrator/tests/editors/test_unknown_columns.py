"""A column that no model knows outlives a table that SQLite makes anew."""

import sqlite3
from contextlib import closing

import pytest
from django.db import DatabaseError

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.looking import looked
from hotel.tests import stress

pytestmark = pytest.mark.sqlite

WIDER = 'migrations.AlterField("room", "number", models.CharField(max_length=40))'
CHANGES = {
    "wider": (WIDER, "number", "floor"),
    "not null": (
        'migrations.AlterField("room", "floor", models.IntegerField(default=7))',
        *("number", "floor"),
    ),
    "added": (
        'operations.AddField("room", "code", models.CharField(max_length=9, default="x"))',
        *("number", "floor"),
    ),
    "renamed column": (
        'migrations.AlterField("room", "floor", models.TextField(null=True, db_column="storey"))',
        *("number", "storey"),
    ),
    "renamed model": (
        'migrations.RenameModel("Room", "Chamber"),'
        ' migrations.AlterField("chamber", "number", models.TextField())',
        *("number", "floor"),
    ),
    "rule": (
        'migrations.AddConstraint("room",'
        ' models.CheckConstraint(condition=models.Q(id__gt=0), name="p"))',
        *("number", "floor"),
    ),
    "unique": (
        'migrations.AlterField("room", "number", models.CharField(max_length=20, unique=True))',
        *("number", "floor"),
    ),
}
# name, declaration, value
KEPT = {
    "plain": ("by_hand", "by_hand integer", 7),
    "no type": ("by_hand", "by_hand", b"\x00"),
    "odd name": ('by "hand", (é) %s', '"by ""hand"", (é) %s" varchar(9)', "it's"),
    "name in brackets": ("by hand", "[by hand] TEXT", "x"),
    "name in backticks": ("check", "`check` TEXT", "x"),
    "name in small quotes": ("by hand", "'by hand' TEXT", "x"),
    "name of a keyword": ("order", '"order" integer /* why, (that */', 1),
    "default": ("by_hand", "by_hand varchar(9) DEFAULT 'It''s, ('", "It's, ("),
    "word as default": ("by_hand", "by_hand varchar(9) DEFAULT Yes", "Yes"),
    "not null": ("by_hand", "by_hand integer NOT NULL DEFAULT 2", 3),
    "check": ("by_hand", "by_hand integer CHECK (by_hand <> 5) CHECK (annexe_room.floor <> 99)", 1),
    "collate": ("by_hand", "by_hand text COLLATE NOCASE", "ABC"),
    "reference": ("by_hand", "by_hand integer REFERENCES annexe_room (id) ON DELETE SET NULL", 1),
}


def live(history, table, name):
    """Return the values of a column by the key of its row."""
    quoted = '"' + name.replace('"', '""') + '"'
    return history.execute(f"SELECT id, {quoted} FROM {table} ORDER BY id")


def declared(history, table, name):
    """Return type, NOT NULL and default of a column, as SQLite tells them."""
    return history.execute(
        'SELECT type, "notnull", dflt_value, hidden FROM pragma_table_xinfo(%s) WHERE name = %s',
        [table, name],
    )


PAIRS = [(kind, change) for kind in KEPT for change in CHANGES]
PAIRS = PAIRS if stress.IS_WHOLE else PAIRS[::6]  # all of them in make stress


@stress.whole
@pytest.mark.parametrize("kind, change", PAIRS)
def test_it_keeps_its_values_and_its_declaration_up_and_down(rooms, history, kind, change):
    name, declaration, value = KEPT[kind]
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    history.execute("ALTER TABLE annexe_room ADD COLUMN " + declaration.replace("%", "%%"), [])
    quoted = '"' + name.replace('"', '""').replace("%", "%%") + '"'
    history.execute(f"UPDATE annexe_room SET {quoted} = %s WHERE id > 1", [value])
    values, shape = live(history, "annexe_room", name), declared(history, "annexe_room", name)
    assert [row[1] for row in values[1:]] == [value, value]
    rooms.write("0002_change", CHANGES[change][0]).migrate()
    table = "annexe_chamber" if change == "renamed model" else "annexe_room"
    assert live(history, table, name) == values
    assert declared(history, table, name) == shape
    rooms.migrate("0001_initial")
    assert live(history, "annexe_room", name) == values
    assert declared(history, "annexe_room", name) == shape


@pytest.mark.parametrize("change", CHANGES)
def test_a_column_that_is_computed_goes_on_being_computed(rooms, history, change):
    operation, number, floor = CHANGES[change]
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    history.execute(
        "ALTER TABLE annexe_room ADD COLUMN twice integer AS ([floor] * 2 + length(number)) VIRTUAL"
    )
    rooms.write("0002_change", operation).migrate()
    table = "annexe_chamber" if change == "renamed model" else "annexe_room"
    assert live(history, table, "twice") == [(1, 5), (2, 7), (3, 11)]
    history.execute(f"UPDATE {table} SET {floor} = 10, {number} = 'x' WHERE id = 1")
    rooms.migrate("0001_initial")
    assert live(history, "annexe_room", "twice") == [(1, 21), (2, 7), (3, 11)]


WITH_MORE = """
CREATE TABLE annexe_bed (
    extra text NOT NULL UNIQUE, /* a ) comment */
    id integer PRIMARY KEY AUTOINCREMENT,
    size integer NOT NULL,
    area integer GENERATED ALWAYS AS (size * 2) STORED,
    -- the last one, with a comma
    room_id integer REFERENCES annexe_room,
    CONSTRAINT fits CHECK (size < 100 AND extra <> 'bad'),
    UNIQUE (size, extra)
)
"""
BED = f"""
migrations.SeparateDatabaseAndState(
    [migrations.RunSQL('''{WITH_MORE}''', "DROP TABLE annexe_bed")],
    [migrations.CreateModel("Bed", [
        ("id", models.AutoField(primary_key=True)), ("size", models.IntegerField()),
    ])],
),
migrations.RunSQL(
    "INSERT INTO annexe_bed (extra, size, room_id) VALUES ('a', 1, NULL), ('b', 2, 1)",
    migrations.RunSQL.noop,
),
migrations.RunSQL("CREATE INDEX by_extra ON annexe_bed (extra DESC)", "DROP INDEX by_extra"),
"""
LONGER = 'migrations.AlterField("bed", "size", models.BigIntegerField(db_column="width"))'


def test_columns_between_those_of_the_model_keep_all_that_belongs_to_them(rooms, history):
    rooms.write("0002_bed", BED)
    rooms.write("0003_longer", LONGER)
    for target in ("0003", "0002", "0003"):
        rooms.migrate(target)
        size = "width" if target == "0003" else "size"
        assert history.execute(
            f"SELECT id, {size}, extra, area, room_id FROM annexe_bed ORDER BY id"
        ) == [(1, 1, "a", 2, None), (2, 2, "b", 4, 1)]
        for values in ("'a', 3, 1", "'bad', 3, 1", "'c', 100, 1", "NULL, 3, 1"):
            with pytest.raises(DatabaseError, match="constraint failed"):
                history.execute(
                    f"INSERT INTO annexe_bed (extra, {size}, room_id) VALUES ({values})"
                )
        assert history.execute("SELECT sql FROM sqlite_master WHERE name = 'by_extra'") == [
            ("CREATE INDEX by_extra ON annexe_bed (extra DESC)",)
        ]
        assert history.execute(
            'SELECT "from", "table" FROM pragma_foreign_key_list(\'annexe_bed\')'
        ) == [("room_id", "annexe_room")]


def test_it_is_named_before_with_what_reads_it(rooms, history):
    rooms.write("0002_bed", BED).migrate()
    rooms.write("0003_longer", LONGER)
    [warned] = looked()
    assert warned.line() == (
        "Warning: annexe.0003_longer makes annexe_bed anew, and keeps what no model knows of:"
        ' column extra, column area, column room_id, index by_extra, CONSTRAINT "fits" check ( size'
        " < 100 and extra <> 'bad' ), unique ( size , extra ). Nothing is to be done."
    )


def test_it_is_named_where_nothing_else_is_beside_the_models(rooms, history, caplog):
    history.execute("ALTER TABLE annexe_room ADD COLUMN by_hand integer DEFAULT 7")
    rooms.write("0002_widen", WIDER)
    [warned] = looked()
    said = (
        "annexe.0002_widen makes annexe_room anew, and keeps what no model knows of: column"
        " by_hand."
    )
    assert (warned.kind, warned.refuses, warned.cause) == ("kept", False, said)
    rooms.migrate()
    assert f"{said} Nothing is to be done." in [record.getMessage() for record in caplog.records]
    history.execute("INSERT INTO annexe_room (number) VALUES ('new')")
    assert live(history, "annexe_room", "by_hand") == [(1, 7), (2, 7), (3, 7), (4, 7)]


def test_one_that_a_model_comes_to_know_or_that_goes_first_is_not_named(rooms, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN by_hand integer")
    history.execute("ALTER TABLE annexe_room ADD COLUMN other integer")
    rooms.write(
        "0002_know",
        """
        migrations.SeparateDatabaseAndState([], [
            migrations.AddField("room", "by_hand", models.IntegerField(null=True)),
        ]),
        migrations.RunSQL("ALTER TABLE annexe_room DROP COLUMN other"),
        """,
    )
    rooms.write("0003_widen", WIDER)
    assert [one.line() for one in looked()] == []
    rooms.migrate()
    assert "by_hand" in str(history.execute("SELECT sql FROM sqlite_master"))


def test_a_field_of_its_name_does_not_take_its_place(rooms, history, project):
    history.execute("ALTER TABLE annexe_room ADD COLUMN by_hand integer DEFAULT 7")
    added = 'operations.AddField("room", "by_hand", models.IntegerField(default=1))'
    rooms.write("0002_add", added)
    before = project.facts()
    [refused] = [one for one in looked() if one.refuses]
    assert refused.cause == (
        "annexe.0002_add cannot be applied: the column annexe_room.by_hand is there already."
    )
    with pytest.raises(DatabaseError, match="duplicate column name: by_hand"):
        rooms.migrate()
    assert project.facts() == before


def test_one_that_a_dropped_column_is_computed_into_is_named_before(rooms, history, project):
    history.execute("ALTER TABLE annexe_room ADD COLUMN twice integer AS (floor * 2)")
    rooms.write("0002_drop", 'operations.RemoveField("room", "floor")')
    before = project.facts()
    [refused] = [one for one in looked() if one.refuses]
    assert refused.line() == (
        "Refused: annexe.0002_drop drops annexe_room.floor, which the column twice, of which no"
        " model knows, reads. Make the table anew without that in a migrations.RunSQL before it,"
        " and run manage.py db upgrade again."
    )
    with pytest.raises(RefusedByPreflight):
        rooms.migrate()
    assert project.facts() == before
    rooms.write(
        "0002_drop",
        """
        migrations.RunSQL("ALTER TABLE annexe_room DROP COLUMN twice"),
        operations.RemoveField("room", "floor"),
        """,
        after=[("annexe", "0001_initial")],
    )
    rooms.migrate()


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE annexe_bed (id integer, by_hand integer, size integer NOT NULL,"
        " PRIMARY KEY (id, by_hand))",
        "CREATE TABLE annexe_bed (by_hand integer PRIMARY KEY, id integer, size integer)",
    ],
)
def test_one_that_is_in_the_primary_key_is_refused(rooms, history, project, table):
    bed = BED.replace(WITH_MORE, table)
    rooms.write("0002_bed", bed[: bed.index("migrations.RunSQL(\n")]).migrate()
    rooms.write("0003_longer", LONGER)
    before = project.facts()
    [refused] = [one for one in looked() if one.refuses]
    assert refused.line() == (
        "Refused: annexe.0003_longer makes annexe_bed anew, and its column by_hand, of which no"
        " model knows, is in its primary key, as which it cannot be kept. Change it with a"
        " migrations.RunSQL, and let SeparateDatabaseAndState tell the model, and run manage.py db"
        " upgrade again."
    )
    with pytest.raises(RefusedByPreflight):
        rooms.migrate()
    assert project.facts() == before


@pytest.mark.parametrize("kind", ["STRICT", "WITHOUT ROWID"])
def test_a_table_of_a_special_kind_is_refused_with_it(rooms, history, project, kind):
    table = (
        "CREATE TABLE annexe_bed (id integer PRIMARY KEY, size integer NOT NULL, by_hand text)"
        f" {kind}"
    )
    bed = BED.replace(WITH_MORE, table)
    rooms.write("0002_bed", bed[: bed.index("migrations.RunSQL(\n")]).migrate()
    history.execute("INSERT INTO annexe_bed VALUES (1, 2, 'x')")
    rooms.write("0003_longer", LONGER)
    before = project.facts()
    assert [(one.kind, one.refuses) for one in looked()] == [("kept", False), ("dependent", True)]
    with pytest.raises(RefusedByPreflight, match=f"which is a {kind} table, and the new one would"):
        rooms.migrate()
    assert project.facts() == before


def test_a_script_keeps_what_migrations_have_added_and_stops_before_what_a_hand_has(
    rooms, history, project, tmp_path
):
    added = "ALTER TABLE annexe_room ADD COLUMN by_hand integer NOT NULL DEFAULT 7"
    rooms.write("0002_add", f"migrations.RunSQL({added!r}, migrations.RunSQL.noop)")
    first = project.manage("db", "upgrade", "base:heads", "--sql")
    assert first.returncode == 0, first.stderr
    rooms.write("0003_widen", WIDER)
    scripts = {
        verb: project.manage("db", verb, span, "--sql")
        for verb, span in (("upgrade", "annexe.0002:heads"), ("downgrade", "heads:annexe.0002"))
    }
    by_hand = {"as_planned": (), "by_hand": ["ALTER TABLE annexe_room ADD COLUMN other DEFAULT 9"]}
    for name, more in by_hand.items():
        place = tmp_path / name
        room = "INSERT INTO annexe_room (number, by_hand) VALUES ('1', 8)"
        for sql in (first.stdout, room, *more):
            assert in_shell(place, sql) == ""
        for script in scripts.values():
            assert script.returncode == 0, script.stderr
            said = in_shell(place, script.stdout)
            assert (
                said.startswith("CHECK constraint failed: A table would lose")
                if more
                else said == ""
            )
            with sqlite3.connect(place) as other:
                kept = other.execute("SELECT by_hand FROM annexe_room").fetchall()
            assert kept == [(8,)]
            if more:
                break


def in_shell(place, script):
    """Run a script on a file of SQLite, and return what is wrong."""
    with closing(sqlite3.connect(place)) as other:
        try:
            other.executescript(script.replace(".bail on", ""))
        except sqlite3.Error as error:
            return str(error)
    return ""
