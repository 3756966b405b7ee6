"""How a column of PostgreSQL gets its keys, and the DDL that makes it get them as it should.

Three ways: an identity, whose sequence cannot be without it; ``serial``, which is a default and a
sequence that the column owns; and a default with a sequence that nobody owns. Keys that were given
out are not given out again, whatever becomes of the sequence that gave them.
"""

import re
from collections.abc import Iterator

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text

_USED = re.compile(r"nextval \( '((?:[^']|'')*)' :: regclass \)")
# No key is beyond these, so that a sequence can stand where it is until its bounds are right.
WIDEST = "AS bigint MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807"


def aside(name: str) -> str:
    """Return another name, for what stands in the way of ``name``; of at most 63 bytes."""
    return f"old__{name}".encode()[:63].decode(errors="ignore")


def used(default: str) -> str | None:
    """Return the name of the sequence that a default takes its values from, if it is one here."""
    name = source(default)
    if name is None:
        return None
    if name.startswith('"'):
        return name[1:-1].replace('""', '"') if re.fullmatch(r'"(?:[^"]|"")*"', name) else None
    return None if "." in name else name


def source(default: str) -> str | None:
    """Return, as SQL, the sequence of whichever schema that a default takes its values from."""
    match = _USED.fullmatch(default)
    return match[1].replace("''", "'") if match else None


def is_about_keys(difference: Difference) -> bool:
    """Tell whether a difference of a column is one of how it gets its keys."""
    changed = difference.attributes
    return "identity" in changed or any(map(used, changed.get("default", ())))


class Keys:
    """Where one column of a table gets its keys, and where it should.

    thing: the column, as it is called in ``expected``. was: how it is called in ``actual``.
    """

    def __init__(self, thing: Thing, was: str, expected: Catalog, actual: Catalog) -> None:
        self.thing, self.expected, self.actual = thing, expected, actual
        self.facts = expected.facts[thing]
        self.had = actual.facts[Thing("column", thing.table, was)]
        self.owned = _owned(actual, thing.table, was)
        self.own = next((one for one in self.owned if actual.sql[one]), None)
        wanted = _owned(expected, thing.table, thing.name)
        self.name = used(self.facts["default"]) or ""
        if self.facts["identity"]:
            [self.name] = [one.name for one in wanted if expected.sql[one]]
        self.is_owned = any(one.name == self.name for one in wanted)
        self.table, self.column = quoted(thing.table), quoted(thing.name)
        self.alter = f"ALTER TABLE {self.table} ALTER COLUMN {self.column}"
        self.moved: dict[str, str] = {}  # sequences that were given another name meanwhile

    def statements(self) -> Iterator[str]:
        """Yield what makes the column get its keys as it should, in one transaction."""
        if self.facts["identity"]:
            yield from self._as_identity()
        elif self.name:
            yield from self._by_default()
        else:
            if self.had["identity"]:
                yield f"{self.alter} DROP IDENTITY;"
            elif self.had["default"] != self.facts["default"]:
                yield f"{self.alter} DROP DEFAULT;"
            if self.facts["default"] != self.had["default"] and self.facts["default"]:
                yield f"{self.alter} SET DEFAULT {self.facts['default']};"
        yield from self._without_the_others()

    def _as_identity(self) -> Iterator[str]:
        said = f"GENERATED {self.facts['identity'].upper()}"
        if self.own:
            if self.had["identity"] != self.facts["identity"]:
                yield f"{self.alter} SET {said};"
            if self.own.name != self.name:
                yield from self._clear_the_name()
                yield self._renamed(self.own.name, self.name)
            yield from self._set_right(self.own)
            return
        if self.had["default"]:
            yield f"{self.alter} DROP DEFAULT;"
        yield from self._clear_the_name()
        as_said = f"SEQUENCE NAME {quoted(self.name)} {options(self._wanted)}"
        yield f"{self.alter} ADD {said} AS IDENTITY ({as_said});"
        yield self._go_on()

    def _by_default(self) -> Iterator[str]:
        if self.own and self.own.name == self.name:
            yield from self._clear_the_name()
        there = self._of_that_name() if self.name not in self.moved else None
        old = used(self.had["default"])
        if there:
            yield from self._set_right(there)
        elif old and self._is_mine(old):  # the same one, under another name
            yield self._renamed(old, self.name)
            yield from self._set_right(next(_called(self.actual, old)))
        else:
            yield f"CREATE SEQUENCE {quoted(self.name)} {options(self._wanted, typed=True)};"
            yield self._go_on()
        if self.had["identity"]:
            yield f"{self.alter} DROP IDENTITY;"
        if self.had["default"] != self.facts["default"]:
            yield f"{self.alter} SET DEFAULT {self.facts['default']};"
        owner = f"{self.table}.{self.column}" if self.is_owned else "NONE"
        yield f"ALTER SEQUENCE {quoted(self.name)} OWNED BY {owner};"

    def _without_the_others(self) -> Iterator[str]:
        """Drop what the column owns beside; leave what others use, and what nobody owned."""
        gone = [one for one in self.owned if not self.actual.sql[one]]
        gone += [one for one in _called(self.actual, *self.moved) if not one.table]
        for one in gone:
            name = self.moved.get(one.name, one.name)
            if name == self.name:
                continue
            if self._is_used_by_others(one):
                yield f"ALTER SEQUENCE {quoted(name)} OWNED BY NONE;"
            else:
                yield f"DROP SEQUENCE {quoted(name)};"

    def _of_that_name(self) -> Thing | None:
        return next(_called(self.actual, self.name), None)

    def _clear_the_name(self) -> Iterator[str]:
        """Yield what gives the name of the sequence free, if another has it."""
        there = self._of_that_name()
        if there and self.moved.get(there.name) != self.name:
            yield self._renamed(there.name, aside(there.name))

    def _renamed(self, old: str, new: str) -> str:
        self.moved[old] = new
        return f"ALTER SEQUENCE {quoted(old)} RENAME TO {quoted(new)};"

    def _is_mine(self, name: str) -> bool:
        """Tell whether a sequence may be taken over as the column's."""
        there = next(_called(self.actual, name), None)
        return there is not None and there in self.owned and not self._is_used_by_others(there)

    def _is_used_by_others(self, sequence: Thing) -> bool:
        return any(
            thing.kind == "column"
            and thing[1:] != self.thing[1:]
            and used(facts["default"]) == sequence.name
            for thing, facts in self.actual.facts.items()
        )

    @property
    def _wanted(self) -> dict[str, str]:
        """The facts of the sequence as it should be."""
        return next(
            facts
            for thing, facts in self.expected.facts.items()
            if thing.kind == "sequence" and thing.name == self.name
        )

    def _set_right(self, sequence: Thing) -> Iterator[str]:
        """Yield what gives a sequence that stays its type, bounds and step."""
        wanted, got = self._wanted, self.actual.facts[sequence]
        is_right = all(wanted[what] == got[what] for what in wanted if what != "column")
        if not is_right:
            yield f"ALTER SEQUENCE {quoted(self.name)} {WIDEST};"
        yield self._go_on()
        if not is_right:
            yield f"ALTER SEQUENCE {quoted(self.name)} {options(wanted, typed=True)};"

    def _go_on(self) -> str:
        """Return what lets the sequence go on after all keys that are there or were given out."""
        wanted = self._wanted
        goes_down = wanted["increment"].startswith("-")
        furthest, last, beyond = ("least", "min", "<=") if goes_down else ("greatest", "max", ">=")
        old = {one.name for one in self.owned} | {used(self.had["default"])}
        here = [name for name in sorted(filter(None, old)) if any(_called(self.actual, name))]
        sources = [quoted(self.moved.get(name, name)) for name in here]
        if used(self.had["default"]) not in here:  # it is of another schema, and stays there
            sources += filter(None, [source(self.had["default"])])
        given_out = [
            f"(SELECT last_value - CASE WHEN is_called THEN 0 ELSE {wanted['increment']} END"
            f" FROM {name})"
            for name in sources
        ]
        at = ", ".join([f"{last}({self.column})", *given_out])
        start = wanted["start"]
        return (
            f"SELECT setval({text(quoted(self.name))}, CASE WHEN at {beyond} {start} THEN at ELSE"
            f" {start} END, coalesce(at {beyond} {start}, false)) FROM (SELECT {furthest}({at}) AS"
            f" at FROM {self.table}) AS given_out;"
        )


def _owned(catalog: Catalog, table: str, column: str) -> list[Thing]:
    return [
        thing for thing, facts in catalog.of(table, "sequence").items() if facts["column"] == column
    ]


def _called(catalog: Catalog, *names: str) -> Iterator[Thing]:
    return (one for one in catalog.facts if one.kind == "sequence" and one.name in names)


def options(facts: dict[str, str], typed: bool = False) -> str:
    """Return what CREATE SEQUENCE says. typed: with the type, which an identity's column has."""
    return (
        f"{'AS ' + facts['type'] + ' ' if typed else ''}START {facts['start']}"
        f" INCREMENT {facts['increment']} MINVALUE {facts['minimum']} MAXVALUE {facts['maximum']}"
        f" CACHE {facts['cache']} {'CYCLE' if facts['cycle'] == 'yes' else 'NO CYCLE'}"
    )
