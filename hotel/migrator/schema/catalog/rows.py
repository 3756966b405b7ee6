"""The rows of tables as canonical text, so that two dumps can be compared."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from hotel.migrator.sql.parsing import quoted


def dump(
    connection: BaseDatabaseWrapper, tables: Sequence[str]
) -> dict[str, list[dict[str, str | None]]]:
    """Return ``{table: [row, …]}``: rows by key, columns by name, values as canonical text.

    NULL stays None, so that it differs from empty text. Numbers lose trailing zeros: the two
    engines, and a column before and after a rebuild, write them differently. Rows of a table
    without a key stand in the order of their values.
    """
    dumped = {}
    with connection.cursor() as cursor:
        keys = _keys(connection, cursor, tables)
        for table in tables:
            order = f" ORDER BY {', '.join(map(quoted, keys[table]))}" if keys[table] else ""
            cursor.execute(f"SELECT * FROM {quoted(table)}{order}")
            names = [column[0] for column in cursor.description]
            dumped[table] = [
                {name: _canonical(value) for name, value in sorted(zip(names, row, strict=True))}
                for row in cursor.fetchall()
            ]
            if not order:
                dumped[table].sort(
                    key=lambda row: [(text is not None, text) for text in row.values()]
                )
    return dumped


def _keys(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, tables: Sequence[str]
) -> dict[str, list[str]]:
    """Return the columns of the primary key of each table, in order; none if it has no such key."""
    found: dict[str, list[str]] = {}
    if connection.vendor == "postgresql":  # which Django asks much more for
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " CROSS JOIN unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)"
            " JOIN pg_attribute a ON (a.attrelid, a.attnum) = (i.indrelid, k.number)"
            " WHERE i.indisprimary AND i.indrelid = ANY(%s::text[]::regclass[])"
            " ORDER BY c.relname, k.place",
            [[quoted(table) for table in tables]],
        )
        for table in tables:
            found[table] = []
        for table, column in cursor.fetchall():
            found[table].append(column)
        return found
    for table in tables:
        cursor.execute(f"PRAGMA table_info({quoted(table)})")
        places = {row[1]: row[5] for row in cursor.fetchall() if row[5]}
        found[table] = sorted(places, key=places.__getitem__)
    return found


def _canonical(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        text = format(Decimal(repr(value) if isinstance(value, float) else value), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
