"""What earlier runs began and did not end, and the command that mends it.

A migration that is not atomic may stop half way: some of its operations have ended, some batches,
or a part that nobody knows. It is recorded as what it was before. Whatever runs past it would take
that part for something else, and what is run again could be done twice. Every command asks here.
An atomic migration is never half done.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.models import Max

from hotel.migrator.exceptions import Interrupted
from hotel.migrator.plan import repeating
from hotel.migrator.revisions import edits
from hotel.migrator.revisions.targets import Key
from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.journal import Direction, Event
from hotel.migrator.storage.owners import Owner
from hotel.migrator.storage.tables import JournalEntry

Begun: TypeAlias = tuple[str, str, str]  # application, name and direction


@dataclass(frozen=True)
class HalfDone:
    """A migration of which a part may be done.

    last: the last entry of the journal about it, or None. done: how many of its operations ended.
    unclear: in words, what may be half done and must not be repeated, or "". is_edited: its file
    does something else than when it was stopped; is_missing: there is none. before: the target that
    takes it down.
    """

    app: str
    name: str
    direction: str
    before: str
    last: JournalEntry | None = None
    done: int = 0
    unclear: str = ""
    is_edited: bool = False
    is_missing: bool = False

    @property
    def key(self) -> Key:
        """Return application and name."""
        return self.app, self.name

    @property
    def goes_on(self) -> bool:
        """Tell whether running it again does what is left, and nothing twice."""
        return not (self.unclear or self.is_edited or self.is_missing)

    @property
    def cause(self) -> str:
        """Return what happened, without a full stop."""
        way = "up" if self.direction == Direction.FORWARD else "down"
        label = f"{self.app}.{self.name}"
        if self.is_edited:
            behind = f" behind {self.done} of its operations" if self.done else ""
            return (
                f"{label} was stopped on its way {way}{behind}, and its file was edited since: to"
                " go on with the new one could leave something out or do it twice"
            )
        if self.unclear:
            return (
                f"{label} was stopped on its way {way} in an operation that has no transaction"
                f" ({self.unclear}), so part of it may be done: running it again could do that part"
                " twice"
            )
        return f"{label} was interrupted on its way {way}"

    @property
    def mend(self) -> str:
        """Return what mends it, a sentence with the command."""
        record = (
            f"then record what is true with manage.py migrate --fake {self.app} {self.name}, or"
            " with the name of the migration before it."
        )
        target = self.name if self.direction == Direction.FORWARD else self.before
        finish = f"manage.py migrate {self.app} {target}"
        if self.is_missing:
            return (
                "Its file is missing, so bring that back, for example with git, and finish it"
                f" first with {finish}; if it is gone for good, forget it with manage.py db stamp"
                " --purge."
            )
        if self.is_edited:
            return (
                f"Bring the file back as it was, for example with git, and finish it with {finish};"
                f" or finish or undo by hand what it began, and {record}"
            )
        if self.unclear:
            return f"Look at its rows and finish or undo it by hand; {record}"
        return f"Finish it first with {finish}."

    def __str__(self) -> str:
        if self.unclear or self.is_edited:
            return f"{self.cause}. {self.mend}"
        return f"{self.cause}: {self.mend[0].lower()}{self.mend[1:]}"


def half_done(connection: BaseDatabaseWrapper, loader: MigrationLoader) -> list[HalfDone]:
    """Return what is half done, as HalfDone each; ``loader`` knows what is applied."""
    halves = []
    cursors, last = _cursors(connection), _last(connection)
    for app, name, direction in sorted({*cursors, *last}):
        if ((app, name) in loader.applied_migrations) == (direction == Direction.FORWARD):
            continue  # it has ended, whoever recorded that
        begun = app, name, direction
        if half := _look(connection, loader, begun, last.get(begun), begun in cursors):
            halves.append(half)
    return halves


def of(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    migration: Migration,
    direction: str,
) -> HalfDone | None:
    """Return the HalfDone of one migration, or None. It asks the journal only."""
    entries = JournalEntry.objects.using(connection.alias)
    begun = migration.app_label, migration.name, str(direction)
    last = entries.filter(app=begun[0], name=begun[1]).order_by("-pk").first()
    if last is None or last.event == Event.FINISHED or last.direction != direction:
        return None
    return _look(connection, loader, begun, last, begun in _cursors(connection))


def in_the_way(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, plan: Iterable[tuple[Migration, bool]]
) -> list[HalfDone]:
    """Return what is half done and would not be finished by a run of ``plan``."""
    going = {
        (step.app_label, step.name, Direction.BACKWARD if backwards else Direction.FORWARD)
        for step, backwards in plan
    }
    return [
        half
        for half in half_done(connection, loader)
        if not half.goes_on or (*half.key, half.direction) not in going
    ]


def refuse(half: HalfDone | None) -> None:
    """Raise Interrupted if what is half done must not be run again."""
    if half and not half.goes_on:
        raise Interrupted(str(half))


def settle(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, chosen: Callable[[HalfDone], bool]
) -> None:
    """Write into the journal that nothing is half done of what ``chosen(half)`` says, but as it is.

    What is recorded counts, so the cursors of what was begun are gone. For ``migrate --fake`` and
    ``db stamp``, also where django_migrations says so already.
    """
    halves = [half for half in half_done(connection, loader) if chosen(half)]
    if not halves:
        return
    entry = journal.Journal(connection)
    for half in halves:
        app, name = half.key
        migration = loader.disk_migrations.get(half.key) or Migration(name, app)
        forward = half.key in loader.applied_migrations
        direction = Direction.FORWARD if forward else Direction.BACKWARD
        entry.start(migration, direction, is_fake=True).finish()
        if tables.exists(connection, tables.Cursor):
            cursors = tables.Cursor.objects.using(connection.alias)
            cursors.filter(owner__startswith=f"{app}.{name}#").delete()


def _cursors(connection: BaseDatabaseWrapper) -> set[Begun]:
    """Return ``(app, name, direction)`` of the batched migrations of which batches have ended."""
    if not tables.exists(connection, tables.Cursor):
        return set()
    cursors = tables.Cursor.objects.using(connection.alias).filter(rows_read__gt=0)
    return {Owner.read(cursor.owner).run for cursor in cursors}


def _last(connection: BaseDatabaseWrapper) -> dict[Begun, JournalEntry]:
    """Return the last entry of each migration whose last run has not finished, by the same."""
    if not tables.exists(connection, JournalEntry):
        return {}
    entries = JournalEntry.objects.using(connection.alias)
    last = entries.values("app", "name").annotate(last=Max("pk")).values("last")
    unfinished = entries.filter(pk__in=last).exclude(event=Event.FINISHED)
    return {(entry.app, entry.name, entry.direction): entry for entry in unfinished}


def _look(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    begun: Begun,
    last: JournalEntry | None,
    has_cursor: bool,
) -> HalfDone | None:
    """Return the HalfDone of a migration that has not ended, or None if nothing of it is done."""
    app, name, direction = begun
    migration, backwards = loader.disk_migrations.get((app, name)), direction == Direction.BACKWARD
    done, was_entered = _operations(connection, begun) if last else (0, False)
    unclear = ""
    if migration and last and not migration.atomic:
        steps = migration.operations[::-1] if backwards else migration.operations
        if repeating.has_own_way(migration, backwards=backwards):
            unclear = f"{'unapply' if backwards else 'apply'}() of its own"
        elif (
            was_entered  # else it failed as an atomic one, or before the operation began
            and done < len(steps)
            and not repeating.may_repeat(repeating.repeatable(steps[done]))
        ):
            unclear = repeating.in_words(steps[done], backwards=backwards)
    is_begun = has_cursor or done or was_entered
    if not (is_begun or unclear):
        return None
    is_edited = False
    if is_begun and migration and last:
        is_edited = edits.is_edited(migration, last.checksum)
    return HalfDone(
        app,
        name,
        direction,
        _before(loader, app, name),
        last=last,
        done=done,
        unclear=unclear,
        is_edited=is_edited,
        is_missing=migration is None,
    )


def _operations(connection: BaseDatabaseWrapper, begun: Begun) -> tuple[int, bool]:
    """Return how many operations have ended since this migration did, and whether one has not.

    That one is of those that must not be repeated: where it begins is written for these.
    """
    app, name, direction = begun
    entries = JournalEntry.objects.using(connection.alias).filter(app=app, name=name)
    finished = entries.filter(event=Event.FINISHED).aggregate(last=Max("pk"))["last"] or 0
    since = entries.filter(direction=direction, pk__gt=finished, operation__isnull=False)
    told = list(since.values_list("event", "operation"))
    ended = {number for event, number in told if event == Event.OPERATION}
    return len(ended), not ended.issuperset(number for _, number in told)


def _before(loader: MigrationLoader, app: str, name: str) -> str:
    """Return the target that takes ``name`` down: what it follows in its application, or zero."""
    node = loader.graph.node_map.get((app, name))
    if node:
        names = [parent.key[1] for parent in node.parents if parent.key[0] == app]
    else:  # its file is missing
        names = [key[1] for key in loader.disk_migrations if key[0] == app and key[1] < name]
    return max(names, default="zero")


def invalid_indexes(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the indexes that CONCURRENTLY has not finished: ``{name: table}``, quoted, by name."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(name.relname), quote_ident(home.relname) FROM pg_index"
            " JOIN pg_class AS name ON name.oid = indexrelid"
            " JOIN pg_class AS home ON home.oid = indrelid"
            " WHERE NOT indisvalid"
            " AND home.relnamespace = quote_ident(current_schema())::regnamespace"
            " ORDER BY 1"
        )
        return dict(cursor.fetchall())
