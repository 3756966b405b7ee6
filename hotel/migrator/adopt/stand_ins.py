"""Rows that are made for others that are not there, so that what refers to those stays whole.

``orphans.Orphans`` has found the references; ``shapes.StandIn`` says what such a row looks like.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypedDict

from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.adopt.orphans import COLUMNS, TABLE, Orphans
from hotel.migrator.adopt.shapes import Legacy
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage.tables import ArchivedValue

STAND_INS = "migrator_stand_ins"

# The key of a stand-in, the key that is not there, for which it stands, and its name.
MadeUp = TypedDict("MadeUp", {"id": int, "for": int | None, "named": str})


def name(orphans: Orphans, parent: str, last: int, place: Callable[[str], str]) -> None:
    """Give each row of ``parent`` that is not there the key of its stand-in.

    That is its own key, if the legacy system can have given it, or the next that is free; all empty
    references share one. last: the highest key that was ever given.
    place: where the tables stand, ``Aside.here`` or ``Aside.there``.
    """
    of_parent = [one for one in orphans.replaced if orphans.parents[one] == parent]
    missing: set[int | None] = set()
    for table, column in of_parent:
        missing.update(
            key
            for (key,) in orphans.aside.rows(
                f"SELECT DISTINCT child.{quoted(column)} FROM {place(table)} AS child"
                f" WHERE {orphans.among(table, column, 'child')}"
            )
        )
    free = count(last + 1)
    made = [
        (key if key is not None and 0 < key <= last else next(free), key)
        for key in sorted(missing, key=lambda key: (key is None, key))
    ]
    orphans.aside.rows(f"CREATE TEMPORARY TABLE {STAND_INS} (became bigint, key bigint UNIQUE)")
    _insert_many(orphans.aside, f"INSERT INTO {STAND_INS} VALUES (%s, %s)", made)
    for table, column in of_parent:
        orphans.aside.rows(
            f"UPDATE {TABLE} SET became = (SELECT made.became FROM {place(table)} AS child"
            f" JOIN {STAND_INS} AS made ON made.key = child.{quoted(column)}"
            f" OR made.key IS NULL AND child.{quoted(column)} IS NULL"
            f" WHERE child.id = row_id)"
            f" WHERE table_name = '{table}' AND column_name = '{column}'"
        )
    orphans.aside.rows(f"DROP TABLE {STAND_INS}")
    orphans.made[parent] = made


def insert(
    orphans: Orphans, legacy: Legacy, table: str, becomes: dict[str, str], here: str
) -> list[MadeUp]:
    """Insert the stand-ins of a table into the new one, ``here``, and return what they are.

    becomes: ``{column: what this history calls it}``.
    """
    made: list[MadeUp] = []
    if table not in orphans.made:
        return made
    stand_in = legacy.stand_ins[table]
    names = orphans.aside.rows(f"SELECT {quoted(becomes[stand_in.name])} FROM {here}")
    taken = {str(name).lower() for (name,) in names}
    columns = ", ".join(quoted(becomes[old]) for old in ("id", *stand_in.values))
    marks = ", ".join(["%s"] * (1 + len(stand_in.values)))
    rows = []
    for key, missing in orphans.made[table]:
        missing_key = "unknown" if missing is None else missing
        values = {old: text.format(id=missing_key) for old, text in stand_in.values.items()}
        plain, times = values[stand_in.name], 1
        while values[stand_in.name].lower() in taken:
            times += 1
            values[stand_in.name] = f"{plain}-{times}"
        taken.add(values[stand_in.name].lower())
        rows.append([key, *values.values()])
        made.append({"id": key, "for": missing, "named": values[stand_in.name]})
    _insert_many(orphans.aside, f"INSERT INTO {here} ({columns}) VALUES ({marks})", rows)
    return made


def archive(orphans: Orphans, owner: str, parent: str, becomes: str) -> None:
    """Keep the keys of the stand-ins, each with that of the row that is not there."""
    _insert_many(
        orphans.aside,
        f"INSERT INTO {ArchivedValue._meta.db_table} ({COLUMNS})"
        f" VALUES ('{owner}', '{becomes}', 'id', %s, %s, NULL)",
        [(str(key), None if was is None else str(was)) for key, was in orphans.made[parent]],
    )


def _insert_many(aside: Aside, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    with aside.connection.cursor() as cursor:
        cursor.executemany(sql, rows)
