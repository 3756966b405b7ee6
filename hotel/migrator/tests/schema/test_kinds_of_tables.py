"""Tables of every kind: what drift says of them, and what its script does to them."""

import pytest
from django.db import connection

from hotel.migrator.schema import catalog, drift, repair
from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import drifted, report, words
from hotel.migrator.tests.kinds import DAMAGES, OF_EVERY_KIND


@pytest.fixture
def every_kind(annexe, history):
    """A database with tables of every kind, made by one migration."""
    annexe.write("0001_initial", f"migrations.RunSQL({OF_EVERY_KIND!r})").migrate()
    return history


@pytest.mark.postgresql
def test_tables_of_every_kind_are_compared_and_mended(every_kind):
    assert drifted() == ("Models, migrations and database agree.\n", 0)
    expected = report().replay.catalog
    tables = sorted(catalog.read(connection).tables)
    before = catalog.dump(connection, tables)
    wrong = {}
    for done, named in DAMAGES.items():
        every_kind.execute(done)
        differences, live = drift.compared(expected, catalog.read(connection), frozenset())
        script = repair.script("postgresql", differences, expected, live)
        ended = shells.run(script, shows=True)
        left = words(drift.compared(expected, catalog.read(connection), frozenset())[0])
        if words(differences) != named or ended != (0, "") or left or bool(script) != bool(named):
            wrong[done] = words(differences), script, ended, left
    assert wrong == {}
    assert catalog.dump(connection, tables) == before


@pytest.mark.postgresql
def test_tables_that_are_gone_are_made_anew_with_their_partitions(every_kind):
    every_kind.execute("DROP TABLE stays, rate_notes, rates, capitals, cities, scratchpad CASCADE")
    looked = report()
    assert shells.run(looked.script, shows=True) == (0, "")
    assert words(report(looked.replay).differences) == []


@pytest.mark.postgresql
def test_what_no_statement_mends_is_said_so_and_left_alone(every_kind):
    every_kind.execute("ALTER TABLE stays DETACH PARTITION a_stays_2026")
    every_kind.execute("ALTER TABLE capitals NO INHERIT cities")
    every_kind.execute(
        "ALTER TABLE rates RENAME TO rates_; CREATE TABLE rates (day date) PARTITION BY RANGE (day)"
    )
    looked = report()
    said = {row.thing.name: row.by_hand for row in looked.differences if row.thing.kind == "table"}
    assert said == {
        "a_stays_2026": "rows decide whether a table can be a partition: see ALTER TABLE … ATTACH"
        " PARTITION and DETACH PARTITION",
        "capitals": "columns and rows come with what it inherits from: see ALTER TABLE … INHERIT"
        " and NO INHERIT",
        "rates": "no statement makes a table with rows partitioned, or a partitioned one plain or"
        " partitioned otherwise: make a new table as the migrations do, and move the rows",
    }
    assert looked.script == []
    printed, code = drifted()
    assert code == 1
    assert "What would mend the database" not in printed
    assert (
        " No script mends that: it goes with the table rates, which has to be mended first.\n"
        in printed
    )


@pytest.mark.postgresql
def test_partitions_are_not_made_of_a_table_that_is_a_plain_one_now(every_kind):
    every_kind.execute("DROP TABLE stays; CREATE TABLE stays (id integer)")
    looked = report()
    gone = {
        row.thing.name: row.by_hand
        for row in looked.differences
        if row.thing.kind == "table" and row.what == "missing"
    }
    assert "a_stays_2026" in gone
    assert set(gone.values()) == {"it goes with the table stays, which has to be mended first"}
    assert looked.script == []


def test_a_dump_has_every_row_in_the_order_of_its_whole_key(annexe, history):
    history.execute('CREATE TABLE "pa""irs" (z integer, a integer, n text, PRIMARY KEY (z, a))')
    history.execute("CREATE TABLE keyless (n text, m integer)")
    for row in ((2, 1, "c"), (1, 2, "b"), (2, 0, None), (1, 1, "a")):
        history.execute('INSERT INTO "pa""irs" VALUES (%s, %s, %s)', row)
    for row in (("b", 1), (None, 2), ("a", 1), ("a", None), ("a", 1)):
        history.execute("INSERT INTO keyless VALUES (%s, %s)", row)
    dumped = catalog.dump(connection, ['pa"irs', "keyless"])
    assert [(row["z"], row["a"]) for row in dumped['pa"irs']] == [
        *(("1", "1"), ("1", "2"), ("2", "0"), ("2", "1")),
    ]
    assert [(row["n"], row["m"]) for row in dumped["keyless"]] == [
        *(("a", None), ("a", "1"), ("a", "1"), ("b", "1"), (None, "2")),
    ]
