"""Keys of several columns have one text on both engines; those of older archives are found."""

import json

import pytest
from django.db import connection

from hotel.migrator.storage.tables import ArchivedValue

# Kind of field, what a row is inserted with, its text, and the text of older archives.
TEXT = 'it\'s "q", \\ / %s\x01\b\t\n\x0b\r\x1f\x7f é \u2028 \U0001f6cf'
PARTS = {
    "text": ("models.CharField(max_length=99)", TEXT, TEXT, TEXT),
    "number": ("models.IntegerField()", 7, "7", "7"),
    "flag": ("models.BooleanField()", True, "1", {"postgresql": "true", "sqlite": "1"}),
    "money": (
        "models.DecimalField(max_digits=9, decimal_places=2)",
        7.5,
        "7.5",
        {"postgresql": "7.50", "sqlite": "7.5"},
    ),
    "day": ("models.DateField()", "2026-05-04", "2026-05-04", "2026-05-04"),
    "time": (
        "models.TimeField()",
        "03:04:05.500000",
        "03:04:05.5",
        {"postgresql": "03:04:05.5", "sqlite": "03:04:05.500000"},
    ),
    "instant": (
        "models.DateTimeField()",
        "2026-01-02 03:04:05.678900",
        "2026-01-02 03:04:05.6789+00",
        {"postgresql": "2026-01-02 03:04:05.6789+00", "sqlite": "2026-01-02 03:04:05.678900"},
    ),
    "second": (
        "models.DateTimeField()",
        "2026-01-02 03:04:00",
        "2026-01-02 03:04:00+00",
        {"postgresql": "2026-01-02 03:04:00+00", "sqlite": "2026-01-02 03:04:00"},
    ),
    "naive": (
        "NaiveUTCDateTimeField()",
        "2026-01-02 03:04:05.500000",
        "2026-01-02 03:04:05.5",
        {"postgresql": "2026-01-02 03:04:05.5", "sqlite": "2026-01-02 03:04:05.500000"},
    ),
    "uuid": (
        "models.UUIDField()",
        f"{7:032x}",
        f"{7:032x}",
        {"postgresql": "00000000-0000-0000-0000-000000000007", "sqlite": f"{7:032x}"},
    ),
    "address": (
        "models.GenericIPAddressField()",
        "10.0.0.1",
        "10.0.0.1",
        {"postgresql": "10.0.0.1/32", "sqlite": "10.0.0.1"},
    ),
    "floor": (
        'models.ForeignKey("annexe.Floor", models.CASCADE, db_column="floor")',
        3,
        "3",
        "3",
    ),
}
NEW = json.dumps(
    [text for *_, text, _ in PARTS.values()], separators=(",", ":"), ensure_ascii=False
)
OLD = json.dumps(
    [old if isinstance(old, str) else old[connection.vendor] for *_, old in PARTS.values()],
    separators=(",", ":") if connection.vendor == "sqlite" else (", ", ": "),
    ensure_ascii=False,
)


@pytest.fixture
def stay(annexe, history):
    """A table whose key is of columns of every kind, and a row in it, whose note is ``n``."""
    names = ", ".join(map(repr, PARTS))
    fields = "".join(f'("{name}", {kind}),\n' for name, (kind, *_) in PARTS.items())
    annexe.write(
        "0001_initial",
        'operations.CreateModel("Floor", [("id", models.IntegerField(primary_key=True))]),\n'
        f'operations.CreateModel("Stay", [("pk", models.CompositePrimaryKey({names})),\n{fields}'
        '("note", models.CharField(max_length=9, null=True))])',
        code="from hotel.migrator.fields import NaiveUTCDateTimeField",
    ).migrate()
    history.insert("annexe_floor", id=3)
    history.insert("annexe_stay", note="n", **{name: part[1] for name, part in PARTS.items()})
    return annexe


def notes(history):
    return history.execute("SELECT note FROM annexe_stay")


@pytest.mark.parametrize(
    "operation", ['operations.RemoveField("stay", "note")', 'operations.DeleteModel("stay")']
)
def test_the_text_of_a_key_is_the_same_on_both_engines(stay, history, operation):
    stay.write("0002_drop", operation).migrate()
    assert list(ArchivedValue.objects.values_list("row_key", flat=True)) == [NEW]
    stay.migrate("0001_initial")
    assert notes(history) == [("n",)]


@pytest.mark.parametrize(
    "operation", ['operations.RemoveField("stay", "note")', 'operations.DeleteModel("stay")']
)
def test_what_was_archived_by_an_older_text_comes_back(stay, history, operation):
    assert OLD != NEW
    stay.write("0002_drop", operation).migrate()
    assert ArchivedValue.objects.update(row_key=OLD) == 1
    stay.migrate("0001_initial")
    assert notes(history) == [("n",)]
    assert not ArchivedValue.objects.exists()
