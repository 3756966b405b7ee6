"""What no statement mends, and why."""

import re
from collections.abc import Collection, Iterator

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.sql.parsing import quoted

# What DDL cannot do to a table with rows, by the attribute that differs.
BY_HAND = {
    "partitioned": "no statement makes a table with rows partitioned, or a partitioned one plain or"
    " partitioned otherwise: make a new table as the migrations do, and move the rows",
    "partition of": "rows decide whether a table can be a partition: see ALTER TABLE … ATTACH"
    " PARTITION and DETACH PARTITION",
    "inherits": "columns and rows come with what it inherits from: see ALTER TABLE … INHERIT and"
    " NO INHERIT",
}


def by_hand(difference: Difference) -> str:
    """Return why no statement mends a difference, as part of a sentence; "" if one does."""
    if difference.hindered:
        return difference.hindered
    for attribute, why in BY_HAND.items():
        if attribute in difference.attributes and difference.thing.kind == "table":
            return why
    return ""


def goes_with(difference: Difference, tables: Collection[str], expected: Catalog) -> str:
    """Return the one of ``tables`` without which a difference cannot be mended, or ""."""
    thing = difference.thing
    if thing.table in tables:
        return thing.table
    if thing.kind == "foreign key" and thing in expected.facts:
        return next((table for table in tables if refers_to(expected, thing, table)), "")
    if thing.kind == "table" and thing in expected.facts:
        return next((table for table in _wholes(expected, thing.name) if table in tables), "")
    return ""


def _wholes(catalog: Catalog, table: str) -> Iterator[str]:
    """Yield the tables of which one is a partition, the nearest first."""
    while whole := catalog.facts[Thing("table", table, table)].get("partition of"):
        starts = {f"{name} ": one for one in catalog.tables for name in (one, quoted(one))}
        found = next((one for start, one in starts.items() if whole.startswith(start)), None)
        if found is None:
            return
        yield (table := found)


_REFERS = re.compile(r' references (\S+|"(?:[^"]|"")+") \(')


def refers_to(catalog: Catalog, foreign_key: Thing, table: str) -> bool:
    """Tell whether a foreign key refers to a table."""
    refers = _REFERS.search(catalog.facts[foreign_key]["definition"])
    return refers is not None and refers[1] in (table, quoted(table))
