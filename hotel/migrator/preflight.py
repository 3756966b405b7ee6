"""What would go wrong, found before the first statement of a run."""

from django.core.management.base import CommandError
from django.db import IntegrityError, connections
from django.db.migrations.loader import MigrationLoader

from hotel.migrator import tables
from hotel.migrator.batches import parse
from hotel.migrator.operations import Unfinished

INTERRUPTED = 6  # exit code


def refuse_unfinished(sender, *, plan=(), **kwargs):
    """Raise RefusedByPreflight if the run would come to a migration that is still to be written.

    A receiver of ``pre_migrate``. It is also refused where nothing is run (``--fake``): what is
    written into a migration that is recorded as applied would never run.
    """
    found = {
        f"{step.app_label}.{step.name}": operation.what
        for step, backwards in plan
        for operation in step.operations
        if isinstance(operation, Unfinished) and not backwards
    }
    if found:
        raise Unfinished.refusal(found)


def refuse_to_leave_half_done(sender, *, using, plan=(), **kwargs):
    """Raise CommandError if a migration was interrupted and this run would not finish it.

    A receiver of ``pre_migrate``. A batched migration that was killed is recorded as what it was
    before, though some rows have changed already: whatever runs past it would take them for others.
    """
    connection = connections[using]
    if not tables.exists(connection, tables.Cursor):
        return
    planned = {
        (step.app_label, step.name, "backward" if backwards else "forward")
        for step, backwards in plan
    }
    for cursor in tables.Cursor.objects.using(using).order_by("pk"):
        app, name, direction = parse(cursor.owner)
        if (app, name, direction) not in planned:
            way, mend = ("up", name) if direction == "forward" else ("down", _before(app, name))
            raise CommandError(
                f"{app}.{name} was interrupted on its way {way}: "
                f"finish it first with manage.py migrate {app} {mend}.",
                returncode=INTERRUPTED,
            )


def refuse_orphans(sender, *, using, plan=(), **kwargs):
    """Raise CommandError if a row refers to one that is not there; a receiver of ``pre_migrate``.

    SQLite only: the legacy system left its foreign keys unchecked there, Django checks them after
    each change of a table, and the middle of a run is the wrong place to find out.
    """
    connection = connections[using]
    if not plan or connection.vendor != "sqlite":
        return
    try:
        connection.check_constraints()
    except IntegrityError as error:
        raise CommandError(
            f"{str(error).rstrip('.')}. Nothing was changed: mend the row and run migrate again."
        ) from None


def _before(app, name):
    """Return the target that takes ``name`` down: the migration before it in its application."""
    names = sorted(key[1] for key in MigrationLoader(None).disk_migrations if key[0] == app)
    index = names.index(name)
    return names[index - 1] if index else "zero"


def findings(connection, loader, plan, *, accept_data_loss=False):
    return []
