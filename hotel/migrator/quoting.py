"""Values as SQL: what a driver would send, written down for plain ``psql`` and ``sqlite3``.

For PostgreSQL as ``standard_conforming_strings`` has it, so that a backslash is a backslash.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

_MARK = re.compile(r"%(?:%|s|\((?P<name>\w+)\)s)")


NUL = "text with a NUL in it, which no database takes"


class NotQuotable(ValueError):
    """A value that no literal of SQL can be written for."""


def written_out(sql, params, vendor):
    """Return a statement with its parameters in it. Raises NotQuotable.

    params: as for a cursor of Django; None means that a percent sign in the SQL is just that.
    """
    if params is None:
        return sql
    values = iter(()) if isinstance(params, dict) else iter(params)

    def replaced(match):
        if match[0] == "%%":
            return "%"
        return literal(params[match["name"]] if match["name"] else next(values), vendor)

    return _MARK.sub(replaced, sql)


def literal(value, vendor):
    """Return a value as SQL. Raises NotQuotable for what SQL cannot hold, such as a NUL."""
    if value is None:
        return "NULL"
    quote = {"postgresql": _on_postgresql, "sqlite": _on_sqlite}[vendor]
    return quote(value)


def text(value):
    """Return text between quotes. Raises NotQuotable if there is a NUL in it."""
    if "\0" in value:
        raise NotQuotable(NUL)
    return "'" + value.replace("'", "''") + "'"


def _on_postgresql(value):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return text(str(value))
    if isinstance(value, int):
        return str(int(value)) if value >= 0 else f"({int(value)})"
    if isinstance(value, float):
        return text(repr(value)) + "::double precision"
    if isinstance(value, Decimal):
        return text(str(value)) + "::numeric"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"'\\x{bytes(value).hex()}'::bytea"
    if hasattr(value, "adapted") and hasattr(value, "dumps"):  # psycopg2's Json
        return text(value.dumps(value.adapted))
    for kind, name in (
        (datetime, "timestamptz" if getattr(value, "tzinfo", None) else "timestamp"),
        (date, "date"),
        (time, "time"),
        (UUID, "uuid"),
    ):
        if isinstance(value, kind):
            return f"{text(str(value))}::{name}"
    if isinstance(value, timedelta):
        seconds = f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"
        return text(seconds) + "::interval"
    if isinstance(value, list):
        items = ", ".join(literal(item, "postgresql") for item in value)
        return f"ARRAY[{items}]" if value else "'{}'"
    if isinstance(value, tuple):
        return f"({', '.join(literal(item, 'postgresql') for item in value)})"
    raise NotQuotable(f"a {type(value).__name__}")


def _on_sqlite(value):
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return text(str(value))
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        written = repr(value)
        if written == "nan":
            return "NULL"  # as the driver does
        return written.replace("inf", "9e999")
    if isinstance(value, bytes | bytearray | memoryview):
        return f"X'{bytes(value).hex()}'"
    if isinstance(value, Decimal | date | time):  # as Django's adapters have it
        return text(str(value))
    raise NotQuotable(f"a {type(value).__name__}")
