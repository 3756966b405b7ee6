"""One currency a hotel: on every amount, never mixed, and the one that its settings name."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.tests.back_office import OWNER, browser, member, payment, reservation
from hotel.migrator.tests import legacy
from hotel.refusals import Refused
from payments import services
from payments.models import Expense, Payment
from reservations.models import Reservation


def test_every_amount_of_before_is_in_the_currency_of_the_hotel(history, settings):
    settings.HOTEL_CURRENCY = "EUR"
    history.before(("reservations", "0023_add_currency"))
    legacy.payment(history, 1, payment_type="full")
    history.insert("expenses", date="2025-11-08 10:00", category="Laundry", amount="1.00")
    history.migrate()
    found = [
        history.execute(f"SELECT DISTINCT currency FROM {table}")
        for table in ("reservations", "payments", "expenses")
    ]
    assert found == [[("EUR",)]] * 3


def test_a_row_that_names_none_has_the_one_of_the_hotel(db):
    paid = payment(reservation())
    spent = Expense.objects.create(date="2025-07-01T10:00Z", category="x", amount=1)
    assert (paid.currency, paid.reservation.currency, spent.currency) == ("IDR", "IDR", "IDR")


@pytest.mark.parametrize("code", ["", "idr", "ID", "Rp1", "I R"])
def test_a_currency_is_three_capitals(db, code):
    payment(reservation())
    for rows in (Payment.objects, Reservation.objects):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(currency=code)


def test_payments_in_several_currencies_are_not_added_up(db):
    stay = reservation()
    paid = payment(stay, currency="EUR")
    with pytest.raises(Refused) as refusal:
        services.account(stay)
    sentence = "RES-1 has payments in several currencies: they cannot be added up."
    assert str(refusal.value) == sentence
    page = browser(member(OWNER)).get(f"/admin/reservations/reservation/{stay.pk}/change/")
    assert sentence in page.content.decode()
    assert services.void(paid, User.objects.first(), "wrong currency").is_voided


def test_a_stay_in_another_currency_than_the_hotel_s_is_left_alone(db):
    stay = reservation()
    Reservation.objects.update(currency="EUR")
    with pytest.raises(Refused) as refusal:
        services.take_payment(stay, Decimal(1), "cash", User.objects.get())
    assert str(refusal.value) == "RES-1 is in EUR, but the hotel's currency is IDR."


@pytest.mark.parametrize("named, is_refused", [("EUR", True), ("IDR", False), ("Rp", False)])
def test_migrate_asks_whether_the_hotel_means_another_currency(history, named, is_refused):
    history.initial()
    history.insert("settings", setting_key="currency", setting_value=named)
    before = history.catalog()
    if not is_refused:
        call_command("migrate", "dashboard", "0001", verbosity=0, skip_checks=False)
        return
    with pytest.raises(SystemCheckError) as refusal:
        call_command("migrate", verbosity=0, skip_checks=False)
    assert (
        "(hotel.E001) The hotel's settings say that its currency is EUR, but HOTEL_CURRENCY is IDR."
        in str(refusal.value)
    )
    assert "HINT: Set HOTEL_CURRENCY=EUR in the environment or in .env." in str(refusal.value)
    assert history.catalog() == before
