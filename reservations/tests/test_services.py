"""What happens to a stay: allowed transitions, refusals in words, and twenty clerks at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import room
from hotel.business_day import business_date
from hotel.migrator.tests import legacy
from hotel.refusals import Refused
from reservations import services
from reservations.models import Guest, Reservation, ReservationStatus
from reservations.tests.test_rules import in_processes
from rooms import services as house
from rooms.models import Room, RoomType


def day(number):
    """Return the hotel's date so many days from today."""
    return business_date() + timedelta(days=number)


@pytest.fixture
def clerk(db):
    return User.objects.create(username="sari")


@pytest.fixture
def stay(clerk):
    return booked(clerk, room=room("101"))


def booked(clerk, first=0, last=2, **more):
    guest, _ = Guest.objects.get_or_create(full_name="Ibu Ratna")
    if not RoomType.objects.exists():
        room("101")
    more.setdefault("room_type", RoomType.objects.order_by("pk").first())
    return services.book(guest=guest, arrival=day(first), departure=day(last), by=clerk, **more)


def refusal(do, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        do(*args, **kwargs)
    return str(refused.value)


def test_a_stay_is_priced_by_the_night(clerk):
    stay = booked(clerk, last=3, discount=Decimal(100_000))
    assert (stay.rate_per_night, stay.subtotal, stay.total_amount) == (
        500_000,
        1_500_000,
        1_400_000,
    )
    own = room("900", custom_rate=Decimal(700_000))
    assert booked(clerk, last=1, room=own).total_amount == 700_000
    assert booked(clerk, 5, 6, rate=Decimal(1)).total_amount == 1
    services.change_dates(stay, day(0), day(2), clerk)
    stay.refresh_from_db()
    assert (stay.number_of_nights, stay.total_amount) == (2, Decimal("933333.33"))


def test_asked_for_again_a_stay_is_booked_once(clerk):
    first = booked(clerk, confirmation_number="WEB-1")
    assert booked(clerk, confirmation_number="WEB-1") == first
    assert refusal(booked, clerk, 3, 4, confirmation_number="WEB-1") == (
        "WEB-1 is already booked, for another guest or other dates."
    )
    assert Reservation.objects.count() == 1


def test_a_room_that_somebody_has_is_refused_by_name(stay, clerk):
    assert refusal(booked, clerk, 1, 3, room=stay.room) == (
        f"Room 101 has {stay} from {day(0)} to {day(2)}: choose another room or other dates."
    )
    booked(clerk, 2, 3, room=stay.room)  # arrives when the others leave
    services.cancel(stay, clerk, "ill")
    booked(clerk, 0, 2, room=stay.room)
    assert refusal(services.reinstate, stay, clerk).startswith("Room 101 has ")


def test_a_type_is_not_sold_more_often_than_it_has_rooms(stay, clerk):
    kind = stay.room_type
    room("102")
    booked(clerk)
    assert services.rooms_left(kind, day(0), day(2)) == 0
    assert refusal(booked, clerk) == (
        f"{kind} is sold out between {day(0)} and {day(2)}: choose other dates or another type."
    )
    booked(clerk, overbook=True, reason="a full house")
    assert services.rooms_left(kind, day(0), day(2)) == -1
    assert services.rooms_left(kind, day(2), day(9)) == 2


def test_a_blocked_room_is_not_sold(clerk):
    blocked = room("101")
    room("102")
    block = house.block(blocked, "out_of_order", day(1), day(4), "a leak", clerk)
    kind = blocked.room_type
    assert [str(free) for free in services.free_rooms(day(0), day(2))] == ["102"]
    assert services.rooms_left(kind, day(0), day(2)) == 1
    assert refusal(booked, clerk, room=blocked) == (
        f"Room 101 is out of order from {day(1)} to {day(4)}: release it, or choose another one."
    )
    booked(clerk, 0, 1, room=blocked)
    booked(clerk, 4, 5, room=blocked)
    house.release(block, clerk)
    assert services.rooms_left(kind, day(2), day(4)) == 2
    booked(clerk, 1, 4, room=blocked)


def test_check_in_and_out(stay, clerk):
    services.check_in(stay, clerk)
    stay.refresh_from_db()
    assert (stay.status, stay.checked_in_by, stay.receptionist_name) == (
        "checked_in",
        clerk,
        "sari",
    )
    assert stay.room.status == "occupied"
    at = stay.checked_in_at
    services.check_in(stay, clerk)  # a double click
    services.check_out(stay, clerk, allow_debt=True)
    stay.refresh_from_db()
    assert (stay.status, stay.checked_in_at) == ("checked_out", at)
    assert (stay.room.status, stay.room.housekeeping_status) == ("available", "dirty")
    services.undo_check_out(stay, clerk)
    services.undo_check_in(stay, clerk)
    stay.refresh_from_db()
    assert (stay.status, stay.checked_in_at, stay.checked_out_at) == ("confirmed", None, None)


def test_guests_are_let_into_a_clean_room_on_their_days(stay, clerk):
    early = booked(clerk, 1, 2, room=room("102"))
    late = booked(clerk, -3, 0, anyway=True)
    assert refusal(services.check_in, early, clerk) == (
        f"{early} arrives on {day(1)}: change its dates first."
    )
    assert refusal(services.check_in, late, clerk) == (
        f"{late} was to leave on {day(0)}: change its dates first."
    )
    assert refusal(
        services.check_in,
        booked(clerk, room_type=stay.room_type, overbook=True, reason="a full house"),
        clerk,
    )
    Room.objects.update(housekeeping_status="dirty")
    assert refusal(services.check_in, stay, clerk) == (
        "Room 101 is dirty: clean it, or choose another one."
    )
    services.check_in(stay, clerk, accept_dirty=True)


def test_guests_in_house_change_rooms(stay, clerk):
    other = room("102")
    services.check_in(stay, clerk)
    services.move(stay, other, clerk)
    rooms = dict(Room.objects.values_list("room_number", "status"))
    assert rooms == {"101": "available", "102": "occupied"}
    second = booked(clerk, room=Room.objects.get(room_number="101"))
    Room.objects.update(housekeeping_status="clean")
    services.check_in(second, clerk)
    services.swap(stay, second, clerk)
    found = {str(row): row.room.room_number for row in Reservation.objects.all()}
    assert found == {str(stay): "101", str(second): "102"}
    assert refusal(services.swap, stay, stay, clerk) == (f"{stay} cannot swap rooms with itself.")


def test_guests_in_house_swap_with_those_who_are_expected(stay, clerk):
    other = booked(clerk, 0, 2, room=room("102"))
    services.check_in(stay, clerk)
    services.swap(other, stay, clerk)
    found = {row.room_number: (row.status, row.housekeeping_status) for row in Room.objects.all()}
    assert found == {"101": ("available", "dirty"), "102": ("occupied", "clean")}


def test_dates_of_guests_in_house(stay, clerk):
    services.check_in(stay, clerk)
    assert refusal(services.change_dates, stay, day(1), day(2), clerk) == (
        f"{stay} is in house: its day of arrival cannot be changed."
    )
    booked(clerk, 3, 5, room=stay.room)
    services.change_dates(stay, day(0), day(3), clerk)
    assert refusal(services.change_dates, stay, day(0), day(4), clerk).startswith("Room 101 has ")
    assert refusal(services.change_dates, stay, day(0), day(0), clerk) == (
        "The guest must leave after the day of arrival."
    )


DO = {
    "confirm": lambda stay, by: services.confirm(stay, by),
    "check in": lambda stay, by: services.check_in(stay, by),
    "check out": lambda stay, by: services.check_out(stay, by, allow_debt=True),
    "cancel": lambda stay, by: services.cancel(stay, by, "ill"),
    "cancel in house": lambda stay, by: services.cancel(stay, by, "ill", in_house=True),
    "mark no-show": lambda stay, by: services.mark_no_show(stay, by),
    "undo check-in": lambda stay, by: services.undo_check_in(stay, by),
    "undo check-out": lambda stay, by: services.undo_check_out(stay, by),
    "reinstate": lambda stay, by: services.reinstate(stay, by),
}
# what is allowed, and where it leads; asked for where it leads already, nothing happens
ALLOWED = {
    "confirm": {"pending": "confirmed", "confirmed": "confirmed"},
    "check in": {"confirmed": "checked_in", "checked_in": "checked_in"},
    "check out": {"checked_in": "checked_out", "checked_out": "checked_out"},
    "cancel": dict.fromkeys(("pending", "confirmed", "cancelled"), "cancelled"),
    "cancel in house": dict.fromkeys(
        ("pending", "confirmed", "checked_in", "cancelled"), "cancelled"
    ),
    "mark no-show": dict.fromkeys(("confirmed", "no_show"), "no_show"),
    "undo check-in": dict.fromkeys(("checked_in", "confirmed"), "confirmed"),
    "undo check-out": dict.fromkeys(("checked_out", "checked_in"), "checked_in"),
    "reinstate": dict.fromkeys(("cancelled", "no_show", "confirmed"), "confirmed"),
}


@pytest.mark.parametrize("status", ReservationStatus.values)
@pytest.mark.parametrize("what", DO)
def test_transitions(stay, clerk, status, what):
    now = timezone.now()
    Reservation.objects.update(status=status, checked_in_at=now, checked_out_at=now)
    if status in ALLOWED[what]:
        DO[what](stay, clerk)
        stay.refresh_from_db()
        assert stay.status == ALLOWED[what][status]
    else:
        assert refusal(DO[what], stay, clerk).endswith(
            f": it is {ReservationStatus(status).label.lower()}."
        )
        stay.refresh_from_db()
        assert stay.status == status


def test_what_was_done_on_another_day_is_not_undone(stay, clerk):
    services.check_in(stay, clerk)
    Reservation.objects.update(checked_in_at=timezone.now() - timedelta(days=2))
    assert refusal(services.undo_check_in, stay, clerk) == (
        f"{stay} was checked in on another day: it can no longer be undone."
    )


def test_a_no_show_is_known_on_the_day_and_a_cancellation_has_a_reason(stay, clerk):
    later = booked(clerk, 1, 2, room=room("102"))
    assert refusal(services.mark_no_show, later, clerk) == (
        f"{later} arrives on {day(1)}: wait until then."
    )
    assert refusal(services.cancel, later, clerk, " ") == (
        f"{later} cannot be cancelled without a reason: enter one."
    )
    services.cancel(later, clerk, " ill ")
    later.refresh_from_db()
    assert (later.status, later.cancel_reason) == ("cancelled", "ill")


def test_a_legacy_stay_that_breaks_a_rule_can_be_cancelled(history):
    history.before(("reservations", "0014_add_rules"))
    legacy.reservation(history, 1, adults=0, status="confirmed")
    history.climb()
    services.cancel(Reservation.objects.get(), User.objects.get(), "ill")
    assert Reservation.objects.get().status == "cancelled"


def book_by_service(history, key):
    services.book(
        guest=Guest.objects.get(),
        room_type=RoomType.objects.first(),
        room=Room.objects.get(),
        arrival=day(0),
        departure=day(2),
        by=User.objects.get(),
    )


def test_twenty_processes_book_one_room_by_service_and_one_gets_it(history):
    history.at("head")
    legacy.reservation(history, 1, status="cancelled")
    legacy.room(history, 1)
    history.reset_sequences()
    answers = in_processes(20, lambda number: book_by_service(history, number), Refused)
    assert sorted(answers) == ["booked"] + ["refused"] * 19
    assert Reservation.objects.filter(status="confirmed").count() == 1


def test_twenty_processes_sell_the_last_room_of_a_type_once(history):
    history.at("head")
    legacy.reservation(history, 1, status="cancelled")
    legacy.room(history, 1)
    history.reset_sequences()

    def book(number):
        services.book(
            guest=Guest.objects.get(),
            room_type=Room.objects.get().room_type,
            arrival=day(0),
            departure=day(2),
            by=User.objects.get(),
        )

    answers = in_processes(20, book, Refused)
    assert sorted(answers) == ["booked"] + ["refused"] * 19


def suite(number="900"):
    kind, _ = RoomType.objects.get_or_create(code="SUI", name="Suite", default_rate=900_000)
    return Room.objects.create(room_number=number, room_type=kind)


def test_no_button_sells_a_type_more_often_than_it_has_rooms(stay, clerk):
    best = suite()
    booked(clerk, room_type=best.room_type)  # whoever will get the suite
    sold_out = f"Suite (SUI) is sold out between {day(0)} and {day(2)}"
    assert refusal(services.check_in, stay, clerk, room=best).startswith(sold_out)
    assert refusal(services.move, stay, best, clerk).startswith(sold_out)
    services.check_in(stay, clerk)
    services.check_out(stay, clerk, allow_debt=True)
    Room.objects.update(housekeeping_status="clean")
    booked(clerk, room_type=stay.room_type)
    assert refusal(services.undo_check_out, stay, clerk).startswith("Standard (STD) is sold out")


def test_a_swap_takes_no_type_that_is_sold_out(stay, clerk):
    best = suite()
    later = booked(clerk, 3, 5, room_type=best.room_type, room=best)
    booked(clerk, 0, 2, room_type=best.room_type)
    assert refusal(services.swap, stay, later, clerk).startswith("Suite (SUI) is sold out")


def test_a_stay_without_a_room_does_not_go_back_into_one(stay, clerk):
    Reservation.objects.update(status="checked_out", checked_out_at=timezone.now(), room=None)
    assert refusal(services.undo_check_out, stay, clerk) == (
        f"{stay} has no room for its guests to return to."
    )


def test_a_stay_has_no_more_nights_than_anybody_counts(clerk):
    assert (
        refusal(booked, clerk, 0, 731)
        == "A stay can have at most 730 nights, and this one has 731."
    )


def test_what_was_cancelled_is_not_booked_again_by_its_number(clerk):
    stay = booked(clerk, confirmation_number="WEB-1")
    services.cancel(stay, clerk, "ill")
    assert refusal(booked, clerk, confirmation_number="WEB-1") == (
        "WEB-1 cannot be booked again: it is cancelled."
    )


def test_guests_in_house_are_not_checked_in_to_another_room(stay, clerk):
    services.check_in(stay, clerk)
    assert refusal(services.check_in, stay, clerk, room=room("102")) == (
        f"{stay} cannot be checked in: it is in house."
    )
