"""``db stats``: how many migrations there are, how large, of what kind, and how long they took."""

import inspect
from collections import Counter
from pathlib import Path

from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator import clashes, tables
from hotel.migrator.tables import JournalEntry
from hotel.migrator.targets import label

LARGEST = 10  # files that are named


def stats(connection, loader, graph, *, all_apps=False):
    """Return figures of the migrations of this project's own apps, or of all of them.

    connection: None if there is no database; then nothing is known of what is applied, and how long
    it took. What is returned is made of plain values, fit for JSON:

    * ``apps``: for each app ``migrations``, ``applied``, ``pending``, ``lines`` and ``bytes``;
    * ``total``: the same of all of them;
    * ``largest``: the ten largest files, each with ``migration``, ``lines`` and ``bytes``;
    * ``operations``: how often each kind of operation stands in them, the most frequent first;
    * ``seconds``: by migration, what its finished runs took by the journal, up and down, and
      ``seconds_total``; both None if there is no journal.
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


def lines(found):
    """Return what ``stats`` found as lines of text."""
    head = ("Application", "Migrations", "Applied", "Pending", "Lines", "Bytes")
    rows = [head, *(_row(app, counts) for app, counts in found["apps"].items())]
    rows.append(_row("In all", found["total"]))
    text = [*_table(rows), "", "Largest files"]
    text += _table([(f["migration"], f["lines"], f["bytes"]) for f in found["largest"]], "  ")
    text += ["", "Operations", *_table(found["operations"].items(), "  ")]
    if found["seconds"] is None:
        return [*text, "", "Time: no journal was read, so it is not known."]
    times = sorted(found["seconds"].items(), key=lambda pair: (-pair[1], pair[0]))[:LARGEST]
    text += ["", f"Time, by the journal: {found['seconds_total']:.3f} s in all; longest"]
    return text + _table([(name, f"{seconds:.3f} s") for name, seconds in times], "  ")


def _applied(connection, loader):
    """Return the keys that are applied; a squashed migration is if all that it replaces are."""
    recorded = {*MigrationRecorder(connection).applied_migrations()}
    return recorded | {
        key
        for key, migration in loader.disk_migrations.items()
        if migration.replaces and recorded.issuperset(map(tuple, migration.replaces))
    }


def _measured(migration):
    """Return the lines and bytes of a migration's file; 0 if its source is not there."""
    try:
        text = Path(inspect.getsourcefile(type(migration)) or "").read_bytes()
    except (OSError, TypeError):
        text = b""
    return {"lines": len(text.splitlines()), "bytes": len(text)}


def _counted(keys, files, applied):
    done = None if applied is None else sum(key in applied for key in keys)
    return {
        "migrations": len(keys),
        "applied": done,
        "pending": None if done is None else len(keys) - done,
        "lines": sum(files[key]["lines"] for key in keys),
        "bytes": sum(files[key]["bytes"] for key in keys),
    }


def _seconds(connection, keys):
    """Return the seconds that the finished runs of each migration took; None without a journal."""
    if not tables.exists(connection, JournalEntry):
        return None
    entries = JournalEntry.objects.using(connection.alias).filter(
        event=JournalEntry.Event.FINISHED, is_fake=False
    )
    spent: Counter = Counter()
    for app, name, seconds in entries.order_by("pk").values_list("app", "name", "seconds"):
        if (app, name) in keys:
            spent[label((app, name))] += seconds
    return {name: round(seconds, 6) for name, seconds in spent.items()}


def _row(name, counts):
    cells = ["-" if value is None else value for value in counts.values()]
    return (name, *cells)


def _table(rows, indent=""):
    """Return rows as lines: the first column to the left, the others to the right."""
    rows = [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
