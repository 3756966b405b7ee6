"""A PostgreSQL on paper: statements are taken down, and what migrations ask is answered from them.

Nothing is connected to. So a script is written without a server, without rights on one, and from an
SQLite database, and it is the same wherever it is written. What Django's schema editor and our
operations ask of a database without rows is answered by a ``Sketch`` of its schema. Whatever else
is asked raises ``NotOnPaper``.
"""

import re
from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any

from django.db.backends.postgresql import base, introspection
from django.db.models import Index
from django.db.utils import ConnectionHandler

from hotel.migrator.editors import postgresql
from hotel.migrator.exceptions import NotOnPaper
from hotel.migrator.scratch.dependents import Unsure
from hotel.migrator.scratch.sketch import Sketch, Table
from hotel.migrator.scratch.words import CannotFollow, Reader, statements
from hotel.migrator.sql.parsing import bare
from hotel.migrator.sql.quoting import UnknownKind, literal, written_out
from hotel.migrator.storage.archive import writes_script

Row = tuple[Any, ...]

OLDEST = 150000  # the oldest PostgreSQL that Hotel runs on: its SQL is understood by all

_READS = re.compile(r"\s*(SELECT|WITH|VALUES|TABLE|SHOW|EXPLAIN)\b", re.IGNORECASE)
_TABLES_READ = re.compile(r'\b(?:FROM|JOIN)\s+"((?:[^"]|"")+)"', re.IGNORECASE)
_INSERT = re.compile(r'\s*INSERT INTO "(?P<table>(?:[^"]|"")+)"\s*(?:\((?P<columns>[^()]*)\))?')
_RETURNING = re.compile(r'\sRETURNING "(?:[^"]|"")+"\."(?P<column>(?:[^"]|"")+)"\s*$')
_UPDATE_OF_ONE = re.compile(r'\s*UPDATE "(?P<table>[^"]+)" SET .* WHERE "[^"]+"\."[^"]+" = %s\s*$')
_AGGREGATE = re.compile(
    r"\b(COUNT|SUM|MIN|MAX|AVG|BOOL_AND|BOOL_OR|STDDEV\w*|VAR_\w+|\w+_AGG)\(", re.IGNORECASE
)


class Paper(base.DatabaseWrapper):
    """A connection to an empty PostgreSQL that is not there.

    place: of whom the statements are that run now, as the sentence of an error has it.
    is_own: whether that is an operation of ours, which reads rows only to count them.
    """

    pg_version = OLDEST
    place = ""
    is_own = False
    is_said = False

    class SchemaEditorClass(postgresql.SchemaEditor):
        """Tells what an operation says from what it asks."""

        connection: "Paper"

        def execute(self, sql: Any, params: Any = ()) -> None:
            """Take down a statement, which returns nothing."""
            self.connection.is_said = True
            try:
                super().execute(sql, params)
            finally:
                self.connection.is_said = False

        def quote_value(self, value: Any) -> str:
            """Return a value as SQL, which psycopg2 would write as the last server had it."""
            return self.connection.literal(value)

    class introspection_class(introspection.DatabaseIntrospection):
        """Answers from the sketch."""

        connection: "Paper"

        def get_table_list(self, _cursor: Any) -> list[Any]:
            """Return the tables."""
            return [
                introspection.TableInfo(name, "t", None) for name in self.connection.sketch.tables
            ]

        def get_table_description(self, _cursor: Any, table_name: str) -> list[Any]:
            """Return the columns, of which nothing is known but their names."""
            table = self.connection.about(table_name, "columns")
            return [SimpleNamespace(name=name) for name in table.columns] if table else []

        def get_sequences(
            self, _cursor: Any, table_name: str, _table_fields: Any = ()
        ) -> list[Any]:
            """Return the sequences that belong to a column."""
            table = self.connection.about(table_name, "sequences")
            return [
                {"name": name, "table": table_name, "column": column}
                for name, (of, column, _) in self.connection.sketch.sequences.items()
                if of is table and table
            ]

        def get_constraints(self, _cursor: Any, table_name: str) -> dict[str, Any]:
            """Return constraints and indexes as Django reads them from the catalog."""
            table = self.connection.about(table_name, "constraints")
            names = {of: name for name, of in self.connection.sketch.tables.items()}
            return _constraints(table, names) if table else {}

    def __init__(self, alias: str) -> None:
        given = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "paper"}}
        super().__init__(ConnectionHandler(given).settings["default"], alias)
        self.sketch = Sketch()
        self.keys: dict[str, set[Any]] = {}  # of the rows that were inserted, by table

    def connect(self) -> None:
        """Do as if there were a server."""
        self.in_atomic_block, self.needs_rollback, self.closed_in_transaction = False, False, False
        self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []
        self.connection = _Sheet(self)
        self.set_autocommit(True)

    def is_usable(self) -> bool:
        """Paper is."""
        return True

    def literal(self, value: Any, vendor: str = "postgresql") -> str:
        """Return a value as SQL, or NULL for one that only a driver can write.

        Where no script is written, nobody reads it.
        """
        try:
            return literal(value, vendor)
        except UnknownKind:
            if writes_script(self):
                raise
            return "NULL"

    def about(self, name: str, asked: str) -> Table | None:
        """Return the table of this name, or None. Raises NotOnPaper if nothing is sure about it.

        asked: what is asked of it.
        """
        if doubt := self.sketch.doubt_about(name):
            raise NotOnPaper(
                f"{self.place} asks for the {asked} of {name}, which a statement of {doubt.place}"
                f" may have changed ({doubt.sql})"
            )
        return self.sketch.tables.get(name)

    def hanging(
        self, what: str, table: str, column: str, known: Collection[str] = ()
    ) -> list[tuple[str, str]]:
        """Return what hangs on a table or a column, for ``editors.hanging``.

        what: "lost" or "blocking". table: as SQL. Raises NotOnPaper.
        """
        one = self._table(table, "dependents")
        if one is None:
            return []
        try:
            if what == "lost":
                return self.sketch.lost(one, column, known)
            return self.sketch.blocking(one, column)
        except Unsure as doubt:
            [dependent] = doubt.args
            place = ".".join(filter(None, (bare(table), column)))
            raise NotOnPaper(
                f"{self.place} changes {place}, and its words alone do not tell whether the"
                f" {dependent.kind} {dependent.name} reads that"
            ) from None

    def reading(self, table: str, column: str) -> list[tuple[str, str, str, list[str]]]:
        """Return the indexes and constraints that read a column, for ``editors.hanging``."""
        one = self._table(table, "indexes")
        if one is None:
            return []
        indexes = [("index", name, name, [*each.reads]) for name, each in one.indexes.items()]
        rules = [
            ("constraint", name, name, [*each.reads]) for name, each in one.constraints.items()
        ]
        return sorted(each for each in (*rules, *indexes) if column in each[3])

    def _table(self, sql: str, asked: str) -> Table | None:
        return self.about(bare(sql).split('"."')[-1], asked)

    def run(self, sql: str, params: Any) -> tuple[list[Row], int]:
        """Take down a statement and return the rows that it returns, and how many it is about."""
        if _READS.match(sql) and not self.is_said:
            return self._answer(sql, params), -1
        if found := _INSERT.match(sql):
            return self._insert(found, sql, params)
        if found := _UPDATE_OF_ONE.match(sql):
            return [], int(params[-1] in self.keys.get(found["table"], ()))
        self.sketch.follow(sql, self.place)
        return [], -1

    def _insert(self, found: re.Match[str], sql: str, params: Any) -> tuple[list[Row], int]:
        """Return the keys that an INSERT gives to its rows, as the server numbers them."""
        keys = self.keys.setdefault(found["table"], set())
        columns = [name.strip().strip('"') for name in (found["columns"] or "").split(",")]
        number = len(params[0]) if "UNNEST((" in sql else 1 + sql.count("), (")
        if not (returning := _RETURNING.search(sql)):
            if " RETURNING " in sql:
                raise self._unknown(sql)
            if " SELECT " not in sql:
                keys |= {("?", len(keys) + one) for one in range(number)}
            return [], number
        if returning["column"] in columns:
            place = columns.index(returning["column"])
            of_many = params[place] if "UNNEST((" in sql else params[place :: len(columns)]
            made = [*of_many] if isinstance(of_many, list | tuple) else [of_many]
        else:
            made = [len(keys) + one for one in range(1, number + 1)]
        keys |= {*made}
        return [(key,) for key in made], number

    def _of_catalog(self, sql: str, params: Any) -> list[Row] | None:
        """Return what a question of ours or of Django's about the schema returns; else None."""
        asked: Any = params[0] if params else None
        for question, answer in (
            (r"(?=.*collisdeterministic).*FROM pg_collation", self._collation),
            (r"FROM\s+pg_extension\s+WHERE\s+extname", self._extension),
            (r"FROM pg_type", self._nothing),  # whether the driver must know hstore and citext
            (r"SELECT indisvalid FROM pg_index", self._index),
            # Which may be locked, and for how long.
            (r"FROM unnest\(%s\) AS name \(name\) JOIN pg_class", self._locked),
            (r"SELECT relkind = 'p' FROM pg_class", self._partitioned),
        ):
            if re.search(question, sql, re.DOTALL):
                return answer(asked)
        if "SELECT count(*) FROM pg_constraint WHERE conname = %s AND conrelid" in sql:
            table = self.about(params[1], "constraints")
            return [(int(bool(table and asked in table.constraints)),)]
        return None

    def _collation(self, name: str) -> list[Row]:
        return [(name not in self.sketch.vague,)]

    def _extension(self, name: str) -> list[Row]:
        return [(1,)] if name in self.sketch.extensions else []

    def _nothing(self, _asked: Any) -> list[Row]:
        return []

    def _index(self, name: str) -> list[Row]:
        tables = self.sketch.tables.values()
        return [(True,)] if any(name in table.indexes for table in tables) else []

    def _locked(self, names: list[str]) -> list[Row]:
        return [(name, 0) for name in names if name in self.sketch.tables]

    def _partitioned(self, name: str) -> list[Row]:
        table = self.about(name[1:-1].replace('""', '"'), "kind")
        return [(table.is_partitioned,)] if table else []

    def _answer(self, sql: str, params: Any) -> list[Row]:
        """Return what a query returns on a database without rows."""
        found = self._of_catalog(sql, params)
        if found is not None:
            return found
        if re.search(r"\b(pg_\w+|information_schema)\b", sql):
            raise self._unknown(sql)
        filled = [
            name
            for name in _TABLES_READ.findall(sql)
            if self.keys.get(name) and not name.startswith("migrator_")
        ]
        if filled and not self.is_own:
            raise self._unknown(sql)
        if re.match(r"\s*SELECT EXISTS\s*\(", sql, re.IGNORECASE):
            return [(False,)]
        if _AGGREGATE.search(sql) and " GROUP BY " not in sql:
            try:
                return [_of_no_rows(sql)]
            except (CannotFollow, ValueError):
                raise self._unknown(sql) from None
        return []

    def _unknown(self, sql: str) -> NotOnPaper:
        return NotOnPaper(f"{self.place} asks a server: {' '.join(sql.split())[:80]}")


class _Sheet:
    """What stands for a connection of the driver."""

    autocommit = True
    closed = 0

    def __init__(self, paper: Paper) -> None:
        self.paper = paper

    def cursor(self, *_args: Any, **_options: Any) -> "_Cursor":
        return _Cursor(self.paper)

    def commit(self) -> None:
        """There is nothing to commit."""

    rollback = close = commit


class _Cursor:
    """What stands for a cursor of the driver."""

    description = None
    arraysize = 1
    itersize = 2000
    query = b""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.rows: list[Row] = []
        self.rowcount = -1

    def execute(self, sql: str, params: Any = None) -> None:
        self.rows, self.rowcount = self.paper.run(str(sql), params)

    def mogrify(self, sql: str, params: Any = None) -> bytes:
        return written_out(str(sql), params, "postgresql", self.paper.literal).encode()

    def executemany(self, sql: str, many: Any) -> None:
        for params in many:
            self.execute(sql, params)

    def fetchone(self) -> Row | None:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, size: int = 1) -> list[Row]:
        found, self.rows = self.rows[:size], self.rows[size:]
        return found

    def fetchall(self) -> list[Row]:
        found, self.rows = self.rows, []
        return found

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())

    def __enter__(self) -> "_Cursor":
        return self

    def __exit__(self, *error: object) -> None:
        """There is nothing to close."""

    def close(self) -> None:
        """There is nothing to close."""

    def __getattr__(self, name: str) -> Any:
        raise NotOnPaper(f"{self.paper.place} asks a server by {name}() of a cursor")


def _of_no_rows(sql: str) -> Row:
    """Return what a query of aggregates returns: 0 for a count, NULL for the others.

    Raises CannotFollow and ValueError if it asks for something else too.
    """
    [words] = statements(sql)
    end = next((at for at, word in enumerate(words) if word == "from"), len(words))
    found = []
    for part in Reader(words[1:end]).split():
        read = Reader(part)
        called = read.next().text
        read.parts()
        if not _AGGREGATE.match(f"{called}(") or not (read.is_done or read.sees("as")):
            raise CannotFollow
        found.append(0 if called == "count" else None)
    return tuple(found)


def _constraints(table: Table, names: dict[Table, str]) -> dict[str, Any]:
    """Return what ``get_constraints`` of Django returns; names: of the tables."""
    found = {}
    for name, one in table.constraints.items():
        found[name] = {
            "columns": one.columns,
            "primary_key": one.kind == "p",
            "unique": one.kind in ("p", "u"),
            "foreign_key": (names[one.target[0]], one.target[1]) if one.target else None,
            "check": one.kind == "c",
            "index": False,
            "definition": None,
            "options": None,
        }
    for name, index in sorted(table.indexes.items()):
        is_basic = index.method == "btree" and not name.endswith("_btree") and index.options is None
        unordered = [None] * len(index.columns) if index.columns[1:] else []
        found[name] = {
            "columns": [] if index.columns == [None] else index.columns,
            "orders": index.orders if index.method == "btree" else unordered,
            "primary_key": False,
            "unique": index.is_unique,
            "foreign_key": None,
            "check": False,
            "index": True,
            "type": Index.suffix if is_basic else index.method,
            "definition": None,
            "options": index.options,
        }
    return found
