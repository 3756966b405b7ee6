"""What hangs on a column or a table that a plan drops or changes is named before it."""

import re

import pytest
from django.db import DatabaseError, connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.plan import dependents
from hotel.migrator.tests.looking import looked

VIEW = "CREATE VIEW above AS SELECT id, floor FROM annexe_room"
DROP = 'operations.RemoveField("room", "floor")'
RETYPE = 'migrations.AlterField("room", "floor", models.TextField(null=True))'
DELETE = 'operations.DeleteModel("Room")'


def hanging(*targets):
    return [one for one in looked(*targets) if one.kind == "dependent"]


def refused(app, name=None):
    with pytest.raises(RefusedByPreflight) as error:
        app.migrate(name)
    return str(error.value)


def test_a_view_over_a_dropped_column_is_refused_by_every_way_in(rooms, project, history):
    history.execute(VIEW)
    rooms.write("0002_drop", DROP)
    [found] = hanging()
    assert found.refuses
    if connection.vendor == "postgresql":
        assert found.line() == (
            "Refused: annexe.0002_drop drops annexe_room.floor, on which the view above hangs:"
            " PostgreSQL would drop it too. Take it along: migrations.RunSQL('DROP VIEW above')"
            " before that operation, and one that makes it again without the column (SELECT"
            " pg_get_viewdef('above'::regclass, true) gives its text) after it, and run manage.py"
            " db upgrade again."
        )
    else:
        assert found.line() == (
            "Refused: annexe.0002_drop drops annexe_room.floor, which the view above reads (no such"
            " column: floor). Take it along: migrations.RunSQL('DROP VIEW \"above\"') before that"
            " operation, and one that makes it again without that (SELECT sql FROM sqlite_master"
            " WHERE name = 'above' gives its text) after it, and run manage.py db upgrade again."
        )
    assert found.line() in refused(rooms)
    assert project.manage("migrate").returncode == 3
    assert project.manage("db", "upgrade").returncode == 3
    assert len(history.execute("SELECT * FROM above")) == 3


def test_a_view_that_is_taken_along_is_no_finding(rooms, history):
    history.execute(VIEW)
    rooms.write(
        "0002_drop",
        f"""
        migrations.RunSQL("DROP VIEW above", "{VIEW}"),
        {DROP},
        migrations.RunSQL("CREATE VIEW above AS SELECT id FROM annexe_room", "DROP VIEW above"),
        """,
    )
    assert hanging() == []
    rooms.migrate()
    assert history.execute("SELECT id FROM above ORDER BY id") == [(1,), (2,), (3,)]
    rooms.migrate("0001")
    assert history.execute("SELECT floor FROM above ORDER BY id") == [(1,), (2,), (None,)]


def test_sql_about_a_view_with_a_longer_name_takes_none_along(rooms, history):
    history.execute(VIEW)
    other = 'migrations.RunSQL("DROP VIEW IF EXISTS above_all", migrations.RunSQL.noop)'
    rooms.write("0002_drop", f"{other}, {DROP}")
    [found] = hanging()
    assert found.refuses
    assert "the view above " in found.cause


def test_the_way_down_is_looked_at_too(rooms, history):
    rooms.write("0002_add", 'operations.AddField("room", "code", models.IntegerField(null=True))')
    rooms.migrate()
    history.execute("CREATE VIEW codes AS SELECT code FROM annexe_room")
    [found] = hanging(("annexe", "0001_initial"))
    assert found.cause.startswith("annexe.0002_add drops annexe_room.code, ")
    assert found.mend.endswith("and run manage.py db downgrade again.")
    assert "codes" in refused(rooms, "0001")


def test_what_reads_other_columns_or_follows_a_new_name_is_let_be(rooms, history):
    history.execute("CREATE VIEW numbers AS SELECT id, number FROM annexe_room")
    rooms.write("0002_drop", DROP)
    rooms.write("0003_rename", 'migrations.RenameField("room", "number", "door")')
    rooms.write("0004_rename", 'migrations.RenameModel("Room", "Chamber")')
    assert hanging() == []
    rooms.migrate()
    assert history.execute("SELECT * FROM numbers WHERE id = 1") == [(1, "101")]
    rooms.migrate("0001")
    assert history.execute("SELECT * FROM numbers WHERE id = 1") == [(1, "101")]


def test_code_that_runs_first_may_change_it_and_if_not_nothing_is_lost(rooms, history):
    history.execute(VIEW)
    rooms.write("0002_code", "migrations.RunPython(code)", code="def code(apps, editor): pass")
    rooms.write("0003_drop", DROP)
    [found] = hanging()
    assert not found.refuses
    assert "annexe.0002_code (Raw Python operation) runs first and may change that." in found.cause
    with pytest.raises(Exception, match="above"):
        rooms.migrate()
    assert len(history.execute("SELECT * FROM above")) == 3


@pytest.mark.parametrize("change", [DROP, DELETE], ids=["column", "table"])
def test_a_view_over_a_view_is_named(rooms, history, change):
    history.execute(VIEW)
    history.execute("CREATE VIEW top AS SELECT max(floor) AS top FROM above")
    rooms.write("0002_drop", change)
    named = {word for one in hanging() for word in ("above", "top") if f"view {word} " in one.cause}
    assert named == {"above", "top"}
    assert len(history.execute("SELECT * FROM top")) == 1


def test_a_table_that_goes_with_its_own_index_and_trigger_is_no_finding(rooms, history):
    history.execute("CREATE INDEX by_hand ON annexe_room (floor, number)")
    rooms.write("0002_drop", DELETE)
    assert hanging() == []
    rooms.migrate()


# SQLite


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "kind, sql",
    [
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON annexe_room BEGIN SELECT NEW.floor; END"),
        (
            "trigger",
            "CREATE TRIGGER t AFTER DELETE ON other BEGIN DELETE FROM annexe_room WHERE"
            " floor = 1; END",
        ),
        ("index", "CREATE INDEX t ON annexe_room (number, floor)"),
        ("index", "CREATE INDEX t ON annexe_room (abs(floor))"),
        ("index", "CREATE INDEX t ON annexe_room (number) WHERE floor > 1"),
    ],
)
@pytest.mark.parametrize("remade", [False, True])
def test_what_names_a_column_that_goes_is_refused(rooms, history, kind, sql, remade):
    if remade:  # by Django, because the column has an index
        rooms.write(
            "0001_other",
            'migrations.AlterField("room", "floor", models.IntegerField(null=True, db_index=True))',
        ).migrate()
    history.execute("CREATE TABLE other (id integer)")
    history.execute(sql)
    rooms.write("0002_drop", DROP)
    [found] = hanging()
    assert (found.refuses, f"drops annexe_room.floor, which the {kind} t reads" in found.cause) == (
        True,
        True,
    )


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE strict_room (id integer PRIMARY KEY, number text) STRICT",
        "CREATE TABLE strict_room (id integer PRIMARY KEY, number text) WITHOUT ROWID",
    ],
)
def test_a_special_table_is_not_made_an_ordinary_one(annexe, history, sql):
    history.execute(sql)
    annexe.write(
        "0001_initial",
        """
        migrations.SeparateDatabaseAndState(state_operations=[migrations.CreateModel("Room", [
            ("id", models.AutoField(primary_key=True)), ("number", models.TextField(null=True))],
            options={"db_table": "strict_room"})])
    """,
    ).migrate()
    annexe.write(
        "0002_change", 'migrations.AlterField("room", "number", models.TextField(default=""))'
    )
    [found] = hanging()
    kind = "STRICT" if sql.endswith("STRICT") else "WITHOUT ROWID"
    assert found.cause == (
        f"annexe.0002_change makes strict_room anew, which is a {kind} table, and the new one would"
        " not be."
    )
    assert refused(annexe)


@pytest.mark.sqlite
def test_a_view_that_is_broken_already_is_named(rooms, history):
    history.execute("CREATE VIEW broken AS SELECT gone FROM annexe_room")
    rooms.write("0002_rename", 'migrations.RenameModel("Room", "Chamber")')
    [found] = hanging()
    assert found.cause == (
        "annexe.0002_rename cannot change tables while the view broken lacks what it reads (no such"
        " column: gone)."
    )


IN_PLACE = (
    "CREATE TRIGGER t_v INSTEAD OF INSERT ON above BEGIN"
    " INSERT INTO annexe_room (id, number, floor) VALUES (NEW.id, 'new', NEW.floor); END"
)
RENAME = 'migrations.RenameField("room", "floor", "level")'


@pytest.mark.sqlite
@pytest.mark.parametrize("view", [VIEW, "CREATE VIEW above AS SELECT * FROM annexe_room"])
@pytest.mark.parametrize(
    "more",
    ["", ', migrations.AlterField("room", "level", models.TextField(null=True))'],
    ids=["alone", "remade"],
)
def test_a_trigger_on_a_view_that_knows_no_new_name_is_refused(rooms, project, history, view, more):
    history.execute(view)
    history.execute(IN_PLACE)
    rooms.write("0002_rename", RENAME + more)
    [found] = hanging()
    assert found.line() == (
        "Refused: annexe.0002_rename renames annexe_room.floor to level, which the trigger t_v does"
        " not fit (no such column: NEW.floor). Take it along: migrations.RunSQL('DROP TRIGGER"
        ' "t_v"\') before that operation, and one that makes it again so that it fits (SELECT sql'
        " FROM sqlite_master WHERE name = 't_v' gives its text) after it, and run manage.py db"
        " upgrade again."
    )
    assert found.line() in refused(rooms)
    assert project.manage("db", "upgrade").returncode == 3
    again = IN_PLACE.replace("floor", "level")
    rooms.write(
        "0002_rename",
        f"""
        migrations.RunSQL("DROP TRIGGER t_v", migrations.RunSQL.noop),
        {RENAME + more},
        migrations.RunSQL({again!r}, "DROP TRIGGER t_v"),
        """,
        after=[("annexe", "0001_initial")],
    )
    assert hanging() == []
    rooms.migrate()
    history.execute("INSERT INTO above (id, level) VALUES (4, 4)")
    assert history.execute("SELECT number FROM annexe_room WHERE id = 4") == [("new",)]


@pytest.mark.sqlite
def test_a_view_over_a_star_that_knows_no_new_name_is_refused(rooms, history):
    history.execute("CREATE VIEW star AS SELECT * FROM annexe_room")
    history.execute("CREATE VIEW top AS SELECT max(floor) AS top FROM star")
    rooms.write("0002_rename", RENAME)
    [found] = hanging()
    assert found.refuses
    assert found.cause == (
        "annexe.0002_rename renames annexe_room.floor to level, which the view top does not fit"
        " (no such column: floor)."
    )
    assert found.line() in refused(rooms)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "change, does",
    [
        (
            'operations.AddField("room", "code", models.IntegerField(null=True))',
            "adds annexe_room.code",
        ),
        (
            'operations.AddField("room", "code", models.IntegerField(null=True, unique=True))',
            "adds annexe_room.code",
        ),
        (
            'migrations.RenameField("room", "floor", "code")',
            "renames annexe_room.floor to code",
        ),
    ],
    ids=["added", "added and remade", "renamed"],
)
def test_a_view_in_which_a_new_name_means_two_columns_is_refused(rooms, history, change, does):
    history.execute("CREATE TABLE other (id integer, code integer)")
    history.execute("CREATE VIEW codes AS SELECT code FROM annexe_room JOIN other USING (id)")
    rooms.write("0002_change", change)
    [found] = hanging()
    assert found.cause == (
        f"annexe.0002_change {does}, which the view codes does not fit (ambiguous column name:"
        " code)."
    )
    assert found.line() in refused(rooms)
    assert history.execute("SELECT * FROM codes") == []


@pytest.mark.sqlite
def test_a_trigger_on_a_view_that_is_to_be_dropped_is_named_too(rooms, history):
    history.execute(VIEW)
    history.execute(IN_PLACE)
    rooms.write("0002_drop", DROP)
    assert [one.cause for one in hanging()] == [
        "annexe.0002_drop drops annexe_room.floor, which the trigger t_v reads (it is on the view"
        " above and goes with it).",
        "annexe.0002_drop drops annexe_room.floor, which the view above reads (no such column:"
        " floor).",
    ]


@pytest.mark.sqlite
def test_a_trigger_that_is_broken_already_is_named_where_it_stops_the_run(rooms, history):
    history.execute("CREATE TABLE other (id integer)")
    history.execute("CREATE TRIGGER t AFTER DELETE ON other BEGIN DELETE FROM gone; END")
    rooms.write("0002_add", 'operations.AddField("room", "code", models.IntegerField(null=True))')
    assert hanging() == []
    rooms.migrate()
    rooms.write("0003_rename", RENAME)
    [found] = hanging()
    assert found.line() == (
        "Refused: annexe.0003_rename cannot change tables while the trigger t lacks what it reads"
        ' (no such table: main.gone). Drop it (DROP TRIGGER "t"), or make what it reads, and run'
        " manage.py db upgrade again."
    )
    assert found.line() in refused(rooms)
    history.execute("DROP TRIGGER t")
    rooms.migrate()


# PostgreSQL

HANGS = [
    ("materialized view above", "CREATE MATERIALIZED VIEW above AS SELECT floor FROM annexe_room"),
    (
        "rule noted on annexe_room",
        "CREATE RULE noted AS ON INSERT TO annexe_room WHERE NEW.floor > 9 DO NOTHING",
    ),
    (
        "function public.top()",
        "CREATE FUNCTION top() RETURNS integer BEGIN ATOMIC SELECT max(floor)"
        " FROM annexe_room; END",
    ),
    ("policy low on annexe_room", "CREATE POLICY low ON annexe_room USING (floor < 3)"),
    (
        "trigger moved on annexe_room",
        "CREATE TRIGGER moved BEFORE UPDATE OF floor ON"
        " annexe_room FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    (
        "generated column annexe_room.twice",
        "ALTER TABLE annexe_room ADD COLUMN twice integer GENERATED ALWAYS AS (floor * 2) STORED",
    ),
    ("publication relation", "CREATE PUBLICATION rooms FOR TABLE annexe_room (id, floor)"),
]


@pytest.mark.postgresql
@pytest.mark.parametrize("named, sql", HANGS, ids=[name.split(" ")[0] for name, _ in HANGS])
@pytest.mark.parametrize("change", [DROP, RETYPE], ids=["dropped", "retyped"])
def test_each_kind_that_hangs_on_a_column_is_named(rooms, history, monkeypatch, change, named, sql):
    history.execute(sql)
    rooms.write("0002_change", change)
    before = hangs(history)
    [found] = hanging()
    assert found.refuses
    assert f"the {named}" in found.cause
    assert found.line() in refused(rooms)
    assert hangs(history) == before
    monkeypatch.setattr(dependents, "look", lambda connection, walked: [])
    with pytest.raises((DatabaseError, RefusedByPreflight)):  # what would have been met
        rooms.migrate()
    assert hangs(history) == before


def hangs(history):
    """Return how many things of each kind there are that a user has made."""
    counted = "pg_class", "pg_rewrite", "pg_proc", "pg_policy", "pg_trigger", "pg_publication_rel"
    return [history.execute(f"SELECT count(*) FROM {one}") for one in counted]


OVER_OTHERS = [
    ("index by_hand", "CREATE INDEX by_hand ON annexe_room (number, floor)"),
    ('index "By Hand"', 'CREATE INDEX "By Hand" ON annexe_room (number) INCLUDE (floor)'),
    ("index by_hand", "CREATE INDEX by_hand ON annexe_room (number) WHERE floor > 1"),
    ("index by_hand", "CREATE INDEX by_hand ON annexe_room (number, abs(floor))"),
    ("index by_hand", "CREATE UNIQUE INDEX by_hand ON annexe_room (floor, number)"),
    ("constraint by_hand", "ALTER TABLE annexe_room ADD CONSTRAINT by_hand UNIQUE (number, floor)"),
    ("constraint by_hand", "ALTER TABLE annexe_room ADD CONSTRAINT by_hand CHECK (id > -floor)"),
    (
        "constraint by_hand",
        "ALTER TABLE annexe_room ADD UNIQUE (id, number), ADD CONSTRAINT by_hand"
        " FOREIGN KEY (floor, number) REFERENCES annexe_room (id, number) NOT VALID",
    ),
    (
        "constraint By Hand",
        'ALTER TABLE annexe_room ADD CONSTRAINT "By Hand" UNIQUE (number, floor)',
    ),
]


@pytest.mark.postgresql
@pytest.mark.parametrize("named, sql", OVER_OTHERS)
def test_an_index_or_constraint_over_other_columns_too_is_taken_along(
    rooms, history, monkeypatch, named, sql
):
    history.execute(sql)
    rooms.write("0002_drop", DROP)
    [found] = hanging()
    assert found.cause == (
        f"annexe.0002_drop drops annexe_room.floor, which the {named} reads beside other columns:"
        " PostgreSQL would drop it too."
    )
    assert found.line() in refused(rooms)
    with monkeypatch.context() as patched:
        patched.setattr(dependents, "look", lambda connection, walked: [])
        with pytest.raises(RefusedByPreflight, match=r"would go with annexe_room\.floor"):
            rooms.migrate()
    drop, asks = re.match(
        r".*RunSQL\((.*?)\) before .* \((SELECT .*) gives its", found.mend
    ).groups()
    assert "floor" in history.execute(asks)[0][0]
    rooms.write(
        "0002_drop",
        f"migrations.RunSQL({drop}, {sql!r}), {DROP}",
        after=[("annexe", "0001_initial")],
    )
    assert hanging() == []
    rooms.migrate()
    rooms.migrate("0001")
    assert "floor" in history.execute(asks)[0][0]


@pytest.mark.postgresql
def test_an_index_over_other_columns_is_not_lost_on_the_way_down(rooms, history):
    rooms.write("0002_add", 'operations.AddField("room", "code", models.IntegerField(null=True))')
    rooms.migrate()
    history.execute("CREATE INDEX by_hand ON annexe_room (number, code)")
    [found] = hanging(("annexe", "0001_initial"))
    assert "drops annexe_room.code, which the index by_hand reads beside others" in (
        found.cause.replace("other columns", "others")
    )
    refused(rooms, "0001")


@pytest.mark.postgresql
def test_an_index_of_the_dropped_column_alone_goes_with_a_line(rooms, history):
    history.execute("CREATE INDEX by_hand ON annexe_room (floor DESC) WHERE floor > 1")
    rooms.write("0002_drop", DROP)
    [found] = hanging()
    assert found.line() == (
        "Warning: annexe.0002_drop drops annexe_room.floor, and with it the index by_hand of it"
        " alone, of which no model knows. Nothing is to be done."
    )
    rooms.migrate()


@pytest.mark.postgresql
def test_indexes_and_constraints_of_models_go_as_django_has_it(rooms, history):
    history.execute("DELETE FROM annexe_room")
    rooms.write(
        "0002_index",
        """
        migrations.AlterField("room", "floor", models.IntegerField(null=True, db_index=True)),
        migrations.AddIndex("room", models.Index(fields=["number", "floor"], name="both")),
        migrations.AddConstraint("room",
            models.UniqueConstraint(fields=["number", "floor"], name="once")),
        migrations.AddConstraint("room",
            models.CheckConstraint(condition=models.Q(floor__lt=F("id")), name="low")),
        migrations.AlterUniqueTogether("room", {("floor", "number")}),
        migrations.AddField("room", "twin", models.ForeignKey("self", models.CASCADE, null=True)),
    """,
    ).migrate()
    assert hanging(("annexe", "0001_initial")) == []
    rooms.write("0003_drop", DROP)
    assert hanging() == []
    rooms.write(
        "0003_drop",
        f"""
        migrations.RemoveField("room", "twin"),
        migrations.RemoveIndex("room", "both"),
        migrations.RemoveConstraint("room", "once"),
        migrations.RemoveConstraint("room", "low"),
        migrations.AlterUniqueTogether("room", set()),
        {DROP},
    """,
        after=[("annexe", "0002_index")],
    )
    assert hanging() == []
    rooms.migrate()


@pytest.mark.postgresql
def test_statistics_block_no_other_type(rooms, history):
    history.execute("CREATE STATISTICS pair ON floor, number FROM annexe_room")
    rooms.write("0002_change", RETYPE)
    assert hanging() == []
    rooms.migrate()
    assert history.execute("SELECT stxname FROM pg_statistic_ext") == [("pair",)]


@pytest.mark.postgresql
def test_statistics_over_a_dropped_column_are_named(rooms, history):
    history.execute("CREATE STATISTICS pair ON number, floor FROM annexe_room")
    rooms.write("0002_change", DROP)
    assert ["statistics object public.pair" in one.cause for one in hanging()] == [True]


@pytest.mark.postgresql
def test_tables_of_others_that_hang_on_a_table_are_named(rooms, history):
    history.execute("CREATE TABLE theirs (room integer REFERENCES annexe_room)")
    history.execute("CREATE TABLE kept (was annexe_room)")
    history.execute("CREATE TABLE child () INHERITS (annexe_room)")
    rooms.write("0002_change", DELETE)
    assert sorted(one.cause.split(" the ")[1].split(" hangs")[0] for one in hanging()) == [
        "column kept.was",
        "table child",
        "table constraint theirs_room_fkey on theirs",
    ]


@pytest.mark.postgresql
def test_foreign_keys_of_models_go_as_django_has_it(rooms, history):
    rooms.write(
        "0002_bed",
        """
        operations.CreateModel("Bed", [("id", models.AutoField(primary_key=True)),
            ("room", models.ForeignKey("annexe.Room", models.CASCADE))])
    """,
    ).migrate()
    rooms.write(
        "0003_drop", 'operations.RemoveField("bed", "room"), operations.DeleteModel("Room")'
    )
    assert hanging() == []
    rooms.migrate()


@pytest.mark.postgresql
def test_a_row_type_in_use_blocks_another_type(rooms, history):
    history.execute("CREATE TABLE kept (was annexe_room)")
    rooms.write("0002_change", RETYPE)
    [found] = hanging()
    assert "the column kept.was" in found.cause
    refused(rooms)


@pytest.mark.postgresql
def test_a_change_that_is_none_of_the_type_is_let_be(rooms, history):
    history.execute(VIEW)
    rooms.write(
        "0002_change", 'migrations.AlterField("room", "floor", models.IntegerField(default=1))'
    )
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    assert hanging() == []
    rooms.migrate()


@pytest.mark.postgresql
def test_a_view_over_a_foreign_key_blocks_another_type_of_the_key_it_refers_to(rooms, history):
    rooms.write(
        "0002_bed",
        """
        operations.CreateModel("Bed", [("id", models.AutoField(primary_key=True)),
            ("room", models.OneToOneField("annexe.Room", models.CASCADE, unique=True))]),
        operations.CreateModel("Lamp", [("id", models.AutoField(primary_key=True)),
            ("bed", models.ForeignKey("Bed", models.CASCADE, to_field="room"))])
    """,
    ).migrate()
    history.execute("CREATE VIEW beds AS SELECT room_id FROM annexe_bed")
    history.execute("CREATE VIEW lamps AS SELECT bed_id FROM annexe_lamp")
    rooms.write(
        "0003_change", 'migrations.AlterField("room", "id", models.BigAutoField(primary_key=True))'
    )
    assert [one.cause.split(", which")[0] for one in hanging()] == [
        "annexe.0003_change changes the type of annexe_bed.room_id",
        "annexe.0003_change changes the type of annexe_lamp.bed_id",
    ]
    refused(rooms)
