"""PostgreSQL's schema editor, which drops nothing that Django does not know of.

Django drops columns and tables with CASCADE. ``SchemaEditor`` stands in the place of Django's for
every PostgreSQL connection (``apps.py``). Its private parts of Django are verified with Django 5.2.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.models import Model

from hotel.migrator.editors.generated import AnyField, ComputesAnew, names_read
from hotel.migrator.editors.hanging import indexed, lost
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.sql.parsing import is_elsewhere, spellings


class SchemaEditor(ComputesAnew, DatabaseSchemaEditor):
    """Django's schema editor of PostgreSQL.

    keeps_dependents: whether it refuses to drop what others hang on, of which no model knows. A
    replay without rows, of what has run elsewhere, does not.
    """

    keeps_dependents = False

    def remove_field(self, model: type[Model], field: AnyField) -> None:
        """Drop a column, if nothing hangs on it."""
        if field.column and not field.many_to_many:
            self._refuse_dependents(model, field.column)
        super().remove_field(model, field)

    def delete_model(self, model: type[Model]) -> None:
        """Drop a table, if nothing hangs on it."""
        self._refuse_dependents(model, "")
        super().delete_model(model)

    def _refuse_dependents(self, model: type[Model], column: str) -> None:
        if self.collect_sql or not self.keeps_dependents:
            return
        others = model._meta.apps.get_models(include_auto_created=True)
        known = {name for one in others for name in spellings(one._meta.db_table)}
        table = self.quote_name(model._meta.db_table)
        with self.connection.cursor() as cursor:
            dependents = lost(cursor, table, column, known)
            # Django's DROP INDEX finds none in a schema that is not searched: these go here.
            if column and not is_elsewhere(model._meta.db_table):
                together, _ = indexed(cursor, table, column, *indexes_of(model))
                dependents += together
        if dependents:
            what = f"{model._meta.db_table}.{column}" if column else model._meta.db_table
            names = ", ".join(f"the {kind} {name}" for kind, name in dependents)
            raise RefusedByPreflight(
                f"{names} would go with {what}: drop it in a RunSQL before, and make it again after"
                " it, without what is gone"
            )

    def compute_anew(self, model: type[Model], old_field: AnyField, new_field: AnyField) -> None:
        """Give a generated column its new expression; the table is written anew."""
        same = [
            (field.column, field.db_persist, field.db_parameters(self.connection))
            for field in (old_field, new_field)
        ]
        if same[0] == same[1] and new_field.db_persist and self.connection.pg_version >= 170000:
            sql, params = new_field.generated_sql(self.connection)
            self.execute(
                f"ALTER TABLE {self.quote_name(model._meta.db_table)} ALTER COLUMN"
                f" {self.quote_name(new_field.column)} SET EXPRESSION AS ({sql})",
                params,
            )
            return
        self.remove_field(model, old_field)
        self.add_field(model, new_field)
        self._make_again(new_field)

    def _make_again(self, field: AnyField) -> None:
        """Make the indexes and constraints that were dropped with a column."""
        model = field.model
        for index in model._meta.indexes:
            if field.name in names_read(index):
                self.add_index(model, index)
        for constraint in model._meta.constraints:
            if field.name in names_read(constraint):
                self.add_constraint(model, constraint)
        for names in model._meta.unique_together:
            if field.name in names:
                fields = [model._meta.get_field(name) for name in names]
                sql = self._create_unique_sql(model, fields)  # type: ignore[attr-defined]  # private
                self.execute(sql)


def indexes_of(model: type[Model]) -> tuple[set[str], set[frozenset[str]]]:
    """Return the names of a model's indexes and constraints, and the columns of others."""
    meta: Any = model._meta
    groups = [[meta.get_field(name).column for name in names] for names in meta.unique_together]
    groups += [[field.column] for field in meta.local_concrete_fields if field.remote_field]
    names = {one.name for one in [*meta.indexes, *meta.constraints]}
    return names, {frozenset(group) for group in groups}
