"""What would stop a script whatever the engine: values, references, and names that others have."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.plan.finding import KEYS
from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.sql.parsing import bare, body, quoted, tokens


class Hindrances(ABC):
    """What would stop the statements that mend differences, told one by one.

    A class an engine answers what engines differ in.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        differences: list[Difference],
        expected: Catalog,
        actual: Catalog,
    ) -> None:
        self.connection, self.differences = connection, differences
        self.expected, self.actual = expected, actual
        renamed = [one for one in differences if one.what == "renamed"]
        self.tables = {one.thing.name: one.old.name for one in renamed if one.of("table")}
        self.columns = {one.thing[1:]: one.old.name for one in renamed if one.of("column")}
        self.extra = {one.thing for one in differences if one.what == "extra"}
        self.retyped = {
            one.thing[1:]
            for one in differences
            if one.of("column") and one.attributes.keys() & {"type", "collation"}
        }

    def of(self, difference: Difference) -> Iterator[str]:
        """Yield what would stop the statements that mend a difference, and what to do about it."""
        thing = difference.thing
        if difference.what in ("missing", "different"):
            if thing.kind == "column":
                yield from self.of_column(difference)
            elif thing.kind in ("constraint", "foreign key", "index"):
                yield from self.of_rule(thing)
        yield from self.of_names(difference)
        yield from self.of_dependents(difference)

    # Names

    def of_names(self, difference: Difference) -> Iterator[str]:
        """Yield what of somebody else's has a name that the statements would give."""
        thing = difference.thing
        if difference.what in ("missing", "renamed"):
            for one in self.expected.of(thing.name) if thing.kind == "table" else [thing]:
                for other in self.others(one.name) if self.has_global_name(one) else ():
                    yield f"the {other} has the name {one.name}: rename it or drop it"

    def others(self, name: str) -> Iterator[Thing]:
        """Yield what has a name, and belongs to a table that is not of the history."""
        for thing in [one for one in self.actual.facts if one.name == name and one.table]:
            is_other = thing.table not in self.expected.tables
            is_dropped = Thing("table", thing.table, thing.table) in self.extra
            if is_other and not is_dropped and self.has_global_name(thing):
                yield thing

    # Rows

    def of_column(self, difference: Difference) -> Iterator[str]:
        """Yield what of a column's values does not fit."""
        thing, attributes = difference.thing, difference.attributes
        facts = self.expected.facts[thing]
        is_new = difference.what == "missing" or "generated" in attributes
        is_required = facts["null"] != "yes" and not facts["generated"]
        if is_new:
            is_empty = is_required and not (facts["default"] or self.gives_keys(thing))
            if is_empty and (rows := self.rows(thing.table, "1 = 1")):
                yield f"it is NOT NULL and has no default for {rows}: add and fill it yourself"
            return
        is_null = f"{quoted(thing.name)} IS NULL"
        if is_required and "null" in attributes and (rows := self.rows(thing.table, is_null)):
            yield f"it is NULL in {rows}: fill these"
        if "type" in attributes:
            yield from self.of_type(thing, attributes["type"][1], facts["type"])
        if thing[1:] in self.retyped:
            differ = {one.thing for one in self.differences}
            for one in self.expected.facts:
                if one not in differ and self.reads(one, thing):
                    yield from self.of_rule(one)

    def reads(self, rule: Thing, column: Thing) -> bool:
        """Tell whether a rule is about the values of a column, a reference to it too."""
        if rule.kind not in ("constraint", "index", "foreign key"):
            return False
        names = [*map(bare, tokens(self.sql(rule)))]
        is_near = rule.table == column.table or (
            rule.kind == "foreign key" and column.table in names
        )
        return is_near and column.name in names

    def gives_keys(self, thing: Thing) -> bool:
        """Tell whether a column gives a row without a value the next key."""
        facts = self.expected.facts[thing]
        return bool(facts.get("identity") or "autoincrement" in facts)

    def of_rule(self, thing: Thing) -> Iterator[str]:
        """Yield what breaks a constraint, a foreign key or a unique index."""
        if thing.table not in self.actual.tables or thing.table not in self.expected.tables:
            return
        sql = self.sql(thing)
        words = tokens(sql)
        kind = words[1] if words[0] == "create" else words[0]
        if kind == "check":
            condition = re.sub(r"(?i)^check\b|( NO INHERIT)?( NOT VALID)?$", "", sql)
            if rows := self.rows(thing.table, f"NOT ({condition})"):
                yield f"{_shortened(thing.name)} is broken by {rows}: correct these"
        elif kind == "foreign":
            yield from self.of_reference(thing, words)
        elif kind in ("unique", "primary", "exclude"):
            parts = [value_of(part) for part in body(words)[0]]
            limits = re.findall(r"(?i)\bwhere\b(.*?)(?:deferrable.*)?$", sql)
            if kind == "exclude":
                yield from self.of_exclusion(thing, body(words)[0], limits)
                return
            if "NULLS NOT DISTINCT" not in sql:
                limits += [f"{part} IS NOT NULL" for part in parts]
            condition = " AND ".join(f"({limit})" for limit in limits) or "1 = 1"
            shared = [self.compared(thing.table, part) for part in parts]
            if rows := self.rows(thing.table, condition, shared):
                what = ", ".join(map(bare, parts))
                yield f"{what} must be unique, and {rows} share theirs: change or merge these"

    def of_reference(self, thing: Thing, words: list[str]) -> Iterator[str]:
        """Yield the rows that a foreign key does not let refer to nothing."""
        parts, (_, name, *after) = body(words)
        if after[:1] != ["("]:
            return
        own, parent = [*map(value_of, parts)], bare(name)
        others = [*map(value_of, body(after)[0])]
        condition = " AND ".join(f"kept.{one} IS NOT NULL" for one in own)
        if parent in self.actual.tables and parent in self.expected.tables:
            pairs = zip(own, others, strict=True)
            same = " AND ".join(f"kept.{one} = parent.{other}" for one, other in pairs)
            there = f"SELECT 1 FROM {self.table(parent)} AS parent WHERE {same}"
            condition += f" AND NOT EXISTS ({there})"
        if rows := self.rows(thing.table, condition):
            what = ", ".join(map(bare, own))
            yield (
                f"{what} refers to {parent}, with nothing there for {rows}: give these something"
                " to refer to, or delete them"
            )

    def rows(
        self, table: str, condition: str, alike: Iterable[str] = (), *, source: str = ""
    ) -> str:
        """Return how many rows meet a condition, with their first keys, in words; "" if none.

        alike: SQL; only those count that share it with another one. Nobody knows of any where the
        database does not answer, as to a role that may not read them.
        """
        try:
            return self.counted(table, condition, alike, source)
        except DatabaseError:
            return ""

    def counted(self, table: str, condition: str, alike: Iterable[str], source: str) -> str:
        """Do that, and raise DatabaseError if the database does not answer."""
        keys = self.keys(table)
        shown, order = ", ".join([*keys, "count(*) OVER ()"]), ", ".join(keys) or "1"
        rows = f"{source or self.table(table)} AS kept WHERE {condition}"
        if alike:
            number = f"count(*) OVER (PARTITION BY {', '.join(alike)}) AS migrator_alike"
            rows = f"(SELECT {', '.join([*keys, number])} FROM {rows}) AS kept"
            rows += " WHERE migrator_alike > 1"
        with transaction.atomic(self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {shown} FROM {rows} ORDER BY {order} LIMIT {KEYS}")
            found = cursor.fetchall()
        if not found:
            return ""
        count = found[0][-1]
        said = "1 row" if count == 1 else f"{count} rows"
        if not keys:
            return said
        listed = ", ".join("/".join(map(str, row[:-1])) for row in found)
        more = f" and {count - len(found)} more" if count > len(found) else ""
        return f"{said} ({', '.join(map(bare, keys))} {listed}{more})"

    def keys(self, table: str) -> list[str]:
        """Return the columns of the primary key of a table, as SQL; none if one is not there."""
        for facts in self.expected.of(table, "constraint").values():
            if facts["definition"].startswith("primary key ("):
                names = [*map(value_of, body(tokens(facts["definition"]))[0])]
                are_there = all(self.is_there(table, bare(name)) for name in names)
                return names if are_there else []
        return []

    def is_there(self, table: str, name: str) -> bool:
        """Tell whether a column is there, if under another name."""
        return self.columns.get((table, name), name) in self.actual.columns[table]

    def table(self, name: str, *, as_it_is: bool = False) -> str:
        """Return a table as SQL, with the names and the values that the script would give it.

        as_it_is: with the values that it has.
        """
        parts = []
        for column in self.expected.columns[name]:
            thing = Thing("column", name, column)
            facts, old = self.expected.facts[thing], self.columns.get(thing[1:], column)
            if not self.is_there(name, column):
                value = self.default(thing)
            elif thing[1:] in self.retyped and not as_it_is:
                was = self.actual.facts[Thing("column", name, old)]
                value = self.converted(quoted(old), was, facts)
            else:
                value = quoted(old)
            parts.append(f"{value} AS {quoted(column)}")
        live = quoted(self.tables.get(name, name))
        return f"(SELECT {', '.join(parts) or '1'} FROM {live})"

    # What a class of one engine answers.

    @abstractmethod
    def sql(self, thing: Thing) -> str:
        """Return the text of a constraint or an index."""

    @abstractmethod
    def has_global_name(self, thing: Thing) -> bool:
        """Tell whether nothing of another table can have the name of a thing."""

    @abstractmethod
    def default(self, thing: Thing) -> str:
        """Return the value that rows get in a column that is added, as SQL."""

    @abstractmethod
    def converted(self, value: str, was: dict[str, str], facts: dict[str, str]) -> str:
        """Return a value of today as the column will have it."""

    @abstractmethod
    def compared(self, table: str, part: str) -> str:
        """Return a part of a key as it is compared."""

    @abstractmethod
    def of_type(self, thing: Thing, old: str, new: str) -> Iterator[str]:
        """Yield the rows whose values another type cannot hold."""

    @abstractmethod
    def of_dependents(self, difference: Difference) -> Iterator[str]:
        """Yield what stands in the way, such as a view."""

    def of_exclusion(
        self, _thing: Thing, _parts: list[list[str]], _limits: list[str]
    ) -> Iterator[str]:
        """Yield the rows that exclude each other, which PostgreSQL alone knows."""
        return iter(())


def value_of(words: list[str]) -> str:
    """Return a part of a key as SQL: without an order or a class of operators."""
    while len(words) > 1 and (
        words[-1] in ("asc", "desc", "nulls", "first", "last") or words[-1].endswith("_ops")
    ):
        words = words[:-1]
    return quoted(bare(words[0])) if len(words) == 1 else " ".join(words)


def _shortened(name: str) -> str:
    """Return the name of a constraint; on SQLite one without a name has its text."""
    return name if len(name) <= 63 else f"{name[:60]}…"
