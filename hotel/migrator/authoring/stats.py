"""``db stats``: how many migrations there are, how large, of what kind, and how long they took."""

import inspect
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator.authoring import clashes
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import Key, label
from hotel.migrator.storage import tables
from hotel.migrator.storage.tables import JournalEntry

LARGEST = 10  # files that are named


def stats(
    connection: BaseDatabaseWrapper | None,
    loader: MigrationLoader,
    graph: Graph,
    *,
    all_apps: bool = False,
) -> dict[str, Any]:
    """Return how many migrations there are, how large, of what kind, and how long they took.

    It counts those of this project's own apps, with ``all_apps`` those of all. It has

    * apps: for each app migrations, applied, pending, lines and bytes;
    * total: the same of all of them;
    * largest: the ten largest files, each with migration, lines and bytes;
    * operations: how often each kind of operation stands in them, the most frequent first;
    * seconds: by migration, what its finished runs took by the journal, up and down, and
      seconds_total; both null if there is no journal.

    connection: None if there is no database; then nothing is known of what is applied,
    and how long it took.
    """
    keys = [key for key in graph.order if all_apps or key[0] in graph.own]
    applied = None if connection is None else _applied(connection, loader)
    files = {key: _measured(loader.disk_migrations[key]) for key in keys}
    apps = {
        app: _counted([key for key in keys if key[0] == app], files, applied)
        for app in sorted({app for app, _ in keys})
    }
    largest = sorted(keys, key=lambda key: (-files[key]["bytes"], key))[:LARGEST]
    operations = Counter(
        type(operation).__name__
        for key in keys
        for operation in clashes.flat(loader.disk_migrations[key].operations)
    )
    seconds = None if connection is None else _seconds(connection, {*keys})
    return {
        "apps": apps,
        "total": _counted(keys, files, applied),
        "largest": [{"migration": label(key), **files[key]} for key in largest],
        "operations": dict(sorted(operations.items(), key=lambda pair: (-pair[1], pair[0]))),
        "seconds": seconds,
        "seconds_total": None if seconds is None else round(sum(seconds.values()), 6),
    }


def lines(document: dict[str, Any]) -> list[str]:
    """Return what ``stats`` returned as lines of text."""
    head = ("Application", "Migrations", "Applied", "Pending", "Lines", "Bytes")
    rows = [head, *(_row(app, counts) for app, counts in document["apps"].items())]
    rows.append(_row("In all", document["total"]))
    text = [*_table(rows), "", "Largest files"]
    text += _table([(f["migration"], f["lines"], f["bytes"]) for f in document["largest"]], "  ")
    text += ["", "Operations", *_table(document["operations"].items(), "  ")]
    if document["seconds"] is None:
        return [*text, "", "Time: no journal was read, so it is not known."]
    times = sorted(document["seconds"].items(), key=lambda pair: (-pair[1], pair[0]))[:LARGEST]
    text += ["", f"Time, by the journal: {document['seconds_total']:.3f} s in all; longest"]
    return text + _table([(name, f"{seconds:.3f} s") for name, seconds in times], "  ")


def _applied(connection: BaseDatabaseWrapper, loader: MigrationLoader) -> set[Key]:
    """Return the keys that are applied; a squashed migration is if all that it replaces are."""
    recorded = {*MigrationRecorder(connection).applied_migrations()}
    return recorded | {
        key
        for key, migration in loader.disk_migrations.items()
        if migration.replaces and recorded.issuperset(map(tuple, migration.replaces))
    }


def _measured(migration: Migration) -> dict[str, int]:
    """Return the lines and bytes of a migration's file; 0 if its source is not there."""
    try:
        text = Path(inspect.getsourcefile(type(migration)) or "").read_bytes()
    except (OSError, TypeError):
        text = b""
    return {"lines": len(text.splitlines()), "bytes": len(text)}


def _counted(
    keys: list[Key], files: dict[Key, dict[str, int]], applied: set[Key] | None
) -> dict[str, int | None]:
    done = None if applied is None else sum(key in applied for key in keys)
    return {
        "migrations": len(keys),
        "applied": done,
        "pending": None if done is None else len(keys) - done,
        "lines": sum(files[key]["lines"] for key in keys),
        "bytes": sum(files[key]["bytes"] for key in keys),
    }


def _seconds(connection: BaseDatabaseWrapper, keys: set[Key]) -> dict[str, float] | None:
    """Return the seconds that the finished runs of each migration took; None without a journal."""
    if not tables.exists(connection, JournalEntry):
        return None
    entries = JournalEntry._default_manager.using(connection.alias).filter(
        event=JournalEntry.Event.FINISHED, is_fake=False
    )
    spent: dict[str, float] = defaultdict(float)
    for app, name, seconds in entries.order_by("pk").values_list("app", "name", "seconds"):
        if (app, name) in keys:
            spent[label((app, name))] += seconds
    return {name: round(seconds, 6) for name, seconds in spent.items()}


def _row(name: str, counts: dict[str, int | None]) -> tuple[object, ...]:
    cells = ["-" if value is None else value for value in counts.values()]
    return (name, *cells)


def _table(rows: Iterable[tuple[object, ...]], indent: str = "") -> list[str]:
    """Return rows as lines: the first column to the left, the others to the right."""
    cells = [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
