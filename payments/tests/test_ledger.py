"""For any sequence of what staff do with money and stays, the ledger balances."""

from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.tests.back_office import reservation, room
from hotel.business_day import business_date
from hotel.refusals import Refused
from hotel.tests import stress
from payments import charges, services
from payments.folio import ENDED, folio
from payments.models import DepositMovement, Payment
from reservations import services as desk
from reservations.models import Reservation

few = settings(
    max_examples=20 * (stress.ROUNDS or 1),  # make stress asks for more
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def one_of(rows, place):
    """Return one of the rows of a stay; raise Refused if there is none."""
    rows = list(rows.order_by("pk"))
    if not rows:
        raise Refused("There is nothing yet.")
    return rows[place % len(rows)]


def payment(stay, place):
    """Return one of the payments of the stay; raise Refused if there is none."""
    return one_of(stay.payment_set, place)


def fee(amount, number):
    """Return no fee, an amount or some nights."""
    return [{}, {"fee": amount}, {"fee_nights": number % 4}][number % 3]


def some(stay, amount, number):
    """Return an amount that is mostly no more than is held."""
    return amount if number % 4 == 0 else min(amount, stay.deposit_held)


STEPS = {
    "pay": lambda s, by, amount, n: services.take_payment(s, amount, "cash", by),
    "adjust": lambda s, by, amount, n: services.take_payment(
        s, amount if n % 3 == 0 else -amount, "other", by, kind="adjustment", notes="a mistake"
    ),
    "charge": lambda s, by, amount, n: charges.charge(
        s, "minibar", amount, by, key=f"{n % 7}" if n % 2 else None
    ),
    "void charge": lambda s, by, amount, n: charges.void_charge(one_of(s.charges, n), by, "wrong"),
    "unapply": lambda s, by, amount, n: services.unapply_deposit(
        s, min(amount, services.applied(s)) if n % 4 else amount, by, "asked"
    ),
    "deposit": lambda s, by, amount, n: services.take_payment(
        s, amount, "cash", by, kind="deposit", key=f"{n % 5}"
    ),
    "refund": lambda s, by, amount, n: services.refund(payment(s, n), amount, "cash", by, "asked"),
    "void": lambda s, by, amount, n: services.void(payment(s, n), by, "wrong"),
    "apply": lambda s, by, amount, n: services.apply_deposit(s, some(s, amount, n), by),
    "return": lambda s, by, amount, n: services.return_deposit(
        s, some(s, amount, n), "cash", by, "asked"
    ),
    "forfeit": lambda s, by, amount, n: services.forfeit_deposit(
        s, some(s, amount, n), by, "damage"
    ),
    "check in": lambda s, by, amount, n: desk.check_in(s, by, accept_dirty=True),
    "check out": lambda s, by, amount, n: desk.check_out(s, by, allow_debt=n % 2 == 0),
    "undo": lambda s, by, amount, n: desk.undo_check_out(s, by),
    "cancel": lambda s, by, amount, n: desk.cancel(s, by, "ill", **fee(amount, n)),
    "cancel in house": lambda s, by, amount, n: desk.cancel(
        s, by, "fire", in_house=True, **fee(amount, n)
    ),
    "no-show": lambda s, by, amount, n: desk.mark_no_show(s, by, **fee(amount, n)),
    "reprice": lambda s, by, amount, n: desk.reprice(s, amount, amount / 2, by),
    "reinstate": lambda s, by, amount, n: desk.reinstate(s, by),
    "longer": lambda s, by, amount, n: desk.change_dates(
        s, s.check_in_date, s.check_in_date + timedelta(days=1 + n % 5), by
    ),
}
AMOUNTS = st.one_of(
    st.sampled_from([Decimal("0.10"), Decimal("0.20"), Decimal(500_000), Decimal(1_000_000)]),
    st.decimals(Decimal("0.01"), Decimal(2_000_000), places=2),
)
STORIES = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), AMOUNTS, st.integers(0, 30)), max_size=14
)


def till(stay):
    """Return what the hotel has taken of the guest and not given back."""
    rows = Payment.objects.filter(reservation=stay, is_voided=False)
    return sum((-abs(row.amount) if row.is_refund else row.amount for row in rows), Decimal(0))


def moved(stay, *kinds):
    rows = DepositMovement.objects.filter(reservation=stay, kind__in=kinds)
    return sum((row.amount for row in rows), Decimal(0))


class Clock:
    """The time of a story: some hours after it began."""

    def __init__(self):
        self.start, self.hours = timezone.now(), 0

    def now(self):
        """Return the time."""
        return self.start + timedelta(hours=self.hours)


@pytest.mark.stressed
@few
@given(story=STORIES)
def test_the_ledger_balances_whatever_happens(db, story):
    clock = Clock()
    with transaction.atomic(), mock.patch.object(timezone, "now", clock.now):
        clerk = User.objects.create(username="sari")
        today = business_date()
        dates = {"check_in_date": today, "check_out_date": today + timedelta(days=2)}
        stay = reservation("RES-1", room=room("101"), **dates)
        services.take_payment(stay, Decimal(300_000), "cash", clerk, kind="deposit")
        for what, amount, number in story:
            clock.hours += number  # the days go by
            stay.refresh_from_db()
            before = services.account(stay), till(stay)
            try:
                STEPS[what](stay, clerk, amount, number)
            except Refused:
                stay.refresh_from_db()
                assert (services.account(stay), till(stay)) == before
            stay = Reservation.objects.get(pk=stay.pk)
            standing = services.account(stay)
            assert not services.ledger_differences().exists()
            assert not services.legacy_differences().exists()
            assert stay.deposit_held >= 0
            forfeited = moved(stay, "forfeited")
            assert till(stay) == standing.paid + standing.applied + standing.held + forfeited
            assert standing.applied == moved(stay, "applied") - moved(stay, "unapplied") >= 0
            bill = folio(stay)
            assert (bill.balance, bill.held) == (standing.due, stay.deposit_held)
            assert bill.charges == standing.total
            extras = sum(row.amount for row in stay.charges.filter(is_voided=False))
            nights = 0 if stay.status in ENDED else stay.total_amount
            assert standing.total == nights + extras
        transaction.set_rollback(True)


@pytest.mark.stressed
@few
@given(story=STORIES, amount=AMOUNTS, kind=st.sampled_from(["full", "deposit"]))
def test_a_payment_that_is_voided_leaves_no_trace_in_the_account(db, story, amount, kind):
    with transaction.atomic():
        clerk = User.objects.create(username="sari")
        stay = reservation("RES-1", room=room("101"))
        for what, some, number in story:
            try:
                STEPS[what](Reservation.objects.get(pk=stay.pk), clerk, some, number)
            except Refused:
                continue
        stay = Reservation.objects.get(pk=stay.pk)
        before = services.account(stay)
        try:
            made = services.take_payment(stay, amount, "cash", clerk, kind=kind)
        except Refused:
            pass
        else:
            services.void(made, clerk, "wrong")
        assert services.account(Reservation.objects.get(pk=stay.pk)) == before
        transaction.set_rollback(True)
