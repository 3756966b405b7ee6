"""Another process writes to the SQLite file: every page says so in a sentence, after one retry."""

import sqlite3
from contextlib import closing

import pytest
from django.contrib import admin
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.back_office import browser
from hotel.migrator.tests import legacy
from hotel.refusals import BUSY
from reservations.models import Guest, Reservation

pytestmark = pytest.mark.sqlite


@pytest.fixture
def clerk(history):
    """A clerk in the back office of a file that another connection can write to."""
    history.at("head")
    legacy.reservation(history, 1, status="confirmed")
    legacy.room(history, 1)
    history.reset_sequences()
    User.objects.update(is_staff=True, is_active=True, is_superuser=True)
    client = browser(User.objects.get())
    connection.close()
    usual = connection.settings_dict["OPTIONS"]["timeout"]
    connection.settings_dict["OPTIONS"]["timeout"] = 0.02  # seconds to wait for the other
    yield client
    connection.close()
    connection.settings_dict["OPTIONS"]["timeout"] = usual


@pytest.fixture
def other(clerk):
    """Another process, which holds the lock until it rolls back."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], uri=True)) as writer:
        writer.isolation_level = None
        writer.execute("BEGIN IMMEDIATE")
        yield writer


def change(row):
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])


def act(action):
    return reverse("admin:reservations_reservation_action", args=[1, action])


def sent():
    """Return what changes something: the address, and what is sent to it."""
    today = str(timezone.localdate())
    dates = {"arrival": "2025-11-08", "departure": "2025-11-11"}
    return {
        "change": (change(Guest.objects.get()), {"full_name": "Ratna"}),
        "add": (reverse("admin:reservations_guest_add"), {"full_name": "Ratna"}),
        "delete": (reverse("admin:rooms_room_delete", args=[1]), {"post": "yes"}),
        "act": (act("dates"), dates),
        "act that only asks": (act("cancel"), {"reason": "ill"}),
        "password": (
            reverse("admin:auth_user_password_change", args=[1]),
            {"password1": "a long one 4711", "password2": "a long one 4711", "set-password": "1"},
        ),
        "figures": (reverse("admin:metrics"), {"from": today, "to": today}),
        "log out": (reverse("admin:logout"), {}),
    }


PAGES = "change", "add", "delete", "act", "act that only asks", "password", "figures", "log out"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_cannot_write_says_so_in_a_sentence(clerk, other, name):
    address, form = sent()[name]
    response = clerk.post(address, form)
    assert response.status_code in (200, 503), address
    assert BUSY in response.content.decode()
    other.execute("ROLLBACK")
    assert clerk.post(address, form).status_code in (200, 302)


def test_what_was_typed_into_an_act_is_still_there(clerk, other):
    response = clerk.post(act("dates"), {"arrival": "2025-11-08", "departure": "2025-11-11"})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == [BUSY]
    assert 'value="2025-11-11"' in response.content.decode()


def test_pages_that_only_show_need_not_wait(clerk, other):
    for model in admin.site._registry:
        opts = model._meta
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        assert clerk.get(address).status_code == 200
    assert clerk.get(reverse("admin:index")).status_code == 200


def test_a_log_in_says_so_too(clerk, other):
    for password in ("wrong", "secret"):
        form = {"username": "user1", "password": password}
        response = browser().post(reverse("admin:login"), form)
        assert response.status_code == 503
        assert BUSY in response.content.decode()


def test_what_goes_well_the_second_time_is_done(clerk, other, monkeypatch):
    page = admin.site._registry[Reservation]
    tried = []

    def once_more(request, action, row, send=page._send):
        tried.append(action.name)
        if len(tried) == 2:
            other.execute("ROLLBACK")
        return send(request, action, row)

    monkeypatch.setattr(page, "_send", once_more)
    response = clerk.post(act("cancel"), {"reason": "ill"})
    assert (response.status_code, tried) == (302, ["cancel", "cancel"])
    assert Reservation.objects.get().status == "cancelled"
