"""What a schema cannot hold is kept here, in SQL, and given back when the other schema returns.

Everything is one statement a call, inside the caller's transaction; no row passes through Python.
"""

import logging

from django.db import connections
from django.db.models import Case, Exists, F, OuterRef, Subquery, TextField, Value, When

from hotel.migrator.expressions import AsText, FromText, IsNotDistinctFrom
from hotel.migrator.tables import ArchivedValue

logger = logging.getLogger(__name__)

WHOLE_ROW = ""  # column_name of an archived row
TAKEN = "taken"  # what became, while rows are given back, of one whose key another row has


def is_recorded(connection):
    """Tell whether statements are taken down for a script, which has to fit any rows."""
    return getattr(connection, "is_recorded", False)


class Archive:
    """The originals that one operation keeps in one direction.

    ``owner``: names operation and direction, as in ``reservations.0010_transform_status#0
    forward``.
    """

    def __init__(self, owner, alias):
        self.owner = owner
        self.alias = alias
        self.connection = connections[alias]
        self.entries = ArchivedValue.objects.using(alias).filter(owner=owner)

    def is_empty(self):
        """Tell whether nothing was archived, so that no statement need look here."""
        return not is_recorded(self.connection) and not self.entries.exists()

    def save(self, rows, column, original, became=None):
        """Archive ``original`` of each of ``rows`` and return how many.

        rows: queryset of the rows that lose the value. column: name in the database.
        original, became: expressions over the row; NULL is archived as NULL.
        A row archived before by the same owner is overwritten: the last original counts.
        """
        became = Value(None, TextField()) if became is None else AsText(became)
        chosen = rows.order_by().values_list(
            Value(self.owner),
            Value(rows.model._meta.db_table),
            Value(column),
            AsText("pk"),
            AsText(original),
            became,
        )
        return self._insert(*chosen.query.get_compiler(self.alias).as_sql())

    def save_rows(self, rows):
        """Archive whole rows, a queryset, as JSON and return how many."""
        quote = self.connection.ops.quote_name
        model = rows.model
        table, key = model._meta.db_table, quote(model._meta.pk.column)
        if self.connection.vendor == "postgresql":
            document = "row_to_json(kept)::text"
        else:
            pairs = [
                f"{_literal(column)}, {_exact(quote(column))}" for column in self._columns(table)
            ]
            document = f"json_object({', '.join(pairs)})"
        chosen, params = rows.order_by().values("pk").query.get_compiler(self.alias).as_sql()
        return self._insert(
            f"SELECT %s, %s, %s, CAST({key} AS text), {document}, NULL"
            f" FROM {quote(table)} AS kept WHERE {key} IN ({chosen})",
            (self.owner, table, WHOLE_ROW, *params),
        )

    def restore_rows(self, model, remembered_in=None):
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
            paths = {column: _literal(f'$."{column}"') for column in columns}
            values = {column: f"json_extract(kept.original, {paths[column]})" for column in columns}
        condition = "kept.owner = %s AND kept.table_name = %s AND kept.column_name = %s"
        for field in _references(model):
            parent, target = field.related_model._meta.db_table, field.target_field.column
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
        standing = mine.filter(row_key__in=rows.values_list(AsText("pk")))
        standing.update(became=TAKEN)
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(table)} ({names}) SELECT {chosen} FROM {given}"
                f" WHERE {condition} ON CONFLICT DO NOTHING",
                (self.owner, table, WHOLE_ROW),
            )
            restored = cursor.rowcount
        if remembered_in:
            back = mine.filter(became=None, row_key=AsText(OuterRef("pk")))
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

    def insert(self, model, columns, rows):
        """Insert ``rows`` into ``model``, remember their keys and return how many.

        columns: names in the database. rows: a queryset of lists of values, in the order in which
        the database is to number the new rows; their key must be one that it numbers.
        """
        quote = self.connection.ops.quote_name
        table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
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
            inserted = cursor.rowcount
        # SQLite has one writer, so the new keys are the last ones, without a gap. In a subquery,
        # because last_insert_rowid() moves on with each row that goes into the archive.
        before = "SELECT CASE WHEN changes() > 0 THEN last_insert_rowid() - changes() END"
        self._insert(f"{entry} FROM {table} WHERE {key} > ({before})", mine)
        return inserted

    def remember(self, rows):
        """Archive the keys of ``rows``, a queryset."""
        return self.save(rows, rows.model._meta.pk.column, F("pk"))

    def remembered(self, rows):
        """Return those of ``rows`` whose keys are archived."""
        return self.kept(rows, rows.model._meta.pk)

    def forget_keys(self, model):
        """Delete the keys of rows of ``model``; rows that are archived whole stay."""
        table, key = model._meta.db_table, model._meta.pk.column
        self.entries.filter(table_name=table, column_name=key).delete()

    def given_back(self, field, default, unless_changed=None):
        """Return the expression that gives ``field`` of a row its original, else ``default``.

        unless_changed: expression over the row; the original counts only while this is still what
        was archived as ``became``.
        """
        mine = self._entries_of_row(field)
        if unless_changed is not None:
            mine = mine.filter(IsNotDistinctFrom("became", AsText(unless_changed)))
        original = FromText(Subquery(mine.values("original")[:1]), field)
        return Case(When(Exists(mine), then=original), default=default, output_field=field)

    def kept(self, rows, field):
        """Return those of ``rows`` of whose ``field`` an original is kept."""
        return rows.filter(Exists(self._entries_of_row(field)))

    def forget(self):
        """Delete what was given back, or overtaken by later changes."""
        self.entries.delete()

    def _entries_of_row(self, field):
        mine = self.entries.filter(
            table_name=field.model._meta.db_table,
            column_name=field.column,
            row_key=AsText(OuterRef("pk")),
        )
        if field in _references(field.model):
            target = field.target_field
            original = FromText(OuterRef("original"), target)
            parents = field.related_model._base_manager.using(self.alias)
            # A reference to a row that is gone by now could not be held.
            mine = mine.filter(Exists(parents.filter(**{target.attname: original})))
        return mine

    def _insert(self, select, params, made=""):
        columns = "owner, table_name, column_name, row_key, original, became"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"{made}INSERT INTO migrator_archive ({columns}) SELECT * FROM ({select}) AS chosen"
                " WHERE 1 = 1"  # SQLite takes ON CONFLICT for a join's ON if there is no WHERE
                " ON CONFLICT (owner, table_name, column_name, row_key)"
                " DO UPDATE SET original = excluded.original, became = excluded.became",
                params,
            )
            return cursor.rowcount

    def _columns(self, table):
        """Return the columns that are in the table, those that no model knows included."""
        with self.connection.cursor() as cursor:
            description = self.connection.introspection.get_table_description(cursor, table)
        return [column.name for column in description]


def _literal(text):
    """Return ``text`` as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _exact(column):
    """Return SQL for what SQLite's JSON is to hold: its own numbers have 15 digits only."""
    return (
        f"CASE WHEN typeof({column}) = 'real' AND CAST(CAST({column} AS text) AS real) <> {column}"
        # char(37) is the sign that marks a parameter; infinity is no word in JSON
        f" THEN json(replace(printf(char(37) || '!.17g', {column}), 'Inf', '9e999'))"
        f" ELSE {column} END"
    )


def _references(model):
    """Return the foreign keys of ``model`` that the database enforces."""
    return [
        field
        for field in model._meta.local_concrete_fields
        if field.is_relation and field.db_constraint
    ]
