"""Views, rules, triggers, policies and functions on paper, and which columns they hang on.

A view over one table is read word by word. What its words leave open, as two tables with a column
of the same name do, is a doubt (``Unsure``), and a server is asked.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hotel.migrator.scratch.words import CannotFollow, Reader, Word
from hotel.migrator.sql.parsing import quoted

OF_TABLES = ("rule", "trigger", "policy")
KINDS = ("view", "materialized view", *OF_TABLES, "function", "procedure")
OPAQUE = ("function", "procedure", "statistics", "publication")  # of which a server is asked

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_WORDS_OF_SQL = re.compile(
    "all and any as asc between by case cast check collate cross current_date current_timestamp"
    " desc distinct else end except exists false fetch filter first for from full group having"
    " ilike in inner intersect interval is isnull join last lateral left like limit natural not"
    " notnull null nulls offset on only or order outer over partition returning right select set"
    " similar some then to true union using values when where window with within".replace(" ", "|")
)
_ENDS = (
    ["with", "no", "data"],
    ["with", "data"],
    *(["with", *how, "check", "option"] for how in (["cascaded"], ["local"], [])),
)


class Columns(Protocol):
    """A table, as far as it is asked here."""

    columns: dict[str, set[str]]


class Unsure(Exception):
    """Nobody can tell from the words whether this Dependent hangs on what was asked."""


@dataclass(eq=False)
class Dependent:
    """Something that hangs on tables; kind and name as the server tells them.

    on: the table that it belongs to, with which it goes. surely, maybe: columns that it reads, by
    table; a table that it surely names is in ``surely`` without columns, too. over: views.
    """

    kind: str
    name: str
    on: Columns | None = None
    surely: dict[Columns, set[str]] = field(default_factory=dict)
    maybe: dict[Columns, set[str]] = field(default_factory=dict)
    over: set["Dependent"] = field(default_factory=set)

    def hangs(self, table: Columns, column: str) -> bool:
        """Tell whether it hangs on a column, or on the table if that is "". Raises Unsure."""
        if table in self.surely and (not column or column in self.surely[table]):
            return True
        if table in self.maybe and (not column or column in self.maybe[table]):
            raise Unsure(self)
        return False

    def doubt(self) -> None:
        """Take what was sure for what may be: something that it may hang on has gone."""
        for table, columns in self.surely.items():
            self.maybe.setdefault(table, set()).update(columns)
        self.surely = {}


class Dependents:
    """What hangs on the tables of a Sketch."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[str, str], Dependent] = {}  # by kind and name

    def create(self, thing: str, read: Reader, tables: Mapping[str, Columns]) -> None:
        """Follow CREATE, of which the word for ``thing`` has been read."""
        kind = _kind(thing, read)
        read.maybe("if", "not", "exists")
        name = read.name()
        if kind in ("view", "materialized view"):
            one = self._view(kind, name, read, tables)
        elif kind in OPAQUE:
            one = Dependent(kind, _spelled(name))
            one.maybe = _named_by(read.words, tables)
        else:
            one = self._of_table(kind, name, read, tables)
        self.by_name[kind, one.name] = one

    def _view(self, kind: str, name: str, read: Reader, tables: Mapping[str, Columns]) -> Dependent:
        read.until(re.compile("as"))
        read.expect("as")
        words = read.words[read.at :]
        words = next((words[: -len(end)] for end in _ENDS if words[-len(end) :] == end), words)
        one = Dependent(kind, _spelled(name))
        names = {word.text for word in words if word.is_name}
        one.over = {
            each
            for key, each in self.by_name.items()
            if key[0] in KINDS[:2] and each.name in {_spelled(name) for name in names}
        }
        query = _Query(words, tables, bool(one.over))
        one.surely, one.maybe = query.surely, query.maybe
        return one

    def _of_table(
        self, kind: str, name: str, read: Reader, tables: Mapping[str, Columns]
    ) -> Dependent:
        """Return a rule, a trigger or a policy, which belongs to a table."""
        rest = read.words[read.at :]
        sign = "to" if kind == "rule" else "on"
        at = next((at for at, word in enumerate(rest) if word == sign), len(rest))
        place = Reader(rest[at + 1 :])
        label = place.name()
        table = tables.get(label)
        one = Dependent(kind, f"{_spelled(name)} on {_spelled(label)}", table)
        if table is None:  # of a view
            return one
        after, read_surely = place.words[place.at :], list[Word]()
        if kind == "trigger":  # UPDATE OF
            read_surely += rest[:at]
        elif kind == "policy" and not any(word == "select" for word in after):
            read_surely += after
        one.maybe = _named_by(after, tables) if kind != "trigger" else {}
        for row, dot, column in zip(after, after[1:], after[2:], strict=False):
            if dot == "." and any(row == one for one in ("new", "old")):
                read_surely.append(column)
                if column == "*":
                    one.maybe[table] = {*table.columns}
        known = {word.text for word in read_surely if word.is_name} & {*table.columns}
        one.surely[table] = known
        return one

    def of_row_type(self, kind: str, name: str, table: Columns) -> None:
        """Note a table that inherits from another, or a column whose type is that of its rows."""
        self.by_name[kind, name] = Dependent(kind, name, maybe={table: {*table.columns}})

    def drop(self, thing: str, read: Reader) -> None:
        """Follow DROP, of which the word for ``thing`` has been read."""
        kind = _kind(thing, read)
        read.maybe("if", "exists")
        names = [_spelled(name) for name in read.names()]
        if kind in OF_TABLES:
            read.expect("on")
            names = [f"{names[0]} on {_spelled(read.name())}"]
        gone = [one for name in names if (one := self.by_name.get((kind, name)))]
        if read.has("cascade") and kind not in KINDS[:2]:
            raise CannotFollow
        self._forget(lambda one: one in gone or (read.has("cascade") and bool(one.over & {*gone})))

    def alter(self, thing: str, read: Reader) -> None:
        """Follow ALTER, of which only another name matters."""
        kind = _kind(thing, read)
        if kind == "publication" and not read.has("rename"):
            raise CannotFollow
        read.maybe("if", "exists")
        name = _spelled(read.name())
        place = f" on {_spelled(read.name())}" if read.maybe("on") else ""
        if read.maybe("rename", "to") and (one := self.by_name.pop((kind, name + place), None)):
            one.name = _spelled(read.name()) + place
            self.by_name[kind, one.name] = one

    def renamed(self, table: Columns, old: str, new: str) -> None:
        """Follow a column that gets another name."""
        for one in self.by_name.values():
            for reads in (one.surely, one.maybe):
                if old in reads.get(table, ()):
                    reads[table] = reads[table] - {old} | {new}

    def table_renamed(self, old: str, new: str) -> None:
        """Follow a table that gets another name, which that of a rule or a trigger holds."""
        ending, becomes = f" on {_spelled(old)}", f" on {_spelled(new)}"
        for (kind, name), one in [*self.by_name.items()]:
            if one.on is not None and name.endswith(ending):
                del self.by_name[kind, name]
                one.name = name.removesuffix(ending) + becomes
                self.by_name[kind, one.name] = one

    def dropped(self, table: Columns, column: str = "") -> None:
        """Follow a column, or a table, that is dropped with CASCADE."""

        def goes(one: Dependent) -> bool:
            try:
                return (not column and one.on is table) or one.hangs(table, column)
            except Unsure:
                one.doubt()
                return False

        self._forget(goes)

    def _forget(self, goes: Callable[[Dependent], bool]) -> None:
        """Let go of some, and of the views and rules over them."""
        gone = {one for one in self.by_name.values() if goes(one)}
        while more := {one for one in self.by_name.values() if one.over & gone} - gone:
            gone |= more
        self.by_name = {key: one for key, one in self.by_name.items() if one not in gone}

    def lost(
        self, table: Columns, column: str, known: Collection[str]
    ) -> Iterator[tuple[str, str]]:
        """Yield what PostgreSQL drops with a table or a column, without what belongs to a table.

        known: names of triggers that a model makes. Raises Unsure.
        """
        gone = set[Dependent]()
        for one in self.by_name.values():
            is_own = one.on is table and not column
            if not is_own and one.name.split(" on ")[0] not in known and one.hangs(table, column):
                gone.add(one)
        while more := {one for one in self.by_name.values() if one.over & gone} - gone:
            gone |= more
        yield from _in_order(gone)

    def blocking(self, table: Columns, column: str) -> Iterator[tuple[str, str]]:
        """Yield what PostgreSQL does not change the type of a column under. Raises Unsure."""
        yield from _in_order(one for one in self.by_name.values() if one.hangs(table, column))


class _Query:
    """What a query reads of tables, as far as its words tell: ``surely`` and ``maybe``."""

    def __init__(self, words: list[Word], tables: Mapping[str, Columns], reads_views: bool) -> None:
        self.words = words
        named = [at for at, word in enumerate(words) if word.is_name and word.text in tables]
        self.surely: dict[Columns, set[str]] = {
            tables[words[at].text]: set() for at in named if self._is_source(at)
        }
        self.maybe: dict[Columns, set[str]] = {}
        is_simple = len(named) == 1 and len(self.surely) == 1 and not reads_views
        is_simple = is_simple and sum(word == "from" for word in words) == 1
        is_simple = is_simple and words[0] == "select"
        whole = not all(self._is_source(at) for at in named) or self._names_rows(named)
        for at in named:
            table = tables[words[at].text]
            every = {*table.columns}
            read = {word.text for word in words if word.is_name} & every
            if whole or any(word == "natural" for word in words):
                self.maybe[table] = every
            elif is_simple:
                is_all = any(map(self._is_star, range(len(words))))
                sure = every if is_all else {name for name in read if self._is_read(name)}
                self.surely[table], self.maybe[table] = sure, read - sure
            else:
                self.maybe[table] = every if any(word == "*" for word in words) else read

    def _before(self, at: int) -> Word:
        return self.words[at - 1] if at else Word("")

    def _after(self, at: int) -> Word:
        return self.words[at + 1] if at + 1 < len(self.words) else Word("")

    def _is_source(self, at: int) -> bool:
        """Tell whether a name stands where a table is read."""
        while self._before(at) == ".":
            at -= 2
        return any(self._before(at) == word for word in ("from", "join", "only"))

    def _names_rows(self, named: list[int]) -> bool:
        """Tell whether a table, or another name of it, stands for its whole row."""
        places = {*named}
        names = {self.words[at].text for at in named}
        for at in named:
            also = at + 2 if self._after(at) == "as" else at + 1
            if also < len(self.words) and _is_plain_name(self.words[also]):
                places.add(also)
                names.add(self.words[also].text)
        return any(
            word.is_name
            and word.text in names
            and at not in places
            and self._after(at) != "."
            and self._before(at) != "."
            for at, word in enumerate(self.words)
        )

    def _is_star(self, at: int) -> bool:
        """Tell whether this word is a star that stands for all columns."""
        before = self._before(at)
        first = any(before == word for word in ("select", "distinct", "all", ",", "."))
        return self.words[at] == "*" and first

    def _is_read(self, name: str) -> bool:
        """Tell whether a name is surely that of a column somewhere, and not one that is given."""
        for at, word in enumerate(self.words):
            if not (word.is_name and word.text == name) or self._after(at) == "(":
                continue
            before = self._before(at)
            is_given = _is_plain_name(before) or before.text[:1] in ("'", ")", "]")
            if not (is_given or before == "as" or before.text[:1].isdigit()):
                return True
        return False


def _is_plain_name(word: Word) -> bool:
    return word.is_name and (word.is_quoted or not _WORDS_OF_SQL.fullmatch(word.text))


def _named_by(words: list[Word], tables: Mapping[str, Columns]) -> dict[Columns, set[str]]:
    """Return all columns of the tables that some words name."""
    return {
        tables[word.text]: {*tables[word.text].columns}
        for word in words
        if word.is_name and word.text in tables
    }


def _kind(thing: str, read: Reader) -> str:
    if thing == "materialized":
        read.expect("view")
        return "materialized view"
    return thing


def _spelled(name: str) -> str:
    """Return a name as the server tells it."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def _in_order(some: Iterable[Dependent]) -> list[tuple[str, str]]:
    return sorted({(one.kind, one.name) for one in some})
