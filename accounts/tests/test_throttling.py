"""How often a password may be tried, by whom and from where, and how somebody is let in again."""

import os
import re
from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import throttling
from accounts.hashers import LegacyBCryptHasher
from accounts.models import User
from accounts.tests.back_office import OWNER, browser, member

LIMIT = 5
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Hash with the fewest rounds that bcrypt knows."""
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 4)


@pytest.fixture
def clerk(db):
    return User.objects.create_user("Clerk", "secret")


def log_in(username="Clerk", password="wrong", address=HERE, **headers):
    """Return the response to the log-in form."""
    form = {"username": username, "password": password, "next": "/admin/"}
    client = Client(REMOTE_ADDR=address, **headers)
    return client.post(reverse("admin:login"), form)


def codes(times, **how):
    return [log_in(**how).status_code for _ in range(times)]


def test_five_tries_and_then_the_right_password_does_not_help(clerk):
    assert codes(LIMIT) == [200] * 4 + [429]
    assert log_in(password="secret").status_code == 429
    assert log_in(password="secret", address=ELSEWHERE).status_code == 302
    assert codes(1, username="other") == [200]


def test_the_page_says_when_to_try_again_in_the_look_of_the_back_office(clerk, settings):
    codes(LIMIT)
    response = log_in()
    page = response.content.decode()
    row = AccessAttempt.objects.get()
    until = timezone.localtime(row.attempt_time + timedelta(minutes=15))
    assert f"Try again at {until:%H:%M}, in 15 minutes." in page
    assert "Hotel back office" in page
    assert "hotel/admin.css" in page
    assert '<body class="alone"' in page  # a card, as the log-in page is
    assert 0 < int(response.headers["Retry-After"]) <= 900
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?! src)|<style| style=| onclick=", page)


def test_who_waits_may_try_again_and_tries_meanwhile_do_not_prolong_it(clerk):
    codes(LIMIT)
    locked = AccessAttempt.objects.get()
    codes(3)
    assert AccessAttempt.objects.get().attempt_time == locked.attempt_time
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15))
    assert log_in(password="secret").status_code == 302


def test_a_log_in_forgets_what_failed_before(clerk):
    codes(LIMIT - 1)
    assert log_in(password="secret").status_code == 302
    assert not AccessAttempt.objects.exists()
    assert codes(LIMIT - 1) == [200] * 4


def test_capitals_spaces_and_browsers_do_not_give_more_tries(clerk):
    names = ["Clerk", "CLERK", "clerk", "cLERK", "clerK"]
    found = [
        log_in(username=name, HTTP_USER_AGENT=f"browser {number}").status_code
        for number, name in enumerate(names)
    ]
    assert found == [200] * 4 + [429]
    assert log_in(password="secret").status_code == 429


@pytest.mark.parametrize("username", ["nobody", "x" * 100_000, "\ud800", "' OR 1", "旅館" * 200])
def test_names_that_nobody_has_are_counted_too(clerk, username):
    assert codes(LIMIT, username=username.encode(errors="replace").decode()) == [200] * 4 + [429]


@pytest.mark.parametrize("flags", [{"is_active": False}, {"is_staff": False}])
def test_the_right_password_of_who_may_not_log_in_costs_a_try_too(clerk, flags):
    User.objects.update(**flags)
    assert codes(LIMIT, password="secret")[:4] == [200] * 4
    assert log_in(password="secret").status_code == 429


def test_nothing_that_was_typed_is_kept_but_the_name(clerk):
    client = Client(REMOTE_ADDR=HERE, HTTP_ACCEPT="secret-4711")
    form = {"username": "Clerk", "password": "secret-4711", "more": "secret-4711"}
    client.post(reverse("admin:login") + "?next=secret-4711", form)
    columns = AccessAttempt.objects.values().get()
    assert "secret-4711" not in str(columns)
    assert columns["failures_since_start"] == 1


# Where somebody comes from


def counted(**meta):
    request = RequestFactory().post("/", REMOTE_ADDR="10.0.0.1")
    request.META.update(meta)
    return throttling.address(request)


def test_nobody_chooses_his_address_where_no_proxy_is_trusted():
    told = {"HTTP_X_FORWARDED_FOR": ELSEWHERE, "HTTP_X_REAL_IP": ELSEWHERE}
    assert counted(**told, HTTP_FORWARDED=f"for={ELSEWHERE}") == "10.0.0.1"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (ELSEWHERE, ELSEWHERE),
        (f"203.0.113.9, {ELSEWHERE}", ELSEWHERE),  # the proxy has added the last
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        (f"::ffff:{ELSEWHERE}", ELSEWHERE),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        (f"{ELSEWHERE}, x", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_its_own_header_says_it(settings, told, address):
    settings.LOGIN_ADDRESS_HEADER = "HTTP_X_REAL_IP"
    assert counted(HTTP_X_REAL_IP=told, HTTP_X_FORWARDED_FOR="203.0.113.9") == address


@pytest.mark.parametrize("remote", ["", "unix:", "@"])
def test_who_comes_by_a_socket_is_counted_too(clerk, remote):
    assert codes(LIMIT, address=remote) == [200] * 4 + [429]
    assert AccessAttempt.objects.get().ip_address == throttling.UNKNOWN


# To let somebody in again


@pytest.mark.parametrize(
    "words",
    [
        ("axes_reset",),
        ("axes_reset_username", "CLERK"),
        ("axes_reset_ip", HERE),
        ("axes_reset_ip_username", HERE, "Clerk"),
    ],
)
def test_a_command_unlocks(clerk, words):
    codes(LIMIT)
    out = StringIO()
    call_command(*words, stdout=out)
    assert out.getvalue() == "1 attempts removed.\n"
    assert log_in(password="secret").status_code == 302


def test_a_name_does_not_drive_the_terminal_of_who_lists_or_unlocks_it(clerk):
    codes(1, username="Clerk\x1b[2J\n\u202e")
    listed, unlocked = StringIO(), StringIO()
    call_command("axes_list_attempts", stdout=listed)
    assert listed.getvalue() == f"{HERE}\tclerk\\x1b[2j\\n\\u202e\t1\n"
    call_command("axes_reset_username", r"clerk\x1b[2j\n\u202e", stdout=unlocked)
    assert unlocked.getvalue() == "1 attempts removed.\n"


@pytest.mark.parametrize("role", [OWNER, "Manager"])
def test_a_manager_unlocks_by_deleting_the_row(clerk, role):
    codes(LIMIT)
    row = AccessAttempt.objects.get()
    client = browser(member(role))
    page = client.get(reverse("admin:axes_accessattempt_changelist")).content.decode()
    assert "Failed log-ins" in page
    assert "Locked until" in page
    address = reverse("admin:axes_accessattempt_delete", args=[row.pk])
    assert client.post(address, {"post": "yes"}).status_code == 302
    assert log_in(password="secret").status_code == 302


# Several at once


def count_checks():
    """Return a list that grows with each password that is compared with a hash in this process."""
    checked, verify = [], LegacyBCryptHasher.verify
    LegacyBCryptHasher.verify = lambda *words: checked.append(1) or verify(*words)
    return checked


def test_many_at_once_get_no_more_tries_than_one_after_the_other(history):
    history.at("head")
    User.objects.create_user("Clerk", "secret")
    connection.close()
    ready, go = os.pipe()
    told, telling = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if not child:
            os.close(go)
            os.read(ready, 1)  # returns when the parent closes the other end
            code = 1
            try:
                checked = count_checks()
                for _ in range(3):
                    log_in()
                os.write(telling, b"!" * len(checked))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(ready)
    os.close(go)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 8
    os.close(telling)
    assert len(os.read(told, 100)) == LIMIT
    assert AccessAttempt.objects.get().failures_since_start == LIMIT


def test_a_log_in_beside_the_last_try_leaves_all_tries(clerk):
    """Whose row is gone when it is to be counted has not used up their tries."""
    request = RequestFactory().post("/", REMOTE_ADDR=HERE)
    handler = throttling.AxesProxyHandler
    assert [handler.is_allowed(request, {"username": "Clerk"}) for _ in range(6)] == [
        *([True] * 5),
        False,
    ]
    with transaction.atomic():
        AccessAttempt.objects.all().delete()
        assert handler.is_allowed(request, {"username": "Clerk"})
