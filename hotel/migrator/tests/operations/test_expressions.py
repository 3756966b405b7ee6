"""Expressions give the same values on both engines, look-alikes, NULL and blanks included."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from hotel.migrator.expressions import (
    AsciiLower,
    AsText,
    FromText,
    Instant,
    IsDistinctFrom,
    IsNotDistinctFrom,
    LocalDate,
    mentions,
    translate,
)

KELVIN, DOTTED, DOTLESS, WIDE_P = "\u212a", "\u0130", "\u0131", "\uff50"


@pytest.fixture
def words(annexe, history):
    """Return a function that stores rows and returns what an expression gives for each of them."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Word",
            [
                ("id", models.AutoField(primary_key=True)),
                ("text", models.CharField(max_length=99, null=True)),
                ("other", models.TextField(null=True)),
                ("number", models.IntegerField(null=True)),
                ("money", models.DecimalField(max_digits=12, decimal_places=2, null=True)),
                ("real", models.FloatField(null=True)),
                ("flag", models.BooleanField(null=True)),
                ("day", models.DateField(null=True)),
                ("at", NaiveUTCDateTimeField(null=True)),
            ],
        )
        """,
        code="from hotel.migrator.fields import NaiveUTCDateTimeField",
    ).migrate()
    model = history.model("annexe.Word")

    def ask(expression, *rows):
        model.objects.all().delete()
        for row in rows:
            model.objects.create(**row)
        asked = model.objects.annotate(answer=expression).order_by("pk")
        return list(asked.values_list("answer", flat=True))

    ask.model = model
    return ask


def texts(*values):
    return [{"text": value} for value in values]


# IsDistinctFrom, IsNotDistinctFrom

PAIRS = {
    ("a", "a"): False,
    ("a", "b"): True,
    ("a", "A"): True,
    ("a", "a "): True,
    ("a", None): True,
    (None, "a"): True,
    (None, None): False,
    ("", None): True,
    ("", ""): False,
    ("a\n", "a"): True,
    ("K", KELVIN): True,
    ("i", DOTTED): True,
    ("i", DOTLESS): True,
    ("p", WIDE_P): True,
    ("é", "e\u0301"): True,
}


def test_null_is_distinct_from_everything_but_null(words):
    rows = [{"text": one, "other": other} for one, other in PAIRS]
    differ = words(IsDistinctFrom(F("text"), F("other")), *rows)
    assert dict(zip(PAIRS, differ, strict=True)) == PAIRS
    same = words(IsNotDistinctFrom(F("text"), F("other")), *rows)
    assert same == [not answer for answer in differ]
    found = words.model.objects.filter(IsDistinctFrom("text", "other"))
    assert found.count() == sum(PAIRS.values())


@pytest.mark.parametrize(
    "value, differs", [(7, False), (8, True), (None, True)], ids=["same", "other", "null"]
)
def test_values_of_a_query_may_be_compared_too(words, value, differs):
    assert words(IsDistinctFrom(F("number"), Value(value)), {"number": 7}) == [differs]
    assert words(IsDistinctFrom(F("number"), Value(value)), {"number": None}) == [value is not None]


def test_comparison_takes_exactly_two():
    with pytest.raises(
        TypeError, match=r"^'IsDistinctFrom' takes exactly 2 arguments \(1 given\)$"
    ):
        IsDistinctFrom("text")


# AsText and FromText

SPELLED = [
    ("text", "  a\n", "  a\n"),
    ("text", "", ""),
    ("number", -7, "-7"),
    ("number", 0, "0"),
    ("money", Decimal("1234.50"), {"postgresql": "1234.50", "sqlite": "1234.5"}),
    ("money", Decimal("7.00"), {"postgresql": "7.00", "sqlite": "7"}),
    ("money", Decimal("9999999999.99"), "9999999999.99"),
    ("real", 0.1 + 0.2, "0.30000000000000004"),
    ("real", 0.1, "0.1"),
    ("real", 2.0, "2"),
    ("flag", True, {"postgresql": "true", "sqlite": "1"}),
    ("flag", False, {"postgresql": "false", "sqlite": "0"}),
    ("day", date(2026, 2, 28), "2026-02-28"),
    (
        "at",
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "2026-01-02 03:04:05.678901",
    ),
    ("at", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05"),
]


@pytest.mark.parametrize("name, value, spelled", SPELLED)
def test_text_of_a_value_and_back(words, name, value, spelled):
    text = spelled[connection.vendor] if isinstance(spelled, dict) else spelled
    row = {name: value, "other": text}
    assert words(AsText(name), row) == [text]
    field = words.model._meta.get_field(name)
    assert words(FromText(F("other"), field), row) == [value]
    assert words(FromText(AsText(name), field), row) == [value]
    words.model.objects.update(**{name: None})
    words.model.objects.update(**{name: FromText(F("other"), field)})
    assert words.model.objects.values_list(name, flat=True).get() == value


@pytest.mark.parametrize("name", ["text", "number", "money", "real", "flag", "day", "at"])
def test_text_of_null_is_null_and_back(words, name):
    field = words.model._meta.get_field(name)
    assert words(AsText(name), {}) == [None]
    assert words(FromText(AsText(name), field), {}) == [None]


@pytest.mark.parametrize("amount", ["0", "7", "7.50", "0.10", "-3"])
def test_text_of_a_computed_amount_is_that_of_the_column_it_goes_into(words, amount):
    """The archive compares the two, on an engine that makes 7 of 7.0 when it stores it."""
    field = words.model._meta.get_field("money")
    rule = FromText(Coalesce(F("real"), 0.0), field)
    words(Value(1), {"real": float(amount)})
    objects = words.model.objects
    computed = objects.annotate(answer=AsText(rule)).values_list("answer", flat=True).get()
    objects.update(money=rule)
    assert objects.annotate(answer=AsText("money")).values_list("answer", flat=True).get() == (
        computed
    )


# AsciiLower and mentions


SMALL = {
    "ABCXYZ": "abcxyz",
    "Mixed Case 123": "mixed case 123",
    "": "",
    " A\tB\nC ": " a\tb\nc ",
    "ÉÈÄÖ": "ÉÈÄÖ",
    f"{KELVIN}{DOTTED}{DOTLESS}": f"{KELVIN}{DOTTED}{DOTLESS}",
    "ПРИВЕТ Σ": "ПРИВЕТ Σ",
    "@[`{": "@[`{",
    None: None,
}


def test_only_a_to_z_are_made_small(words):
    small = words(AsciiLower("text"), *texts(*SMALL))
    assert dict(zip(SMALL, small, strict=True)) == SMALL


MENTIONED = {
    "deposit": True,
    "DEPOSIT": True,
    "Deposit paid": True,
    "no deposit\n": True,
    "(jaminan)": True,
    "JAMINAN kamar": True,
    "prejaminanpost": True,
    "depos it": False,
    "depo\nsit": False,
    f"depos{DOTLESS}t": False,
    f"depos{DOTTED}t": False,
    f"de{WIDE_P}osit": False,
    "uang muka": False,
    "%": False,
    "": False,
    None: False,
}


def test_words_are_found_in_capitals_or_not(words):
    said = Case(When(mentions("text", "deposit", "jaminan"), then=True), default=False)
    assert dict(zip(MENTIONED, words(said, *texts(*MENTIONED)), strict=True)) == MENTIONED


def test_text_that_mentions_nothing_is_told_by_not(words):
    """NULL contains nothing, and that is an answer: NOT finds it."""
    words(Value(1), *texts("deposit", "rent", None))
    silent = words.model.objects.filter(~mentions("text", "deposit"))
    assert list(silent.order_by("pk").values_list("text", flat=True)) == ["rent", None]


def test_word_of_a_pattern_is_no_pattern(words):
    words(Value(1), *texts("100%", "a_b", "axb"))
    found = words.model.objects.filter(mentions("text", "0%", "a_b")).order_by("pk")
    assert list(found.values_list("text", flat=True)) == ["100%", "a_b"]


# translate

WORDS = {"old_confirmed": "confirmed", "pending": "pending", "": "empty"}
TRANSLATED = {
    "old_confirmed": "confirmed",
    "pending": "pending",
    "": "empty",
    "OLD_CONFIRMED": "other",
    " old_confirmed": "other",
    "old_confirmed ": "other",
    "old_confirmed\n": "other",
    f"{WIDE_P}ending": "other",
    f"pend{DOTLESS}ng": "other",
    "confirmed": "other",
    "%": "other",
    None: "other",
}


def test_translation_is_exact(words):
    translated = words(translate(F("text"), WORDS, otherwise="other"), *texts(*TRANSLATED))
    assert dict(zip(TRANSLATED, translated, strict=True)) == TRANSLATED


def test_translation_may_leave_the_rest_as_it_is(words):
    expression = translate(F("text"), {"a": "b"}, otherwise=F("text"))
    assert words(expression, *texts("a", "c", "", None)) == ["b", "c", "", None]


def test_translation_may_swap_words(words):
    expression = translate(F("text"), {"a": "b", "b": "a"}, otherwise=F("text"))
    assert words(expression, *texts("a", "b")) == ["b", "a"]


def test_translation_of_an_expression(words):
    expression = translate(Coalesce("text", Value("none")), {"none": "was NULL"}, otherwise="text")
    assert words(expression, *texts(None, "none", "x")) == ["was NULL", "was NULL", "text"]


# LocalDate

ZONES = [
    *("Asia/Jakarta", "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns"),
    *("Pacific/Apia", "Pacific/Pago_Pago"),
]
DAYS = [  # clocks are changed on some of them, somewhere
    *(date(1, 1, 2), date(1883, 11, 19), date(1923, 12, 31), date(1924, 1, 2), date(1945, 7, 1)),
    *(date(2011, 12, 29), date(2011, 12, 31), date(2025, 1, 1), date(2025, 7, 1)),
    *(date(2025, 3, day) for day in (2, 3, 9, 10, 30, 31)),
    *(date(2025, 4, 6), date(2025, 4, 7), date(2025, 10, 26), date(2025, 10, 27)),
    *(date(2025, 11, 2), date(2025, 11, 3), date(2037, 7, 1), date(2038, 1, 20)),
    *(date(2099, 7, 1), date(2100, 2, 1), date(9999, 12, 31)),
]


@pytest.mark.parametrize("zone", ZONES)
def test_local_date_begins_at_midnight_of_the_zone(words, settings, zone):
    settings.TIME_ZONE = zone
    midnights = [datetime(*day.timetuple()[:3], tzinfo=ZoneInfo(zone)) for day in DAYS]
    moments = [
        midnight.astimezone(UTC) + timedelta(microseconds=microseconds)
        for midnight in midnights
        for microseconds in (-1, 0, 1)
    ]
    dates = words(LocalDate(Instant("at")), *({"at": moment} for moment in moments))
    assert dates == [timezone.localdate(moment) for moment in moments]
    assert dates[1::3] == dates[2::3] == DAYS


@pytest.mark.parametrize(
    "zone, dates",
    [
        ("Asia/Jakarta", [date(1, 1, 1), None]),
        ("UTC", [date(1, 1, 1), date(9999, 12, 31)]),
        ("America/New_York", [None, date(9999, 12, 31)]),
    ],
)
def test_there_is_no_local_date_past_the_ends_of_the_calendar(words, settings, zone, dates):
    settings.TIME_ZONE = zone
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    rows = [{"at": moment} for moment in [*ends, None]]
    assert words(LocalDate(Instant("at")), *rows) == [*dates, None]


def test_there_is_no_local_date_of_what_is_no_instant(words, history):
    strange = {"postgresql": ["infinity", "-infinity"], "sqlite": ["soon", "", "now", "7", 7]}
    for value in strange[connection.vendor]:
        words(Value(1), {})
        history.execute("UPDATE annexe_word SET at = %s", [value])
        answers = words.model.objects.annotate(answer=LocalDate(Instant("at")))
        assert list(answers.values_list("answer", flat=True)) == [None]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "text, day",
    [
        ("2025-11-01", "2025-11-01"),
        ("2025-11-01 16:59", "2025-11-01"),
        ("2025-11-01 17:00", "2025-11-02"),
        ("2025-11-01T16:59:59.9999999", "2025-11-01"),
        ("2025-11-01 17:00:00Z", "2025-11-02"),
        ("2025-11-01T23:59:59.999999+07:00", "2025-11-01"),
    ],
)
def test_an_instant_may_be_spelled_as_the_legacy_system_did(words, history, settings, text, day):
    settings.TIME_ZONE = "Asia/Jakarta"
    words(Value(1), {})
    history.execute("UPDATE annexe_word SET at = %s", [text])
    answers = words.model.objects.annotate(answer=LocalDate(Instant("at")))
    assert str(answers.values_list("answer", flat=True).get()) == day


def test_expressions_compile_to_what_plain_engines_have(words):
    """Nothing that Django registers in Python: a script must run in ``sqlite3`` and ``psql``."""
    expressions = {
        "a": IsDistinctFrom("text", "other"),
        "b": AsText("real"),
        "c": FromText("other", words.model._meta.get_field("money")),
        "d": AsciiLower("text"),
        "e": translate(F("text"), WORDS, otherwise="other"),
        "f": LocalDate(Instant("at")),
    }
    rows = words.model.objects.filter(mentions("text", "x")).annotate(**expressions)
    sql = str(rows.query).lower()
    for function in ("django_", "regexp", "ilike", "rlike"):
        assert function not in sql
