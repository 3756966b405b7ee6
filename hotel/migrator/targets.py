"""How a revision or a target is written, and what is said when it cannot be read.

The words are Alembic's where it has words for the case.
"""

import difflib
import re
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from hotel.migrator.exceptions import WrongUse

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
    key: tuple = ()
    number: int = 0


def resolve(graph, text):
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
    found = [key for key in keys if key[1] == prefix]
    found = found or [key for key in keys if prefix and key[1].startswith(prefix)]
    if not found:
        names = [label(key) if dot else key[1] for key in keys]
        close = difflib.get_close_matches(text, {*names}, NAMED, CLOSE)
        near = [
            key for name in close for key, other in zip(keys, names, strict=True) if other == name
        ]
        near = near or (keys if dot else [])
        raise WrongUse(f"{_lost(text)} {f'Near it: {labels(near)}. ' if near else ''}{LIST}")
    if len(found) > 1:
        raise WrongUse(
            f"{quoted(text)} is not one revision but {len(found)}: {labels(found)}."
            f" Write more of the name. {LIST}"
        )
    return found[0]


def parse(graph, text):
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
    if steps and not anchor:
        return Target("step", app, number=number)
    if steps and anchor in HEADS:
        return _shifted(graph, _only_leaf(graph, app, text), number, text)
    if steps and not at:
        return _shifted(graph, resolve(graph, anchor), number, text)
    if at:
        raise WrongUse(
            f"{quoted(text)} is no target: after {app}@ comes head, base, +N or -N; a revision is"
            f" written {app}.0003. {LIST}"
        )
    if text in graph.apps:
        return Target("app", text)
    key = resolve(graph, text)
    return Target("revision", key[0], key)


def _shifted(graph, key, number, text):
    """Return the target ``number`` migrations from ``key`` in the chain of its app."""
    relatives, name = (graph.children, "children") if number > 0 else (graph.parents, "parents")
    for left in range(abs(number), 0, -1):
        near = graph.near(key, relatives)
        if len(near) > 1:
            raise WrongUse(
                f"Ambiguous walk: {label(key)} has {len(near)} {name} in its application,"
                f" {labels(near)}. Name the revision itself instead of {quoted(text)}."
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


def _only_leaf(graph, app, text):
    leaves = graph.leaves(app) if app else graph.heads()
    if len(leaves) != 1:
        raise WrongUse(
            f"{quoted(text)} counts from {len(leaves)} heads: {labels(leaves)}. Name one, as in"
            f" app.0003-1. {LIST}"
        )
    return leaves[0]


def _check_app(graph, app, text):
    if app not in graph.apps:
        near = difflib.get_close_matches(app, graph.apps, NAMED, CLOSE) or graph.apps
        raise WrongUse(
            f"{_lost(text)} No application {quoted(app)} has migrations; near it:"
            f" {shortened(near)}. {LIST}"
        )


def _lost(text):
    return f"Can't locate revision identified by {quoted(text)}."


def _no_number(text):
    return (
        f"{quoted(text)} is no number of steps: write +1 to go up, -1 to go down; N is a whole"
        f" number above zero. {LIST}"
    )


def not_produced(number):
    """Return Alembic's words for fewer steps than were asked for."""
    return f"Relative revision {number:+} didn't produce {abs(number)} migrations"


def migrations(number):
    """Return the words for so many migrations."""
    return f"{number} migration{'' if number == 1 else 's'}"


def label(key):
    """Return the revision as users write it."""
    return ".".join(key)


def labels(keys):
    """Return the first of these revisions, and how many more there are."""
    return shortened([label(key) for key in keys])


def shortened(names):
    """Return the first of these names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def quoted(text):
    """Return ``text`` as Alembic's messages quote it, on one line and not endless."""
    return repr(text if len(text) <= REPEATED else f"{text[:REPEATED]}…")


def moment(text):
    """Return the instant that ``text`` names; of a day the last, in the zone of the settings."""
    try:
        day, found = parse_date(text), parse_datetime(text)
    except ValueError:  # 2025-02-30
        day = found = None
    if day and len(text) <= 10:
        found = datetime.combine(day, datetime.max.time())
    if not found:
        raise WrongUse(
            f"{quoted(text)} is no date: write --to-date 2026-01-31, the day to whose end to go"
            " back, or 2026-01-31T12:00."
        )
    return timezone.make_aware(found) if timezone.is_naive(found) else found
