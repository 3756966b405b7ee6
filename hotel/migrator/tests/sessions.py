"""What commands answer in a session that somebody has set up in a way of his own."""

import io
import re
from contextlib import contextmanager

from django.core.management import CommandError, call_command
from django.db import connection

from hotel.migrator.locking import sessions
from hotel.migrator.schema import catalog
from hotel.migrator.tests import shells
from hotel.tests import stress

THOROUGH = stress.IS_WHOLE
MODELS = r"""
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from hotel.migrator.constraints import AppendOnly


class Guest(models.Model):
    name = models.CharField(_("Text"), max_length=20)
    order = models.IntegerField(_("Integer"), default=1, help_text=_("Integer"))

    class Meta:
        verbose_name = _("Text")
        constraints = [
            models.CheckConstraint(condition=models.Q(order__gt=0), name="annexe_order"),
            models.UniqueConstraint(Lower("name"), name="annexe_name"),
        ]


class Stay(models.Model):
    guest = models.ForeignKey(Guest, models.CASCADE, verbose_name=_("Integer"))
    notes = models.TextField(db_default=r"a\b, it's")
    nights = models.FloatField(db_default=1.1)
    since = models.DurationField(null=True)
    to = models.DateField(db_default="2026-02-01")
    at = models.DateTimeField(db_default=Now())
    DEPOSIT

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(notes=r"\n"), name="annexe_notes"),
            models.CheckConstraint(
                condition=models.Q(to__gt="2026-01-02"), name="annexe_to"
            ),
        ]
        indexes = [
            models.Index("guest", Lower("notes"), name="annexe_long",
                condition=models.Q(nights__gt=0.1)),
        ]


class Act(models.Model):
    what = models.CharField(max_length=20)

    class Meta:
        constraints = [AppendOnly(name="annexe_kept")]
"""
DEPOSIT = "is_deposit = models.BooleanField(null=True)"
ROWS = [("A\\n Deposit", 1.1, 86_400), ("none", 0.1 + 0.2, 5_400)]


def said(*words):
    """Run a command as a script would; return its exit code, what it printed and its error."""
    out, code, error = io.StringIO(), 0, ""
    try:
        call_command(*words, stdout=out, stderr=io.StringIO())
    except CommandError as refused:
        code, error = refused.returncode, str(refused)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue(), error


@contextmanager
def session(**options):
    """Let sessions that begin meanwhile have these OPTIONS."""
    before = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = {**before, **options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"] = before


def rows():
    with sessions.settled(connection), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM annexe_guest ORDER BY id")
        guests = cursor.fetchall()
        cursor.execute("SELECT notes, nights, since, is_deposit FROM annexe_stay ORDER BY id")
        return guests, cursor.fetchall()


def answers(history):
    """Return all that the commands say of the annexe, and what they make of the database."""
    of_part = said("db", "upgrade", "annexe.0001:annexe.0003", "--sql")
    of_all = said("db", "upgrade", "base:heads", "--sql")
    found = {"scripts": (of_part, of_all), "first": said("migrate", "annexe", "0001", "-v0")}
    history.insert("annexe_guest", name="Ann", order=2)
    for notes, nights, since in ROWS:
        since = f"{since} s" if connection.vendor == "postgresql" else since * 1_000_000
        history.insert("annexe_stay", guest_id=1, notes=notes, nights=nights, since=since)
    found["by script"] = shells.run(of_part[1].splitlines()), rows()
    found["back"] = said("db", "downgrade", "annexe.0001", "--noinput", "-v0")
    found["again"] = said("migrate", "-v0"), rows(), facts()
    found["check"] = said("migrate", "--check"), said("db", "doctor"), said("db", "drift")
    found["stamp"] = said("db", "stamp", "annexe.0003"), said("db", "stamp", "annexe.0001")
    history.execute("DROP INDEX annexe_long")
    found["damaged"] = said("db", "drift")
    found["down"] = said("db", "downgrade", "annexe@base", "--noinput", "-v0")
    history.execute("DELETE FROM django_migrations")
    history.execute("DELETE FROM migrator_archive")
    found["from nothing"] = shells.run(of_all[1].splitlines()), facts()
    history.execute("DELETE FROM django_migrations")
    found["by hand"] = said("db", "stamp", "heads", "-v0"), said("db", "drift")
    return found


def facts():
    return {
        f"{thing} {name}": fact
        for thing, of_thing in catalog.read(connection).facts.items()
        for name, fact in of_thing.items()
    }


def without_times(found):
    return re.sub(r"applied \S+ \S+ UTC in run [0-9a-f]{8}", "applied", repr(found))


EXPECTED: dict = {}  # of each engine where nothing is set


def expected(history):
    if not EXPECTED:
        EXPECTED.update(answers(history))
        history.at(None)
    return EXPECTED


def assert_same(found, wanted):
    for name, answer in found.items():
        assert without_times(answer) == without_times(wanted[name]), name


def option(*settings):
    """Return what OPTIONS say to PostgreSQL of settings, each written name=value."""
    return " ".join("-c " + re.sub(r"([\\\s])", r"\\\1", one) for one in settings)


def known(history, settings):
    """Return those of settings, each written name=value, that this server knows."""
    names = {name for (name,) in history.execute("SELECT name FROM pg_settings")}
    return [one for one in settings if "." in one.split("=")[0] or one.split("=")[0] in names]


IN_OPTIONS = "change what the options in DATABASE_URL say of it"
READING = ("db", "drift"), ("db", "doctor"), ("db", "current"), ("migrate", "--check")
WRITING = (
    ("migrate", "-v0"),
    ("db", "upgrade"),
    ("db", "downgrade", "base", "--noinput"),
    ("db", "stamp", "annexe@base"),
    ("db", "doctor", "--fix"),
    ("db", "adopt", "--dry-run"),
)


def refusal(name, *words):
    return f"{name} Nothing was changed: {words[0]}, then run the same command again."
