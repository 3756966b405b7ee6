"""Operations on rows that are parts of others (``hotel.migrator.constraints.HasParts``)."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

from hotel.migrator.constraints import HasParts


class AlignParts(Operation):
    """Let parts agree with what was written of their rows while nothing let them follow.

    That is what an older release wrote between the way down and the way up: parts come back from
    the archive as they were. A row without a part gets one. The rule must be in the model's
    ``constraints`` already: from then on nobody gets out of step, and none is missed here. There is
    nothing to take back: on the way down the parts stay.

    model_name: of the rows that have parts. rule: the name of the ``HasParts``.
    """

    reduces_to_sql = True
    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, rule: str) -> None:
        self.model_name = model_name
        self.rule = rule

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.rule], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Let the parts of {self.model_name} follow what was written meanwhile"

    def references_model(self, name: str, app_label: str) -> bool:
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: only rows are written."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Write the parts that do not agree."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        rules: dict[str, Any] = {rule.name: rule for rule in model._meta.constraints}
        rule: HasParts = rules[self.rule]
        for sql in rule.align_sql(schema_editor):
            schema_editor.execute(sql, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Leave the parts as they are."""
