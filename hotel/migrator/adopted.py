"""The ways out of an adoption: back to the legacy database, or done with it for good."""

import json

from django.db import transaction
from django.utils import timezone

from hotel.migrator import catalog, drift, history, obstacles
from hotel.migrator.adopt import State, told
from hotel.migrator.checksums import measure
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.files import own_apps
from hotel.migrator.locks import Patience, short_lock_timeout
from hotel.migrator.repair import quoted
from hotel.migrator.tables import JournalEntry

OURS = ("migrator_archive", "migrator_cursor", "migrator_conflicts")  # that go with the rows


def open_adoption(adopter):
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


def proof(adoption):
    """Return the proof of an adoption, as it was printed then."""
    return json.loads(adoption.document)["proof"]


def written(adopter, adoption):
    """Return ``{table: {"inserted" | "changed" | "deleted": number}}`` of rows since the takeover.

    A changed row is one whose ``Legacy.changed`` differs from what it was; where a table has no
    such column, changes are not seen. Tables that the legacy system did not have count by when
    their rows were made: those that migrations made do not count.
    """
    parts = proof(adoption)["tables"]
    present = set(adopter.connection.introspection.table_names())
    found = {}
    for part in parts:
        if part["becomes"] in present:
            found[part["becomes"]] = _written(adopter, part)
    since = history.entries(
        adopter.connection, event=history.Event.FINISHED, is_fake=False, latest=1
    )
    moment = since[0].at if since else adoption.adopted_at
    mapped = {part["becomes"] for part in parts}
    apps = adopter.loader.project_state(history.applied(adopter.loader)).apps
    for model in apps.get_models():
        table = model._meta.db_table
        stamp = next(
            (
                one.name
                for one in model._meta.local_concrete_fields
                if getattr(one, "auto_now_add", False)
            ),
            None,
        )
        own = model._meta.app_label in own_apps()
        if own and stamp and table in present and table not in mapped:
            rows = model._base_manager.using(adopter.connection.alias)
            found[table] = {"inserted": rows.filter(**{f"{stamp}__gt": moment}).count()}
    counts = {
        table: {what: number for what, number in of_table.items() if number}
        for table, of_table in found.items()
    }
    return {table: of_table for table, of_table in counts.items() if of_table}


def _written(adopter, part):
    aside = adopter.aside
    live, old = quoted(part["becomes"]), aside.there(part["table"])
    missing = "SELECT count(*) FROM {} AS one WHERE NOT EXISTS (SELECT 1 FROM {} AS other"
    missing += " WHERE other.id = one.id)"
    [(inserted,)] = aside.rows(missing.format(live, old))
    [(deleted,)] = aside.rows(missing.format(old, live))
    counts = {"inserted": inserted, "deleted": deleted - part["set_aside"]}
    name = adopter.legacy.changed
    with adopter.connection.cursor() as cursor:
        description = adopter.connection.introspection.get_table_description(
            cursor, part["becomes"]
        )
    there = {column.name for column in description}
    if name in there and any(column["column"] == name for column in part["columns"]):
        [(counts["changed"],)] = aside.rows(
            f"SELECT count(*) FROM {live} AS now JOIN {old} AS was ON was.id = now.id"
            f" WHERE {_differs(adopter.connection, live, name)}"
        )
    return counts


def _differs(connection, live, name):
    """Return SQL that tells whether two instants differ, of which one may have got a time zone."""
    now, was = f"now.{quoted(name)}", f"was.{quoted(name)}"
    if connection.vendor == "sqlite":  # where a migration may have changed how they are written
        return f"julianday({now}) IS NOT julianday({was})"
    clock = f"CASE WHEN pg_typeof({now})::text = 'timestamp with time zone'"
    # Both branches must be of one type, whichever is taken: the clock in UTC.
    return (
        f"{clock} THEN timezone('UTC', {now}::timestamptz) ELSE {now}::timestamp END"
        f" IS DISTINCT FROM {was}"
    )


def undo(adopter, adoption, *, discard=False):
    """Drop what was made since, and bring the legacy tables back as they were. Return their rows.

    discard: even if rows were written since. Raises RefusedByPreflight with their numbers if not,
    and FailedDuringApply if what comes back is not what was there.
    """
    what = "Bringing the legacy database back"
    with told(what), adopter.without_foreign_keys(), short_lock_timeout(adopter.connection):
        return Patience(adopter.connection)(what, lambda: _undo(adopter, adoption, discard))


def _undo(adopter, adoption, discard):
    connection, aside = adopter.connection, adopter.aside
    document = json.loads(adoption.document)
    with transaction.atomic(using=connection.alias):
        made = _made(adopter)
        aside.lock(made)
        new = {} if discard else written(adopter, adoption)
        if new:
            raise RefusedByPreflight(
                f"Rows were written since the adoption, which --undo would throw away:"
                f" {in_words(new)}. Nothing was changed. Keep them by staying, or say"
                " --discard-new-rows."
            )
        obstructions = obstacles.of_schema(aside, made)
        if obstructions:
            raise RefusedByPreflight(
                f"Something depends on the tables, so nothing was changed. {' '.join(obstructions)}"
            )
        applied = [key for key in history.applied(adopter.loader) if key in {*adopter.order}]
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
        _compare(adopter, document["proof"]["tables"])
        adoption.state, adoption.ended_at = State.UNDONE, timezone.now()
        adoption.save(using=connection.alias)
    return {part["table"]: part["rows_before"] for part in document["proof"]["tables"]}


def _made(adopter):
    """Return the tables that this history made here, and the migrator's that go with them."""
    apps = adopter.loader.project_state(history.applied(adopter.loader)).apps
    models_now = apps.get_models(include_auto_created=True)
    known = {model._meta.db_table for model in models_now} | drift.tables_of(adopter.loader)
    return sorted(set(adopter.connection.introspection.table_names()) & (known | {*OURS}))


def _functions(connection, made):
    """Return the functions that triggers of these tables call, and no other table's."""
    if connection.vendor != "postgresql":
        return []
    theirs = catalog.read(connection, [JournalEntry._meta.db_table])
    kept = {thing.name for thing in theirs.facts if thing.kind == "function"}
    found = catalog.read(connection, made)
    return [t.name for t in found.facts if t.kind == "function" and t.name not in kept]


def _compare(adopter, parts):
    """Raise FailedDuringApply unless the tables hold what was measured before the adoption."""
    for part in parts:
        names = [column["column"] for column in part["columns"]]
        now = measure(adopter.connection, adopter.aside.here(part["table"]), names)
        before = {column["column"]: column["before"] for column in part["columns"]}
        if (now["rows"], now["checksums"]) != (part["rows_before"], before):
            raise FailedDuringApply(
                f"{part['table']} would not come back as it was: somebody wrote into the tables"
                " that are kept aside. Nothing was changed."
            )


def finish(adopter, adoption):
    """Drop the legacy tables that are kept aside, and return which stay: those with more in them.

    These are tables that no model here has, tables with a column that none has, and tables with
    rows that could not come along.
    """
    connection = adopter.connection
    document = json.loads(adoption.document)
    lost = {part["table"] for part in document["proof"]["tables"] if part["set_aside"]}
    lost |= {name.partition(".")[0] for name in document["kept"]}
    lost |= {one["table"] for one in document["proof"]["kept_aside"]}
    with (
        told("Dropping the legacy tables"),
        adopter.without_foreign_keys(),  # or each row would be looked for in the other tables
        short_lock_timeout(connection),
        transaction.atomic(using=connection.alias),
    ):
        moved = document["aside"]["tables"]
        dropped = [table for table in moved if table not in lost]
        adopter.aside.drop(document["aside"], dropped)
        adoption.state, adoption.ended_at = State.FINISHED, timezone.now()
        adoption.save(using=connection.alias)
    return dropped, sorted(lost & set(moved))


def in_words(new):
    """Return what ``written`` found as text."""
    return "; ".join(
        f"{table}: {', '.join(f'{number} {what}' for what, number in sorted(counts.items()))}"
        for table, counts in sorted(new.items())
    )


def end(adopter, goes_back, discard, begin):
    """Undo the open adoption, or finish it; see ``verbs.adopt`` for ``begin`` and the answer."""
    adoption = open_adoption(adopter)
    says = (
        f"This brings the legacy database of {adoption.adopted_at:%Y-%m-%d %H:%M} UTC back; the"
        " tables of this project are dropped."
        if goes_back
        else "This drops the legacy tables that are kept aside; there is no way back then."
    )
    done = {"kind": "adopted", "says": says, "did": "declined", "asks": True}
    new = written(adopter, adoption) if goes_back else {}
    if not begin(done):
        return done
    if goes_back:
        rows = undo(adopter, adoption, discard=discard)
        return {**done, "did": "undone", "tables": rows, "discarded": new}
    dropped, kept = finish(adopter, adoption)
    return {**done, "did": "finished", "dropped": dropped, "kept": kept}
