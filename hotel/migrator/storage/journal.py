"""What has happened to the database: the journal, which outlives what it tells of.

Over 300 lines because what is written here is read and listed here.
"""

import getpass
import os
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from hotel.migrator.exceptions import FailedDuringApply
from hotel.migrator.locking import sessions
from hotel.migrator.messages import masking
from hotel.migrator.revisions import edits
from hotel.migrator.revisions.targets import Key, label
from hotel.migrator.storage import tables
from hotel.migrator.storage.tables import JournalEntry

Event = JournalEntry.Event
Direction = JournalEntry.Direction


class Journal:
    """Writes what one command does to the schema of one database."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        remark: str | None = None,
        run: uuid.UUID | None = None,
    ) -> None:
        """remark: how else this came about than by running migrations, for the reader.

        run: the id of a run that goes on; a new one, if not said.
        """
        self.connection = connection
        self.alias = connection.alias
        self.run = run or uuid.uuid4()
        self.remark = remark and masking.without_secrets(remark)
        tables.ensure_journal(connection)

    def start(self, migration: Migration, direction: str, *, is_fake: bool = False) -> "Story":
        """Write that a migration starts, and return its ``Story``."""
        return Story(self, migration, direction, is_fake)

    def stand_for(self, migrations: Iterable[Migration]) -> None:
        """Write of migrations whose work was done all at once that each was run and has ended."""
        ended = {"seconds": 0.0, "rows": 0}
        entries = []
        for migration in migrations:
            facts = facts_of(self, migration, Direction.FORWARD, is_fake=False)
            facts = _storable(self.connection, facts)
            entries.append(JournalEntry(event=Event.STARTED, **facts))
            entries.append(JournalEntry(event=Event.FINISHED, **facts, **ended))
        JournalEntry.objects.using(self.alias).bulk_create(entries)


class Story:
    """What happens to one migration in one run."""

    def __init__(
        self, journal: Journal, migration: Migration, direction: str, is_fake: bool
    ) -> None:
        self.journal = journal
        self.direction = direction
        self.is_backwards = direction == Direction.BACKWARD
        self.started = time.monotonic()
        self.rows = 0
        self.facts = facts_of(journal, migration, direction, is_fake=is_fake)
        self.pk = self._write(Event.STARTED)

    def enter_operation(self, index: int) -> None:
        """Write that the one at ``index`` begins, which must not be run again if it is stopped."""
        self._write(Event.ENTERED, operation=index, **self._so_far())

    def end_operation(self, index: int) -> None:
        """Write that the operation at ``index`` of a migration that is not atomic has ended."""
        self._write(Event.OPERATION, operation=index, **self._so_far())

    def finish(self) -> None:
        """Write that all went well; in the transaction that records the migration."""
        self._write(Event.FINISHED, **self._so_far())

    def fail(self, error: BaseException) -> None:
        """Write that ``error`` ended it, without secrets and values of rows."""
        said = f"{type(error).__name__}: {masking.of_error(error)}"
        # The session may be what has failed.
        with suppress(DatabaseError, InterfaceError):
            self._write(Event.FAILED, error=said, **self._so_far())

    def refuse_if_operation_ended(self, index: int) -> None:
        """Raise FailedDuringApply if another run has done the operation at ``index`` meanwhile."""
        latest = JournalEntry.objects.using(self.journal.alias).filter(
            app=self.facts["app"], name=self.facts["name"], pk__gt=self.pk, operation=index
        )
        if latest.exclude(run=self.journal.run).exists():
            raise run_meanwhile(f"{self.facts['app']}.{self.facts['name']}")

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the rows that statements insert, update and delete meanwhile."""
        with self.journal.connection.execute_wrapper(self._count):
            yield

    def _count(
        self,
        execute: Callable[..., object],
        sql: str,
        params: object,
        many: bool,
        context: dict[str, Any],
    ) -> object:
        result = execute(sql, params, many, context)
        if _WRITES.match(sql):
            self.rows += max(context["cursor"].rowcount, 0)
        return result

    def _so_far(self) -> dict[str, Any]:
        return {"seconds": round(time.monotonic() - self.started, 6), "rows": self.rows}

    def _write(self, event: str, **more: object) -> int:
        sessions.renew(self.journal.connection)
        # One statement: alone it is a transaction, and in one it needs no savepoint.
        entry = JournalEntry(event=event, **_storable(self.journal.connection, self.facts | more))
        entry.save(using=self.journal.alias, force_insert=True)
        return entry.id


def facts_of(
    journal: Journal, migration: Migration, direction: str, *, is_fake: bool
) -> dict[str, Any]:
    """Return what every entry about one migration of a run says."""
    return {
        "run": journal.run,
        "app": migration.app_label,
        "name": migration.name,
        "direction": direction,
        "is_fake": is_fake,
        "checksum": edits.checksum(migration),
        "remark": journal.remark,
        "process": os.getpid(),
        **_where(),
    }


def refuse_if_run(connection: BaseDatabaseWrapper, app: str, name: str, direction: str) -> None:
    """Raise FailedDuringApply if somebody has recorded what this run is about to do.

    Nobody can who asks for the lock. But plain Django does not, and a lock can be broken.
    """
    record = MigrationRecorder(connection).migration_qs.filter(app=app, name=name)
    if record.exists() == (direction == Direction.FORWARD):
        raise run_meanwhile(f"{app}.{name}")


def run_meanwhile(name: str) -> FailedDuringApply:
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
def _where() -> dict[str, str]:
    """Return who runs this, where, and of which version."""
    try:
        actor = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        actor = str(os.getuid())
    return {
        "actor": actor,
        "host": socket.gethostname(),
        "code_version": masking.without_secrets(code_version()),
    }


def _storable(connection: BaseDatabaseWrapper, values: dict[str, Any]) -> dict[str, Any]:
    """Return values of the journal as its columns can hold them: no name may stop a run.

    Texts are cut; what no text of the database can hold stands there as an escape.
    """
    encoding, storable = encoding_of(connection), dict(values)
    for name, value in values.items():
        if isinstance(value, str):
            length = getattr(JournalEntry._meta.get_field(name), "max_length", None)
            storable[name] = readable(value, encoding)[:length]
    return storable


def readable(text: str, encoding: str = "utf-8") -> str:
    """Return text of which everything can be stored, with escapes for what could not be."""
    return text.replace("\0", "\\x00").encode(encoding, "backslashreplace").decode(encoding)


def encoding_of(connection: BaseDatabaseWrapper) -> str:
    """Return the name that Python has for the encoding of the database; ascii, if it has none."""
    if connection.vendor != "postgresql":
        return "utf-8"
    connection.ensure_connection()
    of_server = connection.connection.info.parameter_status("server_encoding")
    if of_server == "SQL_ASCII":  # which takes any bytes
        return "utf-8"
    encodings: dict[str, str] = connection.Database.extensions.encodings  # type: ignore[attr-defined]  # the driver
    return encodings.get(of_server, "ascii")


def code_version() -> str:
    """Return the setting ``CODE_VERSION``, or the commit that is checked out, or ""."""
    given = getattr(settings, "CODE_VERSION", "")
    if given:
        return str(given)
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


def applied(loader: MigrationLoader) -> list[Key]:
    """Return the keys of what is applied, in the order J in which it was, oldest first.

    That is the order of the rows of django_migrations: one that was unapplied and applied again has
    a new row. Rows that a squashed migration of the graph replaces count as that one, at the place
    of the last of them. Keys whose file is missing are among them.
    """
    recorder = MigrationRecorder(cast(BaseDatabaseWrapper, loader.connection))
    rows = sorted(recorder.applied_migrations().items(), key=lambda item: item[1].pk)
    place = {key: number for number, (key, _) in enumerate(rows)}
    _count_squashed_as_one(place, loader)
    return sorted(place, key=place.__getitem__)


def _count_squashed_as_one(known: dict[Key, Any], loader: MigrationLoader) -> None:
    """Let a squashed migration have the last of what is known of those that it stands for.

    That it is recorded itself says little: Django may have done so long after they ran.
    """
    for key, squashed in loader.replacements.items():
        if key in loader.graph.nodes and key in loader.applied_migrations:
            replaced = [known.pop(old) for old in squashed.replaces if old in known]
            if replaced:
                known[key] = max(replaced)


def times(connection: BaseDatabaseWrapper) -> dict[Key, datetime]:
    """Return when each applied migration was recorded, by its key, as far as that is known."""
    rows = MigrationRecorder(connection).applied_migrations()
    return {key: row.applied for key, row in rows.items() if row.applied}


def entries(
    connection: BaseDatabaseWrapper, latest: int | None = None, **conditions: object
) -> list[JournalEntry]:
    """Return the entries of the journal that fulfil ``conditions``, oldest first.

    latest: only so many, the latest; all, if not said.
    """
    if not tables.exists(connection, JournalEntry):
        return []
    chosen = JournalEntry.objects.using(connection.alias).filter(**conditions)
    return list(chosen.order_by("-pk")[:latest])[::-1]


def unfinished(connection: BaseDatabaseWrapper) -> set[Key]:
    """Return the keys of the migrations whose last run has not finished, or not yet."""
    if not tables.exists(connection, JournalEntry):
        return set()
    of_all = JournalEntry.objects.using(connection.alias)
    last = of_all.values("app", "name").annotate(last=Max("pk")).values("last")
    begun = of_all.filter(pk__in=last).exclude(event=Event.FINISHED)
    return set(begun.values_list("app", "name"))


def changed_since(loader: MigrationLoader, moment: datetime) -> list[Key]:
    """Return the keys that were last applied after ``moment``; see ``applied``."""
    known = times(cast(BaseDatabaseWrapper, loader.connection))
    _count_squashed_as_one(known, loader)
    return [key for key, at in known.items() if at > moment]


COLUMNS = (  # of what ``events`` lists, whatever is known of it
    "revision", "direction", "outcome", "fake", "started", "seconds", "rows", "error", "remark",
    "run", "actor", "host", "code_version",
)  # fmt: skip


def events(
    connection: BaseDatabaseWrapper, latest: int | None = None, app: str | None = None
) -> list[dict[str, Any]]:
    """List what was done to the database, the latest first: the journal, with runs and times.

    Failed attempts and what was unapplied are among it. Migrations that were applied before there
    was a journal have the time of their record. latest: of how many rows of the journal; all of it
    and what came before it, if not said. app: only of this one.
    """
    told = entries(connection, latest, **({"app": app} if app else {}))
    ends: dict[tuple[object, ...], JournalEntry] = {}
    rows: list[dict[str, Any]] = []
    for entry in reversed(told):
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
                "error": masking.without_secrets(end.error) if end and end.error else None,
                "remark": entry.remark,
                "run": str(entry.run),
                "actor": entry.actor,
                "host": entry.host,
                "code_version": entry.code_version,
            }
        )
    if latest is not None:
        return rows
    known = {(entry.app, entry.name) for entry in told}
    older = sorted(times(connection).items(), key=lambda item: item[1], reverse=True)
    rows += [
        {
            **dict.fromkeys(COLUMNS),
            "revision": label(key),
            "direction": "forward",
            "outcome": "recorded",
            "fake": False,
            "started": at.isoformat(),
        }
        for key, at in older
        if key not in known and app in (None, key[0])
    ]
    return rows
