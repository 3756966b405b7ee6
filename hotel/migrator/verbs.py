"""The verbs of ``manage.py db``: one function each, which returns what the command prints.

Names and meaning are Alembic's, on Django's graph: what is measured there and different here is
said at the verb. A verb that changes something looks at the database while it holds the lock, since
whoever held it before may have changed everything. Over 300 lines because every verb is here.
"""

import inspect
import re
import shlex
from contextlib import contextmanager, nullcontext
from dataclasses import asdict

from django.db.migrations import Migration
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError

from hotel.migrator import drift as comparing
from hotel.migrator import (
    history,
    interruptions,
    offline,
    preflight,
    runner,
    scratch,
    stamps,
    waits,
)
from hotel.migrator.adopt import way_back
from hotel.migrator.adopt.look import declared, refuse_no_file
from hotel.migrator.adopt.takeover import Adopter
from hotel.migrator.doctor import diagnoses, diagnoses_without_files
from hotel.migrator.exceptions import Interrupted, WrongUse, explain
from hotel.migrator.files import own_apps
from hotel.migrator.graph import Graph, Plan
from hotel.migrator.history import Direction, Event
from hotel.migrator.locks import run_lock
from hotel.migrator.targets import label, labels, moment, quoted


class Standing:
    """Where a database stands on the graph: the executor, the graph, and what is applied."""

    def __init__(self, connection, progress=None):
        self.connection = connection
        self.executor = runner.Executor(connection, progress)
        self.loader = self.executor.loader
        self.graph = Graph.from_django(self.loader.graph, own_apps())
        self.applied = history.applied(self.loader)

    @property
    def ghosts(self):
        """The applied migrations whose file is missing, oldest first."""
        return [key for key in self.applied if key not in self.graph.place]

    def as_django_has_it(self, plan):
        """Return a Plan as Django's executor takes it."""
        return [(self.loader.graph.nodes[key], plan.backwards) for key in plan.steps]


@contextmanager
def _locked(connection, progress, options, *, whole=True):
    """Hold the lock, if ``options`` do not say ``plan``, and yield where the database stands then.

    whole: raise InconsistentMigrationHistory if something is applied without what it needs.
    """
    with nullcontext() if options.get("plan") else run_lock(connection):
        standing = Standing(connection, progress)
        if whole:
            standing.loader.check_consistent_history(connection)
        yield standing


def upgrade(connection, targets, *, progress, options, all_apps=False, at_most=False):
    """Apply migrations up to TARGET; never unapply any.

    TARGET: nothing or heads (everything), app, app.0003 (a unique prefix is enough), +N (the next N
    of this project's own apps; --all-apps counts those of all), app@+N, app.0003+1. What these need
    is applied too, and named; it is not counted.
    """
    with _locked(connection, progress, options) as standing:
        plan = standing.graph.upgrade(targets, standing.applied, all_apps, at_most)
        return _carry_out(standing, plan, options)


def downgrade(
    connection,
    target,
    *,
    progress,
    options,
    all_apps=False,
    cascade=False,
    run=None,
    to_date=None,
):
    """Unapply migrations down to TARGET; never apply any.

    TARGET: -N (the latest N that were applied of this project's own apps, whichever they are),
    app@-N, app.0003 (which stays applied), app@base, base. Or --run last, what the last run
    applied; --to-date 2026-01-31, what was applied since. Where no app is named, this project's own
    count, with --all-apps all. What depends on these in other apps goes only with --cascade;
    Alembic and Django take it along unasked.
    """
    with _locked(connection, progress, options) as standing:
        if sum(given is not None for given in (target, run, to_date)) != 1:
            raise WrongUse(
                "Name one thing to go down to: a target such as -1 or app.0003, or --run last, or"
                " --to-date 2026-01-31. manage.py db downgrade --help explains them."
            )
        graph, applied = standing.graph, standing.applied
        also = " --all-apps" if all_apps else ""
        if run is not None:
            keys = _of_run(standing, run, all_apps)
            plan = graph.undo(keys, applied, f"--run {run}", cascade, also)
        elif to_date is not None:
            since = history.changed_since(standing.loader, moment(to_date))
            keys = [
                key for key in since if key in graph.place and (all_apps or key[0] in graph.own)
            ]
            plan = graph.undo(keys, applied, f"--to-date {shlex.quote(to_date)}", cascade, also)
        else:
            plan = graph.downgrade(target, applied, all_apps, cascade)
        return _carry_out(standing, plan, options)


def _of_run(standing, run, all_apps):
    """Return what a run applied and is applied still; ``run``: "last", or the start of its id.

    all_apps: also of those that are not this project's own; a run of these alone is none without.
    """
    finished = history.entries(
        standing.connection, event=Event.FINISHED, direction=Direction.FORWARD, is_fake=False
    )
    graph, runs = standing.graph, {}
    for entry in finished:
        key = entry.app, entry.name
        counts = key in graph.place and (all_apps or entry.app in graph.own)
        if counts and key in standing.applied:
            runs.setdefault(entry.run, []).append(key)
    found = (
        [*runs][-1:] if run == "last" else [one for one in runs if run and str(one).startswith(run)]
    )
    if len(found) != 1:
        what = "no run that is in the journal" if not found else f"{len(found)} runs"
        raise WrongUse(
            f"{quoted(run)} is {what}, or nothing of it is applied any more: manage.py db history"
            " --applied lists the runs."
        )
    # A later run may have unapplied and applied some of them again: they are that run's.
    latest = {(entry.app, entry.name): entry.run for entry in finished}
    return [key for key in runs[found[0]] if latest[key] == found[0]]


def _carry_out(standing, plan, options):
    """Look, say what will be done, and do it. Return what was done.

    options: ``plan`` to only look, ``accept_data_loss``, ``say`` (a function of a line), and those
    of ``runner.run``.
    """
    steps = standing.as_django_has_it(plan)
    found = preflight.findings(
        standing.connection,
        standing.loader,
        steps,
        accept_data_loss=options.get("accept_data_loss", False),
    )
    done = {
        "backwards": plan.backwards,
        "steps": [{"revision": label(key), "required": key in plan.required} for key in plan.steps],
        "findings": [finding.as_dict() for finding in found],
    }
    say = options.get("say", lambda line: None)
    for line in _announced(plan, options.get("plan")):
        say(line)
    for finding in found:
        if options.get("plan") or not finding.refuses:
            say(finding.line())
    if options.get("plan"):
        found = waits.locks(standing.connection, standing.loader, steps)
        for wait in found:
            say(f"  {wait}")
        return {**done, "locks": [asdict(wait) for wait in found]}
    preflight.refuse(found)
    if steps:
        runner.run(
            standing.executor,
            steps,
            verbosity=options.get("verbosity", 1),
            interactive=options.get("interactive", False),
            stdout=options.get("stdout"),
        )
    return done


def _announced(plan, in_detail):
    """Return the lines that say what will be done."""
    if not plan.steps:
        return ["Nothing to do: it stands there already."]
    number = len(plan.steps)
    what = f"To {'unapply' if plan.backwards else 'apply'}: {number} migration{'s' * (number > 1)}"
    if plan.required:
        why = "depend on the others" if plan.backwards else "are needed by the others"
        what += f", of which {len(plan.required)} only because they {why}: {labels(plan.required)}"
    if not in_detail:
        return [what if plan.required or not plan.backwards else f"{what}: {labels(plan.steps)}"]
    sign = "-" if plan.backwards else "+"
    return [f"{what}.", *(f"  {sign} {label(key)}" for key in plan.steps)]


def current(connection):
    """Show where the database stands: one line for each app, with the revision it is at."""
    standing = Standing(connection)
    graph, applied = standing.graph, set(standing.applied)
    when = history.times(connection)
    rows = []
    for app in graph.apps:
        here = [key for key in graph.order if key[0] == app]
        there = [key for key in here if key in applied]
        # An app of two lines stands at the end of each.
        ends = [key for key in there if applied.isdisjoint(graph.near(key, graph.children))]
        for key in ends:
            rows.append(
                {
                    "revision": label(key),
                    "app": app,
                    "own": app in graph.own,
                    "head": key in graph.leaves(app),
                    "merge": graph.is_merge(key),
                    "behind": len(here) - len(there),
                    "frontier": key in graph.frontier(standing.applied),
                    "applied": when[key].isoformat() if key in when else None,
                }
            )
        if not ends:
            rows.append(
                {
                    "revision": None,
                    "app": app,
                    "own": app in graph.own,
                    "head": False,
                    "merge": False,
                    "behind": len(here),
                    "frontier": False,
                    "applied": None,
                }
            )
    return {
        "apps": rows,
        "missing": [label(key) for key in standing.ghosts],
        "interrupted": [
            {
                "revision": label(half.key),
                "run": str(half.last.run) if half.last else None,
                "says": str(half),
            }
            for half in interruptions.half_done(connection, standing.loader)
        ],
        "at_heads": not any(row["behind"] for row in rows),
    }


def log(connection, *, span=None, app=None, all_apps=False, indicate=False):
    """List revisions, newest first: ``parent -> revision (head), what it says``.

    span: ``start:end``, both included; an end is a revision, base, heads, current, or counted from
    current, as in -2:current. app: only of this one. indicate: mark what is applied.
    The database is read only for ``current`` and for ``indicate``.
    """
    reads = indicate or (span and re.search(r"current|(^|:)[-+]", span))
    standing = Standing(connection) if reads else None
    if standing:
        graph, applied, loader = standing.graph, standing.applied, standing.loader
    else:
        loader = runner.loader_without_database()
        graph, applied = Graph.from_django(loader.graph, own_apps()), []
    keys = graph.range(span, applied, all_apps=True) if span else graph.order[::-1]
    if app is not None and app not in graph.apps:
        raise WrongUse(
            f"No application {quoted(app)} has migrations; these have: {', '.join(graph.apps)}."
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
                "applied": key in applied if standing else None,
                "says": _says(loader.graph.nodes[key]),
            }
        )
    return rows


def _says(migration):
    """Return the first line of the docstring of a migration's file."""
    module = inspect.getmodule(type(migration))
    return (module.__doc__ or "").strip().split("\n")[0] if module else ""


def branches():
    """Show where an app forks, and what begins there; nothing, if none does."""
    graph = Graph.from_django(runner.loader_without_database().graph, own_apps())
    return [
        {
            "revision": label(key),
            "children": [label(child) for child in graph.near(key, graph.children)],
        }
        for key in graph.branch_points()
    ]


def drift(connection, wait=None):
    """Compare models, migrations and the database; say what differs and what would mend it.

    The models with the migrations, the migrations with what is recorded as applied, and what the
    applied ones make of an empty database with what is there. Migrations that are left to apply
    are no drift. It only reads, and waits while somebody migrates. Where a scratch database is made
    is said in docs/operations.md.

    Raises LockNotGot after ``wait`` seconds, or MIGRATOR_WAIT.
    """
    standing = Standing(connection)
    standing.loader.check_consistent_history(connection)
    keys = comparing.in_order(standing.graph, standing.applied)
    scratch.replay(connection, standing.loader, keys)  # while nobody has to wait
    with run_lock(connection, wait, only_look=True):
        standing = Standing(connection)
        standing.loader.check_consistent_history(connection)
        keys = comparing.in_order(standing.graph, standing.applied)
        report = comparing.Report(connection, standing.loader, keys)
        files = preflight.findings(connection, standing.loader, [])
        half_done = interruptions.half_done(connection, standing.loader)
    return {
        "models": [
            f"The models of {app} have changes that no migration has."
            for app in comparing.unwritten(standing.loader)
        ],
        "migrations": [finding.cause for finding in files if finding.kind in ("ghost", "edited")],
        "interrupted": [
            f"{label(half.key)} was interrupted: what differs may be what it has begun."
            for half in half_done
        ],
        "database": [difference.as_dict() for difference in report.differences],
        "pending": [label(key) for key in standing.graph.order if key not in standing.applied],
        "strange": report.strange,
        "script": report.script,
    }


def sql(connection, span, *, backwards, engine=None, pending=False, cascade=False):
    """Return the lines of a script for plain ``psql`` or ``sqlite3``; see ``offline``.

    span: ``START:END``, for which no database is read. pending: from what is applied to ``span``, a
    target of upgrade or downgrade; the database is only read.
    """
    engine = engine or connection.vendor
    if pending:
        standing = Standing(connection)
        standing.loader.check_consistent_history(connection)
        graph, applied, loader = standing.graph, standing.applied, standing.loader
        if backwards:
            plan = graph.downgrade(span, applied, cascade=cascade)
        else:
            plan = graph.upgrade([span], applied)
        found = offline.from_plan(graph, plan, applied, span)
    else:
        loader = runner.loader_without_database()
        graph = Graph.from_django(loader.graph, own_apps())
        found = offline.between(graph, span, backwards, cascade=cascade)
    return offline.script(connection, loader, found, engine)


def stamp(connection, targets, *, progress, options, purge=False, force=False):
    """Record that the database stands at TARGET, without running anything.

    TARGET: heads, base, app, app.0003, app@head, app@base; several may be named. What they need is
    recorded too, and what follows them is not any more, so that the history stays whole; all of it
    is shown. It is refused if the database is not what these migrations make, as manage.py db drift
    would say, or if a migration of these is half done; --force skips that, and the journal says so.
    --purge forgets what is applied, or half done, though its file is missing.
    """
    with _locked(connection, progress, options, whole=False) as standing:
        graph, applied = standing.graph, standing.applied
        up, down, named = stamps.planned(graph, targets, applied)
        forgotten = standing.ghosts if purge else []
        settled = [
            half
            for half in interruptions.half_done(connection, standing.loader)
            if half.key in named or (purge and half.is_missing)
        ]
        done = {
            "recorded": [label(key) for key in up],
            "unrecorded": [label(key) for key in down],
            "purged": [label(key) for key in forgotten],
            "settled": [label(half.key) for half in settled],
        }
        for half in settled:
            if not (force or half.is_missing):
                raise Interrupted(
                    f"Nothing was recorded, because {half} Or, when its rows are as they should be"
                    " there, stamp with --force."
                )
        if (up or down) and not force:
            stamps.refuse_another_place(standing, {*applied, *up} - {*down})
        if options.get("plan"):
            return done
        if force:
            standing.executor.remark = "stamped by force, without a look at the database"
        interruptions.settle(connection, standing.loader, settled.__contains__)
        for keys, backwards in ((down, True), (up, False)):
            plan = Plan(tuple(keys), backwards, frozenset(keys))
            if keys:
                steps = standing.as_django_has_it(plan)
                standing.executor.migrate([], plan=steps, fake=True)
        if forgotten:
            standing.executor.forget([Migration(name, app) for app, name in forgotten])
        return done


def adopt(connection, *, dry_run=False, undo=False, finish=False, discard=False, begin):
    """Take over a database of the legacy system, with proof that nothing is lost, and a way back.

    A database that is this history already at some point is recorded as that. One of the legacy
    system is rebuilt: its tables are moved aside, this history's are made, every row is copied with
    its key, and rows, checksums and sums are compared before all of it is committed. manage.py
    migrate then carries it on. --dry-run shows shape, steps and proof; its exit code is 3 if it
    would not work. --undo brings the legacy database back until --finish drops it.
    docs/adopting.md is the runbook.

    Raises RefusedByPreflight if it would not work. begin: called with what was found, before
    anything is changed; returns whether to go on.
    """
    if sum((dry_run, undo, finish)) > 1 or (discard and not undo):
        raise WrongUse(
            "Say one of --dry-run, --undo and --finish; --discard-new-rows goes with --undo."
        )
    refuse_no_file(connection)
    with run_lock(connection, only_look=dry_run):
        standing = Standing(connection)
        adopter = Adopter(connection, standing.executor, standing.graph.order, declared())
        if undo or finish:
            return way_back.end(adopter, undo, discard, begin)
        found = adopter.look()
        done = {"kind": found.kind, "says": found.says, "did": "nothing", "asks": False}
        if found.kind in ("adopted", "native"):
            begin(done)
            proof = found.adoption and way_back.proof(found.adoption)
            return {**done, "proof": proof} if proof else done
        done["asks"] = True
        done["steps"] = adopter.steps(found)
        if found.recognised:
            done["shape"] = found.recognised.shape
            done["remarks"] = adopter.remarks(found)
        if not begin(done):
            return {**done, "did": "declined"}
        if found.kind == "point":
            proof = {"recorded": []} if dry_run else adopter.stamp(found)
        else:
            proof = adopter.take_over(found, for_show=dry_run)
        done["seconds_of_copying"] = round(adopter.copying, 3)
        did = "shown" if dry_run else "stamped" if found.kind == "point" else "adopted"
        return {**done, "did": did, "proof": proof}


def doctor(connection, *, fix=False):
    """Look for everything that may be wrong, and say what mends it; --fix does what is safe.

    Files that are missing, were edited, or end twice; records without or twice; runs that were cut
    off; indexes that are invalid, sequences that lag behind, rows without their parents; what is
    left to apply or to write down. What this user may not look at, is found too. --fix changes no
    row of the hotel, and runs under the lock.
    """
    if not fix:
        try:
            found = diagnoses(Standing(connection))
        except (CircularDependencyError, NodeNotFoundError) as error:
            found = diagnoses_without_files(connection, explain(error))
        return [_as_dict(one) for one in found]
    with _locked(connection, lambda *_: None, {}, whole=False) as standing:
        done = []
        for found in diagnoses(standing):
            if found.kind == "locked":
                continue  # by this very run
            if found.cure:
                found.cure()
            done.append(_as_dict(found, found.cure is not None))
        return done


def _as_dict(found, is_mended=False):
    return {
        "kind": found.kind,
        "what": found.what,
        "mend": found.mend,
        "can_fix": found.cure is not None,
        "fixed": is_mended,
    }
