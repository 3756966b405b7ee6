"""The page of a stay: its head, what comes next, its folio, its nights and its log."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.back_office import OWNER, browser, member, room
from hotel.desk.tests.test_today import in_house, stay
from payments.services import take_payment
from reservations.services import check_in


@pytest.fixture
def clerk(db):
    return member("Front desk", username="sari")


def page_of(user, row):
    address = f"/admin/reservations/reservation/{row.pk}/change/"
    return browser(user).get(address)


def acts(response):
    """Return what the filled button says, and the plain ones beside it."""
    text = response.content.decode()
    row = re.search(r'<div class="stay-acts.*?<details', text, re.DOTALL)[0]
    filled = re.findall(r'<a class="button primary" href="[^"]+">(.*?)…</a>', row)
    return filled, re.findall(r'<a class="button" href="[^"]+">(.*?)…</a>', row)


@pytest.mark.parametrize(
    ("made", "filled"),
    [
        (lambda: stay("A", status="pending", room=room()), ["Confirm"]),
        (lambda: stay("A", room=room()), ["Check in"]),
        (lambda: stay("A", arrives=3, room=room()), []),
        (lambda: in_house("A", room=room()), ["Take payment"]),
        (lambda: in_house("A", room=room(), total_amount=0), ["Check out"]),
        (lambda: stay("A", status="cancelled"), []),
    ],
)
def test_the_filled_button_is_what_comes_next(clerk, made, filled):
    assert acts(page_of(clerk, made()))[0] == filled


def test_the_head_says_who_where_until_when_and_what_is_due_and_held(clerk):
    row = stay("A", room=room("303"))
    take_payment(row, Decimal(250_000), "cash", clerk)
    take_payment(row, Decimal(100_000), "cash", clerk, kind="deposit")
    text = page_of(clerk, row).content.decode()
    head = re.search(r'<section class="stay-head".*?</section>', text, re.DOTALL)[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", head).split())
    assert words.startswith("A Confirmed Guest A Room 303 , Standard") or words.startswith(
        "A Confirmed Guest A Room 303, Standard"
    )
    assert "2 nights" in words
    assert words.endswith("Due 750,000 Held 100,000")
    assert "<title>A · " in text


def test_the_folio_adds_up_to_what_is_due(clerk):
    row = stay("A", room=room())
    take_payment(row, Decimal(250_000), "cash", clerk)
    response = page_of(clerk, row)
    ledger = response.context["folio"]
    assert (ledger.charges, ledger.payments, ledger.balance) == (1_000_000, 250_000, 750_000)
    text = response.content.decode()
    assert "2 nights" in text
    assert 'aria-label="Folio, table"' in text


def test_the_log_says_who_did_what_the_latest_first(clerk):
    row = check_in(stay("A", room=room()), clerk)
    text = page_of(clerk, row).content.decode()
    log = re.search(r'<ol class="log">.*?</ol>', text, re.DOTALL)[0]
    assert "Checked in" in log
    assert "sari" in log


def test_who_may_see_no_money_gets_no_folio(db):
    row = stay("A", room=room())
    user = member("Front desk")
    group = user.groups.get()
    group.permissions.remove(*group.permissions.filter(content_type__app_label="payments"))
    response = page_of(user, row)
    assert response.status_code == 200
    assert "folio" not in response.context
    assert 'class="sums"' not in response.content.decode()


def test_every_button_is_offered_once(db):
    row = in_house("A", room=room())
    response = page_of(member(OWNER), row)
    links = re.findall(r'href="([^"]*/do/[^"]*)"', response.content.decode())
    assert sorted(links) == sorted(address for _, address, _ in response.context["row_actions"])


def test_the_page_asks_few_questions(db):
    row = in_house("A", room=room())
    client = browser(member(OWNER))
    address = f"/admin/reservations/reservation/{row.pk}/change/"
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    assert len(captured) <= 25
