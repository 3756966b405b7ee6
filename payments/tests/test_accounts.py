"""The accounts of many stays at once say of each what ``account`` says of one."""

from decimal import Decimal

import pytest

from accounts.tests.back_office import member, payment, reservation
from payments.accounts import accounts
from payments.charges import charge, void_charge
from payments.services import (
    account,
    apply_deposit,
    refund,
    take_payment,
    unapply_deposit,
    void,
)
from reservations.models import Reservation
from reservations.services import cancel


@pytest.fixture
def clerk(db):
    return member("Front desk")


def test_many_accounts_are_those_of_one_stay_after_the_other(clerk, django_assert_num_queries):
    stays = [reservation(f"RES-{number}") for number in range(5)]
    take_payment(stays[0], Decimal(250_000), "cash", clerk)
    paid = take_payment(stays[1], Decimal("1000000.50"), "cash", clerk)
    refund(paid, Decimal(200_000), "cash", clerk, "too much")
    void(take_payment(stays[2], Decimal(5), "cash", clerk), clerk, "wrong stay")
    take_payment(stays[3], Decimal(300_000), "cash", clerk, kind="deposit")
    apply_deposit(stays[3], Decimal(100_000), clerk)
    unapply_deposit(stays[3], Decimal(10_000), clerk, "asked")
    take_payment(stays[3], Decimal(7), "cash", clerk)
    take_payment(stays[3], Decimal(-7), "cash", clerk, kind="adjustment", notes="a mistake")
    charge(stays[3], "minibar", Decimal(7), clerk)
    void_charge(charge(stays[3], "laundry", Decimal(9), clerk), clerk, "wrong stay")
    cancel(stays[4], clerk, "ill", fee=Decimal(50_000))
    stays = list(Reservation.objects.order_by("pk"))
    with django_assert_num_queries(3):
        found = accounts(stays)
    assert found == {stay.pk: account(stay) for stay in stays}
    assert found[stays[3].pk].owed == Decimal(700_007)


def test_what_cannot_be_added_up_is_left_out(clerk):
    good, foreign = reservation("A"), reservation("B")
    payment(foreign, currency="USD")
    assert set(accounts([good, foreign])) == {good.pk}
    assert accounts([]) == {}


def test_an_amount_that_is_no_number_is_left_out(clerk):
    stay = reservation("A")
    stay.total_amount = Decimal("NaN")  # which PostgreSQL can hold
    assert accounts([stay]) == {}
