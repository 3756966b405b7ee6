"""What is in a table, in a few numbers: rows, a checksum of each column, sums of money.

A checksum is over the pairs of key and canonical value, so that two values that changed places are
found, and NULL, empty text and zero are three things. Two checksums are comparable on one engine:
PostgreSQL adds hashes and needs no order; SQLite has no hash, so its rows stream through Python.
"""

import hashlib
import marshal
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

BATCH = 250  # rows that are in memory at once; more are slower, being beyond the caches
ZERO = Decimal(0)
PLAIN = 2  # the format in which marshal writes a value without looking at others


class Measures(TypedDict):
    """What is in a table: a checksum of each column, sums of some."""

    rows: int
    checksums: dict[str, str]
    sums: dict[str, Decimal]


def measure(
    connection: BaseDatabaseWrapper, source: str, columns: Sequence[str], sums: Sequence[str] = ()
) -> Measures:
    """Return what is in a table.

    source: what may stand after FROM, with a column ``id``. columns: names of its columns. sums:
    those of them that hold money; what is no number there counts as nothing.
    """
    with_engine = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with connection.cursor() as cursor:
        return with_engine(cursor, connection.ops.quote_name, source, columns, sums)


def _on_postgresql(
    cursor: CursorWrapper,
    quote: Callable[[str], str],
    source: str,
    columns: Sequence[str],
    sums: Sequence[str],
) -> Measures:
    key = f"CAST({quote('id')} AS bigint)"
    wanted = ["count(*)"]
    for name in columns:
        # The key is the seed; NULL is no text's hash.
        text = f"hashtextextended(CAST({quote(name)} AS text), {key})"
        wanted.append(f"sum(coalesce({text}, hashint8extended({key}, 1)))")
    wanted += [f"sum({quote(name)})" for name in sums]
    cursor.execute(f"SELECT {', '.join(wanted)} FROM {source}")
    rows, *values = cursor.fetchone()
    hashes, totals = values[: len(columns)], values[len(columns) :]
    return {
        "rows": rows,
        "checksums": {
            name: f"{int(value or 0) % 2**64:016x}"
            for name, value in zip(columns, hashes, strict=True)
        },
        "sums": {name: Decimal(value or 0) for name, value in zip(sums, totals, strict=True)},
    }


def _on_sqlite(
    cursor: CursorWrapper,
    quote: Callable[[str], str],
    source: str,
    columns: Sequence[str],
    sums: Sequence[str],
) -> Measures:
    # The sign keeps Django's converters away, which know a column by its declared type.
    names = [quote("id"), *(f"+{quote(name)}" for name in columns)]
    cursor.execute(f"SELECT {', '.join(names)} FROM {source} ORDER BY {quote('id')}")
    digests = [hashlib.blake2b(digest_size=8) for _ in columns]
    # A counter, since few are all different.
    amounts: dict[int, Counter[Any]] = {columns.index(name): Counter() for name in sums}
    rows = 0
    while batch := cursor.fetchmany(BATCH):
        rows += len(batch)
        keys, *values = zip(*batch, strict=True)
        of_keys = hashlib.blake2b(marshal.dumps(keys, PLAIN), digest_size=8).digest()
        for digest, column in zip(digests, values, strict=True):
            digest.update(of_keys + marshal.dumps(column, PLAIN))
        for place, counted in amounts.items():
            counted.update(values[place])
    return {
        "rows": rows,
        "checksums": {
            name: digest.hexdigest() for name, digest in zip(columns, digests, strict=True)
        },
        "sums": {
            columns[place]: sum((_number(value) * times for value, times in counted.items()), ZERO)
            for place, counted in amounts.items()
        },
    }


def _number(value: Any) -> Decimal:
    if value is None:
        return ZERO
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        return ZERO
    return number if number.is_finite() else ZERO
