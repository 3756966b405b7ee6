"""The pages for what cannot be shown say why, and where to go on."""

import pytest
from django.db import connection
from django.test import Client

from accounts.tests.back_office import OWNER, browser, member

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("/admin/accounts/user/", "Can view user"),
        ("/admin/reservations/guest/add/", "Can add guest"),
        ("/admin/tables/", "Can view setting"),
    ],
)
def test_a_refusal_names_the_right_and_who_can_give_it(db, address, right):
    member(OWNER, full_name="Ratna Wijaya")
    response = browser(member("Housekeeping")).get(address)
    page = " ".join(response.content.decode().split())
    assert response.status_code == 403
    assert f"It needs the right <strong>{right}</strong>, which you do not have." in page
    assert "An owner can give you the right: Ratna Wijaya." in page
    assert 'href="/admin/">Back to Today</a>' in page
    assert "aria-current" not in page


def test_a_refusal_whose_right_has_no_name_is_one_too(db):
    response = browser(member("Manager")).get("/admin/drift/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "Your role does not include it. Nothing was changed." in page
    assert "An owner" not in page


def test_a_page_that_is_not_there_leads_on(db, settings):
    settings.DEBUG = False
    page = browser(member("Front desk")).get("/admin/nowhere/")
    assert page.status_code == 404
    assert "There is no such page" in page.content.decode()
    stranger = Client().get("/nowhere")
    assert stranger.status_code == 404
    assert 'class="rail"' not in stranger.content.decode()


def test_a_failure_is_told_without_a_question_to_the_database(
    db, settings, monkeypatch, django_assert_num_queries
):
    settings.DEBUG = False

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("hotel.admin.HotelAdminSite.each_context", fail)
    client = browser(raise_request_exception=False)
    with django_assert_num_queries(0, connection=connection):
        response = client.get("/admin/login/")
    assert response.status_code == 500
    page = response.content.decode()
    assert "Something failed here, not with you" in page
    assert 'href="/admin/">Back to Today</a>' in page
