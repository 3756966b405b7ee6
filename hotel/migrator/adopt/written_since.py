"""What was written into an adopted database since it was taken over: what ``--undo`` would lose.

At the end of the takeover, and of each run of ``migrate``, every table of this project is
measured; the next run, and ``--undo``, look whether it still is what it was. So what a run writes
itself never counts, and what anybody else writes does, whichever way. Where the last run was
killed, or a script migrated, there is no such measure: then rows are told by their keys, by
``Legacy.changed``, and by when they were made.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import StateApps
from django.utils.module_loading import import_string

from hotel.migrator.adopt.checksums import measure
from hotel.migrator.adopt.inspection import Look
from hotel.migrator.revisions.targets import label
from hotel.migrator.scope import own_apps
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.tables import Adoption, ArchivedValue, columns_of

OWNER = "db adopt"  # in the archive

Written = dict[str, dict[str, int | None]]  # {table: {"inserted", "changed" or "deleted": number}}


class Measured(TypedDict):
    """What was in a table."""

    rows: int
    checksums: dict[str, str]


class Baseline(TypedDict):
    """What the tables of this project were at the end of a run, to be compared with later."""

    applied: list[str]
    tables: dict[str, Measured]


def begin(_sender: Any, *, using: str, plan: Sequence[Any] = (), **_run: Any) -> None:
    """Keep what was written since the last run, before this one writes; hears ``pre_migrate``."""
    if adoption := plan and _open(connections[using]):
        document = json.loads(adoption.document)
        for table, more in (changed(connections[using], document["stands"]) or {}).items():
            document["written"][table] = document["written"].get(table, 0) + more
        document["stands"] = None  # until this run has ended
        adoption.document = json.dumps(document)
        adoption.save(using=using)


def end(
    _sender: Any,
    *,
    using: str,
    plan: Sequence[Any] = (),
    apps: StateApps | None = None,
    **_run: Any,
) -> None:
    """Measure what a run of ``migrate`` has left; hears ``post_migrate``."""
    if adoption := plan and apps and _open(connections[using]):
        document = json.loads(adoption.document)
        document["stands"] = _baseline(connections[using], apps)
        adoption.document = json.dumps(document)
        adoption.save(using=using)


def _open(connection: BaseDatabaseWrapper) -> Adoption | None:
    """Return the adoption that can still be undone, or None."""
    if not getattr(settings, "MIGRATOR_LEGACY", "") or not tables.exists(connection, Adoption):
        return None
    latest = Adoption._base_manager.using(connection.alias).order_by("-pk").first()
    return latest if latest and latest.state == Adoption.State.ADOPTED else None


def _baseline(connection: BaseDatabaseWrapper, apps: StateApps) -> Baseline:
    present = set(connection.introspection.table_names())
    own, computed = own_apps(), import_string(settings.MIGRATOR_LEGACY).computed
    measured: dict[str, Measured] = {}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        if model._meta.app_label not in own or table not in present - computed:
            continue
        if model._meta.pk.column == "id":
            columns = [str(one.column) for one in model._meta.local_concrete_fields]
            now = measure(connection, quoted(table), _counted(table, columns))
            measured[table] = {"rows": now["rows"], "checksums": now["checksums"]}
    return {"applied": _applied(connection), "tables": measured}


def at_takeover(
    connection: BaseDatabaseWrapper, proof: dict[str, Any], made: set[str], computed: frozenset[str]
) -> Baseline:
    """Return what the takeover has left, of its proof, as ``changed`` wants it.

    made: the names of all tables that it made.
    """
    measured: dict[str, Measured] = {
        table: {"rows": 0, "checksums": {}} for table in made - computed
    }
    for part in proof["tables"]:
        if part["becomes"] in measured:
            after = {column["becomes"]: column["after"] for column in part["columns"]}
            measured[part["becomes"]] = {
                "rows": part["rows_after"],
                "checksums": {name: after[name] for name in _counted(part["becomes"], after)},
            }
    return {"applied": _applied(connection), "tables": measured}


def _counted(table: str, columns: Iterable[str]) -> list[str]:
    """Return the columns that count: not what each log-in writes, the hash of a password too."""
    user = get_user_model()._meta
    by_login = {cast(Any, user.get_field(name)).column for name in ("password", "last_login")}
    left_out = {"id", *(by_login if table == user.db_table else ())}
    return [name for name in columns if name not in left_out]


def _applied(connection: BaseDatabaseWrapper) -> list[str]:
    return sorted(map(label, MigrationRecorder(connection).applied_migrations()))


def changed(connection: BaseDatabaseWrapper, stands: Baseline | None) -> dict[str, int] | None:
    """Return ``{table: how many rows there are more}`` of tables that are not what they were.

    None if it cannot be told, since something else than ``migrate`` migrated.
    """
    if not stands or stands["applied"] != _applied(connection):
        return None
    present = set(connection.introspection.table_names())
    more = {}
    for table, was in stands["tables"].items():
        now: Measured = {"rows": 0, "checksums": {}}
        if table in present:
            all_of_it = measure(connection, quoted(table), list(was["checksums"]))
            now = {"rows": all_of_it["rows"], "checksums": all_of_it["checksums"]}
        if now != was:
            more[table] = now["rows"] - was["rows"]
    return more


def written(adopter: Look, adoption: Adoption) -> Written:
    """Return how many rows were written since the takeover.

    The number of changed rows is None where nothing tells which they are.
    """
    document = json.loads(adoption.document)
    since_last = changed(adopter.connection, document["stands"])
    present = set(adopter.connection.introspection.table_names())
    parts = [part for part in document["proof"]["tables"] if part["becomes"] in present]
    counts = {part["becomes"]: _by_key(adopter, part) for part in parts}
    if since_last is None:
        counts |= _by_clock(adopter, adoption, present - {*counts})
    new: Written = {
        table: {what: number for what, number in of_table.items() if number}
        for table, of_table in counts.items()
    }
    more: dict[str, int] = dict(document["written"])
    for table, number in (since_last or {}).items():
        more[table] = more.get(table, 0) + number
    for table, number in more.items():
        if not new.get(table):
            what = "inserted" if number > 0 else "deleted" if number < 0 else "changed"
            new[table] = {what: abs(number) or None}
    return {table: of_table for table, of_table in new.items() if of_table}


def _by_key(adopter: Look, part: dict[str, Any]) -> dict[str, int]:
    """Compare a table with the one that it came from."""
    aside = adopter.aside
    live, old = quoted(part["becomes"]), aside.there(part["table"])
    missing = "SELECT count(*) FROM {} AS one WHERE NOT EXISTS (SELECT 1 FROM {} AS other"
    missing += " WHERE other.id = one.id)"
    born = missing.format(live, old)
    if part.get("stand_ins"):  # which the takeover has made
        born += (
            f" AND NOT EXISTS (SELECT 1 FROM {ArchivedValue._meta.db_table} AS made"
            f" WHERE made.owner = '{OWNER}' AND made.table_name = '{part['becomes']}'"
            " AND made.column_name = 'id' AND made.row_key = CAST(one.id AS varchar(255)))"
        )
    [(inserted,)] = aside.rows(born)
    [(deleted,)] = aside.rows(missing.format(old, live))
    # A row that stays aside may have been given back by hand.
    counts = {"inserted": inserted, "deleted": max(deleted - part["set_aside"], 0)}
    name = adopter.legacy.changed
    there = columns_of(adopter.connection, part["becomes"])
    if name in there and any(column["column"] == name for column in part["columns"]):
        [(counts["changed"],)] = aside.rows(
            f"SELECT count(*) FROM {live} AS now JOIN {old} AS was ON was.id = now.id"
            f" WHERE {_differs(adopter.connection, name)}"
        )
    return counts


def _differs(connection: BaseDatabaseWrapper, name: str) -> str:
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


def _by_clock(adopter: Look, adoption: Adoption, names: set[str]) -> dict[str, dict[str, int]]:
    """Count the rows of tables that the legacy system did not have, made since the last run."""
    since = journal.entries(
        adopter.connection, event=journal.Event.FINISHED, is_fake=False, latest=1
    )
    moment = since[0].at if since else adoption.adopted_at
    apps = adopter.loader.project_state(journal.applied(adopter.loader)).apps
    made = {}
    for model in apps.get_models():
        table = model._meta.db_table
        stamps = (
            one.name
            for one in model._meta.local_concrete_fields
            if getattr(one, "auto_now_add", False)
        )
        stamp = next(stamps, None)
        is_counted = table in names - adopter.legacy.computed
        if is_counted and stamp and model._meta.app_label in own_apps():
            rows = model._base_manager.using(adopter.connection.alias)
            made[table] = {"inserted": rows.filter(**{f"{stamp}__gt": moment}).count()}
    return made


def in_words(new: Written) -> str:
    """Return as text what was written."""
    return "; ".join(
        f"{table}: {', '.join(_words(*count) for count in sorted(counts.items()))}"
        for table, counts in sorted(new.items())
    )


def _words(what: str, number: int | None) -> str:
    return what if number is None else f"{number} {what}"
