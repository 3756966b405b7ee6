"""The operation that stands in a migration which is still to be written."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.operations.archiving import owner_of


class Unfinished(Operation):
    """Stands in a migration that ``db revision`` made until a developer has written the rest.

    what: is to be written. The file can be loaded and ``migrate`` refuses to run it, before the
    first statement: an empty migration that ran would be recorded, and its contents never run.
    """

    reversible = True
    reduces_to_sql = False
    category = OperationCategory.PYTHON

    def __init__(self, what: str) -> None:
        self.what = what

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Refuse to run. Preflight has done so already, where there is one."""
        name = owner_of(self, app_label).label
        raise self.refusal({name: self.what})

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Change nothing."""

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Still to be written: {self.what}"

    @staticmethod
    def refusal(unfinished: dict[str, str]) -> RefusedByPreflight:
        """Return the error about migrations that are to be written: ``{app.name: what}``."""
        names = ", ".join(f"{name} ({what})" for name, what in unfinished.items())
        one = len(unfinished) == 1
        return RefusedByPreflight(
            f"{names} {'is' if one else 'are'} not written yet: write {'it' if one else 'each'},"
            " delete the line that says Unfinished, and run the same command again. Nothing was"
            " changed."
        )
