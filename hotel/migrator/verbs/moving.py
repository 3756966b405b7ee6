"""``db upgrade`` and ``db downgrade``: run a plan, show it, or print it as SQL."""

import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator import preflight
from hotel.migrator.exceptions import Interrupted, RefusedByPreflight, WrongUse
from hotel.migrator.plan import waits
from hotel.migrator.plan.finding import Finding, refuse
from hotel.migrator.revisions.graph import Graph, Plan
from hotel.migrator.revisions.targets import cited, label, labels, moment
from hotel.migrator.running import runner
from hotel.migrator.scope import own_apps
from hotel.migrator.script import offline
from hotel.migrator.storage import journal
from hotel.migrator.storage.journal import Direction, Event
from hotel.migrator.verbs.console import Answer, Console, Exact
from hotel.migrator.verbs.options import (
    AcceptDataLoss,
    AllApps,
    Engine,
    Interactive,
    OnlyShow,
    Option,
    Sql,
    Targets,
)
from hotel.migrator.verbs.position import Position, locked


def upgrade(
    connection: BaseDatabaseWrapper,
    console: Console,
    targets: Targets,
    *,
    at_most: Annotated[
        bool, Option("with +N: go as far as there is, if fewer than N are left")
    ] = False,
    all_apps: AllApps = False,
    plan: OnlyShow = False,
    accept_data_loss: AcceptDataLoss = False,
    interactive: Interactive = True,
    sql: Sql = False,
    pending: Annotated[
        bool, Option("with --sql: begin at what is applied, which is read from the database")
    ] = False,
    engine: Engine = None,
) -> Answer:
    """Apply migrations up to TARGET; never unapply any.

    TARGET: nothing or heads (everything), app, app.0003 (a unique prefix is enough), +N (the next N
    of this project's own apps; --all-apps counts those of all), app@+N, app.0003+1. What these need
    is applied too, and named; it is not counted.

    Examples:
        manage.py db upgrade
        manage.py db upgrade +1 --plan
        manage.py db upgrade reservations.0009
        manage.py db upgrade base:heads --sql --engine postgresql

    """
    if sql:
        _refuse_beside_sql(
            {"plan": plan, "all_apps": all_apps, "at_most": at_most}, accept_data_loss
        )
        targets = targets or (["heads"] if pending else [])
        return _script(connection, targets, engine, backwards=False, pending=pending)
    _refuse_without_sql(engine, pending)
    with locked(connection, console.progress, only_look=plan) as position:
        position.refuse_gaps()
        steps = position.graph.upgrade(targets, position.applied, all_apps, at_most)
        return _carry_out(position, console, steps, plan, accept_data_loss, interactive)


def downgrade(
    connection: BaseDatabaseWrapper,
    console: Console,
    target: Annotated[str | None, Option("where to go; see above", "TARGET")] = None,
    *,
    run: Annotated[
        str | None, Option("undo what a run applied: last, or the beginning of its id")
    ] = None,
    to_date: Annotated[str | None, Option("undo what was applied after this day", "DATE")] = None,
    cascade: Annotated[bool, Option("unapply what depends on it in other apps too")] = False,
    all_apps: AllApps = False,
    plan: OnlyShow = False,
    accept_data_loss: AcceptDataLoss = False,
    interactive: Interactive = True,
    sql: Sql = False,
    engine: Engine = None,
) -> Answer:
    """Unapply migrations down to TARGET; never apply any.

    TARGET: -N (the latest N that were applied of this project's own apps, whichever they are),
    app@-N, app.0003 (which stays applied), app@base, base. Or --run last, what the last run
    applied; --to-date 2026-01-31, what was applied since. Where no app is named, this project's own
    count, with --all-apps all. What depends on these in other apps goes only with --cascade;
    Alembic and Django take it along unasked.

    Examples:
        manage.py db downgrade -1
        manage.py db downgrade reservations.0009 --plan
        manage.py db downgrade --run last
        manage.py db downgrade heads:reservations.0024 --sql

    """
    if sql:
        _refuse_beside_sql(
            {"plan": plan, "all_apps": all_apps, "run": run, "to_date": to_date}, accept_data_loss
        )
        pending = ":" not in (target or "")
        return _script(
            connection, [target or ""], engine, backwards=True, pending=pending, cascade=cascade
        )
    _refuse_without_sql(engine)
    with locked(connection, console.progress, only_look=plan) as position:
        position.refuse_gaps()
        if sum(given is not None for given in (target, run, to_date)) != 1:
            raise WrongUse(
                "Name one thing to go down to: a target such as -1 or app.0003, or --run last, or"
                " --to-date 2026-01-31. manage.py db downgrade --help explains them."
            )
        graph, applied = position.graph, position.applied
        also = " --all-apps" if all_apps else ""
        if run is not None:
            keys = _of_run(position, run, all_apps)
            steps = graph.undo(keys, applied, f"--run {run}", cascade, also)
        elif to_date is not None:
            since = journal.changed_since(position.loader, moment(to_date))
            keys = [
                key for key in since if key in graph.place and (all_apps or key[0] in graph.own)
            ]
            steps = graph.undo(keys, applied, f"--to-date {shlex.quote(to_date)}", cascade, also)
        else:
            steps = graph.downgrade(target or "", applied, all_apps, cascade)
        return _carry_out(position, console, steps, plan, accept_data_loss, interactive)


def _of_run(position: Position, run: str, all_apps: bool) -> list[tuple[str, str]]:
    """Return what a run applied and is applied still; ``run``: "last", or the start of its id.

    all_apps: also of those that are not this project's own; a run of these alone is none without.
    """
    finished = journal.entries(
        position.connection, event=Event.FINISHED, direction=Direction.FORWARD, is_fake=False
    )
    graph = position.graph
    runs: dict[object, list[tuple[str, str]]] = {}
    for entry in finished:
        key = entry.app, entry.name
        counts = key in graph.place and (all_apps or entry.app in graph.own)
        if counts and key in position.applied:
            runs.setdefault(entry.run, []).append(key)
    named = (
        [*runs][-1:] if run == "last" else [one for one in runs if run and str(one).startswith(run)]
    )
    if len(named) != 1:
        what = "no run that is in the journal" if not named else f"{len(named)} runs"
        raise WrongUse(
            f"{cited(run)} is {what}, or nothing of it is applied any more: manage.py db history"
            " --applied lists the runs."
        )
    # A later run may have unapplied and applied some of them again: they are that run's.
    latest = {(entry.app, entry.name): entry.run for entry in finished}
    return [key for key in runs[named[0]] if latest[key] == named[0]]


def _carry_out(
    position: Position,
    console: Console,
    plan: Plan,
    only_look: bool,
    accept_data_loss: bool,
    interactive: bool,
) -> Answer:
    """Look, say what will be done, and do it."""
    steps = position.plan_for_django(plan)
    findings = preflight.findings(
        position.connection, position.loader, steps, accept_data_loss=accept_data_loss
    )
    document = {
        "backwards": plan.backwards,
        "steps": [{"revision": label(key), "required": key in plan.required} for key in plan.steps],
        "findings": [finding.as_dict() for finding in findings],
    }
    for line in _announced(plan, only_look):
        console.say(line)
    for finding in findings:
        if only_look or not finding.refuses:
            console.say(finding.line())
    if only_look:
        locks = waits.locks(position.connection, position.loader, steps)
        for lock in locks:
            console.say(f"  {lock}")
        return Answer({**document, "locks": [asdict(lock) for lock in locks]}, (), _code(findings))
    refuse(findings)
    if steps:
        runner.run(
            position.executor,
            steps,
            verbosity=console.verbosity,
            interactive=interactive,
            stdout=console.stdout,
        )
    return Answer(document)


def _code(findings: Iterable[Finding]) -> int:
    """Return the exit code with which a run would be refused, or 0."""
    kinds = {finding.kind for finding in findings if finding.refuses}
    if not kinds:
        return 0
    return (Interrupted if "interrupted" in kinds else RefusedByPreflight).exit_code


def _announced(plan: Plan, in_detail: bool) -> list[str]:
    """Return the lines that say what will be done."""
    if not plan.steps:
        return ["Nothing to do: the database is there already."]
    number = len(plan.steps)
    what = f"To {'unapply' if plan.backwards else 'apply'}: {number} migration{'s' * (number > 1)}"
    if plan.required:
        why = "depend on the others" if plan.backwards else "are needed by the others"
        what += f", of which {len(plan.required)} only because they {why}: {labels(plan.required)}"
    if not in_detail:
        return [what if plan.required or not plan.backwards else f"{what}: {labels(plan.steps)}"]
    sign = "-" if plan.backwards else "+"
    return [f"{what}.", *(f"  {sign} {label(key)}" for key in plan.steps)]


# Scripts


def _refuse_without_sql(engine: str | None, pending: bool = False) -> None:
    given = [f"--{name}" for name, is_so in (("engine", engine), ("pending", pending)) if is_so]
    if given:
        raise WrongUse(f"{' and '.join(given)} belongs to --sql, without which this would run.")


def _refuse_beside_sql(others: dict[str, object], accept_data_loss: bool) -> None:
    given = {**others, "accept_data_loss": accept_data_loss}
    unfit = [f"--{name.replace('_', '-')}" for name, is_so in given.items() if is_so]
    if unfit:
        raise WrongUse(f"--sql prints a script, and {', '.join(unfit)} means nothing for it.")


def _script(
    connection: BaseDatabaseWrapper,
    targets: list[str],
    engine: str | None,
    *,
    backwards: bool,
    pending: bool,
    cascade: bool = False,
) -> Answer:
    """Answer with a script for plain ``psql`` or ``sqlite3``; see ``offline``.

    targets: one range ``START:END``, for which no database is read. pending: one target, from what
    is applied; the database is only read.
    """
    if len(targets) != 1 or not targets[0]:
        raise WrongUse(
            "Name one range, such as base:heads or app.0003:app.0001, or with --pending one"
            " target. manage.py db upgrade --help explains them."
        )
    [span] = targets
    applied: list[tuple[str, str]] = []
    if pending and _exists(connection):
        position = Position(connection)
        position.refuse_gaps()
        graph, applied, loader = position.graph, position.applied, position.loader
    else:
        loader = runner.loader_without_database()
        graph = Graph.from_django(loader.graph, own_apps())
    if not pending:
        range_ = offline.between(graph, span, backwards, cascade=cascade)
    elif backwards:
        plan = graph.downgrade(span, applied, cascade=cascade)
        range_ = offline.from_plan(graph, plan, applied, span)
    else:
        range_ = offline.from_plan(graph, graph.upgrade([span], applied), applied, span)
    lines = offline.script(connection, loader, range_, engine or connection.vendor)
    return Answer(lines=_exactly(lines), is_script=True)


def _exactly(lines: Iterable[str]) -> Iterator[Exact]:
    return map(Exact, lines)


def _exists(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the database exists: to read from a file that does not would make it."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():  # type: ignore[attr-defined]
        return True
    name = str(connection.settings_dict["NAME"])
    return name.startswith("file:") or os.path.exists(name)
