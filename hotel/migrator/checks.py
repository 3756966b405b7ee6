"""A check of the live database: ``manage.py check --tag migrator --database default``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core import checks
from django.db import DatabaseError, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory

from hotel.migrator.exceptions import MigratorError
from hotel.migrator.messages.output import printable

_is_left_out = ContextVar("_is_left_out", default=False)


@contextmanager
def without_drift() -> Iterator[None]:
    """Leave the check out: ``migrate`` names a database too when it runs all checks."""
    token = _is_left_out.set(True)
    try:
        yield
    finally:
        _is_left_out.reset(token)


@checks.register("migrator")
def check_drift(
    app_configs: Any,  # noqa: ARG001 (Django passes it by this name)
    databases: Sequence[str] | None = None,
    **_options: Any,
) -> list[checks.CheckMessage]:
    """Return an error for each thing that models, migrations and database differ in."""
    if _is_left_out.get() or not databases:
        return []
    # What it takes to answer is not loaded before somebody asks: each command imports this module.
    from hotel.migrator.schema.drift import sentences
    from hotel.migrator.verbs.comparing import drift

    errors: list[checks.CheckMessage] = []
    for alias in databases:
        try:
            found = drift(connections[alias])
        except (MigratorError, InconsistentMigrationHistory, DatabaseError) as error:
            errors.append(checks.Error(printable(str(error)), id="migrator.E003"))
            continue
        errors += [
            checks.Error(
                printable(sentence),
                hint="manage.py db drift prints what mends it.",
                id="migrator.E002",
            )
            for sentence in sentences(found.document)
        ]
    return errors
