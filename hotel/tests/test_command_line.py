"""What an operator can mend comes as one sentence; errors of programming keep their traceback."""

import os
import socket
import sqlite3
import struct
import threading
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing

from hotel.command_line import connection_failure
from hotel.tests import manage

pytestmark = pytest.mark.once

NO_KEY = (
    "SECRET_KEY is required when DEBUG is off; set it to a long random text, such as "
    "python -c 'import secrets; print(secrets.token_urlsafe(50))' prints.\n"
)
REFUSED = (
    'Cannot use the database: connection to server at "127.0.0.1", port {} failed: '
    "Connection refused; start PostgreSQL there or mend DATABASE_URL.\n"
)


@pytest.fixture
def closed_port():
    """Return a port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["migrate"],
        ["runserver"],
        ["runserver", "--noreload"],
        ["shell", "-c", "print(1)"],
    ],
    ids=" ".join,
)
def test_wrong_settings_are_one_sentence(words):
    done = manage(*words, DEBUG="off")
    assert (done.stdout, done.stderr, done.returncode) == ("", NO_KEY, 1)


def test_traceback_on_request():
    done = manage("migrate", "--traceback", DEBUG="off")
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith(f"django.core.exceptions.ImproperlyConfigured: {NO_KEY}")
    assert done.returncode == 1


def test_help_needs_no_settings():
    assert manage("help", DEBUG="off").returncode == 0


def test_closed_port(closed_port):
    done = manage("migrate", DATABASE_URL=f"postgresql://ada:hunter2@127.0.0.1:{closed_port}/hotel")
    assert (done.stdout, done.stderr) == ("", REFUSED.format(closed_port))
    assert done.returncode == 1


def test_traceback_of_a_failed_connection_on_request(closed_port):
    url = f"postgresql://ada:hunter2@127.0.0.1:{closed_port}/hotel"
    done = manage("migrate", "--traceback", DATABASE_URL=url)
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert "hunter2" not in done.stderr
    assert done.returncode == 1


def test_development_server_ends_when_the_database_cannot_be_reached(closed_port):
    done = manage(
        "runserver", "0", DATABASE_URL=f"postgresql://127.0.0.1:{closed_port}/hotel"
    )  # port 0: any free one
    assert done.stderr.endswith(REFUSED.format(closed_port))
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


def test_unresolvable_host():
    done = manage("migrate", DATABASE_URL="postgresql://ada:hunter2@nowhere.invalid/hotel")
    assert done.stderr.startswith(
        'Cannot use the database: could not translate host name "nowhere.invalid" to address: '
    )
    assert done.stderr.endswith("; mend the host in DATABASE_URL.\n")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


def test_host_that_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = manage(
            "migrate", DATABASE_URL=f"postgresql://127.0.0.1:{port}/hotel?connect_timeout=2"
        )
    assert done.stderr == (
        f'Cannot use the database: connection to server at "127.0.0.1", port {port} failed: '
        "timeout expired; start PostgreSQL there or mend DATABASE_URL.\n"
    )
    assert done.returncode == 1


def message(kind, body):
    """Return a message as a server sends it; see "Message Formats" in PostgreSQL's manual."""
    return kind + struct.pack("!i", 4 + len(body)) + body


def fatal(code, said):
    """Return the message that ends a session."""
    fields = {b"S": b"FATAL", b"C": code, b"M": said.encode()}
    return message(b"E", b"".join(key + text + b"\0" for key, text in fields.items()) + b"\0")


def refuse_password(server):
    """Be a PostgreSQL that asks for a password and refuses it, once.

    The servers of the tests trust everybody.
    """
    client, _ = server.accept()
    with client:
        client.recv(1024)  # start-up: user and database
        client.sendall(message(b"R", struct.pack("!i", 3)))  # a password in clear text, please
        client.recv(1024)
        client.sendall(fatal(b"28P01", 'password authentication failed for user "ada"'))


def end_session(server, said):
    """Be a PostgreSQL that ends a session while it begins, once: a timeout may run out there."""
    client, _ = server.accept()
    with client:
        client.recv(1024)
        client.sendall(fatal(b"25P04", said))


def test_wrong_password():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=refuse_password, args=[server], daemon=True)
        thread.start()
        done = manage(
            "migrate",
            DATABASE_URL=f"postgresql://ada:hunter2@127.0.0.1:{port}/hotel?sslmode=disable",
        )
        thread.join(timeout=10)
    assert done.stderr == (
        f'Cannot use the database: connection to server at "127.0.0.1", port {port} failed: FATAL: '
        'password authentication failed for user "ada"; '
        "mend the user or the password in DATABASE_URL.\n"
    )
    assert done.returncode == 1


def test_missing_database(postgresql_url):
    url = urlsplit(postgresql_url)._replace(path="/hotel_nothing").geturl()
    done = manage("migrate", DATABASE_URL=url)
    assert done.stderr.endswith(
        'FATAL: database "hotel_nothing" does not exist; '
        "create it on the server or name another in DATABASE_URL.\n"
    )
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


def test_connection_lost_on_the_way(postgresql_url):
    done = manage(
        *("shell", "-v", "0", "-c"),
        "from django.db import connection;"
        "connection.cursor().execute('SELECT pg_terminate_backend(pg_backend_pid())')",
        DATABASE_URL=postgresql_url,
    )
    assert done.stderr.startswith("Cannot use the database: ")
    assert done.stderr.endswith(
        "; its log says why, such as by transaction_timeout or idle_session_timeout; if it has"
        " stopped, start PostgreSQL there or mend DATABASE_URL.\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize(
    "options, said",
    [
        ("-c lc_messages=nix", 'invalid value for parameter "lc_messages": "nix"'),
        ("-c nix=3", 'unrecognized configuration parameter "nix"'),
        (
            "-c password_encryption=nix",
            'invalid value for parameter "password_encryption": "nix"',
        ),
        ("-c nix", "-c nix requires a value"),
        ("nix", 'invalid command-line argument for server process: nix; HINT: Try "postgres'),
        (
            "-c statement_timeout=-4",
            '-4 ms is outside the valid range for parameter "statement_timeout"',
        ),
    ],
)
def test_a_setting_that_the_server_does_not_take_is_to_be_mended(postgresql_url, options, said):
    done = manage("db", "drift", DATABASE_URL=postgresql_url, PGOPTIONS=options)
    assert f"FATAL: {said}" in done.stderr
    assert done.stderr.endswith(
        "; mend that setting, in the options of DATABASE_URL or in the environment (PGOPTIONS,"
        " PGTZ, PGDATESTYLE).\n"
    )
    assert (done.stderr.count("\n"), done.returncode) == (1, 1)


@pytest.mark.parametrize(
    "ended, setting",
    [
        ("transaction timeout", "transaction_timeout"),
        ("idle-in-transaction timeout", "idle_in_transaction_session_timeout"),
        ("idle-session timeout", "idle_session_timeout"),
    ],
)
def test_a_timeout_that_ends_a_session_while_it_begins_is_named(ended, setting):
    """The driver gives no code to what comes before the session stands."""
    said = f"terminating connection due to {ended}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=end_session, args=[server, said], daemon=True)
        thread.start()
        done = manage(
            "migrate",
            DATABASE_URL=f"postgresql://ada:hunter2@127.0.0.1:{port}/hotel?sslmode=disable",
        )
        thread.join(timeout=10)
    assert (done.stderr, done.returncode) == (
        f'Cannot use the database: connection to server at "127.0.0.1", port {port} failed: FATAL:'
        f" {said}; set {setting} to 0, in the options of DATABASE_URL, in PGOPTIONS or with ALTER"
        " ROLE.\n",
        1,
    )


def test_a_statement_that_fails_on_postgresql_keeps_its_traceback(postgresql_url):
    done = manage(
        *("shell", "-v", "0", "-c"),
        "from django.db import connection; cursor = connection.cursor();"
        "cursor.execute('SET statement_timeout = 1'); cursor.execute('SELECT pg_sleep(1)')",
        DATABASE_URL=postgresql_url,
    )
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert "OperationalError: canceling statement due to statement timeout" in done.stderr
    assert done.returncode == 1


def test_a_statement_that_fails_on_sqlite_keeps_its_traceback():
    done = manage(
        *("shell", "-v", "0", "-c"),
        "from django.db import connection; connection.cursor().execute('SELECT * FROM nowhere')",
        DATABASE_URL="sqlite://:memory:",
    )
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("OperationalError: no such table: nowhere\n")
    assert done.returncode == 1


def test_missing_folder_of_the_sqlite_file(tmp_path):
    path = tmp_path / "missing" / "hotel.sqlite3"
    done = manage("migrate", DATABASE_URL=f"sqlite:///{path}")
    assert done.stderr == (
        f"Cannot use the database file {path}: its folder is missing or closed to this user; "
        "make it or mend DATABASE_URL.\n"
    )
    assert done.returncode == 1


def test_folder_instead_of_the_sqlite_file(tmp_path):
    done = manage("migrate", DATABASE_URL=f"sqlite:///{tmp_path}")
    assert done.stderr == (
        f"Cannot use the database file {tmp_path}: it is a folder; name a file in DATABASE_URL.\n"
    )
    assert done.returncode == 1


def test_file_that_is_no_database(tmp_path):
    path = tmp_path / "hotel.sqlite3"
    path.write_text("Dear diary\n" * 100)
    done = manage("migrate", DATABASE_URL=f"sqlite:///{path}")
    assert done.stderr == (
        f"Cannot use the database file {path}: it is not an SQLite database; "
        "move it away or name another in DATABASE_URL.\n"
    )
    assert done.returncode == 1


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder closed to root too: /proc")
def test_unwritable_folder_of_the_sqlite_file():
    done = manage("migrate", DATABASE_URL="sqlite:////proc/hotel.sqlite3")
    assert done.stderr == (
        "Cannot use the database file /proc/hotel.sqlite3: access is denied; "
        "let this user read and write the file and its folder.\n"
    )
    assert done.returncode == 1


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """Return the error of a statement that writes to a read-only database, as Django raises it."""
    path = str(tmp_path / "hotel.sqlite3")
    sqlite3.connect(path).execute("CREATE TABLE room (id integer)").connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", path)
    with pytest.raises(OperationalError) as error, connection.wrap_database_errors:
        sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("DELETE FROM room")
    return error.value


READ_ONLY = (
    "Cannot use the database file {}: it is read-only; let this user write the file and its folder."
)


@pytest.mark.sqlite
def test_read_only_file(read_only):
    path = connection.settings_dict["NAME"]
    assert connection_failure(read_only) == READ_ONLY.format(path)


@pytest.mark.sqlite
def test_the_first_statement_of_migrate_fails(read_only):
    """Django wraps that error once more, and not as its cause."""
    path = connection.settings_dict["NAME"]
    error = MigrationSchemaMissing("Unable to create the django_migrations table")
    error.__context__ = read_only
    assert connection_failure(error) == READ_ONLY.format(path)


@pytest.mark.parametrize("kind", [OperationalError, DatabaseError, MigrationSchemaMissing])
def test_an_error_that_no_driver_raised_is_none_of_the_connection(kind):
    assert connection_failure(kind("the connection is fine")) is None


def test_a_locked_file_is_named(tmp_path, monkeypatch):
    path = tmp_path / "hotel.sqlite3"
    with closing(sqlite3.connect(path)) as writer, closing(sqlite3.connect(path)) as late:
        writer.execute("BEGIN EXCLUSIVE")
        late.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError) as driver:
            late.execute("SELECT * FROM sqlite_master")
    error = OperationalError("database is locked")
    error.__cause__ = driver.value
    monkeypatch.setitem(connection.settings_dict, "NAME", "hotel.sqlite3")
    assert connection_failure(error) == (
        "Cannot use the database file hotel.sqlite3: another process holds it;"
        " run it again when that one has ended."
    )


def test_a_role_that_may_not_is_told_what_it_lacks(postgresql_url):
    server = urlsplit(postgresql_url)
    name = f"hotel_roles_{os.getpid()}"
    with closing(psycopg2.connect(postgresql_url)) as owner:
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")
                netloc = f"{name}:hunter2@{server.netloc.rpartition('@')[2]}"
                url = server._replace(netloc=netloc, path=f"/{name}").geturl()
                done = manage("migrate", DATABASE_URL=url)
                read_only = url + ("&" if server.query else "?")
                read_only += "options=-c%20default_transaction_read_only%3Don"
                refused = manage("migrate", DATABASE_URL=read_only)
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
                cursor.execute(f"DROP ROLE IF EXISTS {name}")
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        "accounts.0001_initial could not be recorded: permission denied for schema public. It"
        " changed nothing. Give the role that right (GRANT), or use one in DATABASE_URL that owns"
        " the tables and may create others,"
        " then run the same command again. --traceback shows where.",
        5,
    )
    assert (refused.stderr.splitlines()[-1], refused.returncode) == (
        "RefusedByPreflight: default_transaction_read_only is on, so this session may only read."
        " Nothing was changed: change what the options in DATABASE_URL say of it, then run the same"
        " command again.",
        3,
    )
