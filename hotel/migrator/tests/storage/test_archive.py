"""What the archive takes and gives back: every kind of value, every kind of name, key and link."""

import logging
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.storage.archive import Archive

TEXTS = [
    "",
    " ",
    "a ",
    "null",
    "007",
    "1e3",
    'it\'s "quoted" \\ %s %d 100% {}',
    "two\nlines\r\n\ttab",
    '{"looks": "like JSON"}',
    "Kelvin \u212a, \u0130, \u0131, \u2028, \U0001f6cf",
]
INFINITY = float("inf")
INSTANT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

KINDS = {
    "boolean": ("models.BooleanField(null=True)", [True, False]),
    "small": ("models.SmallIntegerField(null=True)", [0, -32768, 32767]),
    "integer": ("models.IntegerField(null=True)", [0, -(2**31), 2**31 - 1]),
    "big": ("models.BigIntegerField(null=True)", [0, -(2**63), 2**63 - 1, 2**53 + 1]),
    "positive": ("models.PositiveIntegerField(null=True)", [0, 2**31 - 1]),
    "money": (
        "models.DecimalField(max_digits=12, decimal_places=2, null=True)",
        [Decimal("0.00"), Decimal("0.10"), Decimal("9999999999.99"), Decimal("-9999999999.99")],
    ),
    "float": (
        "models.FloatField(null=True)",
        [0.1 + 0.2, 1e308, 5e-324, -1.5, 1 / 3, 2.0, INFINITY, -INFINITY],
    ),
    "char": ("models.CharField(max_length=50, null=True)", TEXTS),
    "text": ("models.TextField(null=True)", [*TEXTS, "long " * 10_000]),
    "date": ("models.DateField(null=True)", [date(1, 1, 1), date(2026, 2, 28)]),
    "time": ("models.TimeField(null=True)", [time(0, 0), time(23, 59, 59, 999999)]),
    "instant": ("models.DateTimeField(null=True)", [INSTANT, INSTANT.replace(microsecond=0)]),
    "naive": ("NaiveUTCDateTimeField(null=True)", [INSTANT, INSTANT.replace(microsecond=0)]),
    "duration": ("models.DurationField(null=True)", [timedelta(days=-3, microseconds=7)]),
    "uuid": ("models.UUIDField(null=True)", [uuid.UUID(int=7), uuid.UUID(int=2**128 - 1)]),
    "json": (
        "models.JSONField(null=True)",
        [{}, [], "text", 7, 1.5, True, {"a": [None, {"b": "c'\" \\ é"}]}, 2**60],
    ),
    "address": ("models.GenericIPAddressField(null=True)", ["10.0.0.1", "2001:db8::1"]),
}


@pytest.fixture
def thing(annexe, history):
    """Return a function that makes a table with the column ``x`` and a row for each value."""

    def make(field, values):
        annexe.write(
            "0001_initial",
            f"""
            operations.CreateModel(
                "Thing", [("id", models.AutoField(primary_key=True)), ("x", {field})]
            )
            """,
            code="from hotel.migrator.fields import NaiveUTCDateTimeField",
        )
        annexe.migrate()
        model = history.model("annexe.Thing")
        for value in [*values, None]:
            model.objects.create(x=value)
        return model

    return make


def stored(model):
    """Return keys and values; on SQLite with the type that each value has there."""
    rows = list(model.objects.order_by("pk").values_list("pk", "x"))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, x, typeof(x) FROM {model._meta.db_table} ORDER BY id")
            rows += cursor.fetchall()
    return rows


@pytest.mark.parametrize("field, values", KINDS.values(), ids=list(KINDS))
def test_column_of_any_kind_comes_back_as_it_was(annexe, thing, field, values):
    model = thing(field, values)
    before = stored(model)
    annexe.write("0002_remove_x", 'operations.RemoveField("thing", "x")')
    annexe.migrate().migrate("0001_initial")
    assert stored(model) == before


@pytest.mark.parametrize("field, values", KINDS.values(), ids=list(KINDS))
def test_rows_with_a_column_of_any_kind_come_back_as_they_were(annexe, thing, field, values):
    model = thing(field, values)
    before = stored(model)
    annexe.write("0002_delete_thing", 'operations.DeleteModel("Thing")')
    annexe.migrate().migrate("0001_initial")
    assert stored(model) == before


def test_computed_column_is_computed_again_and_not_given_back(annexe, project, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Stay",
            [
                ("id", models.AutoField(primary_key=True)),
                ("rate", models.IntegerField()),
                (
                    "twice",
                    models.GeneratedField(
                        expression=F("rate") * 2,
                        output_field=models.IntegerField(),
                        db_persist=True,
                    ),
                ),
            ],
        )
        """,
    )
    annexe.write(
        "0002_add_thrice",
        """
        operations.AddField(
            "stay",
            "thrice",
            models.GeneratedField(
                expression=F("rate") * 3, output_field=models.IntegerField(), db_persist=True
            ),
        )
        """,
    )
    annexe.migrate()
    history.insert("annexe_stay", rate=4)
    facts = project.facts()
    annexe.migrate("zero").migrate()
    assert project.facts() == facts
    assert history.execute("SELECT rate, twice, thrice FROM annexe_stay") == [(4, 8, 12)]


def test_row_whose_key_was_taken_stays_in_the_archive(annexe, project, history, caplog):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Room",
            [
                ("id", models.AutoField(primary_key=True)),
                ("number", models.TextField(unique=True)),
            ],
        )
        """,
    )
    annexe.write("0002_delete_room", 'operations.DeleteModel("Room")')
    annexe.migrate("0001_initial")
    for number in ("101", "102", "103"):
        history.insert("annexe_room", number=number)
    annexe.migrate()
    owner = "annexe.0002_delete_room#0 forward"
    assert [entry[:4] for entry in project.archive()] == [
        (owner, "annexe_room", "", key) for key in ("1", "2", "3")
    ]
    archive = Archive(owner, "default")
    history.execute("CREATE TABLE annexe_room (id integer PRIMARY KEY, number varchar(9) UNIQUE)")
    history.insert("annexe_room", id=1, number="another")
    history.insert("annexe_room", id=9, number="103")
    room = MigrationLoader(connection).project_state(("annexe", "0001_initial")).apps
    with caplog.at_level(logging.WARNING, "hotel.migrator.storage.archive"):
        assert archive.restore_rows(room.get_model("annexe", "Room")) == 1
    assert history.execute("SELECT id, number FROM annexe_room ORDER BY id") == [
        (1, "another"),
        (2, "102"),
        (9, "103"),
    ]
    assert [entry[3] for entry in project.archive()] == ["1", "3"]
    assert caplog.messages == [
        "annexe_room: 2 rows stay in migrator_archive: their keys were taken, or rows they refer to"
        " are gone."
    ]


FAMILY = """
operations.CreateModel("Room", [("id", models.AutoField(primary_key=True))]),
"""


def test_row_whose_parent_is_gone_stays_in_the_archive_until_it_is_back(
    annexe, project, history, caplog
):
    annexe.write("0001_initial", FAMILY)
    annexe.write(
        "0002_add_guest",
        """
        operations.CreateModel(
            "Guest",
            [
                ("id", models.AutoField(primary_key=True)),
                ("room", models.ForeignKey("annexe.Room", models.CASCADE, related_name="+")),
                ("next", models.ForeignKey("annexe.Room", models.CASCADE, null=True)),
            ],
        )
        """,
    )
    annexe.migrate()
    for key in (1, 2):
        history.insert("annexe_room", id=key)
    history.insert("annexe_guest", id=1, room_id=1, next_id=2)
    history.insert("annexe_guest", id=2, room_id=2, next_id=1)
    facts = project.facts()
    annexe.migrate("0001_initial")
    history.execute("DELETE FROM annexe_room WHERE id = 2")
    with caplog.at_level(logging.WARNING, "hotel.migrator.storage.archive"):
        annexe.migrate()
    assert history.execute("SELECT id, room_id, next_id FROM annexe_guest") == [(1, 1, None)]
    assert caplog.messages == [
        "annexe_guest: 1 rows stay in migrator_archive: their keys were taken, or rows they refer"
        " to are gone."
    ]
    assert [entry[1:4] for entry in project.archive()] == [("annexe_guest", "", "2")]
    annexe.migrate("0001_initial")
    history.insert("annexe_room", id=2)
    annexe.migrate()
    history.execute("UPDATE annexe_guest SET next_id = 2 WHERE id = 1")
    assert project.facts() == facts


def test_bytes_come_back_in_a_column_and_stop_a_table_on_sqlite(annexe, project, history):
    """SQLite's JSON holds no bytes: the table stays, with its rows, and the run stops."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True)),
                ("x", models.BinaryField(null=True)),
            ],
        )
        """,
    )
    annexe.write("0002_remove_x", 'operations.RemoveField("thing", "x")')
    annexe.migrate("0001_initial")
    thing = history.model("annexe.Thing")
    for value in (b"", b"\x00\xff\x80'", b"text", None):
        thing.objects.create(x=value)

    def values():
        found = thing.objects.order_by("pk").values_list("x", flat=True)
        return [None if value is None else bytes(value) for value in found]

    before = values()
    annexe.migrate().migrate("0001_initial")
    assert values() == before
    if connection.vendor == "sqlite":
        with pytest.raises(OperationalError, match=r"^JSON cannot hold BLOB values$"):
            annexe.migrate("zero")
    else:
        annexe.migrate("zero").migrate("0001_initial")
    assert values() == before


def test_apostrophe_in_a_name_is_no_end_of_text(annexe, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True)),
                ("x", models.TextField(db_column="guest's {}")),
            ],
        )
        """,
    )
    annexe.migrate()
    history.insert("annexe_thing", **{"guest's {}": "Ayu"})
    annexe.migrate("zero").migrate()
    assert history.execute("SELECT * FROM annexe_thing") == [(1, "Ayu")]
