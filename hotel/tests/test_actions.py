"""The buttons of the back office: who sees them, what they do, and how they say no."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import (
    OWNER,
    browser,
    member,
    merged,
    payment,
    reservation,
    room,
    send,
)
from hotel.actions import ActingAdmin
from hotel.business_day import business_date
from hotel.dashboard.models import BusinessDay
from hotel.migrator.tests import legacy
from payments.models import Charge, Payment
from reservations.models import Guest, Reservation
from reservations.tests.test_rules import in_processes
from rooms.models import Room, RoomBlock, RoomType

ROLES = ("Owner", "Manager", "Front desk", "Housekeeping", "Accounting", "Read-only")
TABLE = """
reservation.confirm          + + + - - -
reservation.check-in         + + + - - -
reservation.check-out        + + + - - -
reservation.pay              + + + - + -
reservation.adjust           + + - - + -
reservation.charge           + + + - + -
reservation.apply-deposit    + + + - + -
reservation.unapply-deposit  + + + - + -
reservation.return-deposit   + + + - + -
reservation.forfeit-deposit  + + - - - -
reservation.price            + + - - - -
reservation.dates            + + + - - -
reservation.move             + + + - - -
reservation.swap             + + + - - -
reservation.cancel           + + + - - -
reservation.cancel-in-house  + + - - - -
reservation.no-show          + + + - - -
reservation.plan-move        + + + - - -
reservation.undo-move        + + + - - -
reservation.undo-check-in    + + - - - -
reservation.undo-check-out   + + - - - -
reservation.reinstate        + + - - - -
payment.refund               + + - - + -
payment.void                 + + + - + -
charge.void                  + + + - + -
room.housekeeping            + + + + - -
room.block                   + + - - - -
roomblock.release            + + - - - -
businessday.reopen           + + - - - -
guest.merge                  + + - - - -
guestmerge.undo              + + - - - -
"""
MAY = {line.split()[0]: line.split()[1:] for line in TABLE.strip().splitlines()}


def today(days=0):
    return business_date() + timedelta(days)


@pytest.fixture
def stay(db):
    dates = {"check_in_date": today(), "check_out_date": today(2)}
    return reservation("RES-1", room=room("101"), **dates)


def address(row, action):
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_action", args=[row.pk, action])


def test_the_table_names_every_button():
    buttons = {
        f"{model._meta.model_name}.{action.name}"
        for model, page in admin.site._registry.items()
        if isinstance(page, ActingAdmin)
        for action in page.row_actions
    }
    assert buttons == set(MAY)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_press_its_buttons_and_no_other(stay, role):
    block = RoomBlock.objects.create(room=stay.room, kind="house_use", start_date=today(5))
    clerk = User.objects.get(username="clerk")
    day = BusinessDay.objects.create(day=today(-1), closed_at=timezone.now(), closed_by=clerk)
    extra = Charge.objects.create(reservation=stay, kind="minibar", amount=5, business_date=today())
    made = (stay, payment(stay), extra, stay.room, block, day)
    rows = {row._meta.model_name: row for row in made}
    rows |= {"guest": stay.guest, "guestmerge": merged(stay.guest)}
    client = browser(member(role))
    found = {}
    for name in MAY:
        model, _, action = name.partition(".")
        page = address(rows[model], action)
        found[name] = (client.get(page).status_code, client.post(page, {"x": "y"}).status_code)
    assert {name: statuses[0] for name, statuses in found.items()} == {
        name: 200 if signs[ROLES.index(role)] == "+" else 403 for name, signs in MAY.items()
    }
    refused = {name for name, statuses in found.items() if statuses[0] == 403}
    assert {found[name][1] for name in refused} <= {403}


def test_a_page_offers_what_can_be_done_now(stay):
    clerk = browser(member("Front desk"))
    page = f"/admin/reservations/reservation/{stay.pk}/change/"

    def offered():
        return [label for label, *_ in clerk.get(page).context["row_actions"]]

    assert offered() == [
        *("Check in", "Take payment", "Charge", "Change dates", "Change room"),
        *("Plan a change of room", "Undo the change of room", "Swap rooms", "Cancel"),
        "Mark no-show",
    ]
    clerk.post(address(stay, "check-in"), {"room": stay.room_id})
    assert offered() == [
        *("Check out", "Take payment", "Charge", "Change dates", "Change room"),
        *("Plan a change of room", "Undo the change of room", "Swap rooms"),
    ]


def test_a_stay_from_booking_to_check_out(db):
    clerk = browser(member("Front desk"))
    suite = room("101")
    guest = Guest.objects.create(full_name="Ibu Ratna")
    booking = {
        "guest": guest.pk,
        "room_type": suite.room_type_id,
        "room": suite.pk,
        "arrival": str(today()),
        "departure": str(today(2)),
        "adults": 2,
        "children": 0,
        "rate": "1",
        "discount": "999999",
    }
    form = clerk.get("/admin/reservations/reservation/add/").context["form"]
    booking["confirmation_number"] = form["confirmation_number"].value()
    for _ in range(2):  # sent twice
        response = clerk.post("/admin/reservations/reservation/add/", booking, follow=True)
    stay = Reservation.objects.get()
    assert [str(message) for message in response.context["messages"]] == [f"{stay} is booked."]
    assert (stay.total_amount, stay.adults, stay.created_by.username) == (
        *(1_000_000, 2),
        "front desk",
    )
    clerk.post(address(stay, "check-in"), {"room": suite.pk})
    form = clerk.get(address(stay, "pay")).context["form"]
    money = {"kind": "deposit", "amount": "500000", "method": "cash", "key": form["key"].value()}
    clerk.post(address(stay, "pay"), money)
    clerk.post(address(stay, "pay"), money)  # sent twice
    assert [row.amount for row in Payment.objects.all()] == [500_000]
    Reservation.objects.update(check_in_date=today(-2), check_out_date=today())
    response = clerk.post(address(stay, "check-out"), {"method": "cash"})
    assert response.context["form"].non_field_errors() == [
        f"{stay} owes 500000.00: take the payment first, or allow the debt."
    ]
    clerk.post(address(stay, "check-out"), {"method": "cash", "allow_debt": "on"})
    stay.refresh_from_db()
    assert (stay.status, stay.deposit_held) == ("checked_out", 0)
    notes = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(notes) == [
        "Book.",
        "Book.",
        "Check in.",
        "Take payment.",
        "Take payment.",
        "Check out.",
    ]


def test_a_refusal_is_shown_and_changes_nothing(stay):
    clerk = browser(member("Front desk"))
    reservation("RES-2", room=room("102"), check_in_date=today(), check_out_date=today(2))
    form = {"arrival": str(today(2)), "departure": str(today(1))}
    response = clerk.post(address(stay, "dates"), form)
    assert response.context["form"].non_field_errors() == [
        "The guest must leave after the day of arrival."
    ]
    response = clerk.post(address(stay, "swap"), {"confirmation_number": "NONE"})
    assert response.context["form"].errors == {
        "confirmation_number": ["There is no reservation NONE."]
    }
    clerk.post(address(stay, "swap"), {"confirmation_number": "RES-2"})
    stay.refresh_from_db()
    assert (stay.room.room_number, stay.check_in_date) == ("102", today())


def test_money_is_given_back_and_voided_on_the_page_of_the_payment(stay):
    manager = browser(member("Manager"))
    paid = payment(stay, amount=Decimal(100_000))
    give_back = {"amount": "40000", "method": "cash", "reason": "too much", "key": "k"}
    manager.post(address(paid, "refund"), give_back)
    back = Payment.objects.get(is_refund=True)
    assert (back.amount, back.refund_of) == (40_000, paid)
    manager.post(address(back, "void"), {"reason": "wrong guest"})
    back.refresh_from_db()
    assert (back.is_voided, back.voided_by.username, back.void_reason) == (
        *(True, "manager"),
        "wrong guest",
    )


def test_a_room_is_blocked_released_and_cleaned(db):
    manager = browser(member("Manager"))
    suite = room("101")
    block = {"kind": "out_of_order", "start": str(today()), "end": "", "reason": "a leak"}
    manager.post(address(suite, "block"), block)
    suite.refresh_from_db()
    assert suite.status == "out_of_order"
    manager.post(address(RoomBlock.objects.get(), "release"))
    suite.refresh_from_db()
    assert (suite.status, suite.housekeeping_status) == ("available", "dirty")
    cleaner = browser(member("Housekeeping"))
    response = send(cleaner, address(suite, "housekeeping"), status="inspected")
    assert response.context["form"].non_field_errors() == [
        "Room 101 is dirty: clean it before it is inspected."
    ]
    send(cleaner, address(suite, "housekeeping"), status="clean")
    suite.refresh_from_db()
    assert suite.housekeeping_status == "clean"


def test_junk_is_a_wrong_address_and_no_error(stay):
    client = browser(member(OWNER))
    base = "/admin/reservations/reservation/"
    assert client.get(f"{base}{stay.pk}/do/dance/").status_code == 404
    for key in ("999", "x", "9" * 30):
        assert client.get(f"{base}{key}/do/cancel/").status_code == 302
    for junk in ({}, {"room": "9" * 40}, {"room": "\0"}, {"amount": "NaN", "kind": "x"}):
        for action in ("check-in", "pay", "move", "dates", "price"):
            assert client.post(address(stay, action), junk).status_code == 200
    for field in ("guest", "room_type", "room"):
        junk = {"guest": "9" * 40, "room_type": "x", field: "1" * 20}
        assert client.post(f"{base}add/", junk).status_code == 200


def test_a_button_is_a_link_and_only_the_form_behind_it_changes_anything(stay):
    clerk = browser(member("Front desk"))
    page = clerk.get(f"/admin/reservations/reservation/{stay.pk}/change/").content.decode()
    links = re.findall(r'href="(/admin/[^"]*/do/[^"]*)"', page)
    assert len(links) == 10
    for link in links:
        clerk.get(link)
    stay.refresh_from_db()
    assert stay.status == "confirmed"
    guarded = browser(User.objects.get(username="front desk"), enforce_csrf_checks=True)
    assert guarded.post(address(stay, "cancel"), {"reason": "x"}).status_code == 403


def test_twenty_clerks_book_one_room_by_form_and_one_gets_it(history):
    history.at("head")
    legacy.reservation(history, 1, status="cancelled")
    legacy.room(history, 1)
    history.reset_sequences()
    User.objects.update(is_staff=True, is_active=True, is_superuser=True)
    form = {
        "guest": Guest.objects.get().pk,
        "room_type": RoomType.objects.first().pk,
        "room": Room.objects.get().pk,
        "arrival": str(today()),
        "departure": str(today(2)),
        "adults": 1,
        "children": 0,
        "discount": 0,
    }

    class No(Exception):
        pass

    def book(number):
        client = browser(User.objects.get())
        response = client.post("/admin/reservations/reservation/add/", form)
        if response.status_code == 200:
            [sentence] = response.context["form"].non_field_errors()
            assert re.match(r"Room \S+ has \S+ from .* to .*: choose another room", sentence)
            raise No(sentence)
        assert response.status_code == 302

    browser(User.objects.get()).get("/admin/reservations/reservation/add/")  # read once for all
    answers = in_processes(20, book, No)
    assert sorted(answers) == ["booked"] + ["refused"] * 19
    assert Reservation.objects.filter(status="confirmed").count() == 1


def test_what_is_typed_into_no_field_of_a_form_is_not_obeyed(stay):
    clerk = browser(member("Front desk"))
    money = {"kind": "adjustment", "amount": "-100000", "method": "cash", "key": "k"}
    response = clerk.post(address(stay, "pay"), money)
    assert list(response.context["form"].errors) == ["kind"]
    assert not Payment.objects.exists()


def test_a_deposit_is_applied_and_kept_once_by_a_form_that_is_sent_twice(stay):
    manager = browser(member("Manager"))
    paid = {"kind": "deposit", "amount": "100", "method": "cash", "key": "a"}
    manager.post(address(stay, "pay"), paid)
    for _ in range(2):
        manager.post(address(stay, "apply-deposit"), {"amount": "30", "key": "b"})
        manager.post(
            address(stay, "forfeit-deposit"), {"amount": "20", "key": "c", "reason": "a towel"}
        )
    stay.refresh_from_db()
    assert stay.deposit_held == 50
