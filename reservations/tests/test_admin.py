"""Guests and reservations in the back office."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.tests.back_office import OWNER, browser, member, one_of_each, reservation, room
from reservations.admin import ReservationAdmin
from reservations.models import Guest, Reservation

GUESTS = "/admin/reservations/guest/"
STAYS = "/admin/reservations/reservation/"
CHANNELS = "/admin/reservations/bookingchannel/"


@pytest.fixture
def manager(db):
    return browser(member("Manager"))


def listed(response):
    return [str(row) for row in response.context["cl"].result_list]


def test_front_desk_adds_and_mends_a_guest(db):
    clerk = browser(member("Front desk"))
    form = {"full_name": "Zoë Brontë-O'Neill", "phone": "+62-821", "birth_date": "1990-02-28"}
    assert clerk.post(f"{GUESTS}add/", form).status_code == 302
    guest = Guest.objects.get()
    assert guest.full_name == "Zoë Brontë-O'Neill"
    form["notes"] = "Late arrival"
    assert clerk.post(f"{GUESTS}{guest.pk}/change/", form).status_code == 302
    guest.refresh_from_db()
    assert guest.notes == "Late arrival"
    assert guest.updated_at > guest.created_at


def test_a_guest_is_found_by_name_phone_mail_and_document(manager):
    Guest.objects.create(full_name="Ana", phone="0811", email="ana@x.example", id_number="A-77")
    Guest.objects.create(full_name="Budi", phone="0899", email="budi@x.example", id_number="B-88")
    for question in ("ana", "0811", "ana@", "A-77", "ana 0811"):
        assert listed(manager.get(GUESTS, {"q": question})) == ["Ana"]
    assert listed(manager.get(GUESTS)) == ["Ana", "Budi"]


def test_a_reservation_is_found_by_number_guest_and_room(manager):
    reservation("RES-1", room=room("101"))
    reservation("RES-2", room=room("102"))
    for question in ("res-2", "Guest of RES-2", "102"):
        assert listed(manager.get(STAYS, {"q": question})) == ["RES-2"]
    assert listed(manager.get(STAYS)) == ["RES-2", "RES-1"]
    assert listed(manager.get(STAYS, {"status__exact": "cancelled"})) == []


def test_only_wishes_and_how_many_they_are_can_be_written_down(manager):
    stay = reservation(room=room("101"))
    other = room("102")
    before = model_to_dict(stay)
    form = dict.fromkeys(before, "1")
    form.update(
        special_requests="Quiet room",
        adults=3,
        children=2,
        status="checked_in",
        room=other.pk,
        total_amount="1",
        check_in_date="2030-01-01",
    )
    assert manager.post(f"{STAYS}{stay.pk}/change/", form).status_code == 302
    stay.refresh_from_db()
    written = {"special_requests": "Quiet room", "adults": 3, "children": 2}
    assert model_to_dict(stay) == {**before, **written}


def test_a_wish_does_not_undo_what_the_desk_did_meanwhile(manager, monkeypatch):
    stay = reservation(room=room())

    def save_late(page, request, obj, form, change):
        Reservation.objects.update(
            status="checked_in", checked_in_at=timezone.now(), total_amount=Decimal("5")
        )
        super(ReservationAdmin, page).save_model(request, obj, form, change)

    monkeypatch.setattr(ReservationAdmin, "save_model", save_late)
    manager.post(f"{STAYS}{stay.pk}/change/", {"special_requests": "Quiet room"})
    stay.refresh_from_db()
    assert (stay.status, stay.total_amount) == ("checked_in", Decimal("5"))
    assert stay.special_requests == "Quiet room"


def test_a_reservation_is_never_deleted():
    assert admin.site._registry[Reservation].can_delete is False


def test_a_guest_who_has_booked_is_kept(manager):
    stay = reservation()
    response = manager.post(f"{GUESTS}{stay.guest.pk}/delete/", {"post": "yes"})
    assert response.context["protected"] == ["1 reservation refers to it"]
    assert Guest.objects.count() == 1


def test_the_keys_of_a_channel_are_shown_to_nobody(db):
    channel = one_of_each()["reservations.bookingchannel"]
    owner = browser(member(OWNER))
    for address in (CHANNELS, f"{CHANNELS}{channel.pk}/change/", f"{CHANNELS}?q=the-key"):
        page = owner.get(address).content.decode()
        assert "the-secret-of-the-agency" not in page
        assert "the-key-of-the-agency" not in page
        assert "api_key" not in page.lower().replace(" ", "_")
