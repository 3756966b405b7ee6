"""The operation that creates an extension of PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.operations import CreateExtension
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddExtension(CreateExtension):
    """``CREATE EXTENSION`` on PostgreSQL, nothing on SQLite.

    On the way down it stays: it belongs to the database, and others may use it by then.
    """

    reentrant = True

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.name], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Add extension {self.name}"

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Leave it."""
