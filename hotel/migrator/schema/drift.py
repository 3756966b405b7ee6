"""Models, migrations and the live database: three comparisons, one report, no guessing.

The models are compared with the migrations as ``makemigrations`` does, the migrations with what is
recorded as applied, and what the applied ones make of an empty database (``replays``) with what is
there. Everything here only reads.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    AlterModelTable,
    CreateModel,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import ManyToManyField
from django.utils import translation

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.messages.output import printable
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import Key
from hotel.migrator.schema import catalog, hindrances, repair, replays
from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.replays import Replay
from hotel.migrator.storage import journal, tables

SHOWN = 5  # tables that a sentence names

# Made on demand, whoever needs them first; where they are, they must be right.
ON_DEMAND = {"django_migrations", *(model._meta.db_table for model in tables.MODELS)}
LEFT_BEHIND = {"migrator_conflicts"}  # by rules of SQLite that were dropped; others need it


def differences(
    expected: Catalog, actual: Catalog, of_history: Set[str] = frozenset()
) -> list[Difference]:
    """Return the ``Difference``s of two catalogs, in the order of their tables.

    of_history: names of tables that the history knows at some point: one of them that should not be
    there is a difference; somebody else's table is none.
    """
    missing = [thing for thing in expected.facts if thing not in actual.facts]
    extra = [thing for thing in actual.facts if thing not in expected.facts]
    lost = {thing.name for thing in missing if thing.kind == "table"}
    strange = {thing.name for thing in extra if thing.kind == "table"}
    missing = [thing for thing in missing if _counts(thing, lost) and thing.name not in ON_DEMAND]
    extra = [
        thing
        for thing in extra
        if _counts(thing, strange)
        and thing.kind != "extension"
        and thing[:2] != ("sequence", "")  # nobody's, or somebody else's
        and (thing.kind != "table" or thing.name in of_history or thing.name.startswith("new__"))
    ]
    result = []
    for thing in list(missing):
        twins = [
            other
            for other in extra
            if (other.kind, other.table) == (thing.kind, thing.table)
            and thing.kind != "table"
            and actual.facts[other] == expected.facts[thing]
        ]
        rivals = [
            other
            for other in missing
            if (other.kind, other.table) == (thing.kind, thing.table)
            and expected.facts[other] == expected.facts[thing]
        ]
        # On SQLite a constraint without a name is called by its text, and cannot be renamed.
        if len(twins) == len(rivals) == 1 and expected.facts[thing].get("definition") != thing.name:
            result.append(Difference("renamed", thing, found=twins[0]))
            missing.remove(thing)
            extra.remove(twins[0])
    result += [Difference("missing", thing) for thing in missing]
    result += [Difference("extra", thing) for thing in extra]
    for thing in expected.facts.keys() & actual.facts.keys():
        wanted, got = expected.facts[thing], actual.facts[thing]
        if wanted != got:
            names = sorted(
                name for name in wanted.keys() | got.keys() if _differ(wanted, got, name)
            )
            attributes = {name: (wanted.get(name, ""), got.get(name, "")) for name in names}
            result.append(Difference("different", thing, attributes=attributes))
    return sorted(result, key=lambda difference: (difference.thing.table, difference.thing))


def compared(
    expected: Catalog, actual: Catalog, of_history: Set[str]
) -> tuple[list[Difference], Catalog]:
    """Return all ``differences``, and ``actual`` with its renamed tables under their names.

    A renamed table is one that nobody knows, with exactly the columns of one that is missing; or
    with half of them, and an index, a constraint, a trigger or a sequence of that one's name.
    """
    missing = expected.tables - actual.tables - ON_DEMAND
    strange = actual.tables - expected.tables - of_history - ON_DEMAND - LEFT_BEHIND
    pairs = [(new, old) for new in sorted(missing) for old in sorted(strange)]
    renamed = []
    for is_that_one in (_has_its_columns, _has_its_names):
        twins = [pair for pair in pairs if is_that_one(expected, actual, *pair)]
        for new, old in twins:
            if sum(new == other for other, _ in twins) == sum(old == one for _, one in twins) == 1:
                thing, was = (Thing("table", table, table) for table in (new, old))
                renamed.append(Difference("renamed", thing, was))
                pairs = [pair for pair in pairs if new != pair[0] and old != pair[1]]
    for difference in renamed:
        actual = actual.with_table_called(difference.thing.name, difference.old.name)
    return [*renamed, *differences(expected, actual, of_history)], actual


def _has_its_columns(expected: Catalog, actual: Catalog, new: str, old: str) -> bool:
    wanted = {thing.name: facts for thing, facts in expected.of(new, "column").items()}
    got = {thing.name: facts for thing, facts in actual.of(old, "column").items()}
    return got == wanted != {}  # a partition has none of its own


def _has_its_names(expected: Catalog, actual: Catalog, new: str, old: str) -> bool:
    wanted, got = _names(expected, new), _names(actual, old)
    columns = [{name for kind, name in names if kind == "column"} for names in (wanted, got)]
    shared, all_of_them = set.intersection(*columns), set.union(*columns)
    is_called_so = any(kind != "column" for kind, _ in wanted & got)
    return is_called_so and len(shared) >= len(all_of_them) / 2


def _names(catalog: Catalog, table: str) -> set[tuple[str, str]]:
    """Return what stands in or beside a table, as (kind, name), without what has no name."""
    return {
        (thing.kind, thing.name)
        for thing, facts in catalog.of(table).items()
        if thing.kind != "table" and thing.name != facts.get("definition")
    }


def _counts(thing: Thing, tables_of_one_side: set[str]) -> bool:
    """Tell whether a thing is to be named: not if all of its table is, nor a function by itself."""
    if thing.kind == "function":  # a trigger that calls it says it all
        return False
    return thing.kind == "table" or thing.table not in tables_of_one_side


def _differ(wanted: dict[str, str], got: dict[str, str], name: str) -> bool:
    return wanted.get(name, "") != got.get(name, "")


def tables_of(loader: MigrationLoader, without: Set[Key] = frozenset()) -> set[str]:
    """Return the names of all tables that the history makes at some time.

    without: keys of migrations of which it does not count what they make.
    """
    counted: set[str] = set()
    of_models: dict[tuple[str, str], str] = {}

    def look(operation: Operation, app: str, names: set[str]) -> None:
        if isinstance(operation, SeparateDatabaseAndState):
            for part in (*operation.database_operations, *operation.state_operations):
                look(part, app, names)
        elif isinstance(operation, CreateModel):
            table = operation.options.get("db_table") or f"{app}_{operation.name.lower()}"
            of_models[app, operation.name.lower()] = table
            names.add(table)
            for name, made in operation.fields:
                if isinstance(made, ManyToManyField):
                    names.add(cast(Any, made).db_table or f"{table}_{name}")
        elif isinstance(operation, AddField) and isinstance(operation.field, ManyToManyField):
            table = of_models.get((app, operation.model_name_lower), app)
            names.add(cast(Any, operation.field).db_table or f"{table}_{operation.name}")
        elif isinstance(operation, AlterModelTable) and operation.table:
            names.add(operation.table)

    for key, migration in sorted(loader.graph.nodes.items()):  # models come before fields
        for operation in migration.operations:
            look(operation, key[0], set() if key in without else counted)
    return counted


def unwritten(loader: MigrationLoader) -> list[str]:
    """Return the apps whose models have changes that no migration has, by name."""
    # Models have words in the language that is spoken, files have them in none.
    with translation.override(None):
        detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
        return sorted(detector.changes(graph=loader.graph))


class Report:
    """What a database has, and what the migrations ``keys`` make of an empty one.

    What was found out before is believed only as long as nothing differs from it. replay: made for
    this very question; found out, if not given. withheld: why there is no script, as a sentence;
    none drops rows of a table that a migration makes which is left to apply: it was not recorded,
    or the legacy system has made it.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        loader: MigrationLoader,
        keys: Sequence[Key],
        replay: Replay | None = None,
    ) -> None:
        self.connection, self.loader, self.keys = connection, loader, keys
        self.replay = replay or replays.replay(connection, loader, keys)
        self.withheld = ""
        self._compare()
        if self.bare and not self.replay.is_fresh:
            try:
                self.replay = replays.replay(connection, loader, keys, fresh=True)
            except RefusedByPreflight as refusal:
                if lost := repair.lost(self.bare):
                    self.withheld = (
                        f"No script is printed: it would drop, with what is in it, {lost}, which"
                        f" needs a replay made for this answer. {refusal}"
                    )
            else:
                self._compare()
        if too_early := self._made_too_early():
            self.withheld = (
                "No script is printed: it would drop tables with rows, which migrations make that"
                f" are left to apply: {_named(too_early)}. If the database is of a legacy system,"
                " take it over with manage.py db adopt; if these migrations were applied, record"
                " them with manage.py db stamp; if nobody needs the rows, drop the tables yourself."
            )

    def _made_too_early(self) -> list[str]:
        """Return the tables with rows that only migrations make which are left to apply."""
        extra = {
            one.thing.name for one in self.bare if one.what == "extra" and one.thing.kind == "table"
        }
        if not extra:
            return []
        by_left = tables_of(self.loader, without={*self.keys}) & extra
        return [table for table in sorted(by_left) if _has_rows(self.connection, table)]

    def _compare(self) -> None:
        known = tables_of(self.loader)
        expected = self.replay.catalog
        self.bare, self.actual = compared(expected, catalog.read(self.connection), known)
        self.strange = sorted(
            self.actual.tables - expected.tables - known - ON_DEMAND - LEFT_BEHIND,
        )

    @cached_property
    def differences(self) -> list[Difference]:
        """What differs, since when, and why no statement mends it, if none does."""
        connection, expected = self.connection, self.replay.catalog
        bare = hindrances.told(connection, self.bare, expected, self.actual) if self.bare else []
        times, runs = journal.times(connection), _runs(connection)

        def when(key: Key) -> str:
            name = ".".join(key)
            at = f", applied {times[key]:%Y-%m-%d %H:%M} UTC" if key in times else ""
            return f"{name}{at}{f' in run {runs[key][:8]}' if key in runs else ''}"

        return [
            replace(
                difference,
                since=when(key) if key else "",
                by_hand=repair.by_hand(connection.vendor, difference, bare, expected),
            )
            for difference in bare
            # Of what no migration makes, nobody knows since when it is there.
            for key in [difference.what != "extra" and self.replay.since(difference.thing)]
        ]

    @property
    def script(self) -> list[str]:
        """Statements that would mend all differences, in an order in which they can run."""
        if self.withheld:
            return []
        return repair.script(
            self.connection.vendor, self.differences, self.replay.catalog, self.actual
        )


def _named(tables_: list[str]) -> str:
    more = f" and {len(tables_) - SHOWN} more" if len(tables_) > SHOWN else ""
    return ", ".join(map(printable, tables_[:SHOWN])) + more


def _has_rows(connection: BaseDatabaseWrapper, table: str) -> bool:
    """Tell whether a table has rows, or may have: not everybody may look."""
    quoted = connection.ops.quote_name(table)
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {quoted} LIMIT 1")
            return cursor.fetchone() is not None
    except DatabaseError:
        return True


def _runs(connection: BaseDatabaseWrapper) -> dict[Key, str]:
    """Return the run that applied each migration last, as the journal has it."""
    rows = journal.entries(
        connection, event=journal.Event.FINISHED, direction=journal.Direction.FORWARD
    )
    return {(row.app, row.name): str(row.run) for row in rows}


def in_order(graph: Graph, applied: Iterable[Key]) -> list[Key]:
    """Return those of the applied migrations whose files are there, in the order of the graph."""
    there = set(applied)
    return [key for key in graph.order if key in there]


def sentences(document: dict[str, Any]) -> Iterator[str]:
    """Yield, of what ``verbs.drift`` returned, the sentences that say that something is wrong."""
    for kind in ("models", "migrations", "interrupted"):
        yield from document[kind]
    for row in document["database"]:
        yield row["says"]
