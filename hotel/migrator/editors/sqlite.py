"""SQLite's schema editor: a table that Django makes anew keeps what Django does not know of.

Most changes of a table are, on SQLite, a new table into which the rows are copied. Django makes the
indexes and constraints of the model again; triggers and indexes that ``RunSQL`` or a hand has made
would be gone without a word, and a view over the table, or a trigger elsewhere that reads it, would
stop the change. Here they are read before and made again afterwards, in the same transaction. What
stands in the text of the table itself (a column, a CHECK, a DEFAULT, a collation) is written into
the new one.

``SchemaEditor`` stands in the place of Django's for every SQLite connection (``apps.py``). Its
private parts of Django are verified with Django 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from django.db import DatabaseError
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from django.db.models import BaseConstraint, Model

from hotel.migrator.editors.generated import AnyField, ComputesAnew
from hotel.migrator.editors.sqlite_extras import Extras, extras
from hotel.migrator.editors.sqlite_objects import Made, made, made_by, reading, trials, unknown
from hotel.migrator.sql.parsing import bare, quoted


class SchemaEditor(ComputesAnew, DatabaseSchemaEditor):
    """Django's schema editor of SQLite, which loses nothing that it does not know."""

    extras = Extras()  # of the table that is made anew at this moment
    is_text = False  # whether what Django executes has no parameters: its percent signs are text
    leaving = frozenset[str]()  # names of constraints that are dropped by that

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it. After an error Django would check foreign keys too, and lose the error."""
        if exc_type is None:
            super().__exit__(exc_type, exc_value, traceback)
            return
        try:
            super(DatabaseSchemaEditor, self).__exit__(exc_type, exc_value, traceback)
        finally:
            self.connection.enable_constraint_checking()

    def execute(self, sql: Any, params: Sequence[Any] | None = ()) -> None:
        """Run a statement, but none about collations, of which SQLite has its own.

        On the way down Django's CreateCollation forgets that, and RemoveCollation too.
        """
        if self.is_text and not params:
            params = None
        if self.extras.unknown and str(sql).startswith('INSERT INTO "new__'):
            sql = self.extras.into_copy(sql)
        if not str(sql).startswith(("CREATE COLLATION", "DROP COLLATION")):
            super().execute(sql, params)

    def compute_anew(self, model: type[Model], old_field: AnyField, new_field: AnyField) -> None:
        """Give a generated column its new expression."""
        self._remake_table(model, alter_fields=[(old_field, new_field)])

    def _remake_table(
        self,
        model: type[Model],
        create_field: AnyField | None = None,
        delete_field: AnyField | None = None,
        alter_fields: list[tuple[AnyField, AnyField]] | None = None,
    ) -> None:
        if self.collect_sql:  # sqlmigrate, which changes nothing
            self._remake(Extras(), model, create_field, delete_field, alter_fields)
            return
        table = bare(model._meta.db_table)
        more = extras(self.connection, model, self.leaving)
        for one in more.unknown:
            if one.is_key:
                raise DatabaseError(
                    f"{table} cannot be made anew: its column {one.name}, of which no model knows,"
                    " is in its primary key"
                )
        more.follow(delete_field, alter_fields or ())
        before = made(self.connection)
        mine, readers = unknown(self, model, before), reading(table, before)
        for each in reversed(readers):
            self.execute(f"DROP {each.kind.upper()} {quoted(each.name)}", None)
        self._keep_counter(table)
        self._remake(more, model, create_field, delete_field, alter_fields)
        objects = made(self.connection)
        again = {each.on for each in objects if each.kind == "index"}
        names = {each.name for each in objects}
        kept = [
            each
            for each in before
            if each in readers or (each in mine and each.name not in names and each.on not in again)
        ]
        for each in kept:
            self.execute(each.sql, None)
        self._check(kept)

    def _remake(self, more: Extras, *change: Any) -> None:
        """Make a table anew as Django does, with what it had beside the model."""
        self.extras = more
        try:
            with self._as_text():
                super()._remake_table(*change)  # type: ignore[misc]  # private of Django
        finally:
            self.extras = Extras()

    @contextmanager
    def _as_text(self) -> Iterator[None]:
        """Let a percent sign in a name or a value be that, which Django would take for a mark."""
        before, self.is_text = self.is_text, True
        try:
            yield
        finally:
            self.is_text = before

    def remove_field(self, model: type[Model], field: AnyField) -> None:
        """Drop a column."""
        with self._as_text():
            super().remove_field(model, field)

    def alter_field(
        self,
        model: type[Model],
        old_field: AnyField,
        new_field: AnyField,
        strict: bool = False,
    ) -> None:
        """Alter a column."""
        with self._as_text():
            super().alter_field(model, old_field, new_field, strict)

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        """Rename a table."""
        with self._as_text():
            super().alter_db_table(model, old_db_table, new_db_table)

    def delete_model(self, model: type[Model], handle_autom2m: bool = True) -> None:
        """Drop a table."""
        with self._as_text():
            super().delete_model(model, handle_autom2m)

    def remove_constraint(self, model: type[Model], constraint: BaseConstraint) -> None:
        """Drop a constraint, and the triggers and indexes that it has made."""
        self.forget(model, constraint)
        super().remove_constraint(model, constraint)
        self.leaving = frozenset()

    def column_sql(self, model: type[Model], field: AnyField, include_default: bool = False) -> Any:
        """Return the definition of a column, with what its table had beside the model."""
        definition, params = super().column_sql(model, field, include_default)
        more = self.extras.columns.get(field.column.lower()) if definition and field.column else ""
        return (f"{definition} {more}" if more else definition), params

    def table_sql(self, model: type[Model]) -> tuple[str, list[Any]]:
        """Return the definition of a table, with what it had beside the model."""
        sql, params = super().table_sql(model)
        return self.extras.into_table(sql), params

    def forget(self, model: type[Model], constraint: BaseConstraint) -> None:
        """Drop what a constraint has made beside the table, so that it does not count as kept.

        Nor does it itself, when the table is made anew next.
        """
        self.leaving |= {constraint.name}
        for kind, name in made_by(self, model, constraint):
            self.execute(f"DROP {kind} IF EXISTS {quoted(name)}", None)

    def _keep_counter(self, table: str) -> None:
        """Let AUTOINCREMENT go on where it is: Django's copy would give keys out again."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(%s)"
                " AND sql LIKE '%%AUTOINCREMENT%%'",
                [table],
            )
            if not cursor.fetchone():
                return
        self.execute(
            "INSERT INTO sqlite_sequence (name, seq)"
            " SELECT %s, seq FROM sqlite_sequence WHERE lower(name) = lower(%s)",
            [f"new__{table}", table],
        )

    def _check(self, kept: list[Made]) -> None:
        """Raise the database's error, with a name, for what does not fit any more.

        SQLite would only tell who reads the view next, or writes what the trigger is on.
        """
        with self.connection.cursor() as cursor:
            for one in kept:
                try:
                    for sql in trials(cursor, one):
                        cursor.execute(sql)
                except DatabaseError as error:
                    raise type(error)(
                        f"the {one} does not fit what this makes of the tables: {error}"
                    ) from error
