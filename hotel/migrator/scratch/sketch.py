"""What DDL makes of an empty PostgreSQL, as far as a schema editor asks: names and columns.

It is drawn from the statements alone, those of Django's schema editor and such as people write into
``RunSQL``; no server is asked. Names that the server would choose are chosen by its rules. A
statement that cannot be followed is a doubt about the tables that it names. Over 300 lines because
it is one grammar.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeVar

from hotel.migrator.scratch.dependents import KINDS, OPAQUE, Dependents
from hotel.migrator.scratch.words import (
    LONGEST,
    CannotFollow,
    Reader,
    Word,
    cut,
    statements,
)

T = TypeVar("T")

# Statements that change no table's columns, constraints, indexes and sequences.
_OF_NO_SHAPE = re.compile(
    r"insert|update|delete|merge|lock|set|reset|comment|truncate|analyze|vacuum|grant|revoke|"
    r"notify|listen|show|copy|refresh|begin|start|commit|end|rollback|savepoint|release|"
    r"reindex|cluster|security|table|values|reassign|discard|checkpoint|prepare|deallocate"
)
_THINGS_OF_NO_SHAPE = re.compile(
    r"aggregate|role|user|group|"
    r"server|subscription|operator|cast|language|transform|conversion|"
    r"type|domain|schema|text|event|access"
)
_STARTS_CONSTRAINT = re.compile(
    r"constraint|not|null|default|primary|unique|check|references|generated|collate|storage|"
    r"compression|deferrable|initially"
)
# Functions that a SELECT may call without any doubt about what they do.
_CALLED = re.compile(
    r"setval|nextval|currval|pg_get_serial_sequence|pg_sequence_last_value|greatest|least|max|"
    r"min|count|sum|coalesce|cast|set_config|current_setting|now|clock_timestamp|pg_notify|"
    r"quote_ident|pg_advisory_lock|pg_advisory_unlock|pg_advisory_xact_lock|in|exists|values|"
    r"as|and|or|not|from|where|select|any|all"
)
_SERIAL = re.compile(r"serial|bigserial|smallserial|serial2|serial4|serial8")


@dataclass(eq=False)
class Constraint:
    """kind: as in pg_constraint. reads: columns without which it goes. target: (table, column)."""

    kind: str
    columns: list[str]
    reads: set[str] = field(default_factory=set)
    target: tuple["Table", str] | None = None


@dataclass(eq=False)
class Index:
    """columns: None for an expression. reads: columns without which it goes."""

    columns: list[str | None]
    reads: set[str]
    orders: list[str]
    is_unique: bool
    method: str
    options: list[str] | None


@dataclass(eq=False)
class Table:
    """columns: in their order; of a generated one, the columns that it is made of."""

    columns: dict[str, set[str]] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    is_partitioned: bool = False


@dataclass
class Doubt:
    """A statement that was not followed, where it was met, and what it names; None is all."""

    sql: str
    place: str
    names: set[str] | None


class Sketch:
    """The schema so far. sequences: by name, (table, column, whether it is of an identity)."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.sequences: dict[str, tuple[Table | None, str, bool]] = {}
        self.extensions: set[str] = set()
        self.vague: set[str] = set()  # collations that are not deterministic
        self.doubts: list[Doubt] = []
        self.dependents = Dependents()

    def follow(self, sql: str, place: str = "") -> None:
        """Draw what statements change. place: of whom they are, for a Doubt."""
        for words in statements(sql):
            try:
                self._follow(Reader(words))
            except (KeyError, IndexError):
                self._doubt(sql, place, self._named(words))
            except CannotFollow as gap:
                self._doubt(sql, place, {*gap.args} or self._named(words))

    def doubt_about(self, table: str) -> Doubt | None:
        """Return the first Doubt that is about the table of this name, or None."""
        for doubt in self.doubts:
            if doubt.names is None or table in doubt.names:
                return doubt
        return None

    def _doubt(self, sql: str, place: str, names: set[str] | None) -> None:
        self.doubts.append(Doubt(" ".join(sql.split())[:60], place, names))

    def _named(self, words: list[Word]) -> set[str] | None:
        """Return the tables that a statement names, or None if it may be about any."""
        names = {word.text for word in words if word.is_name}
        is_of_table = words[0].text in ("create", "alter", "drop") and words[1].text == "table"
        return names & {*self.tables} or (is_of_table and names) or None

    def _follow(self, read: Reader) -> None:
        verb = read.next().text
        if _OF_NO_SHAPE.fullmatch(verb):
            return
        if verb in ("select", "with", "explain"):
            self._call(read)
            return
        if verb not in ("create", "alter", "drop"):
            raise CannotFollow
        if verb == "create":
            while read.maybe("or", "replace") or any(
                map(
                    read.maybe,
                    ("unique", "temp", "temporary", "unlogged", "recursive", "constraint"),
                )
            ):
                pass
        thing = read.next().text
        move = getattr(self, f"_{verb}_{thing}", None)
        if move:
            move(read)
        elif thing in (*KINDS, *OPAQUE, "materialized"):
            self._follow_dependent(verb, thing, read)
        elif _THINGS_OF_NO_SHAPE.fullmatch(thing):
            if verb == "drop" and read.has("cascade"):
                raise CannotFollow
        else:
            raise CannotFollow

    def _follow_dependent(self, verb: str, thing: str, read: Reader) -> None:
        if verb == "create":
            self.dependents.create(thing, read, self.tables)
        elif verb == "drop":
            self.dependents.drop(thing, read)
        else:
            self.dependents.alter(thing, read)

    def _call(self, read: Reader) -> None:
        """Follow a SELECT, which may call a function that does anything."""
        for word, after in zip(read.words, [*read.words[1:], Word("")], strict=True):
            if after == "(" and word.is_name and not _CALLED.fullmatch(word.text):
                raise CannotFollow

    # Tables

    def lost(self, table: Table, column: str, known: Collection[str]) -> list[tuple[str, str]]:
        """Return what goes with a table or a column, as ``editors.hanging.lost`` does.

        Raises Unsure.
        """
        found = [*self.dependents.lost(table, column, known)]
        for name, other in self.tables.items():
            for rule, one in other.constraints.items():
                target, key = one.target or (None, "")
                if target is table and other is not table and column in ("", key):
                    found += [] if name in known else [("table constraint", f"{rule} on {name}")]
        return found + [one for one in self._computed(table, column) if one[1] not in known]

    def blocking(self, table: Table, column: str) -> list[tuple[str, str]]:
        """Return what no type of a column changes under, as ``editors.hanging.blocking`` does.

        Raises Unsure.
        """
        return [*self.dependents.blocking(table, column), *self._computed(table, column)]

    def _computed(self, table: Table, column: str) -> list[tuple[str, str]]:
        [name] = [name for name, one in self.tables.items() if one is table]
        return [
            ("generated column", f"{name}.{generated}")
            for generated, reads in table.columns.items()
            if column and column in reads
        ]

    def _create_table(self, read: Reader) -> None:
        is_asked = read.maybe("if", "not", "exists")
        name = read.name()
        if is_asked and name in self.tables:
            return
        parts = [Reader(part) for part in (read.parts() if read.sees("(") else [])]
        if not parts or any(part.sees("like") for part in parts) or read.sees("inherits"):
            # Made after another one, or after what a query returns. Nobody else is touched.
            self.tables[name] = Table()
            for parent in read.words[read.at :] if read.maybe("inherits") else ():
                if parent.text in self.tables:
                    self.dependents.of_row_type("table", name, self.tables[parent.text])
            raise CannotFollow(name)
        table = self.tables[name] = Table(is_partitioned=read.sees("partition", "by"))
        for part in parts:
            if part.sees_constraint():
                self._constraint(part, name, table)
            else:
                self._column(part, name, table)

    def _drop_table(self, read: Reader) -> None:
        read.maybe("if", "exists")
        for name in read.names():
            if gone := self.tables.pop(name, None):
                for table in self.tables.values():
                    for other, constraint in [*table.constraints.items()]:
                        if constraint.target and constraint.target[0] is gone:
                            del table.constraints[other]
                self._drop_sequences(gone)
                self.dependents.dropped(gone)

    def _drop_sequences(self, table: Table, column: str | None = None) -> None:
        for name, (of, its, _) in [*self.sequences.items()]:
            if of is table and column in (None, its):
                del self.sequences[name]

    def _alter_table(self, read: Reader) -> None:
        is_asked = read.maybe("if", "exists")
        read.maybe("only")
        name = read.name()
        if is_asked and name not in self.tables:
            return
        for words in read.split():
            self._alter(Reader(words), name, self.tables[name])

    def _alter(self, read: Reader, name: str, table: Table) -> None:
        action = read.next().text
        if action == "rename":
            self._rename(read, table)
        elif action == "add":
            self._add(read, name, table)
        elif action == "drop" and read.maybe("constraint"):
            read.maybe("if", "exists")
            table.constraints.pop(read.name(), None)
        elif action == "drop":
            read.maybe("column")
            read.maybe("if", "exists")
            self._drop_column(table, read.name())
        elif action == "alter":
            self._alter_column(read, name, table)
        elif (action == "set" and read.sees("schema")) or action not in (
            *("validate", "enable", "disable", "owner", "set", "reset", "cluster", "replica"),
            *("force", "no"),
        ):
            raise CannotFollow

    def _add(self, read: Reader, name: str, table: Table) -> None:
        if read.sees_constraint():
            self._constraint(read, name, table)
            return
        read.maybe("column")
        if not (read.maybe("if", "not", "exists") and read.words[read.at].text in table.columns):
            self._column(read, name, table)

    def _alter_column(self, read: Reader, name: str, table: Table) -> None:
        read.maybe("column")
        column = read.name()
        if read.maybe("add", "generated"):
            self._sequence(name, table, column, True)
        elif read.maybe("drop", "identity"):
            for sequence, (of, its, is_identity) in [*self.sequences.items()]:
                if is_identity and of is table and its == column:
                    del self.sequences[sequence]

    def _rename(self, read: Reader, table: Table) -> None:
        if read.maybe("to"):
            # As a new dict, so that the order of the tables stays.
            new = read.name()
            [name] = [name for name, one in self.tables.items() if one is table]
            self.dependents.table_renamed(name, new)
            self.tables = {new if one is table else key: one for key, one in self.tables.items()}
            return
        of_constraint = read.maybe("constraint")
        read.maybe("column")
        old = read.name()
        read.expect("to")
        new = read.name()
        if of_constraint:
            table.constraints = _renamed(table.constraints, old, new)
            return
        if old not in table.columns:
            raise CannotFollow
        table.columns = {
            key: {new if one == old else one for one in reads}
            for key, reads in _renamed(table.columns, old, new).items()
        }
        self.dependents.renamed(table, old, new)
        for rule in table.constraints.values():
            rule.columns = [new if column == old else column for column in rule.columns]
            rule.reads = {new if column == old else column for column in rule.reads}
        for index in table.indexes.values():
            index.columns = [new if column == old else column for column in index.columns]
            index.reads = {new if column == old else column for column in index.reads}
        for other in self.tables.values():
            for constraint in other.constraints.values():
                if constraint.target == (table, old):
                    constraint.target = (table, new)
        for sequence, (of, its, is_identity) in self.sequences.items():
            if of is table and its == old:
                self.sequences[sequence] = (table, new, is_identity)

    def _drop_column(self, table: Table, column: str) -> None:
        table.columns.pop(column, None)
        self.dependents.dropped(table, column)
        for generated in [one for one, reads in table.columns.items() if column in reads]:
            self._drop_column(table, generated)
        self._drop_sequences(table, column)
        keep = {name: one for name, one in table.indexes.items() if column not in one.reads}
        table.indexes = keep
        for other in self.tables.values():
            for name, one in [*other.constraints.items()]:
                reads = other is table and column in one.reads
                if reads or one.target == (table, column):
                    del other.constraints[name]

    def _column(self, read: Reader, name: str, table: Table) -> None:
        column = read.name()
        kind = read.words[read.at].text
        table.columns[column] = set()
        if kind in self.tables:
            self.dependents.of_row_type("column", f"{name}.{column}", self.tables[kind])
        if _SERIAL.fullmatch(kind):
            self._sequence(name, table, column, False)
        read.until(_STARTS_CONSTRAINT)
        named = None
        while not read.is_done:
            word = read.next().text
            if word == "constraint":
                named = read.name()
                continue
            if word in ("primary", "unique", "check", "references"):
                read.at -= 1
                self._constraint(read, name, table, named, column)
            elif word == "generated":
                self._generated(read, name, table, column)
            elif word == "default":
                read.skip()  # it may be NULL
                read.until(_STARTS_CONSTRAINT)
            elif word in ("collate", "storage", "compression", "initially"):
                read.name()
            elif word == "not":
                read.next()  # NULL, VALID or DEFERRABLE
            elif word not in ("null", "deferrable", "valid"):
                raise CannotFollow
            named = None

    def _generated(self, read: Reader, name: str, table: Table, column: str) -> None:
        if not read.maybe("always"):
            read.expect("by", "default")
        read.expect("as")
        if read.maybe("identity"):
            self._sequence(name, table, column, True)
            if read.sees("("):
                read.parts()
            return
        reads = self._columns_in(table, [word for part in read.parts() for word in part])
        if not read.maybe("stored"):
            read.maybe("virtual")
        table.columns[column] = {*reads}

    def _constraint(
        self,
        read: Reader,
        name: str,
        table: Table,
        named: str | None = None,
        column: str | None = None,
    ) -> None:
        """Draw a constraint; column: of a constraint that stands in the definition of this one."""
        if read.maybe("constraint"):
            named = read.name()
        kind = read.next().text
        own = [] if column is None else [column]
        if kind in ("primary", "unique"):
            named, made = self._key(read, name, table, kind, (named, own))
        elif kind == "check":
            columns = self._columns_in(table, [word for part in read.parts() for word in part])
            of = columns[0] if len(columns) == 1 else ""
            named = named or self._free_name(name, of, "check")
            made = Constraint("c", columns, {*columns})
        elif kind in ("foreign", "references"):
            made = self._reference(read, kind, own)
            named = named or self._free_name(name, "_".join(made.columns), "fkey")
        elif kind == "exclude" and named:
            made = self._exclusion(read, table)
        else:
            raise CannotFollow
        table.constraints[named] = made
        self._last(read)

    def _key(
        self, read: Reader, name: str, table: Table, kind: str, said: tuple[str | None, list[str]]
    ) -> tuple[str, Constraint]:
        """Return a primary key or a unique constraint, and its name."""
        named, columns = said
        if kind == "primary":
            read.expect("key")
        if read.maybe("using", "index"):
            index = read.name()
            columns = [one for one in table.indexes.pop(index).columns if one]
            return named or index, Constraint(kind[0], columns, {*columns})
        if read.maybe("nulls"):
            read.maybe("not")
            read.expect("distinct")
        columns = columns or [Reader(part).name() for part in read.parts()]
        reads = {*columns, *read.columns_after("include")}
        label, of = ("pkey", "") if kind == "primary" else ("key", "_".join(columns))
        return named or self._free_name(name, of, label), Constraint(kind[0], columns, reads)

    def _reference(self, read: Reader, kind: str, own: list[str]) -> Constraint:
        """Return a foreign key."""
        if kind == "foreign":
            read.expect("key")
            own = [Reader(part).name() for part in read.parts()]
            read.expect("references")
        parent = self.tables[read.name()]
        keys = [one.columns for one in parent.constraints.values() if one.kind == "p"]
        theirs = [Reader(part).name() for part in read.parts()] if read.sees("(") else keys[0]
        return Constraint("f", own, {*own}, (parent, theirs[0]))

    def _exclusion(self, read: Reader, table: Table) -> Constraint:
        """Return an exclusion, of which the rest of the statement is read."""
        if read.maybe("using"):
            read.name()
        parts = read.parts()
        plain = [part[0].text for part in parts if part[0].is_name and part[1] != "("]
        words = [*(word for part in parts for word in part), *read.words[read.at :]]
        return Constraint("x", plain, {*self._columns_in(table, words)})

    @staticmethod
    def _last(read: Reader) -> None:
        """Skip what may follow a constraint: when it is checked, and what a reference does."""
        while not read.is_done:
            if not (
                read.maybe("not", "valid")
                or read.maybe("not", "deferrable")
                or read.maybe("deferrable")
                or read.maybe("initially", "deferred")
                or read.maybe("initially", "immediate")
                or read.maybe("no", "inherit")
                or read.maybe("match", "full")
                or read.maybe("match", "simple")
                or read.maybe("on", "delete")
                or read.maybe("on", "update")
                or read.maybe("set", "null")
                or read.maybe("set", "default")
                or read.maybe("no", "action")
                or read.maybe("cascade")
                or read.maybe("restrict")
            ):
                return

    @staticmethod
    def _columns_in(table: Table, words: list[Word]) -> list[str]:
        """Return the columns of a table that an expression names, in order of the first time."""
        found = dict.fromkeys(word.text for word in words if word.is_name)
        return [name for name in found if name in table.columns]

    def _sequence(self, name: str, table: Table, column: str, is_identity: bool) -> None:
        self.sequences[self._free_name(name, column, "seq")] = (table, column, is_identity)

    def _free_name(self, table: str, column: str, label: str) -> str:
        """Return the name that the server chooses for what has none."""
        taken = {*self.tables, *self.sequences}
        for one in self.tables.values():
            taken |= {*one.constraints, *one.indexes}
        number = 0
        while (name := _joined(table, column, f"{label}{number or ''}")) in taken:
            number += 1
        return name

    # Indexes and sequences

    def _create_index(self, read: Reader) -> None:
        is_unique = any(word == "unique" for word in read.words[:2])
        read.maybe("concurrently")
        is_asked = read.maybe("if", "not", "exists")
        if read.sees("on"):
            raise CannotFollow  # its name is made of expressions too
        name = read.name()
        read.expect("on")
        read.maybe("only")
        table = self.tables[read.name()]
        if is_asked and any(name in one.indexes for one in self.tables.values()):
            return
        method = read.name() if read.maybe("using") else "btree"
        parts = read.parts()
        columns = [
            part[0].text if part[0].is_name and not (part[1:] and part[1] == "(") else None
            for part in parts
        ]
        orders = ["DESC" if any(word == "desc" for word in part) else "ASC" for part in parts]
        included = read.columns_after("include")
        if read.maybe("nulls"):
            read.maybe("not")
            read.expect("distinct")
        options = ["".join(word.text for word in part) for part in read.parts_after("with")]
        words = [word for part in parts for word in part]
        reads = {*self._columns_in(table, [*words, *read.words[read.at :]]), *included}
        table.indexes[name] = Index(
            [*columns, *included],
            reads,
            [*orders, *("ASC" for _ in included)],
            is_unique,
            method,
            options or None,
        )

    def _drop_index(self, read: Reader) -> None:
        read.maybe("concurrently")
        read.maybe("if", "exists")
        for name in read.names():
            for table in self.tables.values():
                table.indexes.pop(name, None)

    def _alter_index(self, read: Reader) -> None:
        read.maybe("if", "exists")
        old = read.name()
        if not read.maybe("rename", "to"):
            return
        new = read.name()
        for table in self.tables.values():
            table.indexes = _renamed(table.indexes, old, new)
            table.constraints = _renamed(table.constraints, old, new)

    def _create_sequence(self, read: Reader) -> None:
        read.maybe("if", "not", "exists")
        self.sequences.setdefault(name := read.name(), (None, "", False))
        self._own_sequence(read, name)

    def _alter_sequence(self, read: Reader) -> None:
        if read.maybe("if", "exists") and read.words[read.at].text not in self.sequences:
            return
        name = read.name()
        if read.maybe("rename", "to"):
            self.sequences = _renamed(self.sequences, name, read.name())
        else:
            self._own_sequence(read, name)

    def _own_sequence(self, read: Reader, name: str) -> None:
        while not read.is_done:
            if read.maybe("owned", "by"):
                path = [read.name(whole=True)]
                while read.maybe("."):
                    path.append(read.name(whole=True))
                of = (
                    (None, "", False)
                    if path == ["none"]
                    else (self.tables[path[-2]], path[-1], False)
                )
                self.sequences[name] = of
            else:
                read.next()

    def _drop_sequence(self, read: Reader) -> None:
        read.maybe("if", "exists")
        for name in read.names():
            self.sequences.pop(name, None)

    # Extensions and collations

    def _create_extension(self, read: Reader) -> None:
        read.maybe("if", "not", "exists")
        self.extensions.add(read.name())

    def _alter_extension(self, read: Reader) -> None:
        """An update of one leaves the tables as they are."""

    def _drop_extension(self, read: Reader) -> None:
        read.maybe("if", "exists")
        self.extensions -= {*read.names()}
        if read.has("cascade"):
            raise CannotFollow

    def _create_collation(self, read: Reader) -> None:
        read.maybe("if", "not", "exists")
        name = read.name()
        said = "".join(word.text for word in read.words[read.at :]).lower()
        if re.search(r"deterministic=['\"]?(false|off|0)\b", said):
            self.vague.add(name)

    def _alter_collation(self, read: Reader) -> None:
        name = read.name()
        if read.maybe("rename", "to") and name in self.vague:
            self.vague.add(read.name())

    def _drop_collation(self, read: Reader) -> None:
        read.maybe("if", "exists")
        self.vague -= {*read.names()}


def _joined(table: str, column: str, label: str) -> str:
    """Return ``table_column_label``, of which the longer of the first two is cut."""
    one, two = len(table.encode()), len(column.encode())
    available = LONGEST - len(label) - 1 - bool(column)
    while one + two > available:
        if one > two:
            one -= 1
        else:
            two -= 1
    return "_".join(part for part in (cut(table, one), cut(column, two), label) if part)


def _renamed(things: dict[str, T], old: str, new: str) -> dict[str, T]:
    """Return a dict in which a key is another, in its place."""
    return {new if key == old else key: thing for key, thing in things.items()}
