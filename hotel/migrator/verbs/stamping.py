"""The verbs that record what no run has done: ``db stamp`` and ``db adopt``."""

from collections.abc import Callable
from typing import Annotated, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from hotel.migrator.adopt import reporting, way_back
from hotel.migrator.adopt.inspection import declared, refuse_no_file
from hotel.migrator.adopt.rows_set_aside import WouldSetAside, still
from hotel.migrator.adopt.takeover import Adopter
from hotel.migrator.exceptions import Interrupted, WrongUse
from hotel.migrator.locking import sessions
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.revisions.targets import label
from hotel.migrator.running import interruptions
from hotel.migrator.schema import stamps
from hotel.migrator.verbs.console import Answer, Console
from hotel.migrator.verbs.options import Interactive, Option
from hotel.migrator.verbs.position import Position, locked


def stamp(
    connection: BaseDatabaseWrapper,
    targets: Annotated[list[str], Option("where the database stands; see above", "TARGET")],
    *,
    purge: Annotated[bool, Option("forget what is recorded though its file is missing")] = False,
    force: Annotated[bool, Option("do not compare it with the database first")] = False,
    plan: Annotated[bool, Option("only show what would be recorded")] = False,
) -> Answer:
    """Record that the database stands at TARGET, without running anything.

    TARGET: heads, base, app, app.0003, app@head, app@base; several may be named. What they need is
    recorded too, and what follows them is not any more, so that the history stays whole; all of it
    is shown. It is refused if the database is not what these migrations make, as manage.py db drift
    would say, or if a migration of these is half done; --force skips that, and the journal says so.
    All of it is recorded in one transaction, or nothing. --purge forgets what is applied, or half
    done, though its file is missing.

    Examples:
        manage.py db stamp heads --plan
        manage.py db stamp reservations.0009
        manage.py db stamp --purge

    """
    if not targets and not purge:
        raise WrongUse(
            "Name where the database stands, such as app.0003, heads or base; or --purge."
            " manage.py db stamp --help explains them."
        )
    with locked(connection, only_look=plan) as position:
        graph, applied = position.graph, position.applied
        up, down, named = stamps.planned(graph, targets, applied)
        forgotten = position.ghosts if purge else []
        settled = [
            half
            for half in interruptions.half_done(connection, position.loader)
            if half.key in named or (purge and half.is_missing)
        ]
        document = {
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
        recorded = {*applied, *up} - {*down}
        if up or down:
            stamps.refuse_gaps(graph, recorded)
        if (up or down) and not force:
            stamps.refuse_another_place(position, recorded)
        answer = Answer(document, _stamp_lines(document))
        if plan:
            return answer
        nodes = position.loader.graph.nodes
        position.executor.record(
            [(nodes[key], True) for key in down] + [(nodes[key], False) for key in up],
            [Migration(name, app) for app, name in forgotten],
            settle=lambda: interruptions.settle(connection, position.loader, settled.__contains__),
            remark="stamped by force, without a look at the database" if force else None,
        )
        return answer


def _stamp_lines(document: dict[str, list[str]]) -> list[str]:
    said = {
        "recorded": "recorded",
        "unrecorded": "not recorded any more",
        "purged": "forgotten, its file is missing",
        "settled": "not half done any more",
    }
    lines = [f"{words}: {name}" for kind, words in said.items() for name in document[kind]]
    return lines or ["Nothing to change: that is recorded already."]


def adopt(
    connection: BaseDatabaseWrapper,
    console: Console,
    *,
    dry_run: Annotated[bool, Option("show shape, steps and proof, and change nothing")] = False,
    accept_set_aside: Annotated[
        bool, Option("take over the rest though rows cannot come along")
    ] = False,
    undo: Annotated[bool, Option("bring the legacy database back")] = False,
    discard_new_rows: Annotated[
        bool, Option("with --undo: though rows were written since, which are lost")
    ] = False,
    finish: Annotated[bool, Option("drop the legacy tables for good")] = False,
    interactive: Interactive = True,
) -> Answer:
    """Take over a database of the legacy system, with proof that nothing is lost, and a way back.

    A database that is this history already at some point is recorded as that. One of the legacy
    system is rebuilt: its tables are moved aside, this history's are made, every row is copied with
    its key, and rows, checksums and sums are compared before all of it is committed. manage.py
    migrate then carries it on. --dry-run shows shape, steps and proof; its exit code is 3 if it
    would not work, or if rows cannot come along because what they need is not there. These are
    named, and only with --accept-set-aside are the others taken over. --undo brings the legacy
    database back until --finish drops it. docs/adopting.md is the runbook.

    Examples:
        manage.py db adopt --dry-run
        manage.py db adopt
        manage.py db adopt --undo

    """
    if (
        sum((dry_run, undo, finish)) > 1
        or (discard_new_rows and not undo)
        or (accept_set_aside and (undo or finish))
    ):
        raise WrongUse(
            "Say one of --dry-run, --undo and --finish; --discard-new-rows goes with --undo, and"
            " --accept-set-aside with neither --undo nor --finish."
        )

    def begin(document: dict[str, Any]) -> bool:
        for line in reporting.shape_lines(document):
            console.say(line)
        is_asked = interactive and not dry_run and document["asks"]
        return not is_asked or console.ask()

    refuse_no_file(connection)
    with run_lock(connection, only_look=dry_run):
        sessions.refuse_unfit(connection, writes=True)  # a dry run too, if only to roll it back
        position = Position(connection)
        adopter = Adopter(connection, position.executor, position.graph.order, declared())
        try:
            if undo or finish:
                document = way_back.end(adopter, undo, discard_new_rows, begin)
            else:
                document = _taken_over(adopter, dry_run, accept_set_aside, begin)
        except WouldSetAside as error:
            for line in reporting.refused_lines(error.report):
                console.say(line)
            raise
    lines = [*reporting.proof_lines(document), *reporting.end_lines(document)]
    return Answer(document, lines)


def _taken_over(
    adopter: Adopter,
    dry_run: bool,
    accept_set_aside: bool,
    begin: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """Take the database over, or show how; see ``adopt``.

    begin: called before anything is changed, with what the database is and what would be done;
    returns whether to go on.
    """
    seen = adopter.look()
    done: dict[str, Any] = {"kind": seen.kind, "says": seen.says, "did": "nothing", "asks": False}
    if seen.kind in ("adopted", "native"):
        begin(done)
        if not seen.adoption:
            return done
        return {
            **done,
            "proof": way_back.proof(seen.adoption),
            "set_aside": still(adopter.connection, seen.adoption),
        }
    done["asks"] = True
    done["steps"] = adopter.steps(seen)
    if seen.recognised:
        done["shape"] = seen.recognised.shape
        done["remarks"] = adopter.remarks(seen)
    if not begin(done):
        return {**done, "did": "declined"}
    if seen.kind == "point":
        proof = {"recorded": []} if dry_run else adopter.stamp(seen)
    else:
        try:
            proof = adopter.take_over(
                seen, for_show=dry_run, accept_set_aside=accept_set_aside or dry_run
            )
        except WouldSetAside as error:
            raise WouldSetAside(error.rows, done) from None
    if dry_run and not accept_set_aside and proof.get("set_aside"):
        raise WouldSetAside(proof["set_aside"], {**done, "proof": proof})
    done["seconds_of_copying"] = round(adopter.copying, 3)
    did = "shown" if dry_run else "stamped" if seen.kind == "point" else "adopted"
    return {**done, "did": did, "proof": proof}
