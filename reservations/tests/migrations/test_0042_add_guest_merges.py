"""Merged guests: an empty table, whose rows come back after it was dropped."""

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0042_add_guest_merges")
BEFORE = ("reservations", "0041")


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1)
    rows = history.dump()
    history.step(MIGRATION)
    assert history.dump() == {**rows, "guest_merges": []}


def test_merges_come_back_after_the_table_was_dropped(history):
    history.at(MIGRATION)
    legacy.user(history, 1)
    legacy.guest(history, 1)
    history.insert(
        "guest_merges",
        guest_id=1,
        merged_key=7,
        merged_name="Ratna",
        original='{"id": "7"}',
        moved="{}",
        filled="{}",
        at="2026-11-29 03:42:00",
        by_id=1,
        reason="one person",
    )
    rows = history.dump()["guest_merges"]
    history.go(*BEFORE)
    assert "guest_merges" not in history.tables()
    history.go(*MIGRATION)
    assert history.dump()["guest_merges"] == rows
