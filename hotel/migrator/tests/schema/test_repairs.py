"""Whatever was done by hand to a hotel with rows, the script that drift prints mends it all.

It is run by plain ``psql`` or ``sqlite3``. Afterwards nothing differs, the rows are what they were,
and every table gives a row without a key the next one.
"""

import os
import random
from datetime import UTC
from itertools import permutations

import pytest
from django.db import DatabaseError, IntegrityError, connection

from hotel.migrator.schema import catalog, drift, hindrances, repair
from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import (
    DAMAGES,
    damage,
    reference_of,
    report,
    run,
    unlooked,
    words,
)
from hotel.migrator.verbs import Position
from hotel.tests import stress

EVERY = 1 if stress.IS_WHOLE else 9  # the others are tried without rows in test_drift.py
PAIRS = 5 * stress.ROUNDS or 6
# What these leave no rows of: nothing can bring them back.
LOST = {
    "column dropped": ("guests", "nationality"),
    "table renamed that others do not refer to, and a column of another dropped": (
        "rooms",
        "notes",
    ),
    "table dropped": ("guest_images", None),
    "table dropped that triggers write to": ("migrator_conflicts", None),
    "unique dropped": ("migrator_cursor", None),
}


@pytest.fixture
def mended(at_head, hotel):
    """Return a function that does damages and runs the script; it returns what is wrong then."""
    reference = reference_of(hotel)
    expected, known = at_head.catalog, drift.tables_of(Position(connection).loader)
    before = dump()

    def compare():
        return drift.compared(expected, catalog.read(connection), known)

    def mend(*kinds):
        for kind in kinds:
            try:
                damage(DAMAGES[kind][0], reference)
            except (DatabaseError, connection.Database.Error, AssertionError, TypeError):
                if len(kinds) == 1:
                    raise
                connection.close()  # what was done first stands in its way
        differences, live = compare()
        told = hindrances.told(connection, differences, expected, live)
        script = repair.script(connection.vendor, differences, expected, live)
        ended = shells.run(script, shows=True)
        wrong = [ended] if ended != (0, "") else []
        wrong += [one.hindered for one in told if one.hindered]
        wrong += words(compare()[0])
        if not wrong:
            wrong += changed(kinds, before, dump())
        if not wrong:
            wrong += without_keys(hotel)
        if wrong or any(kind in LOST for kind in kinds):
            hotel.at("hotel")
        return [*wrong, *script] if wrong else []

    return mend


def dump():
    """Return all rows of all tables, those of Django and of the migrator too."""
    tables = connection.introspection.table_names()
    return catalog.dump(connection, sorted(tables))


def changed(kinds, before, after):
    """Return the columns whose values have changed, but for those that a damage has dropped."""
    lost = [LOST[kind] for kind in kinds if kind in LOST]
    found = [f"rows of {table}" for table in before if len(before[table]) != len(after[table])]
    for table, rows in before.items():
        for was, row in zip(rows, after[table], strict=False):
            found += [f"{table}.{name}" for name in was if (was[name], 1) != (row.get(name), 1)]
    return sorted({one for one in found if not any(_is_of(one, *of) for of in lost)})


def _is_of(found, table, column):
    return found == f"{table}.{column}" or (
        column is None and (found == f"rows of {table}" or found.startswith(f"{table}."))
    )


def without_keys(history):
    """Return the tables that do not give the next key to a row without one."""
    wrong = []
    for table, rows in history.dump().items():
        columns = [
            thing.name
            for thing, facts in catalog.read(connection, [table]).of(table, "column").items()
            if thing.name != "id" and not facts["generated"]
        ]
        if not rows or "id" not in rows[0]:
            continue
        names = ", ".join(f'"{name}"' for name in columns)
        last = max(int(row["id"]) for row in rows)
        sql = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM "{table}" LIMIT 1 RETURNING id'
        try:
            key = _rolled_back(history, table, sql)
        except IntegrityError as error:
            if connection.vendor == "postgresql" or f"{table}.id" in str(error):
                wrong.append(f"{table}: {error}")
            continue
        if key <= last:
            wrong.append(f"{table}: {key} after {last}")
    return wrong


def _rolled_back(history, table, sql):
    """Insert a row in place of the first, and return its key; nothing of it is left."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            if connection.vendor == "postgresql":  # no trigger, and no row that is in the way
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(f'CREATE TEMPORARY TABLE one AS SELECT * FROM "{table}" LIMIT 1')
                cursor.execute(f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM one)')
                sql = sql.replace(f'FROM "{table}" LIMIT 1', "FROM one")
            cursor.execute(sql)
            return cursor.fetchone()[0]
        finally:
            cursor.execute("ROLLBACK")


@stress.whole
def test_a_hotel_with_rows_is_mended_by_the_script(mended):
    kinds = [*DAMAGES][::EVERY]
    wrong = {kind: found for kind in kinds if (found := mended(kind))}
    assert wrong == {}


@pytest.mark.postgresql
def test_values_that_a_type_cannot_hold_stop_the_script_and_stay(history, at_head):
    history.insert("guests", full_name="a", id_type="passport", created_at="2026-05-05 12:00Z")
    database = connection.settings_dict["NAME"]
    history.execute(f"ALTER DATABASE {database} SET TimeZone = 'Asia/Makassar'")
    history.execute(
        "ALTER TABLE guests ALTER id_type TYPE varchar(60), ALTER created_at TYPE timestamp"
        " USING created_at AT TIME ZONE 'UTC'"
    )
    history.execute("UPDATE guests SET id_type = repeat('x', 55)")
    looked = report(at_head)
    _, complained = shells.run(unlooked(looked))
    assert complained.splitlines()[0].endswith(
        "ERROR:  guests.id_type has values that character varying(50) cannot hold: change these"
        " first."
    )
    assert words(report(at_head).differences) == [
        "different column guests.created_at",
        "different column guests.id_type",
    ]
    assert history.execute("SELECT length(id_type) FROM guests") == [(55,)]
    history.execute("UPDATE guests SET id_type = 'passport'")
    assert shells.run(unlooked(looked)) == (0, "")
    assert words(report(at_head).differences) == []
    [(at, kind)] = history.execute("SELECT created_at, id_type FROM guests")
    assert (at.astimezone(UTC).isoformat(), kind) == ("2026-05-05T12:00:00+00:00", "passport")


@pytest.mark.sqlite
@pytest.mark.parametrize("has_rows", [True, False])
def test_a_table_made_anew_gives_no_key_twice_and_keeps_views_and_triggers(
    history, at_head, has_rows
):
    for name in ("a", "b"):
        history.insert("guests", full_name=name)
    history.execute(
        "DELETE FROM guests WHERE full_name = 'b'" if has_rows else "DELETE FROM guests"
    )
    history.execute("CREATE VIEW names AS SELECT id, full_name FROM guests")
    history.execute(
        "CREATE TRIGGER names_added INSTEAD OF INSERT ON names"
        " BEGIN INSERT INTO guests (full_name) VALUES (NEW.full_name); END"
    )
    history.execute(
        "CREATE TRIGGER seen AFTER INSERT ON expenses BEGIN UPDATE guests SET notes = 'seen'; END"
    )
    kept = "SELECT name, sql FROM sqlite_master WHERE name IN ('names', 'names_added')"
    before = history.execute(kept)
    damage(DAMAGES["collation changed"][0], "")
    looked = report(at_head)
    assert words(looked.differences) == [
        "different column guests.notes",
        "extra trigger expenses.seen",
    ]
    assert shells.run(looked.script) == (0, "")
    assert words(report(at_head).differences) == []
    assert history.execute(kept) == before
    history.execute("INSERT INTO names (full_name) VALUES ('c')")
    assert history.execute("SELECT id, full_name FROM names") == [
        *([(1, "a")] if has_rows else []),
        (3, "c"),
    ]


@pytest.mark.stressed
def test_two_damages_are_mended_by_one_script(mended):
    pairs = list(permutations(DAMAGES, 2))
    seed = os.environ.get("SEED") if stress.ROUNDS else 0
    chosen = random.Random(seed).sample(pairs, PAIRS)
    wrong = {pair: found for pair in chosen if (found := mended(*pair))}
    assert wrong == {}


@pytest.mark.sqlite
def test_a_table_that_a_failed_script_of_somebody_else_left_is_not_in_the_way(history, at_head):
    history.insert("guests", full_name="a")
    history.execute("CREATE TABLE old__guests (x)")
    damage(DAMAGES["collation changed"][0], "")
    looked = report(at_head)
    assert shells.run(looked.script) == (0, "")
    assert words(report(at_head).differences) == []
    assert history.execute("SELECT full_name FROM guests") == [("a",)]
    assert history.execute("SELECT * FROM old__guests") == []


# What is damaged, what is done besides, what is then said, and what is done about it.
HINDERED = {
    "NULL in a column that must not have it": (
        DAMAGES["NOT NULL dropped"][0],
        "UPDATE guests SET full_name = NULL WHERE id = 2",
        "it is NULL in 1 row (id 2): fill these",
        "UPDATE guests SET full_name = 'b' WHERE id = 2",
    ),
    "rows that a unique constraint forbids": (
        "ALTER TABLE migrator_cursor DROP CONSTRAINT migrator_cursor_owner_key"
        if connection.vendor == "postgresql"
        else DAMAGES["unique dropped"][0],
        "INSERT INTO migrator_cursor (id, owner, last_key, rows_read, rows_changed, rows_archived)"
        " VALUES (1, 'a', '', 0, 0, 0), (2, 'b', '', 0, 0, 0), (3, 'a', '', 0, 0, 0)",
        "owner must be unique, and 2 rows (id 1, 3) share theirs: change or merge these",
        "DELETE FROM migrator_cursor",
    ),
    "rows that refer to nothing": (
        DAMAGES["foreign key dropped"][0],
        "INSERT INTO guest_images (guest_id, image_type, file_path, file_name)"
        " VALUES (1, 'passport', 'a', 'a'), (7, 'passport', 'a', 'a')",
        "guest_id refers to guests, with nothing there for 1 row (id 2): give these something to"
        " refer to, or delete them",
        "UPDATE guest_images SET guest_id = 2 WHERE guest_id = 7",
    ),
    "values that another type cannot hold": (
        DAMAGES["column made wider"][0],
        f"UPDATE guests SET id_type = '{55 * 'x'}' WHERE id = 2",
        ("character varying" if connection.vendor == "postgresql" else "varchar")
        + "(50) cannot hold the values of 1 row (id 2): change these",
        "UPDATE guests SET id_type = 'x' WHERE id = 2",
    ),
    "a view that reads what goes": (
        DAMAGES["column added"][0],
        "CREATE VIEW shoes AS SELECT id, shoe_size FROM guests",
        "the view shoes stands in the way: drop it until the script has run ("
        + (
            "SELECT pg_get_viewdef('shoes'::regclass, true)"
            if connection.vendor == "postgresql"
            else "SELECT sql FROM sqlite_master WHERE name = 'shoes'"
        )
        + " gives its text)",
        "DROP VIEW shoes",
    ),
}


def test_what_would_stop_the_script_is_told_and_left_out_of_it(history, at_head):
    for name in ("a", "b"):
        history.insert("guests", full_name=name)
    reference = reference_of(history)
    wrong = {}
    for kind, (done, besides, said, mend) in HINDERED.items():
        damage(done, reference)
        run([besides])
        looked = report(at_head)
        [row] = [one for one in looked.differences if one.hindered]
        told = row.hindered, str(row)[-len(row.hindered) - 24 :], looked.script
        again = f"{said}, and run manage.py db drift again"
        if told != (again, f" No script mends that: {again}.", []):
            wrong[kind] = told
        run([mend])
        ended = shells.run(report(at_head).script, shows=True)
        if (ended, words(report(at_head).differences)) != ((0, ""), []):
            wrong[f"{kind}, mended"] = ended, words(report(at_head).differences)
    assert wrong == {}


def test_the_script_names_what_it_leaves_out(history, at_head):
    history.insert("guests", full_name="a")
    damage(DAMAGES["NOT NULL dropped"][0], "")
    history.execute("UPDATE guests SET full_name = NULL")
    history.execute("ALTER TABLE rooms ADD COLUMN smell text")
    looked = report(at_head)
    first, second = looked.script[0].splitlines()[:2]
    assert first.startswith("-- Left out: The column full_name of guests differs: null yes ")
    assert second == "-- This drops, with what is in it: column smell of rooms."
    assert shells.run(looked.script) == (0, "")
    assert words(report(at_head).differences) == ["different column guests.full_name"]
