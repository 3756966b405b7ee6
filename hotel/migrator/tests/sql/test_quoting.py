"""What a script says arrives as it was meant, byte for byte, by ``psql`` and ``sqlite3``."""

import math
import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange, Inet, Jsonb, NumericRange
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg2 import Binary

from hotel.migrator.script.offline import WRITERS, Range
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import NotQuotable, literal, text, written_out
from hotel.migrator.tests import shells
from hotel.tests import stress

EXAMPLES = 7 * stress.ROUNDS or 5
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PIECES = [
    *(
        "'",
        "''",
        '"',
        "\\",
        "\\\\",
        "%",
        "%%",
        "%s",
        "%(a)s",
        "$$",
        "$1",
        "$migrator$",
        "$migrator",
    ),
    *(
        "$said$",
        ";",
        "\n",
        "\r",
        "\r\n",
        "\n;\n",
        "--",
        "\n-- ",
        "/*",
        "*/",
        "/* */",
        ":name",
        ":'x'",
    ),
    *(
        ':"x"',
        "\n.quit\n",
        "\n.bail off",
        "\n\\q\n",
        "\\! false",
        "\n/\n",
        "\ngo\n",
        "#",
        "E'",
        "{}",
    ),
    *("\ufeff", "\u2028", "\x1a", "\x04", "\x7f", "\u00e9", "\U0001f6cf", "e\u0301", "[", "]", "`"),
]
anything = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
texts = st.lists(st.one_of(anything, st.sampled_from(PIECES)), max_size=8).map("".join)


@pytest.fixture
def say(history):
    """Return what runs statements as a script has them, on an empty database."""
    history.at(None)
    writes = WRITERS[connection.vendor](Range((), (), False, "", (), frozenset()), [])

    def run(*statements):
        head = {
            "postgresql": ["\\set ON_ERROR_STOP on", "SET client_min_messages = warning;"],
            "sqlite": [".bail on"],
        }[connection.vendor]
        assert shells.run([*head, *map(writes.statement, statements)]) == (0, "")

    return run


@pytest.mark.stressed
@few
@given(st.lists(texts, min_size=1, max_size=40))
def test_values(history, say, given):
    rows = [
        written_out("INSERT INTO texts (id, said) VALUES (%s, %s)", row, connection.vendor)
        for row in enumerate(given)
    ]
    say("DROP TABLE IF EXISTS texts", "CREATE TABLE texts (id integer, said text)", *rows)
    found = history.execute("SELECT said FROM texts ORDER BY id")
    assert [said for (said,) in found] == given


@pytest.mark.stressed
@few
@given(st.lists(texts, min_size=1, max_size=10))
def test_what_a_statement_says_itself(history, say, given):
    defaults = ", ".join(f"c{place} text DEFAULT {text(one)}" for place, one in enumerate(given))
    say(
        "DROP TABLE IF EXISTS texts",
        f"CREATE TABLE texts (id integer, {defaults})",
        "INSERT INTO texts (id) VALUES (1)",
    )
    assert history.execute("SELECT * FROM texts") == [(1, *given)]


@pytest.mark.stressed
@few
@given(st.lists(texts.filter(bool), min_size=1, max_size=10))
def test_names(history, say, given):
    given = list({one.encode()[:40].decode(errors="ignore").lower() or "x": 1 for one in given})
    columns = ", ".join(f"{quoted(one)} integer" for one in given)
    say(
        "DROP TABLE IF EXISTS texts",
        f"CREATE TABLE texts ({columns})",
        *(f"CREATE INDEX {quoted(f'i {one}')} ON texts ({quoted(one)})" for one in given),
    )
    assert [name for (name,) in history.execute(COLUMNS[connection.vendor])] == given
    found = history.execute(INDEXES[connection.vendor])
    assert sorted(name for (name,) in found) == sorted(f"i {one}" for one in given)


COLUMNS = {
    "postgresql": "SELECT attname FROM pg_attribute"
    " WHERE attrelid = 'texts'::regclass AND attnum > 0 ORDER BY attnum",
    "sqlite": "SELECT name FROM pragma_table_info('texts') ORDER BY cid",
}
INDEXES = {
    "postgresql": "SELECT indexname FROM pg_indexes WHERE tablename = 'texts'",
    "sqlite": "SELECT name FROM pragma_index_list('texts')",
}


@pytest.mark.stressed
@pytest.mark.postgresql
@few
@given(texts)
def test_functions_that_are_called(history, say, given):
    say(
        "DROP TABLE IF EXISTS texts",
        "CREATE TABLE texts (said text)",
        "CREATE OR REPLACE FUNCTION keep(one text) RETURNS text LANGUAGE sql AS"
        " 'INSERT INTO texts VALUES (one) RETURNING said'",
        f"select keep({text(given)}) -- {given.splitlines()[0] if given.splitlines() else ''}",
    )
    assert history.execute("SELECT said FROM texts") == [(given,)]


# Other values than text


@pytest.mark.stressed
@few
@example([(-0.0, "double precision")])
@given(
    st.lists(
        st.one_of(
            st.integers(-(2**63), 2**63 - 1).map(lambda value: (value, "bigint")),
            st.floats(allow_nan=False).map(lambda value: (value, "double precision")),
            st.binary(max_size=20).map(lambda value: (value, "bytea")),
            st.booleans().map(lambda value: (value, "bool")),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_numbers_and_bytes(history, say, given):
    columns = ", ".join(f"c{place} {kind}" for place, (_, kind) in enumerate(given))
    values = [value for value, _ in given]
    written = ", ".join(literal(value, connection.vendor) for value in values)
    say(
        "DROP TABLE IF EXISTS many",
        f"CREATE TABLE many ({columns})",
        f"INSERT INTO many VALUES ({written})",
    )
    history.execute(f"INSERT INTO many VALUES ({', '.join(['%s'] * len(values))})", values)
    script, driver = ([*map(_bits, row)] for row in history.execute("SELECT * FROM many"))
    assert script == driver
    # The driver loses the sign of -0.0 on both engines, and so does the script.
    assert script == [_bits(value if value != 0.0 else abs(value)) for value in values]


def _bits(value):
    if isinstance(value, memoryview):
        return bytes(value)
    return struct.pack("d", value) if isinstance(value, float) else value


OF_POSTGRESQL = [
    (Decimal("1.50"), "numeric"),
    (Decimal("-1E+30"), "numeric"),
    (Decimal("NaN"), "numeric"),
    (Decimal("Infinity"), "numeric"),
    (math.nan, "double precision"),
    (-math.inf, "double precision"),
    (10**40, "numeric"),
    (date(1, 1, 1), "date"),
    (date(999, 12, 31), "date"),
    (datetime(987, 6, 5, 4, 3, 2, 1), "timestamp"),
    (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "timestamptz"),
    (time(23, 59, 59, 999999), "time"),
    (timedelta(days=-1, microseconds=5), "interval"),
    (UUID(int=5), "uuid"),
    (memoryview(b"\0'\\"), "bytea"),
    (Binary(b"\0'\\"), "bytea"),
    (Binary(memoryview(b"")), "bytea"),
    ([Binary(b"x"), None], "bytea[]"),
    (Jsonb({"a": ["'", "\\", "$$", None, 1.5]}), "jsonb"),
    (["a'", "b\\", None, ""], "text[]"),
    ([[1, None], [2, 3]], "integer[]"),
    ([], "integer[]"),
    ([None], "integer[]"),
    ([[None], [None]], "integer[]"),
    (DateRange(date(900, 1, 1), None), "daterange"),
    (NumericRange(-1, 5, "(]"), "int4range"),
    (NumericRange(empty=True), "int4range"),
    (Inet("10.0.0.0/8"), "inet"),
]


@pytest.mark.postgresql
def test_kinds_of_postgresql(history, say):
    columns = ", ".join(f"c{place} {kind}" for place, (_, kind) in enumerate(OF_POSTGRESQL))
    values = [value for value, _ in OF_POSTGRESQL]
    written = ", ".join(literal(value, "postgresql") for value in values)
    say(f"CREATE TABLE many ({columns})", f"INSERT INTO many VALUES ({written})")
    history.execute(f"INSERT INTO many VALUES ({', '.join(['%s'] * len(values))})", values)
    names = ", ".join(f"c{place}::text" for place in range(len(values)))
    script, driver = history.execute(f"SELECT {names} FROM many")
    assert script == driver


@pytest.mark.postgresql
def test_words_of_an_hstore(history, say):
    words = {"a": None, "b'": "c\\", "$$": ""}
    say(
        "CREATE EXTENSION hstore",
        "CREATE TABLE one (value hstore)",
        f"INSERT INTO one VALUES ({literal(words, 'postgresql')}), ({literal({}, 'postgresql')})",
    )
    found = history.execute("SELECT akeys(value), avals(value) FROM one")
    assert [dict(zip(keys, values, strict=True)) for keys, values in found] == [words, {}]


@pytest.mark.postgresql
def test_a_value_has_the_type_that_the_driver_gives_it(history, say):
    values = [1.5, Decimal("2"), -7, date(2026, 1, 1), True, UUID(int=1), timedelta(1), ["a"]]
    kinds = ", ".join(f"pg_typeof({literal(value, 'postgresql')})::text" for value in values)
    say(f"CREATE VIEW kinds AS SELECT ARRAY[{kinds}] AS kinds")
    kinds = ", ".join(["pg_typeof(%s)::text"] * len(values))
    assert history.execute("SELECT * FROM kinds") == history.execute(
        f"SELECT ARRAY[{kinds}]", values
    )


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "\udcff\udfff", "x\udc80"], ids=ascii)
def test_what_no_database_takes_is_refused(value):
    for vendor in ("postgresql", "sqlite"):
        with pytest.raises(NotQuotable, match=r"which no (database takes|script can hold)"):
            literal(value, vendor)


# Signs for values, as the driver and Django read them


@pytest.mark.parametrize(
    "sql, values, written",
    [
        ("SELECT %s, '%%'", [1], "SELECT 1, '%'"),
        ("SELECT %(a b)s", {"a b": "%s"}, "SELECT '%s'"),
        ("SELECT '%s %% %(a)s'", None, "SELECT '%s %% %(a)s'"),
    ],
)
def test_a_sign_is_its_value_on_postgresql(sql, values, written):
    assert written_out(sql, values, "postgresql") == written


@pytest.mark.parametrize(
    "sql, values, sign",
    [
        ("SELECT %s", [], "%s"),
        ("SELECT %s, %s", [1], "%s"),
        ("SELECT '5% x'", [], "%"),
        ("SELECT %(a)s", [1], "%(a)s"),
        ("SELECT %(a)s", {"b": 1}, "%(a)s"),
        ("SELECT %s", {"a": 1}, "%s"),
    ],
)
def test_a_sign_without_a_value_is_refused_on_postgresql(sql, values, sign):
    with pytest.raises(NotQuotable) as refusal:
        written_out(sql, values, "postgresql")
    assert str(refusal.value) == f"a {sign} for which it has no value"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "sql, values",
    [
        ("SELECT '5 %s', '%%', '5% x', '%(a)s'", ()),
        ("SELECT 'it''s %s', %s, \"%s\" FROM (SELECT 2 AS \"?\") -- %s", ["%s ? :a"]),
        ("SELECT /* %s */ %s, [?] FROM (SELECT 2 AS `?`)", ["a"]),
        ("SELECT %(a)s, ':a', '%%', %(a)s", {"a": "%(a)s :a"}),
    ],
)
def test_a_sign_is_on_sqlite_what_it_is_to_django(history, sql, values):
    history.at(None)
    said = written_out(sql, values, "sqlite")
    with connection.cursor() as cursor:
        [by_driver] = cursor.execute(sql, values)
        assert [*cursor.execute(said, None)] == [by_driver]


@pytest.mark.sqlite
def test_a_sign_without_a_value_is_left_for_sqlite_to_refuse():
    assert written_out("SELECT %s, %s", [1], "sqlite") == "SELECT 1, ?"
