"""Tables moved out of the way, so that others can have their names, and moved back as they were.

On PostgreSQL they go into a schema of their own, with their indexes, constraints and sequences, and
no row is touched. SQLite has one schema: there tables get other names and lose their indexes, and
the statements that made the originals are kept. All of it happens in the transaction of the caller.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text

Kept = dict[str, Any]  # what was moved, as JSON, so that it can be brought back


def place(connection: BaseDatabaseWrapper, name: str) -> "Aside":
    """Return the ``Aside`` of the engine. name: the schema, or how the names of tables begin."""
    return {"postgresql": Schema, "sqlite": Copies}[connection.vendor](connection, name)


class Aside(ABC):
    """The place for tables that are moved out of the way, and what both engines can do with it."""

    home: str  # the schema in which tables are made

    def __init__(self, connection: BaseDatabaseWrapper, name: str) -> None:
        self.connection = connection
        self.name = name

    def rows(self, sql: str, params: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return the rows it gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    def new(self, table: str) -> str:
        """Return SQL for a table that is made in the place of one that was moved, or shown."""
        return quoted(table)

    def show(self) -> None:
        """Let tables that are made now be temporary, so that those that stand can stay."""
        raise NotImplementedError("SQLite shows it in a copy of the file")

    def elsewhere(self, tables: Iterable[str]) -> list[str]:
        """Return other schemas that have one of these tables."""
        return []

    @abstractmethod
    def here(self, table: str) -> str:
        """Return SQL for a table where it always was."""

    @abstractmethod
    def there(self, table: str) -> str:
        """Return SQL for a table that was moved."""

    @abstractmethod
    def lock(self, tables: Collection[str]) -> None:
        """Let nobody read or write these until the transaction ends."""

    @abstractmethod
    def move(self, tables: Collection[str], *, bare: bool = False) -> Kept:
        """Move tables and return what ``bring_back`` needs.

        bare: let them keep rows and columns alone, where their constraints would bind others.
        """

    @abstractmethod
    def bring_back(self, kept: Kept) -> None:
        """Undo ``move``."""

    @abstractmethod
    def drop(self, kept: Kept, tables: Collection[str]) -> None:
        """Drop some of the tables that were moved."""

    @abstractmethod
    def last_key(self, place: str, table: str, kept: Kept) -> int:
        """Return the highest key that a table ever had or gave, or 0. place: SQL for the table."""

    @abstractmethod
    def count_from(self, table: str, last: int) -> None:
        """Let the keys of a table that was made go on after ``last``."""

    @abstractmethod
    def gone(self, kept: Kept) -> list[str]:
        """Return those of the tables that were moved that are not there any more."""


class Schema(Aside):
    """PostgreSQL: another schema of the same database."""

    shown_home = ""  # the schema that is only looked at, by ``show``

    @property
    def home(self) -> str:  # type: ignore[override]  # SQLite has one schema
        """The schema in which tables are made."""
        if self.shown_home:
            return self.shown_home
        [(name,)] = self.rows("SELECT current_schema()")
        return str(name)

    def here(self, table: str) -> str:
        """Return SQL for a table where it always was."""
        return f"{quoted(self.home)}.{quoted(table)}"

    def there(self, table: str) -> str:
        """Return SQL for a table that was moved."""
        return f"{quoted(self.name)}.{quoted(table)}"

    def show(self) -> None:
        """Let tables that are made now be temporary, so that those that stand can stay.

        Whatever is read is of one moment.
        """
        self.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.shown_home = self.home
        self.rows(f"SET LOCAL search_path TO pg_temp, {quoted(self.shown_home)}")

    def lock(self, tables: Collection[str]) -> None:
        """Let nobody read or write these until the transaction ends."""
        if tables:
            self.rows(f"LOCK TABLE {', '.join(map(self.here, tables))} IN ACCESS EXCLUSIVE MODE")

    def move(self, tables: Collection[str], *, bare: bool = False) -> Kept:
        """Move tables, with all they have, and return what ``bring_back`` needs."""
        made = not self.rows("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self.name])
        if made:
            self.rows(f"CREATE SCHEMA {quoted(self.name)}")
        loose = self._loose_sequences(tables)
        for kind, names in (("TABLE", tables), ("SEQUENCE", loose)):
            for name in names:
                self.rows(f"ALTER {kind} {self.here(name)} SET SCHEMA {quoted(self.name)}")
        return {"made": made, "tables": list(tables), "sequences": loose}

    def _loose_sequences(self, tables: Iterable[str]) -> list[str]:
        """Return sequences that defaults of these tables ask and that belong to no column."""
        return [
            name
            for (name,) in self.rows(
                "SELECT DISTINCT s.relname FROM pg_attrdef d"
                " JOIN pg_class c ON c.oid = d.adrelid"
                " JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = d.oid"
                " AND u.refclassid = 'pg_class'::regclass"
                " JOIN pg_class s ON s.oid = u.refobjid AND s.relkind = 'S'"
                " WHERE c.relnamespace = quote_ident(current_schema())::regnamespace"
                " AND s.relnamespace = c.relnamespace AND c.relname = ANY(%s)"
                " AND NOT EXISTS (SELECT 1 FROM pg_depend o WHERE o.classid ="
                " 'pg_class'::regclass AND o.objid = s.oid AND o.deptype IN ('a', 'i'))",
                [list(tables)],
            )
        ]

    def bring_back(self, kept: Kept) -> None:
        """Undo ``move``."""
        home = quoted(self.home)
        for kind, names in (("TABLE", kept["tables"]), ("SEQUENCE", kept["sequences"])):
            for name in names:
                self.rows(f"ALTER {kind} {self.there(name)} SET SCHEMA {home}")
        if kept["made"]:
            self._drop_if_empty()

    def drop(self, kept: Kept, tables: Collection[str]) -> None:
        """Drop some of the tables that were moved; those that stay let go of them first."""
        if not self.rows("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self.name]):
            return  # somebody was quicker
        for table, name in self.rows(
            "SELECT o.relname, k.conname FROM pg_constraint k"
            " JOIN pg_class c ON c.oid = k.confrelid JOIN pg_class o ON o.oid = k.conrelid"
            " WHERE k.contype = 'f' AND c.relnamespace = %s::regnamespace"
            " AND o.relnamespace = c.relnamespace AND c.relname = ANY(%s)"
            " AND o.relname <> ALL(%s)",
            [quoted(self.name), list(tables), list(tables)],
        ):
            self.rows(f"ALTER TABLE {self.there(table)} DROP CONSTRAINT {quoted(name)}")
        if tables:
            self.rows(f"DROP TABLE {', '.join(map(self.there, tables))}")
        left = set(kept["tables"]) - set(tables)
        if not left:
            for name in kept["sequences"]:
                self.rows(f"DROP SEQUENCE IF EXISTS {self.there(name)}")
        if kept["made"]:
            self._drop_if_empty()

    def _drop_if_empty(self) -> None:
        if not self.rows(
            "SELECT 1 FROM pg_class WHERE relnamespace = %s::regnamespace", [quoted(self.name)]
        ):
            self.rows(f"DROP SCHEMA {quoted(self.name)}")

    def last_key(self, place: str, table: str, kept: Kept) -> int:
        """Return the highest key that a table ever had or gave, or 0. place: SQL for the table."""
        sequences = self.rows(
            # Its own one, or one that its default asks and that belongs to nobody.
            "SELECT DISTINCT s.oid::regclass::text FROM pg_attribute a"
            " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
            " JOIN pg_depend u ON (u.classid, u.objid) = ('pg_attrdef'::regclass, d.oid)"
            " AND u.refclassid = 'pg_class'::regclass"
            " OR (u.refclassid, u.refobjid, u.refobjsubid) ="
            " ('pg_class'::regclass, a.attrelid, a.attnum) AND u.classid = 'pg_class'::regclass"
            " JOIN pg_class s ON s.relkind = 'S' AND s.oid IN (u.objid, u.refobjid)"
            " WHERE a.attrelid = %s::regclass AND a.attname = 'id'",
            [place],
        )
        [(greatest,)] = self.rows(f"SELECT coalesce(max(id), 0) FROM {place}")
        last = int(greatest)
        for (sequence,) in sequences:
            [(given, is_called)] = self.rows(f"SELECT last_value, is_called FROM {sequence}")
            last = max(last, given if is_called else 0)
        return max(last, 0)

    def count_from(self, table: str, last: int) -> None:
        """Let the keys of a table that was made go on after ``last``."""
        name = self.here(table)
        self.rows("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [name, last])

    def elsewhere(self, tables: Iterable[str]) -> list[str]:
        """Return other schemas that have one of these tables."""
        schemas = self.rows(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = ANY(%s)"
            " AND schemaname <> current_schema() AND schemaname !~ '^pg_'"
            " AND schemaname <> 'information_schema' ORDER BY 1",
            [list(tables)],
        )
        return [name for (name,) in schemas]

    def gone(self, kept: Kept) -> list[str]:
        """Return those of the tables that were moved that are not there any more."""
        left = self.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", [self.name])
        return sorted(set(kept["tables"]) - {name for (name,) in left})


class Copies(Aside):
    """SQLite: tables of other names, without constraints."""

    def here(self, table: str) -> str:
        """Return SQL for a table where it always was."""
        return f"main.{quoted(table)}"

    def there(self, table: str) -> str:
        """Return SQL for a table that was moved."""
        return quoted(f"{self.name}_{table}")

    def lock(self, tables: Collection[str]) -> None:
        """Do nothing: the transaction holds the only lock there is."""

    def move(self, tables: Collection[str], *, bare: bool = False) -> Kept:
        """Rename tables and return what ``bring_back`` needs.

        bare: let them keep rows and columns alone, which means a copy of them. SQLite checks the
        foreign keys of all tables whenever a migration rebuilds one, so that none may be broken.
        """
        made = self.rows(
            "SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN"
            f" ({', '.join(['%s'] * len(tables))}) ORDER BY type <> 'table', rowid",
            list(tables),
        )
        counters = {}
        if self.rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            counters = dict(self.rows("SELECT name, seq FROM sqlite_sequence"))
        for table in tables if bare else ():
            columns = self._columns(table)
            declared = ", ".join(f"{quoted(name)} {kind}" for name, kind, _ in columns)
            self.rows(f"CREATE TABLE {self.there(table)} ({declared})")
            self._copy(self.here(table), self.there(table), columns)
        for table in tables if bare else ():
            self.rows(f"DROP TABLE {self.here(table)}")
        for table in () if bare else tables:
            for (index,) in self.rows(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
                " AND tbl_name = %s",
                [table],
            ):
                self.rows(f"DROP INDEX {quoted(index)}")
            self.rows(f"ALTER TABLE {self.here(table)} RENAME TO {self.there(table)}")
        return {
            "tables": list(tables),
            "sql": [sql for _, sql in made],
            "counters": {table: counters[table] for table in tables if table in counters},
        }

    def _columns(self, table: str) -> list[tuple[str, str, bool]]:
        """Return name, declared type and whether it is computed, of each column."""
        kinds = self.rows(f"SELECT name, type, pk, hidden FROM pragma_table_xinfo({text(table)})")
        return [
            # The key stays the number of the row, so that rows stand in their order.
            (name, "INTEGER PRIMARY KEY" if pk and _is_integer(kind) else kind, hidden in (2, 3))
            for name, kind, pk, hidden in kinds
        ]

    def _copy(self, source: str, target: str, columns: list[tuple[str, str, bool]]) -> None:
        names = ", ".join(quoted(name) for name, *_ in columns)
        self.rows(f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}")

    def bring_back(self, kept: Kept) -> None:
        """Make the tables anew, with the statements that made them, and give them their rows."""
        indexes = [sql for sql in kept["sql"] if not re.match(r"\s*CREATE\s+TABLE\b", sql, re.I)]
        for sql in kept["sql"]:
            if sql not in indexes:
                self.rows(sql)
        for table in kept["tables"]:
            columns = [column for column in self._columns(table) if not column[2]]
            self._copy(self.there(table), self.here(table), columns)
            self.rows(f"DROP TABLE {self.there(table)}")
        for sql in indexes:
            self.rows(sql)
        for table, number in kept["counters"].items():
            self.rows("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            self.rows("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])

    def drop(self, kept: Kept, tables: Collection[str]) -> None:
        """Drop some of the tables that were moved."""
        for table in tables:
            self.rows(f"DROP TABLE {self.there(table)}")

    def last_key(self, place: str, table: str, kept: Kept) -> int:
        """Return the highest key that a table ever had or gave, or 0. place: SQL for the table."""
        [(last,)] = self.rows(f"SELECT coalesce(max(id), 0) FROM {place}")
        return max(int(last), int(kept["counters"].get(table, 0)), 0)

    def count_from(self, table: str, last: int) -> None:
        """Let the keys of a table that was made go on after ``last``."""
        self.rows("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        self.rows("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])

    def gone(self, kept: Kept) -> list[str]:
        """Return those of the tables that were moved that are not there any more."""
        tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in tables}
        return [table for table in kept["tables"] if f"{self.name}_{table}" not in names]


def _is_integer(kind: str) -> bool:
    return kind.upper() == "INTEGER"
