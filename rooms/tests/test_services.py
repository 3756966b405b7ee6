"""Blocks and housekeeping: what is refused, and what is kept up to date."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import reservation, room
from hotel.business_day import business_date
from hotel.refusals import Refused
from rooms import services
from rooms.models import RoomBlock


def day(number):
    return business_date() + timedelta(days=number)


@pytest.fixture
def clerk(db):
    return User.objects.create(username="sari")


@pytest.fixture
def suite(clerk):
    return room("101")


def refusal(do, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        do(*args, **kwargs)
    return str(refused.value)


def standing(first, after):
    return RoomBlock.objects.standing(first, after).count()


def test_a_block_stands_from_its_first_night_to_before_its_end(suite, clerk):
    block = services.block(suite, "out_of_order", day(1), day(3), "a leak", clerk)
    assert (block.describe(), str(block)) == (
        f"out of order from {day(1)} to {day(3)}",
        f"Out of order from {day(1)}",
    )
    nights = {night: standing(day(night), day(night + 1)) for night in range(5)}
    assert nights == {0: 0, 1: 1, 2: 1, 3: 0, 4: 0}
    suite.refresh_from_db()
    assert suite.status == "available"  # it has not begun


@pytest.mark.parametrize(
    "kind, word",
    [
        ("out_of_order", "out_of_order"),
        ("out_of_service", "maintenance"),
        ("house_use", "available"),
    ],
)
def test_a_block_of_today_is_written_along_and_taken_back(suite, clerk, kind, word):
    block = services.block(suite, kind, day(0), None, "a leak", clerk)
    suite.refresh_from_db()
    assert (suite.status, standing(day(400), day(401))) == (word, 1)
    services.release(block, clerk)
    services.release(block, clerk)  # a double click
    suite.refresh_from_db()
    assert (suite.status, suite.housekeeping_status, standing(day(0), None)) == (
        *("available", "dirty"),
        0,
    )


def test_a_block_that_is_released_keeps_its_past(suite, clerk):
    block = services.block(suite, "out_of_order", day(0), day(9), "a leak", clerk)
    RoomBlock.objects.update(start_date=day(-5))
    services.release(block, clerk)
    assert standing(day(-5), day(-4)) == 1
    assert standing(day(-1), day(0)) == 1
    assert standing(day(0), day(9)) == 0


def test_what_cannot_be_blocked_is_refused(suite, clerk):
    stay = reservation("RES-1", room=suite, check_in_date=day(2), check_out_date=day(4))
    assert refusal(services.block, suite, "out_of_order", day(3), None, "x", clerk) == (
        f"Room 101 has RES-1 from {day(2)} to {day(4)}: move the stay first."
    )
    assert refusal(services.block, suite, "out_of_order", day(-1), day(1), "x", clerk) == (
        "Room 101 cannot be blocked in the past: begin today."
    )
    assert refusal(services.block, suite, "out_of_order", day(1), day(1), "x", clerk) == (
        "The room must be blocked for a night at least."
    )
    assert refusal(services.block, suite, "flooded", day(1), day(2), "x", clerk).startswith(
        "Value 'flooded' is not a valid choice."
    )
    services.block(suite, "house_use", day(0), day(2), "the owner's nephew", clerk)
    assert refusal(services.block, suite, "out_of_order", day(1), day(2), "x", clerk) == (
        f"Room 101 is already house use from {day(0)} to {day(2)}: release it first."
    )
    stay.status = "cancelled"
    stay.save()
    services.block(suite, "out_of_order", day(2), None, "x", clerk)


def test_a_dirty_room_is_cleaned_before_it_is_inspected(suite, clerk):
    services.set_housekeeping(suite, "dirty", clerk)
    assert refusal(services.set_housekeeping, suite, "inspected", clerk) == (
        "Room 101 is dirty: clean it before it is inspected."
    )
    services.set_housekeeping(suite, "clean", clerk)
    services.set_housekeeping(suite, "inspected", clerk)
    suite.refresh_from_db()
    assert suite.housekeeping_status == "inspected"
    assert refusal(services.set_housekeeping, suite, "shiny", clerk) == (
        "There is no housekeeping status shiny."
    )


def test_a_room_with_guests_is_blocked_when_they_have_left(suite, clerk):
    reservation(
        "RES-1",
        room=suite,
        status="checked_in",
        checked_in_at=timezone.now(),
        check_in_date=day(-2),
        check_out_date=day(0),
    )
    assert refusal(services.block, suite, "out_of_order", day(0), None, "x", clerk) == (
        "RES-1 is in room 101: block it after they have left."
    )
    services.block(suite, "out_of_order", day(1), None, "x", clerk)


def test_a_room_that_is_vacated_has_the_status_of_its_block(suite, clerk):
    services.occupy(suite, clerk)
    RoomBlock.objects.create(room=suite, kind="out_of_order", start_date=day(0), reason="x")
    services.vacate(suite, clerk)
    assert suite.status == "out_of_order"


def test_a_block_that_has_ended_leaves_the_room_available(suite, clerk):
    block = services.block(suite, "out_of_order", day(0), day(1), "x", clerk)
    RoomBlock.objects.update(start_date=day(-3), end_date=day(-1))
    for _ in range(2):
        services.release(block, clerk)
    suite.refresh_from_db()
    assert (suite.status, suite.housekeeping_status) == ("available", "clean")
    assert [event.what for event in suite.events.order_by("pk")] == ["blocked", "status_corrected"]
