"""The ways out of an adoption: back to the legacy database, or done with it for good."""

import json
from collections.abc import Callable
from typing import Any, cast

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from hotel.migrator.adopt import surroundings
from hotel.migrator.adopt.carrying import measured_alone
from hotel.migrator.adopt.checksums import measure
from hotel.migrator.adopt.inspection import State
from hotel.migrator.adopt.takeover import Adopter, told
from hotel.migrator.adopt.written_since import Written, in_words, written
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.locking.patience import Patience, short_lock_timeout
from hotel.migrator.schema import catalog, drift
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage import journal
from hotel.migrator.storage.tables import Adoption, JournalEntry

OURS = ("migrator_archive", "migrator_cursor", "migrator_conflicts")  # that go with the rows


def open_adoption(adopter: Adopter) -> Adoption:
    """Return the adoption that can be undone or finished. Raises RefusedByPreflight if none can."""
    adoption = adopter.latest()
    if adoption is None or adoption.state == State.UNDONE:
        raise RefusedByPreflight(
            "This database is not an adopted one, so there is nothing to undo or to finish."
            " manage.py db adopt --dry-run says what it is."
        )
    if adoption.state == State.FINISHED:
        raise RefusedByPreflight(
            f"The adoption was finished on {adoption.ended_at:%Y-%m-%d %H:%M} UTC, and the legacy"
            " tables are gone: restore the back-up that was made before."
        )
    return adoption


def proof(adoption: Adoption) -> dict[str, Any]:
    """Return the proof of an adoption, as it was printed then."""
    return cast("dict[str, Any]", json.loads(adoption.document)["proof"])


def undo(adopter: Adopter, adoption: Adoption, *, discard: bool = False) -> dict[str, int]:
    """Drop what was made since, and bring the legacy tables back as they were. Return their rows.

    discard: even if rows were written since. Raises RefusedByPreflight with their numbers if not,
    and FailedDuringApply if what comes back is not what was there.
    """
    what = "Bringing the legacy database back"
    with told(what), adopter.without_foreign_keys(), short_lock_timeout(adopter.connection):
        return Patience(adopter.connection)(what, lambda: _undo(adopter, adoption, discard))


def _undo(adopter: Adopter, adoption: Adoption, discard: bool) -> dict[str, int]:
    connection, aside = adopter.connection, adopter.aside
    document = json.loads(adoption.document)
    with transaction.atomic(using=connection.alias):
        made = _made(adopter)
        aside.lock(made)
        new = {} if discard else written(adopter, adoption)
        if new:
            raise _would_lose(new)
        obstructions = surroundings.dependents(aside, made, "the legacy ones")
        if obstructions:
            raise RefusedByPreflight(
                f"Something depends on the tables, so nothing was changed. {' '.join(obstructions)}"
            )
        applied = [key for key in journal.applied(adopter.loader) if key in {*adopter.order}]
        adopter.record(applied, "recorded by db adopt --undo", backwards=True)
        functions = _functions(connection, made)
        if connection.vendor == "postgresql":
            aside.rows(f"DROP TABLE {', '.join(map(quoted, made))}")
            for name in functions:
                aside.rows(f"DROP FUNCTION IF EXISTS {quoted(name)}()")
        else:
            for table in made:
                aside.rows(f"DROP TABLE {quoted(table)}")
        aside.bring_back(document["aside"])
        _compare(adopter, document)
        adoption.state, adoption.ended_at = State.UNDONE, timezone.now()
        adoption.save(using=connection.alias)
    return {part["table"]: part["rows_before"] for part in document["proof"]["tables"]}


def _made(adopter: Adopter) -> list[str]:
    """Return the tables that this history made here, and the migrator's that go with them."""
    apps = adopter.loader.project_state(journal.applied(adopter.loader)).apps
    models_now = apps.get_models(include_auto_created=True)
    known = {model._meta.db_table for model in models_now} | drift.tables_of(adopter.loader)
    return sorted(set(adopter.connection.introspection.table_names()) & (known | {*OURS}))


def _functions(connection: BaseDatabaseWrapper, made: list[str]) -> list[str]:
    """Return the functions that triggers of these tables call, and no other table's."""
    if connection.vendor != "postgresql":
        return []
    theirs = catalog.read(connection, [JournalEntry._meta.db_table])
    kept = {thing.name for thing in theirs.facts if thing.kind == "function"}
    ours = catalog.read(connection, made)
    return [t.name for t in ours.facts if t.kind == "function" and t.name not in kept]


def _compare(adopter: Adopter, document: dict[str, Any]) -> None:
    """Raise FailedDuringApply unless the tables hold what was measured before the adoption."""
    for part in document["proof"]["tables"]:
        names = [column["column"] for column in part["columns"]]
        now = measure(adopter.connection, adopter.aside.here(part["table"]), names)
        before = {column["column"]: column["before"] for column in part["columns"]}
        if (now["rows"], now["checksums"]) != (part["rows_before"], before):
            raise _tampered(part["table"])
    for name, before in document["aside"]["alone"].items():
        if measured_alone(adopter.aside, adopter.aside.here, name) != before:
            raise _tampered(name)


def _tampered(name: str) -> FailedDuringApply:
    return FailedDuringApply(
        f"{name} would not come back as it was: somebody wrote into the tables that are kept"
        " aside. Nothing was changed."
    )


def finish(adopter: Adopter, adoption: Adoption) -> tuple[list[str], list[str]]:
    """Drop the legacy tables that are kept aside, and return which stay: those with more in them.

    These are tables that no model here has, tables with a column that none has, and tables with
    rows that could not come along.
    """
    connection = adopter.connection
    document = json.loads(adoption.document)
    lost = {part["table"] for part in document["proof"]["tables"] if part["set_aside"]}
    lost |= {name.partition(".")[0] for name in document["proof"]["kept_columns"]}
    lost |= {one["table"] for one in document["proof"]["kept_aside"]}
    with (
        told("Dropping the legacy tables"),
        adopter.without_foreign_keys(),  # or each row would be looked for in the other tables
        short_lock_timeout(connection),
        transaction.atomic(using=connection.alias),
    ):
        moved = document["aside"]["tables"]
        lost -= set(gone := adopter.aside.gone(document["aside"]))
        dropped = [table for table in moved if table not in (*lost, *gone)]
        adopter.aside.drop(document["aside"], dropped)
        adoption.state, adoption.ended_at = State.FINISHED, timezone.now()
        adoption.save(using=connection.alias)
    return dropped, sorted(lost & set(moved))


def end(
    adopter: Adopter, goes_back: bool, discard: bool, begin: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Undo the open adoption, or finish it; see ``verbs.adopt`` for ``begin`` and the answer."""
    adoption = open_adoption(adopter)
    if not goes_back:
        says = "This drops the legacy tables that are kept aside; there is no way back then."
        done = {"kind": "adopted", "says": says, "did": "declined", "asks": True}
        if not begin(done):
            return done
        dropped, kept = finish(adopter, adoption)
        return {**done, "did": "finished", "dropped": dropped, "kept": kept}
    if gone := adopter.aside.gone(json.loads(adoption.document)["aside"]):
        raise RefusedByPreflight(
            f"What was kept aside is not there any more: {', '.join(gone)}. Nothing was changed:"
            " restore the back-up that was made before; --finish ends the adoption."
        )
    with told("Looking for what was written"), short_lock_timeout(adopter.connection):
        new = Patience(adopter.connection)(
            "Looking for what was written", lambda: written(adopter, adoption)
        )
    if new and not discard:
        raise _would_lose(new)
    says = (
        f"This brings the legacy database of {adoption.adopted_at:%Y-%m-%d %H:%M} UTC back; the"
        " tables of this project are dropped."
    )
    if new:
        says += f" What was written since is thrown away: {in_words(new)}."
    done = {"kind": "adopted", "says": says, "did": "declined", "asks": True, "discarded": new}
    if not begin(done):
        return done
    return {**done, "did": "undone", "tables": undo(adopter, adoption, discard=discard)}


def _would_lose(new: Written) -> RefusedByPreflight:
    return RefusedByPreflight(
        f"Rows were written since the adoption, which --undo would throw away: {in_words(new)}."
        " Nothing was changed. Keep them by staying, or say --discard-new-rows."
    )
