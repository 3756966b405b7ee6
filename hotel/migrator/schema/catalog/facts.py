"""The facts that a schema consists of."""

import re
from typing import Any, NamedTuple

from hotel.migrator.sql.parsing import normal, tokens


class Thing(NamedTuple):
    """What a schema is made of.

    kind: table, column, index, constraint, foreign key, trigger, rule, policy, function, sequence,
    extension.
    table: the one it belongs to; "" for functions and extensions.
    """

    kind: str
    table: str
    name: str

    def __str__(self) -> str:
        of = f" of {self.table}" if self.table and self.kind != "table" else ""
        return f"{self.kind} {self.name}{of}"


class Catalog:
    """What a schema consists of: ``facts``, and the SQL that would make each thing of them.

    facts: ``{Thing: {attribute: text}}``. sql: ``{Thing: text}``; of a column of PostgreSQL what
    stands in CREATE TABLE, of its tables what follows the columns there, and of its sequences
    "identity" if one cannot be without its column. columns: those of each table in the order in
    which they stand.
    """

    def __init__(self) -> None:
        self.facts: dict[Thing, dict[str, str]] = {}
        self.sql: dict[Thing, str] = {}
        self.columns: dict[str, list[str]] = {}

    def add(self, kind: str, table: str, name: str, sql: str = "", **facts: str) -> None:
        """Take down a thing; of two of the same name the second is called #2."""
        thing, number = Thing(kind, table, name), 1
        while thing in self.facts:
            number += 1
            thing = Thing(kind, table, f"{name} #{number}")
        self.facts[thing] = facts
        self.sql[thing] = sql
        if kind == "column":
            self.columns.setdefault(table, []).append(name)

    def of(self, table: str, kind: str | None = None) -> dict[Thing, dict[str, str]]:
        """Return the facts of one table, of one kind if it is said."""
        return {
            thing: facts
            for thing, facts in self.facts.items()
            if thing.table == table and kind in (None, thing.kind)
        }

    @property
    def tables(self) -> set[str]:
        """The names of the tables."""
        return {thing.name for thing in self.facts if thing.kind == "table"}

    def with_table_called(self, new: str, old: str) -> "Catalog":
        """Return the Catalog as it is once the table ``old`` is called ``new``, wherever it is."""
        word = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)")
        made = Catalog()
        for thing, facts in self.facts.items():
            table = new if thing.table == old else thing.table
            name = table if thing.kind == "table" else thing.name
            if name == facts.get("definition"):  # what has no name is called by its text
                name = word.sub(new, name)
            of_new = Thing(thing.kind, table, name)
            made.facts[of_new] = {what: word.sub(new, text) for what, text in facts.items()}
            made.sql[of_new] = word.sub(new, self.sql[thing])
        made.columns = {new if name == old else name: of for name, of in self.columns.items()}
        return made

    def as_json(self) -> dict[str, Any]:
        """Return all of it in lists and dicts."""
        things = [[*thing, self.facts[thing], self.sql[thing]] for thing in self.facts]
        return {"things": things, "columns": self.columns}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Catalog":
        """Return the Catalog that ``as_json`` wrote."""
        made = cls()
        made.columns = document["columns"]
        for kind, table, name, facts, sql in document["things"]:
            made.facts[Thing(kind, table, name)] = facts
            made.sql[Thing(kind, table, name)] = sql
        return made


def nameless(sql: str) -> str:
    """Return CREATE INDEX or CREATE TRIGGER in comparable form, without its name."""
    words = tokens(sql)
    place = next(at for at, word in enumerate(words) if word in ("index", "trigger")) + 1
    if words[place : place + 3] == ["if", "not", "exists"]:
        del words[place : place + 3]
    del words[place]
    definition: str = normal(" ".join(words))
    return definition
