"""How the rows that stand are asked, and what is said of them: one query a check.

No more than ten keys come into Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeAlias

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.editors.generated import AnyField
from hotel.migrator.plan.finding import KEYS, Finding
from hotel.migrator.plan.live import Live
from hotel.migrator.plan.steps import EVERYTHING, Step, Table
from hotel.migrator.sql.parsing import quoted

# How many rows and the first keys, or why nobody knows.
Answer: TypeAlias = tuple[int, tuple[str, ...]] | str


class Alike(NamedTuple):
    """How rows are compared that are to be unique.

    parts: SQL, else the columns themselves. where: a condition. nulls: whether NULL equals NULL.
    name: of what is unique. converted: it need not be so for the first time, but the values were
    made others.
    """

    parts: Sequence[str] = ()
    where: str | None = ""
    nulls: bool = False
    name: str = ""
    converted: bool = False


class Asking:
    """Asks live tables for the rows of which a plan's states speak."""

    def __init__(
        self, connection: BaseDatabaseWrapper, accept_data_loss: bool, only_dropped: bool = False
    ) -> None:
        self.connection = connection
        self.accept_data_loss = accept_data_loss
        self.only_dropped = only_dropped
        self.live = Live(connection)
        # Writes values; runs nothing. Private parts of it are used.
        self.editor: Any = connection.schema_editor(collect_sql=True)
        self.columns = dict[str, set[str]]()  # of live tables, as far as they were asked for
        self.writers = dict[
            object, str
        ]()  # who writes a live (table, column), or EVERYTHING, earlier in the plan
        self.findings = list[Finding]()
        self.walked: Sequence[Step] = ()

    @property
    def pg_version(self) -> int:
        """The version of PostgreSQL, as 160002."""
        return int(getattr(self.connection, "pg_version", 0))

    def stand(self, table: Table, fields: Sequence[AnyField]) -> bool:
        """Tell whether the table and all the columns stand, so that there are rows to look at."""
        return bool(self.live.table(table.name)) and all(
            self.live.column(table.name, field.column) for field in fields
        )

    def place(self, table: Table, field: AnyField) -> tuple[str, str]:
        """Return the live table and column, "" where there is none."""
        live = self.live.table(table.name), self.live.column(table.name, field.column)
        return live[0] or "", live[1] or ""

    def name(self, table: Table, field: AnyField) -> str:
        """Return a column as a sentence names it."""
        return ".".join(self.place(table, field))

    def sql(self, table: Table, field: AnyField) -> str:
        """Return a column as the queries of ``ask`` read it."""
        return f"kept.{quoted(self.place(table, field)[1])}"

    def ask(
        self, table: Table, fields: Sequence[AnyField], condition: str, alike: Sequence[str] = ()
    ) -> Answer:
        """Return count and first keys of the rows that meet ``condition``, or why nobody knows.

        alike: SQL; only those count that have it in common with another one.
        """
        live = self.live.table(table.name) or ""
        columns = [self.live.column(table.name, column) for column in table.key_columns]
        keys = [f"kept.{quoted(column)}" for column in columns if column]
        shown, order = ", ".join([*keys, "count(*) OVER ()"]), ", ".join(keys) or "1"
        source = f"{quoted(live)} AS kept WHERE {condition}"
        if alike:
            together = f"count(*) OVER (PARTITION BY {', '.join(alike)}) AS migrator_alike"
            source = f"(SELECT {', '.join([*keys, together])} FROM {source}) AS kept"
            source += " WHERE migrator_alike > 1"
        # In a transaction of somebody else's, an error must not end it.
        own = transaction.atomic if self.connection.in_atomic_block else nullcontext
        try:
            with own(), self.connection.cursor() as cursor:
                there = self._columns(cursor, live)
                for column in [self.live.column(table.name, field.column) for field in fields]:
                    if column not in there:  # SQLite would take its name for a text
                        return f"{live} has no column {column}"
                cursor.execute(f"SELECT {shown} FROM {source} ORDER BY {order} LIMIT {KEYS}")
                rows = cursor.fetchall()
        except DatabaseError as error:
            return f"{live} cannot be asked ({type(error.__cause__ or error).__name__})"
        return (rows[0][-1] if rows else 0), tuple(",".join(map(str, row[:-1])) for row in rows)

    def _columns(self, cursor: Any, live: str) -> set[str]:
        if live not in self.columns:
            cursor.execute(f"SELECT * FROM {quoted(live)} LIMIT 0")
            self.columns[live] = {column[0] for column in cursor.description}
        return self.columns[live]

    def writer(self, table: Table, fields: Sequence[AnyField]) -> str:
        """Return which earlier operation of the plan may change these columns, or ""."""
        known = [self.writers.get(self.place(table, field)) for field in fields]
        return next(filter(None, [*known, self.writers.get(EVERYTHING)]), "")

    def look_at_twins(
        self, step: Step, table: Table, fields: Sequence[AnyField], alike: Alike | None = None
    ) -> None:
        """Look for rows that are the same in ``fields``, or as ``alike`` says."""
        if not self.stand(table, fields):
            return
        parts, where, nulls, name, is_converted = alike or Alike()
        parts = parts or [self.sql(table, field) for field in fields]
        limits = [] if nulls else [f"{part} IS NOT NULL" for part in parts]
        limits += [f"({where})"] if where else []
        shown = name or ", ".join(self.name(table, field) for field in fields)
        self.report(
            step,
            "unique",
            self.ask(table, fields, " AND ".join(limits) or "1 = 1", alike=parts),
            f"{step.name} makes values of {shown} equal, which are to be unique, in {{rows}}"
            if is_converted
            else f"{step.name} makes {shown} unique, with equal values in {{rows}}",
            "Change or delete all but one of each, by hand or with a RunPython before that"
            " operation,",
            writer=self.writer(table, fields),
        )

    def report(
        self,
        step: Step,
        kind: str,
        answer: Answer,
        what: str,
        mend: str,
        *,
        writer: str = "",
        refuses: bool = True,
    ) -> None:
        """Add a Finding if there are such rows, or if nobody could look for them."""
        if isinstance(answer, str):
            cause = f"{what.replace('{rows}', 'an unknown number of rows')}: {answer}."
            mend = f"Look at them before manage.py db {verb(step)} does."
            self.add(step, "unreadable", cause, mend, refuses=False)
            return
        count, keys = answer
        if not count:
            return
        cause = what.replace("{rows}", "1 row" if count == 1 else f"{count} rows")
        if writer:
            cause += f" now; {writer} runs first and may change that"
            if kind != "dropped":
                mend = f"If it does not, manage.py db {verb(step)} fails there: look at them."
                refuses = False
        elif refuses and kind != "dropped":
            mend += f" and run manage.py db {verb(step)} again."
        self.add(step, kind, f"{cause}.", mend, refuses=refuses, count=count, keys=keys)

    def add(
        self,
        step: Step,
        kind: str,
        cause: str,
        mend: str,
        *,
        refuses: bool = True,
        count: int | None = None,
        keys: tuple[str, ...] = (),
    ) -> None:
        """Add a Finding about a step."""
        name, operation = step.name, step.describe()
        self.findings.append(Finding(kind, refuses, name, operation, cause, mend, count, keys))


def verb(step: Step) -> str:
    """Return the verb that takes a step."""
    return "downgrade" if step.backwards else "upgrade"
