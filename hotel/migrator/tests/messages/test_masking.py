"""What nobody is told: secrets, and what stands in the statements and the rows of others."""

import json
import os

import pytest
from django.db import DatabaseError, connection, transaction

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.locking.patience import session_in_words
from hotel.migrator.messages.masking import of_error, without_secrets, without_values
from hotel.migrator.messages.output import told
from hotel.migrator.storage.journal import Direction, Journal
from hotel.migrator.storage.tables import JournalEntry
from hotel.migrator.tests.commands import table

MARK = "marker-4711"
HASH = "$2b$12$" + "a" * 53


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {MARK} is wrong", "key *** is wrong"),
        (f"{MARK}x and x{MARK} are other words", f"{MARK}x and x{MARK} are other words"),
        (
            "postgresql://hotel:p%40ss@db:5432/hotel is closed",
            "postgresql://hotel:***@db:5432/hotel is closed",
        ),
        ("redis://:abc@cache/0", "redis://:***@cache/0"),
        (
            "write postgresql://USER:PASSWORD@HOST/NAME",
            "write postgresql://USER:PASSWORD@HOST/NAME",
        ),
        (
            'connection "host=db password=abc dbname=x"',
            'connection "host=db password=*** dbname=x"',
        ),
        ("CREATE ROLE x PASSWORD 'a''b' LOGIN", "CREATE ROLE x PASSWORD *** LOGIN"),
        ("got api_key = 'abc', id = 1", "got api_key = ***, id = 1"),
        (
            f"Failing row contains (1, anna, bcrypt${HASH})",
            "Failing row contains (1, anna, bcrypt$***)",
        ),
        ("pbkdf2_sha256$1000$salt$hash= is odd", "*** is odd"),
        (
            "mend the user or the password in DATABASE_URL",
            "mend the user or the password in DATABASE_URL",
        ),
        ("https://example.com/a@b", "https://example.com/a@b"),
    ],
)
def test_secrets_are_masked_wherever_they_stand(monkeypatch, text, shown):
    monkeypatch.setenv("SOME_API_KEY", MARK)
    assert without_secrets(text) == shown
    assert told(text) == shown
    assert str(WrongUse(text)) == shown


def test_what_this_process_knows_is_masked_and_its_names_are_not(settings, monkeypatch):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "of-settings-1", ["of-settings-2"]
    mine = {"USER": "hotel_role", "PASSWORD": "of-settings-3", "NAME": "hotel_name"}
    monkeypatch.setitem(settings.DATABASES, "other", mine)
    settings.SCRATCH_DATABASE = {"PASSWORD": "of-settings-4"}
    monkeypatch.setenv("OTHER_URL", "amqp://me:of%40queue@host/")
    monkeypatch.setenv("PGPASSWORD", "hotel_role")  # as careless as that, it is no secret
    monkeypatch.setenv("A_TOKEN", "short")
    text = "of-settings-1 of-settings-2 of-settings-3 of-settings-4 of%40queue of@queue"
    assert without_secrets(text) == "*** *** *** *** *** ***"
    assert without_secrets("role hotel_role, short") == "role hotel_role, short"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("UPDATE t SET a = 'x''y', b = 2 WHERE c = ''", "UPDATE t SET a = …, b = 2 WHERE c = …"),
        (r"SELECT E'it\'s', 'x'", "SELECT …, …"),
        ("SELECT $$a'b$$, $t$x$$y$t$, $1", "SELECT …, …, $1"),
        ("INSERT INTO t VALUES ('cut off by the serv", "INSERT INTO t VALUES (…"),
        ("SELECT 1 -- for 'anna'\nFROM t /* of anna */", "SELECT 1 …\nFROM t …"),
        ('SELECT "a column" FROM t', 'SELECT "a column" FROM t'),
    ],
)
def test_a_statement_of_somebody_else_is_shown_without_its_texts(sql, shown):
    assert without_values(sql) == shown
    words = session_in_words(7, "psql", "anna", "active", "2026-01-31", sql)
    assert words.endswith(f"whose statement is: {' '.join(shown.split())}")


def test_a_statement_of_somebody_else_ends_with_the_sentence():
    words = session_in_words(7, "psql", "anna", "active", "2026-01-31", "SELECT 1\nFROM t;")
    assert words.endswith("whose statement is: SELECT 1 FROM t")


def failure(sql, *params):
    with (
        pytest.raises(DatabaseError) as failed,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)
    return of_error(failed.value)


@pytest.mark.postgresql
def test_a_value_that_the_database_quotes_is_not_told(db):
    assert failure("SELECT %s::integer", MARK) == "invalid input syntax for type integer: …"
    assert failure("SELECT * FROM nowhere") == 'relation "nowhere" does not exist'
    assert failure("INSERT INTO users (username, password_hash) VALUES (%s, NULL)", MARK) == (
        'null value in column "password_hash" of relation "users" violates not-null constraint'
    )


def test_a_value_that_python_quotes_is_not_told():
    for make in (int, lambda text: {}[text]):
        with pytest.raises((ValueError, KeyError)) as failed:
            make(MARK)
        assert MARK not in of_error(failed.value)


FAIL = """
import os

def fail(apps, editor):
    from django.conf import settings
    known = [settings.SECRET_KEY, *(os.environ[name] for name in ("CACHE_URL", "MAIL_TOKEN"))]
    raise RuntimeError("cannot reach " + " ".join([*known, "password=" + os.environ["OTHER"]]))
"""


def test_no_secret_is_in_the_journal_the_output_or_a_file(project, annexe, history, tmp_path):
    secrets = ["marker-key-1", "marker-url-2", "marker-token-3", "of-a-text"]
    environment = {
        "SECRET_KEY": secrets[0],
        "CACHE_URL": f"redis://user:{secrets[1]}@host/0",
        "MAIL_TOKEN": secrets[2],
        "OTHER": secrets[3],
        "CODE_VERSION": f"https://git:{secrets[2]}@host/",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    annexe.write("0001_initial", table("Bed"))
    annexe.write("0002_fail", "migrations.RunPython(fail, fail)", code=FAIL)
    told = []
    for words in (["migrate"], ["db", "upgrade", "--json"], ["db", "history", "--applied"]):
        run = project.manage(*words, **environment)
        told += [run.stdout, run.stderr]
    assert "RuntimeError: cannot reach *** redis://user:***@host/0 *** password=***" in told[1]
    told.append(json.dumps(list(JournalEntry.objects.values()), default=str))
    assert "cannot reach ***" in told[-1]
    told += [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert [text for text in told if any(secret in text for secret in secrets)] == []


def test_a_remark_is_masked_too(db, monkeypatch):
    monkeypatch.setitem(os.environ, "SOME_SECRET", MARK)

    class Made:
        app_label, name = "rooms", "0099_made"

    Journal(connection, f"by {MARK}").start(Made(), Direction.FORWARD)
    assert JournalEntry.objects.get(app="rooms", name="0099_made").remark == "by ***"
