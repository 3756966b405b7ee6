"""Ranges of the history: which revisions they hold, and how they are refused."""

import pytest

from hotel.migrator.tests.graphs import HOTEL, G, keys, refusal

pytestmark = pytest.mark.once

HALF = "auth.1 rooms.1 booking.1 rooms.2 booking.2"


@pytest.mark.parametrize(
    "text, revisions",
    [
        ("booking.1:booking.3", "booking.3 booking.2 booking.1 rooms.2"),
        ("booking.2:booking@head", "booking.3 booking.2"),
        (":booking.1", "booking.1 rooms.1"),
        ("booking@base:booking.1", "booking.1 rooms.1"),
        ("base:current", "booking.2 booking.1 rooms.2 rooms.1 auth.1"),
        ("current:", "sessions.1 booking.3 booking.2 admin.1 accounts.2 accounts.1 auth.2 auth.1"),
        ("current:booking.3", "booking.3 booking.2"),
        ("current:current", "booking.2 auth.1"),
        ("-2:current", "booking.2 booking.1 rooms.2 auth.1"),
        ("booking@-1:current", "booking.2 booking.1 rooms.2 auth.1"),
        ("current:+1", "booking.2 accounts.1 auth.1"),
        ("current:booking@+1", "booking.3 booking.2 auth.1"),
        ("sessions.1:heads", " ".join(map(".".join, reversed(G)))),
        ("base:base", ""),
    ],
)
def test_range(text, revisions):
    assert HOTEL.range(text, keys(HALF)) == (*keys(revisions),)


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "booking.1",
            "History range requires [start]:[end], [start]:, or :[end]; 'booking.1' is not"
            " one: write manage.py db history -r app.0001:app.0003.",
        ),
        (
            "a:b:c",
            "History range requires [start]:[end], [start]:, or :[end]; 'a:b:c' is not"
            " one: write manage.py db history -r app.0001:app.0003.",
        ),
        (
            "booking.2:booking.1",
            "Requested range booking.2:booking.1 does not refer to ancestor/descendant revisions"
            " along the same branch: write the older one first."
            " manage.py db history lists all revisions.",
        ),
        (
            "admin.1:booking.1",
            "Requested range admin.1:booking.1 does not refer to ancestor/descendant revisions"
            " along the same branch: write the older one first."
            " manage.py db history lists all revisions.",
        ),
        (
            "current:booking.1",
            "Requested range current:booking.1 does not refer to ancestor/descendant revisions"
            " along the same branch: write the older one first."
            " manage.py db history lists all revisions.",
        ),
        (
            "-9:current",
            "Relative revision -9 didn't produce 9 migrations: only 4 migrations of this project's"
            " apps are applied. Nothing was planned; manage.py db current shows what is applied,"
            " --all-apps counts those of all apps.",
        ),
        (
            ":zzz",
            "Can't locate revision identified by 'zzz'. manage.py db history lists all revisions.",
        ),
        (
            "sessions:",
            "sessions is an application, not a revision: write sessions@head, sessions@base or one"
            " of its revisions, sessions.1. manage.py db history lists all revisions.",
        ),
    ],
)
def test_range_is_refused(text, message):
    assert refusal(HOTEL.range, text, keys(HALF)) == (message, 2)
