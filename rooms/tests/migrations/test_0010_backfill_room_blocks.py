"""Rooms that cannot be sold today are blocked until further notice; each is met once."""

import pytest
from django.utils import timezone

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0010_backfill_room_blocks")
BEFORE = ("rooms", "0009")
WORDS = {1: "available", 2: "occupied", 3: "maintenance", 4: "out_of_order", 5: "out_of_order"}


def blocks(history):
    rows = history.execute(
        "SELECT room_id, kind, start_date, end_date, released_on, created_by FROM room_blocks"
    )
    return sorted((key, kind, str(start), *rest) for key, kind, start, *rest in rows)


@pytest.fixture
def with_rooms(history):
    history.before(MIGRATION)
    for key, word in WORDS.items():
        legacy.room(history, key, status=word)
    return history


def expected():
    today = str(timezone.localdate())
    return [
        (3, "out_of_service", today, None, None, None),
        (4, "out_of_order", today, None, None, None),
        (5, "out_of_order", today, None, None, None),
    ]


def test_blocks_go_up_and_down_and_up(with_rooms):
    history = with_rooms
    for _ in range(2):
        history.go(*MIGRATION)
        history.go(*MIGRATION)
        assert blocks(history) == expected()
        assert legacy.column(history, "rooms", "status") == WORDS
        history.go(*BEFORE)
        assert blocks(history) == []


def test_a_block_that_was_released_comes_back_released(with_rooms):
    history = with_rooms.go(*MIGRATION)
    history.execute("UPDATE room_blocks SET released_on = '2026-12-01' WHERE room_id = 4")
    history.execute("DELETE FROM room_blocks WHERE room_id = 5")
    before = blocks(history)
    history.go("rooms", "0008").go(*MIGRATION)
    assert blocks(history) == before


def test_a_room_of_later_is_met_on_the_way_up(with_rooms):
    history = with_rooms.go(*MIGRATION).go(*BEFORE)
    legacy.room(history, 6, status="maintenance")
    history.go(*MIGRATION)
    assert [row[0] for row in blocks(history)] == [3, 4, 5, 6]


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION)
    assert blocks(history) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # 25 hours apart
def test_today_is_the_hotels(history, zone):
    history.before(MIGRATION)
    legacy.room(history, 1, status="maintenance")
    with timezone.override(zone):
        before = str(timezone.localdate())
        history.step(MIGRATION)
        [(_, _, start, *_)] = blocks(history)
        assert start in (before, str(timezone.localdate()))


def test_a_block_says_why_and_since_when_it_is_known(with_rooms):
    before = timezone.now()
    with_rooms.step(MIGRATION)
    made = with_rooms.model("rooms.RoomBlock").objects.order_by("pk").values_list("reason", "room")
    assert list(made) == [
        ("The room was maintenance when blocks were introduced.", 3),
        ("The room was out_of_order when blocks were introduced.", 4),
        ("The room was out_of_order when blocks were introduced.", 5),
    ]
    for block in with_rooms.model("rooms.RoomBlock").objects.all():
        assert before <= block.created_at <= timezone.now()
