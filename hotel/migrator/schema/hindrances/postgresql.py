"""What would stop a script for PostgreSQL: also exclusions, and all that hangs on a column."""

import re
from collections.abc import Iterator
from typing import Any, cast

from django.db import DatabaseError

from hotel.migrator.editors import hanging
from hotel.migrator.schema.catalog import Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.hindrances.of_rows import Hindrances, value_of
from hotel.migrator.schema.repair import ddl
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text

# What is compared itself, or made anew around a change of its column.
OWN = ("trigger", "policy", "generated column", "column")


class OnPostgreSQL(Hindrances):
    """What PostgreSQL says, or knows, of rows and of what hangs on a column."""

    def has_global_name(self, thing: Thing) -> bool:
        """Tell whether nothing of another table can have the name of a thing."""
        return thing.kind in ("index", "sequence") or (
            thing.kind == "constraint"
            and bool(re.match("primary|unique|exclude", self.definition(thing)))
        )

    def definition(self, thing: Thing) -> str:
        """Return what a constraint says, of the history or not."""
        return (self.expected.facts.get(thing) or self.actual.facts[thing])["definition"]

    def sql(self, thing: Thing) -> str:
        """Return the text of a constraint or an index."""
        return self.expected.sql[thing]

    def default(self, thing: Thing) -> str:
        """Return the value that rows get in a column that is added, as SQL."""
        facts = self.expected.facts[thing]
        given = ddl.default_of(self.expected, thing) if facts["default"] else "NULL"
        if "nextval" in given or facts["generated"]:  # reading takes no number from a sequence
            given = "NULL"
        return f"CAST({given} AS {facts['type']})"

    def converted(self, value: str, was: dict[str, str], facts: dict[str, str]) -> str:
        """Return a value of today as the column will have it."""
        collation = f" COLLATE {facts['collation']}" if facts["collation"] else ""
        return f"({ddl.converted(value, was['type'], facts['type'])}){collation}"

    def compared(self, _table: str, part: str) -> str:
        """Return a part of a key as it is compared, which ``converted`` has done."""
        return part

    def of_type(self, thing: Thing, old: str, new: str) -> Iterator[str]:
        """Yield the rows whose values another type cannot hold."""
        name, table = quoted(thing.name), self.table(thing.table, as_it_is=True)
        conditions = [ddl.is_changed(name, old, new)]
        if cast(Any, self.connection).pg_version >= 160000:
            conditions += [
                f"{name} IS NOT NULL AND NOT pg_input_is_valid({value}, {text(new)})"
                for value in (f"{name}::text", f"round({name}::numeric)::text")
            ]
        why = ""
        for condition in conditions:
            try:
                rows = self.counted(thing.table, condition, (), table)
            except DatabaseError as error:
                code = getattr(error.__cause__, "pgcode", None) or ""
                if code == "42846":
                    yield (
                        f"PostgreSQL converts no {old} into {new}: add another column, fill it,"
                        " and drop and rename"
                    )
                    return
                if not why and code[:2] == "22":
                    why = str(error).splitlines()[0]
                continue
            if rows:
                yield f"{new} cannot hold the values of {rows}: change these"
            if rows or not why:
                return
        if why:
            yield f"{new} cannot hold all of its values ({why}): change these"

    def of_exclusion(
        self, thing: Thing, parts: list[list[str]], limits: list[str]
    ) -> Iterator[str]:
        """Yield the rows that exclude each other; for one key of several rows at least."""
        keys, pairs = self.keys(thing.table), []
        for part in parts:
            at = len(part) - part[::-1].index("with") - 1
            pairs.append((value_of(part[:at]), " ".join(part[at + 1 :])))
        if not keys or "=" not in [operator for _, operator in pairs]:
            return  # that would compare each row with each
        values = ", ".join(f"{value} AS with_{at}" for at, (value, _) in enumerate(pairs))
        source = f"(SELECT {', '.join(keys)}, {values} FROM {self.table(thing.table)} AS kept"
        source += "".join(f" WHERE {limit}" for limit in limits) + ")"
        both = [f"kept.with_{at} {how} other.with_{at}" for at, (_, how) in enumerate(pairs)]
        both.append(f"({', '.join(f'kept.{key}' for key in keys)}) <> ")
        both[-1] += f"({', '.join(f'other.{key}' for key in keys)})"
        condition = f"EXISTS (SELECT 1 FROM {source} AS other WHERE {' AND '.join(both)})"
        if rows := self.rows(thing.table, condition, source=source):
            yield f"{thing.name} is broken by {rows}: correct these"

    def of_dependents(self, difference: Difference) -> Iterator[str]:
        """Yield what PostgreSQL does not drop or change something under."""
        thing, what, changed = difference.thing, difference.what, difference.attributes
        live = quoted(self.tables.get(thing.table, thing.table))
        column = self.columns.get(thing[1:], thing.name)
        known = {self.tables.get(name, name) for name in self.expected.tables}
        known |= {  # which are dropped before it
            one.thing.name
            for one in self.differences
            if one.of("table") and one.what == "extra" and one.thing.name < thing.name
        }
        known |= {*map(quoted, known)}
        found: list[tuple[str, str]] = []
        with self.connection.cursor() as cursor:
            if thing.kind == "table" and what == "extra":
                found = hanging.lost(cursor, live, "", known)
            elif thing.kind == "table" and what == "missing":
                cursor.execute(
                    "SELECT 'view', oid::regclass::text FROM pg_class"
                    " WHERE relkind IN ('v', 'm') AND oid = to_regclass(%s)",
                    [live],
                )
                found = cursor.fetchall()
            elif thing.kind == "column" and (what == "extra" or "generated" in changed):
                found = hanging.lost(cursor, live, column, known)
            elif thing.kind == "column" and changed.keys() & {"type", "collation"}:
                found = hanging.blocking(cursor, live, column)
            elif thing.kind == "constraint" and what in ("extra", "different"):
                cursor.execute(
                    "SELECT 'foreign key', format('%%I of %%s', f.conname, f.conrelid::regclass)"
                    " FROM pg_constraint k JOIN pg_constraint f"
                    " ON f.contype = 'f' AND f.conindid = k.conindid"
                    " WHERE k.contype IN ('p', 'u') AND k.conname = %s"
                    " AND k.conrelid = to_regclass(%s)"
                    " AND NOT f.conrelid::regclass::text = ANY(%s)",
                    [thing.name, live, [*known]],
                )
                found = cursor.fetchall()
        for kind, name in found:
            if kind not in OWN:
                source = f" (SELECT pg_get_viewdef({text(name)}::regclass, true) gives its text)"
                yield (
                    f"the {kind} {name} stands in the way: drop it until the script has run"
                    f"{source if kind.endswith('view') else ''}"
                )
