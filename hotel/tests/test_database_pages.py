"""The pages of the database, journal and drift: for superusers, and to be read only."""

from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.roles import ROLES
from accounts.tests.back_office import OWNER, browser, member
from hotel.migrator.schema import replays
from hotel.migrator.scratch import databases
from hotel.migrator.storage.journal import Direction, Journal
from hotel.migrator.storage.tables import Verdict

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
    assert '<div class="results" tabindex="0">' in page  # a narrow screen scrolls it, by keys too


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


@pytest.fixture
def place(db):
    """A place for a report; SQLite makes no table for a command while a test has a transaction."""
    [sql, _] = connection.SchemaEditorClass(connection).table_sql(Verdict)
    with connection.cursor() as cursor:
        cursor.execute(sql)


def kept():
    """Run the command that the page names, and return what it printed."""
    out = StringIO()
    with suppress(SystemExit):
        call_command("db", "drift", "--keep", stdout=out)
    return out.getvalue()


@pytest.fixture
def page_of_drift(db):
    """Return a function that returns the page as an owner sees it."""
    client = browser(member(OWNER))
    return lambda: client.get("/admin/drift/").content.decode()


def test_the_page_of_drift_says_when_there_is_no_report_and_how_to_make_one(db, page_of_drift):
    page = page_of_drift()
    assert "<p>No report is kept yet.</p>" in page
    assert "<code>manage.py db drift --keep</code>" in page


def test_a_report_is_shown_with_its_time(place, page_of_drift):
    assert "<p>No report is kept yet.</p>" in page_of_drift()
    assert kept() == "Models, migrations and database agree.\n"
    page = page_of_drift()
    [verdict] = Verdict.objects.all()
    assert f"<p>Report of {date_format(localtime(verdict.made_at), 'DATETIME_FORMAT')}:</p>" in page
    assert "<p>Models, migrations and database agree.</p>" in page
    assert "No report" not in page


def test_what_differs_is_listed_with_what_would_mend_it(place, page_of_drift):
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX by_hand ON guests (notes)")
        cursor.execute('CREATE TABLE "b<b>" (id integer)')
    kept()
    page = page_of_drift()
    assert "<li>The index by_hand of guests is there, and no migration makes it.</li>" in page
    assert "DROP INDEX &quot;by_hand&quot;;" in page
    assert "<p>Tables that are not of this history: b&lt;b&gt;.</p>" in page


def test_a_page_makes_no_replay_and_asks_little(place, monkeypatch, django_assert_max_num_queries):
    kept()

    def refuse(*_, **__):
        raise AssertionError("a page has made a scratch database")

    monkeypatch.setattr(databases, "database", refuse)
    monkeypatch.setattr(replays, "replay", refuse)
    client = browser(member(OWNER))
    client.get("/admin/tables/")  # what every page says of the database is asked once a minute
    with django_assert_max_num_queries(12):
        assert (
            "Models, migrations and database agree." in client.get("/admin/drift/").content.decode()
        )


def test_a_report_from_before_a_migration_is_said_to_be_one(place, page_of_drift):
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX by_hand ON guests (notes)")
    kept()
    outdated = "Migrations ran or were recorded since"
    assert outdated not in page_of_drift()
    Journal(connection).start(Made(), Direction.FORWARD)
    page = page_of_drift()
    assert outdated in page
    assert "The index by_hand of guests is there" in page
    assert "DROP INDEX" not in page
    kept()
    assert outdated not in page_of_drift()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'rooms' AND name LIKE '0003%'")
    assert outdated in page_of_drift()


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"found": {}, "mark": 1}', '{"found": {"models": 1}, "mark": 1}']
)
def test_a_report_of_another_version_is_said_to_be_one(place, document, page_of_drift):
    kept()
    Verdict.objects.update(document=document)
    page = page_of_drift()
    assert "The report that is kept is one of another version. Make a new one." in page
    assert "agree" not in page


def test_a_history_with_a_gap_is_said_to_have_one(db, page_of_drift):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'rooms' AND name LIKE '0003%'")
    with pytest.raises(InconsistentMigrationHistory, match=r"before its dependency rooms\.0003"):
        call_command("db", "drift", "--keep")
    assert "<p>No report is kept yet.</p>" in page_of_drift()
    with pytest.raises(SystemCheckError, match=r"is applied before its dependency rooms\.0003"):
        call_command("check", tags=["migrator"], databases=["default"])


@pytest.mark.parametrize("role", ROLES)
def test_other_members_of_staff_neither_see_nor_open_the_drift(db, role):
    client = browser(member(role))
    assert "/admin/drift/" not in client.get("/admin/").content.decode()
    assert client.get("/admin/drift/").status_code == 403
