"""The pages of the database, journal and drift: for superusers, and to be read only."""

import pytest
from django.db import connection

from accounts.roles import ROLES
from accounts.tests.back_office import OWNER, browser, member
from hotel.migrator.history import Direction, Journal

PAGE = "/admin/journal/"


class Made:
    app_label, name = "rooms", "0099_<b>"


@pytest.fixture
def journal(db):
    """A journal of its own: one migration that went well, one that failed, one that was killed."""
    journal = Journal(connection)
    journal.start(Made(), Direction.FORWARD).finish()
    journal.start(Made(), Direction.BACKWARD).fail(ValueError("no\nsecret"))
    journal.start(Made(), Direction.FORWARD)


def test_what_was_done_is_listed(journal):
    page = browser(member(OWNER)).get(PAGE).content.decode()
    for cells in (
        "<td>rooms.0099_&lt;b&gt;</td><td>up</td><td>interrupted</td>",
        "<td>rooms.0099_&lt;b&gt;</td><td>down</td><td>failed: ValueError: no</td>",
        "<td>rooms.0099_&lt;b&gt;</td><td>up</td><td>finished</td>",
    ):
        assert cells in page
    assert "secret" not in page


def test_a_database_without_a_journal_is_told_so(db):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE migrator_journal")
    page = browser(member(OWNER)).get(PAGE).content.decode()
    assert "Nothing was done yet since there is a journal." in page


def test_the_index_leads_to_the_page(db):
    assert PAGE in browser(member(OWNER)).get("/admin/").content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_other_members_of_staff_neither_see_nor_open_it(db, role):
    client = browser(member(role))
    assert PAGE not in client.get("/admin/").content.decode()
    assert client.get(PAGE).status_code == 403


def test_nobody_else_sees_it(db):
    assert browser().get(PAGE).status_code == 302


def test_a_database_as_it_should_be_is_said_to_be(db):
    page = browser(member(OWNER)).get("/admin/drift/").content.decode()
    assert "<p>Models, migrations and database agree.</p>" in page


def test_what_differs_is_listed_with_what_would_mend_it(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX by_hand ON guests (notes)")
        cursor.execute('CREATE TABLE "b<b>" (id integer)')
    page = browser(member(OWNER)).get("/admin/drift/").content.decode()
    assert "<li>The index by_hand of guests is there, and no migration makes it.</li>" in page
    assert "DROP INDEX &quot;by_hand&quot;;" in page
    assert "<p>Tables that are not of this history: b&lt;b&gt;.</p>" in page


@pytest.mark.parametrize("role", ROLES)
def test_other_members_of_staff_neither_see_nor_open_the_drift(db, role):
    client = browser(member(role))
    assert "/admin/drift/" not in client.get("/admin/").content.decode()
    assert client.get("/admin/drift/").status_code == 403
