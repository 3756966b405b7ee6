"""Who has to wait for which operation of a plan, and for how long about, as ``--plan`` says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from hotel.migrator import operations
from hotel.migrator.locking.table_locks import ORDER, strongest
from hotel.migrator.plan import costs, steps
from hotel.migrator.plan.live import Live
from hotel.migrator.plan.lock_modes import (
    VALIDATING,
    Lock,
    LockModes,
    Sizes,
    SQLiteModes,
)
from hotel.migrator.plan.steps import DjangoPlan, Step

WRITE_LOCK = "the write lock"  # of SQLite, which has one
BLOCKING = ORDER[3:]  # who writes waits, or everybody
MOMENT = 0.1  # seconds: what is shorter is not told


@dataclass(frozen=True)
class Wait:
    """What one operation locks.

    online: whether others go on, for whom it takes a moment at most; else this is a step to plan
    for, and ``seconds`` an estimate of how long they wait; None where nobody can tell.
    why: what takes so long, "" for nothing. together: the seconds that others wait for the table
    if they come when it is locked first: with what the same transaction does besides, and with the
    steps before and after it that lock it at once again. These are seconds while nobody else is
    there to work; longest: all of them beside others; None where nobody can tell.
    """

    migration: str
    operation: str
    table: str
    lock: str
    online: bool | None
    seconds: float | None = 0.0
    why: str = ""
    together: float = 0.0
    longest: float | None = 0.0

    def __str__(self) -> str:
        where = f" on {self.table}" if self.table else ""
        begin = f"{self.migration} ({self.operation}): {self.lock}{where}"
        if self.online is None:
            return f"{begin}; {self.why}."
        if self.online:
            return f"{begin}, online{f'; {self.why}' if self.why else ''}."
        last = ""
        if self.seconds is not None:
            last = f", {_range(self.seconds)}"
            if self.longest is None:
                last += f" (at least {max(self.together, MOMENT):.1f} s with the steps beside it)"
            elif self.together >= self.seconds + MOMENT:
                last += f" ({_range(self.together)} with the steps beside it)"
        return f"{begin}, planned lock{last}: {self.why}."


def _range(seconds: float) -> str:
    """Return how long something takes, alone and beside others."""
    return f"{seconds:.1f} to {seconds * costs.BUSY:.1f} s" if seconds >= MOMENT else "under 0.1 s"


def locks(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    plan: DjangoPlan,
    pace: costs.Pace | None = None,
) -> list[Wait]:
    """Return the Waits of a plan of Django's, in its order, one for each table of a step.

    pace: of the database; measured there, if it is not given and anything takes time.
    """
    walked = steps.walk(loader, plan)
    pace = pace or costs.Pace(connection)
    waits: _PostgreSQL | _SQLite = (
        _PostgreSQL(connection, pace)
        if connection.vendor == "postgresql"
        else _SQLite(connection, pace)
    )
    holdings: list[_Holding] = []
    for migration, some in groupby(walked, lambda step: step.migration):
        each = [waits.of_step(step) for step in some]
        if migration.atomic:
            each = [waits.together([asked for one in each for asked in one])]
        holdings += [_Holding(one) for one in each if one]
    return [wait for at, one in enumerate(holdings) for wait in one.told(holdings, at)]


class _Asked(NamedTuple):
    """A Wait, by the name of its table as it stands.

    validates: it only reads the table's rows. lets_pass: it lets others have the lock in between.
    """

    table: str
    wait: Wait
    validates: bool = False
    lets_pass: bool = False


class _Holding:
    """Locks that are held at once: those of an atomic migration, or of one step of another."""

    def __init__(self, waits: list[_Asked]) -> None:
        self.waits = waits
        self.seconds = sum(one.wait.seconds or 0 for one in waits)
        self.is_known = all(one.wait.seconds is not None for one in waits)
        self.tables = {
            one.table
            for one in waits
            if one.wait.lock in (*BLOCKING, WRITE_LOCK) and not one.lets_pass
        }

    def told(self, holdings: list[_Holding], at: int) -> Iterator[Wait]:
        """Yield the Waits with what is known by all holdings, of which this is number ``at``."""
        planned = {one.table for one in self.waits if one.wait.online is False}
        for table, wait, *_ in self.waits:
            if table not in self.tables:
                yield wait
                continue
            chain = _chained(holdings, at, table)
            together = round(sum(one.seconds for one in chain), 3)
            is_known = all(one.is_known for one in chain)
            longest = round(together * costs.BUSY, 3) if is_known else None
            if wait.online and table not in planned and self.seconds >= MOMENT:
                planned.add(table)
                why = "held until the migration ends"
                yield replace(wait, online=False, why=why, together=together, longest=longest)
            elif wait.online:
                yield wait
            else:
                yield replace(wait, together=together, longest=longest)


def _chained(holdings: list[_Holding], at: int, table: str) -> list[_Holding]:
    """Return the holdings, one after another, that have a table locked."""
    first = last = at
    while first and table in holdings[first - 1].tables:
        first -= 1
    while last + 1 < len(holdings) and table in holdings[last + 1].tables:
        last += 1
    return holdings[first : last + 1]


class _Work:
    """How long work on the rows of a database takes there."""

    def __init__(self, connection: BaseDatabaseWrapper, pace: costs.Pace) -> None:
        self.sizes = Sizes(connection)
        self.pace = pace

    def rows(self, live: str | None) -> int:
        """Return how many rows a live table has, 0 if there is none yet."""
        return self.sizes.of(live) if live else 0

    def seconds(self, live: str | None, rate: float) -> float:
        """Return the seconds that work takes which has this rate."""
        return self.of(self.rows(live) * rate) if rate else 0.0

    def of(self, millionths: float) -> float:
        """Return how long something takes; in millionths of seconds where it was measured."""
        least = millionths / 1_000_000
        return round(least * self.pace.factor, 3) if least >= MOMENT / 100 else round(least, 3)


class _PostgreSQL:
    def __init__(self, connection: BaseDatabaseWrapper, pace: costs.Pace) -> None:
        self.modes = LockModes(connection)
        self.work = _Work(connection, pace)

    def of_step(self, step: Step) -> list[_Asked]:
        """Return the Waits of a step by the table that stands, one for each that it locks."""
        asked: dict[str, list[Lock]] = {}
        for lock in self.modes.of_step(step):
            asked.setdefault(lock.table, []).append(lock)
        validates = isinstance(step.operation, VALIDATING)
        waits = [
            _Asked(self.modes.live.table(table) or table, self._wait(step, table, each), validates)
            for table, each in asked.items()
        ]
        self.modes.live.follow(step)
        return waits

    def _wait(self, step: Step, table: str, each: list[Lock]) -> Wait:
        why = max(each, key=lambda one: one.rate or 0).why
        mode = strongest(*(one.mode for one in each)) if table else each[0].mode
        rates = [one.rate for one in each if one.rate is not None]
        if not rates:
            return Wait(step.name, step.describe(), table, mode, None, None, why)
        rate = sum(rates)
        seconds = self.work.seconds(self.modes.live.table(table), rate)
        return Wait(step.name, step.describe(), table, mode, not rate, seconds, why)

    def together(self, waits: list[_Asked]) -> list[_Asked]:
        """Return Waits of one transaction as they are while it has locked more."""
        held: dict[str, str] = {}
        for live, wait, *_ in waits:
            if wait.table:
                held[live] = strongest(held.get(live, ""), wait.lock)
        return [self._under(one, held.get(one.table, "")) for one in waits]

    def _under(self, one: _Asked, mode: str) -> _Asked:
        if not one.validates or mode not in BLOCKING:
            return one
        seconds = self.work.seconds(one.table, costs.SCAN)
        why = "all rows are checked"
        wait = replace(one.wait, lock=mode, online=False, seconds=seconds, why=why)
        return one._replace(wait=wait)


class _SQLite:
    """SQLite has one writer; others read, and wait to write, while a migration runs."""

    def __init__(self, connection: BaseDatabaseWrapper, pace: costs.Pace) -> None:
        self.modes = SQLiteModes(connection)
        self.live = Live(connection)
        self.work = _Work(connection, pace)

    def of_step(self, step: Step) -> list[_Asked]:
        """Return the Wait of a step, if it writes."""
        each = [
            (lock, self.work.rows(self.live.table(lock.table))) for lock in self.modes.of_step(step)
        ]
        self.live.follow(step)
        if not each:
            return []
        slow, rows = max(each, key=lambda one: (one[0].rate or 0) * one[1])
        why = slow.why.format(table=slow.table, rows="1 row" if rows == 1 else f"{rows} rows")
        if slow.rate is None:
            wait = Wait(step.name, step.describe(), "", WRITE_LOCK, None, None, why)
            return [_Asked("", wait)]
        in_batches = isinstance(step.operation, operations.BatchedRunPython)
        seconds = self.work.of(sum((one.rate or 0) * rows for one, rows in each))
        wait = Wait(step.name, step.describe(), "", WRITE_LOCK, not slow.rate, seconds, why)
        return [_Asked("", wait, lets_pass=in_batches)]

    def together(self, waits: list[_Asked]) -> list[_Asked]:
        """Return Waits of one transaction: all have the same lock."""
        return waits
