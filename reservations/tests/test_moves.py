"""Guests who change rooms in mid-stay, or will: where they were stays known, and can be undone."""

from datetime import datetime, time, timedelta
from itertools import pairwise
from random import Random

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import browser, member, room
from hotel.business_day import business_date
from hotel.dashboard.services import compute_metrics
from hotel.refusals import Refused
from reservations import services
from reservations.models import Guest, Reservation
from rooms import services as upkeep
from rooms.models import Room, RoomType

NOON = time(12)


class House:
    """A clerk, rooms 101 and 102 of one type, 201 of a dearer one, and a clock to set."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.first = business_date()
        self.clerk = User.objects.create(username="sari")
        self.one, self.two = room("101"), room("102")
        suite = RoomType.objects.create(name="Suite", code="SUI", default_rate=900_000)
        self.suite = room("201", room_type=suite)
        self.guest = Guest.objects.create(full_name="Ibu Ratna")

    def day(self, number):
        """Return the date so many days after the first."""
        return self.first + timedelta(days=number)

    def at(self, number):
        """Let it be noon on that day."""
        zone = timezone.get_default_timezone()
        now = datetime.combine(self.day(number), NOON, zone)
        self.monkeypatch.setattr(timezone, "now", lambda: now)

    def book(self, first, last, at=None, **more):
        """Return a new stay from one day to another."""
        kind = at.room_type if at else self.one.room_type
        dates = {"arrival": self.day(first), "departure": self.day(last)}
        return services.book(
            guest=self.guest, room_type=kind, room=at, by=self.clerk, **dates, **more
        )

    def stay(self, last=5):
        """Return a stay in 101 whose guests are in house since the first day."""
        return services.check_in(self.book(0, last, self.one), self.clerk)

    def move(self, stay, to, **more):
        """Move a stay."""
        return services.move(stay, to, self.clerk, **more)

    def parts(self, stay):
        """Return the rooms of a stay: number, first day, day after the last, where it is now."""
        return [
            (
                part.room and str(part.room),
                (part.start_date - self.first).days,
                (part.end_date - self.first).days,
                part.is_present,
            )
            for part in stay.parts.select_related("room").order_by("start_date")
        ]

    def states(self):
        """Return what the rooms are: free or not, clean or not."""
        return {
            str(one): (one.status, one.housekeeping_status)
            for one in Room.objects.order_by("room_number")
        }


@pytest.fixture
def house(db, monkeypatch):
    return House(monkeypatch)


CLEAN, DIRTY = ("available", "clean"), ("available", "dirty")


def test_nights_that_were_slept_stay_where_they_were(house):
    stay = house.stay()
    house.at(2)
    moved = house.move(stay, house.suite)
    assert house.parts(stay) == [("101", 0, 2, False), ("201", 2, 5, True)]
    assert moved.room == house.suite
    assert house.states() == {"101": DIRTY, "102": CLEAN, "201": ("occupied", "clean")}


def test_figures_count_each_night_where_it_was_slept(house):
    stay = house.stay(4)
    house.at(2)
    house.move(stay, house.suite)
    rows = compute_metrics(house.day(0), house.day(3))
    sold = {code: [] for code in ("STD", "SUI")}
    for row in rows:
        sold[row.room_type.code].append((row.rooms_sold, row.room_revenue))
    assert sold == {
        "STD": [(1, 500_000), (1, 500_000), (0, 0), (0, 0)],
        "SUI": [(0, 0), (0, 0), (1, 500_000), (1, 500_000)],
    }


def test_guests_who_move_on_the_day_of_their_arrival_were_never_elsewhere(house):
    stay = house.stay()
    house.move(stay, house.two)
    assert house.parts(stay) == [("102", 0, 5, True)]


def test_a_room_is_sold_again_from_the_night_on_that_its_guests_left(house):
    stay = house.stay()
    house.at(2)
    house.move(stay, house.two)
    services.check_in(house.book(2, 5, house.one), house.clerk, accept_dirty=True)
    with pytest.raises(Refused, match="Room 101 has"):
        house.move(stay, house.one)


def test_a_stay_that_has_not_begun_moves_as_a_whole(house):
    stay = house.book(1, 4, house.one)
    house.move(stay, house.two)
    assert house.parts(stay) == [("102", 1, 4, True)]
    assert house.states()["101"] == CLEAN


def test_a_move_can_be_planned_and_is_made_on_its_day(house):
    stay = house.stay()
    house.move(stay, house.two, from_night=house.day(3))
    assert house.parts(stay) == [("101", 0, 3, True), ("102", 3, 5, False)]
    assert stay.events.latest("pk").what == "move_planned"
    stay.refresh_from_db()
    assert stay.room == house.one
    assert house.states()["102"] == CLEAN
    house.book(3, 5, house.one)  # which is free by then
    house.at(3)
    house.move(stay, house.two)
    assert house.parts(stay) == [("101", 0, 3, False), ("102", 3, 5, True)]
    assert house.states() == {"101": DIRTY, "102": ("occupied", "clean"), "201": CLEAN}


def test_a_planned_move_takes_its_room(house):
    stay = house.stay()
    house.move(stay, house.two, from_night=house.day(3))
    with pytest.raises(Refused, match="Room 102 has"):
        house.book(4, 6, house.two)
    house.book(1, 3, house.two)
    assert list(services.free_rooms(house.day(3), house.day(5), house.one.room_type)) == [house.one]


def test_guests_may_stay_in_spite_of_a_planned_move(house):
    stay = house.stay()
    house.move(stay, house.two, from_night=house.day(3))
    house.at(3)
    house.move(stay, house.one)
    assert house.parts(stay) == [("101", 0, 5, True)]
    assert house.states()["101"] == ("occupied", "clean")


def test_a_stay_may_be_split_before_it_begins(house):
    stay = house.book(1, 6, house.one)
    house.move(stay, house.suite, from_night=house.day(3))
    assert house.parts(stay) == [("101", 1, 3, True), ("201", 3, 6, False)]
    stay = services.change_dates(stay, house.day(2), house.day(8), house.clerk)
    assert house.parts(stay) == [("101", 2, 3, True), ("201", 3, 8, False)]


@pytest.mark.parametrize(
    "night, sentence",
    [
        (0, "was elsewhere on {0}: choose tonight, or a later night."),
        (5, "is from {0} to {5}: choose one of its nights."),
        (9, "is from {0} to {5}: choose one of its nights."),
    ],
)
def test_a_move_begins_on_a_night_to_come(house, night, sentence):
    stay = house.stay()
    house.at(2)
    with pytest.raises(Refused) as refusal:
        house.move(stay, house.two, from_night=house.day(night))
    days = [house.day(number) for number in range(6)]
    assert str(refusal.value) == f"{stay} {sentence.format(*days)}"


def test_guests_past_their_departure_do_not_move(house):
    stay = house.stay(2)
    house.at(2)
    with pytest.raises(Refused, match=r"was to leave on .*: change its dates first"):
        house.move(stay, house.two)


def test_a_move_to_where_the_guests_are_does_nothing(house):
    stay = house.stay()
    events = stay.events.count()
    house.at(2)
    house.move(stay, house.one)
    house.move(stay, house.one, from_night=house.day(4))
    assert (house.parts(stay), stay.events.count()) == ([("101", 0, 5, True)], events)


def test_a_blocked_room_is_refused_for_its_nights_alone(house):

    stay = house.stay()
    upkeep.block(house.two, "out_of_order", house.day(1), house.day(3), "a leak", house.clerk)
    with pytest.raises(Refused, match="Room 102 is out of order"):
        house.move(stay, house.two, from_night=house.day(2))
    house.move(stay, house.two, from_night=house.day(3))


# Undo


def test_a_move_is_undone(house):
    stay = house.stay()
    house.at(2)
    house.move(stay, house.suite)
    back = services.undo_move(stay, house.clerk)
    assert house.parts(stay) == [("101", 0, 5, True)]
    assert back.room == house.one
    assert house.states() == {"101": ("occupied", "dirty"), "102": CLEAN, "201": CLEAN}
    assert stay.events.latest("pk").what == "move_undone"
    with pytest.raises(Refused, match="was not moved today"):
        services.undo_move(stay, house.clerk)


def test_a_planned_move_is_undone(house):
    stay = house.stay()
    house.move(stay, house.two, from_night=house.day(3))
    services.undo_move(stay, house.clerk)
    assert house.parts(stay) == [("101", 0, 5, True)]


def test_a_move_of_yesterday_is_not_undone(house):
    stay = house.stay()
    house.at(2)
    house.move(stay, house.two)
    house.at(3)
    with pytest.raises(Refused, match="was not moved today: choose a room to move it to"):
        services.undo_move(stay, house.clerk)


def test_a_move_is_not_undone_into_a_room_that_is_taken(house):
    stay = house.stay()
    house.at(2)
    house.move(stay, house.two)
    other = house.book(3, 4, house.one)
    with pytest.raises(Refused, match=f"Room 101 has {other}"):
        services.undo_move(stay, house.clerk)


def test_a_stay_that_was_changed_after_its_move_is_not_moved_back(house):
    stay = house.stay()
    house.at(2)
    house.move(stay, house.two)
    services.change_dates(stay, house.day(0), house.day(7), house.clerk)
    with pytest.raises(Refused, match="was changed after its move"):
        services.undo_move(stay, house.clerk)


# Swaps


def test_guests_in_house_swap_rooms_from_tonight_on(house):
    one = house.stay()
    two = services.check_in(house.book(0, 4, house.two), house.clerk)
    house.at(2)
    services.swap(one, two, house.clerk)
    assert house.parts(one) == [("101", 0, 2, False), ("102", 2, 5, True)]
    assert house.parts(two) == [("102", 0, 2, False), ("101", 2, 4, True)]


def test_the_button_plans_a_move(house):
    stay = house.stay()
    page = f"/admin/reservations/reservation/{stay.pk}/do/plan-move/"
    client = browser(member("Front desk"))
    response = client.post(page, {"from_night": house.day(3), "room": house.two.pk})
    assert response.status_code == 302
    assert house.parts(stay) == [("101", 0, 3, True), ("102", 3, 5, False)]
    undo = client.post(page.replace("plan-move", "undo-move"))
    assert (undo.status_code, house.parts(stay)) == (302, [("101", 0, 5, True)])


# Whatever is done


@pytest.mark.parametrize("seed", range(4))
def test_no_night_of_a_room_is_slept_twice_and_parts_make_the_stay(house, seed):
    dice = Random(seed)
    rooms = [house.one, house.two, house.suite]
    stays = [
        house.book(0, 4, house.one),
        house.book(1, 6, house.two),
        house.book(2, 5, overbook=True, reason="a full house"),
    ]
    by = house.clerk

    def night():
        return house.day(dice.randrange(8))

    acts = [
        lambda stay: services.check_in(stay, by, accept_dirty=True),
        lambda stay: services.check_out(stay, by, allow_debt=True),
        lambda stay: services.undo_check_in(stay, by),
        lambda stay: services.undo_check_out(stay, by),
        lambda stay: services.cancel(stay, by, "ill"),
        lambda stay: services.reinstate(stay, by),
        lambda stay: services.change_dates(stay, stay.check_in_date, night(), by),
        lambda stay: services.change_dates(stay, night(), night(), by),
        lambda stay: services.move(stay, dice.choice(rooms), by),
        lambda stay: services.move(stay, dice.choice(rooms), by),
        lambda stay: services.move(stay, dice.choice(rooms), by, from_night=night()),
        lambda stay: services.move(stay, dice.choice(rooms), by, from_night=night()),
        lambda stay: services.undo_move(stay, by),
        lambda stay: services.swap(stay, dice.choice(stays), by),
    ]
    done = 0
    for step in range(120):
        house.at(step // 20)
        stay = Reservation.objects.get(pk=dice.choice(stays).pk)
        try:
            dice.choice(acts)(stay)
            done += 1
        except Refused as refusal:
            assert "add up" not in str(refusal)
    assert done > 15
    taken = set()
    for stay in Reservation.objects.all():
        parts = list(stay.parts.order_by("start_date"))
        assert (parts[0].start_date, parts[-1].end_date) == (
            stay.check_in_date,
            stay.check_out_date,
        )
        assert all(one.end_date == other.start_date for one, other in pairwise(parts))
        assert [part.room for part in parts if part.is_present] == [stay.room]
        if stay.status in ("confirmed", "checked_in"):
            for part in parts:
                for number in range((part.end_date - part.start_date).days if part.room else 0):
                    night_of = part.room_id, part.start_date + timedelta(number)
                    assert night_of not in taken
                    taken.add(night_of)
