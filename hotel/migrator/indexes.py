"""Indexes that models and migrations may import; append-only."""

from collections.abc import Sequence
from typing import Any, cast

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Columns, Statement, Table
from django.db.models import Index, Model
from django.db.models.functions import Upper


class TrigramIndex(Index):
    """Finds a part of a text whatever its capitals, as ``icontains`` asks for it (PostgreSQL).

    Django compares ``UPPER`` of the column, so that is what is indexed; for parts of three
    characters and more. Needs the extension pg_trgm. SQLite has nothing like it and reads the
    table.

    New rows wait in a list that each search reads from its beginning to its end; the server lets it
    grow to 4 MB, which is 3 ms a search. It is kept at 256 KB: a row costs no more to write.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(Upper(field), name=name)
        self.field = field

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this index into a migration file."""
        path = f"{self.__class__.__module__}.{self.__class__.__qualname__}"
        return path, (), {"field": self.field, "name": self.name}

    def create_sql(
        self,
        model: type[Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **kwargs: Any,
    ) -> Statement:
        """Return the statement that makes the index, or a comment that says why there is none."""
        if schema_editor.connection.vendor != "postgresql":
            return Statement(f"-- {self.name} is for PostgreSQL only")
        return Statement(
            "CREATE INDEX %(concurrently)s%(name)s ON %(table)s"
            " USING gin (UPPER(%(column)s) gin_trgm_ops) WITH (gin_pending_list_limit = 256)",
            concurrently="CONCURRENTLY " if kwargs.get("concurrently") else "",
            name=schema_editor.quote_name(self.name),
            table=Table(model._meta.db_table, schema_editor.quote_name),
            column=Columns(
                model._meta.db_table,
                [cast(Any, model._meta.get_field(self.field)).column],
                schema_editor.quote_name,
            ),
        )

    def remove_sql(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor, **kwargs: Any
    ) -> Any:
        """Return the statement that drops the index."""
        if schema_editor.connection.vendor != "postgresql":
            return Statement(f"-- {self.name} is for PostgreSQL only")
        return super().remove_sql(model, schema_editor, **kwargs)
