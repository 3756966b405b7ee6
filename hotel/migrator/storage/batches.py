"""The rows of a table in primary-key ranges, a transaction each, resumable after a kill."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, DecimalField, Field, Model, QuerySet, Sum

from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.archive import writes_script
from hotel.migrator.storage.owners import Owner
from hotel.migrator.storage.tables import Cursor

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000  # rows a transaction at most
SMALLEST = 250  # with fewer, what each batch costs beside its rows would be most of its time
PROGRESS_SECONDS = 5  # how often long work says how far it is
TALLIED = 8  # distinct values that a progress line names; the others are counted together

# Changes rows, and returns how many were changed and how many originals archived.
Change: TypeAlias = Callable[[QuerySet[Any]], tuple[int, int]]


class Batches:
    """One operation's way through ``rows``.

    owner, opposite: names of the operation going this way, and the other way (None: there is none).
    rows: a model or a queryset on ``alias``. size: how many of them at most in one batch, None for
    all rows at once. resumable: whether each batch commits on its own; clients wait
    for such a batch, so that its size is fitted to the lock timeout.
    changes_keys: whether others may refer to what is changed.
    """

    def __init__(
        self,
        owner: str,
        opposite: str | None,
        rows: type[Model] | QuerySet[Any],
        alias: str,
        *,
        size: int | None = BATCH_SIZE,
        resumable: bool,
        changes_keys: bool = False,
    ) -> None:
        self.owner = owner
        self.opposite = opposite
        self.rows: QuerySet[Any] = (
            rows if isinstance(rows, QuerySet) else rows._base_manager.using(alias)
        ).order_by()
        self.alias = alias
        self.size = size
        self.now = min(size or 0, 2 * SMALLEST) if resumable else size or 0
        self.resumable = resumable
        self.changes_keys = changes_keys
        self.began = 0.0  # the batch that was made last

    def run(
        self,
        change: Change,
        *,
        start: Callable[[], object] | None = None,
        again: bool = False,
        tally: tuple[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        """Call ``change(rows)`` for each range; it returns how many were changed and archived.

        start: called first, but not when a killed run is resumed. again: a resumed run looks at
        every row once more, which is right where a second look changes nothing.
        tally: ``(column before, column after)`` whose values the line in the log names.
        quiet: log that line only if something changed, not whenever there were rows.
        """
        if writes_script(connections[self.alias]):
            if start:
                start()
            change(self.rows)  # all of them in the one transaction of the script
            return
        cursor = self._cursor(start)
        if again:
            cursor.rows_read = cursor.rows_changed = cursor.rows_archived = 0
        before = self._tally(tally[0]) if tally else ""
        told = monotonic()
        if self.size is None:
            cursor.rows_read = self.rows.count()
            cursor.rows_changed, cursor.rows_archived = change(self.rows)
        while self.size is not None and self._next(cursor, change):
            self._let_others_write()
            if monotonic() - told > PROGRESS_SECONDS:
                told = monotonic()
                self._log(cursor, " so far")
        if cursor.rows_changed or cursor.rows_archived or (cursor.rows_read and not quiet):
            after = self._tally(tally[1]) if tally else ""
            self._log(cursor, f"; {before} -> {after}" if tally else "")

    def _let_others_write(self) -> None:
        """Wait a quarter of the time that a batch took, on SQLite in a file.

        A writer that waits there only asks now and then whether it can go on, and would hardly ever
        hit the moment between two batches.
        """
        connection = connections[self.alias]
        if self.resumable and _is_file(connection):
            sleep((monotonic() - self.began) / 4)

    def _cursor(self, start: Callable[[], object] | None) -> Cursor:
        """Return where this way through begins: at the start, or after the last committed batch.

        The cursor is made, and ``start`` called, in one transaction: another process that begins at
        the same moment waits here, and then goes on with this cursor.
        """
        zero = {"last_key": "", "rows_read": 0, "rows_changed": 0, "rows_archived": 0}
        if not self.resumable:
            if start:
                start()
            return Cursor(owner=self.owner, **zero)
        with transaction.atomic(using=self.alias):
            cursors = Cursor.objects.using(self.alias)
            cursor, is_new = cursors.get_or_create(owner=self.owner, defaults=zero)
            if is_new:
                journal.refuse_if_run(connections[self.alias], *Owner.read(self.owner).run)
                cursors.filter(owner=self.opposite).delete()
                if start:
                    start()
        return cursor

    def _next(self, cursor: Cursor, change: Change) -> bool:
        """Change one range; return whether there may be more.

        A range that is not full is the last: rows that are inserted meanwhile are not run after,
        or this would never end.
        """
        key = self.rows.model._meta.pk
        self.began = monotonic()
        with transaction.atomic(using=self.alias):
            ahead = self.rows
            if cursor.rows_read:  # a key may be the empty text
                ahead = ahead.filter(pk__gt=_key(key, cursor.last_key))
            # Locked before they are read, or an archived original could be out of date; but not
            # their keys, which whoever inserts a row that refers to one of these looks at.
            locked = ahead.select_for_update(no_key=not self.changes_keys)
            keys = [*locked.order_by("pk").values_list("pk", flat=True)[: self.now]]
            if not keys:
                return False
            these = self.rows.filter(pk__in=keys)
            if key.column is None and connections[self.alias].vendor == "sqlite":
                # Of several columns it cannot look for many keys; and nobody writes meanwhile.
                these = ahead.filter(pk__lte=keys[-1])
            changed, archived = change(these)
            before = cursor.last_key
            cursor.last_key = _text(key, keys[-1])
            cursor.rows_read += len(keys)
            cursor.rows_changed += changed
            cursor.rows_archived += archived
            if self.resumable:
                self._save(cursor, before)
        was_full = len(keys) == self.now
        if self.resumable:
            self._adapt(self.size or self.now)
        return was_full

    def _adapt(self, most: int) -> None:
        """Take twice or half as many rows next time, by how long clients would have waited."""
        milliseconds = (monotonic() - self.began) * 1000
        if milliseconds > settings.MIGRATOR_LOCK_TIMEOUT:
            self.now = max(self.now // 2, min(most, SMALLEST))
        elif milliseconds < settings.MIGRATOR_LOCK_TIMEOUT / 2:
            self.now = min(self.now * 2, most)

    def _save(self, cursor: Cursor, before: str) -> None:
        """Move the cursor on from ``before``; raise FailedDuringApply if it stands elsewhere.

        Then another process is at the same rows, and the transaction of this batch is undone.
        """
        fields = ("last_key", "rows_read", "rows_changed", "rows_archived")
        here = Cursor.objects.using(self.alias).filter(pk=cursor.pk, last_key=before)
        if not here.update(**{name: getattr(cursor, name) for name in fields}):
            raise journal.run_meanwhile(Owner.read(self.owner).label)

    def _tally(self, column: str) -> str:
        """Return how often each value stands in ``column``, or the sum of a column of money."""
        rows = self.rows.model._base_manager.using(self.alias).order_by()
        field = rows.model._meta.get_field(column)
        if isinstance(field, DecimalField):
            filled = rows.aggregate(rows=Count(column), sum=Sum(column))
            return f"{column} {filled['rows']} filled, sum {filled['sum'] or 0}"
        counts = rows.values_list(column).annotate(Count("pk")).order_by("-pk__count", column)
        counts = list(counts)
        named = [f"{_shown(value)} {number}" for value, number in counts[:TALLIED]]
        others = sum(number for _, number in counts[TALLIED:])
        if others:
            named.append(f"other {others}")
        return f"{column} {', '.join(named)}"

    def _log(self, cursor: Cursor, end: str) -> None:
        owner = Owner.read(self.owner)
        logger.info(
            "%s%s: %d rows read, %d changed, %d archived%s",
            "\n" if sys.stderr.isatty() else "",  # migrate's "Applying …" waits there for its OK
            f"{owner.label} backward" if owner.direction == "backward" else owner.label,
            cursor.rows_read,
            cursor.rows_changed,
            cursor.rows_archived,
            end,
        )


def _is_file(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor != "sqlite":
        return False
    return not connection.is_in_memory_db()  # type: ignore[attr-defined]  # of SQLite


def _text(key: Field[Any, Any], value: Any) -> str:
    """Return the value of a primary key as the cursor keeps it."""
    return str(value) if key.column else json.dumps([str(part) for part in value])


def _key(key: Any, text: str) -> object:
    """Return the value of a primary key that ``_text`` has written."""
    if key.column:
        return key.to_python(text)
    return tuple(
        field.to_python(part) for field, part in zip(key.fields, json.loads(text), strict=True)
    )


def forget_finished(_sender: object, *, using: str, **_: object) -> None:
    """Delete the cursors of migrations that ended; hears ``pre_migrate`` and ``post_migrate``.

    A run that was killed is not recorded, so its cursor stays and the next run goes on from it.
    """
    connection = connections[using]
    if tables.exists(connection, Cursor):
        ended = [cursor.pk for cursor in finished(connection)]
        # At once: each by itself would be a transaction.
        Cursor.objects.using(using).filter(pk__in=ended).delete()


def finished(connection: BaseDatabaseWrapper) -> list[Cursor]:
    """Return the cursors of migrations that ended."""
    applied = MigrationRecorder(connection).applied_migrations()
    ended = []
    for cursor in Cursor.objects.using(connection.alias):
        owner = Owner.read(cursor.owner)
        if ((owner.app, owner.name) in applied) == (owner.direction == "forward"):
            ended.append(cursor)
    return ended


def _shown(value: object) -> str:
    """Return a value as a line shows it: plain words bare, everything else unmistakable."""
    if value is None:
        return "NULL"
    return value if isinstance(value, str) and re.fullmatch(r"\w+", value) else repr(value)
