"""Which table and column of the live database a plan means by the names of its states."""

from __future__ import annotations

from contextlib import nullcontext

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.plan import steps
from hotel.migrator.plan.steps import Step, Table
from hotel.migrator.sql import parsing


class Live:
    """Which table and column of the live database a name of a state stands for.

    That is the same name until the plan has renamed, made or dropped something.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        with connection.cursor() as cursor:
            live = connection.introspection.get_table_list(cursor)
        # Partitions have a type of their own.
        self.tables: dict[str, tuple[str, dict[str, str | None]]] = {
            one.name: (one.name, {}) for one in live if one.type != "v"
        }
        self.asked = set[str]()  # for tables of schemas that are named

    def table(self, name: str) -> str | None:
        """Return the live table, or None if the plan makes it or nobody has."""
        self._ask(name)
        return self.tables.get(parsing.bare(name), (None, {}))[0]

    def column(self, name: str, column: str) -> str | None:
        """Return the live column of a table that stands, or None if the plan makes it."""
        self._ask(name)
        live, columns = self.tables.get(parsing.bare(name), (None, {}))
        return columns.get(column, column) if live else None

    def _ask(self, name: str) -> None:
        """Look once whether a table of a schema that is named stands."""
        key = parsing.bare(name)
        if not parsing.is_elsewhere(name) or key in self.asked or key in self.tables:
            return
        if hasattr(self.connection, "sketch"):  # paper, which has one schema
            return
        self.asked.add(key)
        sql = parsing.elsewhere(name)
        own = transaction.atomic if self.connection.in_atomic_block else nullcontext
        try:
            with own(), self.connection.cursor() as cursor:
                cursor.execute(f"SELECT 1 FROM {sql} LIMIT 0")
        except DatabaseError:  # it is not there, or not for this role
            return
        self.tables[key] = (sql, {})

    def follow(self, step: Step) -> None:
        """Take a step as done."""
        for old, new in steps.pairs(step, self.connection):
            if old and new:
                self._follow_fields(step, old, new)
            elif old:
                for name in [old.name, *self._many_to_many(old)]:
                    self.asked.add(parsing.bare(name))
                    self.tables.pop(parsing.bare(name), None)

    def _follow_fields(self, step: Step, old: Table, new: Table) -> None:
        self._ask(old.name)
        stands = self.tables.pop(parsing.bare(old.name), None)
        if stands is None:
            return
        live, columns = stands
        renamed = dict(columns)
        renamed |= {one.column: None for one in old.columns.values()}
        for before, after in steps.field_pairs(step, old, new):
            if before is not None and before.many_to_many:
                was = steps.many_to_many_table(old, before, self.connection) or ""
                self._ask(was)
                stands = self.tables.pop(was, None)
                if stands and after is not None and after.many_to_many:
                    becomes = steps.many_to_many_table(new, after, self.connection)
                    self.tables[becomes or ""] = stands
            elif before is not None and after is not None and before.column and after.column:
                renamed[after.column] = columns.get(before.column, before.column)
            elif after is not None and after.column:
                renamed[after.column] = None
        self.tables[parsing.bare(new.name)] = (live, renamed)

    def _many_to_many(self, one: Table) -> list[str]:
        names = [
            steps.many_to_many_table(one, each, self.connection) for each in one.fields.values()
        ]
        return [name for name in names if name]
