"""Models, migrations and the live database: three comparisons, one report, no guessing.

The models are compared with the migrations as ``makemigrations`` does, the migrations with what is
recorded as applied, and what the applied ones make of an empty database (``scratch``) with what is
there. Everything here only reads.
"""

from dataclasses import dataclass, field, replace

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations import (
    AddField,
    AlterModelTable,
    CreateModel,
    SeparateDatabaseAndState,
)
from django.db.migrations.state import ProjectState

from hotel.migrator import catalog, history, repair, scratch, tables
from hotel.migrator.catalog import Thing

# Made on demand, whoever needs them first; where they are, they must be right.
ON_DEMAND = {"django_migrations", *(model._meta.db_table for model in tables.MODELS)}
LEFT_BEHIND = {"migrator_conflicts"}  # by rules of SQLite that were dropped; others need it


@dataclass(frozen=True)
class Difference:
    """Something that is not in the database as the migrations make it.

    what: "missing", "extra", "renamed" or "different". thing: what it is about, under the name that
    it should have; of what is extra, the one that it has. found: the thing that was found in place
    of a renamed one. attributes: ``{name: (expected, found)}``. since: what applied or altered it
    last, as a sentence's end.
    """

    what: str
    thing: Thing
    found: Thing | None = None
    attributes: dict[str, tuple[str, str]] = field(default_factory=dict)
    since: str = ""

    def __str__(self):
        said = {
            "missing": f"{self.thing} is missing",
            "extra": f"{self.thing} is there, and no migration makes it",
            "renamed": f"{self.thing} is called {self.found and self.found.name}",
            "different": f"{self.thing} differs: {_listed(self.attributes)}",
        }[self.what]
        return f"The {said}{f', since {self.since}' if self.since else ''}."

    def as_dict(self):
        """Return it for ``--json``."""
        return {
            "what": self.what,
            **self.thing._asdict(),
            "found": self.found.name if self.found else None,
            "attributes": {
                name: {"expected": expected, "found": found}
                for name, (expected, found) in self.attributes.items()
            },
            "since": self.since,
            "says": str(self),
        }


def _listed(attributes):
    return ", ".join(
        f"{name} {found or 'nothing'} instead of {expected or 'nothing'}"
        for name, (expected, found) in attributes.items()
    )


def differences(expected, found, of_history=frozenset()):
    """Return the ``Difference``s of two catalogs, in the order of their tables.

    of_history: names of tables that the history knows at some point: one of them that should not be
    there is a difference; somebody else's table is none.
    """
    missing = [thing for thing in expected.facts if thing not in found.facts]
    extra = [thing for thing in found.facts if thing not in expected.facts]
    lost = {thing.name for thing in missing if thing.kind == "table"}
    strange = {thing.name for thing in extra if thing.kind == "table"}
    missing = [thing for thing in missing if _counts(thing, lost) and thing.name not in ON_DEMAND]
    extra = [
        thing
        for thing in extra
        if _counts(thing, strange)
        and thing.kind != "extension"
        and (thing.kind != "table" or thing.name in of_history or thing.name.startswith("new__"))
    ]
    result = []
    for thing in list(missing):
        twins = [
            other
            for other in extra
            if (other.kind, other.table) == (thing.kind, thing.table)
            and thing.kind != "table"
            and found.facts[other] == expected.facts[thing]
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
    for thing in expected.facts.keys() & found.facts.keys():
        wanted, got = expected.facts[thing], found.facts[thing]
        if wanted != got:
            names = sorted(
                name for name in wanted.keys() | got.keys() if _differ(wanted, got, name)
            )
            attributes = {name: (wanted.get(name, ""), got.get(name, "")) for name in names}
            result.append(Difference("different", thing, attributes=attributes))
    return sorted(result, key=lambda difference: (difference.thing.table, difference.thing))


def compared(expected, found, of_history):
    """Return all ``differences``, and ``found`` with its renamed tables under their names.

    A renamed table is one that nobody knows, with exactly the columns of one that is missing.
    """
    missing = expected.tables - found.tables - ON_DEMAND
    strange = found.tables - expected.tables - of_history - ON_DEMAND - LEFT_BEHIND
    renamed = []
    for name in sorted(missing):
        columns = expected.of(name, "column")
        twins = [other for other in strange if _columns(found, other, name) == columns]
        rivals = [other for other in missing if _columns(expected, other, name) == columns]
        if len(twins) == len(rivals) == 1:
            [old] = twins
            things = (Thing("table", table, table) for table in (name, old))
            renamed.append(Difference("renamed", *things))
    for difference in renamed:
        found = found.with_table_called(difference.thing.name, difference.found.name)
    return [*renamed, *differences(expected, found, of_history)], found


def _columns(catalog, table, name):
    """Return the columns of ``table`` as they were if it were called ``name``."""
    return {
        Thing("column", name, thing.name): facts
        for thing, facts in catalog.of(table, "column").items()
    }


def _counts(thing, tables_of_one_side):
    """Tell whether a thing is to be named: not if all of its table is, nor a function by itself."""
    if thing.kind == "function":  # a trigger that calls it says it all
        return False
    return thing.kind == "table" or thing.table not in tables_of_one_side


def _differ(wanted, got, name):
    return wanted.get(name, "") != got.get(name, "")


def tables_of(loader):
    """Return the names of all tables that the history makes at some time."""
    names, of_models = set(), {}

    def look(operation, app):
        if isinstance(operation, SeparateDatabaseAndState):
            for part in (*operation.database_operations, *operation.state_operations):
                look(part, app)
        elif isinstance(operation, CreateModel):
            table = operation.options.get("db_table") or f"{app}_{operation.name.lower()}"
            of_models[app, operation.name.lower()] = table
            names.add(table)
            for name, made in operation.fields:
                if made.many_to_many:
                    names.add(made.db_table or f"{table}_{name}")
        elif isinstance(operation, AddField) and operation.field.many_to_many:
            table = of_models.get((app, operation.model_name_lower), app)
            names.add(operation.field.db_table or f"{table}_{operation.name}")
        elif isinstance(operation, AlterModelTable) and operation.table:
            names.add(operation.table)

    for (app, _), migration in sorted(loader.graph.nodes.items()):  # models come before fields
        for operation in migration.operations:
            look(operation, app)
    return names


def unwritten(loader):
    """Return the apps whose models have changes that no migration has, by name."""
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    return sorted(detector.changes(graph=loader.graph))


class Report:
    """What a database has, and what the migrations ``keys`` make of an empty one."""

    def __init__(self, connection, loader, keys):
        self.connection, self.loader, self.keys = connection, loader, keys
        self.replay = scratch.replay(connection, loader, keys)
        known = tables_of(loader)
        expected = self.replay.catalog
        bare, self.found = compared(expected, catalog.read(connection), known)
        self.strange = sorted(
            self.found.tables - expected.tables - known - ON_DEMAND - LEFT_BEHIND,
        )
        times, runs = history.times(connection), _runs(connection)

        def when(key):
            name = ".".join(key)
            at = f", applied {times[key]:%Y-%m-%d %H:%M} UTC" if key in times else ""
            return f"{name}{at}{f' in run {runs[key][:8]}' if key in runs else ''}"

        self.differences = [
            replace(difference, since=when(key)) if key else difference
            for difference in bare
            # Of what no migration makes, nobody knows since when it is there.
            for key in [difference.what != "extra" and self.replay.since(difference.thing)]
        ]

    @property
    def script(self):
        """Statements that would mend all differences, in an order in which they can run."""
        return repair.script(
            self.connection.vendor, self.differences, self.replay.catalog, self.found
        )


def _runs(connection):
    """Return the run that applied each migration last, as the journal has it."""
    rows = history.entries(
        connection, event=history.Event.FINISHED, direction=history.Direction.FORWARD
    )
    return {(row.app, row.name): str(row.run) for row in rows}


def in_order(graph, applied):
    """Return those of the applied migrations whose files are there, in the order of the graph."""
    there = set(applied)
    return [key for key in graph.order if key in there]


def sentences(found):
    """Yield, of what ``verbs.drift`` returned, the sentences that say that something is wrong."""
    for kind in ("models", "migrations", "interrupted"):
        yield from found[kind]
    for row in found["database"]:
        yield row["says"]
