"""Money: two pots, a ledger that is only added to, and refusals in words."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import payment, reservation, room
from hotel.business_day import business_date
from hotel.migrator.tests import legacy
from hotel.refusals import Refused
from payments import services
from payments.models import DepositMovement, Payment
from reservations.models import Reservation
from reservations.services import change_dates, check_in, check_out


@pytest.fixture
def clerk(db):
    return User.objects.create(username="sari")


@pytest.fixture
def stay(clerk):
    today = business_date()
    dates = {"check_in_date": today, "check_out_date": today + timedelta(days=3)}
    return reservation("RES-1", room=room("101"), total_amount=Decimal(1_500_000), **dates)


def leaves_today():
    """Let the three nights be over: guests who leave before would pay for fewer."""
    today = business_date()
    Reservation.objects.update(check_in_date=today - timedelta(days=3), check_out_date=today)


def pay(stay, amount, clerk, kind="full", **more):
    made = services.take_payment(stay, Decimal(amount), "cash", clerk, kind=kind, **more)
    return Payment.objects.get(pk=made.pk)


def ledger(stay):
    return [(m.kind, int(m.amount)) for m in stay.deposit_movements.order_by("pk")]


def money(stay):
    """Return what is (paid, applied, held, owed)."""
    stay.refresh_from_db()
    standing = services.account(stay)
    amounts = standing.paid, standing.applied, standing.held, standing.owed
    return tuple(map(int, amounts))


def cash(stay):
    """Return what the hotel has of the guest in its till."""
    rows = stay.payment_set.exclude(is_voided=True)
    return sum(int(-row.amount if row.is_refund else row.amount) for row in rows)


# The table of domain.md A5: total 1,500,000 unless it says otherwise, deposit 500,000
CASES = {
    # name: (total, paid, deposit, back at check-out, owed after it)
    "paid in full": (1_500_000, 1_500_000, 500_000, 500_000, 0),
    "partly paid": (1_500_000, 800_000, 500_000, 0, 200_000),
    "paid too much, of which the legacy system forgot the excess": (
        *(1_500_000, 2_000_000, 500_000, 1_000_000, 0),
    ),
    "short": (2_500_000, 1_200_000, 500_000, 0, 800_000),
    "the deposit covers it exactly": (1_500_000, 1_000_000, 500_000, 0, 0),
    "the deposit covers it and more": (1_500_000, 1_200_000, 500_000, 200_000, 0),
    "counted twice by the legacy system": (1_000_000, 750_000, 250_000, 0, 0),
    "no deposit": (1_500_000, 1_500_000, 0, 0, 0),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_check_out_settles_from_two_pots(stay, clerk, case):
    total, paid, deposit, back, owed = case
    Reservation.objects.update(total_amount=total, subtotal=total)
    stay.refresh_from_db()
    pay(stay, paid, clerk)
    if deposit:
        pay(stay, deposit, clerk, kind="deposit")
    check_in(stay, clerk)
    leaves_today()
    if owed:
        with pytest.raises(Refused) as refusal:
            check_out(stay, clerk)
        assert str(refusal.value) == (
            f"RES-1 owes {owed}.00: take the payment first, or allow the debt."
        )
    check_out(stay, clerk, allow_debt=True)
    assert paid + deposit - cash(stay) == back
    assert money(stay)[2:] == (0, owed)
    assert services.account(stay).due == owed
    assert (stay.deposit_returned_at is not None) == bool(deposit)
    assert not services.ledger_differences().exists()


def test_a_deposit_is_no_payment_of_the_stay_and_the_legacy_system_thought_so(stay, clerk):
    pay(stay, 250_000, clerk, kind="deposit")
    assert money(stay) == (0, 0, 250_000, 1_250_000)
    assert services.legacy_balance(stay) == Decimal(1_250_000)
    services.apply_deposit(stay, Decimal(250_000), clerk)
    assert money(stay) == (0, 250_000, 0, 1_250_000)
    assert (stay.deposit_amount, stay.deposit_held) == (250_000, 0)
    assert stay.deposit_returned_at


def test_legacy_columns_are_written_along(stay, clerk):
    first = pay(stay, 100_000, clerk, kind="deposit")
    pay(stay, 50_000, clerk, kind="deposit")
    stay.refresh_from_db()
    assert (stay.deposit_amount, stay.deposit_held) == (150_000, 150_000)
    services.void(first, clerk, "typed twice")
    stay.refresh_from_db()
    assert (stay.deposit_amount, stay.deposit_held) == (50_000, 50_000)
    before = timezone.now()
    services.return_deposit(stay, Decimal(50_000), "cash", clerk, "asked for it")
    stay.refresh_from_db()
    assert (stay.deposit_amount, stay.deposit_held) == (50_000, 0)
    assert before <= stay.deposit_returned_at <= timezone.now()
    assert ledger(stay) == [
        *(("collected", 100_000), ("collected", 50_000)),
        *(("corrected", -100_000), ("refunded", 50_000)),
    ]
    assert not services.legacy_differences().exists()


def test_a_refund_is_a_row_of_its_own_and_no_more_than_is_left(stay, clerk):
    payment = pay(stay, 1_000_000, clerk)
    back = services.refund(payment, Decimal(300_000), "bank_transfer", clerk, " too much ")
    assert (back.is_refund, back.refund_of, back.refund_reason) == (True, payment, "too much")
    assert money(stay)[0] == 700_000
    with pytest.raises(Refused) as refusal:
        services.refund(payment, Decimal("700000.01"), "cash", clerk, "again")
    assert str(refusal.value) == (f"No more than 700000.00 of {payment} can be refunded.")
    services.void(back, clerk, "not given after all")
    assert money(stay)[0] == 1_000_000
    services.refund(payment, Decimal(1_000_000), "cash", clerk, "all of it")
    assert money(stay)[0] == 0


def test_a_deposit_that_was_given_back_is_corrected_by_voiding_it(stay, clerk):
    payment = pay(stay, 100_000, clerk, kind="deposit")
    back = services.refund(payment, Decimal(40_000), "cash", clerk, "half of it")
    assert money(stay)[2] == 60_000
    services.void(back, clerk, "kept it after all")
    assert money(stay)[2] == 100_000
    assert stay.deposit_amount == 100_000


def test_a_deposit_that_was_given_back_stands_in_the_way_of_nothing(stay, clerk):
    first = pay(stay, 1_000_000, clerk, kind="deposit")
    back = services.refund(first, Decimal(1_000_000), "cash", clerk, "asked")
    services.void(back, clerk, "not after all")
    services.refund(first, Decimal(1_000_000), "cash", clerk, "asked again")
    pay(stay, 900_000, clerk, kind="deposit")
    stay.refresh_from_db()
    assert (stay.deposit_amount, stay.deposit_held) == (900_000, 900_000)
    services.return_deposit(stay, Decimal(900_000), "cash", clerk, "asked")
    shorter = change_dates(stay, stay.check_in_date, stay.check_in_date + timedelta(1), clerk)
    assert (shorter.total_amount, shorter.deposit_amount) == (500_000, 900_000)


def test_what_a_check_out_gave_back_is_not_given_back_again(stay, clerk):
    payment = pay(stay, 2_000_000, clerk)
    check_in(stay, clerk)
    leaves_today()
    check_out(stay, clerk)
    assert money(stay)[0] == 1_500_000
    with pytest.raises(Refused, match=r"No more than 1500000\.00 of "):
        services.refund(payment, Decimal(2_000_000), "cash", clerk, "angry")


REFUSED = [
    (
        lambda stay, by: services.forfeit_deposit(stay, Decimal("1e40"), by, "x"),
        "RES-1 has a deposit of 0.00: no more than that can be used.",
    ),
    (
        lambda stay, by: pay(stay, "0.001", by),
        "The amount must be a number with at most two decimals.",
    ),
    (
        lambda stay, by: pay(stay, "NaN", by, kind="adjustment"),
        "The amount must be a number with at most two decimals.",
    ),
    (
        lambda stay, by: services.apply_deposit(stay, Decimal("0.005"), by),
        "The amount must be a number with at most two decimals.",
    ),
    (
        lambda stay, by: services.forfeit_deposit(stay, Decimal("Infinity"), by, "x"),
        "The amount must be a number with at most two decimals.",
    ),
    (
        lambda stay, by: pay(stay, 0, by),
        "The amount must be more than zero.",
    ),
    (
        lambda stay, by: pay(stay, -1, by, kind="deposit"),
        "The amount must be more than zero.",
    ),
    (
        lambda stay, by: services.take_payment(stay, Decimal(1), "shells", by),
        "Value 'shells' is not a valid choice.",
    ),
    (
        lambda stay, by: services.apply_deposit(stay, Decimal(1), by),
        "RES-1 has a deposit of 0.00: no more than that can be used.",
    ),
    (
        lambda stay, by: services.apply_deposit(stay, Decimal(2_000_000), by),
        "RES-1 owes 1500000.00: no more of the deposit can be applied.",
    ),
    (
        lambda stay, by: services.forfeit_deposit(stay, Decimal(1), by, "  "),
        "Enter a reason.",
    ),
    (
        lambda stay, by: services.refund(pay(stay, 5, by), Decimal(1), "cash", by, ""),
        "Enter a reason.",
    ),
    (
        lambda stay, by: services.return_deposit(stay, Decimal(-5), "cash", by, "x"),
        "The amount must be more than zero.",
    ),
]


@pytest.mark.parametrize("ask, sentence", REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_refused_with_a_sentence_and_changes_nothing(stay, clerk, ask, sentence):
    with pytest.raises(Refused) as refusal:
        ask(stay, clerk)
    assert str(refusal.value) == sentence
    assert money(stay)[2] == 0
    assert ledger(stay) == []


def test_a_deposit_that_was_used_cannot_be_voided(stay, clerk):
    payment = pay(stay, 100_000, clerk, kind="deposit")
    services.forfeit_deposit(stay, Decimal(1), clerk, "a towel")
    with pytest.raises(Refused, match=r"RES-1 has a deposit of 99999\.00: no more"):
        services.void(payment, clerk, "typed twice")
    payment.refresh_from_db()
    assert (payment.is_voided, money(stay)[2]) == (False, 99_999)


def test_a_payment_of_another_day_is_given_back_instead_of_voided(stay, clerk):
    payment = pay(stay, 100_000, clerk)
    Payment.objects.update(created_at=timezone.now() - timedelta(days=2))
    with pytest.raises(Refused) as refusal:
        services.void(payment, clerk, "typed twice")
    assert str(refusal.value) == f"{payment} was recorded on another day: refund it instead."


def test_a_void_pair_changes_nothing(stay, clerk):
    pay(stay, 700_000, clerk)
    before = money(stay)
    services.void(pay(stay, 100_000, clerk), clerk, "wrong stay")
    services.void(pay(stay, 100_000, clerk, kind="deposit"), clerk, "wrong stay")
    assert money(stay) == before


def test_asked_for_again_a_payment_is_recorded_once(stay, clerk):
    first = pay(stay, 100_000, clerk, kind="deposit", key="abc")
    assert pay(stay, 100_000, clerk, kind="deposit", key="abc") == first
    assert money(stay)[2] == 100_000
    with pytest.raises(Refused, match="This is already recorded"):
        pay(stay, 200_000, clerk, kind="deposit", key="abc")


def test_no_deposit_is_taken_of_a_stay_that_is_over_and_a_debt_can_be_paid(stay, clerk):
    check_in(stay, clerk)
    leaves_today()
    check_out(stay, clerk, allow_debt=True)
    with pytest.raises(Refused) as refusal:
        pay(stay, 1, clerk, kind="deposit")
    assert str(refusal.value) == "RES-1 is checked out: no deposit can be taken for it."
    pay(stay, 1_500_000, clerk)
    assert money(stay) == (1_500_000, 0, 0, 0)


def test_the_ledger_is_only_added_to(stay, clerk):
    pay(stay, 100_000, clerk, kind="deposit")
    for change in (
        lambda: DepositMovement.objects.update(amount=1),
        lambda: DepositMovement.objects.all().delete(),
    ):
        refused = pytest.raises(IntegrityError, match="deposit_movements_append_only")
        with refused, transaction.atomic():
            change()
    assert ledger(stay) == [("collected", 100_000)]


def test_less_than_nothing_is_never_held(stay, clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        Reservation.objects.update(deposit_held=Decimal("-0.01"))


def test_a_column_that_differs_from_the_ledger_is_found(stay, clerk):
    pay(stay, 100_000, clerk, kind="deposit")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reservations SET deposit_held = 100000.01")
    [found] = services.ledger_differences()
    assert (found, found.by_ledger, found.deposit_held) == (
        stay,
        Decimal("100000.00"),
        Decimal("100000.01"),
    )


def test_a_deposit_that_the_ledger_does_not_know_is_voided_without_it(stay, clerk):
    pay(stay, 100_000, clerk, kind="deposit")
    unknown = payment(stay, payment_type="deposit", amount=Decimal(70_000))
    services.void(unknown, clerk, "who wrote this?")
    assert money(stay)[2] == 100_000


@pytest.mark.postgresql
def test_an_amount_that_is_no_number_is_refused_with_a_sentence(history):
    history.before(("reservations", "0014_add_rules"))
    legacy.reservation(history, 1, total_amount="NaN", rate_per_night="NaN")
    legacy.payment(history, 1, amount="NaN", created_at="infinity", payment_type="full")
    history.climb()
    stay, row, clerk = Reservation.objects.get(), Payment.objects.get(), User.objects.get()
    for ask in (
        lambda: services.account(stay),
        lambda: change_dates(stay, stay.check_in_date, stay.check_in_date + timedelta(1), clerk),
        lambda: services.apply_deposit(stay, Decimal(1), clerk),
        lambda: services.refund(row, Decimal(1), "cash", clerk, "asked"),
        lambda: services.void(row, clerk, "wrong"),
    ):
        with pytest.raises(Refused):
            ask()
