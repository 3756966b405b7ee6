"""What a schema cannot hold is kept here, in SQL, and given back when the other schema returns.

Everything is one statement a call, inside the caller's transaction; no row passes through Python.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Case,
    Exists,
    Field,
    ForeignKey,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable

from hotel.migrator.expressions import AsText, FromText, IsNotDistinctFrom
from hotel.migrator.locking import table_locks
from hotel.migrator.sql.parsing import bare
from hotel.migrator.sql.quoting import text
from hotel.migrator.storage.keys import key_names, key_of, key_sql, respelled
from hotel.migrator.storage.tables import ArchivedValue

logger = logging.getLogger(__name__)

WHOLE_ROW = ""  # column_name of an archived row
TAKEN = "taken"  # what became, while rows are given back, of one whose key another row has


def writes_script(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether statements are taken down for a script, which has to fit any rows."""
    return getattr(connection, "writes_script", False)


class Archive:
    """The originals that one operation keeps in one direction.

    ``owner``: names operation and direction, as in ``reservations.0010_transform_status#0
    forward``.
    """

    def __init__(self, owner: str, alias: str) -> None:
        self.owner = owner
        self.alias = alias
        self.connection = connections[alias]
        self.entries: QuerySet[ArchivedValue] = ArchivedValue.objects.using(alias).filter(
            owner=owner
        )
        self._respelled: set[str] = set()

    def is_empty(self) -> bool:
        """Tell whether nothing was archived, so that no statement need look here."""
        return not writes_script(self.connection) and not self.entries.exists()

    def save(
        self,
        rows: QuerySet[Any],
        column: str | None,
        original: Combinable,
        became: Combinable | None = None,
    ) -> int:
        """Archive ``original`` of each of ``rows`` and return how many.

        rows: queryset of the rows that lose the value. column: name in the database.
        original, became: expressions over the row; NULL is archived as NULL.
        A row archived before by the same owner is overwritten: the last original counts.
        """
        self.respell_keys(rows.model)
        became = Value(None, TextField()) if became is None else AsText(became)
        chosen = rows.order_by().values_list(
            Value(self.owner),
            Value(rows.model._meta.db_table),
            Value(column),
            key_of(rows.model),
            AsText(original),
            became,
        )
        return self._insert(*chosen.query.get_compiler(self.alias).as_sql())

    def save_rows(self, rows: QuerySet[Any]) -> int:
        """Archive whole rows, a queryset, as JSON and return how many."""
        quote = self.connection.ops.quote_name
        model = rows.model
        self.respell_keys(model)
        table, names = model._meta.db_table, key_names(model)
        key = ", ".join(quote(model._meta.get_field(name).column) for name in names)
        if self.connection.vendor == "postgresql":
            document = "row_to_json(kept)::text"
        else:
            pairs = [f"{text(column)}, {_exact(quote(column))}" for column in self._columns(table)]
            document = f"json_object({', '.join(pairs)})"
        chosen, params = rows.order_by().values(*names).query.get_compiler(self.alias).as_sql()
        return self._insert(
            f"SELECT %s, %s, %s, {key_sql(model, self.connection)}, {document}, NULL"
            f" FROM {quote(table)} AS kept WHERE ({key}) IN ({chosen})",
            (self.owner, table, WHOLE_ROW, *params),
        )

    def restore_rows(self, model: type[Model], remembered_in: Archive | None = None) -> int:
        """Insert the archived rows of ``model`` that are missing, forget them, return how many.

        A row whose key or other unique value was taken in the meantime, or that needs another row
        that is gone by now, stays in the archive; a reference that may be NULL becomes NULL.
        remembered_in: the archive that is to know the keys of the rows that came back.
        """
        quote = self.connection.ops.quote_name
        table = model._meta.db_table
        generated = {field.column for field in model._meta.local_fields if field.generated}
        columns = [column for column in self._columns(table) if column not in generated]
        if self.connection.vendor == "postgresql":
            given = (
                "migrator_archive AS kept,"
                f" LATERAL json_populate_record(NULL::{quote(table)}, kept.original::json) AS given"
            )
            values = {column: f"given.{quote(column)}" for column in columns}
        else:
            given = "migrator_archive AS kept"
            paths = {column: text(f'$."{column}"') for column in columns}
            values = {column: f"json_extract(kept.original, {paths[column]})" for column in columns}
        condition = "kept.owner = %s AND kept.table_name = %s AND kept.column_name = %s"
        for field in _references(model):
            parent, target = field.related_model._meta.db_table, str(field.target_field.column)
            if parent == table:
                continue  # it comes back in the same statement
            stands = (
                f"EXISTS (SELECT 1 FROM {quote(parent)} AS parent"
                f" WHERE parent.{quote(target)} = {values[field.column]})"
            )
            if field.null:
                values[field.column] = f"CASE WHEN {stands} THEN {values[field.column]} END"
            else:
                condition += f" AND {stands}"
        names = ", ".join(quote(column) for column in columns)
        chosen = ", ".join(values[column] for column in columns)
        rows = model._base_manager.using(self.alias).order_by()
        mine = self.entries.filter(table_name=table, column_name=WHOLE_ROW)
        self.respell_keys(model)
        self.analyze()
        standing = mine.filter(row_key__in=rows.values_list(key_of(model)))
        standing.update(became=TAKEN)
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(table)} ({names}) SELECT {chosen} FROM {given}"
                f" WHERE {condition} ON CONFLICT DO NOTHING",
                (self.owner, table, WHOLE_ROW),
            )
            restored = int(cursor.rowcount)
        if remembered_in:
            back = mine.filter(became=None, row_key=key_of(model, OuterRef))
            remembered_in.remember(rows.filter(Exists(back)))
        standing.filter(became=None).delete()
        mine.filter(became=TAKEN).update(became=None)
        left = mine.count()
        if left:
            logger.warning(
                "%s: %d rows stay in migrator_archive: their keys were taken, or rows they refer to"
                " are gone.",
                table,
                left,
            )
        return restored

    def insert(self, model: type[Model], columns: Iterable[str], rows: QuerySet[Any, Any]) -> int:
        """Insert ``rows`` into ``model``, remember their keys and return how many.

        columns: names in the database. rows: a queryset of lists of values, in the order in which
        the database is to number the new rows; their key must be one that it numbers.
        """
        quote = self.connection.ops.quote_name
        table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
        names = ", ".join(quote(column) for column in columns)
        chosen, params = rows.query.get_compiler(self.alias).as_sql()
        insert = f"INSERT INTO {table} ({names}) {chosen}"
        entry = f"SELECT %s, %s, %s, CAST({key} AS text), CAST({key} AS text), NULL"
        mine = (self.owner, model._meta.db_table, model._meta.pk.column)
        if self.connection.vendor == "postgresql":
            made = f"WITH made AS ({insert} RETURNING {key}) "
            return self._insert(f"{entry} FROM made", (*params, *mine), made)
        with self.connection.cursor() as cursor:
            cursor.execute(insert, params)
            inserted = int(cursor.rowcount)
        # SQLite has one writer, so the new keys are the last ones, without a gap. In a subquery,
        # because last_insert_rowid() moves on with each row that goes into the archive.
        before = "SELECT CASE WHEN changes() > 0 THEN last_insert_rowid() - changes() END"
        self._insert(f"{entry} FROM {table} WHERE {key} > ({before})", mine)
        return inserted

    def remember(self, rows: QuerySet[Any]) -> int:
        """Archive the keys of ``rows``, a queryset."""
        return self.save(rows, _key_column(rows.model), key_of(rows.model))

    def remembered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of ``rows`` whose keys are archived."""
        return self.kept(rows, rows.model._meta.pk)

    def forget_keys(self, model: type[Model]) -> None:
        """Delete the keys of rows of ``model``; rows that are archived whole stay."""
        table, key = model._meta.db_table, _key_column(model)
        self.entries.filter(table_name=table, column_name=key).delete()

    def given_back(
        self,
        field: Field[Any, Any],
        default: Combinable,
        unless_changed: Combinable | None = None,
    ) -> Case:
        """Return the expression that gives ``field`` of a row its original, else ``default``.

        unless_changed: expression over the row; the original counts only while this is still what
        was archived as ``became``.
        """
        mine = self._entries_of_row(field)
        if unless_changed is not None:
            mine = mine.filter(IsNotDistinctFrom("became", AsText(unless_changed)))
        original = FromText(Subquery(mine.values("original")[:1]), field)
        return Case(When(Exists(mine), then=original), default=default, output_field=field)

    def kept(self, rows: QuerySet[Any], field: Field[Any, Any]) -> QuerySet[Any]:
        """Return those of ``rows`` of whose ``field`` an original is kept."""
        self.analyze()
        return rows.filter(Exists(self._entries_of_row(field)))

    def forget(self) -> None:
        """Delete what was given back, or overtaken by later changes."""
        self.entries.delete()

    def analyze(self) -> None:
        """Have PostgreSQL count the entries by owner before rows are joined to them.

        Those of a transaction that goes on are not in its statistics: it would take thousands for
        one, and compare each of them with each row.
        """
        if self.connection.vendor != "postgresql":
            return
        table = ArchivedValue._meta.db_table
        with transaction.atomic(self.alias), self.connection.cursor() as cursor:
            if not writes_script(self.connection):
                table_locks.take(self.connection, {table: table_locks.MAINTENANCE})
            cursor.execute(f"ANALYZE {table} (owner, table_name, column_name)")

    def respell_keys(self, model: type[Model]) -> None:
        """Write keys of several columns as they are written now, and were not always."""
        table = model._meta.db_table
        if len(key_names(model)) > 1 and table not in self._respelled:
            self._respelled.add(table)
            key = respelled(model)
            self.entries.filter(table_name=table).exclude(row_key=key).update(row_key=key)

    def _entries_of_row(self, field: Field[Any, Any]) -> QuerySet[ArchivedValue]:
        self.respell_keys(field.model)
        mine = self.entries.filter(
            table_name=field.model._meta.db_table,
            column_name=field.column or _key_column(field.model),
            row_key=key_of(field.model, OuterRef),
        )
        if field in _references(field.model):
            target = field.target_field
            original = FromText(OuterRef("original"), target)
            parents = field.related_model._base_manager.using(self.alias)
            # A reference to a row that is gone by now could not be held.
            mine = mine.filter(Exists(parents.filter(**{target.attname: original})))
        return mine

    def _insert(self, select: str, params: Sequence[Any], made: str = "") -> int:
        columns = "owner, table_name, column_name, row_key, original, became"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"{made}INSERT INTO migrator_archive ({columns}) SELECT * FROM ({select}) AS chosen"
                " WHERE 1 = 1"  # SQLite takes ON CONFLICT for a join's ON if there is no WHERE
                " ON CONFLICT (owner, table_name, column_name, row_key)"
                " DO UPDATE SET original = excluded.original, became = excluded.became",
                params,
            )
            return int(cursor.rowcount)

    def _columns(self, table: str) -> list[str]:
        """Return the columns that are in the table, those that no model knows included."""
        with self.connection.cursor() as cursor:
            is_paper = hasattr(self.connection, "sketch")  # which answers, and runs nothing
            is_slow = self.connection.vendor == "sqlite"  # Django would parse the table's SQL
            if is_paper or not (is_slow or '"' in bare(table)):
                look = self.connection.introspection.get_table_description
                return [column.name for column in look(cursor, bare(table))]
            # Django would take the quote in it for the end of its name.
            cursor.execute(f"SELECT * FROM {self.connection.ops.quote_name(table)} LIMIT 0")
            return [column[0] for column in cursor.description]


def _key_column(model: type[Model]) -> str:
    """Return the column under which the archive keeps the keys of rows themselves."""
    return model._meta.pk.column or "pk"


def _exact(column: str) -> str:
    """Return SQL for what SQLite's JSON is to hold: its own numbers have 15 digits only."""
    return (
        f"CASE WHEN typeof({column}) = 'real' AND CAST(CAST({column} AS text) AS real) <> {column}"
        # char(37) is the sign that marks a parameter; infinity is no word in JSON
        f" THEN json(replace(printf(char(37) || '!.17g', {column}), 'Inf', '9e999'))"
        f" ELSE {column} END"
    )


def _references(model: type[Model]) -> list[ForeignKey[Any, Any]]:
    """Return the foreign keys of ``model`` that the database enforces."""
    return [
        field
        for field in model._meta.local_concrete_fields
        if isinstance(field, ForeignKey) and field.db_constraint  # type: ignore[attr-defined]  # not in the stubs
    ]
