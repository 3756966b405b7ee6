"""The operation that gives instants a time zone."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState
from django.db.models import DateTimeField


class MakeAware(Operation):
    """Turn ``NaiveUTCDateTimeField`` columns of a model into Django's ``DateTimeField``.

    Instead of an ``AlterField`` for each. Every instant stays what it is, whatever zone the session
    or the server has, on the way up and on the way down. On PostgreSQL no row is rewritten: in UTC
    both types hold the same bytes. On SQLite nothing is done: both fields write the same text.
    """

    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, *names: Any) -> None:
        self.model_name = model_name
        self.names = names

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, *self.names], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Give {', '.join(self.names)} of {self.model_name} a time zone"

    def references_model(self, name: str, app_label: str) -> bool:
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change the fields of the model, whose other attributes stay."""
        key = app_label, self.model_name.lower()
        fields = state.models[key].fields
        for name in self.names:
            _, _, args, kwargs = fields[name].deconstruct()
            fields[name] = DateTimeField(*args, **kwargs)
        state.reload_model(*key, delay=True)  # once: Django's alter_field does it for each field

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Change the types of the columns, read in UTC."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        before = from_state.apps.get_model(app_label, self.model_name)
        with transaction.atomic(connection.alias):  # SET LOCAL is nothing outside a transaction
            schema_editor.execute("SET LOCAL TIME ZONE 'UTC'")
            for name in self.names:
                schema_editor.alter_field(
                    before, before._meta.get_field(name), model._meta.get_field(name)
                )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Give the columns their type without zone again, written in UTC."""
        self.database_forwards(app_label, schema_editor, from_state, to_state)
