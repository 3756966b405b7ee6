"""Housekeeping: rooms by floor, one tap a room, many at once, and no names."""

import re
from datetime import timedelta

import pytest

from accounts.tests.back_office import OWNER, browser, member, room
from hotel.business_day import business_date
from hotel.desk.tests.test_today import in_house, stay
from rooms.models import Room, RoomBlock

PAGE = "/admin/housekeeping/"


@pytest.fixture
def cleaner(db):
    return browser(member("Housekeeping"))


def post(client, **form):
    """Send the form, and return what the page says then."""
    response = client.post(PAGE, form, follow=True)
    return [str(message) for message in response.context["messages"]]


def states():
    return dict(Room.objects.values_list("room_number", "housekeeping_status"))


def test_rooms_are_by_floor_those_that_are_needed_today_first(cleaner):
    for number in ("101", "102", "1001"):
        room(number, housekeeping_status="dirty")
    room("201", floor=2)
    room("G", floor=None)
    room("999", is_active=False)
    stay("A", room=Room.objects.get(room_number="102"))
    floors = [
        (floor, [card.room.room_number for card in cards])
        for floor, cards in cleaner.get(PAGE).context["floors"]
    ]
    assert floors == [(1, ["102", "101", "1001"]), (2, ["201"]), (None, ["G"])]


def test_one_tap_sets_a_room(cleaner):
    dirty = room("101", housekeeping_status="dirty")
    response = cleaner.post(PAGE, {"set": f"{dirty.pk}:clean"})
    assert response.url == f"{PAGE}#room-{dirty.pk}"
    assert states() == {"101": "clean"}
    assert [event.what for event in dirty.events.all()] == ["set_clean"]
    said = ["Room 101 is clean.", "Room 101 is inspected."]
    assert post(cleaner, set=f"{dirty.pk}:inspected") == said


def test_ticked_rooms_are_set_together_and_each_refusal_is_told(cleaner):
    rooms = [room(number, housekeeping_status="clean") for number in ("101", "102")]
    rooms.append(room("103", housekeeping_status="dirty"))
    said = post(cleaner, room=[one.pk for one in rooms], all="inspected")
    assert said == [
        "Room 103 is dirty: clean it before it is inspected.",
        "Rooms 101, 102 are inspected.",
    ]
    assert states() == {"101": "inspected", "102": "inspected", "103": "dirty"}


def test_nothing_ticked_is_said(cleaner):
    room("101")
    assert post(cleaner, all="dirty") == ["Tick the rooms first."]
    assert states() == {"101": "clean"}


@pytest.mark.parametrize(
    "form",
    [{"set": "x"}, {"set": "1:"}, {"set": "99999999999999999999:clean"}, {"set": "²:clean"}],
)
def test_junk_sets_nothing(cleaner, form):
    room("101", pk=1)
    assert cleaner.post(PAGE, form).status_code == 302
    assert states() == {"101": "clean"}


def test_a_state_that_is_none_is_refused(cleaner):
    one = room("101")
    assert post(cleaner, set=f"{one.pk}:spotless") == ["There is no housekeeping status spotless."]


def test_a_card_says_what_the_room_is_needed_for(cleaner):
    in_house("A", arrives=-1, nights=1, room=room("101"))
    in_house("B", room=room("102"), nights=3)
    RoomBlock.objects.create(
        room=room("103"),
        kind="out_of_order",
        start_date=business_date(),
        end_date=business_date() + timedelta(days=1),
        reason="the shower leaks",
    )
    stay("C", room=room("104", housekeeping_status="dirty"))
    page = cleaner.get(PAGE).content.decode()
    texts = [" ".join(text.split()) for text in re.findall(r'<p class="small">(.*?)</p>', page)]
    assert [re.sub(r"(until) \w{3} \d+ \w{3}( \d{4})?", r"\1 DAY", text) for text in texts] == [
        "Vacant · <strong>arrival today</strong>",
        "In house, leaves today",
        "In house until DAY",
        "the shower leaks · until DAY",
    ]
    assert "Needed today" in page
    for hidden in ("Guest A", "1,000,000", "Out of order…"):
        assert hidden not in page


def test_only_who_may_block_is_offered_it(db):
    one = room("101")
    page = browser(member("Manager")).get(PAGE).content.decode()
    assert f'href="/admin/rooms/room/{one.pk}/do/block/"' in page


def test_the_rooms_of_one_state_can_be_shown_alone(cleaner):
    room("101", housekeeping_status="dirty")
    room("102")
    response = cleaner.get(PAGE, {"show": "dirty"})
    assert [card.room.room_number for _, cards in response.context["floors"] for card in cards] == [
        "101"
    ]
    assert [(name, count) for name, _, count in response.context["choices"]] == [
        ("", 2),
        ("needed", 0),
        ("dirty", 1),
        ("clean", 1),
        ("inspected", 0),
    ]
    one = Room.objects.get(room_number="101")
    back = cleaner.post(f"{PAGE}?show=dirty", {"set": f"{one.pk}:clean"})
    assert back.url == f"{PAGE}?show=dirty#room-{one.pk}"
    assert "No room is in this state" in cleaner.get(PAGE, {"show": "dirty"}).content.decode()
    assert cleaner.get(PAGE, {"show": "junk"}).status_code == 200


def test_the_page_asks_as_much_for_60_rooms_as_for_6(db, django_assert_max_num_queries):
    for number in range(60):
        stay(f"S{number}", room=room(f"{number}"))
    client = browser(member(OWNER))
    client.get(PAGE)
    with django_assert_max_num_queries(10):
        assert len(client.get(PAGE).content) < 150_000
