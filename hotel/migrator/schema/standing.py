"""How the database stands, in so few words and questions that every page can say it."""

from functools import cache

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator.schema import last_report
from hotel.migrator.schema.drift import sentences


@cache
def _of_this_code() -> frozenset[tuple[str, str]]:
    """Return the migrations that this code has; it is another process that would have others."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)


def pending(connection: BaseDatabaseWrapper) -> int:
    """Return how many migrations of this code the database has not had yet."""
    return len(_of_this_code() - set(MigrationRecorder(connection).applied_migrations()))


def has_drifted(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the report that was kept says so, and still holds."""
    try:
        kept = last_report.read(connection)
    except (last_report.Unreadable, DatabaseError):
        return False  # the page of the drift says so
    return bool(kept and not kept.is_outdated and any(sentences(kept.document)))
