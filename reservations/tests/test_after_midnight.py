"""The night desk: after midnight it is still the night of the day before, until the day ends."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from accounts.tests.back_office import room
from hotel.refusals import Refused
from payments import services as money
from reservations import services
from reservations.models import Guest
from rooms import services as house
from rooms.models import RoomType

EVENING = date(2026, 12, 28)
NEXT = EVENING + timedelta(days=1)


@pytest.fixture
def clerk(db):
    return User.objects.create(username="sari")


@pytest.fixture
def book(clerk, clock):
    """Return a function that books room 101, or another one, from the 28th, some days before."""

    def do(nights=1, arrival=EVENING, number="101"):
        clock(2026, 12, 20, 12)
        return services.book(
            guest=Guest.objects.create(full_name="Ibu Ratna"),
            room_type=RoomType.objects.get(code="STD"),
            arrival=arrival,
            departure=arrival + timedelta(days=nights),
            by=clerk,
            room=RoomType.objects.get(code="STD").room_set.get(room_number=number),
        )

    room("101")
    room("102")
    return do


def refusal(do, *args, **kwargs):
    with pytest.raises(Refused) as refused:
        do(*args, **kwargs)
    return str(refused.value)


def test_a_guest_of_the_night_is_checked_in_after_midnight(book, clerk, clock):
    stay, next_night = book(), book(arrival=NEXT)
    clock(2026, 12, 29, 0, 30)
    stay = services.check_in(stay, clerk)
    assert (stay.status, stay.check_in_date, stay.check_out_date) == ("checked_in", EVENING, NEXT)
    assert stay.total_amount == 500_000
    event = stay.events.get(what="checked_in")
    assert event.business_date == EVENING
    assert refusal(services.check_in, next_night, clerk) == (
        f"{next_night} arrives on 2026-12-29: change its dates first."
    )


def test_when_the_day_has_ended_the_night_is_over(book, clerk, clock):
    stay = book()
    clock(2026, 12, 29, 6, 0)
    assert refusal(services.check_in, stay, clerk) == (
        f"{stay} was to leave on 2026-12-29: change its dates first."
    )


def test_the_hotel_says_when_its_day_ends(book, clerk, clock, settings):
    stay = book()
    settings.HOTEL_DAY_ENDS = settings.HOTEL_DAY_ENDS.replace(hour=0)
    clock(2026, 12, 29, 0, 30)
    assert refusal(services.check_in, stay, clerk).startswith(f"{stay} was to leave on 2026-12-29")


def test_a_walk_in_after_midnight_is_booked_for_the_night_that_runs(book, clerk, clock):
    book(arrival=NEXT)
    clock(2026, 12, 29, 2, 0)
    kind = RoomType.objects.get(code="STD")
    assert services.rooms_left(kind, EVENING, NEXT) == 2
    walk_in = services.book(
        guest=Guest.objects.create(full_name="Pak Joko"),
        room_type=kind,
        arrival=EVENING,
        departure=NEXT,
        by=clerk,
        room=kind.room_set.get(room_number="101"),
    )
    assert services.check_in(walk_in, clerk).status == "checked_in"


def test_what_sells_the_night_that_runs_counts_it(book, clerk, clock):
    book()
    clock(2026, 12, 29, 2, 0)
    kind = RoomType.objects.get(code="STD")
    house.block(kind.room_set.get(room_number="102"), "out_of_order", EVENING, NEXT, "leak", clerk)
    assert refusal(
        services.book,
        guest=Guest.objects.create(full_name="Pak Joko"),
        room_type=kind,
        arrival=EVENING,
        departure=NEXT,
        by=clerk,
    ) == (
        "Standard (STD) is sold out between 2026-12-28 and 2026-12-29:"
        " choose other dates or another type."
    )


def test_what_was_typed_before_midnight_is_voided_after_it(book, clerk, clock):
    stay = book(nights=2)
    clock(2026, 12, 28, 23, 55)
    services.check_in(stay, clerk)
    paid = money.take_payment(stay, Decimal(5_000_000), "cash", clerk)
    clock(2026, 12, 29, 0, 5)
    late = money.take_payment(stay, Decimal(500_000), "cash", clerk)
    assert (paid.payment_date, late.payment_date) == (EVENING, EVENING)
    assert money.void(paid, clerk, "one zero too many").is_voided is True
    clock(2026, 12, 29, 6, 0)
    assert refusal(money.void, late, clerk, "typo") == (
        "2026-12-28 500000.00 was recorded on another day: refund it instead."
    )


def test_a_deposit_of_after_midnight_is_of_the_day_that_runs(book, clerk, clock):
    stay = book()
    clock(2026, 12, 29, 0, 5)
    money.take_payment(stay, Decimal(100_000), "cash", clerk, kind="deposit")
    assert stay.deposit_movements.get().business_date == EVENING


def test_a_check_in_of_before_midnight_is_undone_after_it(book, clerk, clock):
    stay = book(nights=2)
    clock(2026, 12, 28, 23, 55)
    services.check_in(stay, clerk)
    clock(2026, 12, 29, 0, 5)
    assert services.undo_check_in(stay, clerk).status == "confirmed"
    services.check_in(stay, clerk)
    clock(2026, 12, 29, 6, 0)
    assert refusal(services.undo_check_in, stay, clerk) == (
        f"{stay} was checked in on another day: it can no longer be undone."
    )


def test_a_check_out_of_before_midnight_is_undone_after_it(book, clerk, clock):
    stay = book(nights=3)
    clock(2026, 12, 28, 22, 0)
    services.check_in(stay, clerk)
    clock(2026, 12, 28, 23, 55)
    services.check_out(stay, clerk, allow_debt=True)
    clock(2026, 12, 29, 0, 5)
    assert services.undo_check_out(stay, clerk).status == "checked_in"


def test_nobody_is_a_no_show_just_after_the_midnight_before_the_arrival(book, clerk, clock):
    stay = book()
    clock(2026, 12, 28, 0, 1)
    assert refusal(services.mark_no_show, stay, clerk) == (
        f"{stay} arrives on 2026-12-28: wait until then."
    )
    clock(2026, 12, 29, 0, 1)
    assert services.mark_no_show(stay, clerk).status == "no_show"
