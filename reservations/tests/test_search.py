"""Guests are found by what anybody would type, the same on both engines."""

import pytest
from django.db.models import CharField, Value
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, payment, reservation, room, send
from hotel.migrator.folding import Folded, fold
from hotel.tests.test_admin_permissions import autocomplete
from reservations.models import Guest, Reservation

JOSE = "José Ñuñez"
GARCIA = "JOSÉ GARCÍA"
MUELLER = "Müller, Jörg"
SEAN = "O'Brien  Sean"
NGUYEN = "Nguyễn Văn A"
IVAN = "Иван Петров"
APART = "Jose\u0301 Decomposed"
GUESTS = {
    JOSE: {"phone": "+62 812-3456-7890", "email": "Jose@Example.com", "id_number": "A 123.456"},
    GARCIA: {"phone": "081234567890"},
    MUELLER: {"phone": "812 99", "phone_country_code": "+49"},
    SEAN: {},
    NGUYEN: {},
    IVAN: {"phone": "+7 (921) 111-22-33"},
    APART: {},
}
BOTH = {JOSE, GARCIA}
QUESTIONS = {
    "jose": {JOSE, GARCIA, APART},
    "josé": {JOSE, GARCIA, APART},
    "JOSE\u0301": {JOSE, GARCIA, APART},
    " jose ": {JOSE, GARCIA, APART},
    "nunez": {JOSE},
    "ÑUÑEZ jos": {JOSE},
    "muller": {MUELLER},
    "MÜLLER": {MUELLER},
    "jorg muller": {MUELLER},
    "o'brien": {SEAN},
    "o\u2019brien": {SEAN},
    "obrien": {SEAN},
    "Sean O'Brien": {SEAN},
    "\"O'Brien": {SEAN},
    "nguyen van": {NGUYEN},
    "ИВАН": {IVAN},
    "петров": {IVAN},
    "0812 3456 7890": BOTH,
    "081234567890": BOTH,
    "6281234567890": BOTH,
    "+62 812-3456-7890": BOTH,
    "+6281234567890": BOTH,
    "(0812) 3456.7890": BOTH,
    "812-3456": BOTH,
    "+49 (0)812 99": set(),  # nobody wrote the zero, and it is too short to be left out
    "4981299": {MUELLER},
    "921 111 22 33": {IVAN},
    "8 921 1112233": {IVAN},
    "a123456": {JOSE},
    "A-123 456": {JOSE},
    "jose@example.com": {JOSE},
    "@example": {JOSE},
    "%": set(),
    "_": set(),
    "\\": set(),
    "'": set(),
    "日本": set(),
}


@pytest.fixture
def clerk(db):
    for name, columns in GUESTS.items():
        Guest.objects.create(full_name=name, **columns)
    return browser(member("Front desk"))


@pytest.mark.parametrize("question", QUESTIONS, ids=ascii)
def test_a_guest_is_found_however_it_is_written(clerk, question):
    listed = clerk.get(reverse("admin:reservations_guest_changelist"), {"q": question})
    found = [guest.full_name for guest in listed.context["cl"].result_list]
    assert (set(found), len(found)) == (QUESTIONS[question], len(QUESTIONS[question]))


def test_a_guest_is_found_where_one_is_chosen(clerk):
    address = autocomplete("reservations.reservation", "guest")
    for question in ("jose", "JOSÉ", "0812 3456 7890"):
        answer = clerk.get(f"{address}&term={question}").json()
        assert {one["text"] for one in answer["results"]} == QUESTIONS.get(
            question, {JOSE, GARCIA, APART}
        )


def test_a_stay_and_a_payment_are_found_by_their_guest(clerk):
    stay = reservation("AB12CD", guest=Guest.objects.get(full_name=JOSE), room=room("305"))
    payment(stay)
    reservation("XYZ", guest=Guest.objects.get(full_name=IVAN))
    owner = browser(member(OWNER))
    for question in ("ab12cd", "b12C", "nuñez", "305", "0812 3456 7890", "nunez ab12cd"):
        for name in ("reservations_reservation", "payments_payment"):
            if name == "payments_payment" and question == "305":
                continue
            listed = owner.get(reverse(f"admin:{name}_changelist"), {"q": question})
            assert len(listed.context["cl"].result_list) == 1, (name, question)


def test_the_key_follows_every_change(clerk):
    guest = Guest.objects.get(full_name=SEAN)
    send(clerk, reverse("admin:reservations_guest_change", args=[guest.pk]), full_name="Siân")
    guest.refresh_from_db()
    assert guest.search_key.split() == ["sian"]
    guest.phone = "0812"
    guest.save()
    guest.refresh_from_db()
    assert guest.search_key.split() == ["sian", "0812", "812"]
    Guest.objects.filter(pk=guest.pk).update(full_name="Ñ", phone_country_code="+62")
    guest.refresh_from_db()
    assert guest.search_key.split() == ["n", "0812", "62812"]
    guest.email = "N@x.org"
    Guest.objects.bulk_update([guest], ["email"])
    guest.refresh_from_db()
    assert guest.search_key.split() == ["n", "0812", "62812", "nxorg"]


FOLDED = {
    "": "",
    JOSE: "jose nunez",
    SEAN: "obrien  sean",
    NGUYEN: "nguyen van a",
    IVAN: "иван петров",
    APART: "jose decomposed",
    "Straße ÆØÅ œ Þ": "strasse aeoa oe th",
    "ΑΘΉΝΑ": "αθηνα",
    "Łódź": "lodz",
    "\u0130stanbul \u0131": "istanbul i",
    "\uff26\uff55 \uff11": "fu 1",
    "日本 한국": "日本 한국",
    "%_\\'\"": "",
    "a\tb\u00a0c": "a b c",
}


@pytest.mark.parametrize("text", FOLDED, ids=ascii)
def test_the_database_folds_as_the_search_does(db, text):
    reservation("RES-1")
    value = Folded(Value(text, output_field=CharField()))
    assert Guest.objects.annotate(folded=value).get().folded == FOLDED[text] == fold(text)


def test_nothing_folded_is_nothing(db):
    reservation("RES-1")
    value = Folded(Value(None, output_field=CharField()))
    assert Guest.objects.annotate(folded=value).get().folded is None


def test_rooms_are_swapped_by_a_number_in_any_capitals(clerk):
    one, other = reservation("AB12CD", room=room("305")), reservation("EF34", room=room("306"))
    address = reverse("admin:reservations_reservation_action", args=[one.pk, "swap"])
    send(clerk, address, confirmation_number=" ef34 ")
    other.refresh_from_db()
    assert other.room.room_number == "305"
    assert Reservation.objects.numbered("Ab12cD") == one
    assert Reservation.objects.numbered("nothing") is None
