"""Charges besides the nights, their tax, and the folio: charges - payments = balance."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import User
from accounts.tests.back_office import browser, member, reservation, room
from hotel.business_day import business_date
from hotel.refusals import Refused
from payments import services
from payments.amounts import taxed
from payments.charges import charge, void_charge
from payments.folio import account, folio, price_of_nights
from payments.models import Charge
from reservations import services as desk


@pytest.fixture
def clerk(db, clock):
    clock(2026, 12, 11, 12)
    return User.objects.create(username="sari")


@pytest.fixture
def stay(clerk):
    today = business_date()
    dates = {"check_in_date": today, "check_out_date": today + timedelta(days=2)}
    return reservation("RES-1", room=room("101"), **dates)  # for 1,000,000


def test_a_charge_makes_the_guest_owe_more_and_says_who_and_when(stay, clerk):
    made = charge(stay, "minibar", Decimal(45_000), clerk, key="a", notes="two beers")
    assert charge(stay, "minibar", Decimal(45_000), clerk, key="a") == made
    assert (made.business_date, made.created_by, made.notes) == (
        business_date(),
        clerk,
        "two beers",
    )
    assert services.account(stay).due == Decimal(1_045_000)
    [event] = made.events.all()
    assert (event.what, event.by, event.changes["amount"]) == ("charged", clerk, [None, "45000.00"])
    with pytest.raises(Refused, match="This is already recorded, as Minibar 45000"):
        charge(stay, "minibar", Decimal(46_000), clerk, key="a")


def test_a_charge_of_today_is_voided_and_one_of_yesterday_is_not(stay, clerk, clock):
    made = charge(stay, "laundry", Decimal(10), clerk)
    voided = void_charge(made, clerk, " wrong room ")
    assert void_charge(made, clerk, "again").void_reason == voided.void_reason == "wrong room"
    assert services.account(stay).due == Decimal(1_000_000)
    assert [event.what for event in made.events.order_by("pk")] == ["charged", "voided"]
    other = charge(stay, "laundry", Decimal(10), clerk)
    clock(2026, 12, 12, 12)
    with pytest.raises(Refused) as refusal:
        void_charge(other, clerk, "wrong room")
    assert str(refusal.value) == (
        "Laundry 10.00 was recorded on another day: it can no longer be voided."
        " Adjust the account instead."
    )


@pytest.mark.parametrize(
    "kind, amount, sentence",
    [
        ("room", 10, "Nobody is charged for 'room'"),
        ("spa", 10, "Nobody is charged for 'spa'"),
        ("minibar", 0, "The amount must be more than zero."),
        ("minibar", -5, "The amount must be more than zero."),
        ("minibar", "0.001", "The amount must be a number with at most two decimals."),
        ("minibar", "NaN", "The amount must be a number with at most two decimals."),
        ("minibar", "1e12", "digits"),
    ],
)
def test_a_charge_that_cannot_be_is_refused(stay, clerk, kind, amount, sentence):
    with pytest.raises(Refused, match=sentence):
        charge(stay, kind, Decimal(amount), clerk)
    assert not Charge.objects.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM charges",
        "UPDATE charges SET amount = 1",
        "UPDATE charges SET tax = 1",
        "UPDATE charges SET kind = 'other'",
        "UPDATE charges SET reservation_id = reservation_id + 1",
        "UPDATE charge_events SET what = 'x'",
        "DELETE FROM charge_events",
    ],
)
def test_sql_past_the_services_cannot_change_a_charge(stay, clerk, sql):
    charge(stay, "minibar", Decimal(45_000), clerk)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "rate, is_included, amount, expected",
    [
        ("11", True, "111.00", ("111.00", "11.00")),
        ("11", False, "100.00", ("111.00", "11.00")),
        ("10", True, "0.05", ("0.05", "0.00")),
        ("10", True, "0.06", ("0.06", "0.01")),
        ("12.5", False, "0.04", ("0.05", "0.01")),  # half a cent rounds up
        ("0", False, "5", ("5", "0.00")),
    ],
)
def test_the_tax_is_included_or_on_top(settings, rate, is_included, amount, expected):
    settings.HOTEL_TAX_RATES = {"minibar": Decimal(rate)}
    whole, at, tax = taxed("minibar", Decimal(amount), is_included=is_included)
    assert (whole, tax) == tuple(map(Decimal, expected))
    assert at == Decimal(rate)


def test_a_currency_without_decimals_has_taxes_and_prices_without_them(settings, stay, clerk):
    settings.HOTEL_TAX_RATES = {"minibar": Decimal(8)}
    settings.HOTEL_TAX_INCLUDED = False
    settings.HOTEL_CURRENCY = stay.currency = "JPY"
    stay.total_amount = Decimal(1_000)
    stay.check_out_date = stay.check_in_date + timedelta(days=3)
    stay.save()
    made = charge(stay, "minibar", Decimal(107), clerk)
    assert (made.amount, made.tax) == (116, 9)
    assert price_of_nights(stay, 1) == 333
    with pytest.raises(Refused) as refusal:
        charge(stay, "minibar", Decimal("107.5"), clerk)
    assert str(refusal.value) == "The amount must be a number with no decimals."
    for rate, discount, what in (("0.5", "0", "rate"), ("1", "0.5", "discount")):
        with pytest.raises(Refused) as refusal:
            desk.reprice(stay, Decimal(rate), Decimal(discount), clerk)
        assert str(refusal.value) == f"The {what} must be a number with no decimals."


def test_the_folio_lists_what_was_charged_and_paid_and_its_balance_is_what_is_due(
    settings, stay, clerk, django_assert_num_queries
):
    settings.HOTEL_TAX_RATES = {"room": Decimal(11), "laundry": Decimal(11)}
    charge(stay, "laundry", Decimal(111_000), clerk)
    void_charge(charge(stay, "minibar", Decimal(5), clerk), clerk, "not drunk")
    paid = services.take_payment(stay, Decimal(400_000), "cash", clerk)
    services.refund(paid, Decimal(50_000), "cash", clerk, "too much")
    services.take_payment(stay, Decimal(300_000), "cash", clerk, kind="deposit")
    services.apply_deposit(stay, Decimal(200_000), clerk)
    services.unapply_deposit(stay, Decimal(20_000), clerk, "asked")
    stay.refresh_from_db()
    with django_assert_num_queries(3):
        bill = folio(stay)
    with django_assert_num_queries(3):
        standing = account(stay)
    assert [(line.what, int(line.charge), int(line.payment)) for line in bill.lines] == [
        ("2 nights", 1_000_000, 0),
        ("Laundry", 111_000, 0),
        ("Full payment", 0, 400_000),
        ("Refund", 0, -50_000),
        ("Deposit applied", 0, 200_000),
        ("Deposit un-applied", 0, -20_000),
    ]
    assert (bill.charges, bill.payments, bill.held) == (1_111_000, 530_000, 120_000)
    assert bill.tax == Decimal("110099.10")
    assert bill.balance == standing.due == Decimal(581_000)


def test_a_cancelled_stay_has_a_folio_of_its_fee(stay, clerk):
    desk.cancel(stay, clerk, "ill", fee=Decimal(75_000))
    stay.refresh_from_db()
    assert [(line.what, line.charge) for line in folio(stay).lines] == [
        ("Cancellation fee", Decimal("75000.00"))
    ]
    services.take_payment(stay, Decimal(75_000), "cash", clerk)
    assert folio(stay).balance == account(stay).due == 0


def test_a_check_out_wants_the_charges_paid(stay, clerk, clock):
    desk.check_in(stay, clerk)
    clock(2026, 12, 13, 12)
    services.take_payment(stay, Decimal(1_000_000), "cash", clerk)
    charge(stay, "late_check_out", Decimal(100_000), clerk)
    with pytest.raises(Refused) as refusal:
        desk.check_out(stay, clerk)
    assert str(refusal.value) == (
        "RES-1 owes 100000.00: take the payment first, or allow the debt."
    )


def test_the_desk_charges_by_a_button(stay):
    user = member("Front desk")
    address = reverse("admin:reservations_reservation_action", args=[stay.pk, "charge"])
    data = {"kind": "minibar", "amount": "45000", "key": "a"}
    answers = [browser(user).post(address, data) for _ in range(2)]
    made = Charge.objects.get()
    assert [answer.url for answer in answers] == [f"/admin/payments/charge/{made.pk}/change/"] * 2
    assert (made.kind, made.amount, made.created_by) == ("minibar", 45_000, user)
    address = reverse("admin:payments_charge_action", args=[made.pk, "void"])
    browser(user).post(address, {"reason": "wrong room"})
    assert Charge.objects.get().is_voided
