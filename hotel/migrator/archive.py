"""What a schema cannot hold is written down here, in SQL, and given back when the other schema returns.

Everything is one statement a call, inside the caller's transaction; no row passes through Python.
"""

from django.db import connections
from django.db.models import Case, Exists, OuterRef, Subquery, TextField, Value, When

from hotel.migrator.expressions import AsText, FromText, IsNotDistinctFrom
from hotel.migrator.tables import ArchivedValue

WHOLE_ROW = ""  # column_name of an archived row


class Archive:
    """The originals that one operation keeps in one direction.

    ``owner``: names operation and direction, as in ``reservations.0010_transform_status#0 forward``.
    """

    def __init__(self, owner, alias):
        self.owner = owner
        self.alias = alias
        self.connection = connections[alias]
        self.entries = ArchivedValue.objects.using(alias).filter(owner=owner)

    def is_empty(self):
        """Tell whether nothing was archived, so that no statement need look here."""
        return not self.entries.exists()

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

    def save_rows(self, table, key_column):
        """Archive every row of ``table`` as JSON and return how many."""
        quote = self.connection.ops.quote_name
        if self.connection.vendor == "postgresql":
            document = "row_to_json(kept)::text"
        else:
            pairs = ", ".join(f"'{column}', {quote(column)}" for column in self._columns(table))
            document = f"json_object({pairs})"
        return self._insert(
            f"SELECT %s, %s, %s, CAST({quote(key_column)} AS text), {document}, NULL"
            f" FROM {quote(table)} AS kept WHERE {quote(key_column)} IS NOT NULL",
            (self.owner, table, WHOLE_ROW),
        )

    def restore_rows(self, table, key_column):
        """Insert the archived rows that are missing in ``table``, forget them, return how many."""
        quote = self.connection.ops.quote_name
        columns = ", ".join(quote(column) for column in self._columns(table))
        if self.connection.vendor == "postgresql":
            source = "json_populate_record(NULL::{}, kept.original::json) AS given".format(
                quote(table)
            )
            values = ", ".join(f"given.{quote(column)}" for column in self._columns(table))
            from_clause = f"migrator_archive AS kept, LATERAL {source}"
        else:
            values = ", ".join(
                f"json_extract(kept.original, '$.\"{column}\"')" for column in self._columns(table)
            )
            from_clause = "migrator_archive AS kept"
        mine = "kept.owner = %s AND kept.table_name = %s AND kept.column_name = %s"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(table)} ({columns}) SELECT {values} FROM {from_clause}"
                f" WHERE {mine} AND NOT EXISTS (SELECT 1 FROM {quote(table)} AS present"
                f" WHERE CAST(present.{quote(key_column)} AS text) = kept.row_key)",
                (self.owner, table, WHOLE_ROW),
            )
            restored = cursor.rowcount
        self.entries.filter(table_name=table, column_name=WHOLE_ROW).delete()
        return restored

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
        return self.entries.filter(
            table_name=field.model._meta.db_table,
            column_name=field.column,
            row_key=AsText(OuterRef("pk")),
        )

    def _insert(self, select, params):
        columns = "owner, table_name, column_name, row_key, original, became"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO migrator_archive ({columns}) SELECT * FROM ({select}) AS chosen"
                " WHERE 1 = 1"  # SQLite takes ON CONFLICT for a join's ON if there is no WHERE
                " ON CONFLICT (owner, table_name, column_name, row_key)"
                " DO UPDATE SET original = excluded.original, became = excluded.became",
                params,
            )
            return cursor.rowcount

    def _columns(self, table):
        with self.connection.cursor() as cursor:
            description = self.connection.introspection.get_table_description(cursor, table)
        return [column.name for column in description]
