"""The operation that makes a column NOT NULL while others write."""

from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.state import ProjectState
from django.db.models import F, Field, OuterRef, QuerySet

from hotel.migrator.expressions import FromText
from hotel.migrator.locking import table_locks
from hotel.migrator.operations.archiving import archive_of, column_of, field_of, lock, owner_of
from hotel.migrator.operations.batched import backfill_of
from hotel.migrator.storage import tables
from hotel.migrator.storage.batches import Batches


class RequireField(django_operations.AlterField):
    """``migrations.AlterField`` to NOT NULL for a column that a backfill has filled.

    backfill: the name of the migration that filled it; rows written since are filled by the same
    rule.

    On PostgreSQL nobody waits: a CHECK is added NOT VALID, late rows are filled, the CHECK is
    validated while others read and write, and then proves SET NOT NULL without a scan. On SQLite
    the table is rebuilt in one transaction. The migration must say ``atomic = False``; killed at
    any moment, it can be run again.
    """

    reentrant = True

    def __init__(
        self,
        model_name: str,
        name: str,
        field: "Field[Any, Any]",
        backfill: str,
        preserve_default: bool = True,
    ) -> None:
        super().__init__(model_name, name, field, preserve_default)
        self.backfill = backfill

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, "backfill": self.backfill}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Require {self.name} of {self.model_name}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Fill late rows and make the column NOT NULL."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        if schema_editor.collect_sql:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if schema_editor.atomic_migration:
            raise RuntimeError(
                f"{owner_of(self, app_label)} requires a column step by step: "
                "write atomic = False into its Migration."
            )
        field = field_of(model, self.name)
        old = field_of(from_state.apps.get_model(app_label, self.model_name), self.name)
        if cast(Any, schema_editor)._field_should_be_altered(
            old, field, ignore={"null", "default", "db_default"}
        ):
            raise RuntimeError(
                f"{owner_of(self, app_label)} changes more than NULL and the default of"
                f" {self.name}: write an AlterField for the rest into a migration of its own."
            )
        tables.ensure(schema_editor)
        if connection.vendor != "postgresql":
            with transaction.atomic(connection.alias):
                self._fill(app_label, schema_editor, from_state)
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        table = schema_editor.quote_name(model._meta.db_table)
        column = schema_editor.quote_name(column_of(model, self.name))
        check = schema_editor.quote_name(f"{model._meta.db_table}_{field.column}_required"[:63])
        alter = f"ALTER TABLE {table}"
        self._fill(app_label, schema_editor, from_state)
        with transaction.atomic(connection.alias):
            lock(schema_editor, model)
            schema_editor.execute(f"{alter} DROP CONSTRAINT IF EXISTS {check}")
            if field.has_db_default():
                default, params = schema_editor.db_default_sql(field)
                schema_editor.execute(
                    f"{alter} ALTER COLUMN {column} SET DEFAULT {default}", params or None
                )
            elif old.has_db_default():
                schema_editor.execute(f"{alter} ALTER COLUMN {column} DROP DEFAULT")
            schema_editor.execute(
                f"{alter} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
            )
        self._fill(app_label, schema_editor, from_state)
        with transaction.atomic(connection.alias):
            lock(schema_editor, model, table_locks.MAINTENANCE)
            schema_editor.execute(f"{alter} VALIDATE CONSTRAINT {check}")
        with transaction.atomic(connection.alias):
            lock(schema_editor, model)
            schema_editor.execute(f"{alter} ALTER COLUMN {column} SET NOT NULL")
            schema_editor.execute(f"{alter} DROP CONSTRAINT {check}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Let the column be NULL again and give the late rows their NULL back."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        with transaction.atomic(connection.alias):
            # Django's reverse of AlterField is its forward with the states the other way round.
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            if schema_editor.collect_sql:
                return
            field = field_of(model, self.name)
            archive = archive_of(self, app_label, schema_editor, "forward")
            if not archive.is_empty():
                rows = archive.kept(model._base_manager.using(connection.alias), field)
                old = archive.given_back(
                    field, F(field.attname), unless_changed=OuterRef(field.attname)
                )
                rows.update(**{field.attname: old})
                archive.forget()

    def _fill(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> None:
        """Fill the rows that were written with NULL since the backfill, a batch a transaction."""
        state.clear_delayed_apps_cache()
        alias = schema_editor.connection.alias
        model = state.apps.get_model(app_label, self.model_name)
        field = field_of(model, self.name)
        rule = backfill_of(app_label, self.backfill, self.model_name, self.name)
        new = FromText(rule.code(state.apps, F(rule.source)), field)
        archive = archive_of(self, app_label, schema_editor, "forward")

        def fill(rows: QuerySet[Any]) -> tuple[int, int]:
            late = rows.filter(**{f"{field.name}__isnull": True})
            archived = archive.save(late, field.column, F(field.attname), became=new)
            return late.update(**{field.attname: new}), archived

        late = model._base_manager.using(alias).filter(**{f"{field.name}__isnull": True})
        Batches(archive.owner, None, late, alias, resumable=False).run(fill)
