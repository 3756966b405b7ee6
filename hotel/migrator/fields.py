"""Model fields that the schema history needs; append-only: migrations import them for ever."""

from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression
from django.db.models.functions.datetime import Extract, TruncBase
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from hotel.migrator.expressions import Instant


class NaiveUTCDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # it takes none at run time
    """An instant in a column without time zone whose clock is UTC, as the legacy system wrote it.

    Python sees aware datetimes in UTC. PostgreSQL stores ``timestamp`` (not ``timestamptz``), so no
    session or server zone can shift a value; SQLite stores the same text as Django's own field
    does. A naive value given to the field is taken to be UTC, never local time.
    """

    description = "Instant in UTC, in a column without time zone"

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the column type: PostgreSQL's zoneless timestamp, otherwise Django's."""
        if connection.vendor == "postgresql":
            return "timestamp"
        return super().db_type(connection)

    def to_python(self, value: Any) -> Any:
        """Return an aware datetime, reading a naive one as UTC."""
        value = super().to_python(value)
        if value is not None and timezone.is_naive(value):
            value = value.replace(tzinfo=UTC)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Return an aware datetime; a naive one is UTC (Django would warn and take local time)."""
        return self.to_python(value)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """Return what the driver writes: the clock time in UTC, whatever zone is set."""
        value = self.to_python(value)
        if value is None:
            return None
        value = value.astimezone(UTC).replace(tzinfo=None)
        return value if connection.vendor == "postgresql" else str(value)

    def from_db_value(
        self, value: datetime | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> datetime | None:
        """Return what the column holds as an aware datetime in UTC.

        SQLite's converter has attached the connection's zone by now; the clock time was UTC all
        along.
        """
        return None if value is None else value.replace(tzinfo=UTC)


def _of_instant(lookup: Any) -> Any:
    """Return Django's ``__date``, ``__hour`` and so on for a column whose clock is UTC.

    On PostgreSQL ``timestamp AT TIME ZONE`` takes the clock for the zone's own and would shift the
    instant the wrong way; made a ``timestamptz`` first, it is shifted as Django means it.
    """

    class OfInstant(lookup):  # type: ignore[misc]  # a class that Django made
        def as_postgresql(
            self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
        ) -> tuple[str, Any]:
            clone = self.copy()
            clone.set_source_expressions([Instant(self.lhs)])
            sql: tuple[str, Any] = super(OfInstant, clone).as_sql(compiler, connection, **context)
            return sql

    OfInstant.__name__ = lookup.__name__
    return OfInstant


for _name, _lookup in models.DateTimeField().get_lookups().items():
    if issubclass(_lookup, Extract | TruncBase):
        NaiveUTCDateTimeField.register_lookup(_of_instant(_lookup), _name)


class ExemptionsField(models.JSONField):
    """The rules that a row need not keep, because it broke them before they were made.

    An object whose keys are the names of rules (see ``hotel.migrator.constraints``), or NULL. The
    database writes it: nobody can add a name.
    """

    description = "Rules that the row is exempt from"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"null": True, "blank": True, "editable": False, **kwargs})
