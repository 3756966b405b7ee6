"""The verbs that say what is wrong: ``db drift`` and ``db doctor``."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.utils import translation

from hotel.migrator import preflight
from hotel.migrator.doctor import (
    Diagnosis,
    diagnoses,
    diagnoses_without_files,
    sequences_behind,
)
from hotel.migrator.exceptions import RefusedByPreflight, addressed
from hotel.migrator.locking import sessions
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.messages import complaints
from hotel.migrator.revisions.targets import label, migrations, shortened
from hotel.migrator.running import interruptions
from hotel.migrator.running.explanations import explain
from hotel.migrator.schema import drift as comparison
from hotel.migrator.schema import last_report
from hotel.migrator.verbs.console import Answer, Exact
from hotel.migrator.verbs.options import Option
from hotel.migrator.verbs.position import Position, locked


def drift(
    connection: BaseDatabaseWrapper,
    *,
    keep: Annotated[
        bool, Option("write the answer down in the database, for the page Drift of the back office")
    ] = False,
) -> Answer:
    """Compare models, migrations and the database; say what differs and what would mend it.

    The models with the migrations, the migrations with what is recorded as applied, and what the
    applied ones make of an empty database with what the database holds. Migrations that are left to
    apply are no drift. It only reads, and waits while somebody migrates. Where a scratch database
    is made is said in docs/operations.md.

    Examples:
        manage.py db drift
        manage.py db drift --json

    """
    with sessions.settled(connection), translation.override(None):
        document = _compared(connection, keep)
    code = 1 if any(comparison.sentences(document)) else 0
    if document["not_kept"]:  # which was asked for, whatever the answer is
        code = RefusedByPreflight.exit_code
    return Answer(document, _drift_lines(document), code, warning=document["not_kept"])


def _compared(connection: BaseDatabaseWrapper, keep: bool) -> dict[str, Any]:
    position = Position(connection)
    position.refuse_gaps()
    keys = comparison.in_order(position.graph, position.applied)
    looked = comparison.Report(connection, position.loader, keys)  # while nobody has to wait
    with run_lock(connection, only_look=True):
        position = Position(connection)
        position.refuse_gaps()
        again = comparison.in_order(position.graph, position.applied)
        replay = looked.replay if again == keys else None
        report = comparison.Report(connection, position.loader, again, replay)
        document = _drift_document(position, report)
        # Under the lock, so that no migration comes between the look and the record.
        return {**document, "not_kept": last_report.keep(connection, document) if keep else ""}


def _drift_document(position: Position, report: comparison.Report) -> dict[str, Any]:
    connection, loader = position.connection, position.loader
    files = preflight.findings(connection, loader, [])
    return {
        "models": [
            f"The models of {app} have changes that no migration has."
            for app in comparison.unwritten(loader)
        ],
        "migrations": [finding.cause for finding in files if finding.kind in ("ghost", "edited")],
        "interrupted": [
            f"{label(half.key)} was interrupted: what differs may be what it has begun."
            for half in interruptions.half_done(connection, loader)
        ],
        "database": [difference.as_dict() for difference in report.differences],
        "pending": [label(key) for key in position.graph.order if key not in position.applied],
        "strange": report.strange,
        "sequences": [one.what for one in sequences_behind(connection)],
        "script": report.script,
        "withheld": report.withheld,
    }


def _drift_lines(document: dict[str, Any]) -> Iterator[str]:
    yield from comparison.sentences(document)
    if document["script"]:
        yield from ("", "What would mend the database:", "")
        yield from map(Exact, document["script"])
        yield ""
    if document["withheld"]:
        yield from ("", document["withheld"], "")
    if not any(comparison.sentences(document)):
        yield "Models, migrations and database agree."
    if document["pending"]:
        number = len(document["pending"])
        yield (
            f"{migrations(number)} {'is' if number == 1 else 'are'} left to apply, which is no"
            f" drift: {shortened(document['pending'])}."
        )
    for said in document["sequences"]:
        yield f"{said} That is of rows, and no drift: manage.py db doctor --fix sets it."
    if document["strange"]:
        yield f"Tables that are not of this history: {', '.join(document['strange'])}."


def doctor(
    connection: BaseDatabaseWrapper,
    *,
    fix: Annotated[
        bool, Option("do what is safe, under the lock; no row of the hotel changes")
    ] = False,
) -> Answer:
    """Look for everything that may be wrong, and say what mends it; --fix does what is safe.

    Files that are missing, were edited, or end twice; records without or twice; tables that are not
    what is recorded; runs that were cut off; indexes that are invalid, sequences that lag behind,
    rows without their parents; what is left to apply or to write down. What is advised was tried
    out before, and several steps are told in the order in which they work. What this user may not
    look at is a finding too.

    Examples:
        manage.py db doctor
        manage.py db doctor --fix

    """
    rows = _fixed(connection) if fix else _diagnosed(connection)
    lines = [f"{row['what']} {'Mended.' if row['fixed'] else row['mend']}" for row in rows]
    code = 0 if all(row["fixed"] for row in rows) else 1
    return Answer(rows, lines or ["Nothing is wrong."], code)


def _diagnosed(connection: BaseDatabaseWrapper) -> list[dict[str, Any]]:
    try:
        diagnosed = diagnoses(Position(connection))
    except (CircularDependencyError, NodeNotFoundError) as error:
        diagnosed = diagnoses_without_files(connection, explain(error))
    return [_as_dict(one, connection) for one in diagnosed]


def _fixed(connection: BaseDatabaseWrapper) -> list[dict[str, Any]]:
    with locked(connection) as position:
        return [
            _cured(one, connection)
            for one in diagnoses(position)
            if one.kind != "locked"  # by this very run
        ]


def _cured(diagnosis: Diagnosis, connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """Do what mends it, if a program can, and return it as it is told then."""
    try:
        if diagnosis.cure:
            diagnosis.cure()
    except DatabaseError as error:
        said, _, mend = complaints.of(error)
        mend = f"It could not be mended: {said}. {mend}".rstrip()
        diagnosis = replace(diagnosis, mend=mend, cure=None)
    return _as_dict(diagnosis, connection, diagnosis.cure is not None)


def _as_dict(
    diagnosis: Diagnosis, connection: BaseDatabaseWrapper, is_mended: bool = False
) -> dict[str, Any]:
    return {
        "kind": diagnosis.kind,
        "what": diagnosis.what,
        "mend": addressed(diagnosis.mend, connection.alias),
        "can_fix": diagnosis.cure is not None,
        "fixed": is_mended,
    }
