"""What another system's database looks like, and whether a live one is of that kind.

A project declares its predecessor once, as a ``Legacy``. A database is recognised by its catalog:
columns, their types, keys and references, never by the names of its tables alone.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from hotel.migrator.schema.catalog import Catalog

# The rules by which rows may change.
ABSENT, ORPHAN_REFERENCE, ORPHAN_ROW = "absent", "orphan reference", "orphan row"
STAND_IN = "stand-in"


@dataclass(frozen=True)
class Table:
    """A table of the legacy system.

    becomes: the table of this history that takes its rows. columns: their names, separated by
    blanks; ``old=new`` where this history calls one otherwise. Its key is ``id``. The type of each
    is that of the column it becomes.
    """

    becomes: str
    columns: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The names of each column here and in this history."""
        words = [word.partition("=") for word in self.columns.split()]
        return [(old, new or old) for old, _, new in words]


@dataclass(frozen=True)
class Shape:
    """One of the forms that databases of the legacy system have.

    has, lacks: ``table`` or ``table.column``, by which it is told from the others. generated:
    columns that the database computes.
    """

    name: str
    says: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stranger:
    """A kind of database that is known and not taken over, and why."""

    name: str
    marks: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class StandIn:
    """The row that is made for one that is not there, so that what refers to it stays whole.

    values: by column, as the legacy table calls it; ``{id}`` in a text becomes the key that is
    missing. name: the column whose text must be unique, whatever its case.
    """

    name: str
    values: dict[str, str]


@dataclass(frozen=True)
class Legacy:
    """The system whose databases this project takes over.

    point: the migrations that are recorded; what they need is recorded too. optional: tables and
    columns that some shapes lack. generated: columns that the database may compute. kept: columns
    that no model here has. beside: ``{table: what it is}`` of tables that no model here has.
    computed: tables of this history that are computed of others, whose rows are nobody's work.
    stand_ins: ``{table: StandIn}`` of those whose rows others can do without.
    accepted: ``{rule: sentence}`` of the changes that may be made to its rows. changed: the column
    that tells when a row was last written. aside: the schema that takes its tables on PostgreSQL,
    and how their names begin on SQLite.
    """

    says: str
    point: tuple[tuple[str, str], ...]
    tables: dict[str, Table]
    shapes: tuple[Shape, ...]
    optional: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    beside: dict[str, str] = field(default_factory=dict)
    strangers: tuple[Stranger, ...] = ()
    computed: frozenset[str] = frozenset()
    stand_ins: dict[str, StandIn] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    changed: str = ""
    aside: str = "legacy"


@dataclass(frozen=True)
class Recognised:
    """What a live database has of the legacy system; with ``differences`` it is no known shape."""

    shape: str
    says: str
    differences: list[str]
    remarks: list[str]
    absent: list[str]  # tables and columns that this shape lacks
    tables: dict[str, list[tuple[str, str]]]  # the columns to be carried, here and in this history
    beside: list[str]  # tables that are kept aside and not copied
    kept: list[str]  # columns that are

    @property
    def moved(self) -> list[str]:
        """All tables that are moved aside."""
        return [*self.tables, *self.beside]


# Two spellings of one type; the catalogs of both engines, and Django's names for columns.
_SPELLINGS = {
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
    "datetime": "timestamp",
    "boolean": "bool",
    "decimal": "numeric",
}


def kind(declared: str, vendor: str) -> str:
    """Return a column's type so that two spellings of it are the same.

    SQLite keeps no precision of decimals, and Django writes none there.
    """
    text = " ".join(declared.lower().split())
    for spelled, meant in _SPELLINGS.items():
        text = re.sub(rf"\b{spelled}\b", meant, text)
    text = re.sub(r"\bint\b", "integer", text.replace(" ", ""))
    return re.sub(r"^numeric\(.*\)", "numeric", text) if vendor == "sqlite" else text


def stranger(legacy: Legacy, live: Catalog) -> Stranger | None:
    """Return the ``Stranger`` that a catalog is of, or None."""
    there = _names(live)
    return next((one for one in legacy.strangers if there & set(one.marks)), None)


def recognise(
    legacy: Legacy,
    live: Catalog,
    models: dict[str, type[Model]],
    connection: BaseDatabaseWrapper,
    known: Collection[str] = (),
) -> Recognised:
    """Return what a ``Catalog`` is of: a ``Recognised``.

    models: ``{table: model}`` of this history at ``legacy.point``. known: tables that may stand
    beside those of the legacy system, being the migrator's own.
    """
    there = _names(live)
    differences: list[str] = []
    absent: list[str] = []
    carried: dict[str, list[tuple[str, str]]] = {}
    for name, table in legacy.tables.items():
        if name not in live.tables:
            if name in legacy.optional:
                absent.append(name)
            else:
                differences.append(f"The table {name} is missing.")
            continue
        model = models[table.becomes]
        of_table, missing = _columns(legacy, live, name, table, model, connection)
        differences += of_table
        absent += missing
        carried[name] = [pair for pair in table.pairs if pair[0] in live.columns[name]]
    for name in sorted(live.tables - legacy.tables.keys() - legacy.beside.keys() - set(known)):
        differences.append(f"The table {name} is not one of {legacy.says}.")
    for thing in live.facts:
        if thing.kind == "trigger" and thing.table in legacy.tables:
            differences.append(f"The {thing} is not known.")
    shape = _shape(legacy, live, there)
    return Recognised(
        shape=shape.name if shape else "mixture",
        says=(
            f"It is of shape {shape.name} of {legacy.says}: {shape.says}."
            if shape
            else f"It is a mixture of the shapes of {legacy.says}."
        ),
        differences=differences,
        remarks=_remarks(legacy, live),
        absent=absent,
        tables=carried,
        beside=sorted(live.tables & legacy.beside.keys()),
        kept=sorted(there & legacy.kept),
    )


def _names(live: Catalog) -> set[str]:
    columns = {f"{thing.table}.{thing.name}" for thing in live.facts if thing.kind == "column"}
    return columns | set(live.tables)


def _columns(
    legacy: Legacy,
    live: Catalog,
    name: str,
    table: Table,
    model: type[Model],
    connection: BaseDatabaseWrapper,
) -> tuple[list[str], list[str]]:
    """Return how the columns of a table differ from what they should be, and which are absent."""
    wanted = {str(one.column): one for one in model._meta.local_concrete_fields}
    vendor = connection.vendor
    pairs = dict(table.pairs)
    differences, absent = [], []
    columns = {thing.name: facts for thing, facts in live.of(name, "column").items()}
    for old, new in pairs.items():
        full = f"{name}.{old}"
        if old not in columns:
            if full in legacy.optional:
                absent.append(full)
            else:
                differences.append(f"The column {full} is missing.")
            continue
        facts = columns[old]
        is_of, should_be = (
            kind(facts["type"], vendor),
            kind(wanted[new].db_type(connection) or "", vendor),
        )
        if is_of != should_be:
            differences.append(f"The column {full} is {facts['type']} instead of {should_be}.")
        if facts.get("generated") and full not in legacy.generated:
            differences.append(f"The column {full} is computed by the database.")
    for extra in columns.keys() - pairs.keys():
        if f"{name}.{extra}" not in legacy.kept:
            differences.append(
                f"The column {name}.{extra} ({columns[extra]['type']}) is not one of {legacy.says}."
            )
    definitions = [facts.get("definition", "") for facts in live.of(name, "constraint").values()]
    if not any(text.startswith("primary key ( id") for text in definitions):
        differences.append(f"The table {name} has no primary key on id.")
    if live.facts[next(iter(live.of(name, "table")))].get("partitioned"):
        differences.append(f"The table {name} is partitioned.")
    differences += _wrong_references(legacy, live, name, wanted)
    return sorted(differences), absent


def _wrong_references(
    legacy: Legacy, live: Catalog, name: str, wanted: "dict[str, Field[Any, Any]]"
) -> Iterator[str]:
    """Yield the references of a table that lead elsewhere than they should."""
    pairs = dict(legacy.tables[name].pairs)
    becomes = {old: table.becomes for old, table in legacy.tables.items()}
    for column, parent in _references(live, name):
        one = wanted.get(pairs.get(column, ""))
        to = "no table"
        if one is not None and one.is_relation:
            to = cast("type[Model]", one.related_model)._meta.db_table
        if column in pairs and becomes.get(parent) != to:
            yield f"The column {name}.{column} refers to {parent} instead of {to}."


def _references(live: Catalog, name: str) -> Iterator[tuple[str, str]]:
    """Return the column and the table of each foreign key of a table."""
    for facts in live.of(name, "foreign key").values():
        match = re.match(r"foreign key \( (\S+) \) references (\S+)", facts["definition"])
        if match:
            yield match[1].strip('"'), match[2].strip('"')


def _shape(legacy: Legacy, live: Catalog, there: set[str]) -> Shape | None:
    computed = {
        f"{thing.table}.{thing.name}"
        for thing, facts in live.facts.items()
        if thing.kind == "column" and facts.get("generated")
    }
    for shape in legacy.shapes:
        is_it = there >= set(shape.has) and not there & set(shape.lacks)
        if is_it and computed >= set(shape.generated):
            return shape
    return None


def _remarks(legacy: Legacy, live: Catalog) -> list[str]:
    """Return what is said of a shape and does not hinder: things that are there twice."""
    indexes: Counter[tuple[str, str]] = Counter()
    references: Counter[tuple[str, ...]] = Counter()
    for thing, facts in live.facts.items():
        if thing.kind == "index" and thing.table in legacy.tables:
            indexes[thing.table, re.sub(r"\bunique ", "", facts["definition"])] += 1
    for name in legacy.tables.keys() & live.tables:
        references.update((name, *pair) for pair in _references(live, name))
    remarks = []
    for counted, one, many in (
        (indexes, "index is", "indexes are"),
        (references, "foreign key is", "foreign keys are"),
    ):
        twice = sum(number - 1 for number in counted.values())
        if twice:
            remarks.append(f"{twice} {one if twice == 1 else many} there twice; one remains.")
    return remarks
