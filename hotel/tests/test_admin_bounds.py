"""No page of the back office grows with the number of reservations."""

import copy
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.back_office import (
    OWNER,
    browser,
    member,
    one_of_each,
    payment,
    reservation,
)
from hotel.tests.test_admin_permissions import addresses, autocomplete, foreign_keys
from reservations.models import Guest

PAGE = 50  # rows in a list
SLACK = 0.03  # share of a page: more digits, more numbers of pages


class Hotel:
    """A hotel in which all stays have the same guest, room, type, discount, channel and clerk."""

    def __init__(self):
        self.rows = one_of_each()
        self.client = browser(member(OWNER))
        self.stays = 1
        ContentType.objects.get_for_models(*apps.get_models())  # which Django keeps for good
        self.pages = {**addresses(self.rows), "index": reverse("admin:index")}
        for label in self.rows:
            self.pages[label, "search"] = f"{self.pages[label, 'list']}?q=e"
            self.pages[label, "facets"] = f"{self.pages[label, 'list']}?_facets=True"
        for key in foreign_keys():
            self.pages[key] = f"{autocomplete(*key[:2])}&term=e"

    def grow_to(self, stays):
        """Add stays until there are so many, and with each a payment, files and another guest."""
        new = range(self.stays + 1, stays + 1)
        self.stays = stays
        Guest.objects.bulk_create(Guest(full_name=f"Guest of RES-{number:03}") for number in new)
        for label in (
            "reservations.reservation",
            "reservations.guestimage",
            "rooms.roomimage",
            "rooms.roomtypeimage",
            "payments.payment",
            "payments.paymentattachment",
        ):
            row = self.rows[label]
            copies = [copy.copy(row) for _ in new]
            for number, twin in zip(new, copies, strict=True):
                twin.pk = None
                if label == "reservations.reservation":
                    twin.confirmation_number = f"RES-{number:03}"
                    twin.check_in_date += timedelta(2 * number)  # the room is theirs alone
                    twin.check_out_date += timedelta(2 * number)
                elif label == "payments.payment":  # a stay lists what was paid for it
                    twin.reservation = stays[number]
            type(row).objects.bulk_create(copies)
            if label == "reservations.reservation":
                stays = dict(zip(new, copies, strict=True))
        return self

    def measure(self):
        """Return the number of queries and of bytes of every page that there is."""
        queries, size = {}, {}
        self.client.get("/admin/tables/")  # what is asked once a minute is asked
        for key, address in self.pages.items():
            with CaptureQueriesContext(connection) as captured:
                response = self.client.get(address)
            if response.status_code == 200:
                queries[key], size[key] = len(captured), len(response.content)
        return queries, size


@pytest.fixture
def hotel(db, monkeypatch):
    # What a slow run would ask again is asked once, before anything is counted.
    monkeypatch.setattr("hotel.migrator.admin.FINDINGS_KEPT", None)
    cache.clear()
    hotel = Hotel()
    hotel.client.get(hotel.pages["index"])
    return hotel


def test_a_list_is_sorted_only_where_an_index_has_the_order(db):
    for number, day in (("B", 1), ("A", 3), ("C", 2)):
        dates = {"check_in_date": date(2025, 7, day), "check_out_date": date(2025, 7, 9)}
        reservation(number, **dates)
    owner = browser(member(OWNER))

    def listed(order):
        page = owner.get("/admin/reservations/reservation/", {"o": order})
        return "".join(str(row) for row in page.context["cl"].result_list)

    found = {order: listed(order) for order in ("", "0", "-0", "4", "-4", "5", "7", "99", "x")}
    newest = "CAB"
    assert found == {
        **dict.fromkeys(("", "5", "7", "99", "x"), newest),
        **{"0": "ABC", "-0": "CBA", "4": "BCA", "-4": "ACB"},
    }


def test_no_more_rows_are_counted_than_anybody_pages_to(db, monkeypatch):
    monkeypatch.setattr("hotel.admin.COUNTED", 2)
    owner = browser(member(OWNER))
    for number, shown in ((1, "1 reservation"), (2, "2 reservations"), (3, "more than 2 reserv")):
        reservation(f"R{number}")
        page = owner.get("/admin/reservations/reservation/").content.decode()
        assert shown in " ".join(page.split())


def test_a_word_that_many_rows_have_finds_the_same_rows_as_a_rare_one(db, monkeypatch):
    for number in range(6):
        guest = Guest.objects.create(full_name=f"Common {number}", phone=f"08{number}")
        stay = reservation(f"RES-{number}", guest=guest)
        payment(stay, reference_number=f"Common ref {number}")
    owner = browser(member(OWNER))
    questions = ["common", "common 3", "RES-4", "common 08", "res common 5", "'common 2'", "nobody"]

    def found(page, question):
        response = owner.get(f"/admin/{page}/", {"q": question})
        return sorted(str(row.pk) for row in response.context["cl"].result_list)

    pages = ("reservations/reservation", "payments/payment", "reservations/guest")
    few = {(page, q): found(page, q) for page in pages for q in questions}
    assert [len(few[pages[0], q]) for q in questions] == [6, 1, 1, 6, 1, 1, 0]
    assert [len(few[pages[1], q]) for q in questions] == [6, 1, 1, 6, 1, 1, 0]
    for bound in (0, 1, 3):
        monkeypatch.setattr("hotel.search.FEW", bound)
        assert {key: found(*key) for key in few} == few


@pytest.mark.once
def test_every_page_costs_the_same_for_10_stays_and_for_200(hotel):
    queries_for_10, _ = hotel.grow_to(10).measure()
    queries_for_60, size_for_60 = hotel.grow_to(PAGE + 10).measure()
    queries_for_200, size_for_200 = hotel.grow_to(200).measure()
    assert len(queries_for_10) > 110
    assert queries_for_10 == queries_for_60 == queries_for_200
    assert max(queries_for_200.values()) <= 25  # a stay, with its folio, nights and log
    grown = {
        key: (size, size_for_200[key])
        for key, size in size_for_60.items()
        if size_for_200[key] > size * (1 + SLACK)
    }
    assert grown == {}


def test_a_list_shows_50_rows_whatever_is_asked_for(hotel):
    hotel.grow_to(200)
    for question in ("", "?all=", "?p=2", "?q=RES"):
        response = hotel.client.get(hotel.pages["reservations.reservation", "list"] + question)
        assert len(response.context["cl"].result_list) == PAGE


def test_a_row_in_use_names_how_much_refers_to_it_and_no_more_than_100(hotel):
    address = hotel.pages["reservations.guest", "delete"]
    assert hotel.client.get(address).context["protected"] == [
        "1 merged guest refers to it",
        "1 guest image refers to it",
        "1 reservation refers to it",
    ]
    hotel.grow_to(100)
    assert hotel.client.get(address).context["protected"] == [
        "1 merged guest refers to it",
        "100 guest images refer to it",
        "100 reservations refer to it",
    ]
    hotel.grow_to(101)
    response = hotel.client.get(address)
    assert response.context["protected"] == [
        "1 merged guest refers to it",
        "more than 100 guest images refer to it",
        "more than 100 reservations refer to it",
    ]
    assert "RES-001" not in response.content.decode().replace("Guest of RES-1", "")
