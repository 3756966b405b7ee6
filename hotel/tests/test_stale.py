"""Two people on one row: what a form that was opened before may write, on every kind of page."""

import re
from datetime import date, timedelta

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import (
    OWNER,
    browser,
    member,
    on_page,
    one_of_each,
    reservation,
    room,
    send,
)
from hotel.actions import ActingAdmin, ActionForm
from hotel.conflicts import KeepingAdmin
from hotel.migrator.tests import legacy
from hotel.shown import Shown
from hotel.stale import CarryingForm, CarryingFormSet
from payments.models import Expense, Payment
from reservations.models import Guest, GuestImage, Reservation
from reservations.tests.test_rules import in_processes
from rooms.models import RoomType


def day(days):
    return timezone.localdate() + timedelta(days)


def told(days):
    return f"{day(days):%a} {day(days).day} {day(days):%b %Y}"


@pytest.fixture
def stay(db):
    return reservation(
        "RES-1", room=room("101"), check_in_date=day(20), check_out_date=day(22), adults=1
    )


@pytest.fixture
def desk(db):
    return browser(member("Front desk", username="putu"))


@pytest.fixture
def manager(db):
    return browser(member("Manager", username="sari"))


def act(row, action):
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_action", args=[row.pk, action])


def page(row):
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])


def sentences(response):
    """Return the conflicts that a page asks about, without the time."""
    assert response.status_code == 409
    return [re.sub(r"at \d\d:\d\d", "at HH:MM", str(one)) for one in response.context["conflicts"]]


def answered(client, response, **answers):
    """Send the page that asks, with answers, to the address that it is the answer of."""
    address = re.search(r'<form method="post" action="([^"]+)"', response.content.decode())[1]
    return client.post(address, {**on_page(response), **answers})


# Buttons


def test_one_moves_the_departure_and_the_other_the_arrival_and_both_stand(stay, desk, manager):
    opened = on_page(desk.get(act(stay, "dates")))
    send(manager, act(stay, "dates"), departure=str(day(25)))
    assert desk.post(act(stay, "dates"), {**opened, "arrival": str(day(21))}).status_code == 302
    stay.refresh_from_db()
    assert (stay.check_in_date, stay.check_out_date) == (day(21), day(25))


def test_both_move_the_departure_and_the_second_is_asked(stay, desk, manager):
    opened = on_page(desk.get(act(stay, "dates")))
    send(manager, act(stay, "dates"), departure=str(day(25)))
    mine = {**opened, "departure": str(day(23))}
    response = desk.post(act(stay, "dates"), mine)
    assert sentences(response) == [
        f"Departure was changed by sari at HH:MM: {told(25)}; yours: {told(23)}."
    ]
    assert "sari changed this reservation".lower() in response.context["title"].lower()
    assert f"When you opened it: {told(22)}." in response.content.decode()
    stay.refresh_from_db()
    assert stay.check_out_date == day(25)
    assert sentences(answered(desk, response)) == sentences(response)  # chose nothing
    assert answered(desk, response, **{"keep-departure": "theirs"}).status_code == 302
    stay.refresh_from_db()
    assert stay.check_out_date == day(25)
    assert answered(desk, response, **{"keep-departure": "mine"}).status_code == 302
    stay.refresh_from_db()
    assert stay.check_out_date == day(23)


def test_who_is_asked_is_asked_again_if_somebody_saves_before_the_answer(stay, desk, manager):
    opened = on_page(desk.get(act(stay, "dates")))
    send(manager, act(stay, "dates"), departure=str(day(25)))
    response = desk.post(act(stay, "dates"), {**opened, "departure": str(day(23))})
    send(manager, act(stay, "dates"), departure=str(day(26)))
    again = answered(desk, response, **{"keep-departure": "mine"})
    assert sentences(again) == [
        f"Departure was changed by sari at HH:MM: {told(26)}; yours: {told(23)}."
    ]
    assert answered(desk, again, **{"keep-departure": "mine"}).status_code == 302
    stay.refresh_from_db()
    assert stay.check_out_date == day(23)


def test_a_discount_is_not_taken_back_by_who_only_changes_the_rate(stay, manager):
    other = browser(member(OWNER, username="ibu"))
    opened = on_page(manager.get(act(stay, "price")))
    send(other, act(stay, "price"), discount="50000")
    manager.post(act(stay, "price"), {**opened, "rate": "600000"})
    stay.refresh_from_db()
    assert (stay.rate_per_night, stay.discount_amount, stay.total_amount) == (
        *(600_000, 50_000),
        1_150_000,
    )


@pytest.mark.parametrize("forged", [None, "", "junk", "of another row"])
def test_a_form_that_does_not_say_what_it_showed_overwrites_nobody(stay, desk, manager, forged):
    other = reservation("RES-2", room=room("102"), guest=stay.guest)
    sent = {"arrival": str(day(21)), "departure": str(day(22))}
    if forged is not None:
        sent["shown"] = forged
    if forged == "of another row":
        sent["shown"] = on_page(desk.get(act(other, "dates")))["shown"][0]
    send(manager, act(stay, "dates"), departure=str(day(25)))
    assert sentences(desk.post(act(stay, "dates"), sent)) == [
        f"Departure was changed by sari at HH:MM: {told(25)}; yours: {told(22)}."
    ]
    stay.refresh_from_db()
    assert stay.check_out_date == day(25)
    # What the same person changed last, or nobody since the booking, is no loss to anybody.
    assert manager.post(act(stay, "dates"), sent).status_code == 302


def test_another_room_given_meanwhile_is_not_taken_away(stay, desk, manager):
    suites = [room("102"), room("103")]
    opened = on_page(desk.get(act(stay, "move")))
    send(manager, act(stay, "move"), room=suites[0].pk)
    response = desk.post(act(stay, "move"), {**opened, "room": suites[1].pk})
    assert sentences(response) == ["Room was changed by sari at HH:MM: 102; yours: 103."]
    answered(desk, response, **{"keep-room": "mine"})
    stay.refresh_from_db()
    assert stay.room == suites[1]


def test_who_cancels_sees_first_that_the_dates_are_others_now(stay, desk, manager):
    opened = on_page(desk.get(act(stay, "cancel")))
    send(manager, act(stay, "dates"), departure=str(day(25)))
    response = desk.post(act(stay, "cancel"), {**opened, "reason": "ill"})
    assert response.status_code == 409
    changed, look = response.context["form"].non_field_errors()
    assert re.sub(r"at \d\d:\d\d", "at HH:MM", changed) == (
        f"Check out date was changed by sari at HH:MM: {told(22)} before, now {told(25)}."
    )
    assert look == "Look again, and send it if it is still right."
    stay.refresh_from_db()
    assert stay.status == "confirmed"
    assert desk.post(act(stay, "cancel"), on_page(response)).status_code == 302
    stay.refresh_from_db()
    assert (stay.status, stay.cancel_reason) == ("cancelled", "ill")


def test_a_button_sent_twice_asks_nothing(stay, desk):
    opened = {**on_page(desk.get(act(stay, "dates"))), "departure": str(day(24))}
    assert desk.post(act(stay, "dates"), opened).status_code == 302
    assert desk.post(act(stay, "dates"), opened).status_code == 302
    assert stay.events.filter(what="moved_to_other_dates").count() == 1


# Money


def test_two_clerks_do_not_take_the_same_money_twice(stay, desk, manager):
    opened = on_page(desk.get(act(stay, "pay")))
    other = on_page(manager.get(act(stay, "pay")))
    money = {"kind": "full", "amount": "1000000", "method": "cash"}
    assert manager.post(act(stay, "pay"), {**other, **money}).status_code == 302
    response = desk.post(act(stay, "pay"), {**opened, **money})
    assert response.status_code == 409
    assert re.sub(r"at \d\d:\d\d", "at HH:MM", response.context["form"].non_field_errors()[0]) == (
        "What is due was changed by sari at HH:MM: 1,000,000.00 before, now 0.00."
    )
    assert Payment.objects.count() == 1
    assert desk.post(act(stay, "pay"), on_page(response)).status_code == 302  # a tip, then
    assert Payment.objects.count() == 2


def test_going_back_and_sending_again_does_not_pay_twice(stay, desk):
    money = {"kind": "full", "amount": "250000", "method": "cash"}
    sent = {**on_page(desk.get(act(stay, "pay"))), **money}
    first, again = (desk.post(act(stay, "pay"), sent) for _ in range(2))
    assert (first.status_code, again.status_code, again.url) == (302, 302, first.url)
    assert Payment.objects.count() == 1
    response = desk.post(act(stay, "pay"), {**sent, "amount": "9"})
    assert "This is already recorded" in response.context["form"].non_field_errors()[0]


def test_two_do_not_refund_the_same_payment_twice(stay, manager):
    other = browser(member(OWNER, username="ibu"))
    send(manager, act(stay, "pay"), kind="full", amount="1000", method="cash")
    paid = Payment.objects.get()
    back = {"amount": "400", "method": "cash", "reason": "too much"}
    sent = {**on_page(other.get(act(paid, "refund"))), **back}
    send(manager, act(paid, "refund"), **back)
    response = other.post(act(paid, "refund"), sent)
    assert response.status_code == 409
    assert (
        "What is refunded was changed by sari at" in response.context["form"].non_field_errors()[0]
    )
    assert Payment.objects.filter(is_refund=True).count() == 1


def test_a_row_is_added_once_however_often_its_form_is_sent(db):
    owner = browser(member(OWNER))
    address = reverse("admin:payments_expense_add")
    typed = {"date_0": "2026-11-29", "date_1": "10:00", "category": "Laundry", "amount": "75000"}
    sent = {**on_page(owner.get(address)), **typed}
    owner.post(address, sent)
    response = owner.post(address, sent, follow=True)
    assert Expense.objects.count() == 1
    assert response.redirect_chain == [(page(Expense.objects.get()), 302)]
    [_, text] = [str(message) for message in response.context["messages"]]
    assert text == "The expense Laundry 75000.00 was added already: the form was sent twice."
    owner.post(address, {**on_page(owner.get(address)), **typed})
    assert Expense.objects.count() == 2


def test_a_form_sent_five_times_at_once_adds_one_row(history):
    history.at("head")
    legacy.user(history, 1)
    history.reset_sequences()
    User.objects.update(is_staff=True, is_active=True, is_superuser=True)
    address = reverse("admin:reservations_guest_add")
    sent = {**on_page(browser(User.objects.get()).get(address)), "full_name": "Ratna"}

    def add(number):
        assert browser(User.objects.get()).post(address, sent).status_code == 302

    assert in_processes(5, add) == ["booked"] * 5
    assert Guest.objects.count() == 1


# Change pages


def test_two_edit_different_fields_of_a_guest_and_both_stand(stay, desk, manager):
    guest, kind = stay.guest, RoomType.objects.get()
    opened = on_page(desk.get(page(guest)))
    send(
        manager,
        page(guest),
        notes="banned:\r\ndamaged room",
        is_vip="true",
        birth_date="1980-02-29",
        preferred_room_type=kind.pk,
    )
    assert desk.post(page(guest), {**opened, "phone": "0812 3456"}).status_code == 302
    guest.refresh_from_db()
    assert (guest.phone, guest.is_vip, guest.birth_date, guest.preferred_room_type) == (
        *("0812 3456", True),
        *(date(1980, 2, 29), kind),
    )
    assert guest.notes == "banned:\r\ndamaged room"


def test_two_edit_the_same_field_of_a_guest_and_the_second_is_asked(stay, desk, manager):
    guest = stay.guest
    opened = on_page(desk.get(page(guest)))
    send(manager, page(guest), notes="nuts", nationality="ID")
    mine = {**opened, "notes": "no nuts", "phone": "0812 3456"}
    response = desk.post(page(guest), mine)
    assert sentences(response) == ["Notes was changed by sari at HH:MM: nuts; yours: no nuts."]
    text = response.content.decode()
    assert "<dt>Phone</dt><dd><del>nothing</del> → <ins>0812 3456</ins></dd>" in text
    assert "<dt>Nationality</dt><dd><del>nothing</del> → <ins>ID</ins></dd>" in text
    guest.refresh_from_db()
    assert (guest.notes, guest.phone) == ("nuts", None)
    assert answered(desk, response, **{"keep-notes": "theirs"}).status_code == 302
    guest.refresh_from_db()
    assert (guest.notes, guest.phone, guest.nationality) == ("nuts", "0812 3456", "ID")


def test_the_form_of_before_is_shown_with_what_is_wrong_before_anybody_is_asked(stay, manager):
    opened = on_page(manager.get(page(stay.guest)))
    send(browser(member(OWNER, username="ibu")), page(stay.guest), notes="nuts")
    wrong = {**opened, "notes": "no nuts", "birth_date": "31 Feb"}
    response = manager.post(page(stay.guest), wrong)
    assert response.status_code == 200
    right = {**on_page(response), "birth_date": ""}
    assert len(sentences(manager.post(page(stay.guest), right))) == 1


def test_only_what_was_typed_into_is_written(stay, manager):
    with CaptureQueriesContext(connection) as queries:
        send(manager, page(stay.guest), notes="nuts")
    [update] = [one["sql"] for one in queries if one["sql"].startswith('UPDATE "guests"')]
    assert re.findall(r'"(\w+)" = ', update.partition(" WHERE ")[0]) == ["notes", "updated_at"]
    with CaptureQueriesContext(connection) as queries:
        send(manager, page(stay.guest))
    assert [one["sql"] for one in queries if one["sql"].startswith('UPDATE "guests"')] == []


def test_what_an_old_row_holds_does_not_keep_the_rest_from_being_changed(stay, manager):
    Guest.objects.update(email="no address ", full_name="", phone=" 0812 ")
    assert send(manager, page(stay.guest), notes="nuts").status_code == 302
    stay.guest.refresh_from_db()
    assert (stay.guest.email, stay.guest.full_name, stay.guest.phone, stay.guest.notes) == (
        *("no address ", "", " 0812 "),
        "nuts",
    )


def test_permissions_of_a_role_given_by_two_are_asked_about_as_one_field(db):
    one, two = (browser(member(OWNER, username=name)) for name in ("one", "two"))
    role = Group.objects.create(name="Night")
    keys = [str(key) for key in Permission.objects.order_by("pk").values_list("pk", flat=True)[:2]]
    opened = on_page(one.get(page(role)))
    send(two, page(role), permissions=[keys[0]])
    assert one.post(page(role), {**opened, "name": "Night audit"}).status_code == 302
    role.refresh_from_db()
    assert (role.name, role.permissions.count()) == ("Night audit", 1)
    response = one.post(page(role), {**opened, "name": "Night audit", "permissions": [keys[1]]})
    [sentence] = sentences(response)
    assert sentence.startswith("Permissions was changed by two at HH:MM: ")
    answered(one, response, **{"keep-permissions": "mine"})
    assert [str(row.pk) for row in role.permissions.all()] == [keys[1]]


def test_a_row_that_was_deleted_meanwhile_is_told_in_a_sentence(desk):
    guest = Guest.objects.create(full_name="Ratna")
    key, address = guest.pk, page(guest)
    opened = on_page(desk.get(address))
    guest.delete()
    response = desk.post(address, opened, follow=True)
    [message] = [str(one) for one in response.context["messages"]]
    assert message == f"guest with ID “{key}” doesn’t exist. Perhaps it was deleted?"  # noqa: RUF001


def test_what_a_form_carries_does_not_grow_with_what_it_shows(stay, desk, manager):
    Guest.objects.update(notes="x" * 100_000)
    opened = on_page(desk.get(page(stay.guest)))
    assert len(opened["shown"][0]) < 1_000
    send(manager, page(stay.guest), notes="nuts")
    response = desk.post(page(stay.guest), {**opened, "notes": "y"})
    assert "When you opened it: a longer text." in response.content.decode()


# Whatever the page


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_page_of_the_back_office_keeps_everybodys_changes(rf, db, model):
    model_admin = admin.site._registry[model]
    assert isinstance(model_admin, KeepingAdmin)
    row = one_of_each()[model._meta.label_lower]
    request = rf.get("/")
    request.user = member(OWNER)
    assert issubclass(model_admin.get_form(request, row, change=True), CarryingForm)
    for formset, _ in model_admin.get_formsets_with_inlines(request, row):
        assert issubclass(formset, CarryingFormSet)
    assert issubclass(model_admin.get_changelist_formset(request), CarryingFormSet)
    if model_admin.has_change_permission(request, row):
        assert "shown" in on_page(browser(request.user).get(page(row)))
    if isinstance(model_admin, ActingAdmin):
        actions = [*model_admin.row_actions, *filter(None, [model_admin.adding])]
        assert all(issubclass(action.form, ActionForm) for action in actions)


class Pictures(admin.TabularInline):
    model = GuestImage
    fields = ("file_name", "image_type", "file_path")
    extra = 1


@pytest.fixture
def pictured(stay, monkeypatch):
    """Let guests be edited with their pictures, and in their list, as anybody might write it."""
    guests = admin.site._registry[Guest]
    monkeypatch.setattr(guests, "inlines", (Pictures,))
    monkeypatch.setattr(guests, "list_editable", ("phone",))
    kept = {"guest": stay.guest, "image_type": "passport", "file_path": "/p"}
    return [GuestImage.objects.create(file_name=f"{name}.jpg", **kept) for name in "ab"]


@pytest.fixture
def owners(db):
    return [browser(member(OWNER, username=name)) for name in ("one", "two")]


def test_rows_within_a_page_are_kept_alike(stay, pictured, owners):
    one, two = owners
    opened = on_page(one.get(page(stay.guest)))
    send(two, page(stay.guest), **{"images-0-file_name": "c.jpg", "images-1-image_type": "visa"})
    sent = {**opened, "images-0-file_path": "/q", "images-1-file_name": "d.jpg"}
    assert one.post(page(stay.guest), sent).status_code == 302
    rows = GuestImage.objects.order_by("pk").values_list("file_name", "image_type", "file_path")
    assert list(rows) == [("c.jpg", "passport", "/q"), ("d.jpg", "visa", "/p")]
    response = one.post(page(stay.guest), {**opened, "images-0-file_name": "e.jpg"})
    assert sentences(response) == ["File name was changed by somebody: c.jpg; yours: e.jpg."]
    assert answered(one, response, **{"keep-images-0-file_name": "mine"}).status_code == 302
    assert GuestImage.objects.get(pk=pictured[0].pk).file_name == "e.jpg"


def test_a_row_within_a_page_that_others_changed_or_deleted_is_told(stay, pictured, owners):
    one, two = owners
    opened = on_page(one.get(page(stay.guest)))
    send(two, page(stay.guest), **{"images-0-file_name": "c.jpg", "images-1-DELETE": "on"})
    response = one.post(page(stay.guest), {**opened, "images-0-DELETE": "on"})
    text = response.content.decode()
    assert "Guest image c.jpg was changed by somebody: it is not deleted. Open the page" in text
    response = one.post(page(stay.guest), {**opened, "images-1-file_name": "d.jpg"})
    assert "A guest image was deleted meanwhile. Open the page again." in (
        response.content.decode()
    )
    assert [row.file_name for row in GuestImage.objects.all()] == ["c.jpg"]


def test_a_list_that_is_edited_in_place_is_kept_alike(stay, pictured, owners):
    one, two = owners
    Guest.objects.create(full_name="Zed", phone="1")
    guests = reverse("admin:reservations_guest_changelist")
    opened = {**on_page(one.get(guests)), "_save": "Save"}
    assert opened["form-1-phone"] == ["1"]
    send(two, guests, _save="Save", **{"form-0-phone": "22"})
    assert one.post(guests, {**opened, "form-1-phone": "33"}).status_code == 302
    assert [guest.phone for guest in Guest.objects.order_by("full_name")] == ["22", "33"]
    response = one.post(guests, {**opened, "form-0-phone": "44"})
    assert sentences(response) == ["Phone was changed by two at HH:MM: 22; yours: 44."]
    answered(one, response, **{"keep-form-0-phone": "mine"})
    assert [guest.phone for guest in Guest.objects.order_by("full_name")] == ["44", "33"]


class Upload(CarryingForm, forms.Form):
    """A form with a file, which no row of the hotel has yet; the notes stand for its column."""

    notes = forms.FileField(required=False)
    standing_row = None

    def __init__(self, row, *args):
        self.standing_row = row
        super().__init__(*args, initial={"notes": row.notes})


def test_a_file_is_kept_alike(stay):
    guest = stay.guest
    guest.notes = "a.jpg"
    opened = QueryDict(mutable=True)
    opened["shown"] = Upload(guest)["shown"].value()
    mine = {"notes": SimpleUploadedFile("c.jpg", b"123")}
    form = Upload(guest, opened, mine)
    assert form.is_valid()
    assert form.merge.written == ["notes"]
    guest.notes = "b.jpg"
    assert Upload(guest, opened, {}).is_valid()
    form = Upload(guest, opened, mine)
    assert form.errors == {
        "notes": [
            "Notes was changed by somebody: b.jpg; yours: c.jpg, 3 bytes, just chosen.",
        ]
    }


@pytest.mark.parametrize("text", ["", "x", "a.b", "a:b:c", "\ud800", "\0"])
def test_what_no_form_carried_is_nothing(text):
    assert Shown.read(text, "about") is None


def test_of_ten_who_save_at_once_one_is_first_and_nine_are_asked(history):
    history.at("head")
    legacy.reservation(history, 1, status="cancelled")
    history.reset_sequences()
    User.objects.update(is_staff=True, is_active=True, is_superuser=True)
    stay = Reservation.objects.get()
    address = page(stay)
    opened = on_page(browser(User.objects.get()).get(address))

    class AskedError(Exception):
        pass

    def save(number):
        sent = {**opened, "special_requests": f"wish {number}"}
        response = browser(User.objects.get()).post(address, sent)
        if response.status_code == 409:
            raise AskedError
        assert response.status_code == 302

    assert sorted(in_processes(10, save, AskedError)) == ["booked"] + ["refused"] * 9
    assert stay.events.filter(what="edited").count() == 1
