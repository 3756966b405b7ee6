"""What to do about tables that no recorded migration made and that one would make.

They are of the legacy system, of this history without its records, or of somebody else. It reads
only, and takes its time: it is asked where a plan cannot run, or a database is not as recorded.
"""

from collections.abc import Iterable, Sequence

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.adopt import point_of_history
from hotel.migrator.adopt.inspection import Look, declared
from hotel.migrator.adopt.shapes import Legacy
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.plan.finding import LEGACY, Finding
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import labels, shortened
from hotel.migrator.schema import catalog, drift
from hotel.migrator.schema.stamps import ends_of
from hotel.migrator.scope import own_apps
from hotel.migrator.storage import journal

UNRECORDED, STRANGE = "unrecorded", "strange"  # kinds of findings
KINDS = LEGACY, UNRECORDED, STRANGE


def look(connection: BaseDatabaseWrapper, loader: MigrationLoader) -> Finding | None:
    """Return a Finding about such tables, or None if there are none, or a part of them is recorded.

    A database of the legacy system is known as such whatever is recorded, unless one of this
    history's migrations has run there: plain ``--fake`` or ``--fake-initial`` may have been tried.
    """
    recorded = journal.applied(loader)
    there = set(connection.introspection.table_names())
    there &= drift.tables_of(loader, without=set(recorded))
    if not (recorded or there) or _has_run(connection, recorded):
        return None
    graph = Graph.from_django(loader.graph, own_apps())
    live, reason, legacy = catalog.read(connection), "", _legacy(loader)
    try:
        if not recorded and (keys := point_of_history.equal(connection, loader, graph.order, live)):
            return _point(graph, keys, there)
        if legacy:
            says = Look(connection, loader, graph.order, legacy).of_legacy(live).says
            return _adopt(graph, says, recorded)
    except RefusedByPreflight as refusal:
        reason = str(refusal)
    except (DatabaseError, ValueError, LookupError):
        return None  # the files cannot be replayed, which is said when they are run
    if not there or any(app in graph.own for app, _ in recorded):
        return None
    cause = f"No migration made {_tables(there)}, which migrations would make."
    if reason:
        cause += f" manage.py db adopt does not take them over: {reason}"
    return _finding(
        STRANGE,
        cause,
        "Mend what is named, if they are of this hotel; if they are somebody else's, let"
        " DATABASE_URL name a database or schema of its own; drop what nobody needs.",
    )


def _legacy(loader: MigrationLoader) -> Legacy | None:
    """Return the ``Legacy`` that is declared and whose point the files have, or None."""
    try:
        legacy = declared()
    except WrongUse:
        return None
    return legacy if all(key in loader.graph.nodes for key in legacy.point) else None


def _has_run(connection: BaseDatabaseWrapper, recorded: Iterable[tuple[str, str]]) -> bool:
    """Tell whether the journal has it that one of these has run, and was not only recorded."""
    ran = journal.entries(connection, event=journal.Event.FINISHED, is_fake=False)
    return not {(entry.app, entry.name) for entry in ran}.isdisjoint(recorded)


def _point(graph: Graph, keys: Sequence[tuple[str, str]], there: set[str]) -> Finding:
    ends = " ".join(map(".".join, ends_of(graph, set(keys))))
    return _finding(
        UNRECORDED,
        f"T{_tables(there)[1:]} {'is' if len(there) == 1 else 'are'} what this history makes up to"
        f" {ends}, and nothing is recorded.",
        f"Record it with manage.py db stamp {ends}.",
    )


def _adopt(graph: Graph, says: str, recorded: Sequence[tuple[str, str]]) -> Finding | None:
    mend = "Take it over: manage.py db adopt --dry-run shows how, and manage.py db adopt does it."
    if recorded:
        if not set(recorded) <= graph.place.keys():
            return None
        bases = " ".join(sorted({f"{app}@base" for app, _ in recorded}))
        says += f" Yet it is recorded that {labels(recorded)} made it."
        mend = f"Take that back with manage.py db stamp {bases} --force. {mend}"
    return _finding(LEGACY, f"No migration made this database. {says}", mend)


def _tables(names: set[str]) -> str:
    return f"the table{'s' * (len(names) > 1)} {shortened(sorted(names))}"


def _finding(kind: str, cause: str, mend: str) -> Finding:
    return Finding(kind, True, "", "", cause, mend)
