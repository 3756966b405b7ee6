"""An app with rules (``hotel.migrator.constraints``) and stays that break them."""

import pytest
from django.db import IntegrityError, connection, transaction

MODEL = """
operations.CreateModel(
    "Stay",
    [
        ("id", models.AutoField(primary_key=True)),
        ("room", models.IntegerField(null=True)),
        ("arrival", models.DateField()),
        ("departure", models.DateField(null=True)),
        ("status", models.CharField(max_length=20)),
        ("note", models.CharField(max_length=20, null=True)),
        ("exemptions", ExemptionsField()),
    ],
)
"""
RULES = """
CHECKS = [
    Check(
        name="dates_in_order",
        condition=Q(departure__gt=F("arrival")),
        violation_error_message="The guest must leave after the day of arrival.",
        mend="Correct the dates.",
    ),
    Check(name="note_is_no_sign", condition=~Q(note__in=["100 %s", "it's", "a\\\\b"])),
]
EXCLUSIONS = [
    Exclusion(
        name="no_overlap",
        same=["room"],
        span=["arrival", "departure"],
        condition=Q(status__in=["booked", "in"]),
        violation_error_message="The room is booked.",
    ),
    Exclusion(name="one_in_house", same=["room"], condition=Q(status="in")),
    Exclusion(name="note_unique", same=[AsciiLower("note")]),
]
"""
IMPORTS = """
from django.db.models import F, Q
from hotel.migrator.constraints import Check, Exclusion
from hotel.migrator.expressions import AsciiLower
from hotel.migrator.fields import ExemptionsField
"""

# A clash of three, two in house in room 2, a stay the wrong way round, and a pair of notes.
LEGACY = [
    (1, 1, "2026-01-01", "2026-01-05", "booked", "One"),
    (2, 1, "2026-01-04", "2026-01-08", "booked", "ONE"),
    (3, 1, "2026-01-07", "2026-01-09", "booked", None),
    (4, 2, "2026-01-01", "2026-01-02", "in", None),
    (5, 2, "2026-02-01", "2026-02-02", "in", None),
    (6, 3, "2026-01-09", "2026-01-01", "booked", None),
    (7, 4, "2026-01-01", "2026-01-05", "booked", "it's"),
    (8, 5, "2026-01-01", None, "booked", None),
    (9, 1, "2026-01-01", "2026-01-09", "cancelled", None),
]
EXEMPT = {
    1: {"no_overlap", "note_unique"},
    2: {"no_overlap", "note_unique"},
    3: {"no_overlap"},
    4: {"one_in_house"},
    5: {"one_in_house"},
    6: {"dates_in_order"},
    7: {"note_is_no_sign"},
    8: set(),
    9: set(),
}

NEW = "INSERT INTO annexe_stay (room, arrival, departure, status, note) VALUES ({})"


def insert(history, key, room, arrival, departure, status, note=None, exemptions=None):
    values = {"room": room, "arrival": arrival, "departure": departure, "status": status}
    values |= {"id": key} if key else {}
    history.insert("annexe_stay", **values, note=note, exemptions=exemptions)


def exempt(history):
    rows = history.model("annexe.Stay").objects.values_list("id", "exemptions")
    return {key: set(names or ()) for key, names in rows}


def refused(history, sql):
    """Return whether the statement is refused, by itself and at the end of a transaction."""
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(connection.vendor == "postgresql")
    except IntegrityError:
        with pytest.raises(IntegrityError):
            history.execute(sql)
        return True
    if connection.vendor == "postgresql":
        history.execute(sql)
    return False
