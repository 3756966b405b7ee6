"""Where a database really stands when its records say something else, found out by trying.

What is recorded is compared with what could be recorded instead: each is replayed on an empty
database, and that which the live database agrees with is advised. Nothing is changed.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation

from hotel.migrator.adopt import unrecorded
from hotel.migrator.exceptions import MigratorError, RefusedByPreflight
from hotel.migrator.revisions.targets import Key, label, labels
from hotel.migrator.running import interruptions
from hotel.migrator.running.explanations import explain
from hotel.migrator.schema import drift, replays, stamps
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.stamps import Recorded
from hotel.migrator.sql.parsing import bare
from hotel.migrator.storage import journal

Keys = Set[Key]

SHOWN = 5  # differences that a sentence names


class Unanswered(Exception):
    """The migrations cannot be replayed; says why, as a sentence."""


@dataclass(frozen=True)
class Mismatch:
    """Records and database disagree.

    what: a sentence. mend: what to do, with the commands. kind: a word, as a Finding has it.
    """

    what: str
    mend: str
    kind: str = "drift"


class ActualPosition:
    """Tries out what could be recorded; see ``verbs.Position``."""

    def __init__(self, position: Recorded) -> None:
        self.position = position
        self.graph = position.graph
        self.here = {key for key in position.applied if key in self.graph.place}
        self.left = [key for key in self.graph.order if key not in self.here]
        needed = self.here.union(*map(self.graph.ancestors, self.here))
        self.gaps = needed - self.here
        self._looked: dict[frozenset[Key], drift.Report | None] = {}

    def look(self, keys: Keys) -> drift.Report | None:
        """Return the ``drift.Report`` about a set of migrations, if they were what is applied.

        None where no scratch database can be made. Raises Unanswered.
        """
        name = frozenset(keys)
        if name not in self._looked:
            self._looked[name] = self._report(keys)
        return self._looked[name]

    def _report(self, keys: Keys) -> drift.Report | None:
        position = self.position
        try:
            report = drift.Report(
                position.connection, position.loader, drift.in_order(self.graph, keys)
            )
        except RefusedByPreflight:
            return None  # as drift says itself
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            said = str(explained).removesuffix(" --traceback shows where.")
            raise Unanswered(said) from error
        invalid = interruptions.invalid_indexes(position.connection)  # a diagnosis of their own
        unfinished = {bare(name) for name in invalid}
        report.differences = [
            one
            for one in report.differences
            if not (one.thing.kind == "index" and one.thing.name in unfinished)
        ]
        return report

    # Records without what they need

    def of_gaps(self) -> str | None:
        """Return what mends that something is applied without what it needs, or None."""
        up = self.here | self.gaps
        try:
            recorded = self.look(up)
            wanted = self._found_near(up) if recorded else None
        except Unanswered as error:
            return f"A person has to look: {error}"
        if recorded is None:
            return None
        if wanted:
            has = "nothing of either" if self.here - wanted else "what it makes"
            return f"The database has {has}: {self._advice(wanted)}"
        if command := self._stamp(up):
            return (
                "The database has only a part of what it makes, so a person has to look:"
                f" {_sentences(recorded.differences)} If nothing else is wrong, record it with"
                f" {command} --force; then manage.py db drift prints what mends these."
            )
        return "A person has to look: its file came too late; mend its dependencies."

    # Tables that are not as the records say

    def of_tables(self) -> Mismatch | None:
        """Return the Mismatch about what is there and not recorded, or the other way, or None."""
        try:
            report = self.look(self.here)
        except Unanswered as error:
            return Mismatch(str(error), "Until then nothing can be said about the tables.")
        if report is None or not report.differences:
            return None
        if one := unrecorded.look(self.position.connection, self.position.loader):
            return Mismatch(one.cause, one.mend, one.kind)
        what = _sentences(report.differences)
        try:
            wanted = self._found_near(self.here)
        except Unanswered:
            wanted = None
        if not wanted:
            return Mismatch(what, _by_hand(report))
        if gone := self.here - wanted:
            lost = labels([key for key in self.graph.order if key in gone])
            return Mismatch(what, f"The database has nothing of {lost}: {self._advice(wanted)}")
        keys = [key for key in self.graph.order if key in wanted - self.here]
        makes = "make" if len(keys) > 1 else "makes"
        return Mismatch(what, f"That is what {labels(keys)} {makes}: {self._advice(wanted)}")

    def _found_near(self, keys: Keys) -> Keys | None:
        """Return the set of migrations, ``keys`` or some more or some less, that the database is.

        None if it is none of those, or if it cannot be recorded without a look at rows.
        """
        report = self.look(keys)
        if report is None:
            return None
        for wanted in (keys, self._further(keys, report), self._less(keys, report)):
            if wanted and self._stamp(wanted) and self._may_run(self.here - wanted):
                found = self.look(wanted)
                if found is not None and not found.differences:
                    return wanted
        return None

    def _further(self, keys: Keys, report: drift.Report) -> Keys | None:
        """Return ``keys`` and what makes that which is there and should not be."""
        extra = [one.thing for one in report.differences if one.what == "extra"]
        left = [key for key in self.graph.order if key not in keys]
        last = self._replay({*keys, *left}) if extra and left else None
        if last is None:
            return None
        made = {key for thing in extra if (key := last.since(thing)) and key not in keys}
        return {*keys}.union(made, *map(self.graph.ancestors, made)) if made else None

    def _less(self, keys: Keys, report: drift.Report) -> Keys | None:
        """Return ``keys`` without what should have made that which is missing."""
        each = map(report.replay.since, [one.thing for one in report.differences])
        since = {key for key in each if key}
        if any(one.what == "extra" for one in report.differences):
            return None
        return keys - self._above(since) if since else None

    def _advice(self, wanted: Keys) -> str:
        """Return how to record that ``wanted`` is what is applied; the end of a sentence."""
        command, added = self._stamp(wanted), wanted - self.here
        if self.here - wanted:
            return f"take the record back with {command}, then apply with manage.py migrate."
        rows = [key for key in self.graph.order if key in added and self._writes_rows(key)]
        if rows:
            return (
                f"whether rows were changed by {labels(rows)}, a person has to say; if they were,"
                f" record it with {command}."
            )
        return f"record it with {command}."

    def of_left(self) -> str:
        """Return why what is left to apply cannot run on any database, a sentence, or ""."""
        try:
            self.look({*self.here, *self.left})
        except Unanswered as error:
            return str(error)
        return ""

    # Parts of it

    def _replay(self, keys: Keys) -> replays.Replay | None:
        position = self.position
        order = drift.in_order(self.graph, keys)
        try:
            return replays.replay(position.connection, position.loader, order)
        except (MigratorError, DatabaseError, ValueError, LookupError):
            return None

    def _above(self, keys: Keys) -> Keys:
        return set(keys).union(*map(self.graph.descendants, keys))

    def _stamp(self, wanted: Keys) -> str:
        """Return the command after which exactly ``wanted`` is recorded, or "" if there is none."""
        graph = self.graph
        added, removed = wanted - self.here, self.here - wanted
        above = {key for key in wanted if key in added or added & graph.ancestors(key)}
        names = [label(key) for key in stamps.ends_of(graph, above)]
        for app in sorted({app for app, _ in removed}):
            own = {key for key in wanted if key[0] == app}
            names += [label(key) for key in stamps.ends_of(graph, own)] or [f"{app}@base"]
        try:
            _, down, _ = stamps.planned(graph, names, self.position.applied)
            # What follows a place goes, unless it is named too.
            names += [label(key) for key in stamps.ends_of(graph, {*down} - removed)]
            up, down, _ = stamps.planned(graph, names, self.position.applied)
        except MigratorError:
            return ""
        if not names or (set(up), set(down)) != (added, removed):
            return ""
        return f"manage.py db stamp {' '.join(dict.fromkeys(names))}"

    def _may_run(self, keys: Keys) -> bool:
        """Tell whether running these changes no rows twice: they never ran, or change none."""
        entries = journal.entries(
            self.position.connection,
            event=journal.Event.FINISHED,
            direction=journal.Direction.FORWARD,
        )
        is_fake = {(entry.app, entry.name): entry.is_fake for entry in entries}
        return all(is_fake.get(key) or not self._writes_rows(key) for key in keys)

    def _writes_rows(self, key: Key) -> bool:
        operations = self.graph_nodes[key].operations
        return not all(map(_is_of_schema, operations))

    @property
    def graph_nodes(self) -> Any:
        """The migrations by their keys."""
        return self.position.loader.graph.nodes


def _is_of_schema(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(_is_of_schema, operation.database_operations))
    return isinstance(operation, ModelOperation | FieldOperation | IndexOperation)


def _sentences(differences: list[Difference]) -> str:
    more = len(differences) - SHOWN
    shown = " ".join(map(str, differences[:SHOWN]))
    return f"{shown} And {more} more." if more > 0 else shown


def _by_hand(report: drift.Report) -> str:
    if report.withheld:
        return report.withheld
    if not report.script:
        return "No script can mend that: a person has to."
    run = "run the script that manage.py db drift prints."
    if any(one.what == "extra" for one in report.differences):
        return f"Check whether anybody needs what is too much, because it is dropped; then {run}"
    return run.capitalize()
