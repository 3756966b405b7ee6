"""The rule that rows are never deleted, and that some of their columns never change."""

from collections.abc import Sequence
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Model

from hotel.migrator.constraints.append_only import AppendOnly

# Made with the first ``Frozen`` on PostgreSQL, and kept. The arguments of a trigger are columns;
# one that was renamed behind our back counts as changed.
KEEP_COLUMNS = """\
CREATE OR REPLACE FUNCTION migrator_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' are never deleted',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    SELECT name INTO changed FROM unnest(TG_ARGV) AS name
        WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
            OR NOT to_jsonb(NEW) ? name
        LIMIT 1;
    IF changed IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': ' || changed || ' of ' || TG_TABLE_NAME || ' never changes',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, COLUMN = changed;
    END IF;
    RETURN NEW;
END
$$"""


class Frozen(AppendOnly):
    """Rows are never deleted, and their key and the fields ``fixed`` never change, whoever writes.

    Other columns stay free. As with ``AppendOnly``, only who may alter the table can take the
    triggers away, and PostgreSQL's TRUNCATE passes them by.
    """

    def __init__(self, *, name: str, fixed: Sequence[str], **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.fixed = tuple(fixed)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "fixed": list(self.fixed)}

    def fields(self, model: type[Model]) -> list[str]:
        """Return the names of the fields that the rule reads."""
        return list(self.fixed)

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        table = Table(model._meta.db_table, schema_editor.quote_name)
        columns = self._columns(model)
        if schema_editor.connection.vendor == "postgresql":
            trigger = "CREATE TRIGGER %(name)s BEFORE UPDATE OR DELETE ON %(table)s" + (
                " FOR EACH ROW EXECUTE FUNCTION migrator_frozen(%(columns)s)"
            )
            name = schema_editor.quote_name(self.name)
            named = ", ".join(f"'{column}'" for column in columns)
            return [KEEP_COLUMNS, Statement(trigger, name=name, table=table, columns=named)]
        key = schema_editor.quote_name(model._meta.pk.column)
        quoted = map(schema_editor.quote_name, columns)
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in quoted)
        # REPLACE deletes a row of the same key without a word, and is an INSERT.
        again = "EXISTS (SELECT 1 FROM %(table)s WHERE %(key)s = NEW.%(key)s)"
        return [
            Statement(
                f"CREATE TRIGGER %(name)s BEFORE {event} ON %(table)s {when}"
                f" BEGIN SELECT RAISE(ABORT, '{self.name}'); END",
                name=schema_editor.quote_name(f"{self.name}_{event.lower()}"),
                table=table,
                key=key,
            )
            for event, when in (
                ("UPDATE", f"WHEN {changed}"),
                ("DELETE", ""),
                ("INSERT", f"WHEN {again}"),
            )
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError if a fixed column of ``instance`` is not as it stands."""
        if instance._state.adding:
            return
        names = [cast(Any, model._meta.get_field(name)).attname for name in self.fixed]
        standing = model._base_manager.using(using).filter(pk=instance.pk).values(*names).first()
        if standing != {name: getattr(instance, name) for name in names}:
            raise ValidationError(self.get_violation_error_message())

    def _columns(self, model: type[Model]) -> list[str]:
        """Return the columns that never change, the key first."""
        fields = [cast(Any, model._meta.get_field(name)).column for name in self.fixed]
        return [cast(str, model._meta.pk.column), *fields]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frozen):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented
