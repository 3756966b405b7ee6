"""A row and its parts on a throw-away app, and rules that are removed again."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests.operations.stays import IMPORTS, NEW, RULES, exempt, insert, refused

TRIPS = """
operations.CreateModel(
    "Trip",
    [
        ("id", models.AutoField(primary_key=True)),
        ("leaves", models.DateField()),
        ("returns", models.DateField()),
        ("bus", models.IntegerField(null=True)),
        ("fare", models.IntegerField()),
        ("state", models.CharField(max_length=20)),
    ],
),
operations.CreateModel(
    "Leg",
    [
        ("id", models.AutoField(primary_key=True)),
        ("trip", models.ForeignKey("annexe.Trip", models.CASCADE)),
        ("first", models.DateField()),
        ("after", models.DateField()),
        ("bus", models.IntegerField(null=True)),
        ("fare", models.IntegerField()),
        ("state", models.CharField(max_length=20)),
        ("is_now", models.BooleanField(default=False, db_default=False)),
    ],
),
"""
LEGS = """
PARTS = (
    "annexe_trip", "annexe_leg", "trip_id", (("first", "leaves"), ("after", "returns")),
    ("state", "state"), ("bus", "bus"), ("fare", "fare"), "is_now",
)
HAS = HasParts(name="trips_have_legs", parts=PARTS, made_whole_by="legs_make_the_trip")
MAKES = MakesWhole(name="legs_make_the_trip", parts=PARTS)
"""
PART_IMPORTS = "from hotel.migrator.constraints import HasParts, MakesWhole\n"
LEG = "SELECT trip_id, first, after, bus, fare, state, is_now FROM annexe_leg ORDER BY trip_id, id"


@pytest.fixture
def trips(annexe, history):
    """Two trips; 0002 lets legs follow, 0003 gives those a leg that have none, 0004 holds it."""
    annexe.write("0001_initial", TRIPS)
    code = PART_IMPORTS + LEGS
    annexe.write("0002_link_legs", 'migrations.AddConstraint("trip", HAS)', code=code)
    annexe.write("0003_backfill_legs", 'operations.AlignParts("trip", "trips_have_legs")')
    annexe.write("0004_restrict_legs", 'migrations.AddConstraint("leg", MAKES)', code=code)
    annexe.migrate("0001")
    history.insert(
        "annexe_trip", id=1, leaves="2026-01-01", returns="2026-01-05", bus=7, fare=9, state="on"
    )
    history.insert(
        "annexe_trip", id=2, leaves="2026-01-05", returns="2026-01-01", fare=9, state="on"
    )
    return annexe


def legs(history):
    return [
        (key, str(a), str(b), *rest[:-1], bool(rest[-1]))
        for key, a, b, *rest in history.execute(LEG)
    ]


ONE = (1, "2026-01-01", "2026-01-05", 7, 9, "on", True)
TWO = (2, "2026-01-05", "2026-01-01", None, 9, "on", True)


def test_rows_without_a_part_get_one_and_the_others_follow(trips, history):
    trips.migrate("0002")
    history.insert(
        "annexe_leg",
        trip_id=1,
        first="2025-01-01",
        after="2025-01-02",
        fare=1,
        state="off",
        is_now=True,
    )
    trips.migrate()
    assert legs(history) == [ONE, TWO]


def test_the_rules_go_and_come_with_their_migrations(trips, history):
    shape = history.catalog()
    trips.migrate()
    head = history.catalog()
    history.execute("UPDATE annexe_trip SET state = 'off'")
    assert [leg[5] for leg in legs(history)] == ["off", "off"]
    with pytest.raises(IntegrityError), transaction.atomic():
        history.execute("UPDATE annexe_leg SET state = 'on' WHERE trip_id = 1")
    trips.migrate("0001")
    assert history.catalog() == shape
    history.execute("UPDATE annexe_trip SET state = 'on' WHERE id = 1")
    assert [leg[5] for leg in legs(history)] == ["off", "off"]
    trips.migrate()
    assert [leg[5] for leg in legs(history)] == ["on", "off"]
    assert history.catalog() == head


@pytest.mark.parametrize(
    "operation",
    [
        'operations.AddField("trip", "extra", models.IntegerField(default=7))',
        'migrations.AlterField("trip", "fare", models.BigIntegerField())',
        'operations.AddField("leg", "extra", models.IntegerField(default=7, db_default=7))',
        'migrations.AlterField("leg", "fare", models.BigIntegerField())',
    ],
)
def test_the_rules_outlive_changes_of_both_tables(trips, history, operation):
    trips.write("0005_add_change", operation)
    trips.migrate()
    history.execute("UPDATE annexe_trip SET returns = '2026-01-09', bus = 8 WHERE id = 1")
    assert legs(history)[0] == (1, "2026-01-01", "2026-01-09", 8, 9, "on", True)
    history.execute("DELETE FROM annexe_trip WHERE id = 2")
    assert [leg[0] for leg in legs(history)] == [1]
    with pytest.raises(IntegrityError), transaction.atomic():
        history.execute("UPDATE annexe_leg SET bus = 1")


def test_rules_that_are_removed_come_back_with_the_rows_that_break_them_exempt(ruled, history):
    ruled.write(
        "0005_retire_clashes",
        'operations.RemoveRules("Stay", EXCLUSIONS)',
        code=IMPORTS + RULES,
    )
    shape, before = history.catalog(), exempt(history)
    ruled.migrate()
    assert not any("no_overlap" in names for names in exempt(history).values())
    insert(history, 50, 1, "2026-01-01", "2026-01-03", "booked", "new")
    ruled.migrate("0004")
    assert history.catalog() == shape
    after = exempt(history)
    assert after.pop(50) == {"no_overlap"}
    assert after == before
    assert refused(history, NEW.format("1, '2026-01-01', '2026-01-03', 'booked', 'newer'"))
