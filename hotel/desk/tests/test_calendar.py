"""The calendar: bars where guests sleep, gaps that lead to booking, and what is left to sell."""

import re
from datetime import timedelta

import pytest

from accounts.tests.back_office import OWNER, browser, member, room
from hotel.business_day import business_date
from hotel.desk.tests.test_today import in_house, stay
from reservations.models import Guest, StayPart
from rooms.models import Room, RoomBlock, RoomType

PAGE = "/admin/calendar/"
DAY = timedelta(days=1)


@pytest.fixture
def desk(db):
    return browser(member("Front desk"))


def shown(client, **question):
    return client.get(PAGE, question).context["chart"]


def bars(line):
    """Return the lanes of a room as ``(text, first half day, half day before which it ends)``."""
    return [
        [
            (bar.text or bar.kind, bar.start_column, bar.end_column)
            for bar in sorted(lane, key=lambda bar: bar.start_column)
        ]
        for lane in line.lanes
    ]


def test_a_stay_lies_from_the_noon_it_comes_to_the_noon_it_leaves(desk):
    suite = room("101")
    in_house("A", arrives=-1, nights=2, room=suite)
    stay("B", arrives=1, nights=1, room=suite)
    stay("C", arrives=5, nights=30, room=suite)
    stay("D", arrives=3, nights=1, status="cancelled", room=suite)
    chart = shown(desk)
    assert chart.days[0] == business_date() - DAY
    [kind] = chart.kinds
    [line] = kind.lines
    assert bars(line) == [
        [("Guest A", 2, 6), ("Guest B", 6, 8), ("free", 8, 14), ("Guest C", 14, 29)]
    ]
    assert kind.free == [0, 0, 0, 1, 1, 1] + [0] * 8
    assert chart.free == kind.free


def test_stays_that_share_nights_of_a_room_lie_in_lanes(desk):
    suite = room("101")
    stay("A", nights=3, room=suite)
    stay("B", arrives=1, nights=3, status="pending", room=suite)
    RoomBlock.objects.create(
        room=suite,
        kind="out_of_order",
        start_date=business_date() + 5 * DAY,
        end_date=business_date() + 6 * DAY,
        reason="leak",
    )
    [line] = shown(desk).kinds[0].lines
    lanes = [[bar for bar in lane if bar[0] != "free"] for lane in bars(line)]
    assert lanes == [[("Guest A", 4, 10), ("Out of order: leak", 14, 16)], [("Guest B", 6, 12)]]


def test_who_has_no_room_waits_in_the_lane_of_the_type_and_is_counted(desk):
    room("101")
    for number in "AB":
        stay(number, nights=1)
    [kind] = shown(desk).kinds
    assert [line.room and line.room.room_number for line in kind.lines] == [None, "101"]
    assert [len(lane) for lane in kind.lines[0].lanes] == [1, 1]
    assert kind.free[1] == -1
    assert 'class="over">-1</td>' in desk.get(PAGE).content.decode()


def test_a_stay_that_was_split_lies_in_each_of_its_rooms(desk):
    first, second = room("101"), room("102")
    whole = stay("A", nights=2, room=first)
    part = StayPart.objects.get(reservation=whole)
    middle = whole.check_in_date + DAY
    part.end_date = middle
    part.save(update_fields=["end_date"])
    StayPart.objects.create(
        reservation=whole,
        room=second,
        room_type=second.room_type,
        start_date=middle,
        end_date=whole.check_out_date,
        status=whole.status,
    )
    lines = shown(desk).kinds[0].lines
    assert [("Guest A", 4, 6) in bars(lines[0])[0], ("Guest A", 6, 8) in bars(lines[1])[0]] == [
        True,
        True,
    ]


def test_a_gap_leads_to_booking_with_room_and_day_filled_in(desk):
    suite = room("101")
    page = desk.get(PAGE).content.decode()
    address = re.search(r'class="gap" tabindex="-1" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert address == (
        f"/admin/reservations/reservation/add/?room={suite.pk}&room_type={suite.room_type_id}"
        f"&arrival={business_date()}"
    )
    form = desk.get(address).content.decode()
    assert f'name="arrival" value="{business_date()}"' in form
    assert f'<option value="{suite.pk}" selected>101</option>' in form
    assert desk.get("/admin/reservations/reservation/add/?room=x&arrival=%00").status_code == 200


def test_only_who_may_book_is_led_to_it(db):
    room("101")
    assert 'class="gap"' not in browser(member("Read-only")).get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("question", "nights"),
    [
        ({}, 14),
        ({"nights": "30"}, 30),
        ({"nights": "9999"}, 14),
        ({"start": "2025-02-30", "type": "x"}, 14),
        ({"start": "9999-12-31"}, 14),
        ({"start": "0001-01-01"}, 14),
        ({"start": "\0", "type": "9" * 30}, 14),
    ],
)
def test_junk_in_the_address_asks_for_nothing(desk, question, nights):
    room("101")
    response = desk.get(PAGE, question)
    assert response.status_code == 200
    assert len(response.context["chart"].days) == nights
    assert response.context["asked"].start == business_date() - DAY


def test_one_type_can_be_shown_alone_and_the_addresses_keep_it(desk):
    suite = RoomType.objects.create(name="Suite", code="SUI", default_rate=1)
    room("101")
    room("201", room_type=suite)
    response = desk.get(PAGE, {"type": suite.pk, "start": "2026-01-10"}, follow=True)
    assert [kind.room_type.name for kind in response.context["chart"].kinds] == ["Suite"]
    assert f"type={suite.pk}" in response.context["later"]


def test_the_chart_asks_as_much_for_40_rooms_as_for_4(db, django_assert_max_num_queries):
    for number in range(40):
        stay(f"S{number}", room=room(f"{number}"))
    client = browser(member(OWNER))
    client.get(PAGE)
    with django_assert_max_num_queries(12):
        response = client.get(PAGE, {"nights": "30"})
    assert len(response.content) < 250_000
    assert Guest.objects.count() == Room.objects.count() == 40
