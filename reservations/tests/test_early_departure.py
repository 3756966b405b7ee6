"""Guests who leave early pay for the nights they slept, whatever was held, paid or applied."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from hotel.refusals import Refused
from payments import services as money
from reservations import services
from reservations.models import Guest
from rooms.models import Room, RoomType

ARRIVAL = date(2026, 12, 1)


@pytest.fixture
def at(clock):
    """Return a function that sets the hotel's clock to a day and an hour of December 2026."""

    def set_clock(day, hour):
        clock(2026, 12, day, hour)

    set_clock(1, 14)
    return set_clock


@pytest.fixture
def clerk(db):
    return User.objects.create(username="sari")


@pytest.fixture
def book(at, clerk):
    """Return a function that books the one room of a type at 100 a night."""
    kind = RoomType.objects.create(name="Early", code="EAR", default_rate=Decimal(100))
    one = Room.objects.create(room_number="101", floor=1, room_type=kind)

    def booked(first=ARRIVAL, nights=5, **more):
        return services.book(
            guest=Guest.objects.create(full_name="Ibu Ratna"),
            room_type=kind,
            room=one,
            arrival=first,
            departure=first + timedelta(days=nights),
            by=clerk,
            **more,
        )

    return booked


def clean():
    Room.objects.update(housekeeping_status="clean")


def gave_back(stay):
    """Return what was given back, of deposits and of payments."""
    rows = stay.payment_set.filter(is_refund=True).order_by("pk")
    return [(row.payment_type, int(row.amount)) for row in rows]


@pytest.mark.parametrize(
    "deposit, applied, paid, back",
    [
        (400, 0, 0, [("deposit", 300)]),  # more is held than the night costs
        (400, 400, 0, [("deposit", 300)]),  # and was applied before
        (50, 50, 450, [("deposit", 50), ("adjustment", 350)]),
        (0, 0, 500, [("adjustment", 400)]),
        (50, 0, 50, []),
    ],
)
def test_after_one_night_of_five_one_night_is_paid(at, book, clerk, deposit, applied, paid, back):
    stay = book()
    if deposit:
        money.take_payment(stay, Decimal(deposit), "cash", clerk, kind="deposit")
    if paid:
        money.take_payment(stay, Decimal(paid), "cash", clerk)
    services.check_in(stay, clerk)
    if applied:
        money.apply_deposit(stay, Decimal(applied), clerk)
    at(2, 9)
    services.check_out(stay, clerk)
    stay.refresh_from_db()
    assert (stay.check_out_date, stay.number_of_nights, stay.total_amount) == (
        date(2026, 12, 2),
        1,
        100,
    )
    standing = money.account(stay)
    assert (standing.due, standing.held, gave_back(stay)) == (0, 0, back)
    assert not money.ledger_differences().exists()
    book(ARRIVAL + timedelta(days=1), 4)  # the nights that are left are sold again


def test_the_dates_can_be_changed_first(at, book, clerk):
    stay = book()
    money.take_payment(stay, Decimal(400), "cash", clerk, kind="deposit")
    services.check_in(stay, clerk)
    money.apply_deposit(stay, Decimal(400), clerk)
    at(2, 9)
    services.change_dates(stay, ARRIVAL, date(2026, 12, 2), clerk)
    stay.refresh_from_db()
    assert money.account(stay).due == -300
    services.check_out(stay, clerk)
    stay.refresh_from_db()
    assert (gave_back(stay), money.account(stay).due) == ([("deposit", 300)], 0)


def test_who_leaves_on_the_day_of_arrival_pays_for_one_night(at, book, clerk):
    stay = book(nights=2)
    services.check_in(stay, clerk)
    at(1, 17)
    with pytest.raises(Refused) as refusal:
        services.check_out(stay, clerk)
    assert str(refusal.value) == (f"{stay} owes 100.00: take the payment first, or allow the debt.")
    services.check_out(stay, clerk, allow_debt=True)
    stay.refresh_from_db()
    assert (stay.check_out_date, money.account(stay).due) == (date(2026, 12, 2), 100)
    clean()
    services.check_in(book(nights=1), clerk)


def test_after_midnight_the_night_that_runs_was_slept(at, book, clerk):
    stay = book()
    services.check_in(stay, clerk)
    at(3, 2)
    services.check_out(stay, clerk, allow_debt=True)
    stay.refresh_from_db()
    assert (stay.check_out_date, stay.total_amount) == (date(2026, 12, 3), 200)


def test_a_check_out_that_is_undone_gives_the_nights_back(at, book, clerk):
    stay = book(discount=Decimal(50))
    money.take_payment(stay, Decimal(450), "cash", clerk)
    services.check_in(stay, clerk)
    at(2, 9)
    services.check_out(stay, clerk)
    stay.refresh_from_db()
    assert (stay.discount_amount, stay.total_amount) == (10, 90)
    assert gave_back(stay) == [("adjustment", 360)]
    clean()
    services.undo_check_out(stay, clerk)
    stay.refresh_from_db()
    assert (stay.check_out_date, stay.subtotal, stay.discount_amount, stay.total_amount) == (
        date(2026, 12, 6),
        500,
        50,
        450,
    )
    assert money.account(stay).due == 360


@pytest.mark.parametrize(
    "nights, discount, left",
    [
        (4, "50", "40.00"),
        (1, "50", "10.00"),
        (3, "0.01", "0.01"),  # 0.006: half a cent rounds up
        (2, "500", "200.00"),  # a free stay stays free
        (6, "50", "50.00"),  # it never grows
        (5, "50", "50.00"),
    ],
)
def test_the_discount_shrinks_with_the_stay(book, clerk, nights, discount, left):
    stay = book(discount=Decimal(discount))
    stay = services.change_dates(stay, ARRIVAL, ARRIVAL + timedelta(days=nights), clerk)
    assert stay.discount_amount == Decimal(left)
    assert stay.total_amount == 100 * nights - Decimal(left)
