"""What would go wrong, found before the first statement of a run.

``findings`` looks at a whole plan: at the graph and the journal here, at the tables and columns
that stand in ``plan.shape``, at their rows in ``plan.rows``. It reads only. A finding that refuses
is certain; where an operation of the same plan may change the answer first, it is a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.models import Max

from hotel.migrator.exceptions import Interrupted, RefusedByPreflight
from hotel.migrator.operations import Unfinished
from hotel.migrator.plan import atomicity, dependents, lock_order, steps, table_kinds
from hotel.migrator.plan.finding import KEYS, LEGACY, Finding, refuse
from hotel.migrator.plan.rows import Rows
from hotel.migrator.plan.shape import Shape
from hotel.migrator.plan.steps import DjangoPlan, Step
from hotel.migrator.revisions import edits
from hotel.migrator.revisions.targets import Key
from hotel.migrator.running import interruptions
from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.tables import JournalEntry

logger = logging.getLogger(__name__)


def findings(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    plan: DjangoPlan,
    *,
    accept_data_loss: bool = False,
) -> list[Finding]:
    """Return the Findings about a plan of Django's, a list of ``(migration, backwards)``.

    loader: one that knows what is applied on ``connection``. accept_data_loss: what is dropped with
    its rows is a warning.
    """
    complaints = [
        *_interrupted(connection, loader, plan),
        *_inconsistent(loader, plan),
        *_ghosts(loader, plan),
        *_edited(connection, loader),
        *_orphans(connection, plan),
    ]
    walked = steps.walk(loader, plan)
    shape = Shape(connection, journal.unfinished(connection)).look(walked)
    hanging = table_kinds.look(connection, walked) + dependents.look(connection, walked)
    if one := _unrecorded(connection, loader, shape, hanging):
        return [*_interrupted(connection, loader, plan), one]  # the others follow from it
    wrong = {(finding.migration, finding.operation) for finding in shape}
    rows = [  # of a table that is not there nobody need look for rows
        finding
        for finding in Rows(connection, accept_data_loss).look(walked)
        if finding.kind not in ("unreadable", "type")
        or (finding.migration, finding.operation) not in wrong
    ]
    looked_at = [
        *complaints,
        *atomicity.look(connection, walked),
        *shape,
        *hanging,
        *rows,
        *_raised(connection, walked),
        *atomicity.holding(connection, walked),
    ]
    return list(dict.fromkeys(looked_at))  # what more than one check cannot ask is said once


# What plain migrate does


def before_migrate(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    plan: DjangoPlan,
    fake_initial: bool = False,
) -> None:
    """Refuse what plain ``migrate`` refuses, and say on standard error what it only warns of.

    fake_initial: what an initial migration makes may be there. Raises RefusedByPreflight, or
    Interrupted.
    """
    refuse_to_leave_half_done(connection, loader, plan)
    warnings, walked, shape, hanging = _ghosts(loader, plan), [], [], []
    if plan and connection.introspection.table_names():
        walked = steps.walk(loader, plan)
        shape = Shape(connection, journal.unfinished(connection)).look(walked)
        if loader.applied_migrations:
            hanging = table_kinds.look(connection, walked) + dependents.look(connection, walked)
        one = _unrecorded(connection, loader, shape, hanging)
        if one and not (fake_initial and one.kind != LEGACY):
            refuse([one])
    refuse_orphans(connection, plan)
    if atomicity.is_doubtful(connection, plan):
        refuse(atomicity.look(connection, walked or steps.walk(loader, plan)))
    if plan and loader.applied_migrations:
        warnings += _edited(connection, loader)
        # SQLite takes the name of a column that is not there for a text.
        shape = [finding for finding in shape if finding.kind in ("missing", "twice")]
        refuse(shape + hanging)
        # Behind code of the same plan nobody can tell; the runner looks again, just before it.
        warnings += [finding for finding in shape if finding.kind == "twice"]
        warnings += hanging + Rows(connection, True, only_dropped=True).look(walked)
        warnings += _raised(connection, walked) + atomicity.holding(connection, walked)
    for finding in dict.fromkeys(warnings):
        logger.warning("%s %s", finding.cause, finding.mend)


def refuse_unfinished(sender: object, *, plan: DjangoPlan = (), **kwargs: Any) -> None:  # noqa: ARG001 (a receiver)
    """Raise RefusedByPreflight if the run would come to a migration that is still to be written.

    A receiver of ``pre_migrate``. It is also refused where nothing is run (``--fake``): what is
    written into a migration that is recorded as applied would never run.
    """
    unfinished = {
        f"{step.app_label}.{step.name}": operation.what
        for step, backwards in plan
        for operation in step.operations
        if isinstance(operation, Unfinished) and not backwards
    }
    if unfinished:
        raise Unfinished.refusal(unfinished)


def refuse_to_leave_half_done(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, plan: DjangoPlan
) -> None:
    """Raise Interrupted if a migration was interrupted and this run would not finish it."""
    for half in interruptions.in_the_way(connection, loader, plan):
        raise Interrupted(str(half))


def refuse_orphans(connection: BaseDatabaseWrapper, plan: DjangoPlan) -> None:
    """Raise RefusedByPreflight if a row refers to one that is not there.

    SQLite only: the legacy system left its foreign keys unchecked there, Django checks them after
    each change of a table, and the middle of a run is the wrong place to find out.
    """
    if not plan or connection.vendor != "sqlite":
        return
    try:
        connection.check_constraints()
    except IntegrityError as error:
        raise RefusedByPreflight(
            f"{str(error).rstrip('.')}. Nothing was changed: mend the row and run migrate again."
        ) from None


# The graph and the journal


def _interrupted(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, plan: DjangoPlan
) -> list[Finding]:
    """Return what earlier runs began and this one would not finish."""
    return [
        Finding("interrupted", True, _label(half.key), "", f"{half.cause}.", half.mend)
        for half in interruptions.in_the_way(connection, loader, plan)
    ]


def _inconsistent(loader: MigrationLoader, plan: DjangoPlan) -> list[Finding]:
    """Return what is applied, or would be, without what it depends on."""
    nodes, there = loader.graph.node_map, set(loader.applied_migrations)
    there.update(  # a squashed migration is there when all are that it stands for
        key for key, squash in loader.replacements.items() if there.issuperset(squash.replaces)
    )
    complaints = []

    def add(key: Key, cause: str, mend: str) -> None:
        complaints.append(Finding("dependency", True, _label(key), "", cause, mend))

    for key in sorted(there.intersection(nodes)):
        for parent in _missing(nodes[key].parents, there):
            below = there.intersection(loader.graph.backwards_plan(key))
            ends = [one for one in below if below.isdisjoint(n.key for n in nodes[one].children)]
            add(
                key,
                f"{_label(key)} is applied, but {parent}, which it depends on, is not.",
                "If its change is in the database, record it too with manage.py db stamp"
                f" {' '.join(sorted(map(_label, ends)))}; if not, the file came too late: mend its"
                " dependencies.",
            )
    for migration, backwards in plan:
        key = (migration.app_label, migration.name)
        if backwards:
            there.discard(key)
            for child in sorted({node.key for node in nodes[key].children} & there):
                add(
                    key,
                    f"{migration} would be undone before {_label(child)}, which depends on it.",
                    "Undo both: manage.py db downgrade --cascade.",
                )
            continue
        for parent in _missing(nodes[key].parents, there):
            add(
                key,
                f"{migration} would be applied before {parent}, which it depends on.",
                f"Apply both with manage.py db upgrade {migration}.",
            )
        there.add(key)
    return complaints


def _missing(parents: Iterable[Any], there: set[Key]) -> list[str]:
    return sorted(_label(node.key) for node in parents if node.key not in there)


def _label(key: Key) -> str:
    return ".".join(key)


def _ghosts(loader: MigrationLoader, plan: DjangoPlan) -> list[Finding]:
    """Return the applied migrations whose files are missing."""
    # Records, though django-stubs takes them for migrations.
    applied: dict[Key, Any] = dict(loader.applied_migrations)
    complaints = []
    known = set(loader.disk_migrations)
    for squash in loader.disk_migrations.values():
        known.update(squash.replaces)
    for key, record in applied.items():
        if key in known or key[0] not in loader.migrated_apps:
            continue
        over = [
            step
            for step, backwards in plan
            if backwards
            and step.app_label == key[0]
            and (step.app_label, step.name) in applied
            and applied[step.app_label, step.name].pk < record.pk
        ]
        cause = f"{_label(key)} is applied, but its file is missing"
        cause += f", and the plan undoes {over[0]}, which ran before it." if over else "."
        mend = (
            "Bring the file back, for example with git; or, if it is gone for good, forget the"
            " record with manage.py db stamp --purge."
        )
        complaints.append(Finding("ghost", bool(over), _label(key), "", cause, mend))
    return complaints


def without_files(loader: MigrationLoader) -> list[str]:
    """Return a sentence about each applied migration without a file, with what mends it."""
    said = [f"{finding.cause} {finding.mend}" for finding in _ghosts(loader, [])]
    for app, name in loader.applied_migrations:
        if app in loader.migrated_apps:
            continue
        is_there = app in loader.unmigrated_apps
        why = f"{app} has no migrations" if is_there else f"no application {app} is installed"
        back = "Bring them back, for example with git" if is_there else "Install it again"
        said.append(
            f"{app}.{name} is applied, but {why}. {back}; or, if it is gone for good, forget the"
            " record with manage.py db stamp --purge."
        )
    return said


def _edited(connection: BaseDatabaseWrapper, loader: MigrationLoader) -> list[Finding]:
    """Return the applied migrations whose files do something else than when they ran."""
    if not tables.exists(connection, JournalEntry):
        return []
    entries = JournalEntry._default_manager.using(connection.alias)
    last = entries.filter(event="finished").values("app", "name").annotate(last=Max("pk"))
    ran = entries.filter(pk__in=last.values("last"), direction="forward").exclude(checksum="")
    complaints = []
    for entry in ran.order_by("pk"):
        migration = loader.disk_migrations.get((entry.app, entry.name))
        if migration is None or (entry.app, entry.name) not in loader.applied_migrations:
            continue
        if edits.is_edited(migration, entry.checksum):
            cause = f"{migration} was edited since it ran on {entry.at:%Y-%m-%d}."
            mend = (
                "Take the change back and write it as a further migration, as manage.py"
                f" makemigrations {entry.app} does; databases elsewhere have what the file said"
                " before."
            )
            complaints.append(Finding("edited", False, str(migration), "", cause, mend))
    return complaints


def _unrecorded(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    shape: list[Finding],
    hanging: list[Finding],
) -> Finding | None:
    """Return the Finding about tables that no migration made, if a plan fails for any reason."""
    if not (shape or any(finding.refuses for finding in hanging)):
        return None
    from hotel.migrator.adopt import unrecorded  # with all that compares: most runs need none of it

    return unrecorded.look(connection, loader)


def _raised(connection: BaseDatabaseWrapper, walked: Sequence[Step]) -> list[Finding]:
    """Return the migrations that lock a table that stands, and then lock it more (PostgreSQL)."""
    there = set(connection.introspection.table_names())
    return [
        Finding("lock", False, one.migration, one.then, one.cause, one.mend)
        for one in lock_order.raised(connection, walked)
        if one.table in there
    ]


def _orphans(connection: BaseDatabaseWrapper, plan: DjangoPlan) -> list[Finding]:
    """Return the rows that refer to rows which are not there (SQLite; see refuse_orphans)."""
    if not plan or connection.vendor != "sqlite":
        return []
    quote, complaints = connection.ops.quote_name, []
    broken = "FROM pragma_foreign_key_check"
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "table", parent, fkid, count(*) {broken} GROUP BY 1, 2, 3')
        for table, parent, number, count in cursor.fetchall():
            cursor.execute(f"PRAGMA foreign_key_list({quote(table)})")
            [column] = [row[3] for row in cursor.fetchall() if row[:2] == (number, 0)]
            key = connection.introspection.get_primary_key_column(cursor, table) or "rowid"
            cursor.execute(
                f"SELECT {quote(key)} FROM {quote(table)} WHERE rowid IN (SELECT rowid {broken}"
                f' WHERE "table" = %s AND fkid = %s) ORDER BY 1 LIMIT {KEYS}',
                [table, number],
            )
            keys = tuple(str(row[0]) for row in cursor.fetchall())
            rows = "1 row" if count == 1 else f"{count} rows"
            cause = (
                f"{table}.{column} refers to {parent}, with nothing there for {rows}, and SQLite"
                " looks at all tables when one is altered."
            )
            mend = "Give them something to refer to, or delete them, and run the command again."
            complaints.append(
                Finding("orphan", True, str(plan[0][0]), "", cause, mend, count, keys)
            )
    return complaints
