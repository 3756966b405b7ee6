"""The verbs that only look: ``db current``, ``history``, ``branches``, ``stats``."""

import inspect
import re
from collections.abc import Iterator
from typing import Annotated, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from hotel.migrator.authoring import stats as figures
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import cited, label
from hotel.migrator.running import interruptions, runner
from hotel.migrator.scope import own_apps
from hotel.migrator.storage import journal
from hotel.migrator.verbs.console import Answer
from hotel.migrator.verbs.options import AllApps, Option
from hotel.migrator.verbs.position import Position


def current(
    connection: BaseDatabaseWrapper,
    *,
    check_heads: Annotated[
        bool, Option("end with exit code 1 if anything is left to apply")
    ] = False,
    frontier: Annotated[bool, Option("show only what can be undone next")] = False,
) -> Answer:
    """Show where the database stands: one line for each app, with the revision it is at.

    An app whose history has forked shows each end. Applied migrations without a file and
    interrupted runs follow, each after !!.

    Examples:
        manage.py db current
        manage.py db current --check-heads

    """
    position = Position(connection)
    graph, applied = position.graph, set(position.applied)
    when = journal.times(connection)
    apps = []
    for app in graph.apps:
        all_of_app = [key for key in graph.order if key[0] == app]
        done = [key for key in all_of_app if key in applied]
        # An app of two lines stands at the end of each.
        ends = [key for key in done if applied.isdisjoint(graph.near(key, graph.children))]
        apps += [
            {
                "revision": label(key) if key else None,
                "app": app,
                "own": app in graph.own,
                "head": key in graph.leaves(app),
                "merge": key is not None and graph.is_merge(key),
                "behind": len(all_of_app) - len(done),
                "frontier": key in graph.frontier(position.applied),
                "applied": when[key].isoformat() if key in when else None,
            }
            for key in (ends or (None,))
        ]
    document = {
        "apps": [row for row in apps if row["frontier"] or not frontier],
        "missing": [label(key) for key in position.ghosts],
        "interrupted": [
            {
                "revision": label(half.key),
                "run": str(half.last.run) if half.last else None,
                "says": str(half),
            }
            for half in interruptions.half_done(connection, position.loader)
        ],
        "at_heads": not any(row["behind"] for row in apps),
    }
    code = 1 if check_heads and not document["at_heads"] else 0
    return Answer(document, _current_lines(document), code)


def _current_lines(document: dict[str, Any]) -> Iterator[str]:
    for row in document["apps"]:
        notes = []
        if row["head"] and not row["behind"]:
            notes.append("(head)")
        if row["merge"]:
            notes.append("(mergepoint)")
        if row["behind"]:
            notes.append(f"{row['behind']} behind")
        yield " ".join([row["revision"] or f"{row['app']} <base>", *notes])
    for name in document["missing"]:
        yield f"!! {name} (file missing): bring it back, or manage.py db stamp --purge"
    for row in document["interrupted"]:
        yield f"!! {row['says']}"


def history(
    connection: BaseDatabaseWrapper,
    *,
    rev_range: Annotated[
        str | None,
        Option("only the revisions between two, both included", "START:END", short=("-r",)),
    ] = None,
    indicate_current: Annotated[bool, Option("mark what is applied", short=("-i",))] = False,
    app: Annotated[str | None, Option("only of this app")] = None,
    all_apps: AllApps = False,
    applied: Annotated[bool, Option("show the journal: what was done, with times")] = False,
    latest: Annotated[int | None, Option("with --applied: only the N latest lines", "N")] = None,
) -> Answer:
    """List revisions, newest first: parent -> revision (head), what it says.

    --rev-range START:END shows those from START to END, both included; an end is a revision, base,
    heads, current, or counted from current, as in -2:current. --applied shows the journal instead:
    what was done, when, by whom, and what failed. The database is read only for current,
    --indicate-current and --applied.

    Examples:
        manage.py db history --app reservations
        manage.py db history --rev-range=-2:current
        manage.py db history --applied --latest 20

    """
    if applied:
        return _journal(connection, rev_range, indicate_current, app, latest)
    if latest is not None:
        raise WrongUse(
            f"--latest is for the journal: write manage.py db history --applied --latest {latest}."
        )
    reads = indicate_current or (rev_range and re.search(r"current|(^|:)[-+]", rev_range))
    position = Position(connection) if reads else None
    if position:
        graph, done, loader = position.graph, position.applied, position.loader
    else:
        loader, done = runner.loader_without_database(), []
        graph = Graph.from_django(loader.graph, own_apps())
    keys = graph.range(rev_range, done, all_apps=True) if rev_range else graph.order[::-1]
    if app is not None and app not in graph.apps:
        raise WrongUse(
            f"No application {cited(app)} has migrations; these have: {', '.join(graph.apps)}."
        )
    shown = [key for key in keys if (key[0] == app if app else all_apps or key[0] in graph.own)]
    rows = []
    for key in shown:
        same = graph.near(key, graph.parents)
        rows.append(
            {
                "revision": label(key),
                "parents": [label(parent) for parent in same],
                "depends_on": [label(p) for p in graph.parents[key] if p not in same],
                "head": key in graph.leaves(key[0]),
                "branchpoint": graph.is_branchpoint(key),
                "mergepoint": graph.is_merge(key),
                "applied": key in done if position else None,
                "says": _says(loader.graph.nodes[key]),
            }
        )
    return Answer(rows, map(_revision_line, rows))


def _says(migration: Migration) -> str:
    """Return the first line of the docstring of a migration's file."""
    module = inspect.getmodule(type(migration))
    return (module.__doc__ or "").strip().split("\n")[0] if module else ""


def _revision_line(row: dict[str, Any]) -> str:
    before = ", ".join(row["parents"]) or "<base>"
    if row["depends_on"]:
        before += f" ({', '.join(row['depends_on'])})"
    notes = [f"({name})" for name in ("head", "branchpoint", "mergepoint") if row[name]]
    if row["applied"]:
        notes.append("(applied)")
    return " ".join([f"{before} -> {row['revision']}", *notes]) + f", {row['says']}"


def _journal(
    connection: BaseDatabaseWrapper,
    rev_range: str | None,
    indicate_current: bool,
    app: str | None,
    latest: int | None,
) -> Answer:
    for given, word in ((rev_range, "-r"), (indicate_current, "-i")):
        if given:
            raise WrongUse(
                f"{word} is for the files and --applied for what was done to the database:"
                " give one of the two to manage.py db history."
            )
    if latest is not None and latest < 1:
        raise WrongUse("--latest takes how many lines to show, 1 or more.")
    rows = journal.events(connection, app=app)[:latest]
    return Answer(rows, map(_event_line, rows))


def _event_line(row: dict[str, Any]) -> str:
    sign = "+" if row["direction"] == "forward" else "-"
    words = [row["started"][:19].replace("T", " "), sign, row["revision"], row["outcome"]]
    if row.get("fake"):
        words.append("(recorded only)")
    if row.get("seconds") is not None:
        words.append(f"{row['seconds']:.2f} s, {row['rows']} rows")
    if row.get("run"):
        words.append(f"run {row['run'][:8]} by {row['actor']} on {row['host']}")
    if row.get("code_version"):
        words.append(f"of {row['code_version'][:10]}")
    if row.get("remark"):
        words.append(f"({row['remark']})")
    return " ".join(words) + (f": {row['error']}" if row.get("error") else "")


def branches() -> Answer:
    """Show where an app forks, and what begins there; nothing, if none does.

    Examples:
        manage.py db branches

    """
    graph = Graph.from_django(runner.loader_without_database().graph, own_apps())
    rows = [
        {
            "revision": label(key),
            "children": [label(child) for child in graph.near(key, graph.children)],
        }
        for key in graph.branch_points()
    ]
    lines = [
        line
        for row in rows
        for line in (
            f"{row['revision']} (branchpoint)",
            *(f"    -> {child}" for child in row["children"]),
        )
    ]
    return Answer(rows, lines)


def stats(connection: BaseDatabaseWrapper, *, all_apps: AllApps = False) -> Answer:
    """Show how many migrations there are, how large, of what kind, and how long they took.

    It counts those of this project's own apps, with --all-apps those of all. With --json it has

    * apps: for each app migrations, applied, pending, lines and bytes;
    * total: the same of all of them;
    * largest: the ten largest files, each with migration, lines and bytes;
    * operations: how often each kind of operation stands in them, the most frequent first;
    * seconds: by migration, what its finished runs took by the journal, up and down, and
      seconds_total; both null if there is no journal.

    Examples:
        manage.py db stats

    """
    position = Position(connection)
    document = figures.stats(connection, position.loader, position.graph, all_apps=all_apps)
    return Answer(document, figures.lines(document))
