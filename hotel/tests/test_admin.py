"""What all pages of the back office have in common."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, reservation, room
from hotel.columns import badge, moment, money, rows_of
from payments.models import Expense
from reservations.admin import GuestAdmin
from reservations.models import Guest, Reservation
from rooms.models import Room


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1500000.00", "1,500,000"),
        ("1500000.50", "1,500,000.50"),
        ("0.00", "0"),
        ("-0.10", "-0.10"),
        ("-2500.00", "-2,500"),
        ("9999999999.99", "9,999,999,999.99"),
    ],
)
def test_money_has_separators_and_decimals_only_if_needed(amount, shown):
    assert money("amount")(Expense(amount=Decimal(amount))) == f'<span class="money">{shown}</span>'


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_money_that_is_no_number_is_shown_as_it_is(amount):
    assert money("amount")(Expense(amount=Decimal(amount))) == amount


def test_nothing_is_shown_as_a_dash():
    assert money("custom_rate")(Room()) == "-"
    assert moment("created_at")(Room()) == "-"
    assert badge("status")(Room(status="")) == '<span class="badge badge-unknown">-</span>'
    assert rows_of("reservations.Reservation", "room")(Room()) == "-"


def test_an_instant_is_on_the_hotels_clock(settings):
    settings.TIME_ZONE = "Asia/Jakarta"
    expense = Expense(date=datetime(2025, 7, 1, 18, 30, tzinfo=UTC))
    assert moment("date")(expense) == "July 2, 2025, 1:30 a.m."


def test_an_instant_that_the_hotels_clock_lacks_is_in_utc(settings):
    settings.TIME_ZONE = "Asia/Jakarta"
    expense = Expense(date=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    assert moment("date")(expense) == "9999-12-31 23:59 UTC"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("checked_in", '<span class="badge badge-checked_in">In house</span>'),
        ("old_confirmed", '<span class="badge badge-unknown">old_confirmed</span>'),
        ('"><b>', '<span class="badge badge-unknown">&quot;&gt;&lt;b&gt;</span>'),
    ],
)
def test_a_badge_says_the_status_in_words(status, shown):
    assert badge("status")(Reservation(status=status)) == shown


def test_a_column_is_sorted_and_headed_by_its_field():
    column = money("total_amount")
    assert column.short_description == "Total amount"
    assert column.admin_order_field == "total_amount"
    assert column is money("total_amount")


def test_a_row_links_to_the_rows_that_refer_to_it(db):
    first, second = reservation("RES-1"), reservation("RES-2")
    client = browser(member(OWNER))
    page = client.get(f"/admin/reservations/guest/{first.guest.pk}/change/").content.decode()
    address = f"/admin/reservations/reservation/?guest__id__exact={first.guest.pk}"
    assert f'<a href="{address}">Show</a>' in page
    listed = client.get(address).content.decode()
    assert "RES-1" in listed
    assert second.confirmation_number not in listed


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_list_can_be_searched_and_says_how(model):
    page = admin.site._registry[model]
    assert page.search_fields
    assert page.search_help_text.startswith("Search by ")
    assert page.ordering
    assert page.list_per_page == 50
    assert page.show_full_result_count is False


def test_rows_are_deleted_one_by_one(db):
    client = browser(member(OWNER))
    guest = Guest.objects.create(full_name="Ana")
    form = {"action": "delete_selected", "_selected_action": guest.pk, "index": 0, "post": "yes"}
    page = client.post(reverse("admin:reservations_guest_changelist"), form)
    assert page.context["action_form"] is None
    assert Guest.objects.filter(pk=guest.pk).exists()


def test_a_row_that_nothing_refers_to_is_deleted(db):
    client = browser(member("Manager"))
    guest = Guest.objects.create(full_name="Ana")
    address = f"/admin/reservations/guest/{guest.pk}/delete/"
    page = client.get(address)
    assert page.context["deleted_objects"] == ["Guest: Ana"]
    assert list(page.context["model_count"]) == [("guests", 1)]
    assert client.post(address, {"post": "yes"}).url == "/admin/reservations/guest/"
    assert not Guest.objects.filter(pk=guest.pk).exists()


def test_a_row_in_use_is_not_deleted_even_if_its_key_would_be_emptied(db):
    suite = room()
    Guest.objects.create(full_name="Ana", preferred_room_type=suite.room_type)
    client = browser(member("Manager"))
    address = f"/admin/rooms/roomtype/{suite.room_type.pk}/delete/"
    page = client.post(address, {"post": "yes"})
    assert page.context["protected"] == ["1 room refers to it", "1 guest refers to it"]
    text = page.content.decode()
    assert "The room type “Standard (STD)” cannot be deleted:" in text
    assert "<li>1 room refers to it</li>" in text
    assert type(suite.room_type).objects.count() == 1


def book_first(page, request, guest):
    """Delete a guest for whom somebody has booked since the page looked."""
    reservation(guest=guest)
    admin.ModelAdmin.delete_model(page, request, guest)


def book_last(page, request, guest):
    """Delete a guest for whom somebody books when Django, too, has looked."""
    reservation(guest=guest)
    Guest.objects.filter(pk=guest.pk)._raw_delete("default")


@pytest.mark.parametrize("delete", [book_first, book_last])
def test_who_is_booked_for_meanwhile_is_not_deleted(history, monkeypatch, delete):
    history.at("head")
    guest = Guest.objects.create(full_name="Ana")
    client = browser(member("Manager"))
    address = f"/admin/reservations/guest/{guest.pk}/delete/"
    monkeypatch.setattr(GuestAdmin, "delete_model", delete)
    response = client.post(address, {"post": "yes"}, follow=True)
    assert response.redirect_chain == [(address, 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "The guest was not deleted: something refers to it now."
    ]
    assert Guest.objects.filter(pk=guest.pk).exists()


def test_the_site_has_a_name_and_no_other_site_to_view(db):
    assert "Hotel back office" in browser().get(reverse("admin:login")).content.decode()
    assert "View site" not in browser(member(OWNER)).get(reverse("admin:index")).content.decode()
