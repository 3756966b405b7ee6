"""Operations that add and drop columns, and lose no value."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Exists, Max, Model, OuterRef

from hotel.migrator.expressions import AsText
from hotel.migrator.operations.archiving import KeepsColumn, field_of, log, owner_of
from hotel.migrator.storage import tables
from hotel.migrator.storage.archive import Archive, writes_script
from hotel.migrator.storage.keys import key_of
from hotel.migrator.storage.owners import Owner


class AddField(KeepsColumn, django_operations.AddField):
    """``migrations.AddField``, whose reverse archives the column before it drops it.

    When the column is added again, each row gets its value back. Values that the new column has by
    itself (NULL, or its database default) need no archive.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the column and give back the values that were archived when it was dropped."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if self.preserve_default:
            without = from_state.apps.get_model(app_label, self.model_name)
            self._add(app_label, schema_editor, without, model, "backward")
            self._tell_what_changed(app_label, schema_editor, model)
        else:  # the rows that have no value in the archive get the default of this once
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            self._give_back(app_label, schema_editor, model, "backward")

    def _replaces(self, owner: Owner) -> bool:
        """Tell whether the migration ``owner`` has dropped a column of this name before."""
        package, _ = MigrationLoader.migrations_module(owner.app)
        return any(
            isinstance(operation, django_operations.RemoveField)
            and operation.is_same_field_operation(self)
            for operation in import_module(f"{package}.{owner.name}").Migration.operations
        )

    def _tell_what_changed(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]
    ) -> None:
        """Say how many rows a column that is computed now has other values in than were stored.

        Those were archived when the plain column of that name was dropped; NULL is not archived.
        """
        connection, field = schema_editor.connection, field_of(model, self.name)
        is_run = not (schema_editor.collect_sql or writes_script(connection))
        if not (field.generated and is_run and tables.exists(connection, tables.ArchivedValue)):
            return
        stored = tables.ArchivedValue._base_manager.using(connection.alias).filter(
            table_name=model._meta.db_table,
            column_name=field.column,
            owner__startswith=f"{app_label}.",
            owner__endswith=" forward",
        )
        owner = owner_of(self, app_label)
        last = stored.aggregate(owner=Max("owner"))["owner"]
        if last is None and not self._replaces(owner):
            return
        of_row = stored.filter(owner=last, row_key=key_of(model, OuterRef))
        archive = Archive(last, connection.alias)
        archive.respell_keys(model)
        archive.analyze()
        rows = model._base_manager.using(connection.alias)
        empty = rows.exclude(Exists(of_row)).count()
        differing = rows.filter(Exists(of_row.exclude(original=AsText(OuterRef(field.attname)))))
        number = differing.count()
        if number or empty:
            shown = ", ".join(map(str, differing.order_by("pk").values_list("pk", flat=True)[:5]))
            keys = f" (id {shown}{' …' if number > 5 else ''})" if number else ""
            log(
                owner,
                f"{field.column} computed by the database: changed {number}{keys}, filled {empty};"
                " what was stored is in migrator_archive",
            )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Archive the column and drop it."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "backward")
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveField(KeepsColumn, django_operations.RemoveField):
    """``migrations.RemoveField``, which archives the column before it drops it.

    refill: ``(other_field, rule)``. On the way down the column is computed by
    ``rule(F(other_field))``, an expression; only the values that the rule would not give are
    archived, and each comes back if its row's ``other_field`` is still what it was. A row born
    since gets what the rule says.
    """

    def __init__(
        self,
        model_name: str,
        name: str,
        refill: tuple[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        super().__init__(model_name, name)
        self.refill = refill

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, **({"refill": self.refill} if self.refill else {})}

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Archive the column and drop it."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "forward")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the column again, nullable until it is filled, and give back its values."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        without = from_state.apps.get_model(app_label, self.model_name)
        self._add(app_label, schema_editor, without, model, "forward")
