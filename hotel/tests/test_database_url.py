"""Which addresses of a database are accepted, what they mean, and how the others are refused."""

from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from django.core.exceptions import ImproperlyConfigured

from hotel.database_url import ACCEPTED, parse

pytestmark = pytest.mark.once

BASE_DIR = Path("/srv/hotel")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", "/srv/hotel/db.sqlite3"),
        ("sqlite:///./test.db", "/srv/hotel/test.db"),
        ("sqlite:///test_migrations.db", "/srv/hotel/test_migrations.db"),
        ("sqlite:///data/hotel.db", "/srv/hotel/data/hotel.db"),
        ("sqlite:////var/lib/hotel.db", "/var/lib/hotel.db"),
        ("sqlite:////var/lib/my hotel/100%25@home.db", "/var/lib/my hotel/100%@home.db"),
        ("sqlite://:memory:", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
        ("  sqlite:///db.sqlite3\n", "/srv/hotel/db.sqlite3"),
    ],
)
def test_sqlite(url, name):
    assert parse(url, BASE_DIR) == {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres:///hotel", {}),
        ("POSTGRESQL:///hotel", {}),
        ("postgresql://localhost/hotel", {"HOST": "localhost"}),
        ("postgresql://localhost:5433/hotel", {"HOST": "localhost", "PORT": "5433"}),
        ("postgresql://localhost:/hotel", {"HOST": "localhost"}),
        ("postgresql://:5433/hotel", {"PORT": "5433"}),
        ("postgresql://ada@/hotel", {"USER": "ada"}),
        ("postgresql://ada:@/hotel", {"USER": "ada"}),
        ("postgresql://ada:s3:cret@/hotel", {"USER": "ada", "PASSWORD": "s3:cret"}),
        (
            "postgresql://a%40da:p%2Fa%3Fs%23s%25%3A%C3%A9+@db.example.com:1/h%20tel",
            {
                "USER": "a@da",
                "PASSWORD": "p/a?s#s%:é+",
                "HOST": "db.example.com",
                "PORT": "1",
                "NAME": "h tel",
            },
        ),
        ("postgresql://ada:p@ss@Db/hotel", {"USER": "ada", "PASSWORD": "p@ss", "HOST": "Db"}),
        ("postgresql://[2001:db8::1]:5433/hotel", {"HOST": "2001:db8::1", "PORT": "5433"}),
        ("postgresql://ada@[fe80::1%25eth0]/hotel", {"USER": "ada", "HOST": "fe80::1%eth0"}),
        ("postgresql://ada@%2Fvar%2FRun/hotel", {"USER": "ada", "HOST": "/var/Run"}),
        ("postgresql://ada@%2Fvar:5433/hotel", {"USER": "ada", "HOST": "/var", "PORT": "5433"}),
        ("postgresql://ada:@/hotel?host=/tmp/dir", {"USER": "ada", "HOST": "/tmp/dir"}),
        ("postgresql://localhost/hotel?host=%2Ftmp", {"HOST": "/tmp"}),
    ],
)
def test_postgresql(url, expected):
    assert parse(url, BASE_DIR) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "hotel",
        "USER": "",
        "PASSWORD": "",
        "HOST": "",
        "PORT": "",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 7},
        **expected,
    }


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {"connect_timeout": 7}),
        ("?", {"connect_timeout": 7}),
        ("?sslmode=require", {"connect_timeout": 7, "sslmode": "require"}),
        (
            "?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            {"connect_timeout": 7, "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"},
        ),
        (
            "?options=-c%20search_path%3Dhotel",
            {"connect_timeout": 7, "options": "-c search_path=hotel"},
        ),
        ("?connect_timeout=3", {"connect_timeout": 3}),
    ],
)
def test_options_of_postgresql(query, options):
    assert parse(f"postgres:///hotel{query}", BASE_DIR)["OPTIONS"] == options


NOT_ENCODED = "has an @ after its host, so user or password are not percent-encoded"
BADLY_ENCODED = "is not well percent-encoded (a % itself is written %25)"
NO_ADDRESS = "is not the address of a database"
NO_NAME = "does not end in the name of one database"
BAD_PORT = "has a port that is not a number from 1 to 65535"
BAD_TIMEOUT = "has a connect_timeout that is not a number of seconds"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("hunter2", NO_ADDRESS),
        ("db.sqlite3", NO_ADDRESS),
        ("sqlite:db.sqlite3", NO_ADDRESS),
        ("ada:hunter2@localhost/hotel", NO_ADDRESS),
        ("postgres:ada:hunter2@localhost/hotel", NO_ADDRESS),
        ("postgres://ada:hun#ter2@localhost/hotel", NO_ADDRESS),
        ("postgres://ada:hunter2@localhost/ho\ntel", NO_ADDRESS),
        ("postgres://ada:hunter2\udcff@localhost/hotel", NO_ADDRESS),
        ("mysql://ada:hunter2@localhost/hotel", "names neither SQLite nor PostgreSQL"),
        ("postgresql+psycopg2://localhost/hotel", "names neither SQLite nor PostgreSQL"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///", "names no SQLite file"),
        ("sqlite:////", "names no SQLite file"),
        ("sqlite://db.sqlite3", "lacks the third slash of an SQLite file"),
        ("sqlite://db/file.sqlite3", "lacks the third slash of an SQLite file"),
        ("sqlite:///db.sqlite3?mode=ro", "has a question mark, but SQLite takes no options"),
        ("sqlite:///100%.sqlite3", BADLY_ENCODED),
        ("postgres://localhost", NO_NAME),
        ("postgres://localhost/", NO_NAME),
        ("postgres://localhost/?sslmode=require", NO_NAME),
        ("postgres://localhost/hotel/rooms", NO_NAME),
        ("postgres:////var/run/hotel", NO_NAME),
        ("postgres://localhost:port/hotel", BAD_PORT),
        ("postgres://localhost:0/hotel", BAD_PORT),
        ("postgres://localhost:65536/hotel", BAD_PORT),
        ("postgres://localhost:-1/hotel", BAD_PORT),
        ("postgres://localhost:\u0665/hotel", BAD_PORT),
        ("postgres://2001:db8::1/hotel", BAD_PORT),
        ("postgres://ada:hunter2/hotel", BAD_PORT),
        ("postgres://[2001:db8::1/hotel", "has brackets that do not enclose an IPv6 address"),
        ("postgres://ada:hun/ter2@localhost/hotel", NOT_ENCODED),
        ("postgres://ada:hun?ter2@localhost/hotel", NOT_ENCODED),
        ("postgres://ada:12/hun?ter2=3@localhost/hotel", NOT_ENCODED),
        ("postgres://ada:100%hunter2@localhost/hotel", BADLY_ENCODED),
        ("postgres://ada:hunter2%FF@localhost/hotel", BADLY_ENCODED),
        ("postgres://ada:hunter2%00@localhost/hotel", BADLY_ENCODED),
        ("postgres:///hotel?options=%FF", BADLY_ENCODED),
        ("postgres:///hotel?sslmod=require", 'has the unknown option "sslmod"'),
        ("postgres:///hotel?password=hunter2", 'has the unknown option "password"'),
        ("postgres:///hotel?sslmode", 'has no value for the option "sslmode"'),
        ("postgres:///hotel?host=", 'has no value for the option "host"'),
        ("postgres:///hotel?connect_timeout=soon", BAD_TIMEOUT),
        ("postgres:///hotel?connect_timeout=0", BAD_TIMEOUT),
        ("postgres:///hotel?connect_timeout=-1", BAD_TIMEOUT),
    ],
)
def test_refusals_name_the_problem_and_the_accepted_forms(url, problem):
    with pytest.raises(ImproperlyConfigured) as refusal:
        parse(url, BASE_DIR)
    assert str(refusal.value) == f"DATABASE_URL {problem}; accepted are {ACCEPTED}."


def test_accepted_forms():
    assert ACCEPTED == (
        "sqlite:///FILE (in the project folder), sqlite:////ABSOLUTE/FILE, sqlite://:memory: and "
        "postgresql://USER:PASSWORD@HOST:PORT/NAME (special characters percent-encoded, options "
        "after a question mark: connect_timeout, host, options, sslmode, sslrootcert)"
    )


def test_every_part_comes_back_as_it_was_before_encoding():
    hypothesis = pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
    letters = hypothesis.strategies.characters(exclude_categories=["Cs"], exclude_characters="\0")
    part = hypothesis.strategies.text(letters)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(user=part, password=part, host=part, name=part.filter(bool))
    def comes_back(**parts):
        url = "postgresql://{user}:{password}@{host}/{name}"
        entry = parse(url.format(**{key: quote(parts[key], safe="") for key in parts}), BASE_DIR)
        assert {key: entry[key.upper()] for key in parts} == parts

    comes_back()


def test_a_password_that_is_not_encoded_stays_the_password_or_is_refused_unseen():
    hypothesis = pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
    text = hypothesis.strategies.text(hypothesis.strategies.sampled_from("a1:/?#[]@%&= \n"))

    @hypothesis.settings(deadline=None)
    @hypothesis.given(before=text, after=text)
    def stays_secret(before, after):
        try:
            entry = parse(f"postgresql://ada:{before}hunter2{after}@localhost/hotel", BASE_DIR)
        except ImproperlyConfigured as refusal:
            shown = str(refusal)
        else:
            assert entry.pop("PASSWORD") == unquote(f"{before}hunter2{after}")
            shown = str(entry)
        assert "hunter2" not in shown

    stays_secret()
