"""Deposits that were applied can be un-applied, and of stays that will not happen, given back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from accounts.tests.back_office import OWNER, browser, member, reservation, room
from hotel.business_day import business_date
from hotel.refusals import Refused
from payments import services
from payments.models import Charge
from reservations import services as desk


@pytest.fixture
def clerk(db, clock):
    clock(2026, 12, 11, 12)
    return User.objects.create(username="sari")


@pytest.fixture
def stay(clerk):
    today = business_date()
    dates = {"check_in_date": today, "check_out_date": today + timedelta(days=3)}
    return reservation(
        "RES-1",
        room=room("101"),
        rate_per_night=Decimal(100),
        subtotal=Decimal(300),
        total_amount=Decimal(300),
        **dates,
    )


def deposit(stay, amount, clerk):
    made = services.take_payment(stay, Decimal(amount), "credit_card", clerk, kind="deposit")
    stay.refresh_from_db()
    return made


def pots(stay):
    """Return what is (due, applied, held)."""
    stay.refresh_from_db()
    standing = services.account(stay)
    return tuple(map(int, (standing.due, standing.applied, standing.held)))


def ledger(stay):
    return [(row.kind, int(row.amount)) for row in stay.deposit_movements.order_by("pk")]


def buttons(stay):
    page = browser(member(OWNER)).get(f"/admin/reservations/reservation/{stay.pk}/change/")
    names = ("apply", "unapply", "return", "forfeit")
    return [name for name in names if f"/do/{name}-deposit/" in page.content.decode()]


def test_what_was_applied_is_held_again_and_due(stay, clerk):
    deposit(stay, 200, clerk)
    services.apply_deposit(stay, Decimal(150), clerk)
    services.unapply_deposit(stay, Decimal(100), clerk, "too early", key="a")
    services.unapply_deposit(stay, Decimal(100), clerk, "too early", key="a")  # sent twice
    assert pots(stay) == (250, 50, 150)
    assert stay.deposit_returned_at is None
    assert ledger(stay) == [("collected", 200), ("applied", 150), ("unapplied", 100)]
    event = stay.events.order_by("-pk")[0]
    assert (event.what, event.reason, event.by) == ("deposit_unapplied", "too early", clerk)
    assert event.changes == {"deposit_held": ["50.00", "150.00"]}
    with pytest.raises(Refused) as refusal:
        services.unapply_deposit(stay, Decimal("50.01"), clerk, "again")
    assert str(refusal.value) == "50.00 of the deposit pays for RES-1: no more can be un-applied."
    assert not services.ledger_differences().exists()


def test_a_cancelled_stay_owes_nothing_and_its_deposit_is_given_back_or_kept(stay, clerk):
    payment = deposit(stay, 150, clerk)
    desk.cancel(stay, clerk, "ill")
    assert pots(stay) == (0, 0, 150)
    with pytest.raises(Refused) as refusal:
        services.apply_deposit(stay, Decimal(150), clerk)
    assert str(refusal.value) == "RES-1 is cancelled: give its deposit back, or keep it."
    assert buttons(stay) == ["return", "forfeit"]
    services.refund(payment, Decimal(50), "credit_card", clerk, "cancelled in time")
    services.return_deposit(stay, Decimal(40), "cash", clerk, "cancelled in time")
    services.forfeit_deposit(stay, Decimal(60), clerk, "too late")
    assert pots(stay) == (0, 0, 0)


def test_a_no_show_owes_its_fee_which_the_deposit_that_is_kept_pays(stay, clerk):
    deposit(stay, 150, clerk)
    desk.mark_no_show(stay, clerk, fee_nights=1)
    assert pots(stay) == (100, 0, 150)
    assert services.account(stay).owed == 0
    assert buttons(stay) == ["return", "forfeit"]
    for _ in range(2):  # sent twice
        services.forfeit_deposit(stay, Decimal(120), clerk, "not come", key="k")
    assert ledger(stay) == [("collected", 150), ("applied", 100), ("forfeited", 20)]
    assert pots(stay) == (0, 100, 30)
    with pytest.raises(Refused, match="This is already recorded"):
        services.forfeit_deposit(stay, Decimal(121), clerk, "not come", key="k")
    services.return_deposit(stay, Decimal(30), "cash", clerk, "the rest")
    assert pots(stay) == (0, 100, 0)


def test_cancelled_in_house_before_a_night_what_was_applied_is_held_again(stay, clerk):
    payment = deposit(stay, 300, clerk)
    desk.check_in(stay, clerk)
    services.apply_deposit(stay, Decimal(300), clerk)
    assert buttons(stay) == ["unapply"]
    desk.cancel(stay, clerk, "fire", in_house=True)
    assert pots(stay) == (0, 0, 300)
    services.refund(payment, Decimal(300), "credit_card", clerk, "fire")
    assert pots(stay) == (0, 0, 0)
    assert not services.ledger_differences().exists()


def test_cancelled_in_house_after_a_night_that_night_is_kept(stay, clerk, clock):
    stay.discount_amount, stay.total_amount = Decimal(30), Decimal(270)
    stay.save()
    deposit(stay, 200, clerk)
    desk.check_in(stay, clerk)
    services.apply_deposit(stay, Decimal(200), clerk)
    clock(2026, 12, 12, 12)
    desk.cancel(stay, clerk, "fire", in_house=True, fee=Decimal(10))
    assert [(row.kind, row.amount) for row in Charge.objects.order_by("pk")] == [
        ("room", Decimal("90.00")),
        ("cancellation", Decimal("10.00")),
    ]
    assert pots(stay) == (0, 100, 100)
    desk.reinstate(stay, clerk)
    assert (
        Charge.objects.filter(is_voided=True, void_reason="The stay was reinstated.").count() == 2
    )
    assert pots(stay) == (170, 100, 100)


def test_nights_that_were_charged_on_another_day_are_not_charged_twice(stay, clerk, clock):
    desk.check_in(stay, clerk)
    clock(2026, 12, 12, 12)
    desk.cancel(stay, clerk, "fire", in_house=True)
    clock(2026, 12, 13, 12)
    with pytest.raises(Refused) as refusal:
        desk.reinstate(stay, clerk)
    assert str(refusal.value) == (
        "RES-1 was charged for nights slept on 2026-12-12: book a new stay."
    )


FEES = [
    (
        {"fee": Decimal(10), "fee_nights": 1},
        "The fee is an amount or some nights: enter one of them.",
    ),
    ({"fee_nights": 4}, "RES-1 has 3 nights: the fee cannot be that of 4."),
    ({"fee_nights": -1}, "RES-1 has 3 nights: the fee cannot be that of -1."),
    ({"fee": Decimal(-1)}, "The amount must be more than zero."),
    ({"fee": Decimal("NaN")}, "The amount must be a number with at most two decimals."),
]


@pytest.mark.parametrize("fee, sentence", FEES, ids=range(len(FEES)))
def test_a_fee_that_cannot_be_is_refused_and_the_stay_stands(stay, clerk, fee, sentence):
    with pytest.raises(Refused) as refusal:
        desk.cancel(stay, clerk, "ill", **fee)
    assert str(refusal.value) == sentence
    stay.refresh_from_db()
    assert stay.status == "confirmed"
    assert not Charge.objects.exists()


def test_no_fee_is_no_charge(stay, clerk):
    desk.cancel(stay, clerk, "ill", fee=Decimal(0), fee_nights=0)
    assert not Charge.objects.exists()


def test_a_deposit_may_be_more_than_the_price(stay, clerk, clock):
    deposit(stay, 1_000, clerk)
    desk.reprice(stay, Decimal(10), Decimal(0), clerk)
    stay.refresh_from_db()
    assert (stay.total_amount, stay.deposit_amount, stay.deposit_held) == (30, 1_000, 1_000)
    desk.check_in(stay, clerk)
    clock(2026, 12, 14, 12)
    desk.check_out(stay, clerk)
    assert pots(stay) == (0, 30, 0)


def test_an_adjustment_below_zero_is_a_refund(stay, clerk):
    services.take_payment(stay, Decimal(300), "cash", clerk)
    made = services.take_payment(
        stay, Decimal(-120), "cash", clerk, kind="adjustment", notes=" shower broken ", key="a"
    )
    again = services.take_payment(
        stay, Decimal(-120), "cash", clerk, kind="adjustment", notes="shower broken", key="a"
    )
    assert made == again
    assert (made.amount, made.is_refund, made.refund_of, made.refund_reason) == (
        Decimal(120),
        True,
        None,
        "shower broken",
    )
    assert services.account(stay).paid == 180
    with pytest.raises(Refused) as refusal:
        services.take_payment(
            stay, Decimal("-180.01"), "cash", clerk, kind="adjustment", notes="angry"
        )
    assert str(refusal.value) == "180.00 was paid for RES-1: no more than that can be given back."
    with pytest.raises(Refused, match="Enter a reason"):
        services.take_payment(stay, Decimal(-1), "cash", clerk, kind="adjustment")
    gift = services.take_payment(stay, Decimal(20), "other", clerk, kind="adjustment", notes="gift")
    assert (gift.is_refund, services.account(stay).paid) == (False, 200)
