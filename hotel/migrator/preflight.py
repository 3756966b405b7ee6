"""What would go wrong, found before the first statement of a run.

``findings`` looks at a whole plan: at the graph and the journal here, at the tables and columns
that stand in ``hotel.migrator.shape``, at their rows in ``hotel.migrator.rows``. It reads only. A
finding that refuses is certain; where an operation of the same plan may change the answer first, it
is a warning.
"""

import logging

from django.db import IntegrityError
from django.db.models import Max

from hotel.migrator import history, interruptions, steps, tables
from hotel.migrator.exceptions import Interrupted, MigratorError, RefusedByPreflight
from hotel.migrator.finding import KEYS, Finding
from hotel.migrator.operations import Unfinished
from hotel.migrator.rows import Rows
from hotel.migrator.shape import Shape
from hotel.migrator.tables import JournalEntry

logger = logging.getLogger(__name__)


def findings(connection, loader, plan, *, accept_data_loss=False):
    """Return the Findings about a plan of Django's, a list of ``(migration, backwards)``.

    loader: one that knows what is applied on ``connection``. accept_data_loss: what is dropped with
    its rows is a warning.
    """
    found = [
        *_interrupted(connection, loader, plan),
        *_inconsistent(loader, plan),
        *_ghosts(loader, plan),
        *_edited(connection, loader),
        *_orphans(connection, plan),
    ]
    walked = steps.walk(loader, plan)
    shape = Shape(connection, history.unfinished(connection)).look(walked)
    wrong = {(finding.migration, finding.operation) for finding in shape}
    rows = [  # of a table that is not there nobody need look for rows
        finding
        for finding in Rows(connection, accept_data_loss).look(walked)
        if finding.kind != "unreadable" or (finding.migration, finding.operation) not in wrong
    ]
    return found + shape + rows


def refuse(found):
    """Raise Interrupted or RefusedByPreflight, with a line each, if any of the Findings refuses."""
    lines = [finding.line() for finding in found if finding.refuses]
    if lines:
        begun = any(finding.refuses and finding.kind == "interrupted" for finding in found)
        said = f"Nothing was changed: {len(lines)} of the things that this run would meet must be"
        raise (Interrupted if begun else RefusedByPreflight)(
            "\n".join([f"{said} mended first.", *(f"  {line}" for line in lines)])
        )


# What plain migrate does


def before_migrate(connection, loader, plan):
    """Refuse what plain ``migrate`` refuses, and say on standard error what it only warns of.

    Raises MigratorError.
    """
    refuse_to_leave_half_done(connection, loader, plan)
    refuse_orphans(connection, plan)
    warnings = _ghosts(loader, plan)
    if plan and loader.applied_migrations:
        warnings += _edited(connection, loader)
        warnings += Rows(connection, True, only_dropped=True).look(steps.walk(loader, plan))
    for finding in warnings:
        logger.warning("%s %s", finding.cause, finding.mend)


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


def refuse_to_leave_half_done(connection, loader, plan):
    """Raise Interrupted if a migration was interrupted and this run would not finish it."""
    for half in interruptions.in_the_way(connection, loader, plan):
        raise Interrupted(str(half))


def refuse_orphans(connection, plan):
    """Raise MigratorError if a row refers to one that is not there.

    SQLite only: the legacy system left its foreign keys unchecked there, Django checks them after
    each change of a table, and the middle of a run is the wrong place to find out.
    """
    if not plan or connection.vendor != "sqlite":
        return
    try:
        connection.check_constraints()
    except IntegrityError as error:
        raise MigratorError(
            f"{str(error).rstrip('.')}. Nothing was changed: mend the row and run migrate again."
        ) from None


# The graph and the journal


def _interrupted(connection, loader, plan):
    """Return what earlier runs began and this one would not finish."""
    return [
        Finding("interrupted", True, _label(half.key), "", f"{half.cause}.", half.mend)
        for half in interruptions.in_the_way(connection, loader, plan)
    ]


def _inconsistent(loader, plan):
    """Return what is applied, or would be, without what it depends on."""
    nodes, there = loader.graph.node_map, set(loader.applied_migrations)
    there.update(  # a squashed migration is there when all are that it stands for
        key for key, squash in loader.replacements.items() if there.issuperset(squash.replaces)
    )
    found = []

    def add(key, cause, mend):
        found.append(Finding("dependency", True, _label(key), "", cause, mend))

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
    return found


def _missing(parents, there):
    return sorted(_label(node.key) for node in parents if node.key not in there)


def _label(key):
    return ".".join(key)


def _ghosts(loader, plan):
    """Return the applied migrations whose files are missing."""
    applied, found = loader.applied_migrations, []
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
        found.append(Finding("ghost", bool(over), _label(key), "", cause, mend))
    return found


def _edited(connection, loader):
    """Return the applied migrations whose files do something else than when they ran."""
    if not tables.exists(connection, JournalEntry):
        return []
    entries = JournalEntry.objects.using(connection.alias)
    last = entries.filter(event="finished").values("app", "name").annotate(last=Max("pk"))
    ran = entries.filter(pk__in=last.values("last"), direction="forward").exclude(checksum="")
    found = []
    for entry in ran.order_by("pk"):
        migration = loader.disk_migrations.get((entry.app, entry.name))
        if migration is None or (entry.app, entry.name) not in loader.applied_migrations:
            continue
        if history.checksum(migration) not in ("", entry.checksum):
            cause = f"{migration} was edited since it ran on {entry.at:%Y-%m-%d}."
            mend = (
                "Take the change back and write it as a further migration, as manage.py"
                f" makemigrations {entry.app} does; databases elsewhere have what the file said"
                " before."
            )
            found.append(Finding("edited", False, str(migration), "", cause, mend))
    return found


def _orphans(connection, plan):
    """Return the rows that refer to rows which are not there (SQLite; see refuse_orphans)."""
    if not plan or connection.vendor != "sqlite":
        return []
    quote, found = connection.ops.quote_name, []
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
            found.append(Finding("orphan", True, str(plan[0][0]), "", cause, mend, count, keys))
    return found
