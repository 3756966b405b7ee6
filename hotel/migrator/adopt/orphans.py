"""Rows that refer to rows that are not there, in tables whose references nothing holds.

A row that its children can do without gets a stand-in, where the project declares one. Any other
reference that may be empty is emptied. What a reference held is kept in the archive. A row that
must refer to another and does not cannot come along, nor what needs that row. All of it is found in
SQL; which rows it are stands in a temporary table.
"""

from collections.abc import Collection
from itertools import groupby
from typing import NamedTuple, TypedDict

from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage.tables import ArchivedValue

TABLE = "migrator_orphans"  # column_name is empty for a row that cannot come along
COLUMNS = "owner, table_name, column_name, row_key, original, became"
MISSING, ASIDE, EMPTY = "missing", "aside", "empty"  # why a row cannot come along


class Reference(NamedTuple):
    """A column of the legacy system that refers to the key of another table."""

    table: str
    column: str
    parent: str | None  # None if this shape lacks that table
    is_needed: bool


class Reason(TypedDict):
    """Why rows of a table cannot come along."""

    table: str
    column: str
    parent: str
    refers_to: int | None  # what the column holds
    because: str  # that row of ``parent`` is missing or stays aside itself, or there is no key
    ids: list[int]


class Orphans:
    """Where rows refer to rows that are not there, and what is made of it.

    numbers: ``{(table, column): number of rows}``, column "" for rows that cannot come along. made:
    the stand-ins of a table, ``{table: [(its key, the key that is not there)]}``.
    """

    def __init__(
        self, aside: Aside, references: list[Reference], stand_ins: Collection[str] = ()
    ) -> None:
        """stand_ins: names of the tables whose missing rows get a stand-in."""
        self.aside = aside
        self.made: dict[str, list[tuple[int, int | None]]] = {}
        aside.rows(
            f"CREATE TEMPORARY TABLE {TABLE} (table_name varchar(63), column_name varchar(63),"
            " row_id bigint, because varchar(63), became bigint,"
            " PRIMARY KEY (table_name, column_name, row_id))"
        )
        replaced = [one for one in references if one.parent in stand_ins]
        needed = [one for one in references if one.is_needed and one not in replaced]
        emptied = [one for one in references if not one.is_needed and one not in replaced]
        any_lost = again = False
        while True:
            for reference in needed:
                if self._find(reference, "", any_lost):
                    any_lost = again = True
            if not again:
                break
            again = False
        for reference in emptied:
            self._find(reference, reference.column, any_lost)
        for reference in replaced:
            self._find(reference, reference.column, any_lost, with_empty=reference.is_needed)
        self.numbers: dict[tuple[str, str], int] = {
            (table, column): number
            for table, column, number in aside.rows(
                f"SELECT table_name, column_name, count(*) FROM {TABLE}"
                " GROUP BY table_name, column_name ORDER BY table_name, column_name"
            )
        }
        self.parents = {(one.table, one.column): one.parent for one in references}
        self.replaced = [
            (one.table, one.column) for one in replaced if (one.table, one.column) in self.numbers
        ]

    def _find(
        self, reference: Reference, kind: str, any_lost: bool, *, with_empty: bool = False
    ) -> int:
        """Write down rows that refer to none of the parent; return how many.

        kind: the column, or "" for rows that cannot come along. any_lost: whether rows of the
        parent may be among those. with_empty: an empty reference is one that leads nowhere, too.
        """
        table, column, parent, _ = reference
        own, name = self.aside.here(table), f"child.{quoted(column)}"
        is_orphan = "1 = 1"
        if parent:
            there = f"SELECT 1 FROM {self.aside.here(parent)} AS parent WHERE parent.id = {name}"
            if any_lost:
                there += f" AND NOT {self.among(parent, '', 'parent')}"
            is_orphan = f"NOT EXISTS ({there})"
        if kind and not with_empty:
            is_orphan = f"{name} IS NOT NULL AND {is_orphan}"
        if any_lost:
            is_orphan += f" AND NOT {self.among(table, '', 'child')}"
        with self.aside.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} SELECT '{table}', '{kind}', child.id, '{column}', NULL"
                f" FROM {own} AS child WHERE {is_orphan}"
            )
            return int(cursor.rowcount)

    def among(self, table: str, column: str, row: str) -> str:
        """Return SQL that tells whether ``row``, an alias of ``table``, is one of them."""
        return f"EXISTS (SELECT 1 FROM {TABLE} AS lost WHERE {_of(table, column, row)})"

    def became(self, table: str, column: str, row: str) -> str:
        """Return SQL for what the reference of ``row``, which is one of them, becomes."""
        return f"(SELECT lost.became FROM {TABLE} AS lost WHERE {_of(table, column, row)})"

    def set_aside(self) -> list[Reason]:
        """Return which rows cannot come along, and why."""
        reasons: list[Reason] = []
        for table in (table for table, column in self.numbers if not column):
            columns = self.aside.rows(
                f"SELECT DISTINCT because FROM {TABLE} WHERE table_name = '{table}'"
                " AND column_name = '' ORDER BY because"
            )
            for (column,) in columns:
                parent = self.parents[table, column]
                rows = self.aside.rows(
                    f"SELECT child.{quoted(column)}, child.id, (SELECT count(*) FROM {TABLE} AS"
                    f" lost WHERE lost.table_name = '{parent}' AND lost.column_name = ''"
                    f" AND lost.row_id = child.{quoted(column)})"
                    f" FROM {TABLE} AS why JOIN {self.aside.here(table)} AS child"
                    " ON child.id = why.row_id"
                    f" WHERE why.table_name = '{table}' AND why.column_name = ''"
                    f" AND why.because = '{column}' ORDER BY 1, 2"
                )
                for (key, stays), of_key in groupby(rows, lambda row: (row[0], row[2])):
                    reasons.append(
                        {
                            "table": table,
                            "column": column,
                            "parent": str(parent),
                            "refers_to": key,
                            "because": EMPTY if key is None else ASIDE if stays else MISSING,
                            "ids": [row[1] for row in of_key],
                        }
                    )
        return reasons

    def archive(self, owner: str, table: str, column: str, becomes: str, new: str) -> None:
        """Keep what ``column`` held, as that of column ``new`` of the table ``becomes``."""
        self.aside.rows(
            f"INSERT INTO {ArchivedValue._meta.db_table} ({COLUMNS})"
            f" SELECT '{owner}', '{becomes}', '{new}', CAST(came.id AS varchar(255)),"
            f" CAST(came.{quoted(column)} AS varchar(255)),"
            f" CAST({self.became(table, column, 'came')} AS varchar(255))"
            f" FROM {self.aside.there(table)} AS came WHERE {self.among(table, column, 'came')}"
        )

    def forget(self) -> None:
        """Drop the temporary table."""
        self.aside.rows(f"DROP TABLE {TABLE}")


def _of(table: str, column: str, row: str) -> str:
    return (
        f"lost.table_name = '{table}' AND lost.column_name = '{column}' AND lost.row_id = {row}.id"
    )
