"""The last report of ``db drift`` that was asked to be kept, for a page that must not make one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from hotel.migrator.messages import complaints
from hotel.migrator.storage import tables
from hotel.migrator.storage.tables import JournalEntry, Verdict

COMMAND = "manage.py db drift --keep"
# What a report lists.
LISTS = ("models", "migrations", "interrupted", "database", "pending", "strange", "script")


@dataclass(frozen=True)
class LastReport:
    """A report that was kept.

    document: what ``verbs.drift`` returned. made_at: when, aware. is_outdated: whether a migration
    was run or recorded since.
    """

    document: dict[str, Any]
    made_at: datetime
    is_outdated: bool


class Unreadable(ValueError):
    """What was kept is not what this version of the migrator keeps."""


def keep(connection: BaseDatabaseWrapper, document: dict[str, Any]) -> str:
    """Keep a report in place of the last, and return "", or why it was not kept, as a sentence."""
    try:
        try:
            _write(connection, document)
        except DatabaseError:
            if not tables.exists(connection, Verdict):
                raise
            _write(connection, document)  # somebody else was just making the table
    except DatabaseError as error:
        said = complaints.of(error).said
        return f"The report was not kept: {said}. A role that may write has to keep it."
    return ""


def _write(connection: BaseDatabaseWrapper, document: dict[str, Any]) -> None:
    if not tables.exists(connection, Verdict):
        with connection.schema_editor() as editor:
            tables.ensure(editor, [Verdict])
    reports = Verdict._base_manager.using(connection.alias)
    with transaction.atomic(using=connection.alias):
        reports.all().delete()
        reports.create(document=json.dumps({"found": document, "mark": _mark(connection)}))


def read(connection: BaseDatabaseWrapper) -> LastReport | None:
    """Return the report that was kept, or None. It takes five short queries, and no replay.

    Raises Unreadable.
    """
    if not tables.exists(connection, Verdict):
        return None
    kept = Verdict._base_manager.using(connection.alias).order_by("-pk").first()
    if kept is None:
        return None
    try:
        document, mark = (json.loads(kept.document)[name] for name in ("found", "mark"))
        [document[name] for name in (*LISTS, "withheld")]
        if any(not isinstance(document[name], list) for name in LISTS):
            raise TypeError
        [row["says"] for row in document["database"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable from error
    return LastReport(document, kept.made_at, mark != _mark(connection))


def _mark(connection: BaseDatabaseWrapper) -> list[Any]:
    """Return what is another after each migration that is run, taken back or recorded."""
    applied = MigrationRecorder(connection).applied_migrations()
    latest = None
    if tables.exists(connection, JournalEntry):
        entries = JournalEntry._base_manager.using(connection.alias)
        latest = entries.aggregate(latest=Max("pk"))["latest"]
    return [latest, sorted([row.pk, *key] for key, row in applied.items())]
