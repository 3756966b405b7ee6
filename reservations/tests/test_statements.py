"""How many statements each service sends: while it sends them, others wait for its locks."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import room
from hotel.business_day import by_clock, slept_until
from payments import charges as extras
from payments import services as money
from reservations import services
from reservations.models import Guest, Reservation
from rooms import services as house
from rooms.models import Room, RoomType


def day(number):
    return by_clock(timezone.now()) + timedelta(days=number)


class Desk:
    """A clerk with a confirmed stay for two nights from today, in room 101 of two."""

    def __init__(self):
        self.clerk = User.objects.create(username="sari")
        self.room, self.other = room("101"), room("102")
        self.guest = Guest.objects.create(full_name="Ibu Ratna")
        self.stay = self.book(self.room)

    def book(self, room=None, first=0, last=2, **more):
        """Return a new stay."""
        return services.book(
            guest=self.guest,
            room_type=RoomType.objects.get(code="STD"),
            room=room,
            arrival=day(first),
            departure=day(last),
            by=self.clerk,
            **more,
        )

    def pay(self, amount, kind="full"):
        """Return a payment of the stay in cash."""
        return money.take_payment(self.stay, Decimal(amount), "cash", self.clerk, kind=kind)

    def check_in(self):
        """Let the guests in."""
        return services.check_in(self.stay, self.clerk)


def nothing(desk):
    pass


def checked_in(desk):
    desk.check_in()


def checked_in_since(desk, nights):
    """Let the guests be in house since some nights ago, of two."""
    desk.check_in()
    today = slept_until(timezone.now())
    first = today - timedelta(days=nights)
    Reservation.objects.filter(pk=desk.stay.pk).update(
        check_in_date=first, check_out_date=first + timedelta(days=2)
    )


def just_checked_in(desk):
    checked_in_since(desk, nights=0)


def after_a_night(desk):
    checked_in_since(desk, nights=1)


def paid_in_full(desk):
    checked_in_since(desk, nights=2)
    desk.pay(1_000_000)


def paid_in_full_after_a_night(desk):
    after_a_night(desk)
    desk.pay(1_000_000)


def holding_a_deposit(desk):
    desk.pay(200_000, "deposit")


def having_applied_a_deposit(desk):
    holding_a_deposit(desk)
    money.apply_deposit(desk.stay, Decimal(200_000), desk.clerk)


def charged(desk):
    desk.charge = extras.charge(desk.stay, "minibar", Decimal(45_000), desk.clerk)


def owing_less_than_the_deposit(desk):
    checked_in_since(desk, nights=2)
    desk.pay(900_000)
    desk.pay(200_000, "deposit")


def checked_out(desk):
    desk.check_in()
    services.check_out(desk.stay, desk.clerk, allow_debt=True)


def two_in_house(desk):
    desk.second = desk.book(desk.other)
    desk.check_in()
    services.check_in(desk.second, desk.clerk)


def cancelled(desk):
    services.cancel(desk.stay, desk.clerk, "ill")


def pending(desk):
    Reservation.objects.update(status="pending")


def paid(desk):
    desk.payment = desk.pay(300_000)


def blocked(desk):
    desk.block = house.block(desk.other, "out_of_order", day(0), day(3), "a leak", desk.clerk)


# what is so before, what happens, and how many statements it may take
ACTS = {
    "book": (nothing, lambda d: d.book(d.other), 35),
    "book without a room": (nothing, lambda d: d.book(), 22),
    "confirm": (pending, lambda d: services.confirm(d.stay, d.clerk), 26),
    "change dates": (
        nothing,
        lambda d: services.change_dates(d.stay, day(0), day(3), d.clerk),
        28,
    ),
    "reprice": (
        nothing,
        lambda d: services.reprice(d.stay, Decimal(400_000), Decimal(0), d.clerk),
        10,
    ),
    "move": (checked_in, lambda d: services.move(d.stay, d.other, d.clerk), 34),
    "swap": (two_in_house, lambda d: services.swap(d.stay, d.second, d.clerk), 30),
    "check in": (nothing, lambda d: services.check_in(d.stay, d.clerk), 31),
    "check out, paid": (paid_in_full, lambda d: services.check_out(d.stay, d.clerk), 23),
    "check out, settling a deposit": (
        owing_less_than_the_deposit,
        lambda d: services.check_out(d.stay, d.clerk),
        40,
    ),
    "check out, early": (
        paid_in_full_after_a_night,
        lambda d: services.check_out(d.stay, d.clerk),
        36,
    ),
    "cancel": (nothing, lambda d: services.cancel(d.stay, d.clerk, "ill"), 17),
    "cancel for a fee": (
        nothing,
        lambda d: services.cancel(d.stay, d.clerk, "ill", fee=Decimal(5)),
        24,
    ),
    "cancel in house": (
        just_checked_in,
        lambda d: services.cancel(d.stay, d.clerk, "fire", in_house=True),
        21,
    ),
    "cancel in house after a night": (
        after_a_night,
        lambda d: services.cancel(d.stay, d.clerk, "fire", in_house=True),
        28,
    ),
    "mark no-show": (nothing, lambda d: services.mark_no_show(d.stay, d.clerk), 17),
    "undo check-in": (checked_in, lambda d: services.undo_check_in(d.stay, d.clerk), 21),
    "undo check-out": (checked_out, lambda d: services.undo_check_out(d.stay, d.clerk), 36),
    "reinstate": (cancelled, lambda d: services.reinstate(d.stay, d.clerk), 32),
    "take payment": (nothing, lambda d: d.pay(300_000), 12),
    "take deposit": (nothing, lambda d: d.pay(300_000, "deposit"), 18),
    "refund": (
        paid,
        lambda d: money.refund(d.payment, Decimal(100_000), "cash", d.clerk, "too much"),
        18,
    ),
    "void": (paid, lambda d: money.void(d.payment, d.clerk, "typed twice"), 10),
    "apply deposit": (
        holding_a_deposit,
        lambda d: money.apply_deposit(d.stay, Decimal(100_000), d.clerk),
        14,
    ),
    "unapply deposit": (
        having_applied_a_deposit,
        lambda d: money.unapply_deposit(d.stay, Decimal(100_000), d.clerk, "too early"),
        14,
    ),
    "charge": (
        nothing,
        lambda d: extras.charge(d.stay, "minibar", Decimal(45_000), d.clerk),
        12,
    ),
    "void charge": (charged, lambda d: extras.void_charge(d.charge, d.clerk, "wrong room"), 8),
    "return deposit": (
        holding_a_deposit,
        lambda d: money.return_deposit(d.stay, Decimal(100_000), "cash", d.clerk, "asked"),
        18,
    ),
    "forfeit deposit": (
        holding_a_deposit,
        lambda d: money.forfeit_deposit(d.stay, Decimal(100_000), d.clerk, "a towel"),
        11,
    ),
    "set housekeeping": (nothing, lambda d: house.set_housekeeping(d.room, "dirty", d.clerk), 7),
    "block": (
        nothing,
        lambda d: house.block(d.other, "out_of_order", day(0), day(3), "a leak", d.clerk),
        20,
    ),
    "release": (blocked, lambda d: house.release(d.block, d.clerk), 10),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("hour", "more"), [(12, 0), (2, 2)], ids=["by day", "at night"])
def test_a_service_sends_no_more_statements_than_it_needs(
    db, clock, act, hour, more, django_assert_max_num_queries
):
    """At night it is asked whether somebody has closed the day; and the day that is undone."""
    clock(2026, 12, 28, hour)
    before, do, most = ACTS[act]
    desk = Desk()
    before(desk)
    Room.objects.filter(housekeeping_status="dirty").update(housekeeping_status="clean")
    most += more
    if connection.vendor == "postgresql":  # SQLite is asked about clashes, too
        most = min(most, 40)
    with django_assert_max_num_queries(most, info=act):
        do(desk)
