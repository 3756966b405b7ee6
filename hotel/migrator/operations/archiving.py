"""What the operations of this package share: whose archive it is, the lock, the log line."""

import logging
import sys
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any, Literal, cast

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import strip_quotes
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED, AutoField, Expression, F, Field, Model, OuterRef, Value

from hotel.migrator.expressions import IsDistinctFrom
from hotel.migrator.locking import table_locks
from hotel.migrator.sql.parsing import elsewhere, is_elsewhere
from hotel.migrator.storage import tables
from hotel.migrator.storage.archive import Archive, writes_script
from hotel.migrator.storage.owners import Owner

logger = logging.getLogger(__name__)

Direction = Literal["forward", "backward"]


def owner_of(operation: Operation, app_label: str) -> Owner:
    """Return the migration that holds ``operation``, and its place there.

    Django does not tell an operation which migration it belongs to; the migration's module is
    loaded, or it could not run.
    """
    package, _ = MigrationLoader.migrations_module(app_label)
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{package}.") and hasattr(module, "Migration"):
            for index, candidate in enumerate(module.Migration.operations):
                if candidate is getattr(operation, "copy_of", operation):
                    return Owner(app_label, name.removeprefix(f"{package}."), index)
    raise RuntimeError(
        f"{operation.describe()!r} belongs to no migration of {app_label}: "
        f"list it in the operations of a migration in {package}."
    )


def archive_of(
    operation: Operation,
    app_label: str,
    schema_editor: BaseDatabaseSchemaEditor,
    direction: Direction,
) -> Archive:
    """Return the archive of ``operation`` in one direction, whose table is made if need be."""
    tables.ensure(schema_editor)
    owner = owner_of(operation, app_label).going(direction)
    return Archive(str(owner), schema_editor.connection.alias)


def log(owner: Owner, text: str) -> None:
    """Say what was done to the rows, in a line that names the migration."""
    line = "\n" if sys.stderr.isatty() else ""  # "Applying …" waits there for its OK
    logger.info("%s%s: %s", line, owner.label, text)


def lock(
    schema_editor: BaseDatabaseSchemaEditor, model: type[Model], mode: str = table_locks.EVERYBODY
) -> None:
    """Let nobody write to ``model`` between the archive's look and the drop (PostgreSQL).

    ACCESS EXCLUSIVE at once, because the DROP needs it anyway and raising a lock later deadlocks.
    SQLite has one writer; a script locks before it begins.
    """
    connection = schema_editor.connection
    if not writes_script(connection):
        name = model._meta.db_table
        name = elsewhere(name) if is_elsewhere(name) else strip_quotes(name)
        table_locks.take(connection, {name: mode})


# What sqlmigrate prints where rows are archived, which is not printed as SQL.
ARCHIVED_FIRST = "-- what is dropped here, migrate archives first"


def reset_sequences(
    schema_editor: BaseDatabaseSchemaEditor, restored: Iterable[type[Model]]
) -> None:
    """Let the next new row get a key above the restored ones.

    Never one that was given before: others may be inserting into a table that stood all along.
    SQLite sees to both by itself.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    quote = schema_editor.quote_name
    for model in restored:
        if isinstance(model._meta.pk, AutoField):
            column = cast(str, model._meta.pk.column)
            table, key = quote(model._meta.db_table), quote(column)
            schema_editor.execute(
                f"SELECT setval(s, greatest((SELECT max({key}) FROM {table}),"
                " pg_sequence_last_value(s)))"
                " FROM CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS s",
                (table, column),
            )


def field_of(model: type[Model], name: str) -> "Field[Any, Any]":
    """Return the field of that name, which is none of another model that refers to this one."""
    return cast("Field[Any, Any]", model._meta.get_field(name))


def column_of(model: type[Model], name: str) -> str:
    """Return the column of a field that has one."""
    return cast(str, field_of(model, name).column)


def through_of(field: "Field[Any, Any]") -> type[Model]:
    """Return the model of the table that a many-to-many ``field`` has its rows in."""
    return cast("type[Model]", cast(Any, field.remote_field).through)


def blank(field: "Field[Any, Any]") -> Expression:
    """Return what the database puts into a new column of ``field`` by itself."""
    if not field.has_db_default():
        return Value(None)
    return cast(Expression, field._db_default_expression)  # type: ignore[attr-defined]  # Django's own


class KeepsRows(Operation):
    """Archive and give back the rows of a model and of its many-to-many tables."""

    def _tables(self, model: type[Model]) -> list[type[Model]]:
        through = map(through_of, model._meta.local_many_to_many)
        return [model, *(joining for joining in through if joining._meta.auto_created)]

    def _save(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[Model],
        direction: Direction,
    ) -> None:
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(ARCHIVED_FIRST)
            return
        archive = archive_of(self, app_label, schema_editor, direction)
        for kept in self._tables(model):
            lock(schema_editor, kept)
            archive.save_rows(kept._base_manager.using(archive.alias))

    def _give_back(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[Model],
        direction: Direction,
    ) -> None:
        if schema_editor.collect_sql:
            return
        connection = schema_editor.connection
        if not tables.exists(connection, tables.ArchivedValue):
            return
        archive = archive_of(self, app_label, schema_editor, direction)
        if archive.is_empty():
            return
        for kept in self._tables(model):
            archive.restore_rows(kept)
        reset_sequences(schema_editor, self._tables(model))


class KeepsColumn(Operation):
    """Archive and give back one column, or the rows of a many-to-many table."""

    name: str
    refill: tuple[str, Callable[[Any], Any]] | None = None

    def _save(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[Model],
        direction: Direction,
    ) -> None:
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(ARCHIVED_FIRST)
            return
        archive = archive_of(self, app_label, schema_editor, direction)
        field = field_of(model, self.name)
        if field.generated:
            return  # the database computes it again
        if field.many_to_many:
            through = through_of(field)
            lock(schema_editor, through)
            archive.save_rows(through._base_manager.using(archive.alias))
            return
        lock(schema_editor, model)
        rows = model._base_manager.using(archive.alias)
        if self.refill:
            source, rule = self.refill
            rows = rows.filter(IsDistinctFrom(rule(F(source)), F(field.attname)))
            archive.save(rows, field.column, F(field.attname), became=F(source))
        else:
            rows = rows.filter(IsDistinctFrom(F(field.attname), blank(field)))
            archive.save(rows, field.column, F(field.attname))

    def _add(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        without: type[Model],
        model: type[Model],
        direction: Direction,
    ) -> None:
        """Add the column to ``without``, which makes it ``model``, and give back its values.

        A required column that has no default is nullable until they are there.
        """
        field = added = field_of(model, self.name)
        is_filled = field.null or field.many_to_many or field.generated or field.has_db_default()
        is_given_back = self.refill or not (
            schema_editor.collect_sql
            or archive_of(self, app_label, schema_editor, direction).is_empty()
        )
        default = schema_editor.effective_default(field)
        if is_given_back and not is_filled and (default is None or field.unique):
            added = copy(field)  # a clone would not know the model that a foreign key points to
            added.null = True
            added.default = NOT_PROVIDED  # one for all rows would not be unique
        schema_editor.add_field(without, added)
        self._give_back(app_label, schema_editor, model, direction)
        if added is not field:
            schema_editor.alter_field(model, added, field)

    def _give_back(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[Model],
        direction: Direction,
    ) -> None:
        if schema_editor.collect_sql:
            return
        connection = schema_editor.connection
        archive = archive_of(self, app_label, schema_editor, direction)
        field = field_of(model, self.name)
        if field.generated:
            return
        if field.many_to_many:
            if not archive.is_empty():
                through = through_of(field)
                archive.restore_rows(through)
                reset_sequences(schema_editor, [through])
            return
        rows = model._base_manager.using(connection.alias)
        if self.refill:
            source, rule = self.refill
            value = rule(F(source))
            if not archive.is_empty():
                value = archive.given_back(field, value, unless_changed=OuterRef(source))
            rows.update(**{field.attname: value})
        elif not archive.is_empty():
            rows = archive.kept(rows, field)
            rows.update(**{field.attname: archive.given_back(field, F(field.attname))})
        if connection.vendor == "postgresql" and not archive.is_empty():
            # A row that is updated twice waits for its foreign keys to be checked, and no table is
            # altered that rows wait for: the next column of the migration could not be added.
            schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        archive.forget()
