"""What of an initial migration the database has already, for ``migrate --fake-initial``.

Django looks for the tables of new models and for the columns of new fields, and takes the rest for
granted: a table that lacks a column would be recorded as it should be.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.operations import AddField, CreateModel, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import StateApps
from django.db.models import Model

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.storage.tables import columns_of

SHOWN = 10  # tables and columns that a refusal names


class InPart(RefusedByPreflight, DatabaseError):
    """A part of it is there. Django raises a DatabaseError when it comes to what is missing."""


def refuse_a_part(connection: BaseDatabaseWrapper, migration: Migration, apps: StateApps) -> None:
    """Raise InPart if the tables that an initial migration makes lack a part of it.

    apps: the models as they are after it. Without the table of a model Django runs the migration,
    and that says then which of the others is there.
    """
    there: list[str] = []
    lacking: list[str] = []
    columns = _Columns(connection)
    for model, fields, is_new in _made(migration, apps, connection.alias):
        table = model._meta.db_table
        known = columns.of(table)
        if known is None:
            return
        if is_new:
            there.append(table)
        for field in fields:
            through = field.remote_field.through if field.many_to_many else None
            if through is not None:
                if not through._meta.auto_created:
                    continue  # a model of its own
                name = through._meta.db_table
                if columns.of(name) is None:
                    lacking.append(f"the table {name}")
                else:
                    there.append(name)
            elif field.column:
                where = f"{table}.{field.column}"
                if columns.same(field.column) not in known:
                    lacking.append(f"the column {where}")
                elif not is_new:
                    there.append(where)
    if not (there and lacking):
        return
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    raise InPart(
        f"{migration} exists only in part: the database has {there[0]}, and lacks"
        f" {', '.join(lacking[:SHOWN])}{more}. It was neither recorded nor run: make what is"
        " missing, or drop what is there if nobody needs its rows, then run the same command again."
    )


def _made(
    migration: Migration, apps: StateApps, alias: str
) -> Iterator[tuple[type[Model], list[Any], bool]]:
    """Yield each model that the migration makes or extends, with the fields and whether it is new.

    Those that it leaves to others (proxies, unmanaged, swapped, another database) are left out.
    """
    for operation in _flat(migration.operations):
        is_new = isinstance(operation, CreateModel)
        name = operation.name if isinstance(operation, CreateModel) else operation.model_name
        try:
            model = apps.get_model(migration.app_label, name)
        except LookupError:  # a later operation renames or deletes it
            continue
        meta = model._meta
        if meta.proxy or not meta.managed or meta.swapped:
            continue
        if not operation.allow_migrate_model(alias, model):
            continue
        names = [operation.name]
        if isinstance(operation, CreateModel):
            names = [name for name, _ in operation.fields]
        known = {field.name: field for field in (*meta.local_fields, *meta.local_many_to_many)}
        yield model, [known[name] for name in names if name in known], is_new


def _flat(operations: Iterable[Operation]) -> Iterator[CreateModel | AddField]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        elif isinstance(operation, CreateModel | AddField):
            yield operation


class _Columns:
    """The tables of a database and their columns, looked up once."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.folds = connection.features.ignores_table_name_case
        with connection.cursor() as cursor:
            names = connection.introspection.table_names(cursor)
        self.tables = {self.same(name): name for name in names}
        self.known: dict[str, set[str]] = {}

    def same(self, name: str) -> str:
        """Return a name so that two are equal if the engine takes them for the same."""
        return name.lower() if self.folds else name

    def of(self, table: str) -> set[str] | None:
        """Return the columns of a table, None if there is none."""
        key = self.same(table.strip('"'))
        if key not in self.tables:
            return None
        if key not in self.known:
            columns = columns_of(self.connection, self.tables[key])
            self.known[key] = {self.same(name) for name in columns}
        return self.known[key]
