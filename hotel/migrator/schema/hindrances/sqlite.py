"""What would stop a script for SQLite, or what would be kept that is not of its type."""

import re
from collections.abc import Iterator

from hotel.migrator.editors.sqlite_objects import made
from hotel.migrator.plan.conversions import NUMBER
from hotel.migrator.plan.shadow import Shadow
from hotel.migrator.schema.catalog import Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.hindrances.of_rows import Hindrances
from hotel.migrator.schema.repair import uuids
from hotel.migrator.sql.parsing import bare, quoted
from hotel.migrator.sql.quoting import text


class OnSQLite(Hindrances):
    """What SQLite would take although it does not fit, and views."""

    def has_global_name(self, thing: Thing) -> bool:
        """Tell whether nothing of another table can have the name of a thing."""
        return thing.kind in ("index", "trigger")

    def sql(self, thing: Thing) -> str:
        """Return the text of a constraint or an index."""
        return self.expected.sql[thing] or self.expected.facts[thing]["definition"]

    def default(self, thing: Thing) -> str:
        """Return the value that rows get in a column that is added, as SQL."""
        return self.expected.facts[thing]["default"] or "NULL"

    def converted(self, value: str, was: dict[str, str], facts: dict[str, str]) -> str:
        """Return a value of today as the column will have it."""
        if facts["type"] == uuids.TYPES["sqlite"] != was["type"]:
            return uuids.from_text(value, "sqlite")
        if re.match("int|bigint|smallint|bool|decimal|real|date|time", facts["type"]):
            is_number = f"typeof({value}) = 'text' AND {value} REGEXP '{NUMBER}'"
            return f"CASE WHEN {is_number} THEN CAST({value} AS numeric) ELSE {value} END"
        if re.match("varchar|char|text", facts["type"]):
            is_blob = f"typeof({value}) = 'blob'"
            return f"CASE WHEN {is_blob} THEN {value} ELSE CAST({value} AS text) END"
        return value

    def compared(self, table: str, part: str) -> str:
        """Return a part of a key as it is compared."""
        facts = self.expected.facts.get(Thing("column", table, bare(part)), {})
        return f"{part} COLLATE {facts['collation']}" if facts.get("collation") else part

    def of_type(self, thing: Thing, _old: str, new: str) -> Iterator[str]:
        """Yield the rows whose values SQLite would keep as they are, though of another type."""
        value = f"kept.{quoted(thing.name)}"
        limit = re.fullmatch(r"(?:var)?char\((\d+)\)", new)
        if re.match("integer|bigint|smallint", new):
            unfit = f"typeof({value}) <> 'integer'"
        elif new.startswith("bool"):
            unfit = f"{value} NOT IN (0, 1)"
        elif re.match("decimal|real", new):
            unfit = f"typeof({value}) NOT IN ('integer', 'real')"
        elif new in ("date", "datetime"):
            unfit = f"{new}({value}) IS NULL OR {value} NOT LIKE '____-__-__%'"
        elif limit:
            unfit = f"length({value}) > {limit[1]}"
        else:
            return
        if rows := self.rows(thing.table, f"{value} IS NOT NULL AND ({unfit})"):
            yield f"{new} cannot hold the values of {rows}: change these"

    def of_dependents(self, difference: Difference) -> Iterator[str]:
        """Yield the views that would lack what they read."""
        thing, what = difference.thing, difference.what
        views = [one for one in made(self.connection) if one.kind == "view"]
        if thing.kind == "table" and what == "missing":
            found = [one for one in views if one.name == thing.name]
        elif thing.kind in ("table", "column") and (
            what == "extra" or (thing.kind, what) == ("column", "renamed")
        ):
            shadow, live = Shadow(self.connection, views), self.tables.get(thing.table, thing.table)
            try:
                if thing.kind == "table":
                    wrong = shadow.drop(live)
                else:
                    column = quoted(difference.old.name)
                    wrong = shadow.alter(live, f"DROP COLUMN {column}") + shadow.broken()
            finally:
                shadow.close()
            found = [one for one, _ in wrong]
        else:
            return
        for one in found:
            source = f"SELECT sql FROM sqlite_master WHERE name = {text(one.name)}"
            yield (
                f"the view {one.name} stands in the way: drop it until the script has run"
                f" ({source} gives its text)"
            )
