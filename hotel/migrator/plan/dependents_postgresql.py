"""What hangs on a table or column that a plan drops or changes, asked of PostgreSQL's catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any

from hotel.migrator.editors.generated import AnyField, MaybeField
from hotel.migrator.editors.hanging import Dependent, blocking, indexed, lost
from hotel.migrator.plan import steps
from hotel.migrator.plan.dependents_common import Dependents, indexed_columns, tables
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.steps import Step, Table, in_database
from hotel.migrator.sql.parsing import bare, quoted, spellings
from hotel.migrator.sql.quoting import text


class DependentsOfPostgreSQL(Dependents):
    """Asks the catalog what PostgreSQL would drop, or not change."""

    def look(self, walked: Sequence[Step]) -> list[Finding]:
        """Return the Findings about steps, in their order."""
        self.walked = walked
        self.of_elsewhere(walked)
        return super().look(walked)

    @cached_property
    def stood(self) -> dict[str, list[Table]]:
        """Return all tables of the plan by their names."""
        return tables(self.walked, self.connection)

    def of_dropped(self, step: Step, name: str) -> None:
        """Look at what hangs on a table that is dropped."""
        if live := self.live.table(name):
            self._ask(step, lost, live, "", f"drops {live}", "the table")

    def of_field(
        self, step: Step, old: Table, new: Table, before: MaybeField, after: MaybeField
    ) -> None:
        """Look at what hangs on a column that is dropped or gets another type."""
        if before is None:
            return
        through = steps.many_to_many_table(old, before, self.connection)
        live, column = self.live.table(old.name), self.live.column(old.name, before.column)
        if after is None and through:
            self.of_dropped(step, through)
        elif after is None and before.column and live and column:
            self._ask(step, lost, live, column, f"drops {live}.{column}", "the column")
            self._ask_indexed(step, live, column)
        elif (
            after is not None
            and before.column
            and after.column
            and in_database(before) != in_database(after)
        ):
            self._of_altered(step, old, new, before, after)

    def _of_altered(
        self, step: Step, old: Table, new: Table, before: AnyField, after: AnyField
    ) -> None:
        """Look at the columns that get another type: the field's, and those that refer to it."""
        names = []
        if steps.is_retyped(step, old, new, before, after, self.connection):
            names.append((old.name, before.column))
        dependents = steps.retyped_too(step, old, new, before, after, self.connection)
        for table, column in [*names, *((table, column) for table, column, _ in dependents)]:
            live, stands = self.live.table(table), self.live.column(table, column)
            if live and stands:
                self._ask_blocking(step, live, stands)

    def _ask(
        self,
        step: Step,
        ask: Callable[[Any, str, str, Collection[str]], list[Dependent]],
        live: str,
        column: str,
        does: str,
        what: str,
    ) -> None:
        with self.connection.cursor() as cursor:
            dependents = ask(cursor, quoted(live), column, self.known)
        for kind, name in self._left(dependents):
            self.add(
                step,
                f"{does}, on which the {kind} {name} hangs: PostgreSQL would drop it too",
                _along(kind, name, f"without {what}"),
            )

    def _ask_indexed(self, step: Step, live: str, column: str) -> None:
        stood = self.stood.get(bare(live).lower())
        with self.connection.cursor() as cursor:
            dependents = indexed(
                cursor, quoted(live), column, *(_of_table(stood[-1]) if stood else ((), ()))
            )
        together, alone = map(self._left, dependents)
        for kind, name in together:
            if kind == "index":
                drop, text_of = f"DROP INDEX {name}", f"pg_get_indexdef({text(name)}::regclass)"
            else:
                drop = f"ALTER TABLE {quoted(live)} DROP CONSTRAINT {quoted(name)}"
                text_of = (
                    "pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                    f" {text(quoted(live))}::regclass AND conname = {text(name)}"
                )
            self.add(
                step,
                f"drops {live}.{column}, which the {kind} {name} reads beside other columns:"
                " PostgreSQL would drop it too",
                f"Take it along: migrations.RunSQL({drop!r}) before that operation, and one that"
                f" makes it again without the column (SELECT {text_of} gives its text) after it,",
            )
        for kind, name in alone:
            self.add(
                step,
                f"drops {live}.{column}, and with it the {kind} {name} of it alone, of which no"
                " model knows",
                "Nothing is to be done.",
                refuses=False,
            )

    def _ask_blocking(self, step: Step, table: str, column: str) -> None:
        with self.connection.cursor() as cursor:
            dependents = blocking(cursor, quoted(table), column)
        for kind, name in self._left(dependents):
            self.add(
                step,
                f"changes the type of {table}.{column}, which PostgreSQL does not do while the"
                f" {kind} {name} hangs on it",
                _along(kind, name, "as it is"),
            )

    def _left(self, dependents: list[Dependent]) -> list[Dependent]:
        """Return what no RunSQL of the plan has spoken of by then."""
        said = " ".join(self.said).lower()
        return [
            (kind, name)
            for kind, name in dependents
            if not re.search(rf"(?<!\w){re.escape(_alone(name))}(?!\w)", said)
        ]

    @cached_property
    def known(self) -> set[str]:
        """Return what Django sees to itself, and the plan before it drops anything.

        Of the state before the plan: its tables, whose foreign keys these are; its generated
        columns; the triggers of its rules.
        """
        state, known = self.walked[0].before, set[str]()
        for key in state.models:
            one = steps.table(state, key, self.connection)
            if one is None:
                continue
            through = [
                steps.many_to_many_table(one, field, self.connection)
                for field in one.fields.values()
            ]
            for name in filter(None, [one.name, *through]):
                known.update(spellings(name))
            generated = [field.column for field in one.columns.values() if field.generated]
            known.update(f"{one.name}.{column}" for column in generated)
            for constraint in one.options.get("constraints", ()):
                if hasattr(constraint, "trigger_sql"):
                    known.update((constraint.name, f"{constraint.name}_exempt"))
        return known


def _alone(name: str) -> str:
    """Return a name without schema, arguments and table, in small letters."""
    return name.split(" on ")[0].split("(")[0].split(".")[-1].strip('"').lower()


def _along(kind: str, name: str, how: str) -> str:
    """Return how to take something along."""
    source = {
        "view": "SELECT pg_get_viewdef({}::regclass, true)",
        "materialized view": "SELECT pg_get_viewdef({}::regclass, true)",
        "function": "SELECT pg_get_functiondef({}::regprocedure)",
        "procedure": "SELECT pg_get_functiondef({}::regprocedure)",
    }.get(kind, "")
    where = f" ({source.format(text(name))} gives its text)" if source else ""
    if kind in source or kind in ("trigger", "rule", "policy"):
        drop = f"migrations.RunSQL('DROP {kind.upper()} {name}')"
    else:
        drop = f"a migrations.RunSQL that drops the {kind}"
    return (
        f"Take it along: {drop} before that operation, and one that makes it again {how}{where}"
        " after it,"
    )


def _of_table(table: Table) -> tuple[set[str], set[frozenset[str]]]:
    """Return the names of the indexes and constraints of a Table, and the columns of others."""
    some = [*table.options.get("constraints", ()), *table.options.get("indexes", ())]
    return {one.name for one in some}, {frozenset(columns) for columns in indexed_columns(table)}
