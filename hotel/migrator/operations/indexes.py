"""Operations that make and drop indexes while others read and write."""

from typing import TYPE_CHECKING, cast

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.state import ProjectState
from django.db.models import Index, Model

from hotel.migrator.exceptions import RefusedByPreflight

if TYPE_CHECKING:
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor

# What to do instead of CONCURRENTLY.
ON_PARTITIONS = (
    "Take migrations.AddIndex and RemoveIndex, for which its writers wait; or make it with"
    " migrations.RunSQL: CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each"
    " partition, and ALTER INDEX … ATTACH PARTITION for each"
)


class Online:
    """Make and drop an index while others read and write, and go on after a kill.

    On PostgreSQL CONCURRENTLY, which no transaction may hold: the migration must say
    ``atomic = False``. What a failed attempt left behind, PostgreSQL marks as invalid; it is
    dropped and made anew. SQLite has one writer, who waits.
    """

    reentrant = True

    def _create(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model], index: Index
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            if not self._stands(schema_editor, index):
                schema_editor.add_index(model, index)
            return
        editor = cast("DatabaseSchemaEditor", schema_editor)
        self._refuse_transaction(schema_editor, index)
        self._refuse_partitioned(schema_editor, model)
        stands = self._stands(schema_editor, index)
        if stands is False:
            self._drop(schema_editor, model, index)
        if not stands:
            editor.add_index(model, index, concurrently=True)

    def _drop(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model], index: Index
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            if self._stands(schema_editor, index) or schema_editor.collect_sql:
                schema_editor.remove_index(model, index)
            return
        self._refuse_transaction(schema_editor, index)
        self._refuse_partitioned(schema_editor, model)
        if self._stands(schema_editor, index) is not None or schema_editor.collect_sql:
            editor = cast("DatabaseSchemaEditor", schema_editor)
            editor.remove_index(model, index, concurrently=True)

    def _refuse_transaction(self, schema_editor: BaseDatabaseSchemaEditor, index: Index) -> None:
        if schema_editor.atomic_migration and not schema_editor.collect_sql:
            raise RuntimeError(
                f"{index.name} is made or dropped while others read and write: "
                "write atomic = False into its Migration."
            )

    def _refuse_partitioned(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]
    ) -> None:
        if schema_editor.collect_sql:
            return
        table = model._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)",
                [schema_editor.quote_name(table)],
            )
            if cursor.fetchone() == (True,):
                raise RefusedByPreflight(
                    f"the indexes of {table}, a partitioned table, are neither made nor dropped"
                    f" CONCURRENTLY. {ON_PARTITIONS}."
                )

    def _stands(self, schema_editor: BaseDatabaseSchemaEditor, index: Index) -> bool | None:
        """Return None for no such index, or whether it is valid."""
        if schema_editor.collect_sql:
            return None
        with schema_editor.connection.cursor() as cursor:
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT indisvalid FROM pg_index"
                    " WHERE indexrelid = to_regclass(quote_ident(%s))",
                    [index.name],
                )
            else:
                cursor.execute(
                    "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = %s", [index.name]
                )
            row = cursor.fetchone()
        return bool(row[0]) if row else None


class AddIndex(Online, django_operations.AddIndex):
    """``migrations.AddIndex``, for which nobody waits on PostgreSQL."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Make the index, unless it stands."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._create(schema_editor, model, self.index)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the index, if it stands."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._drop(schema_editor, model, self.index)


class RemoveIndex(Online, django_operations.RemoveIndex):
    """``migrations.RemoveIndex``, for which nobody waits on PostgreSQL."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the index, if it stands."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            self._drop(schema_editor, model, index)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Make the index again, unless it stands."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            self._create(schema_editor, model, index)
