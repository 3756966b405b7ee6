"""Values that no table of this history can hold, found before anything is changed.

Each kind of field has its own question on each engine.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import models

from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.adopt.shapes import Legacy, Recognised
from hotel.migrator.sql.parsing import quoted

SHOWN = 5  # keys of rows that are named

DAY = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"

MICROSECONDS = ".[0-9][0-9][0-9][0-9][0-9][0-9]"

TEXTS = (models.CharField, models.TextField)

NO_VALUE = "a value of another kind"


class Doubt(NamedTuple):
    """What may be wrong with the values of a column."""

    is_refused: bool  # or only worth a look
    says: str  # what the rows have that hold them
    sql: str  # the condition that finds them


Fields = dict[str, Any]  # the fields of a table of this history, by column


def unfit(
    aside: Aside, recognised: Recognised, legacy: Legacy, models_at: dict[str, type[models.Model]]
) -> tuple[list[str], list[str]]:
    """Return what no table of this history can hold, and what it can hold but is worth a look.

    Both are sentences with counts and keys. What refers to rows that are not there is not among
    them.
    """
    refused: list[str] = []
    noted: list[str] = []
    for table, pairs in recognised.tables.items():
        fields = _fields(models_at[legacy.tables[table].becomes])
        if aside.connection.vendor == "sqlite":
            _let_sql_ask(aside, fields)
        doubts = [
            (old, doubt)
            for old, new in pairs
            for doubt in _doubts(fields[new], quoted(old), aside.connection.vendor)
        ]
        for doubt, sentence in _counted(aside, table, doubts):
            (refused if doubt.is_refused else noted).append(sentence)
        refused += _twins(aside, table, pairs, fields)
    return refused, noted


def unreadable(
    aside: Aside, recognised: Recognised, legacy: Legacy, models_at: dict[str, type[models.Model]]
) -> list[str]:
    """Return sentences on texts of SQLite that nobody can read, which measuring has met.

    They are so rare, and looking for them so slow, that nobody looks before.
    """
    sentences = []
    for table, pairs in recognised.tables.items():
        fields = _fields(models_at[legacy.tables[table].becomes])
        _let_sql_ask(aside, fields)
        names = {old: new for old, new in pairs if isinstance(fields[new], TEXTS)}
        kept = (name.partition(".") for name in recognised.kept)
        names |= {column: "" for of_table, _, column in kept if of_table == table}
        doubts = [(old, _no_text(new, quoted(old))) for old, new in names.items()]
        sentences += [sentence for _, sentence in _counted(aside, table, doubts)]
    return sentences


def _fields(model: type[models.Model]) -> Fields:
    return {str(one.column): one for one in model._meta.local_concrete_fields}


def _counted(
    aside: Aside, table: str, doubts: list[tuple[str, Doubt]]
) -> Iterator[tuple[Doubt, str]]:
    """Yield the doubts about columns that are justified, each with a sentence.

    One look is quicker than counting each, and nearly always enough.
    """
    here = aside.here(table)
    is_any = " OR ".join(f"({doubt.sql})" for _, doubt in doubts) or "1 = 0"
    if not aside.rows(f"SELECT 1 FROM {here} WHERE {is_any} LIMIT 1"):
        return
    wanted = ", ".join(f"count(CASE WHEN {doubt.sql} THEN 1 END)" for _, doubt in doubts)
    [counts] = aside.rows(f"SELECT {wanted} FROM {here}")
    for (column, doubt), count in zip(doubts, counts, strict=True):
        if count:
            keys = _keys(aside, here, doubt.sql)
            rows = "1 row" if count == 1 else f"{count} rows"
            yield doubt, f"{table}.{column}: {rows} with {doubt.says} ({keys})."


def _doubts(one: Any, column: str, vendor: str) -> Iterator[Doubt]:
    """Yield what may be wrong with the values of a column."""
    if not one.null and not one.is_relation:
        yield Doubt(True, "no value, where one is needed", f"{column} IS NULL")
    looks = ON_POSTGRESQL if vendor == "postgresql" else ON_SQLITE
    look = next((look for kinds, look in looks if isinstance(one, kinds)), None)
    if look:
        yield from look(one, column)


def _number_on_postgresql(one: Any, column: str) -> Iterator[Doubt]:
    yield Doubt(True, "a value that is no number", f"{column} = 'NaN'")


def _day_on_postgresql(one: Any, column: str) -> Iterator[Doubt]:
    # Infinity is beyond all days, and Python knows no others.
    yield Doubt(
        True,
        "a date outside the years 1 to 9999",
        f"{column} < make_date(1, 1, 1) OR {column} >= make_date(9999, 12, 31) + 1",
    )


# SQLite keeps any value in any column. It orders numbers before texts before bytes, and a
# comparison is the quickest way to ask; of NULL it is not true. A text that looks like a number
# would be compared as one.


def _flag_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    yield Doubt(True, NO_VALUE, f"{column} NOT IN (0, 1)")


def _amount_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    limit = 10 ** (one.max_digits - one.decimal_places) - 1
    yield Doubt(True, NO_VALUE, f"{column} >= ''")
    yield Doubt(
        True,
        "an amount too big for the column",
        f"{column} < '' AND {column} NOT BETWEEN {-limit} AND {limit}"
        f" AND NOT django_reads('{one.column}', {column})",
    )
    yield Doubt(
        False,
        f"more than {one.decimal_places} decimals, which are kept",
        f"typeof({column}) = 'real' AND round({column}, {one.decimal_places}) <> {column}",
    )


def _moment_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    # Nearly all are as the legacy system wrote them, and for these the quickest look is enough: a
    # moment that SQLite reads, on a day that each month has.
    plain, size = f"substr({column}, 1, 19)", f"length(CAST({column} AS BLOB))"
    quick = (
        f"julianday({column}) IS NOT NULL AND {size} = 26"
        f" AND substr({column}, 9, 2) < '29' AND substr({column}, 12, 2) BETWEEN '00' AND '23'"
        f" AND substr({column}, 20) GLOB '{MICROSECONDS}' AND {column} >= '0001-01-01'"
    )
    # Only with a modifier does SQLite see that February has no day 31.
    usual = (
        f"datetime({plain}, '+0 days') = {plain} AND {column} >= '0001-01-01'"
        f" AND {size} IN (19, 26) AND ({size} = 19 OR {column} GLOB '{'?' * 19}{MICROSECONDS}')"
    )
    # What is written otherwise, both must read: SQL of later migrations and Python.
    other = (
        f"typeof({column}) = 'text' AND {column} GLOB '{DAY}*' AND datetime({column}) IS NOT NULL"
        f" AND django_reads('{one.column}', CAST({column} AS BLOB))"
    )
    yield Doubt(
        True,
        NO_VALUE,
        f"CASE WHEN {column} IS NULL OR {quick} OR {usual} THEN 0 ELSE NOT ({other}) END",
    )


def _day_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    yield Doubt(
        True,
        NO_VALUE,
        f"{column} IS NOT NULL"
        f" AND (date({column}, '+0 days') IS NOT {column} OR {column} < '0001-01-01')",
    )


def _number_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    # INT PRIMARY KEY, unlike INTEGER, takes anything.
    what = "a key that is no whole number" if one.primary_key else NO_VALUE
    yield Doubt(True, what, f"{column} >= '' OR typeof({column}) = 'real'")


def _text_on_sqlite(one: Any, column: str) -> Iterator[Doubt]:
    yield Doubt(True, NO_VALUE, f"{column} >= x'' OR {column} < ''")
    if one.max_length:
        yield Doubt(
            False,
            f"a text longer than {one.max_length} characters, which is kept",
            f"length({column}) > {one.max_length}",
        )


def _no_text(name: str, column: str) -> Doubt:
    """Return the doubt whether a text is in the encoding of the database."""
    # Only of what is not plain is Python asked. A pattern ends at a character 0, as a length does.
    return Doubt(
        True,
        "text that cannot be read",
        f"{column} >= '' AND {column} < x'' AND"
        f" ({column} GLOB '*[^' || char(1) || '-' || char(127) || ']*'"
        f" OR length({column}) <> length(CAST({column} AS BLOB)))"
        f" AND NOT django_reads('{name}', CAST({column} AS BLOB))",
    )


# The first that fits; an instant is a day to Django, too.
Looks = tuple[tuple[Any, Callable[[Any, str], Iterator[Doubt]]], ...]
ON_POSTGRESQL: Looks = (
    (models.DecimalField, _number_on_postgresql),
    (models.DateField, _day_on_postgresql),
)

ON_SQLITE: Looks = (
    (models.BooleanField, _flag_on_sqlite),
    (models.DecimalField, _amount_on_sqlite),
    (models.DateTimeField, _moment_on_sqlite),
    (models.DateField, _day_on_sqlite),
    ((models.IntegerField, models.ForeignKey), _number_on_sqlite),
    (TEXTS, _text_on_sqlite),
)


def _let_sql_ask(aside: Aside, fields: Fields) -> None:
    """Give SQL on SQLite ``django_reads(column, value)``: whether the field reads what is there.

    value: bytes for a text, which SQLite hands over without looking at them. What is no field must
    only be a text.
    """
    connection = aside.connection
    [(encoding,)] = aside.rows("PRAGMA encoding")
    converters = {
        name: [
            *connection.ops.get_db_converters(one.cached_col),
            *one.cached_col.get_db_converters(connection),
        ]
        for name, one in fields.items()
    }

    def reads(name: str, value: Any) -> bool:
        try:
            if isinstance(value, bytes):
                value = value.decode(encoding)
            for convert in converters.get(name, ()):
                value = convert(value, fields[name].cached_col, connection)
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            return False
        return value is not None

    connection.ensure_connection()
    connection.connection.create_function("django_reads", 2, reads, deterministic=True)


def _twins(aside: Aside, table: str, pairs: Sequence[tuple[str, str]], fields: Fields) -> list[str]:
    """Return the columns that must be unique here and are not."""
    here, sentences = aside.here(table), []
    for old, new in pairs:
        if not fields[new].unique or fields[new].primary_key:  # a key is one there, too
            continue
        column = quoted(old)
        same = f"SELECT {column} FROM {here} GROUP BY {column} HAVING count({column}) > 1"
        [(count,)] = aside.rows(f"SELECT count(*) FROM ({same}) AS twins")
        if count:
            keys = _keys(aside, here, f"{column} IN ({same})")
            values = "1 value" if count == 1 else f"{count} values"
            sentences.append(f"{table}.{old}: {values} used more than once ({keys}).")
    return sentences


def _keys(aside: Aside, here: str, condition: str) -> str:
    key = "quote(id)" if aside.connection.vendor == "sqlite" else "id"  # there, it may be anything
    keys = aside.rows(f"SELECT {key} FROM {here} WHERE {condition} ORDER BY id LIMIT {SHOWN + 1}")
    shown = ", ".join(str(key) for (key,) in keys[:SHOWN])
    return f"id {shown}{' …' if len(keys) > SHOWN else ''}"
