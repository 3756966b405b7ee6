"""How a revision or a target is written, and what is said when it cannot be read.

The words are Alembic's where it has words for the case.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from hotel.migrator.exceptions import WrongUse

if TYPE_CHECKING:
    from hotel.migrator.revisions.graph import Graph

Key: TypeAlias = tuple[str, str]  # of a migration: its application and its name

NAMED = 10  # names in a message; the others are counted
CLOSE = 0.7  # of difflib's likeness, from 0 to 1
REPEATED = 100  # characters of a target that a message repeats
HEADS, BASES = ("head", "heads"), ("base", "zero")
STEPS = re.compile(r"(.*?)([+-][0-9]{1,9})", re.DOTALL)
LIST = "manage.py db history lists all revisions."


class Target(NamedTuple):
    """What a text means: N steps, a head, the base, an application, or one revision.

    app: empty where the text names none. key: of a revision. number: of steps, with its sign.
    """

    kind: str  # "step", "head", "base", "app" or "revision"
    app: str = ""
    key: Key = ("", "")
    number: int = 0


def resolve(graph: "Graph", text: str) -> Key:
    """Return the key that ``text`` means; see ``Graph.resolve``."""
    app, dot, prefix = text.rpartition(".")
    if not text.strip():
        raise WrongUse(f"No revision was given: write one as app.0003. {LIST}")
    if dot:
        _check_app(graph, app, text)
    keys = [key for key in graph.order if not dot or key[0] == app]
    if text in graph.apps:
        own = [key for key in keys if key[0] == text]
        raise WrongUse(
            f"{text} is an application, not a revision: write {text}@head, {text}@base or one of"
            f" its revisions, {labels(own)}. {LIST}"
        )
    meant = [key for key in keys if key[1] == prefix]
    meant = meant or [key for key in keys if prefix and key[1].startswith(prefix)]
    if not meant:
        names = [label(key) if dot else key[1] for key in keys]
        close = difflib.get_close_matches(text, {*names}, NAMED, CLOSE)
        near = [
            key for name in close for key, other in zip(keys, names, strict=True) if other == name
        ]
        near = near or (keys if dot else [])
        raise WrongUse(f"{_lost(text)} {f'Near it: {labels(near)}. ' if near else ''}{LIST}")
    if len(meant) > 1:
        raise WrongUse(
            f"{cited(text)} is not one revision but {len(meant)}: {labels(meant)}."
            f" Write more of the name. {LIST}"
        )
    return meant[0]


def parse(graph: "Graph", text: str) -> Target:
    """Return the Target that ``text`` means. Raises WrongUse, whatever ``text`` is."""
    app, at, word = text.rpartition("@")
    if at:
        _check_app(graph, app, text)
    if word in HEADS:
        return Target("head", app)
    if word == "base" or (at and word in BASES):
        return Target("base", app)
    steps = STEPS.fullmatch(word)
    anchor, number = (steps[1], int(steps[2])) if steps else (word, None)
    if number == 0 or (anchor and word[0] in "+-"):
        raise WrongUse(_no_number(text))
    if number is not None and not anchor:
        return Target("step", app, number=number)
    if number is not None and (anchor in HEADS or not at):
        start = _only_leaf(graph, app, text) if anchor in HEADS else resolve(graph, anchor)
        return _shifted(graph, start, number, text)
    if at:
        raise WrongUse(
            f"{cited(text)} is not a target: after {app}@ comes head, base, +N or -N; a revision"
            f" is written {app}.0003. {LIST}"
        )
    if text in graph.apps:
        return Target("app", text)
    key = resolve(graph, text)
    return Target("revision", key[0], key)


def _shifted(graph: "Graph", key: Key, number: int, text: str) -> Target:
    """Return the target ``number`` migrations from ``key`` in the chain of its app."""
    relatives, name = (graph.children, "children") if number > 0 else (graph.parents, "parents")
    for left in range(abs(number), 0, -1):
        near = graph.near(key, relatives)
        if len(near) > 1:
            raise WrongUse(
                f"Ambiguous walk: {label(key)} has {len(near)} {name} in its application,"
                f" {labels(near)}. Name the revision itself instead of {cited(text)}."
                " manage.py db branches shows where applications fork."
            )
        if not near and number < 0 and left == 1:
            return Target("base", key[0])
        if not near:
            raise WrongUse(
                f"{not_produced(number)}: {label(key)} is the {'first' if number < 0 else 'last'}"
                f" of its application. {LIST}"
            )
        key = near[0]
    return Target("revision", key[0], key)


def _only_leaf(graph: "Graph", app: str, text: str) -> Key:
    leaves = graph.leaves(app) if app else graph.heads()
    if len(leaves) != 1:
        raise WrongUse(
            f"{cited(text)} counts from {len(leaves)} heads: {labels(leaves)}. Name one, as in"
            f" app.0003-1. {LIST}"
        )
    return leaves[0]


def _check_app(graph: "Graph", app: str, text: str) -> None:
    if app not in graph.apps:
        near = difflib.get_close_matches(app, graph.apps, NAMED, CLOSE) or graph.apps
        raise WrongUse(
            f"{_lost(text)} No application {cited(app)} has migrations; near it:"
            f" {shortened(near)}. {LIST}"
        )


def _lost(text: str) -> str:
    return f"Can't locate revision identified by {cited(text)}."


def _no_number(text: str) -> str:
    return (
        f"{cited(text)} is not a number of steps: write +1 to go up, -1 to go down; N is a whole"
        f" number above zero. {LIST}"
    )


def not_produced(number: int) -> str:
    """Return Alembic's words for fewer steps than were asked for."""
    return f"Relative revision {number:+} didn't produce {abs(number)} migrations"


def migrations(number: int) -> str:
    """Return the words for so many migrations."""
    return f"{number} migration{'' if number == 1 else 's'}"


def label(key: Key) -> str:
    """Return the revision as users write it."""
    return ".".join(key)


def labels(keys: Iterable[Key]) -> str:
    """Return the first of these revisions, and how many more there are."""
    return shortened([label(key) for key in keys])


def shortened(names: Sequence[str]) -> str:
    """Return the first of these names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def cited(text: str) -> str:
    """Return what a user wrote as Alembic's messages quote it: on one line, and not endless."""
    return repr(text if len(text) <= REPEATED else f"{text[:REPEATED]}…")


def moment(text: str) -> datetime:
    """Return the instant that ``text`` names; of a day the last, in the zone of the settings."""
    try:
        day, instant = parse_date(text), parse_datetime(text)
    except ValueError:  # 2025-02-30
        day = instant = None
    if day and len(text) <= 10:
        instant = datetime.combine(day, datetime.max.time())
    if not instant:
        raise WrongUse(
            f"{cited(text)} is not a date: write --to-date 2026-01-31, the day to whose end to go"
            " back, or 2026-01-31T12:00."
        )
    return timezone.make_aware(instant) if timezone.is_naive(instant) else instant
