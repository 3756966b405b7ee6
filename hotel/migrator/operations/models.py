"""Operations that make and drop tables, and lose no row."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.state import ProjectState

from hotel.migrator.operations.archiving import KeepsRows


class CreateModel(KeepsRows, django_operations.CreateModel):
    """``migrations.CreateModel``, whose reverse archives the rows before it drops the table.

    When the table is made again, the rows come back with their keys.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Make the table and give back the rows that were archived when it was dropped."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._give_back(app_label, schema_editor, model, "backward")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Archive the rows and drop the table."""
        model = from_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "backward")
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class DeleteModel(KeepsRows, django_operations.DeleteModel):
    """``migrations.DeleteModel``, which archives the rows before it drops the table."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Archive the rows and drop the table."""
        model = from_state.apps.get_model(app_label, self.name)
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
        """Make the table again and give back its rows."""
        super().database_backwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._give_back(app_label, schema_editor, model, "forward")
