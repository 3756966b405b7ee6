"""A copy of a SQLite schema in memory, on which a plan can be followed without a row.

Its tables have columns and nothing else; its views, triggers and indexes are those of the live
database. SQLite itself then tells which of them a change leaves without what they read.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3._functions import register  # type: ignore[import-untyped]

from hotel.migrator.editors.sqlite_objects import MADE, Made
from hotel.migrator.sql.parsing import quoted

# "error in view a_v after drop column: no such column: n"
_ERROR = re.compile(
    r"error in (view|trigger|index|table) (.+?)(?: after (?:rename|drop column|add column))?: (.*)",
    re.DOTALL,
)
_PROBE = "migrator_shadow_probe"


class Shadow:
    """The tables, and beside them those of ``things``, a list of Made."""

    def __init__(self, connection: BaseDatabaseWrapper, things: Iterable[Made]) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        register(self.raw)  # the functions that Django adds, which views may call
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in cursor.fetchall():
                if name.lower().startswith("sqlite_"):
                    continue
                cursor.execute("SELECT name, pk FROM pragma_table_xinfo(%s)", [name])
                columns = cursor.fetchall()
                keys = [column for column, is_key in columns if is_key]
                self.create(name, [column for column, _ in columns], keys)
        self._run(f"CREATE TABLE {_PROBE} (probe)")
        for one in things:
            with suppress(sqlite3.Error):  # such as an index of a virtual table
                self._run(one.sql)
        self.wrong = self.broken()  # of what stands, before anything is changed

    def close(self) -> None:
        """Let it go."""
        self.raw.close()

    def things(self) -> list[Made]:
        """Return the views, triggers and indexes that are there by now, as Made."""
        return [Made(*row) for row in self.raw.execute(MADE)]

    def columns(self, table: str) -> set[str]:
        """Return the columns of a table by now, in small letters."""
        names = self.raw.execute("SELECT lower(name) FROM pragma_table_xinfo(?)", [table])
        return {name for (name,) in names}

    def create(self, table: str, columns: Iterable[str], keys: Sequence[str] = ()) -> None:
        """Make a table."""
        parts = [*map(quoted, columns)] or ["nothing"]
        parts += [f"UNIQUE ({', '.join(map(quoted, keys))})"] if keys else []
        with suppress(sqlite3.Error):
            self._run(f"CREATE TABLE {quoted(table)} ({', '.join(parts)})")

    def run(self, script: str) -> None:
        """Run what a migration says, as far as it can be run here."""
        with suppress(sqlite3.Error, sqlite3.Warning):
            self.raw.executescript(script)

    def drop(self, table: str) -> list[tuple[Made, str]]:
        """Drop a table, and return what then lacks it: ``[(Made, why), …]``."""
        with suppress(sqlite3.Error):
            self._run(f"DROP TABLE {quoted(table)}")
        return self.broken()

    def alter(self, table: str, how: str) -> list[tuple[Made, str]]:
        """Alter a table, and return what no longer fits: ``[(Made, why), …]``."""
        return self._tried(f"ALTER TABLE {quoted(table)} {how}")

    def broken(self) -> list[tuple[Made, str]]:
        """Drop and return what lacks what it reads: ``[(Made, why), …]``."""
        wrong = self._tried(f"ALTER TABLE {_PROBE} RENAME TO {_PROBE}_")
        return wrong + self._tried(f"ALTER TABLE {_PROBE}_ RENAME TO {_PROBE}")

    def _tried(self, sql: str) -> list[tuple[Made, str]]:
        """Run a statement, and return what had to be dropped before it could."""
        wrong: list[tuple[Made, str]] = []
        while True:
            try:
                self._run(sql)
                return wrong
            except sqlite3.Error as error:
                match = _ERROR.match(str(error))
                there = {one.name: one for one in self.things()}
                if not match or match[2] not in there:
                    return wrong
                one = there[match[2]]
                if one.kind == "view":  # DROP VIEW drops its triggers too
                    wrong += [
                        (each, f"it is on the view {one.name} and goes with it")
                        for each in there.values()
                        if each.kind == "trigger" and each.table.lower() == one.name.lower()
                    ]
                wrong.append((one, match[3]))
                self._run(f"DROP {one.kind} {quoted(one.name)}")

    def _run(self, sql: str) -> None:
        self.raw.execute(sql)
