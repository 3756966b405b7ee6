"""The log-in page: who could log in to the legacy system can log in here, and nothing breaks it."""

import json
from pathlib import Path

import pytest
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from accounts.hashers import LegacyBCryptHasher
from accounts.models import User
from conftest import SAMPLE

LOGINS = json.loads((Path(__file__).parent / "data" / "logins.json").read_text())
REFUSED = (
    "Please enter the correct username and password for a staff account. "
    "Note that both fields may be case-sensitive."
)
NUL = "Null characters are not allowed."


class LogInPage:
    """What a browser that has just come to the log-in page can do."""

    def __init__(self, **options):
        self.client = Client(**options)
        self.address = reverse("admin:login")

    def submit(self, username, password):
        """Return the response to the form."""
        form = {"username": username, "password": password, "next": "/admin/"}
        return self.client.post(self.address, form)

    def send(self, body, content_type):
        """Return the response to a form that no browser would send."""
        return self.client.generic("POST", self.address, body, content_type)

    @property
    def user(self):
        """The name of who is logged in; "" if nobody is."""
        return get_user(self.client).get_username()


@pytest.fixture
def page():
    return LogInPage()


@pytest.fixture
def hotel(history):
    """A legacy database with its staff, migrated to head."""
    history.initial()
    for table, columns in map(json.loads, SAMPLE.read_text().splitlines()):
        if table == "users":
            history.insert(table, **columns)
    return history.climb()


@pytest.fixture
def clerk(db, monkeypatch):
    """A clerk with the password "secret", cheaply hashed."""
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 4)
    return User.objects.create_user("clerk", "secret")


def test_legacy_staff_log_in_as_they_did(hotel):
    before = hotel.execute("SELECT id, password_hash FROM users ORDER BY id")
    expected, answers = {}, {}
    for login in LOGINS:
        page = LogInPage()
        name = login["username"]
        response = page.submit(name, login["password"] or "!placeholder-not-a-hash")
        if login["may_log_in"]:
            expected[name] = (302, name, [])
            answers[name] = (response.status_code, page.user, [])
        else:
            expected[name] = (200, "", [REFUSED])
            errors = response.context["form"].non_field_errors()
            answers[name] = (response.status_code, page.user, errors)
    assert answers == expected
    assert len(answers) == 12
    assert hotel.execute("SELECT id, password_hash FROM users ORDER BY id") == before


def test_a_password_changed_here_goes_down_as_its_own_bcrypt_hash(hotel, monkeypatch):
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 4)
    user = User.objects.get(username="reception1")
    user.set_password("new secret")
    user.save()
    stored = user.password
    hotel.descend()
    sql = "SELECT password_hash FROM users WHERE username = 'reception1'"
    [(password,)] = hotel.execute(sql)
    assert password.startswith("$2b$04$")
    assert f"bcrypt${password}" == stored


@pytest.mark.parametrize(
    "username", ["trainee ", " trainee", "ﬁona", "fiona", "\uff21", "A", "e\u0301"]
)
def test_a_name_is_what_was_typed_and_nothing_else(clerk, page, username):
    User.objects.create_user(username, "secret")
    looks_like_it = {username.strip(), username + " ", "é", "\uff46iona"} - {username}
    for other in looks_like_it:
        assert page.submit(other, "secret").status_code == 200
    assert page.submit(username, "secret").status_code == 302
    assert page.user == username


@pytest.mark.parametrize("password", ["", " secret", "secret ", "Secret", "s" * 1000, "旅" * 1000])
def test_a_wrong_password_is_refused(clerk, page, password):
    response = page.submit("clerk", password)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert page.user == ""


@pytest.mark.parametrize(
    "flags", [{"is_active": False}, {"is_staff": False}], ids=["inactive", "does not work here"]
)
def test_who_may_not_is_told_no_more_than_who_mistyped(clerk, page, flags):
    User.objects.filter(pk=clerk.pk).update(**flags)
    response = page.submit("clerk", "secret")
    assert response.context["form"].non_field_errors() == [REFUSED]


@pytest.mark.parametrize("stored", ["", "!", "junk", "bcrypt$", "bcrypt$$2b$99$" + "a" * 53])
def test_a_hash_that_is_none_lets_nobody_in(clerk, page, stored):
    User.objects.filter(pk=clerk.pk).update(password=stored)
    for password in ["secret", stored, "!"]:
        assert page.submit("clerk", password).status_code == 200
    assert page.user == ""


def test_a_name_nobody_has_costs_one_hash_too(clerk, page, monkeypatch):
    hashed = []
    encode = LegacyBCryptHasher.encode
    monkeypatch.setattr(
        LegacyBCryptHasher, "encode", lambda *args: hashed.append(args) or encode(*args)
    )
    page.submit("nobody", "secret")
    assert len(hashed) == 1


def test_nul_is_refused_before_the_database_sees_it(clerk, page):
    form = page.submit("clerk\0", "secret\0").context["form"]
    assert form.errors == {"username": [NUL], "password": [NUL]}


@pytest.mark.parametrize("form", [{}, {"username": "clerk"}, {"password": "secret"}])
def test_missing_fields_are_asked_for(clerk, page, form):
    response = page.client.post(page.address, form)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"username", "password"} - set(form)


def test_long_fields_are_only_wrong(clerk, page):
    response = page.submit("x" * 1_000_000, "x" * 1_000_000)
    assert response.context["form"].non_field_errors() == [REFUSED]


def test_a_form_that_is_too_big_is_a_bad_request(clerk):
    page = LogInPage(raise_request_exception=False)
    assert page.submit("x" * 3_000_000, "secret").status_code == 400


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"username=%ff%fe&password=%ed%a0%80", 200),
        ("application/x-www-form-urlencoded; charset=utf-7", b"username=+2AA-&password=x", 400),
        ("application/json", b"{", 200),
        ("text/plain", b"\xff", 200),
        ("multipart/form-data", b"no boundary", 400),
        ("multipart/form-data; boundary=x", b"no part", 200),
        (
            "multipart/form-data; boundary=x; charset=utf-7",  # +2AA- is half a letter
            b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n+2AA-\r\n--x--\r\n',
            400,
        ),
    ],
)
def test_what_is_no_text_is_no_error_of_ours(clerk, content_type, body, status):
    page = LogInPage(raise_request_exception=False)
    assert page.send(body, content_type).status_code == status


def test_a_form_from_elsewhere_is_forbidden(clerk):
    page = LogInPage(enforce_csrf_checks=True)
    assert page.submit("clerk", "secret").status_code == 403
    page.client.cookies["csrftoken"] = "x" * 32
    assert page.submit("clerk", "secret").status_code == 403


def test_the_page_leads_nowhere_else(clerk, page):
    form = {"username": "clerk", "password": "secret", "next": "https://elsewhere.example/"}
    assert "elsewhere" not in page.client.post(page.address, form).url
