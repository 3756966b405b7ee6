"""The strongest lock of each table, and migrations that would raise one later (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator import operations
from hotel.migrator.locking.table_locks import ORDER, strongest
from hotel.migrator.plan import steps
from hotel.migrator.plan.lock_modes import LockModes
from hotel.migrator.plan.steps import Step


def needed(
    connection: BaseDatabaseWrapper, walked: Sequence[Step], *, as_script: bool = False
) -> dict[str, str]:
    """Return the strongest lock that some steps need of each live table, by its name.

    walked: the steps of one transaction, from the state that stands. as_script: what is online by
    itself is in that transaction too.
    """
    if connection.vendor != "postgresql":
        return {}
    modes: dict[str, str] = {}
    for _, table, mode in _locks(LockModes(connection, as_script), walked):
        if table:
            modes[table] = strongest(modes.get(table, ""), mode)
    return modes


@dataclass(frozen=True)
class Raised:
    """A migration that locks a table, and in the same transaction locks it more.

    first, then: the operations, in words; had, wants: their locks. had is "" where nobody can tell
    what ``first`` locks.
    """

    migration: str
    table: str
    first: str
    had: str
    then: str
    wants: str

    mend = (
        "Put what changes rows into a migration of its own before this one, with atomic = False;"
        " or the operation that locks most first."
    )

    @property
    def cause(self) -> str:
        """Return a sentence that says who waits, and why."""
        before = f"has {self.had} there" if self.had else "may have locked what it likes"
        return (
            f"{self.migration} ({self.then}) needs {self.wants} on {self.table} after"
            f" ({self.first}) {before}: the migration takes that lock before it begins, and others"
            " wait until it ends."
        )


def raised(connection: BaseDatabaseWrapper, walked: Sequence[Step]) -> list[Raised]:
    """Return what is Raised in the steps of a plan; nothing on SQLite, where there is one lock."""
    if connection.vendor != "postgresql":
        return []
    return [
        one
        for migration, some in groupby(walked, lambda step: step.migration)
        if migration.atomic
        for one in _raised(connection, list(some))
    ]


def _raised(connection: BaseDatabaseWrapper, walked: list[Step]) -> Iterator[Raised]:
    """Yield what is Raised in the steps of one transaction, whatever stands in the database."""
    modes = LockModes(connection)
    modes.live.tables = {
        name: (name, {}) for name in steps.table_names(walked[0].before, connection)
    }
    held: dict[str, tuple[str, str]] = {}
    unknown = ""  # the first step of which nobody can tell what it locks
    for step, table, mode in _locks(modes, walked):
        if not table or isinstance(step.operation, operations.InsertForNewRows):
            unknown = unknown or step.describe()
            continue
        had, first = held.get(table, ("", unknown))
        if ORDER.index(mode) > ORDER.index(had):
            if first and first != step.describe() and mode in ORDER[3:]:
                yield Raised(step.name, table, first, had, step.describe(), mode)
            held[table] = mode, step.describe()


def _locks(modes: LockModes, walked: Sequence[Step]) -> Iterator[tuple[Step, str, str]]:
    """Yield step, live table and mode; no table where nobody can tell what a step locks."""
    for step in walked:
        for lock in modes.of_step(step):
            live = lock.table and modes.live.table(lock.table)
            if live or not lock.table:
                yield step, live or "", lock.mode
        modes.live.follow(step)
