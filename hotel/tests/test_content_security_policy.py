"""The content security policy, and that the pages keep to it."""

import re
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, one_of_each
from hotel.middleware import ContentSecurityPolicyMiddleware
from hotel.tests.test_admin_permissions import addresses

pytestmark = pytest.mark.once

HEADER = "Content-Security-Policy"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Breaches(HTMLParser):
    """Collects what the policy would stop in a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note what is wrong with a tag."""
        attrs = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in attrs):
            self.found.append(f"inline <{tag}>")
        for name, value in attrs.items():
            if name == "style" or name.startswith("on"):
                self.found.append(f"<{tag} {name}={value!r}>")
            if name in ("href", "src", "action") and not self.is_own(tag, value):
                self.found.append(f"<{tag} {name}={value!r}>")

    def is_own(self, tag, address):
        """Return whether the address is on this host; an image may also be data."""
        return not re.match(r"[a-z]+:|//", address) or (tag == "img" and address[:5] == "data:")


def answer(status=200, policy=None):
    """Return the response of a view with this status and policy, after the middleware."""
    headers = {HEADER: policy} if policy else {}
    view = lambda request: HttpResponse(status=status, headers=headers)  # noqa: E731
    return ContentSecurityPolicyMiddleware(view)(None)


def test_a_page_loads_its_own_files_only():
    assert answer()[HEADER] == POLICY


def test_a_view_may_have_a_policy_of_its_own():
    assert answer(policy="default-src 'none'")[HEADER] == "default-src 'none'"


@pytest.mark.parametrize("status", [404, 500])
def test_only_error_pages_for_developers_have_none(settings, status):
    assert HEADER in answer(status)
    settings.DEBUG = True
    assert HEADER not in answer(status)
    assert HEADER in answer(200)


def test_every_answer_of_the_hotel_has_the_policy(db, settings):
    assert "hotel.middleware.ContentSecurityPolicyMiddleware" in settings.MIDDLEWARE
    client = browser()
    for address in (reverse("admin:login"), reverse("admin:index"), "/nowhere"):
        assert client.get(address)[HEADER] == POLICY


def test_every_page_keeps_to_the_policy(db):
    pages = addresses(one_of_each())
    owner = browser(member(OWNER))
    pages["index"] = reverse("admin:index")
    pages["password"] = reverse("admin:password_change")
    breaches = {
        key: Breaches(owner.get(page).content.decode()).found for key, page in pages.items()
    }
    breaches["log-in"] = Breaches(browser().get(reverse("admin:login")).content.decode()).found
    assert {key: found for key, found in breaches.items() if found} == {}
