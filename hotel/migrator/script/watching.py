"""What an operation reads while it is taken down: whether a script may say what it has said.

A script has no Python. So what depends on rows that Python has read, or on the keys that rows got,
cannot be written; what our own operations do never does.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.db.migrations import Migration, RunSQL
from django.db.migrations.operations.base import Operation

from hotel.migrator import operations
from hotel.migrator.exceptions import MigratorError, RefusedByPreflight
from hotel.migrator.sql.quoting import NotQuotable

if TYPE_CHECKING:
    from hotel.migrator.script.offline import Range

# What is run only to look, unless an operation says it; and what the script has its own words for.
_LOOKS = re.compile(
    r"\s*(SELECT(?!.*\b(setval|set_config)\()|SHOW|EXPLAIN)\b", re.IGNORECASE | re.DOTALL
)
_AROUND = re.compile(
    r"\s*((BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b[^;]*;?\s*$"
    r"|PRAGMA\s+(foreign_keys\b|[a-z_]+\s*(\(|$)))",
    re.IGNORECASE,
)
_CATALOG = re.compile(r"\b(pg_\w+|information_schema|sqlite_master)\b")
_TABLES_READ = re.compile(r'(?:FROM|JOIN)\s+"((?:[^"]|"")+)"', re.IGNORECASE)
_RENAMES = re.compile(r'\s*ALTER TABLE "((?:[^"]|"")+)" RENAME TO "((?:[^"]|"")+)"')
_FILLED_UNQUOTED = re.compile(r"\b(?:INTO|UPDATE)\s+(?:\w+\.)?(\w+)", re.IGNORECASE)


def is_look(connection: Any, sql: str) -> bool:
    """Tell whether a statement only looks, or is one of those that the script writes itself."""
    if _AROUND.match(sql):
        return True
    # No SELECT does anything on SQLite; on PostgreSQL it may call a function that does.
    is_said = getattr(connection, "is_said", False) and connection.vendor == "postgresql"
    return bool(_LOOKS.match(sql)) and not is_said


class _Watch:
    """What one operation reads and writes.

    read, made, gone, rebuilt, filled: tables. asked: functions of the migration that one of our
    operations is calling. inserted: how many rows got a key.
    """

    def __init__(self, connection: Any, operation: Operation, *, has_rows: bool) -> None:
        self.connection = connection
        self.has_rows = has_rows
        self.is_own = type(operation).__module__.startswith(operations.__name__)
        self.read: set[str] = set()
        self.made: set[str] = set()
        self.gone: set[str] = set()
        self.rebuilt: set[str] = set()
        self.filled: set[str] = set()
        self.asked: list[str] = []
        self.wrote = False
        self.inserted = 0

    def listen(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Note a statement and execute it."""
        if match := re.match(r'\s*CREATE TABLE "((?:[^"]|"")+)"', sql):
            self.made.add(match[1])
        elif match := re.match(r'\s*DROP TABLE "((?:[^"]|"")+)"', sql):
            self.gone.add(match[1])
            self.wrote = True
        elif match := _RENAMES.match(sql):
            self._rename(*match.groups())
        elif not is_look(self.connection, sql):
            self._write(sql, params if many else [params])
        elif self._reads(sql):
            self.read.update(_TABLES_READ.findall(sql) or ["?"])
        return execute(sql, params, many, context)

    def _rename(self, old: str, new: str) -> None:
        self.wrote = True
        if old == f"new__{new}":  # how SQLite alters a table: with its rows, if it has any
            self.rebuilt.add(new)
        else:
            self.gone.update((old, new))

    def _write(self, sql: str, rows: Sequence[Any]) -> None:
        self.wrote = True
        self.filled.update(re.findall(r'(?:INSERT INTO|UPDATE) "((?:[^"]|"")+)"', sql))
        self.filled.update(_FILLED_UNQUOTED.findall(sql))
        if self.is_own or not self.has_rows:
            return
        if any(_holds_key(values, self.inserted) for values in rows):
            self.read.add("the keys that rows got here")
        if re.match(r"\s*INSERT\b", sql):
            self.inserted += sum(_number_of_rows(sql, values) for values in rows)

    def _reads(self, sql: str) -> bool:
        """Tell whether Python gets to know what the rows hold."""
        if (self.is_own and not self.asked) or getattr(self.connection, "is_said", False):
            return False
        return bool(re.match(r"\s*(WITH|SELECT)\b", sql)) and not _CATALOG.search(sql)

    def settle(self, empty: set[str]) -> bool:
        """Note which tables are empty now; tell whether what was done depends on rows."""
        empty |= self.made
        empty -= self.filled | (self.gone - self.rebuilt)
        # Of nothing comes nothing.
        return bool(self.read) and (self.wrote or not self.read <= empty)


@contextmanager
def watch(
    connection: Any,
    migration: Migration,
    operation: Operation,
    span: "Range",
    empty: set[str],
    unwritable: list[NotQuotable],
) -> Iterator[Operation]:
    """Yield what does as an operation does; refuse one that depends on rows that Python has read.

    Those of ``hotel.migrator.operations`` write by sets. empty: the tables that
    the script has made and not filled; what reads those reads nothing.
    """
    it = _Watch(connection, operation, has_rows=bool(span.start))
    connection.is_own = it.is_own
    connection.is_text = isinstance(operation, RunSQL)  # whose author has said what is to go
    try:
        with connection.execute_wrapper(it.listen):
            yield _noting(operation, it.asked) if it.is_own else operation
    except NotQuotable as error:
        unwritable.append(error)
    except Exception as error:  # of the driver, which does not take it either
        is_without_rows = it.read - empty and not isinstance(error, MigratorError)
        if not (unwritable or is_without_rows):
            raise
    if unwritable:
        raise RefusedByPreflight(
            f"{migration} cannot be written as SQL: {operation.describe()} writes {unwritable[0]}."
            f" {unwritable[0].mend}"
        )
    if it.settle(empty):
        way = getattr(operation, "reverse_code" if span.backwards else "code", None)
        name = f", {way.__name__}()" if way else ""
        raise RefusedByPreflight(
            f"{migration} cannot be written as SQL: what it does depends on the rows that Python"
            f" reads ({operation.describe()}{name}). {NotQuotable.mend}"
        )


def _number_of_rows(sql: str, values: Any) -> int:
    """Return how many rows an INSERT of Django has; on PostgreSQL many are a list a column."""
    return len(values[0]) if "UNNEST((" in sql else 1 + sql.count("), (")


def _holds_key(values: Any, inserted: int) -> bool:
    """Tell whether one of the values may be the key of one of the rows that were inserted."""
    for value in values.values() if isinstance(values, dict) else values or ():
        of_many = isinstance(value, list) and _holds_key(value, inserted)
        if of_many or (type(value) is int and 0 < value <= inserted):
            return True
    return False


def _noting(operation: Operation, asked: list[str]) -> Operation:
    """Return an operation of ours that notes in ``asked`` while it calls a migration's function."""

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def told(*arguments: Any) -> Any:
            asked.append(function.__name__)
            try:
                return function(*arguments)
            finally:
                asked.pop()

        return told

    given = {
        name: function
        for name in ("code", "reverse_code")
        if (function := getattr(operation, name, None))
        # Those of our own are markers too, which must stay what they are.
        and not function.__module__.startswith(operations.__name__)
    }
    if not given:
        return operation
    # The migration keeps its own, which others run too.
    noted: Any = copy(operation)
    noted.copy_of = operation
    for name, function in given.items():
        setattr(noted, name, noting(function))
    return cast(Operation, noted)
