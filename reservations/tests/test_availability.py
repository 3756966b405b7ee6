"""Free means free: overstays, what is out of use, blocks, beds; what is rarely meant asks back."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.tests.back_office import browser, member, send
from hotel.refusals import Refused
from reservations import services
from reservations.availability import oversold
from reservations.forms import BookForm
from reservations.tests.test_moves import House
from rooms import services as upkeep


@pytest.fixture
def house(db, monkeypatch):
    return House(monkeypatch)


def sentence(act, *args, **kwargs):
    """Return the sentence with which an act is refused."""
    with pytest.raises(Refused) as refusal:
        act(*args, **kwargs)
    return str(refusal.value)


# Overstays


def test_guests_past_their_departure_take_the_room_until_they_leave(house):
    stay = house.stay(1)
    house.at(2)
    tonight = house.day(2), house.day(3)
    assert list(services.free_rooms(*tonight, house.one.room_type)) == [house.two]
    assert services.rooms_left(house.one.room_type, *tonight) == 1
    assert services.rooms_left(house.one.room_type, house.day(3), house.day(4)) == 2
    assert sentence(house.book, 2, 3, house.one) == (
        f"Room 101 still has {stay}, who was to leave on {house.day(1)}: check them out, or choose"
        " another room."
    )
    house.book(3, 4, house.one)
    services.check_out(stay, house.clerk, allow_debt=True)
    house.book(2, 3, house.one)


def test_guests_who_leave_today_do_not_hinder_a_sale_of_tonight(house):
    house.stay(2)
    house.at(2)
    house.book(2, 3, house.one)


def test_who_stayed_longer_pays_for_the_nights_slept(house):
    stay = house.stay(1)
    house.at(3)
    left = services.check_out(stay, house.clerk, allow_debt=True, bill_late=True)
    left.refresh_from_db()
    assert (left.check_out_date, left.number_of_nights) == (house.day(3), 3)
    assert left.total_amount == 1_500_000
    assert house.parts(left) == [("101", 0, 3, True)]


def test_nights_past_the_departure_that_are_not_billed_are_told(house):
    stay = house.stay(1)
    house.at(3)
    left = services.check_out(stay, house.clerk, allow_debt=True)
    assert (left.check_out_date, left.total_amount) == (house.day(1), 500_000)
    assert stay.events.latest("pk").reason == (
        "Left 2 nights past the departure, which are not billed."
    )


# Out of use


def test_a_type_that_is_out_of_use_is_not_sold(house):
    kind = house.suite.room_type
    kind.is_active = False
    kind.save()
    assert services.rooms_left(kind, house.day(1), house.day(2)) == 0
    assert not services.free_rooms(house.day(1), house.day(2), kind).exists()
    assert sentence(house.book, 1, 2, house.suite) == (
        "Suite (SUI) is no longer in use: choose another type."
    )


def test_a_block_does_not_take_what_stays_without_a_room_need(house):
    kind = house.one.room_type
    book = {"guest": house.guest, "room_type": kind, "by": house.clerk}
    for _ in range(2):
        services.book(arrival=house.day(2), departure=house.day(4), **book)
    block = (house.one, "out_of_service", house.day(1))
    for end in (house.day(3), None):
        assert sentence(upkeep.block, *block, end, "paint", house.clerk) == (
            f"Stays without a room need room 101 on {house.day(2)}: no other Standard (STD) is"
            " left. Move a stay to another type first."
        )
    upkeep.block(*block, house.day(2), "paint", house.clerk)
    upkeep.block(house.two, "house_use", house.day(3), None, "owner", house.clerk, overbook=True)
    assert oversold(house.day(0), house.day(10)) == [(house.day(3), kind, 1)]


# Beds


def test_more_guests_than_there_are_beds_for_need_a_reason(house):
    kind = house.suite.room_type
    kind.max_occupancy = 2
    kind.save()
    house.suite.refresh_from_db()
    guests = {"adults": 2, "children": 1}
    assert sentence(house.book, 1, 2, house.suite, **guests) == (
        "Suite (SUI) has beds for 2, not for 3: choose a larger room, or let a manager allow it"
        " with a reason."
    )
    assert sentence(house.book, 1, 2, house.suite, crowd=True, reason=" ", **guests) == (
        "More guests than there are beds for need a reason: enter one."
    )
    stay = house.book(1, 2, house.suite, crowd=True, reason="a baby", **guests)
    assert stay.events.latest("pk").reason == "a baby"


# What asks back


@pytest.mark.parametrize(
    "first, last, more, question",
    [
        (-3, 2, {}, "arrives on {}, which is past"),
        (1, 32, {}, "has 31 nights, more than 30"),
        (1, 2, {"rate": 0}, "costs nothing"),
    ],
)
def test_what_is_rarely_meant_asks_back(house, first, last, more, question):
    assert sentence(house.book, first, last, house.one, **more) == (
        f"This stay {question.format(house.day(first))}: confirm it if that is meant, or correct"
        " it."
    )
    house.book(first, last, house.one, anyway=True, **more)


def test_a_stay_that_is_possible_only_with_a_change_of_rooms_says_so(house):
    house.book(3, 5, house.one)
    house.book(1, 3, house.two)
    kind = house.one.room_type
    assert services.rooms_left(kind, house.day(1), house.day(5)) == 1
    book = {
        "guest": house.guest,
        "room_type": kind,
        "arrival": house.day(1),
        "departure": house.day(5),
        "by": house.clerk,
    }
    assert "the guests must change rooms" in sentence(services.book, **book)
    stay = services.book(**book, anyway=True)
    house.move(stay, house.two, from_night=house.day(3))
    house.move(stay, house.one)
    assert house.parts(stay) == [("101", 1, 3, True), ("102", 3, 5, False)]
    assert stay.check_out_date - stay.check_in_date == timedelta(days=4)


# Rooms and types that are taken from sale


@pytest.fixture
def errors_of(house):
    """Return ``f(row, **typed)``: what is wrong when a manager changes a room or type so."""
    return partial(changed, browser(member("Manager")))


def changed(manager, row, **typed):
    address = reverse(f"admin:rooms_{row._meta.model_name}_change", args=[row.pk])
    response = send(manager, address, **typed)
    row.refresh_from_db()
    if response.status_code == 302:
        return []
    return [*response.context["adminform"].form.non_field_errors()]


def test_a_room_that_is_sold_is_not_put_out_of_use(house, errors_of):
    stay = house.book(2, 4, house.one)
    assert errors_of(house.one, is_active="false") == [
        f"Room 101 has {stay} from {house.day(2)} to {house.day(4)}: move the stay first."
    ]
    assert house.one.is_active is not False
    assert errors_of(house.one, notes="new carpet") == []
    services.cancel(stay, house.clerk, "ill")
    assert errors_of(house.one, is_active="false") == []
    assert house.one.is_active is False


def test_a_room_that_stays_without_one_need_keeps_its_type_and_stays_in_use(house, errors_of):
    for _ in range(2):
        house.book(2, 4)
    needed = [
        f"Stays without a room need room 101 on {house.day(2)}: no other Standard (STD) is left."
        " Move a stay to another type first."
    ]
    assert errors_of(house.one, is_active="false") == needed
    assert errors_of(house.one, room_type=str(house.suite.room_type_id)) == needed
    assert services.rooms_left(house.one.room_type, house.day(2), house.day(4)) == 0


def test_a_type_that_is_sold_is_not_put_out_of_use(house, errors_of):
    kind = house.one.room_type
    stay = house.book(2, 4)
    assert errors_of(kind, is_active="false") == [
        f"Standard (STD) is sold to {stay} from {house.day(2)} to {house.day(4)}: move such stays"
        " to another type first."
    ]
    assert kind.is_active is not False
    assert errors_of(house.suite.room_type, is_active="false") == []
    form = BookForm(row=None, admin_site=admin.site, changing=house.clerk)
    assert [*form.fields["room_type"].queryset] == [kind]


def test_selling_more_rooms_than_there_are_needs_a_reason(house):
    for _ in range(2):
        house.book(2, 4)
    assert sentence(house.book, 2, 4, overbook=True, reason=" ") == (
        "Selling more rooms than there are needs a reason: enter one."
    )
