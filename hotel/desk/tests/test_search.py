"""The search of the bar: guests, stays and rooms, by any part of what is known of them."""

import re

import pytest
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, reservation, room
from reservations.models import Guest

PAGE = "/admin/search/"


@pytest.fixture
def desk(db):
    return browser(member("Front desk"))


def found(client, words):
    """Return the rows that the page lists, by kind."""
    response = client.get(PAGE, {"q": words})
    return {kind["name"]: [str(row) for row in kind["rows"]] for kind in response.context["kinds"]}


def test_a_guest_is_found_by_name_and_by_phone_with_the_stays(desk):
    guest = Guest.objects.create(full_name="Sinta Lestari", phone="0812 3456")
    reservation("CONF-7", guest=guest)
    reservation("CONF-8")
    both = {"Reservations": ["CONF-7"], "Guests": ["Sinta Lestari"]}
    assert found(desk, "sinta") == both
    assert found(desk, "LESTARI") == both
    assert found(desk, "3456") == both
    assert found(desk, "nobody") == {}


def test_a_whole_number_leads_to_its_row(desk):
    suite = room("303")
    stay = reservation("CONF-7a")
    for words in ("CONF-7a", " CONF-7a "):
        response = desk.get(PAGE, {"q": words})
        assert response.url == reverse("admin:reservations_reservation_change", args=[stay.pk])
    assert desk.get(PAGE, {"q": "303"}).url == reverse("admin:rooms_room_change", args=[suite.pk])


def test_a_part_of_a_number_lists_what_has_it(desk):
    room("303")
    room("304")
    reservation("CONF-30", guest=Guest.objects.create(full_name="Ana"))
    assert found(desk, "30") == {"Reservations": ["CONF-30"], "Rooms": ["303", "304"]}


def test_what_was_looked_for_is_marked_and_cannot_write_into_the_page(desk):
    Guest.objects.create(full_name="Eka <b>Eka</b>")
    page = desk.get(PAGE, {"q": "eka <b>"}).content.decode()
    assert "<b>" not in page
    assert "<mark>Eka</mark> <mark>&lt;b&gt;</mark><mark>Eka</mark>&lt;/b&gt;" in page


def test_a_list_ends_where_its_own_page_begins(desk):
    Guest.objects.bulk_create(Guest(full_name=f"Eka {number}") for number in range(30))
    response = desk.get(PAGE, {"q": "eka"})
    [kind] = response.context["kinds"]
    assert (kind["count"], len(kind["rows"])) == ("20+", 20)
    assert kind["address"] == "/admin/reservations/guest/?q=eka"


def test_an_empty_search_says_what_can_be_looked_for(desk):
    page = desk.get(PAGE).content.decode()
    assert "What are you looking for?" in page
    assert "Nothing has “zzz”" in desk.get(PAGE, {"q": "zzz"}).content.decode()


@pytest.mark.parametrize(
    "words", ["\0", "'" * 300, '"', "%", "\\", "\ud800".encode("utf-8", "surrogatepass")]
)
def test_junk_finds_nothing_and_breaks_nothing(desk, words):
    assert desk.get(PAGE, {"q": words}).status_code == 200


def test_a_role_finds_only_what_it_may_look_at(db):
    Guest.objects.create(full_name="Sinta")
    clerk = member("Front desk")
    group = clerk.groups.get()
    group.permissions.remove(*group.permissions.filter(codename__endswith="_guest"))
    assert found(browser(clerk), "sinta") == {}
    assert browser(member("Housekeeping")).get(PAGE, {"q": "sinta"}).status_code == 403
    assert list(found(browser(member(OWNER)), "sinta")) == ["Guests"]


def test_the_search_asks_few_questions(desk, django_assert_max_num_queries):
    for number in range(30):
        stay = reservation(f"CONF-{number}", room=room(f"1{number:02}"))
        Guest.objects.filter(pk=stay.guest_id).update(full_name=f"Eka {number}")
    desk.get(PAGE)
    with django_assert_max_num_queries(22):
        page = desk.get(PAGE, {"q": "eka"}).content.decode()
    assert len(re.findall("<mark>Eka</mark>", page)) == 40
