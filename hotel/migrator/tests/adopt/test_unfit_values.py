"""``db adopt`` refuses, with keys, values that no model could read or no table hold."""

import re
from decimal import Decimal
from itertools import product

import pytest
from django.apps import apps
from django.db import connection
from django.utils.dateparse import parse_date, parse_datetime

from hotel.migrator.adopt import moved_tables, unfit_values
from hotel.migrator.adopt.checksums import measure
from hotel.migrator.scope import own_apps
from hotel.migrator.tests.adopt.adoptions import (
    adopt,
    legacy,
    rows,
)
from hotel.migrator.tests.adopt.adoptions import refusal as refusal_of
from hotel.migrator.tests.legacy_shapes import run
from payments.models import Payment
from reservations.models import Guest

NO_TABLE = "No table of this history can hold what is here, so nothing was changed. "


def refusal():
    """Return why it is refused, which nothing but a look needs to find out."""
    said = refusal_of("--dry-run")
    assert refusal_of() == said
    assert "django_migrations" not in connection.introspection.table_names()
    return said


# Values on SQLite


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "statement, said",
    [
        (
            "payments SET amount = 9e999 WHERE id = 1",
            "payments.amount: 1 row with an amount too big for the column",
        ),
        (
            "payments SET amount = CASE id WHEN 1 THEN 9e999 ELSE -9e999 END WHERE id IN (1, 2)",
            "payments.amount: 2 rows with an amount too big for the column (id 1, 2).",
        ),
        (
            "payments SET amount = 1e300 WHERE id = 1",
            "payments.amount: 1 row with an amount too big for the column",
        ),
        (
            "payments SET amount = -1e10 WHERE id = 1",
            "payments.amount: 1 row with an amount too big for the column",
        ),
        (
            "payments SET amount = 9999999999.996 WHERE id = 1",
            "payments.amount: 1 row with an amount too big for the column (id 1).",
        ),
        (
            "reservations SET check_in_date = '2025-02-31' WHERE id = 3",
            "reservations.check_in_date: 1 row with a value of another kind (id 3).",
        ),
        (
            "payments SET payment_date = '2025-04-31' WHERE id = 3",
            "payments.payment_date: 1 row with a value of another kind (id 3).",
        ),
        (
            "guests SET birth_date = '0000-12-31' WHERE id = 3",
            "guests.birth_date: 1 row with a value of another kind (id 3).",
        ),
        (
            "payments SET updated_at = '2025-02-31 10:00:00.000000' WHERE id = 3",
            "payments.updated_at: 1 row with a value of another kind (id 3).",
        ),
        (
            "guests SET full_name = CAST(x'ff41' AS TEXT) WHERE id = 3",
            "guests.full_name: 1 row with text that cannot be read (id 3).",
        ),
        (
            "guests SET notes = CAST(x'6100ff' AS TEXT) WHERE id = 3",
            "guests.notes: 1 row with text that cannot be read (id 3).",
        ),
    ],
)
def test_what_no_model_could_read_is_refused_with_keys(history, statement, said):
    legacy(history)
    run(f"UPDATE {statement}")
    found = refusal()
    assert found.startswith(NO_TABLE + said)


@pytest.mark.sqlite
def test_a_text_of_a_column_that_no_model_has_must_be_readable_too(history):
    legacy(history)
    run(
        "ALTER TABLE rooms ADD COLUMN level varchar(10)",
        "UPDATE rooms SET level = CAST(x'c3' AS TEXT) WHERE id = 2",
    )
    assert refusal() == NO_TABLE + "rooms.level: 1 row with text that cannot be read (id 2)."


@pytest.mark.sqlite
@pytest.mark.parametrize("key, shown", [("'abc'", "'abc'"), ("2.5", "2.5")])
def test_a_key_that_is_no_number_is_refused(history, key, shown):
    legacy(history)
    with_any_keys("settings")
    run(f"INSERT INTO settings (id, setting_key) VALUES ({key}, 'odd')")
    assert (
        refusal()
        == NO_TABLE + f"settings.id: 1 row with a key that is no whole number (id {shown})."
    )


@pytest.mark.sqlite
def test_a_key_that_is_empty_is_refused(history):
    legacy(history)
    with_any_keys("settings")
    run("INSERT INTO settings (id, setting_key) VALUES (NULL, 'odd')")
    assert (
        refusal() == NO_TABLE + "settings.id: 1 row with no value, where one is needed (id NULL)."
    )


def with_any_keys(table):
    """Make a table anew so that its key is not the number of the row."""
    [(sql,)] = rows(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
    run(
        f"ALTER TABLE {table} RENAME TO old",
        sql.replace("id INTEGER NOT NULL", "id INT"),
        f"INSERT INTO {table} SELECT * FROM old",
        "DROP TABLE old",
    )


@pytest.mark.sqlite
def test_what_is_at_the_limit_is_read_at_head(history):
    legacy(history)
    run(
        "UPDATE payments SET amount = 9999999999.99 WHERE id = 1",
        "UPDATE payments SET amount = 9999999999.994 WHERE id = 2",
        "UPDATE payments SET amount = -9999999999.99 WHERE id = 3",
        "UPDATE guests SET created_at = '0001-01-01 00:00:00', birth_date = '0001-01-01'"
        " WHERE id = 1",
        "UPDATE guests SET created_at = '9999-12-31 23:59:59.999999', birth_date = '9999-12-31'"
        " WHERE id = 2",
        "UPDATE guests SET created_at = '2025-01-01T10:00Z', full_name = 'Łucja 🏨' WHERE id = 3",
        "UPDATE guests SET created_at = '2024-02-29 10:00:00.5+07:00' WHERE id = 4",
    )
    adopt()
    history.climb()
    for model in apps.get_models():
        if model._meta.app_label in own_apps():
            list(model._base_manager.all())
    amounts = Payment.objects.order_by("pk").values_list("amount", flat=True)
    assert list(amounts[:2]) == [Decimal("9999999999.99")] * 2
    assert Guest.objects.get(pk=3).full_name == "Łucja 🏨"


DAYS = (
    "2025-01-31",
    "2024-02-29",
    "2025-02-29",
    "2025-02-31",
    "2025-99-01",
    "2025-00-10",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "20ab-01-01",
    "2025-1-31",
    "20250131",
    "2025-W05-5",
    "2025-03-07",  # a day that each month has takes the quickest way
    "31.12.2025",
    "-2025-01-31",
    "now",
    "",
)
TIMES = (
    "",
    " ",
    "T",
    " 10:00",
    "T10:00",
    "  10:00:00",
    " 10:00:00",
    " 10:00:00.0",
    " 10:00:00.",
    " 10:00:00,500",
    " 10:00:00.123456",
    " 10:00:00.123456789",
    " 10:00:00.12345",
    " 10:00:00.12345x",
    "  10:00:00.12345",
    "  24:00:00.12345",
    " 23:59:59.999999",
    " 24:00:00",
    " 10:70:99.000000",
    " 1x:00:00.000000",
    " 1:00:00",
    " 1000",
)
ENDS = (
    "",
    "Z",
    "Z ",
    "+07:00",
    "+07:00 ",
    "-0700",
    " +07:00",
    "+07",
    "+25:00",
    " ",
    "x",
    "\0",
    "\0x",
)


def verdicts(name, texts):
    """Return which texts would pass as values of a column of guests."""
    one = Guest._meta.get_field(name)
    run("DROP TABLE IF EXISTS texts", f"CREATE TABLE texts (id INTEGER PRIMARY KEY, {name} DATE)")
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO texts ({name}) VALUES (%s)", [[text] for text in texts])
    unfit_values._let_sql_ask(moved_tables.place(connection, "legacy"), {name: one})
    doubts = unfit_values._doubts(one, name, "sqlite")
    [refused] = [doubt.sql for doubt in doubts if "another kind" in doubt.says]
    bad = {key for (key,) in rows(f"SELECT id FROM texts WHERE {refused}")}
    # A text that is a number became one.
    return {text: key not in bad for key, text in enumerate(texts, 1) if not text.isdigit()}


def reads(parse, text):
    try:
        return parse(text) is not None
    except ValueError:
        return False


@pytest.mark.sqlite
def test_an_instant_passes_if_django_and_the_engine_both_read_it(history):
    history.at(None)
    texts = list(dict.fromkeys(map("".join, product(DAYS, TIMES, ENDS))))
    found = verdicts("created_at", texts)
    assert not [
        text for text, passes in found.items() if passes and not reads(parse_datetime, text)
    ]
    both = {
        text
        for text in found
        if reads(parse_datetime, text)
        and re.match(r"\d{4}-\d\d-\d\d", text)
        and rows(f"SELECT datetime({literal(text)})") != [(None,)]
    }
    both.add("9999-12-31 23:59:59.999999")  # the engine may round it to the year 10000
    assert {text for text, passes in found.items() if passes} == both
    assert {
        "2025-01-31T10:00Z",
        "2024-02-29 10:00:00.0+07:00",
        "9999-12-31 23:59:59.999999",
    } <= both


def literal(text):
    return "'" + text.replace("\0", "' || char(0) || '") + "'"


@pytest.mark.sqlite
def test_a_day_passes_if_it_is_one_and_written_as_one(history):
    history.at(None)
    texts = list(dict.fromkeys(map("".join, product(DAYS, TIMES, ENDS))))
    passing = {text for text, passes in verdicts("birth_date", texts).items() if passes}
    assert passing == {"2025-03-07", "2025-01-31", "2024-02-29", "0001-01-01", "9999-12-31"}
    assert all(str(parse_date(text)) == text for text in passing)


@pytest.mark.sqlite
def test_sums_leave_out_what_is_no_amount(history):
    history.at(None)
    run(
        "CREATE TABLE amounts (id INTEGER PRIMARY KEY, amount)",
        "INSERT INTO amounts (amount) VALUES (9e999), (-9e999), (1e300), (-1e300), ('much'),"
        " (x'ff'), (NULL), ('NaN'), (12.5)",
    )
    assert measure(connection, "amounts", ["amount"], ["amount"])["sums"]["amount"] == (
        Decimal("12.5")
    )


# Values on PostgreSQL


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement, said",
    [
        (
            "payments SET amount = 'NaN' WHERE id IN (1, 4)",
            "payments.amount: 2 rows with a value that is no number (id 1, 4).",
        ),
        *(
            (
                f"guests SET birth_date = '{day}' WHERE id = 3",
                "guests.birth_date: 1 row with a date outside the years 1 to 9999 (id 3).",
            )
            for day in ("infinity", "-infinity", "0044-03-15 BC", "10000-01-01")
        ),
        *(
            (
                f"rooms SET updated_at = '{moment}' WHERE id = 2",
                "rooms.updated_at: 1 row with a date outside the years 1 to 9999 (id 2).",
            )
            for moment in ("infinity", "-infinity", "0001-12-31 23:59:59 BC", "10000-01-01 00:00")
        ),
    ],
)
def test_what_python_cannot_hold_is_refused_with_keys(history, statement, said):
    legacy(history)
    run(f"UPDATE {statement}")
    assert refusal() == NO_TABLE + said


@pytest.mark.postgresql
def test_the_first_and_the_last_day_are_taken_over(history):
    legacy(history)
    run(
        "UPDATE guests SET birth_date = '0001-01-01', created_at = '0001-01-01' WHERE id = 1",
        "UPDATE guests SET birth_date = '9999-12-31', created_at = '9999-12-31 23:59:59.999999'"
        " WHERE id = 2",
    )
    adopt()
    history.climb()
    assert str(Guest.objects.get(pk=1).birth_date) == "0001-01-01"
    assert str(Guest.objects.get(pk=2).created_at) == "9999-12-31 23:59:59.999999+00:00"


# Names that are taken
