"""Two things done by hand to tables of any kind, keys and names: one script mends both.

The hotel's own tables are damaged in test_repairs.py. ``make stress`` tries more pairs, others each
time; a pair that was not mended is tried again with its SEED.
"""

import os
import random
from functools import partial
from itertools import permutations, product

import pytest
from django.db import DatabaseError, connection

from hotel.migrator.schema import catalog, drift, hindrances, repair
from hotel.migrator.tests import keys, kinds, shells
from hotel.migrator.tests.drifts import report, words
from hotel.tests import stress

PAIRS = 5 * stress.ROUNDS or 8
SEED = int(os.environ.get("SEED") or 0) if stress.ROUNDS else 0
# Names that have to be quoted, on both engines.
QUOTED = [
    'CREATE TABLE "Odd ""Ha\'lls" (id integer NOT NULL PRIMARY KEY, "na me" varchar(20) NOT NULL,'
    ' "Größe" integer, CONSTRAINT "po\'sitive" CHECK ("Größe" > 0),'
    ' CONSTRAINT "on""ce" UNIQUE ("na me"))',
    'CREATE TABLE "order" (id integer NOT NULL PRIMARY KEY, "select" integer'
    ' CONSTRAINT "of ""hall" REFERENCES "Odd ""Ha\'lls" (id), note text DEFAULT \'it\'\'s; --\')',
    'CREATE INDEX "by ""Größe" ON "Odd ""Ha\'lls" ("Größe")',
    'INSERT INTO "Odd ""Ha\'lls" VALUES (1, \'a\', 1), (2, \'b "c"\', NULL)',
    "INSERT INTO \"order\" VALUES (1, 1, 'x'), (2, NULL, NULL)",
]
OF_NAMES = [
    'ALTER TABLE "Odd ""Ha\'lls" RENAME COLUMN "Größe" TO size',
    'ALTER TABLE "Odd ""Ha\'lls" RENAME COLUMN "na me" TO "na""me"',
    'ALTER TABLE "Odd ""Ha\'lls" ADD COLUMN "gr oup" text',
    'ALTER TABLE "Odd ""Ha\'lls" RENAME TO halls',
    'DROP INDEX "by ""Größe"',
    'DROP INDEX "by ""Größe"; CREATE INDEX "by_size" ON "Odd ""Ha\'lls" ("Größe")',
    'DROP INDEX "by ""Größe"; CREATE INDEX "by ""Größe" ON "Odd ""Ha\'lls" ("na me")',
    'CREATE UNIQUE INDEX "ex""tra" ON "order" ("select")',
    'ALTER TABLE "order" RENAME TO "or""der"',
    'ALTER TABLE "order" ADD COLUMN "from" integer DEFAULT 7',
]
if connection.vendor == "postgresql":
    OF_NAMES += [
        'ALTER TABLE "Odd ""Ha\'lls" DROP CONSTRAINT "po\'sitive"',
        'ALTER TABLE "Odd ""Ha\'lls" DROP CONSTRAINT "on""ce"',
        'ALTER TABLE "Odd ""Ha\'lls" ALTER "Größe" TYPE bigint',
        'ALTER TABLE "order" RENAME CONSTRAINT "of ""hall" TO of_hall',
        'ALTER TABLE "order" DROP CONSTRAINT "of ""hall"',
        "ALTER TABLE \"order\" ALTER note SET DEFAULT 'it''s'",
    ]


def damages():
    """Return everything that may be done, each as a function that returns the SQL for a history."""
    found = [partial(lambda sql, history: sql, sql) for sql in OF_NAMES]
    if connection.vendor == "postgresql":
        found += [partial(lambda sql, history: sql, sql) for sql in kinds.DAMAGES]
        of_keys = random.Random(SEED).sample([*product(keys.TABLES, keys.DAMAGES)], len(found))
        found += [partial(_done, *one) for one in of_keys]
    return found


def _done(table, kind, history):
    return keys.done(history, table, kind)


@pytest.fixture
def of_all_kinds(annexe, history):
    """A database with tables of every kind, keys of every kind and names that need quotes."""
    made = [*QUOTED]
    if connection.vendor == "postgresql":
        made += [kinds.OF_EVERY_KIND, keys.CREATED]
    operations = ", ".join(f"migrations.RunSQL({sql!r})" for sql in made)
    annexe.write("0001_initial", operations).migrate()
    if connection.vendor == "postgresql":
        keys.fill(history)
    return history.keep("of_all_kinds")


def mended(history, pair, expected, before):
    """Do two damages, run the script, and return what is wrong then, in words."""
    for sql in pair:
        try:
            with connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.connection.executescript(sql(history))
                else:
                    cursor.execute(sql(history))
        except (DatabaseError, connection.Database.Error):
            connection.close()  # what was done first stands in its way
    lagging = []  # which is no difference where all else is right: doctor finds and mends it
    if connection.vendor == "postgresql":
        lagging = [table for table in keys.TABLES if not keys.new_key(history, table)]
    differences, live = drift.compared(expected, catalog.read(connection), frozenset())
    told = hindrances.told(connection, differences, expected, live)
    script = repair.script(connection.vendor, differences, expected, live)
    ended = shells.run(script, shows=True)
    wrong = [ended] if ended != (0, "") else []
    wrong += [one.hindered for one in told if one.hindered]
    wrong += words(drift.compared(expected, catalog.read(connection), frozenset())[0])
    if not wrong and catalog.dump(connection, sorted(before)) != before:
        wrong.append("rows")
    if not wrong and connection.vendor == "postgresql":
        differ = {one.thing.table for one in differences}
        wrong += [
            table
            for table in keys.TABLES
            if not keys.new_key(history, table) and (table in differ or table not in lagging)
        ]
    return [*wrong, *script] if wrong else []


@pytest.mark.stressed
def test_two_damages_of_any_kind_are_mended_by_one_script(of_all_kinds):
    expected, wrong = report().replay.catalog, {}
    before = catalog.dump(connection, sorted(expected.tables & catalog.read(connection).tables))
    kept = "of_all_kinds"
    pairs = random.Random(SEED).sample([*permutations(damages(), 2)], PAIRS)
    for pair in pairs:
        of_all_kinds.at(kept)
        did = tuple(sql(of_all_kinds) for sql in pair)
        if found := mended(of_all_kinds, pair, expected, before):
            wrong[did] = found
    assert wrong == {}
