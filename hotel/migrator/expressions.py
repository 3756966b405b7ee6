"""Expressions that mean the same on SQLite and PostgreSQL; append-only: migrations import them.

All of them compile to SQL that plain ``psql`` and ``sqlite3`` have.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, partial, reduce
from operator import or_
from typing import Any, Self, cast

from django.conf import settings
from django.core.exceptions import FieldError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    Expression,
    Field,
    FloatField,
    Func,
    IntegerField,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Exact, GreaterThan
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

FEW_DAYS = 3 * 24 * 60 * 60  # seconds; no zone has ever changed its clocks twice within them


class IsDistinctFrom(Func):
    """Whether two values differ, NULL being a value like any other.

    Texts differ when their characters do, whatever a collation or citext takes for equal: to write
    "ANN" over "Ann" is a change.
    """

    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "
    sqlite_joiner = " IS NOT "
    arity = 2
    output_field = BooleanField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to ``IS NOT``, which every SQLite understands."""
        exact = self._exact("%(expressions)s COLLATE BINARY")
        return exact.as_sql(compiler, connection, arg_joiner=self.sqlite_joiner, **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile with both texts as ``text``, in a collation that compares bytes."""
        exact = self._exact('CAST(%(expressions)s AS text) COLLATE "C"')
        return exact.as_sql(compiler, connection, **context)

    def _exact(self, template: str) -> Self:
        """Return a copy whose operands, if they are texts, are put into ``template``."""
        sources = self.get_source_expressions()
        try:
            fields = [one._output_field_or_none for one in sources]
        except FieldError:  # numbers of several kinds
            return self
        known = [field for field in fields if field is not None]  # of NULL there is none
        if not known or not all(isinstance(field, CharField | TextField) for field in known):
            return self
        clone = self.copy()
        clone.set_source_expressions(
            [Func(one, template=template, output_field=TextField()) for one in sources]
        )
        return clone


class IsNotDistinctFrom(IsDistinctFrom):
    """Whether two values are the same, NULL being a value like any other."""

    arg_joiner = " IS NOT DISTINCT FROM "
    sqlite_joiner = " IS "


class AsText(Func):
    """The canonical text of a value, as the archive keeps it; NULL stays NULL."""

    template = "CAST(%(expressions)s AS text)"
    arity = 1
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile numbers with a point to one text for one number, which tells it from every other.

        SQLite's own has 15 digits, and tells 7.0 from 7 although a column of money makes them one.
        """
        [value] = self.source_expressions
        try:
            may_have_a_point = isinstance(value.output_field, DecimalField | FloatField)
        except FieldError:
            may_have_a_point = True  # nobody knows
        if not may_have_a_point:
            return self.as_sql(compiler, connection, **context)
        return self.as_sql(
            compiler,
            connection,
            template="(SELECT CASE WHEN typeof(v) <> 'real' THEN CAST(v AS text)"
            " WHEN v = CAST(v AS integer) THEN CAST(CAST(v AS integer) AS text)"
            " WHEN v = CAST(CAST(v AS text) AS real) THEN CAST(v AS text)"
            # char(37) is the sign that marks a parameter
            " ELSE replace(printf(char(37) || '!.17g', v), 'Inf', '9e999') END"
            " FROM (SELECT %(expressions)s AS v))",
            **context,
        )


class FromText(Func):
    """The value of a column's type that ``AsText`` made text of."""

    arity = 1

    def __init__(self, expression: Any, field: "Field[Any, Any]") -> None:
        """``field``: the model field whose column the text came from."""
        super().__init__(expression, output_field=field)
        self.column_of = field

    def as_sql(  # type: ignore[override]  # its options are in the context
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to a cast to the column's own type."""
        column_type = self.column_of.db_type(connection) or ""
        if column_type.startswith("varchar("):
            column_type = "varchar"  # a cast to its length would cut the text without a word
        return super().as_sql(
            compiler, connection, template=f"CAST(%(expressions)s AS {column_type})", **context
        )

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to what the column would make of the text; SQLite keeps dates as text."""
        numbers = ("bool", "integer", "bigint", "smallint", "decimal", "real")
        column_type = self.column_of.db_type(connection)
        template = "%(expressions)s"
        if column_type in numbers:
            template = "CAST(%(expressions)s AS numeric)"
        elif column_type == "BLOB":
            template = "CAST(%(expressions)s AS blob)"
        return super().as_sql(compiler, connection, template=template, **context)


class AsciiLower(Func):
    """Text with A to Z made small and every other character left alone, on both engines."""

    function = "LOWER"
    arity = 1
    output_field = TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile with the C collation: PostgreSQL's own LOWER() depends on the server's locale."""
        return self.as_sql(
            compiler, connection, template='LOWER((%(expressions)s) COLLATE "C")', **context
        )


def mentions(text: Any, *words: str) -> Q:
    """Return the condition that ``text`` contains one of ``words``, in capitals or not.

    ``words``: ASCII in small letters. NULL contains nothing.
    """
    small = AsciiLower(Coalesce(text, Value("")))
    return reduce(or_, (Q(GreaterThan(StrIndex(small, Value(word)), 0)) for word in words))


def translate(value: Any, words: dict[str, str], *, otherwise: Any) -> Case:
    """Return ``words[value]``, or ``otherwise`` where the value is NULL or not among the keys.

    The comparison is exact: no trimming, no case folding. ``words``: a dict of text to text.
    ``otherwise``: text or an expression, for instance ``value`` itself.
    """
    if isinstance(otherwise, str):
        otherwise = Value(otherwise)
    whens = [When(Exact(value, Value(old)), then=Value(new)) for old, new in words.items()]
    return Case(*whens, default=otherwise, output_field=TextField())


class Instant(Func):
    """The value of a ``NaiveUTCDateTimeField`` as Django's own functions take it to be.

    ``TruncDay(Instant("created_at"))`` is the day in the hotel; of the bare column, PostgreSQL
    would take the clock, which is UTC, for the hotel's.
    """

    template = "%(expressions)s"
    arity = 1
    output_field = DateTimeField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to a timestamp with time zone; on SQLite every instant is in UTC already."""
        return self.as_sql(
            compiler, connection, template="(%(expressions)s AT TIME ZONE 'UTC')", **context
        )


class DaysBetween(Func):
    """The number of days from one date to another, negative if the other is the earlier one.

    Of arrival and departure: the nights.
    """

    arity = 2
    output_field = IntegerField()

    def as_sql(  # type: ignore[override]  # its options are in the context
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to a difference of dates."""
        return self._difference(compiler, "(%s - %s)")

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to a difference of Julian days; SQLite keeps dates as text."""
        return self._difference(compiler, "CAST(julianday(%s) - julianday(%s) AS integer)")

    def _difference(self, compiler: SQLCompiler, template: str) -> tuple[str, Any]:
        (start, start_params), (end, end_params) = map(compiler.compile, self.source_expressions)
        return template % (end, start), (*end_params, *start_params)


class FromSetting(Value):
    """A constant that a setting of the project has when it is written into the schema.

    As a ``db_default`` it stays what it was at that time; migrations name the setting, not its
    value, so that they are the same for every hotel.
    """

    def __init__(self, name: str) -> None:
        Expression.__init__(self, output_field=TextField())
        self.name = name

    @property
    def value(self) -> Any:
        """Return what the setting is now."""
        return getattr(settings, self.name)


class IsCurrencyCode(Func):
    """Whether text is three capitals from A to Z, as in ISO 4217; NULL is NULL."""

    template = "((%(expressions)s) COLLATE \"C\" ~ '^[A-Z][A-Z][A-Z]$')"
    arity = 1
    output_field = BooleanField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to GLOB: plain sqlite3 has no regular expressions."""
        return self.as_sql(
            compiler, connection, template="(%(expressions)s GLOB '[A-Z][A-Z][A-Z]')", **context
        )


class LocalDate(Func):
    """The date of an instant by the clocks of the hotel, whose time zone is Django's current one.

    NULL where the calendar has no such date: for NULL, infinity, text that is no instant, and the
    hours by which the zone is past either end of the calendar. Of a zone with summer time the rule
    of today is followed until 2100 on SQLite, which knows no zones: they are written out there.
    """

    arity = 1
    output_field = DateField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to ``AT TIME ZONE``, for a timestamp with time zone."""
        sql, params = compiler.compile(self.source_expressions[0])
        zone = timezone.get_current_timezone_name()
        return (
            "(SELECT CASE WHEN t >= '0001-01-01' AND t < '10000-01-01' THEN CAST(t AS date) END"
            f" FROM (SELECT ({sql}) AT TIME ZONE '{zone}') AS local(t))",
            params,
        )

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to ``date()`` with as many seconds as the zone was from UTC at that time."""
        sql, params = compiler.compile(self.source_expressions[0])
        (_, first), *later = _offsets(timezone.get_current_timezone())
        begin = datetime.min - min(first, timedelta(0))
        whens = [f"WHEN u < '{begin.isoformat(' ')}' THEN NULL"]
        for since, offset in reversed(later):
            whens.append(f"WHEN u >= '{since.isoformat(' ')}' THEN {_seconds(offset)}")
        return (
            f"(SELECT date(u, CASE {' '.join(whens)} ELSE {_seconds(first)} END)"
            # Without its fraction of a second, which SQLite rounds, up to the next day too.
            " FROM (SELECT CASE WHEN t GLOB '[0-9][0-9][0-9][0-9]-*' THEN"
            " datetime(substr(t, 1, 19) || ltrim(substr(t, 20), '.0123456789')) END AS u"
            # LIMIT, or SQLite would put the text in the place of u and read it for each comparison.
            f" FROM (SELECT {sql} AS t) LIMIT 1))",
            params,
        )


def _seconds(offset: timedelta) -> str:
    return f"'{offset // timedelta(seconds=1):+d} seconds'"


@cache
def _offsets(zone: tzinfo) -> list[tuple[datetime, timedelta]]:
    """Return ``(since, offset from UTC)`` of a zone in order, the times in UTC.

    zoneinfo does not tell when clocks were changed: it is asked every few days, from before there
    were zones until 2100, and then about the seconds of the days between which they were.
    """

    def offset(moment: datetime, seconds: int = 0) -> timedelta:
        moment = moment.replace(tzinfo=UTC) + timedelta(seconds=seconds)
        return cast(timedelta, moment.astimezone(zone).utcoffset())

    def is_changed(moment: datetime, seconds: int) -> bool:
        return offset(moment, seconds) != offset(moment)

    day = datetime(1800, 1, 1)
    offsets = [(day, offset(day))]
    while day < datetime(2100, 1, 1):
        if is_changed(day, FEW_DAYS):
            seconds = bisect_left(range(FEW_DAYS), True, key=partial(is_changed, day))
            offsets.append((day + timedelta(seconds=seconds), offset(day, seconds)))
        day += timedelta(seconds=FEW_DAYS)
    return offsets
