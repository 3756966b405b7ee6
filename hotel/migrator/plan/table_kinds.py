"""What PostgreSQL does not do to a table of another kind than Django makes.

Partitioned tables and their partitions, tables that inherit, foreign tables, and views under the
name of a table. Whether a plan would meet one of them is told before its first statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations import RunSQL
from django.db.models import UniqueConstraint

from hotel.migrator.editors.generated import AnyField, MaybeField, names_read
from hotel.migrator.operations.indexes import ON_PARTITIONS, Online
from hotel.migrator.plan import steps
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.live import Live
from hotel.migrator.plan.steps import Step, Table, in_database

Problem: TypeAlias = tuple[str, str]  # what is wrong, and what mends it
CONCURRENTLY = (Online, AddIndexConcurrently, RemoveIndexConcurrently)
NO_TABLES = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


@dataclass
class Kind:
    """A table as PostgreSQL has it; key: the columns by which it is partitioned."""

    name: str
    letter: str
    is_partition: bool
    parent: str
    inherited: set[str]
    key: set[str]

    def __str__(self) -> str:
        if self.letter == "p":
            return "a partitioned table"
        if self.is_partition:
            return f"a partition of {self.parent}"
        return NO_TABLES.get(self.letter) or f"a table that inherits from {self.parent}"


def read(connection: BaseDatabaseWrapper) -> dict[str, Kind]:
    """Return the Kinds of the tables that are of another kind than Django makes, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relkind::text, c.relispartition,"
            " coalesce((SELECT min(h.inhparent::regclass::text) FROM pg_inherits h"
            " WHERE h.inhrelid = c.oid), ''),"
            " ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid"
            " AND a.attinhcount > 0),"
            " ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_partitioned_table p"
            " ON p.partrelid = a.attrelid WHERE p.partrelid = c.oid"
            " AND a.attnum = ANY(p.partattrs::int2[]))"
            " FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND pg_table_is_visible(c.oid) AND (c.relkind <> 'r' OR c.relispartition"
            " OR EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = c.oid))"
            " AND c.relnamespace NOT IN ('pg_catalog'::regnamespace,"
            " 'information_schema'::regnamespace)"
        )
        kinds = [
            Kind(name, letter, is_partition, parent, set(inherited), set(key))
            for name, letter, is_partition, parent, inherited, key in cursor.fetchall()
        ]
    return {kind.name: kind for kind in kinds}


def look(connection: BaseDatabaseWrapper, walked: Sequence[Step]) -> list[Finding]:
    """Return the Findings about steps, in their order, one a step and table at most."""
    if connection.vendor != "postgresql" or not walked:
        return []
    kinds = read(connection)
    return list(_Look(connection, kinds).look(walked)) if kinds else []


class _Look:
    def __init__(self, connection: BaseDatabaseWrapper, kinds: dict[str, Kind]) -> None:
        self.connection = connection
        self.kinds = kinds
        self.live = Live(connection)
        # With views, which are no tables for it; the plan may mean one of them by a table's name.
        self.live.tables.update({name: (name, {}) for name in kinds})
        self.writer = ""

    def look(self, walked: Sequence[Step]) -> Iterator[Finding]:
        """Yield the Findings about steps."""
        for step in walked:
            if not isinstance(step.operation, RunSQL):
                for old, new in steps.pairs(step, self.connection):
                    if old is None or not (kind := self.kinds.get(self.live.table(old.name) or "")):
                        continue
                    if problem := next(self._of(step, kind, old, new), None):
                        yield self._finding(step, kind, *problem)
            if not self.writer and steps.writes(step) is steps.EVERYTHING:
                self.writer = f"{step.name} ({step.describe()})"
            self.live.follow(step)

    def _finding(self, step: Step, kind: Kind, problem: str, mend: str) -> Finding:
        cause = f"{step.name} cannot be {'undone' if step.backwards else 'applied'}:"
        cause += f" {kind.name} is {kind}, {problem}"
        if self.writer:
            cause += f"; {self.writer} runs first and may change that"
        verb = "downgrade" if step.backwards else "upgrade"
        mend = f"{mend}, and run manage.py db {verb} again."
        return Finding("kind", not self.writer, step.name, step.describe(), f"{cause}.", mend)

    def _of(self, step: Step, kind: Kind, old: Table, new: Table | None) -> Iterator[Problem]:
        """Yield what is wrong and what mends it; the first counts."""
        by_hand = (
            "Do it with a migrations.RunSQL, and tell the models with SeparateDatabaseAndState"
        )
        if new is None:
            if old.key not in step.after.models and kind.letter in NO_TABLES:
                yield "which DROP TABLE does not drop", by_hand
            return
        changes = list(steps.field_pairs(step, old, new))
        if kind.letter in ("v", "m"):
            if any(_columns(*pair) and not _is_renamed(*pair) for pair in changes) or any(
                kind.letter == "v" or not is_index for _, is_index, _ in _options(old, new)
            ):
                yield "which cannot be altered as a table", by_hand
            return
        for before, after in changes:
            if _columns(before, after):
                yield from self._of_field(kind, old, before, after, by_hand)
        made = _options(old, new)
        if kind.letter == "f" and any(is_unique or is_index for is_unique, is_index, _ in made):
            yield "which can have no index and no unique constraint", by_hand
        if kind.letter != "p":
            return
        if isinstance(step.operation, CONCURRENTLY) and old.options != new.options:
            yield (
                "whose indexes are neither made nor dropped CONCURRENTLY",
                ON_PARTITIONS,
            )
        for is_unique, _, names in made:
            columns = {new.field(name).column for name in names if new.field(name)}
            if is_unique and not kind.key <= columns:
                yield self._without_key(kind)

    def _of_field(
        self, kind: Kind, old: Table, before: MaybeField, after: MaybeField, by_hand: str
    ) -> Iterator[Problem]:
        column = before and self.live.column(old.name, before.column)
        if before is None:
            if kind.is_partition:
                yield "which gets its columns from there", "Add the column there"
            if kind.letter == "f" and (after.unique or after.db_index):
                yield "which can have no index", by_hand
        else:
            retyped = after is None or _form(before)[1:] != _form(after)[1:]
            if column in kind.inherited and (
                retyped or before.column != after.column or after.null > before.null
            ):
                yield f"and its column {column} comes from there", f"Change {kind.parent} instead"
            if column in kind.key and retyped:
                yield f"and {column} is in its partition key", by_hand
            if kind.letter == "f" and after is not None and _form(before)[1] != _form(after)[1]:
                yield "whose columns are not converted", by_hand
        is_new = after is not None and after.unique and not (before and before.unique)
        if kind.letter == "p" and is_new and not kind.key <= {after.column}:
            yield self._without_key(kind)

    def _without_key(self, kind: Kind) -> Problem:
        key = ", ".join(sorted(kind.key))
        return (
            f"whose unique indexes must have its partition key ({key}) among their columns",
            f"Let what is to be unique contain {key}",
        )


def _columns(before: MaybeField, after: MaybeField) -> bool:
    """Tell whether a change of a field changes a column."""
    there = [one is not None and bool(one.column) for one in (before, after)]
    return there[0] != there[1] or (all(there) and in_database(before) != in_database(after))


def _is_renamed(before: MaybeField, after: MaybeField) -> bool:
    return None not in (before, after) and in_database(before)[1:] == in_database(after)[1:]


def _form(field: AnyField) -> tuple[object, ...]:
    """Return what the type of a column depends on, after its name."""
    column, path, args, known = in_database(field)
    others = ("null", "unique", "db_index", "db_default")
    return column, path, args, {name: of for name, of in known.items() if name not in others}


def _options(old: Table, new: Table) -> list[tuple[bool, bool, set[str]]]:
    """Return whether unique, whether an index, and the fields of what comes or goes, each."""
    changed = []
    for option in ("constraints", "indexes"):
        was, are = ({one.name: one for one in each.options.get(option, ())} for each in (old, new))
        for name in was.keys() ^ are.keys():
            one = are.get(name) or was[name]
            is_unique = isinstance(one, UniqueConstraint) and name in are
            changed.append((is_unique, option == "indexes", names_read(one)))
    together = [set(map(tuple, each.options.get("unique_together") or ())) for each in (old, new)]
    changed += [(True, False, set(names)) for names in together[1] - together[0]]
    return changed
