"""The rule that rows are inserted and never changed, and what rules that are triggers share."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Model
from django.db.models.constraints import BaseConstraint

# Made with the first ``AppendOnly`` on PostgreSQL, and kept.
KEEP_ROWS = """\
CREATE OR REPLACE FUNCTION migrator_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' are never changed or deleted',
        CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END
$$"""


class Triggers(BaseConstraint):
    """A rule that is held by triggers alone: one of its name on PostgreSQL, several on SQLite.

    Only who may alter the table can take the triggers away that hold it. PostgreSQL's TRUNCATE,
    which takes a right of its own, passes them by.
    """

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return nothing for CREATE TABLE: triggers follow it, and every rebuild of the table."""
        schema_editor.deferred_sql.extend(self.trigger_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Let the triggers be made (PostgreSQL)."""
        return self.constraint_sql(model, schema_editor)

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        raise NotImplementedError

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that drops the trigger (PostgreSQL)."""
        return Statement(
            "DROP TRIGGER %(name)s ON %(table)s",
            name=schema_editor.quote_name(self.name),
            table=Table(model._meta.db_table, schema_editor.quote_name),
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Triggers):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented


class AppendOnly(Triggers):
    """Rows are inserted and never changed or deleted afterwards, whoever writes."""

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        table = Table(model._meta.db_table, schema_editor.quote_name)
        if schema_editor.connection.vendor == "postgresql":
            trigger = "CREATE TRIGGER %(name)s BEFORE UPDATE OR DELETE ON %(table)s" + (
                " FOR EACH ROW EXECUTE FUNCTION migrator_append_only()"
            )
            name = schema_editor.quote_name(self.name)
            return [KEEP_ROWS, Statement(trigger, name=name, table=table)]
        # REPLACE deletes a row of the same key without a word, and is an INSERT.
        key = schema_editor.quote_name(model._meta.pk.column)
        again = "WHEN EXISTS (SELECT 1 FROM %(table)s WHERE %(key)s = NEW.%(key)s)"
        return [
            Statement(
                f"CREATE TRIGGER %(name)s BEFORE {event} ON %(table)s {when}"
                f" BEGIN SELECT RAISE(ABORT, '{self.name}'); END",
                name=schema_editor.quote_name(f"{self.name}_{event.lower()}"),
                table=table,
                key=key,
            )
            for event, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", again))
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError if ``instance`` is a row that stands."""
        if not instance._state.adding:
            raise ValidationError(self.get_violation_error_message())
