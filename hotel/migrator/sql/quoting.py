"""Values as SQL: what a driver would send, written down for plain ``psql`` and ``sqlite3``.

For PostgreSQL as ``standard_conforming_strings`` has it, so that a backslash is a backslash.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_MARK = re.compile(r"%(?:%|s|\((?P<name>[^)]*)\)s|)")
_TEXT_OR_MARK = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|\[[^]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)|(?P<mark>\?|:(?P<name>\w+))""",
    re.DOTALL,
)
_QUESTION = re.compile("(?<!%)%s")
_CRLF = "' || char(13) || char(10) || '"
_TINY, _SCALE = 1e-250, 2.0**600
_BYTES = bytes | bytearray | memoryview
_NO_VALUE = object()
NUL = "text with a NUL in it, which no script can hold and PostgreSQL does not take"
SURROGATE = "text with half a character in it (a lone surrogate), which no database takes"


class NotQuotable(ValueError):
    """What a script cannot hold; ``mend`` says what is to be done instead."""

    mend = "Run it with manage.py migrate, and scripts for what is before and after it."


class NoSQL(NotQuotable):
    """What no database takes, and a shell may take for something else."""

    mend = "Mend the migration: a database does not take that either."


class NoText(NotQuotable):
    """Text that cannot be stored, whoever writes it."""

    mend = "Take it out of the migration, and run the same command again."


class UnknownKind(NotQuotable):
    """A value of a kind that only its driver can write."""

    def __init__(self, value: Any) -> None:
        super().__init__(f"a {type(value).__name__}")


def checked(sql: str) -> str:
    """Return the text of a statement. Raises NotQuotable for what no script can hold."""
    if "\0" in sql:
        raise NoText(NUL)
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise NoText(SURROGATE) from None
    return sql


def literal(value: Any, vendor: str) -> str:
    """Return a value as SQL. Raises NotQuotable for what SQL cannot hold, such as a NUL."""
    if value is None:
        return "NULL"
    return _on_postgresql(value) if vendor == "postgresql" else _on_sqlite(value)


def written_out(
    sql: str, params: Any, vendor: str, write: Callable[[Any, str], str] = literal
) -> str:
    """Return a statement with its parameters in it. Raises NotQuotable.

    params: as for a cursor of Django; None means that a percent sign in the SQL is just that.
    write: returns a value as SQL.
    """
    if params is None:
        return sql
    is_named = isinstance(params, dict)
    values = iter(() if is_named else params)

    def of_psycopg2(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[0] == "%" or is_named != (match["name"] is not None):
            raise NoSQL(f"a {match[0]} for which it has no value")
        try:
            return write(params[match["name"]] if is_named else next(values), vendor)
        except (KeyError, StopIteration):
            raise NoSQL(f"a {match[0]} for which it has no value") from None

    def of_sqlite(match: re.Match[str]) -> str:
        if not match["mark"] or is_named != (match["name"] is not None):
            return match[0]
        value = params.get(match["name"], _NO_VALUE) if is_named else next(values, _NO_VALUE)
        return match[0] if value is _NO_VALUE else write(value, vendor)

    if vendor == "postgresql":
        return _MARK.sub(of_psycopg2, sql)
    # As Django does it. Within quotes SQLite sees no mark, and those without a value it refuses.
    if is_named:
        sql = sql % {name: f":{name}" for name in params}
    else:
        sql = _QUESTION.sub("?", sql).replace("%%", "%")
    return _TEXT_OR_MARK.sub(of_sqlite, sql)


def text(value: str) -> str:
    """Return text between quotes. Raises NotQuotable for a NUL or a lone surrogate."""
    # The text itself, whatever str() says: of a member of an Enum that would be its name.
    return "'" + checked(str.__str__(value)).replace("'", "''") + "'"


def block(body: str) -> str:
    """Return a block of PL/pgSQL, whose quotes are none that its body has."""
    return f"DO {in_dollars(f' {body} ', 'migrator')}"


def in_dollars(value: str, tag: str) -> str:
    """Return text for PostgreSQL between dollar quotes, which begin with ``tag``."""
    number, quote = 0, f"${tag}$"
    while quote in f"{value}$":  # the text may end in what is the quote but for its last sign
        number += 1
        quote = f"${tag}{number}$"
    return f"{quote}{value}{quote}"


def comment(value: str) -> str:
    """Return text as a comment of one line, whatever is in it."""
    shown = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in value
    )
    return f"-- {shown}"


def _on_postgresql(value: Any) -> str:
    """Return a value as psycopg2 writes it, so that it has the same type: 1.5 is numeric.

    psycopg2 itself writes text, and what holds text, as the server wants it that it has met last.
    """
    for kind, write in _OF_POSTGRESQL.items():
        if isinstance(value, kind):
            return write(value)
    if hasattr(value, "adapted") and hasattr(value, "dumps"):  # psycopg2's Json, and Django's Jsonb
        return text(value.dumps(value.adapted)) + "::jsonb" * (type(value).__name__ == "Jsonb")
    if isinstance(held := getattr(value, "adapted", None), _BYTES):  # psycopg2's Binary
        return literal(held, "postgresql")
    if hasattr(value, "addr"):  # psycopg2's Inet
        return f"{text(value.addr)}::inet"
    # The others have nothing in them that a server would have to quote.
    if isinstance(value, float | Decimal | date | time | timedelta) or hasattr(value, "upper_inc"):
        from psycopg2.extensions import adapt  # type: ignore[import-untyped]

        written = adapt(value).getquoted().decode().strip()
        return f"({written})" if written.startswith("-") else str(written)
    raise UnknownKind(value)


def _array(values: list[Any]) -> str:
    if nothing := _of_nothing(values):
        return f"'{nothing}'"
    return f"ARRAY[{_in_a_row(values)}]"


def _hstore(words: dict[str, str | None]) -> str:
    keys, values = (literal([*part], "postgresql") for part in (words.keys(), words.values()))
    return f"hstore({keys}::text[], {values}::text[])"


def _in_a_row(values: Iterable[Any]) -> str:
    return ", ".join(literal(value, "postgresql") for value in values)


# In this order: a bool is an int too.
_OF_POSTGRESQL: dict[Any, Callable[[Any], str]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    str: text,
    int: lambda value: str(int(value)) if value >= 0 else f"({int(value)})",
    _BYTES: lambda value: f"'\\x{bytes(value).hex()}'::bytea",
    list: _array,
    tuple: lambda values: f"({_in_a_row(values)})",
    dict: _hstore,
    UUID: lambda value: f"{text(str(value))}::uuid",
}


def _of_nothing(values: list[Any]) -> str | None:
    """Return a list that holds nothing but NULL, of which no type can be told; else None."""
    parts = []
    for value in values:
        part = _of_nothing(value) if isinstance(value, list) else value is None and "NULL"
        if not part:
            return None
        parts.append(part)
    return f"{{{','.join(parts)}}}"


def _on_sqlite(value: Any) -> str:
    for kind, write in _OF_SQLITE.items():
        if isinstance(value, kind):
            return write(value)
    raise UnknownKind(value)


def _text_of_sqlite(value: str) -> str:
    # The shell takes away the CR of each CRLF that it reads.
    lines = text(value).split("\r\n")
    return lines[0] if len(lines) == 1 else f"({_CRLF.join(lines)})"


def _float_of_sqlite(value: float) -> str:
    written = repr(value)
    if written == "nan":
        return "NULL"  # as the driver does
    if 0 < abs(value) < _TINY:  # SQLite would read the last digit wrong
        return f"({value * _SCALE!r} / {_SCALE!r})"
    return written.replace("inf", "9e999")


_OF_SQLITE: dict[Any, Callable[[Any], str]] = {
    bool: lambda value: str(int(value)),
    str: _text_of_sqlite,
    int: lambda value: str(int(value)),
    float: _float_of_sqlite,
    _BYTES: lambda value: f"X'{bytes(value).hex()}'",
    Decimal | date | time: lambda value: text(str(value)),  # as Django's adapters have it
}
