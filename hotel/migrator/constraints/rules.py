"""What rules have in common, and the rule that is a CHECK."""

from collections.abc import Sequence
from typing import Any, cast

from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import CheckConstraint, Model, QuerySet
from django.db.models.constraints import BaseConstraint

# Made with the first rule on PostgreSQL, and kept like the tables of the migrator. The arguments of
# a trigger are the rule and the columns it reads, by name: their types stay free to change. A
# column that was renamed behind our back counts as changed.
END_EXEMPTION = """\
CREATE OR REPLACE FUNCTION migrator_end_exemption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT'
        OR (OLD.exemptions -> TG_ARGV[0]) IS DISTINCT FROM (NEW.exemptions -> TG_ARGV[0])
        OR EXISTS (
            SELECT 1 FROM unnest(TG_ARGV[1:]) AS name
            WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
                OR NOT to_jsonb(NEW) ? name
        )
    THEN
        NEW.exemptions := nullif(NEW.exemptions - TG_ARGV[0], '{}');
    END IF;
    RETURN NEW;
END
$$"""


class Rule(BaseConstraint):
    """What a ``Check`` and an ``Exclusion`` have in common.

    mend: what a clerk does with an exempt row so that it keeps the rule, as a sentence.
    """

    non_db_attrs = (*BaseConstraint.non_db_attrs, "mend")

    def __init__(self, *, name: str, mend: str = "", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.mend = mend

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, **({"mend": self.mend} if self.mend else {})}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rule):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def expressions(self) -> list[Any]:
        """Return what the rule reads of a row, as expressions."""
        raise NotImplementedError

    def broken_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Return the SQL condition that a row of ``model`` breaks the rule."""
        raise NotImplementedError

    def fields(self, model: type[Model]) -> list[str]:
        """Return the names of the fields that the rule reads, sorted."""
        names = {
            reference[0]
            for expression in self.expressions()
            for reference in cast(Any, model)._get_expr_references(expression)
        }
        return sorted(model._meta.pk.name if name == "pk" else name for name in names)

    def columns(self, model: type[Model]) -> list[str]:
        """Return the columns that the rule reads, sorted."""
        return sorted(cast(Any, model._meta.get_field(name)).column for name in self.fields(model))

    def exempts(self, instance: Any, using: str) -> bool:
        """Return whether the row of ``instance`` is exempt and will be so after it is saved."""
        if instance._state.adding or self.name not in (instance.exemptions or ()):
            return False
        model = type(instance)
        read = [cast(Any, model._meta.get_field(name)).attname for name in self.fields(model)]
        unchanged = {name: getattr(instance, name) for name in read}
        rows: QuerySet[Any] = model._base_manager.using(using)
        return rows.filter(pk=instance.pk, exemptions__has_key=self.name, **unchanged).exists()

    def is_exempt_sql(self, schema_editor: BaseDatabaseSchemaEditor, row: str = "") -> str:
        """Return the SQL condition, never NULL, that a row is exempt; ``row``: ``"NEW."``."""
        if schema_editor.connection.vendor == "postgresql":
            return f"({row}exemptions -> '{self.name}') IS NOT NULL"
        return f"json_extract({row}exemptions, '$.{self.name}') IS NOT NULL"

    def trigger_name(self, schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Return the quoted name of the trigger of PostgreSQL that ends exemptions."""
        return schema_editor.quote_name(f"{self.name}_exempt")

    def defer_triggers(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Let the schema editor make the triggers when the table stands under its name."""
        schema_editor.deferred_sql.extend(self.trigger_sql(model, schema_editor))

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers which end exemptions."""
        if schema_editor.connection.vendor == "postgresql":
            arguments = ", ".join(f"'{name}'" for name in [self.name, *self.columns(model)])
            return [
                END_EXEMPTION,
                Statement(
                    "CREATE TRIGGER %(name)s BEFORE INSERT OR UPDATE ON %(table)s"
                    " FOR EACH ROW WHEN (NEW.exemptions IS NOT NULL)"
                    " EXECUTE FUNCTION migrator_end_exemption(%(arguments)s)",
                    name=self.trigger_name(schema_editor),
                    table=Table(model._meta.db_table, schema_editor.quote_name),
                    arguments=arguments,
                ),
            ]
        mark = f"json_extract(%s.exemptions, '$.{self.name}')"
        quoted = [schema_editor.quote_name(column) for column in self.columns(model)]
        changed = [f"OLD.{column} IS NOT NEW.{column}" for column in quoted]
        changed.append(f"{mark % 'OLD'} IS NOT {mark % 'NEW'}")
        end = f"SET exemptions = nullif(json_remove(exemptions, '$.{self.name}'), '{{}}')"
        exempt = self.is_exempt_sql(schema_editor, "NEW.")
        return [
            self._sqlite_trigger(model, schema_editor, event, suffix, f"WHEN {when}", end)
            for event, suffix, when in [
                ("INSERT", "new", exempt),
                (
                    f"UPDATE OF {', '.join([*quoted, 'exemptions'])}",
                    "changed",
                    f"{exempt} AND ({' OR '.join(changed)})",
                ),
            ]
        ]

    def _sqlite_trigger(
        self,
        model: Any,
        schema_editor: BaseDatabaseSchemaEditor,
        event: str,
        suffix: str,
        when: str,
        end: str,
    ) -> Statement:
        key = schema_editor.quote_name(model._meta.pk.column)
        return Statement(
            "CREATE TRIGGER %(name)s AFTER %(event)s ON %(table)s %(when)s"
            " BEGIN UPDATE %(table)s %(end)s WHERE %(key)s = NEW.%(key)s; END",
            name=schema_editor.quote_name(f"{self.name}_{suffix}"),
            event=event,
            table=Table(model._meta.db_table, schema_editor.quote_name),
            when=when,
            end=end,
            key=key,
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that drops constraint and trigger (PostgreSQL)."""
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s; DROP TRIGGER %(trigger)s ON %(table)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
            trigger=self.trigger_name(schema_editor),
        )

    def _check(
        self, model: type[Model], connection: BaseDatabaseWrapper
    ) -> list[checks.CheckMessage]:
        references = {
            reference
            for expression in self.expressions()
            for reference in cast(Any, model)._get_expr_references(expression)
        }
        errors: list[checks.CheckMessage] = cast(Any, self)._check_references(model, references)
        try:
            model._meta.get_field("exemptions")
        except FieldDoesNotExist:
            errors.append(
                checks.Error(
                    f"{model._meta.label} has the rule {self.name} but no field exemptions.",
                    hint="Write exemptions = ExemptionsField() into the model.",
                    obj=model,
                    id="migrator.E001",
                )
            )
        return errors


class Check(Rule, CheckConstraint):
    """A CHECK that rows which broke it before need not keep.

    ``condition`` may be NULL for a row that keeps the rule, as in any CHECK.
    """

    def expressions(self) -> list[Any]:
        """Return what the rule reads of a row."""
        return [self.condition]

    def broken_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Return the SQL condition that a row breaks the rule."""
        condition = super()._get_check_sql(model, schema_editor)  # type: ignore[misc]  # Django's
        return f"NOT ({condition})"

    def constraint_sql(self, model: Any, schema_editor: Any, triggers: bool = True) -> Any:
        """Return the constraint as it stands in CREATE TABLE."""
        if triggers:
            self.defer_triggers(model, schema_editor)
        return super().constraint_sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that adds the constraint (PostgreSQL)."""
        self.defer_triggers(model, schema_editor)
        return super().create_sql(model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that drops constraint and trigger (PostgreSQL)."""
        return Rule.remove_sql(self, model, schema_editor)

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError if ``instance`` breaks the rule and is not exempt."""
        if not self.exempts(instance, using):
            super().validate(model, instance, exclude=exclude, using=using)

    def _get_check_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        condition = super()._get_check_sql(model, schema_editor)  # type: ignore[misc]  # Django's
        return f"({condition}) OR {self.is_exempt_sql(schema_editor)}"

    __eq__ = Rule.__eq__
