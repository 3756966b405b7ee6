"""The text by which the archive knows a row.

That of one column is ``AsText``; that of several is a JSON array, spelled alike on both engines.
"""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Model, TextField
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.query import Query

from hotel.migrator.expressions import AsText, FromText
from hotel.migrator.fields import NaiveUTCDateTimeField

# As PostgreSQL writes it: no zeros at the end of a fraction of a second.
TRIMMED = (
    "(SELECT CASE instr(v, '.') WHEN 0 THEN v ELSE rtrim(rtrim(v, '0'), '.') END"
    " FROM (SELECT {} AS v))"
)
# How to write a type, the first that fits. Floats and durations are spelled as the engine does.
SPELLINGS: "dict[str, list[tuple[type[models.Field[Any, Any]], str]]]" = {
    "postgresql": [
        (models.BooleanField, "CAST(CAST({} AS integer) AS text)"),
        (models.DecimalField, "CAST(trim_scale({}) AS text)"),
        (NaiveUTCDateTimeField, "CAST({} AS text)"),
        (models.DateTimeField, "CAST({} AT TIME ZONE 'UTC' AS text) || '+00'"),
        (models.UUIDField, "replace(CAST({} AS text), '-', '')"),
        (models.GenericIPAddressField, "host({})"),
    ],
    "sqlite": [
        (NaiveUTCDateTimeField, TRIMMED),
        (models.DateTimeField, TRIMMED.format("replace({}, '+00', '')") + " || '+00'"),
        (models.TimeField, TRIMMED),
    ],
}


class KeyPart(Func):
    """The text of one of several columns of a key."""

    arity = 1
    output_field = TextField()

    def as_sql(  # type: ignore[override]  # Django passes the others by name
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to the spelling of the column's type, or to ``AsText``."""
        [value] = self.get_source_expressions()
        field = value.output_field
        while field.is_relation:
            field = field.target_field
        for kind, spelling in SPELLINGS[connection.vendor]:
            if isinstance(field, kind):
                template = spelling.format("%(expressions)s")
                return super().as_sql(compiler, connection, template=template, **context)
        return compiler.compile(AsText(value))


class KeyText(Func):
    """The canonical text of a key of several columns: their texts, as a JSON array."""

    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to SQLite's function."""
        return self.as_sql(compiler, connection, template="json_array(%(expressions)s)", **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to SQLite's spelling; PostgreSQL's own has a space after each comma."""
        parts = [
            Func(part, template="CAST(to_json(%(expressions)s) AS text)")
            for part in self.get_source_expressions()
        ]
        clone = self.copy()
        clone.set_source_expressions(parts)
        return clone.as_sql(
            compiler,
            connection,
            template="'[' || %(expressions)s || ']'",
            arg_joiner=" || ',' || ",
            **context,
        )


class _Element(Func):
    """The text at a place of a JSON array that is kept as text."""

    output_field = TextField()

    def __init__(self, array: str, place: int) -> None:
        super().__init__(F(array), place=place)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        template = "json_extract(%(expressions)s, '$[%(place)s]')"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        template = "(CAST(%(expressions)s AS json) ->> %(place)s)"
        return self.as_sql(compiler, connection, template=template, **context)


def key_names(model: type[Model]) -> tuple[str, ...]:
    """Return the names of the fields of the primary key."""
    return getattr(model._meta.pk, "field_names", None) or (model._meta.pk.name,)


def key_of(model: type[Model], reference: Callable[[str], Any] = F) -> Func:
    """Return the text by which the archive knows a row of ``model``, as an expression.

    reference: OuterRef in a subquery.
    """
    names = key_names(model)
    if len(names) == 1:
        return AsText(reference("pk"))
    return KeyText(*(KeyPart(reference(name)) for name in names))


def key_sql(model: type[Model], connection: BaseDatabaseWrapper) -> str:
    """Return what ``key_of`` compiles to, over bare columns."""
    query = Query(model, alias_cols=False)
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.compile(key_of(model).resolve_expression(query))
    return str(sql % params) if params else sql


def respelled(model: type[Model]) -> KeyText:
    """Return the key that the archive has of a row of ``model``, in the one spelling.

    Each engine had its own before.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in key_names(model)]
    return KeyText(
        *(KeyPart(FromText(_Element("row_key", at), field)) for at, field in enumerate(fields))
    )
