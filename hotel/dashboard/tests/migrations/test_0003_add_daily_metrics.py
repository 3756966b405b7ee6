"""Figures of the house: an empty table, whose rows come back after it was dropped."""

import pytest
from django.db import IntegrityError

from hotel.migrator.tests import legacy

MIGRATION = ("dashboard", "0003_add_daily_metrics")
BEFORE = ("dashboard", "0002")

DAILY_METRICS = """
    id integer NOT NULL KEY
    day date NOT NULL
    room_type_id integer NOT NULL
    room_type_id -> room_types.id
    index room_type_id
    unique day, room_type_id
    rooms integer NOT NULL
    rooms_out_of_order integer NOT NULL
    rooms_sold integer NOT NULL
    room_revenue decimal NOT NULL
    arrivals integer NOT NULL
    departures integer NOT NULL
    cancellations integer NOT NULL
    no_shows integer NOT NULL
    computed_at datetime NOT NULL
"""


def figures(history, key, **columns):
    if not history.execute("SELECT 1 FROM room_types"):
        legacy.room_type(history, 1)
    counts = {"rooms": 3, "rooms_out_of_order": 1, "rooms_sold": 2, "room_revenue": "1000000.25"}
    moves = dict.fromkeys(["arrivals", "departures", "cancellations", "no_shows"], 0)
    plain = {"day": "2025-11-08", "room_type_id": 1, "computed_at": "2025-11-09 01:02:03.000004"}
    history.insert("daily_metrics", id=key, **{**plain, **counts, **moves, **columns})


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.payment(history, 1)
    rows = history.dump()
    history.step(MIGRATION)
    assert legacy.shape(history, "daily_metrics") == legacy.lines(DAILY_METRICS)
    assert history.dump() == {**rows, "daily_metrics": []}


def test_figures_come_back_with_their_keys_after_the_table_was_dropped(history):
    history.at(MIGRATION)
    figures(history, 8)
    figures(history, 3, day="2025-11-07", room_revenue="999999999999.99", no_shows=4)
    rows = history.dump()["daily_metrics"]
    assert [row["room_revenue"] for row in rows] == ["999999999999.99", "1000000.25"]
    history.go(*BEFORE)
    assert "daily_metrics" not in history.tables()
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump()["daily_metrics"] == rows
    figures(history, 9, day="2025-11-09")
    assert sorted(legacy.column(history, "daily_metrics", "rooms")) == [3, 8, 9]


def test_figures_of_a_type_that_was_deleted_meanwhile_stay_away(history):
    history.at(MIGRATION)
    figures(history, 1)
    legacy.room_type(history, 2)
    figures(history, 2, room_type_id=2)
    history.go(*BEFORE)
    history.execute("DELETE FROM room_types WHERE id = 2")
    history.go(*MIGRATION)
    assert legacy.column(history, "daily_metrics", "room_type_id") == {1: 1}


@pytest.mark.parametrize(
    "change",
    [
        {"rooms_sold": -1},
        {"room_revenue": "-0.01"},
        {"rooms_out_of_order": 4},
        {"day": "2025-11-08"},  # which has its figures
    ],
    ids=str,
)
def test_the_database_refuses_what_cannot_be(history, change):
    history.at(MIGRATION)
    figures(history, 1)
    with pytest.raises(IntegrityError):
        figures(history, 2, **{"day": "2025-11-09", **change})
