"""SQL that exempts rows from rules, and ends that."""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model

from hotel.migrator.constraints.rules import Rule


def exempt_sql(
    model: type[Model], schema_editor: BaseDatabaseSchemaEditor, rules: Sequence[Rule]
) -> str:
    """Return the statement that exempts the rows that break ``rules`` from these, and no others.

    One for all: PostgreSQL alters no table after a row of it was updated twice.
    """
    broken = {rule.name: rule.broken_sql(model, schema_editor) for rule in rules}
    marks = ", ".join(f"'{name}', CASE WHEN {sql} THEN 1 END" for name, sql in broken.items())
    if schema_editor.connection.vendor == "postgresql":
        names = ", ".join(f"'{name}'" for name in broken)
        new = f"coalesce(exemptions, '{{}}') - ARRAY[{names}]"
        new = f"{new} || jsonb_strip_nulls(jsonb_build_object({marks}))"
    else:
        new = f"json_patch(coalesce(exemptions, '{{}}'), json_object({marks}))"
    return (
        f"UPDATE {schema_editor.quote_name(model._meta.db_table)}"
        f" SET exemptions = nullif({new}, '{{}}')"
        f" WHERE ({concerned_sql(model, schema_editor, rules)})"
    )


def concerned_sql(
    model: type[Model], schema_editor: BaseDatabaseSchemaEditor, rules: Sequence[Rule]
) -> str:
    """Return the condition that a row breaks one of ``rules`` or is exempt from one."""
    broken = " OR ".join(rule.broken_sql(model, schema_editor) for rule in rules)
    return f"{broken} OR {is_exempt_sql(schema_editor, rules)}"


def is_exempt_sql(schema_editor: BaseDatabaseSchemaEditor, rules: Sequence[Rule]) -> str:
    """Return the condition that a row is exempt from one of ``rules``."""
    return " OR ".join(rule.is_exempt_sql(schema_editor) for rule in rules)


def end_sql(
    model: type[Model], schema_editor: BaseDatabaseSchemaEditor, rules: Sequence[Rule]
) -> str:
    """Return the statement that exempts no row from ``rules`` any more."""
    if schema_editor.connection.vendor == "postgresql":
        names = ", ".join(f"'{rule.name}'" for rule in rules)
        new = f"exemptions - ARRAY[{names}]"
    else:
        names = ", ".join(f"'$.{rule.name}'" for rule in rules)
        new = f"json_remove(exemptions, {names})"
    return (
        f"UPDATE {schema_editor.quote_name(model._meta.db_table)}"
        f" SET exemptions = nullif({new}, '{{}}') WHERE ({is_exempt_sql(schema_editor, rules)})"
    )
