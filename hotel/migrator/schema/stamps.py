"""Where a database is said to stand: what is to be recorded then, and whether it is true."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import HEADS, Key, cited, label, labels, parse
from hotel.migrator.schema import drift

SHOWN = 10  # differences that a refusal names


class Recorded(Protocol):
    """A database with what is recorded as applied; a ``verbs.Position``."""

    connection: BaseDatabaseWrapper
    loader: MigrationLoader
    graph: Graph
    applied: list[Key]

    @property
    def ghosts(self) -> list[Key]:
        """The applied migrations whose file is missing, oldest first."""


def planned(
    graph: Graph, targets: Sequence[str], applied: Iterable[Key]
) -> tuple[list[Key], list[Key], set[Key]]:
    """Return what is to be recorded, what is not any more, in order, and all that this is about.

    Raises WrongUse for what is no place, and for places that cannot both be true.
    """
    wanted: set[Key] = set()
    unwanted: set[Key] = set()
    bases, named = {}, {}
    for text in targets:
        target = parse(graph, text)
        app = target.app
        if target.kind == "base":
            gone = {app} if app else graph.own  # alone, it means nothing but what else is named
            unwanted.update(key for key in graph.order if key[0] in gone)
            if app:
                bases[text] = app
            continue
        if target.kind == "step":
            raise WrongUse(
                f"{cited(text)} is not a place in the history: name a revision such as app.0003,"
                " heads or base. manage.py db history lists all revisions."
            )
        if target.kind == "revision":
            ends = [target.key]
            named[text] = target.key
        else:
            ends = [*(graph.leaves(app) if app else graph.heads())]
        for key in ends:
            wanted.update(graph.ancestors(key), {key})
            unwanted.update(graph.descendants(key))
    for text, app in bases.items():
        if kept := [key for key in graph.order if key[0] == app and key in wanted]:
            raise WrongUse(
                f"{cited(text)} says that {label(kept[0])} is not applied, and another of these"
                " places needs it: name one or the other."
            )
    for text, key in named.items():
        after = graph.descendants(key)
        if kept := [one for one in graph.order if one[0] == key[0] and one in wanted & after]:
            raise WrongUse(
                f"{cited(text)} says that {label(kept[0])} is not applied, and another of these"
                " places needs it: name one or the other."
            )
    if "base" in targets and any(text in HEADS for text in targets):
        raise WrongUse(
            "'base' says that nothing is applied, and 'heads' that everything is: name one or"
            " the other."
        )
    unwanted -= wanted
    unwanted.update(*map(graph.descendants, [*unwanted]))  # none is wanted: it would need this one
    there = set(applied)
    return (
        [key for key in graph.order if key in wanted and key not in there],
        [key for key in reversed(graph.order) if key in unwanted and key in there],
        wanted | unwanted,
    )


def refuse_gaps(graph: Graph, recorded: set[Key]) -> None:
    """Raise WrongUse if something would be ``recorded`` without what it needs."""
    for key in drift.in_order(graph, recorded):
        gaps = [parent for parent in graph.parents[key] if parent not in recorded]
        if gaps:
            ends = " ".join(map(label, ends_of(graph, {key} | graph.descendants(key) & recorded)))
            raise WrongUse(
                f"{label(key)} would be recorded without {labels(gaps)}, which it needs. Nothing"
                f" was recorded: add {ends} to the command, and what that needs is recorded too."
            )


def ends_of(graph: Graph, keys: Collection[Key]) -> list[Key]:
    """Return those of ``keys`` that no other of them needs, in the order of the graph."""
    return [key for key in graph.order if key in keys and graph.descendants(key).isdisjoint(keys)]


def refuse_another_place(position: Recorded, recorded: set[Key]) -> None:
    """Raise RefusedByPreflight if the database is not what the ``recorded`` migrations make."""
    keys = drift.in_order(position.graph, recorded)
    found = drift.Report(position.connection, position.loader, keys).differences
    if found:
        more = f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""
        raise RefusedByPreflight(
            f"The database does not stand there, so nothing was recorded."
            f" {' '.join(str(difference) for difference in found[:SHOWN])}{more} Stamp where it"
            " stands, or mend it and stamp again; --force records it all the same."
        )
