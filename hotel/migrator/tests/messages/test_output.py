"""What is printed drives no terminal, whoever named the tables and wrote the rows."""

import json
import logging
import re
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style, no_style
from django.db import connection

from accounts.tests.back_office import OWNER, browser, member
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.messages.output import PrintableOutput, as_json, printable
from hotel.migrator.storage.journal import Event
from hotel.migrator.storage.tables import JournalEntry, ensure_journal

# It clears the screen, turns the text around, begins a line of its own, rings, and ends a control.
HOSTILE = "x\x1b[2J\u202ey\nOK\r\x07\x9b\u2066z"
WRITTEN = r"x\x1b[2J\u202ey\nOK\r\x07\x9b\u2066z"
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Guesthouse „Ümläut“ 旅館 👩‍👧", "Guesthouse „Ümläut“ 旅館 👩‍👧"),
        (HOSTILE, WRITTEN),
        ("\x00\x1f\x7f\x80\x85\x9f", r"\x00\x1f\x7f\x80\x85\x9f"),
        (
            "\u200f\u061c\u2028\u2029\u202a\u2069\ufeff",
            r"\u200f\u061c\u2028\u2029\u202a\u2069\ufeff",
        ),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_control_characters_are_written_out(text, written):
    assert printable(text) == written
    assert str(WrongUse(text)) == written
    assert json.loads(as_json({text: [text]})) == {text: [text]}
    assert not DRIVES.search(as_json({text: [text]}))


def test_a_record_is_one_line_and_its_traceback_is_below():
    formatter = logging.getLogger("hotel.migrator").handlers[0].formatter
    record = logging.makeLogRecord({"msg": "\n%s waits.", "args": (HOSTILE,)})
    assert formatter.format(record) == f"\n{WRITTEN} waits."
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "It failed.", "exc_info": (ValueError, error, error.__traceback__)}
        )
    lines = formatter.format(record).splitlines()
    assert lines[:2] == ["It failed.", "Traceback (most recent call last):"]
    assert not DRIVES.search("".join(lines))


def test_colours_are_djangos_alone():
    for style, expected in ((no_style(), r"\x1b[32;1mOK\x1b[0m"), (color_style(True), None)):
        out = StringIO()
        given = f"\x1b[32;1mOK\x1b[0m{HOSTILE}\n"
        PrintableOutput(OutputWrapper(out), style).write(given)
        shown = printable(HOSTILE, lines=True)
        assert out.getvalue() == (expected or "\x1b[32;1mOK\x1b[0m") + shown + "\n"


@pytest.fixture
def hostile(history):
    """A database at head in which names and records are hostile."""
    history.at("head")
    quote = connection.ops.quote_name
    history.execute(f"CREATE TABLE {quote('a' + HOSTILE)} (id integer)")
    history.execute(f"CREATE VIEW {quote('v' + HOSTILE)} AS SELECT id FROM guests")
    history.execute(f"ALTER TABLE rooms ADD COLUMN {quote('c' + HOSTILE)} integer")
    history.execute(f"CREATE INDEX {quote('i' + HOSTILE)} ON guests (full_name)")
    applied = "2026-01-01 00:00Z"
    history.insert("django_migrations", app="rooms", name="0099" + HOSTILE, applied=applied)
    ensure_journal(connection)
    facts = {"run": uuid.uuid4(), "app": "rooms", "name": "0098" + HOSTILE, "process": 1}
    facts |= dict.fromkeys(("actor", "host", "code_version", "remark"), HOSTILE)
    facts |= {"is_fake": False, "checksum": ""}
    for event in (Event.STARTED, Event.FAILED):
        JournalEntry.objects.create(event=event, direction="forward", error=HOSTILE, **facts)
    return history


def printed(caplog, *words, **options):
    """Return all that a command prints, on either output, until it ends however it ends."""
    out, err = StringIO(), StringIO()
    caplog.clear()
    try:
        call_command(*words, stdout=out, stderr=err, **options)
    except CommandError as error:
        err.write(f"{type(error).__name__}: {error}")
    except SystemExit:
        pass
    formatter = logging.getLogger("hotel.migrator").handlers[0].formatter
    logged = "\n".join(map(formatter.format, caplog.records))
    return "\n".join([out.getvalue(), err.getvalue(), logged])


VERBS = (
    *("current", "history -i", "history --applied", "doctor", "stats", "upgrade --plan"),
    *("downgrade -1 --plan", "adopt --dry-run --no-input"),
)


def test_no_command_prints_what_drives_a_terminal(hostile, caplog):
    said = {}
    for words in (*VERBS, "current --json", "history --applied --json", "drift --json"):
        said[words] = printed(caplog, "db", *words.split())
    for words in ("check --tag migrator --database default", "migrate --plan", "migrate"):
        said[words] = printed(caplog, *words.split())
    assert [words for words, text in said.items() if DRIVES.search(text)] == []
    assert f"0099{WRITTEN} (file missing)" in said["current"]
    assert f"rooms.0098{WRITTEN} failed" in said["history --applied"]
    assert f"rooms.0099{WRITTEN} is applied" in said["migrate"]


def test_drift_names_what_is_hostile_and_only_its_script_is_exact(hostile, caplog):
    text = printed(caplog, "db", "drift")
    above = text.partition("What would mend the database:")[0]
    below = text.rpartition("Tables that are not of this history: ")[2]
    assert f"c{WRITTEN}" in above
    assert f"i{WRITTEN}" in above
    assert f"a{WRITTEN}" in below
    assert not DRIVES.search(above + below)
    for line in text.splitlines():
        assert not (line.startswith("--") and DRIVES.search(line))
    assert "\nOK" not in above + below


def test_the_terminal_is_not_driven_by_a_script_either(hostile, caplog, monkeypatch):
    monkeypatch.setattr(OutputWrapper, "isatty", lambda self: True)
    assert not DRIVES.search(printed(caplog, "db", "drift", no_color=True))


def test_the_pages_of_the_back_office_show_it_written_out(hostile):
    client = browser(member(OWNER))
    pages = [client.get(f"/admin/{name}/").content.decode() for name in ("journal", "drift")]
    assert printable(HOSTILE, lines=True) in pages[0]
    assert not DRIVES.search("".join(pages))


@pytest.mark.postgresql
def test_nor_is_it_driven_by_who_holds_a_lock(history, caplog, settings):
    """What other sessions call themselves, and the statement that they run."""
    history.at("head")
    settings.MIGRATOR_WAIT = 0
    with run_lock(connection) as lock:
        lock.rows("SELECT set_config('application_name', %s, false)", [HOSTILE])
        text = printed(caplog, "migrate")
    assert "This database is being migrated by" in text
    assert not DRIVES.search(text)
