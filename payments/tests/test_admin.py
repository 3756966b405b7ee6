"""Payments and expenses in the back office."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.tests.back_office import browser, member, payment, reservation
from payments.models import Expense

PAYMENTS = "/admin/payments/payment/"
EXPENSES = "/admin/payments/expense/"


@pytest.fixture
def accountant(db):
    return browser(member("Accounting"))


def test_a_payment_is_found_by_reservation_guest_and_reference(accountant):
    payment(reservation("RES-1"), reference_number="TRX-1", transaction_id="0001")
    payment(reservation("RES-2"), reference_number="TRX-2", transaction_id="0002")
    for question in ("res-2", "Guest of RES-2", "trx-2", "0002"):
        rows = accountant.get(PAYMENTS, {"q": question}).context["cl"].result_list
        assert [row.reference_number for row in rows] == ["TRX-2"]


def test_payments_are_read_only_to_everybody(accountant):
    paid = payment(reservation())
    page = accountant.get(f"{PAYMENTS}{paid.pk}/change/").content.decode()
    assert '<span class="money">250,000.50</span>' in page
    assert '<span class="badge badge-full">Full payment</span>' in page
    assert 'name="amount"' not in page


def test_an_expense_is_written_down_once(accountant, settings):
    settings.TIME_ZONE = "Asia/Jakarta"
    form = {
        "date_0": "2025-07-02",
        "date_1": "01:30:00",
        "category": "Laundry",
        "amount": "75000.50",
    }
    assert accountant.post(f"{EXPENSES}add/", form).status_code == 302
    expense = Expense.objects.get()
    assert expense.date == datetime(2025, 7, 1, 18, 30, tzinfo=UTC)
    assert expense.amount == Decimal("75000.50")

    form.update(date_0="2030-01-01", amount="1", category="Linen", description="Sheets")
    assert accountant.post(f"{EXPENSES}{expense.pk}/change/", form).status_code == 302
    expense.refresh_from_db()
    assert (expense.category, expense.description) == ("Linen", "Sheets")
    assert expense.date == datetime(2025, 7, 1, 18, 30, tzinfo=UTC)
    assert expense.amount == Decimal("75000.50")


def test_an_expense_is_shown_on_the_hotels_clock(accountant, settings):
    settings.TIME_ZONE = "Asia/Jakarta"
    Expense.objects.create(
        date=datetime(2025, 7, 1, 18, 30, tzinfo=UTC), category="Laundry", amount=Decimal("75000")
    )
    assert "July 2, 2025, 1:30 a.m." in accountant.get(EXPENSES).content.decode()
