"""Rooms and room types in the back office."""

from decimal import Decimal

import pytest

from accounts.tests.back_office import browser, member, room
from rooms.models import Room, RoomType

ROOMS = "/admin/rooms/room/"
TYPES = "/admin/rooms/roomtype/"


@pytest.fixture
def manager(db):
    return browser(member("Manager"))


def numbers(response):
    return [row.room_number for row in response.context["cl"].result_list]


def form(**fields):
    """Return the form of a room as a manager fills it in."""
    kind, _ = RoomType.objects.get_or_create(code="STD", defaults={"default_rate": 1})
    return {"room_number": "201", "floor": "2", "room_type": kind.pk, "is_active": "true", **fields}


def test_rooms_are_listed_by_floor_and_number_as_a_guest_counts(manager):
    for number, floor in [("1001", 10), ("12", 1), ("9", 1), ("101", 1), ("201", 2), ("X", None)]:
        room(number, floor=floor)
    assert numbers(manager.get(ROOMS)) == ["9", "12", "101", "201", "1001", "X"]


def test_a_room_is_found_by_number_and_by_type(manager):
    room("101")
    room("102")
    assert numbers(manager.get(f"{ROOMS}?q=102")) == ["102"]
    assert numbers(manager.get(f"{ROOMS}?q=standard")) == ["101", "102"]
    assert numbers(manager.get(f"{ROOMS}?status__exact=occupied")) == []


def test_a_new_room_is_available_and_clean_whatever_is_sent(manager):
    sent = form(status="occupied", housekeeping_status="dirty", custom_rate="1")
    assert manager.post(f"{ROOMS}add/", sent).status_code == 302
    added = Room.objects.get()
    assert (added.status, added.housekeeping_status) == ("available", "clean")
    assert added.custom_rate is None


def test_notes_can_be_changed_but_no_status_and_no_rate(manager):
    suite = room("101", custom_rate=Decimal("700000.00"))
    sent = form(room_number="101A", notes="Sea view", status="occupied", custom_rate="1")
    assert manager.post(f"{ROOMS}{suite.pk}/change/", sent).status_code == 302
    suite.refresh_from_db()
    assert (suite.room_number, suite.notes) == ("101A", "Sea view")
    assert (suite.status, suite.custom_rate) == ("available", Decimal("700000.00"))


def test_two_rooms_cannot_have_one_number(manager):
    room("101")
    response = manager.post(f"{ROOMS}add/", form(room_number="101"))
    assert response.context["errors"] == [["Room with this Room number already exists."]]


def test_a_rate_is_given_with_a_new_type_and_then_stands(manager):
    sent = {"name": "Suite", "code": "SUI", "default_rate": "1250000", "is_active": "true"}
    assert manager.post(f"{TYPES}add/", sent).status_code == 302
    suite = RoomType.objects.get()
    assert suite.default_rate == Decimal("1250000.00")
    sent.update(name="Sea suite", default_rate="1")
    assert manager.post(f"{TYPES}{suite.pk}/change/", sent).status_code == 302
    suite.refresh_from_db()
    assert (suite.name, suite.default_rate) == ("Sea suite", Decimal("1250000.00"))


def test_money_in_a_list_is_readable(manager):
    room("101", custom_rate=Decimal("1250000.50"))
    assert '<span class="money">1,250,000.50</span>' in manager.get(ROOMS).content.decode()
    assert '<span class="money">500,000</span>' in manager.get(TYPES).content.decode()


def test_housekeeping_sees_which_rooms_are_dirty(db):
    room("101", housekeeping_status="dirty")
    page = browser(member("Housekeeping")).get(ROOMS).content.decode()
    assert '<span class="badge badge-dirty">Dirty</span>' in page
