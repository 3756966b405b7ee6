"""What would stop the script of drift is told with its keys, and the rest of the script runs."""

import pytest
from django.db import connection

from hotel.migrator.schema import catalog
from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import damage, report, run, words

IS_POSTGRESQL = connection.vendor == "postgresql"
SCHEMA = [
    "CREATE TABLE halls (id integer NOT NULL PRIMARY KEY, name text)",
    "CREATE TABLE beds (id integer NOT NULL PRIMARY KEY, hall integer NOT NULL CONSTRAINT beds_hall"
    " REFERENCES halls (id), name text, size integer NOT NULL, floor integer NOT NULL,"
    " CONSTRAINT beds_have_size CHECK (size > 0), CONSTRAINT beds_named_once UNIQUE (name))",
    "CREATE UNIQUE INDEX beds_of_size ON beds (size) WHERE size > 100",
    "CREATE INDEX beds_by_floor ON beds (floor)",
    "CREATE TABLE stays (bed integer NOT NULL, night date NOT NULL, till date, note text,"
    " CONSTRAINT stays_once PRIMARY KEY (bed, night))",
    "INSERT INTO halls VALUES (1, 'north')",
    "INSERT INTO beds (id, hall, name, size, floor) VALUES (1, 1, 'a', 1, 1), (2, 1, 'b', 2, 1)",
    "INSERT INTO stays VALUES (1, '2026-05-05', '2026-05-07', 'x')",
]
OF_POSTGRESQL = [
    "ALTER TABLE stays ADD CONSTRAINT stays_apart EXCLUDE USING gist"
    " (int4range(bed, bed, '[]') WITH =, daterange(night, till) WITH &&)",
    "CREATE UNIQUE INDEX stays_noted_once ON stays (note) NULLS NOT DISTINCT",
]
# A table that the history knows and has dropped again.
LAMPS = 'migrations.CreateModel("Lamp", [("id", models.AutoField(primary_key=True))])'


def source_of(view):
    if IS_POSTGRESQL:
        return f"SELECT pg_get_viewdef('{view}'::regclass, true) gives its text"
    return f"SELECT sql FROM sqlite_master WHERE name = '{view}' gives its text"


def in_the_way(view, kind="view"):
    return (
        f"the {kind} {view} stands in the way: drop it until the script has run ({source_of(view)})"
    )


def dropped(table, name, on_sqlite):
    """Drop a constraint; on SQLite by making the table anew, with all else that it has."""
    if IS_POSTGRESQL:
        return f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    [created] = [sql for sql in SCHEMA if sql.startswith(f"CREATE TABLE {table} ")]
    assert created.count(on_sqlite) == 1
    indexes = [sql for sql in SCHEMA if "INDEX" in sql and f" ON {table} " in sql]
    statements = [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA legacy_alter_table = ON",
        f"ALTER TABLE {table} RENAME TO was",
        created.replace(on_sqlite, ""),
        f"INSERT INTO {table} SELECT * FROM was",
        "DROP TABLE was",
        *indexes,
    ]
    return "; ".join(statements)


# What was damaged, what was done then, what is said of it, and what somebody does about that.
CASES = {
    "check": (
        dropped("beds", "beds_have_size", ", CONSTRAINT beds_have_size CHECK (size > 0)"),
        "UPDATE beds SET size = 0 WHERE id = 2",
        "beds_have_size is broken by 1 row (id 2): correct these",
        "UPDATE beds SET size = 2 WHERE id = 2",
    ),
    "unique constraint": (
        dropped("beds", "beds_named_once", ", CONSTRAINT beds_named_once UNIQUE (name)"),
        "UPDATE beds SET name = 'a'",
        "name must be unique, and 2 rows (id 1, 2) share theirs: change or merge these",
        "UPDATE beds SET name = NULL",
    ),
    "unique index of some rows": (
        "DROP INDEX beds_of_size",
        "INSERT INTO beds (id, hall, size, floor) VALUES (3, 1, 200, 1), (4, 1, 200, 1),"
        " (5, 1, 7, 1), (6, 1, 7, 1)",
        "size must be unique, and 2 rows (id 3, 4) share theirs: change or merge these",
        "UPDATE beds SET size = 201 WHERE id = 4",
    ),
    "primary key of two columns": (
        dropped("stays", "stays_once", ", CONSTRAINT stays_once PRIMARY KEY (bed, night)"),
        "INSERT INTO stays VALUES (1, '2026-05-05', '2026-05-05', 'y')",
        "bed, night must be unique, and 2 rows (bed, night 1/2026-05-05, 1/2026-05-05) share"
        " theirs: change or merge these",
        "UPDATE stays SET night = '2026-05-03' WHERE note = 'y'",
    ),
    "foreign key": (
        dropped("beds", "beds_hall", "CONSTRAINT beds_hall REFERENCES halls (id)"),
        "UPDATE beds SET hall = 7",
        "hall refers to halls, with nothing there for 2 rows (id 1, 2): give these something to"
        " refer to, or delete them",
        "INSERT INTO halls VALUES (7, 'south')",
    ),
    "NOT NULL": (
        "ALTER TABLE beds ALTER floor DROP NOT NULL"
        if IS_POSTGRESQL
        else ("beds", "floor integer NOT NULL", "floor integer"),
        "UPDATE beds SET floor = NULL WHERE id = 1",
        "it is NULL in 1 row (id 1): fill these",
        "UPDATE beds SET floor = 1 WHERE id = 1",
    ),
    "column that is there no more": (
        "DROP INDEX beds_by_floor; ALTER TABLE beds DROP COLUMN floor",
        "",
        "it is NOT NULL and has no default for 2 rows (id 1, 2): add and fill it yourself",
        "DELETE FROM beds",
    ),
    "name that somebody else's index has": (
        "DROP INDEX beds_by_floor",
        "CREATE TABLE of_others (id integer); CREATE INDEX beds_by_floor ON of_others (id)",
        "the index beds_by_floor of of_others has the name beds_by_floor: rename it or drop it",
        "DROP TABLE of_others",
    ),
    "view over a table that is too much": (
        "CREATE TABLE annexe_lamp (id integer)",
        "CREATE VIEW lamps AS SELECT id FROM annexe_lamp",
        in_the_way("lamps"),
        "DROP VIEW lamps",
    ),
    "view over a column that is too much": (
        "ALTER TABLE beds ADD COLUMN smell text",
        "CREATE VIEW smells AS SELECT smell FROM beds; CREATE VIEW sizes AS SELECT size FROM beds",
        in_the_way("smells"),
        "DROP VIEW smells; DROP VIEW sizes",
    ),
    "view in the place of a table": (
        "DROP TABLE stays",
        "CREATE VIEW stays AS SELECT id AS bed FROM beds",
        in_the_way("stays"),
        "DROP VIEW stays",
    ),
}
if IS_POSTGRESQL:
    CASES |= {
        "exclusion": (
            "ALTER TABLE stays DROP CONSTRAINT stays_apart",
            "INSERT INTO stays VALUES (1, '2026-05-06', '2026-05-08', 'y')",
            "stays_apart is broken by 2 rows (bed, night 1/2026-05-05, 1/2026-05-06): correct"
            " these",
            "UPDATE stays SET bed = 2 WHERE note = 'y'",
        ),
        "unique index of NULL too": (
            "DROP INDEX stays_noted_once",
            "INSERT INTO stays (bed, night) VALUES (8, '2026-05-06'), (9, '2026-05-06')",
            "note must be unique, and 2 rows (bed, night 8/2026-05-06, 9/2026-05-06) share theirs:"
            " change or merge these",
            "DELETE FROM stays WHERE bed = 9",
        ),
        "names of a table that is kept under another": (
            "ALTER TABLE stays RENAME TO stays_of_2026;"
            " ALTER TABLE stays_of_2026 RENAME bed TO a;"
            " ALTER TABLE stays_of_2026 RENAME till TO b;"
            " ALTER TABLE stays_of_2026 DROP COLUMN note",
            "",
            "the constraint stays_apart of stays_of_2026 has the name stays_apart: rename it or"
            " drop it; the constraint stays_once of stays_of_2026 has the name stays_once: rename"
            " it or drop it",
            "DROP TABLE stays_of_2026",
        ),
        "view over a column of another type": (
            "ALTER TABLE stays ALTER note TYPE varchar(9)",
            "CREATE MATERIALIZED VIEW notes AS SELECT note FROM stays",
            in_the_way("notes", "materialized view"),
            "DROP MATERIALIZED VIEW notes",
        ),
        "foreign key to a key that is too much": (
            "ALTER TABLE beds ADD CONSTRAINT beds_twice UNIQUE (id, name)",
            "CREATE TABLE of_others (bed integer, name text, CONSTRAINT of_beds"
            " FOREIGN KEY (bed, name) REFERENCES beds (id, name))",
            "the foreign key of_beds of of_others stands in the way: drop it until the script has"
            " run",
            "DROP TABLE of_others",
        ),
    }
else:
    CASES |= {
        "view over a column that is renamed": (
            "ALTER TABLE stays RENAME COLUMN note TO remark",
            "CREATE VIEW notes AS SELECT remark FROM stays",
            in_the_way("notes"),
            "DROP VIEW notes",
        ),
    }


@pytest.fixture
def beds(annexe, history):
    """A database of an app that makes tables with rules of every kind, and rows that keep them."""
    schema = SCHEMA + OF_POSTGRESQL * IS_POSTGRESQL
    made = ", ".join(f"migrations.RunSQL({sql!r})" for sql in schema)
    annexe.write("0001_initial", f'{LAMPS}, migrations.DeleteModel("Lamp"), {made}').migrate()
    return history.keep("beds")


def test_what_would_stop_the_script_is_told_with_keys_and_the_rest_is_mended(beds):
    replay, wrong = report().replay, {}
    replay.is_fresh = True
    for kind, (done, then, said, mend) in CASES.items():
        beds.at("beds")
        damage(done)
        run([then] if then else [])
        beds.execute("CREATE INDEX beds_by_size ON beds (size)")  # SQLite leaves all of a table
        beds.execute("ALTER TABLE halls ADD COLUMN view text")
        looked = report(replay)
        told = [one.hindered for one in looked.differences if one.hindered]
        if told != [f"{said}, and run manage.py db drift again"]:
            wrong[kind] = told
            continue
        ended = shells.run(looked.script, shows=True)
        left = report(replay)
        is_told = {one.hindered for one in left.differences if one.what != "extra"} <= {"", *told}
        if ended != (0, "") or "halls.view" in str(words(left.differences)) or not is_told:
            wrong[f"{kind}, beside others"] = ended, words(left.differences)
        run([mend])
        rows = catalog.dump(connection, ["halls", "beds"])
        ended = shells.run(report(replay).script, shows=True)
        differences = words(report(replay).differences)
        if (ended, differences) != ((0, ""), []):
            wrong[f"{kind}, mended"] = ended, differences
        elif rows["halls"] != catalog.dump(connection, ["halls"])["halls"]:
            wrong[f"{kind}, rows"] = rows
    assert wrong == {}
