"""What an operator can mend is said in one sentence instead of a traceback.

That is: a setting that is wrong, a database that cannot be reached, a migration that fails or that
cannot be loaded, and Ctrl-C. Every other error is one of programming, and keeps its traceback;
``--traceback`` asks for it in any case.
"""

import os
import sqlite3
import sys
import threading
import traceback
from contextlib import contextmanager
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connections
from django.db.migrations.exceptions import MigrationSchemaMissing

from hotel.migrator.exceptions import explain, interruption

# SQLSTATE classes of a server that is going away: connection exception, operator intervention.
CONNECTION_LOST = ("08", "57P")

# Words of a message of PostgreSQL, and what mends their cause.
MENDS = {
    "does not exist": "create it on the server or name another in DATABASE_URL",
    "password": "mend the user or the password in DATABASE_URL",
    "sslmode": "mend sslmode in DATABASE_URL",
    "could not translate host name": "mend the host in DATABASE_URL",
}
OTHER_MEND = "start PostgreSQL there or mend DATABASE_URL"


# SQLSTATEs of a server that refuses a statement for reasons that an operator can mend.
REFUSALS = {
    "42501": "use a role in DATABASE_URL that owns the tables and may create others",
    "25006": "connect to a server, and as a role, that may write",
    "55P03": "run it again when the other transaction has ended",
    "53100": "make room on the server's disk, and run it again",
}

# What SQLite says of a file that it can open.
SQLITE_REFUSALS = {
    sqlite3.SQLITE_NOTADB: (
        "it is not an SQLite database; move it away or name another in DATABASE_URL"
    ),
    sqlite3.SQLITE_READONLY: "it is read-only; let this user write the file and its folder",
    sqlite3.SQLITE_BUSY: "another process holds it; run it again when that one has ended",
    sqlite3.SQLITE_FULL: "the disk is full; make room, and run it again",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a back-up",
}


@contextmanager
def errors_in_one_sentence(argv):
    """End the process with a sentence and an exit code when the operator can mend the error.

    argv: the words of the command line; with ``--traceback`` among them nothing is changed.
    """
    if "--traceback" in argv:
        yield
        return
    threading.excepthook = _end_development_server
    _replace_closed_streams()
    try:
        if argv[1:2] == ["shell"]:
            # Django would open a shell without settings, and not say what is wrong with them.
            import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        yield
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except BrokenPipeError:  # whoever reads the output has seen enough
        _write_no_further()
        sys.exit(1)
    except KeyboardInterrupt as stop:
        print(f"\n{interruption(stop)}", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if isinstance(error, DatabaseError) and not hasattr(error, "migration"):
            sentence = connection_failure(error)
            if sentence:
                sys.exit(sentence)
        explained = explain(error)
        if not explained:
            raise
        if hasattr(error, "migration") and not isinstance(error, DatabaseError):
            traceback.print_exception(error)  # its code is for a developer to mend
        print(explained, file=sys.stderr)
        sys.exit(explained.exit_code)
    try:
        sys.stdout.flush()
    except OSError as error:
        _write_no_further()
        sys.exit(f"The output could not be written: {error.strerror}.")


def _replace_closed_streams():
    """Let a command whose output was closed (``>&-``) write into nothing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (to the end of the process)


def _write_no_further():
    """Let what is written to standard output from now on, and what waits there, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def connection_failure(error):
    """Return what is wrong with the connection and what mends it, or None for any other error.

    error: a ``django.db.DatabaseError``. What decides is the code that the driver gave to the error
    inside it, not the class: a statement that fails can be an OperationalError too.
    """
    if isinstance(error, MigrationSchemaMissing):  # the first thing migrate writes did not succeed
        error = error.__context__ or error
    driver = error.__cause__
    if hasattr(driver, "pgcode") and driver.pgcode in REFUSALS:
        cause = str(driver).splitlines()[0]
        return f"The database refuses: {cause}; {REFUSALS[driver.pgcode]}."
    if isinstance(error, OperationalError) and hasattr(driver, "pgcode"):
        # The server gives a code to everything it says about a statement. An error without one
        # comes from libpq, which found no server, was refused by it or lost it.
        if driver.pgcode is None or driver.pgcode.startswith(CONNECTION_LOST):
            return _postgresql_failure(str(driver))
    elif hasattr(driver, "sqlite_errorcode"):
        # The low byte is the kind of error, the rest a detail of it.
        return _sqlite_failure(driver.sqlite_errorcode & 0xFF)
    return None


def _postgresql_failure(message):
    # Lines with a tab are advice of libpq. A line comes twice if it was tried with and without SSL.
    lines = [" ".join(line.split()) for line in message.splitlines() if not line.startswith("\t")]
    cause = "; ".join(dict.fromkeys(filter(None, lines)))
    mend = next((mend for words, mend in MENDS.items() if words in message), OTHER_MEND)
    return f"Cannot use the database: {cause}; {mend}."


def _sqlite_failure(code):
    path = connections["default"].settings_dict["NAME"]
    if code in SQLITE_REFUSALS:
        problem = SQLITE_REFUSALS[code]
    elif code != sqlite3.SQLITE_CANTOPEN:
        return None
    elif os.path.isdir(path):
        problem = "it is a folder; name a file in DATABASE_URL"
    elif not os.path.isdir(os.path.dirname(path)):
        problem = "its folder is missing or closed to this user; make it or mend DATABASE_URL"
    else:
        problem = "access is denied; let this user read and write the file and its folder"
    return f"Cannot use the database file {path}: {problem}."


def _end_development_server(args):
    """Stop ``runserver``, which would wait for a file to change: no file mends a database.

    The reloader runs the server in a thread of a child process. Its parent passes the exit code on.
    """
    sentence = isinstance(args.exc_value, DatabaseError) and connection_failure(args.exc_value)
    if sentence and args.thread and args.thread.name == "django-main-thread":
        print(sentence, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # sys.exit would end the thread only
    threading.__excepthook__(args)
