"""What has happened to the database: the journal, which outlives what it tells of.

Over 300 lines because what is written here is read and listed here.
"""

import ast
import getpass
import hashlib
import inspect
import os
import re
import socket
import time
import uuid
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from hotel.migrator import tables
from hotel.migrator.exceptions import FailedDuringApply
from hotel.migrator.tables import JournalEntry
from hotel.migrator.targets import label

Event, Direction = JournalEntry.Event, JournalEntry.Direction


class Journal:
    """Writes what one command does to the schema of one database."""

    def __init__(self, connection, remark=None):
        """remark: how else this came about than by running migrations, for the reader."""
        self.connection = connection
        self.alias = connection.alias
        self.run = uuid.uuid4()
        self.remark = remark
        tables.ensure_journal(connection)

    def start(self, migration, direction, *, is_fake=False):
        """Write that a migration starts, and return its ``Story``."""
        return Story(self, migration, direction, is_fake)


class Story:
    """What happens to one migration in one run."""

    def __init__(self, journal, migration, direction, is_fake):
        self.journal = journal
        self.direction = direction
        self.is_backwards = direction == Direction.BACKWARD
        self.started = time.monotonic()
        self.rows = 0
        self.facts = {
            "run": journal.run,
            "app": migration.app_label,
            "name": migration.name,
            "direction": direction,
            "is_fake": is_fake,
            "checksum": checksum(migration),
            "remark": journal.remark,
            "process": os.getpid(),
            **_where(),
        }
        self.pk = self._write(Event.STARTED)

    def enter_operation(self, index):
        """Write that the one at ``index`` begins, which must not be run again if it is stopped."""
        self._write(Event.ENTERED, operation=index, **self._so_far())

    def end_operation(self, index):
        """Write that the operation at ``index`` of a migration that is not atomic has ended."""
        self._write(Event.OPERATION, operation=index, **self._so_far())

    def finish(self):
        """Write that all went well; in the transaction that records the migration."""
        self._write(Event.FINISHED, **self._so_far())

    def fail(self, error):
        """Write that ``error`` ended it; its first line, since the others may hold values."""
        line = next(iter(str(error).splitlines()), "")
        # The session may be what has failed.
        with suppress(DatabaseError, InterfaceError):
            self._write(Event.FAILED, error=f"{type(error).__name__}: {line}", **self._so_far())

    def refuse_if_operation_ended(self, index):
        """Raise FailedDuringApply if another run has done the operation at ``index`` meanwhile."""
        latest = JournalEntry.objects.using(self.journal.alias).filter(
            app=self.facts["app"], name=self.facts["name"], pk__gt=self.pk, operation=index
        )
        if latest.exclude(run=self.journal.run).exists():
            raise run_meanwhile(f"{self.facts['app']}.{self.facts['name']}")

    @contextmanager
    def counting(self):
        """Count the rows that statements insert, update and delete meanwhile."""
        with self.journal.connection.execute_wrapper(self._count):
            yield

    def _count(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if _WRITES.match(sql):
            self.rows += max(context["cursor"].rowcount, 0)
        return result

    def _so_far(self):
        return {"seconds": round(time.monotonic() - self.started, 6), "rows": self.rows}

    def _write(self, event, **more):
        # One statement: alone it is a transaction, and in one it needs no savepoint.
        entry = JournalEntry(event=event, **self.facts, **more)
        entry.save(using=self.journal.alias, force_insert=True)
        return entry.pk


def run_meanwhile(name):
    """Return the error that ends a run whose migration ``name`` another process has run."""
    return FailedDuringApply(
        f"{name} was run by another process meanwhile, and nothing is lost: run the same command"
        " again."
    )


# Statements that change rows; but not those of the migrator's and the recorder's own tables, nor
# the copies that SQLite makes of a table to alter it.
_WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|WITH\b.*\b(INSERT|UPDATE|DELETE))\b"
    r"(?!.*\b(migrator_|django_migrations\b|new__))",
    re.IGNORECASE | re.DOTALL,
)


@cache
def _where():
    """Return who runs this, where, and of which version."""
    try:
        actor = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        actor = str(os.getuid())
    return {
        "actor": actor,
        "host": socket.gethostname(),
        "code_version": code_version(),
    }


def code_version():
    """Return the setting ``CODE_VERSION``, or the commit that is checked out, or ""."""
    given = getattr(settings, "CODE_VERSION", "")
    if given:
        return given
    folder = Path(settings.BASE_DIR) / ".git"
    with suppress(OSError, UnicodeDecodeError):
        head = (folder / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        if (folder / reference).exists():
            return (folder / reference).read_text().strip()
        for line in (folder / "packed-refs").read_text().splitlines():
            if line.endswith(f" {reference}"):
                return line.split()[0]
    return ""


def checksum(migration):
    """Return a digest of what the file of a migration does; "" if its source is not there.

    It is one of the syntax tree, without docstrings and with imports in order: what a formatter
    changes does not change it. It is the same on every version of Python.
    """
    try:
        source = inspect.getsource(inspect.getmodule(type(migration)))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return ""
    return hashlib.sha256(repr(_meaning(tree)).encode()).hexdigest()


def _meaning(node):
    """Return a syntax tree as nested tuples of what has a meaning."""
    if isinstance(node, list):
        return [_meaning(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    fields = []
    for name in _fields(type(node)):
        value = getattr(node, name, None)
        if name == "names" and isinstance(node, ast.Import | ast.ImportFrom):
            value = sorted(value, key=lambda item: item.name)
        if name == "body" and isinstance(value, list) and value:
            fields.append((name, _meaning_of_block(value)))
        elif value is not None and value != []:
            fields.append((name, _meaning(value)))
    return (type(node).__name__, fields)


@cache
def _fields(kind):
    return sorted(set(kind._fields) - {"kind"})  # that is u"" or ""


def _meaning_of_block(statements):
    imports, others = [], []
    for statement in statements:
        if not _is_docstring(statement):
            is_import = isinstance(statement, ast.Import | ast.ImportFrom)
            (imports if is_import else others).append(_meaning(statement))
    return sorted(imports, key=repr) + others


def _is_docstring(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def applied(loader):
    """Return the keys of what is applied, in the order J in which it was, oldest first.

    That is the order of the rows of django_migrations: one that was unapplied and applied again has
    a new row. Rows that a squashed migration of the graph replaces count as that one, at the place
    of the last of them. Keys whose file is missing are among them.
    """
    recorder = MigrationRecorder(loader.connection)
    rows = sorted(recorder.applied_migrations().items(), key=lambda item: item[1].pk)
    place = {key: number for number, (key, _) in enumerate(rows)}
    _count_squashed_as_one(place, loader)
    return sorted(place, key=place.__getitem__)


def _count_squashed_as_one(found, loader):
    """Let a squashed migration have the last of what was found of those that it stands for.

    That it is recorded itself says little: Django may have done so long after they ran.
    """
    for key, squashed in loader.replacements.items():
        if key in loader.graph.nodes and key in loader.applied_migrations:
            replaced = [found.pop(old) for old in squashed.replaces if old in found]
            if replaced:
                found[key] = max(replaced)


def times(connection):
    """Return when each applied migration was recorded, by its key, as far as that is known."""
    rows = MigrationRecorder(connection).applied_migrations()
    return {key: row.applied for key, row in rows.items() if row.applied}


def entries(connection, latest=None, **conditions):
    """Return the entries of the journal that fulfil ``conditions``, oldest first.

    latest: only so many, the latest; all, if not said.
    """
    if not tables.exists(connection, JournalEntry):
        return []
    found = JournalEntry.objects.using(connection.alias).filter(**conditions)
    return list(found.order_by("-pk")[:latest])[::-1]


def unfinished(connection):
    """Return the keys of the migrations whose last run has not finished, or not yet."""
    if not tables.exists(connection, JournalEntry):
        return set()
    found = JournalEntry.objects.using(connection.alias)
    last = found.values("app", "name").annotate(last=Max("pk")).values("last")
    ended = found.filter(pk__in=last).exclude(event=Event.FINISHED)
    return set(ended.values_list("app", "name"))


def changed_since(loader, moment):
    """Return the keys that were last applied after ``moment``; see ``applied``."""
    found = times(loader.connection)
    _count_squashed_as_one(found, loader)
    return [key for key, at in found.items() if at > moment]


def events(connection, latest=None, app=None):
    """List what was done to the database, the latest first: the journal, with runs and times.

    Failed attempts and what was unapplied are among it. Migrations that were applied before there
    was a journal have the time of their record. latest: of how many rows of the journal; all of it
    and what came before it, if not said. app: only of this one.
    """
    found = entries(connection, latest=latest, **({"app": app} if app else {}))
    ends = {}
    rows = []
    for entry in reversed(found):
        key = entry.run, entry.app, entry.name, entry.direction
        if entry.event in (Event.ENTERED, Event.OPERATION):
            continue
        if entry.event != Event.STARTED:
            ends[key] = entry
            continue
        end = ends.pop(key, None)
        rows.append(
            {
                "revision": f"{entry.app}.{entry.name}",
                "direction": entry.direction,
                "outcome": end.event if end else "interrupted",
                "fake": entry.is_fake,
                "started": entry.at.isoformat(),
                "seconds": end.seconds if end else None,
                "rows": end.rows if end else None,
                "error": end.error if end else None,
                "remark": entry.remark,
                "run": str(entry.run),
                "actor": entry.actor,
                "host": entry.host,
                "code_version": entry.code_version,
            }
        )
    if latest is not None:
        return rows
    known = {(entry.app, entry.name) for entry in found}
    older = sorted(times(connection).items(), key=lambda item: item[1], reverse=True)
    rows += [
        {
            "revision": label(key),
            "direction": "forward",
            "outcome": "recorded",
            "started": at.isoformat(),
        }
        for key, at in older
        if key not in known and app in (None, key[0])
    ]
    return rows
