"""A check of the live database: ``manage.py check --tag migrator --database default``."""

from contextlib import contextmanager
from contextvars import ContextVar

from django.core import checks
from django.db import DatabaseError, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory

from hotel.migrator.exceptions import MigratorError

_is_left_out = ContextVar("_is_left_out", default=False)


@contextmanager
def without_drift():
    """Leave the check out: ``migrate`` names a database too when it runs all checks."""
    token = _is_left_out.set(True)
    try:
        yield
    finally:
        _is_left_out.reset(token)


@checks.register("migrator")
def check_drift(app_configs, databases=None, **kwargs):
    """Return an error for each thing that models, migrations and database differ in."""
    if _is_left_out.get() or not databases:
        return []
    # What it takes to answer is not loaded before somebody asks: each command imports this module.
    from hotel.migrator.drift import sentences
    from hotel.migrator.verbs import drift

    errors = []
    for alias in databases:
        try:
            found = drift(connections[alias])
        except (MigratorError, InconsistentMigrationHistory, DatabaseError) as error:
            errors.append(checks.Error(str(error), id="migrator.E003"))
            continue
        errors += [
            checks.Error(
                sentence, hint="manage.py db drift prints what mends it.", id="migrator.E002"
            )
            for sentence in sentences(found)
        ]
    return errors
