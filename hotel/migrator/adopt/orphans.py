"""Rows that refer to rows that are not there, in tables whose references nothing holds.

A reference that may be empty is emptied, and kept in the archive. A row that must refer to another
and does not cannot come along, nor what needs that row. All of it is found in SQL; which rows it
are stands in a temporary table.
"""

from hotel.migrator.repair import quoted
from hotel.migrator.tables import ArchivedValue

TABLE = "migrator_orphans"  # column_name is empty for a row that cannot come along


class Orphans:
    """What was found: ``{(table, column): number of rows}``, column "" for rows that stay."""

    def __init__(self, aside, references):
        """references: table, column, parent (None if there is no such table), is it needed."""
        self.aside = aside
        aside.rows(
            f"CREATE TEMPORARY TABLE {TABLE} (table_name varchar(63), column_name varchar(63),"
            " row_id bigint, PRIMARY KEY (table_name, column_name, row_id))"
        )
        any_lost = again = False
        while True:
            for table, column, parent, is_needed in references:
                if is_needed and self._find(table, "", column, parent, any_lost):
                    any_lost = again = True
            if not again:
                break
            again = False
        for table, column, parent, is_needed in references:
            if not is_needed:
                self._find(table, column, column, parent, any_lost)
        self.found = {
            (table, column): number
            for table, column, number in aside.rows(
                f"SELECT table_name, column_name, count(*) FROM {TABLE}"
                " GROUP BY table_name, column_name ORDER BY table_name, column_name"
            )
        }

    def _find(self, table, kind, column, parent, any_lost):
        """Write down rows whose ``column`` refers to none of ``parent``; return how many.

        any_lost: whether rows of the parent may be among those that cannot come along.
        """
        own, column = self.aside.here(table), f"child.{quoted(column)}"
        is_orphan = "1 = 1"
        if parent:
            there = f"SELECT 1 FROM {self.aside.here(parent)} AS parent WHERE parent.id = {column}"
            if any_lost:
                there += f" AND NOT {self.among(parent, '', 'parent')}"
            is_orphan = f"NOT EXISTS ({there})"
        if kind:
            is_orphan = f"{column} IS NOT NULL AND {is_orphan}"
        if any_lost:
            is_orphan += f" AND NOT {self.among(table, '', 'child')}"
        with self.aside.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} SELECT '{table}', '{kind}', child.id FROM {own} AS child"
                f" WHERE {is_orphan}"
            )
            return cursor.rowcount

    def among(self, table, column, row):
        """Return SQL that tells whether ``row``, an alias of ``table``, is one of them."""
        return (
            f"EXISTS (SELECT 1 FROM {TABLE} AS lost WHERE lost.table_name = '{table}'"
            f" AND lost.column_name = '{column}' AND lost.row_id = {row}.id)"
        )

    def archive(self, owner, table, column, becomes, new):
        """Keep what ``column`` held, as that of column ``new`` of the table ``becomes``."""
        columns = "owner, table_name, column_name, row_key, original, became"
        self.aside.rows(
            f"INSERT INTO {ArchivedValue._meta.db_table} ({columns})"
            f" SELECT '{owner}', '{becomes}', '{new}', CAST(came.id AS varchar(255)),"
            f" CAST(came.{quoted(column)} AS varchar(255)), NULL"
            f" FROM {self.aside.there(table)} AS came WHERE {self.among(table, column, 'came')}"
        )

    def forget(self):
        """Drop the temporary table."""
        self.aside.rows(f"DROP TABLE {TABLE}")
