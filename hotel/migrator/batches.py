"""The rows of a table in primary-key ranges, a transaction each, resumable after a kill."""

import logging
import re
import sys
from time import monotonic

from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, DecimalField, Sum

from hotel.migrator import history, tables
from hotel.migrator.archive import is_recorded
from hotel.migrator.tables import Cursor

logger = logging.getLogger(__name__)

BATCH_SIZE = 1000  # rows a transaction: some 10 ms of row locks on PostgreSQL
PROGRESS_SECONDS = 5  # how often long work says how far it is
TALLIED = 8  # distinct values that a progress line names; the others are counted together


class Batches:
    """One operation's way through ``rows``.

    owner, opposite: names of the operation going this way, and the other way (None: there is none).
    rows: a model or a queryset on ``alias``. resumable: whether each batch commits on its own.
    """

    def __init__(self, owner, opposite, rows, alias, *, size=BATCH_SIZE, resumable):
        self.owner = owner
        self.opposite = opposite
        self.rows = rows if hasattr(rows, "filter") else rows._base_manager.using(alias)
        self.rows = self.rows.order_by()
        self.alias = alias
        self.size = size
        self.resumable = resumable

    def run(self, change, *, start=None, again=False, tally=None, quiet=False):
        """Call ``change(rows)`` for each range; it returns how many were changed and archived.

        start: called first, but not when a killed run is resumed. again: a resumed run looks at
        every row once more, which is right where a second look changes nothing.
        tally: ``(column before, column after)`` whose values the line in the log names.
        quiet: log that line only if something changed, not whenever there were rows.
        """
        if is_recorded(connections[self.alias]):
            if start:
                start()
            change(self.rows)  # all of them in the one transaction of the script
            return
        cursor = self._cursor(start)
        if again:
            cursor.rows_read = cursor.rows_changed = cursor.rows_archived = 0
        before = self._tally(tally[0]) if tally else ""
        told = monotonic()
        while self._next(cursor, change):
            if monotonic() - told > PROGRESS_SECONDS:
                told = monotonic()
                self._log(cursor, " so far")
        if cursor.rows_changed or cursor.rows_archived or (cursor.rows_read and not quiet):
            after = self._tally(tally[1]) if tally else ""
            self._log(cursor, f"; {before} -> {after}" if tally else "")

    def _cursor(self, start):
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
                self._refuse_if_done()
                cursors.filter(owner=self.opposite).delete()
                if start:
                    start()
        return cursor

    def _refuse_if_done(self):
        """Raise FailedDuringApply if another process has finished what this one is about to do."""
        app, name, direction = parse(self.owner)
        applied = MigrationRecorder(connections[self.alias]).applied_migrations()
        if ((app, name) in applied) == (direction == "forward"):
            raise history.run_meanwhile(f"{app}.{name}")

    def _next(self, cursor, change):
        """Change one range; return whether there was one."""
        key = self.rows.model._meta.pk
        with transaction.atomic(using=self.alias):
            ahead = self.rows
            if cursor.rows_read:  # a key may be the empty text
                ahead = ahead.filter(pk__gt=key.to_python(cursor.last_key))
            # Locked before they are read, or an archived original could be out of date.
            keys = ahead.select_for_update().order_by("pk").values_list("pk", flat=True)
            keys = list(keys[: self.size])
            if not keys:
                return False
            changed, archived = change(self.rows.filter(pk__in=keys))
            before = cursor.last_key
            cursor.last_key = str(keys[-1])
            cursor.rows_read += len(keys)
            cursor.rows_changed += changed
            cursor.rows_archived += archived
            if self.resumable:
                self._save(cursor, before)
        return True

    def _save(self, cursor, before):
        """Move the cursor on from ``before``; raise FailedDuringApply if it stands elsewhere.

        Then another process is at the same rows, and the transaction of this batch is undone.
        """
        fields = ("last_key", "rows_read", "rows_changed", "rows_archived")
        here = Cursor.objects.using(self.alias).filter(pk=cursor.pk, last_key=before)
        if not here.update(**{name: getattr(cursor, name) for name in fields}):
            app, name, _ = parse(self.owner)
            raise history.run_meanwhile(f"{app}.{name}")

    def _tally(self, column):
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

    def _log(self, cursor, end):
        name = re.sub(r"#\d+ forward$", "", self.owner)
        name = re.sub(r"#\d+ backward$", " backward", name)
        logger.info(
            "%s%s: %d rows read, %d changed, %d archived%s",
            "\n" if sys.stderr.isatty() else "",  # migrate's "Applying …" waits there for its OK
            name,
            cursor.rows_read,
            cursor.rows_changed,
            cursor.rows_archived,
            end,
        )


def parse(owner):
    """Return application, migration and direction of an owner such as ``app.0003_x#0 forward``."""
    label, direction = owner.split(" ")
    app, name = label.rpartition("#")[0].split(".")
    return app, name, direction


def forget_finished(sender, *, using, **kwargs):
    """Delete the cursors of migrations that ended; hears ``pre_migrate`` and ``post_migrate``.

    A run that was killed is not recorded, so its cursor stays and the next run goes on from it.
    """
    connection = connections[using]
    if tables.exists(connection, Cursor):
        ended = [cursor.pk for cursor in finished(connection)]
        # At once: each by itself would be a transaction.
        Cursor.objects.using(using).filter(pk__in=ended).delete()


def finished(connection):
    """Return the cursors of migrations that ended."""
    applied = MigrationRecorder(connection).applied_migrations()
    found = []
    for cursor in Cursor.objects.using(connection.alias):
        app, name, direction = parse(cursor.owner)
        if ((app, name) in applied) == (direction == "forward"):
            found.append(cursor)
    return found


def _shown(value):
    """Return a value as a line shows it: plain words bare, everything else unmistakable."""
    if value is None:
        return "NULL"
    return value if isinstance(value, str) and re.fullmatch(r"\w+", value) else repr(value)
