"""What is around every page: ways by role, the day, and what is wrong with the database."""

import re

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member
from hotel.business_day import business_date
from hotel.dashboard.models import Setting
from hotel.desk.frame import initials


def ways_of(role):
    page = browser(member(role)).get(reverse("admin:index"))
    return [str(way["label"]) for group in page.context["groups_of_ways"] for way in group["ways"]]


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        ("Housekeeping", "Today, Housekeeping, Rooms, Rooms not sold"),
        (
            "Front desk",
            "Today, Calendar, Housekeeping, Stays, Guests, Payments, Rooms, Rooms not sold,"
            " Types and rates",
        ),
        (
            "Manager",
            "Today, Calendar, Housekeeping, Stays, Guests, Payments, Expenses,"
            " Business days, Figures, Rooms, Rooms not sold, Types and rates,"
            " Staff, Failed log-ins, Exemptions, All tables",
        ),
        (
            OWNER,
            "Today, Calendar, Housekeeping, Stays, Guests, Payments, Expenses,"
            " Business days, Figures, Rooms, Rooms not sold, Types and rates,"
            " Staff, Failed log-ins, Exemptions, Database, Journal,"
            " All tables",
        ),
    ],
)
def test_the_ways_are_by_work_and_by_role(db, role, labels):
    assert ways_of(role) == labels.split(", ")


def test_the_present_way_is_marked(db):
    client = browser(member("Front desk"))
    for address, way in (
        ("/admin/", "Today"),
        ("/admin/reservations/reservation/", "Stays"),
        ("/admin/reservations/guest/add/", "Guests"),
    ):
        marked = re.findall(
            r'aria-current="page">.*?<span>(.*?)</span>', client.get(address).content.decode()
        )
        assert marked == [way]


def test_the_bar_says_the_business_date_and_the_name_of_the_hotel(db):
    client = browser(member("Housekeeping"))
    day = business_date()
    page = client.get("/admin/").content.decode()
    assert f"<strong>{day:%a} {day.day} {day:%b}" in page
    assert "<title>Today · Hotel</title>" in page
    Setting.objects.create(setting_key="hotel_name", setting_value=" Pantai Indah ")
    assert "<title>Today · Pantai Indah</title>" in client.get("/admin/").content.decode()


def test_what_one_may_not_do_is_not_in_the_bar(db):
    desk = browser(member("Front desk")).get("/admin/").content.decode()
    cleaner = browser(member("Housekeeping")).get("/admin/").content.decode()
    auditor = browser(member("Read-only")).get("/admin/").content.decode()
    found = [('role="search"' in page, ">Book<" in page) for page in (desk, cleaner, auditor)]
    assert found == [(True, True), (False, False), (True, False)]


def test_the_title_names_the_thing(db):
    row = member("Front desk")
    page = browser(member(OWNER)).get(f"/admin/accounts/user/{row.pk}/change/").content.decode()
    assert "<title>front desk · Change user · Hotel</title>" in page
    assert "<h1>front desk</h1>" in page


@pytest.mark.parametrize(
    ("name", "letters"), [("Sari Lestari", "SL"), ("desk", "D"), ("Ibu Ratna Wijaya", "IW")]
)
def test_initials_are_those_of_the_first_and_the_last_word(name, letters):
    assert initials(name) == letters


@pytest.fixture
def nothing_kept():
    cache.clear()
    yield
    cache.clear()


def badges(role, **fields):
    page = browser(member(role, **fields)).get("/admin/tables/").content.decode()
    return re.findall(r'<a class="badge bad shape-diamond" href="/admin/drift/">(.*?)</a>', page)


def test_owners_see_that_migrations_are_pending(db, nothing_kept):
    assert badges(OWNER) == []
    cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert badges("Manager") == []
    assert badges(OWNER, username="second") == ["1 migration pending"]


def test_owners_see_that_the_database_has_drifted(history, nothing_kept):
    history.at("head")
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX by_hand ON guests (notes)")
    with pytest.raises(SystemExit):
        call_command("db", "drift", "--keep")
    assert badges(OWNER) == ["Drift found"]
