"""The script that mends a database of SQLite: a table that differs in itself is made anew."""

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.repair import ddl, uuids
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text

# What only CREATE TABLE says, on SQLite.
IN_TABLE = ("table", "column", "constraint", "foreign key")


def script(differences: list[Difference], expected: Catalog, actual: Catalog) -> list[str]:
    """Return statements that mend ``differences``; [] if there is nothing to do.

    A table with a difference that has a hindrance is left alone.
    """
    left = {one.thing.table for one in differences if one.hindered}
    differences = [one for one in differences if one.thing.table not in left]
    if not differences:
        return []
    renamed = [one for one in differences if one.thing.kind == "table" and one.what == "renamed"]
    differences = [one for one in differences if one not in renamed]
    # A trigger that cannot run stands in the way of a table's name.
    first = [
        f"DROP TRIGGER {quoted(one.old.name)};"
        for one in differences
        if renamed and one.thing.kind == "trigger" and one.what != "missing"
    ]
    rebuilt = {
        difference.thing.table for difference in differences if difference.thing.kind in IN_TABLE
    }
    drops, remakes, makes = [], [], []
    for table in sorted(rebuilt):
        if table in expected.tables:
            remade = _rebuilt(table, differences, expected, actual)
            remakes += ["BEGIN IMMEDIATE;", *remade, "COMMIT;"]
        else:
            drops.append(f"DROP TABLE {quoted(table)};")
    for difference in differences:
        thing = difference.thing
        if thing.table in rebuilt:
            continue
        old = difference.old
        if difference.what != "missing" and not (first and thing.kind == "trigger"):
            drops.append(f"DROP {thing.kind.upper()} {quoted(old.name)};")
        if difference.what != "extra":
            makes.append(f"{expected.sql[thing]};")
    if drops or makes:
        makes = ["BEGIN IMMEDIATE;", *drops, *makes, "COMMIT;"]
    # Without the first, dropping a table would empty those that refer to it; without the second,
    # they would refer to it by another name, and triggers that read it would stand in its way.
    before = ["PRAGMA foreign_keys = OFF;", "PRAGMA legacy_alter_table = ON;"] if rebuilt else []
    after = ["PRAGMA legacy_alter_table = OFF;", "PRAGMA foreign_keys = ON;"] if rebuilt else []
    # The shell goes on after an error, unless it is told not to.
    return [
        ".bail on",
        *first,
        *map(ddl.renamed, renamed),
        *before,
        *makes,
        *remakes,
        *after,
    ]


def _rebuilt(
    table: str, differences: list[Difference], expected: Catalog, actual: Catalog
) -> list[str]:
    """Return the statements that make a table anew with the rows it has.

    Where a shell does not stop, such as one that is typed into, a row that does not fit rolls all
    of it back, and then there is nothing of that name to drop.
    """
    beside = [
        f"{expected.sql[thing]};"
        for thing in expected.of(table)
        if thing.kind in ("index", "trigger")
    ]
    if table not in actual.tables:
        return [f"{expected.sql[Thing('table', table, table)]};", *beside]
    called = {
        difference.thing.name: difference.old.name
        for difference in differences
        if difference.what == "renamed" and difference.thing[:2] == ("column", table)
    }
    called |= {name: name for name in actual.columns[table] if name in expected.columns[table]}
    kept = [
        name
        for name in expected.columns[table]
        if name in called and not expected.facts[Thing("column", table, name)]["generated"]
    ]
    spelled_anew = {
        difference.thing.name
        for difference in differences
        if difference.thing.table == table
        and uuids.is_spelled_anew(difference.thing, difference.attributes, "sqlite")
    }
    created = expected.sql[Thing("table", table, table)]
    aside = _aside(table, actual)
    old = quoted(aside)
    names = ", ".join(map(quoted, kept))
    values = ", ".join(
        uuids.from_text(quoted(called[name]), "sqlite")
        if name in spelled_anew
        else quoted(called[name])
        for name in kept
    )
    return [
        f"ALTER TABLE {quoted(table)} RENAME TO {old};",
        f"{created};",
        f"INSERT OR ROLLBACK INTO {quoted(table)} ({names}) SELECT {values} FROM {old};",
        *_same_keys(table, aside, expected),
        f"DROP TABLE {old};",
        *beside,
        *(
            sql
            for name in sorted(spelled_anew)
            if uuids.ARCHIVE in actual.tables
            for sql in uuids.in_archive(Thing("column", table, name), expected, "sqlite")
        ),
    ]


def _aside(table: str, actual: Catalog) -> str:
    """Return what the old table is called meanwhile, which no other is."""
    taken, name = {one.lower() for one in actual.tables}, f"old__{table}"
    while name.lower() in taken:
        name = f"old__{name}"
    return name


def _same_keys(table: str, aside: str, expected: Catalog) -> list[str]:
    """Return what lets a table that was made anew go on after the keys that it has given out."""
    if not any("autoincrement" in facts for facts in expected.of(table, "column").values()):
        return []
    new, old = text(table), text(aside)
    return [
        f"DELETE FROM sqlite_sequence WHERE name = {new}"
        f" AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {old});",
        f"UPDATE sqlite_sequence SET name = {new} WHERE name = {old};",
    ]
