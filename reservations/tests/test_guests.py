"""Guests who are one person are named when they book, merged, and parted again."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.tests.back_office import browser, member, reservation, room, send
from hotel.business_day import business_date
from hotel.refusals import Refused
from reservations.guests import alike, merge_guests, undo_merge
from reservations.models import Guest, GuestImage, GuestMerge, Reservation

JOSE = {"full_name": "José", "phone": "+62 812-3456-7890", "id_number": "A 123"}


@pytest.fixture
def jose(db):
    return Guest.objects.create(**JOSE)


@pytest.fixture
def manager(db):
    return member("Manager")


@pytest.mark.parametrize(
    ("columns", "same"),
    [
        ({"phone": "081234567890"}, "phone"),
        ({"id_number": "a-123"}, "document"),
        ({"phone": "0812 3456 7890", "id_number": "A123"}, "document and phone"),
        ({"email": "JO@example.com "}, "e-mail"),
        ({"phone": "081234567891"}, None),
        ({"phone": "7890"}, None),
        ({"id_number": "A 1234"}, None),
        ({"id_number": "", "email": ""}, None),
        ({"full_name": "José"}, None),
    ],
)
def test_guests_with_the_same_document_phone_or_email_are_named(jose, columns, same):
    Guest.objects.filter(pk=jose.pk).update(email="jo@example.com")
    other = Guest.objects.create(**{"full_name": "Other", **columns})
    assert alike(other) == ([(jose, same)] if same else [])


def test_booking_warns_of_a_guest_who_may_be_the_same(jose):
    other = Guest.objects.create(full_name="Jose", id_number="a123")
    clerk = browser(member("Front desk"))
    suite, day = room("101"), business_date()
    response = send(
        clerk,
        reverse("admin:reservations_reservation_add"),
        guest=other.pk,
        room_type=suite.room_type_id,
        arrival=str(day),
        departure=str(day + timedelta(1)),
        adults=1,
        children=0,
    )
    page = clerk.get(response.url)
    assert [str(message) for message in page.context["messages"]] == [
        f"{Reservation.objects.get()} is booked.",
        f"Jose has the same document as José (number {jose.pk}):"
        " compare them, and merge them if they are one person.",
    ]


def test_a_guest_who_is_added_twice_is_named(jose):
    clerk = browser(member("Front desk"))
    response = send(clerk, reverse("admin:reservations_guest_add"), full_name="J", id_number="A123")
    texts = [str(message) for message in clerk.get(response.url).context["messages"]]
    assert any("has the same document as José" in text for text in texts)


def test_all_rows_move_and_come_back(jose, manager):
    other = Guest.objects.create(
        full_name="Jose Nunez",
        email="j@x.org",
        phone="1",
        birth_date=date(1980, 2, 29),
        is_vip=True,
    )
    kept, moved = reservation("RES-1", guest=jose), reservation("RES-2", guest=other)
    image = GuestImage.objects.create(
        guest=other, image_type="passport", file_path="/p", file_name="p.jpg"
    )
    other.refresh_from_db()
    before = list(Guest.objects.order_by("pk").values())
    key = other.pk
    merge_guests(jose, other, by=manager, reason=" one person ")
    jose.refresh_from_db()
    assert not Guest.objects.filter(pk=key).exists()
    assert {stay.guest for stay in Reservation.objects.all()} == {jose}
    assert GuestImage.objects.get().guest == jose
    assert (jose.email, jose.phone, jose.birth_date) == (
        "j@x.org",
        JOSE["phone"],
        date(1980, 2, 29),
    )
    event = moved.events.get()
    assert (event.what, event.by, event.reason) == ("guest_merged", manager, "one person")
    assert event.changes == {"guest": [key, jose.pk]}
    assert not kept.events.exists()
    merge = GuestMerge.objects.get()
    for _ in range(2):  # the second time it is done already
        undo_merge(merge, by=manager)
    moved.refresh_from_db()
    image.refresh_from_db()
    assert (moved.guest_id, image.guest_id) == (key, key)
    after = list(Guest.objects.order_by("pk").values())
    for row in (*before, *after):
        row.pop("updated_at")
    assert after == before
    assert moved.events.last().what == "guest_merge_undone"


def test_what_moved_on_or_was_typed_since_stays(jose, manager):
    other = Guest.objects.create(full_name="Jose", email="j@x.org")
    third = Guest.objects.create(full_name="Third")
    stay = reservation("RES-1", guest=other)
    merge_guests(jose, other, by=manager, reason="one person")
    Reservation.objects.filter(pk=stay.pk).update(guest=third)
    Guest.objects.filter(pk=jose.pk).update(email="new@x.org")
    undo_merge(GuestMerge.objects.get(), by=manager)
    stay.refresh_from_db()
    jose.refresh_from_db()
    assert (stay.guest, jose.email) == (third, "new@x.org")


def test_a_chain_of_merges_is_undone_in_order(jose, manager):
    second, third = (Guest.objects.create(full_name=name) for name in ("Two", "Three"))
    stay = reservation("RES-1", guest=third)
    keys = second.pk, third.pk
    merge_guests(second, third, by=manager, reason="x")
    merge_guests(jose, second, by=manager, reason="x")
    stay.refresh_from_db()
    assert stay.guest == jose
    for merge in GuestMerge.objects.order_by("-pk"):
        undo_merge(merge, by=manager)
    stay.refresh_from_db()
    assert stay.guest_id == keys[1]
    assert set(Guest.objects.values_list("pk", flat=True)) == {jose.pk, *keys}


def test_what_cannot_be_merged_is_refused_in_words(jose, manager):
    other = Guest.objects.create(full_name="Jose")
    with pytest.raises(Refused, match="José cannot be merged with itself: choose the other guest"):
        merge_guests(jose, jose, by=manager, reason="x")
    with pytest.raises(Refused, match=r"Enter a reason\."):
        merge_guests(jose, other, by=manager, reason=" ")
    gone = Guest.objects.get(pk=other.pk)
    merge_guests(jose, other, by=manager, reason="x")
    with pytest.raises(Refused, match="One of the guests is gone"):
        merge_guests(jose, gone, by=manager, reason="x")


def test_a_manager_merges_and_parts_guests_by_buttons(jose, manager):
    other = Guest.objects.create(full_name="Jose")
    client = browser(manager)
    address = reverse("admin:reservations_guest_action", args=[jose.pk, "merge"])
    send(client, address, other=other.pk, reason="one person")
    merge = GuestMerge.objects.get()
    assert (merge.guest, merge.merged_name, merge.by) == (jose, "Jose", manager)
    send(client, reverse("admin:reservations_guestmerge_action", args=[merge.pk, "undo"]))
    merge.refresh_from_db()
    assert merge.undone_by == manager
    assert Guest.objects.count() == 2
    clerk = browser(member("Front desk"))
    assert clerk.post(address, {"other": other.pk, "reason": "x"}).status_code == 403
