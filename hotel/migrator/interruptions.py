"""What earlier runs began and did not end, and the command that finishes it.

A batched migration that was killed left a cursor, one that is not atomic the entries of the
operations that ended. Both are recorded as what they were before, though part of them is done:
whatever runs past one would take that part for something else.
"""

from django.db.migrations.loader import MigrationLoader
from django.db.models import Exists, OuterRef

from hotel.migrator import history, tables
from hotel.migrator.batches import parse
from hotel.migrator.history import Direction, Event
from hotel.migrator.tables import JournalEntry


def left_half_done(connection, loader, plan):
    """Return what a run of ``plan`` would leave half done, as ``(app, name, direction)`` each."""
    applied, going = loader.applied_migrations, _in(plan)
    begun = dict.fromkeys([*_cursors(connection), *_operations_done(connection)])
    return [
        (app, name, direction)
        for app, name, direction in begun
        if ((app, name) in applied) != (direction == Direction.FORWARD)
        and (app, name, direction) not in going
    ]


def sentences(loader, app, name, direction):
    """Return what was interrupted, without a full stop, and what finishes it, with one."""
    way = "up" if direction == Direction.FORWARD else "down"
    target = name if way == "up" else _before(loader, app, name)
    finish = f"finish it first with manage.py migrate {app} {target}."
    if (app, name) not in loader.disk_migrations:
        finish = f"its file is missing, so bring that back, for example with git, and {finish}"
    return f"{app}.{name} was interrupted on its way {way}", finish


def settle(connection, app):
    """Write into the journal that of ``app`` nothing is half done, but all is as it is recorded.

    That is what ``migrate --fake`` says, also where django_migrations says so already. app: a
    label, or None for all.
    """
    loader = MigrationLoader(connection)
    keys = [key for key in history.unfinished(connection) if app in (None, key[0])]
    found = [loader.disk_migrations[key] for key in sorted(keys) if key in loader.disk_migrations]
    found = [migration for migration in found if not migration.atomic]
    journal = history.Journal(connection) if found else None
    for migration in found:
        is_applied = (migration.app_label, migration.name) in loader.applied_migrations
        direction = Direction.FORWARD if is_applied else Direction.BACKWARD
        journal.start(migration, direction, is_fake=True).finish()


def _cursors(connection):
    """Return ``(app, name, direction)`` of the batched migrations that have a cursor."""
    if not tables.exists(connection, tables.Cursor):
        return []
    cursors = tables.Cursor.objects.using(connection.alias).order_by("pk")
    return [parse(cursor.owner) for cursor in cursors]


def _operations_done(connection):
    """Return the same of the migrations of which some operations ended and others did not."""
    if not tables.exists(connection, JournalEntry):
        return []
    entries = JournalEntry.objects.using(connection.alias)
    later = entries.filter(
        app=OuterRef("app"), name=OuterRef("name"), pk__gt=OuterRef("pk"), event=Event.FINISHED
    )
    begun = entries.filter(~Exists(later), event=Event.OPERATION).order_by("app", "name")
    return list(begun.values_list("app", "name", "direction").distinct())


def _in(plan):
    return {
        (step.app_label, step.name, (Direction.BACKWARD if backwards else Direction.FORWARD).value)
        for step, backwards in plan
    }


def _before(loader, app, name):
    """Return the target that takes ``name`` down: what it follows in its application, or zero."""
    node = loader.graph.node_map.get((app, name))
    if node:
        names = [parent.key[1] for parent in node.parents if parent.key[0] == app]
    else:  # its file is missing
        names = [key[1] for key in loader.disk_migrations if key[0] == app and key[1] < name]
    return max(names, default="zero")
