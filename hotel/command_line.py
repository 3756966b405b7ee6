"""What an operator can mend is said in one sentence instead of a traceback.

That is: a setting that is wrong, a database that cannot be reached, a migration that fails or that
cannot be loaded, and Ctrl-C. Every other error is one of programming, and keeps its traceback;
``--traceback`` asks for it in any case.
"""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connections
from django.db.migrations.exceptions import MigrationSchemaMissing

from hotel.migrator.messages import complaints
from hotel.migrator.messages.output import told

OTHER_MEND = "start PostgreSQL there or mend DATABASE_URL"
OF_SETTINGS = (
    "mend that setting, in the options of DATABASE_URL or in the environment (PGOPTIONS, PGTZ,"
    " PGDATESTYLE)"
)
_LONGER = "set {} to 0, in the options of DATABASE_URL, in PGOPTIONS or with ALTER ROLE"
# Words of a message of PostgreSQL, and what mends their cause; the first that fits counts.
MENDS = {
    ' parameter "': OF_SETTINGS,
    "command-line argument": OF_SETTINGS,
    "requires a value": OF_SETTINGS,
    "to transaction timeout": _LONGER.format("transaction_timeout"),
    "to idle-in-transaction timeout": _LONGER.format("idle_in_transaction_session_timeout"),
    "to idle-session timeout": _LONGER.format("idle_session_timeout"),
    "does not exist": "create it on the server or name another in DATABASE_URL",
    "password": "mend the user or the password in DATABASE_URL",
    "sslmode": "mend sslmode in DATABASE_URL",
    "could not translate host name": "mend the host in DATABASE_URL",
    "too many": "end sessions that nobody needs there, or let the server take more",
    "connection slots": "end sessions that nobody needs there, or let the server take more",
    "starting up": "wait until the server has started, and run it again",
    "shutting down": "start the server, and run it again",
    "pg_hba.conf": "allow it in the server's pg_hba.conf, or mend DATABASE_URL",
    "server closed the connection": (
        "its log says why, such as by transaction_timeout or idle_session_timeout; if it has"
        f" stopped, {OTHER_MEND}"
    ),
}

# What is refused to any command, by its kind in ``complaints``.
TO_ALL = {"rights", "read only", "busy", "disk"}
# What is wrong with a file of SQLite, by its kind, and what mends that.
OF_FILES = {
    "no database": "it is not an SQLite database; move it away or name another in DATABASE_URL",
    "read-only file": "it is read-only; let this user write the file and its folder",
    "busy": "another process holds it; run it again when that one has ended",
    "disk": "the disk is full; make room, and run it again",
    "damaged": "it is damaged; restore it from a back-up",
    "file": "its disk failed; see to that, and run it again",
}


@contextmanager
def errors_in_one_sentence(argv: list[str]) -> Iterator[None]:
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
        sys.exit(told(str(error), lines=True))
    except BrokenPipeError:  # whoever reads the output has seen enough
        _write_no_further()
        sys.exit(1)
    except KeyboardInterrupt as stop:
        from hotel.migrator.running.explanations import interruption

        print(f"\n{told(interruption(stop), lines=True)}", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        # No other command needs it, and no command that ends well.
        from hotel.migrator.exceptions import addressed
        from hotel.migrator.running.explanations import explain, is_of_migration, is_of_own_code

        if isinstance(error, DatabaseError) and not is_of_migration(error):
            is_ours = argv[1:2] in (["migrate"], ["db"])
            sentence = connection_failure(error) or refusal(error, is_ours=is_ours)
            if sentence:
                sys.exit(told(sentence))
        explained = explain(error)
        if not explained:
            raise
        if is_of_own_code(error):
            # Its code is for a developer to mend.
            trace = "".join(traceback.format_exception(error))
            print(told(trace, lines=True), file=sys.stderr, end="")
        print(addressed(str(explained), getattr(error, "alias", "default")), file=sys.stderr)
        sys.exit(explained.exit_code)
    try:
        sys.stdout.flush()
    except OSError as error:
        _write_no_further()
        sys.exit(f"The output could not be written: {error.strerror}.")


def _replace_closed_streams() -> None:
    """Let a command whose output was closed (``>&-``) write into nothing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (to the end of the process)


def _write_no_further() -> None:
    """Let what is written to standard output from now on, and what waits there, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def connection_failure(error: Exception) -> str | None:
    """Return what is wrong with the connection and what mends it, or None for any other error.

    error: a ``django.db.DatabaseError``. What decides is the code that the driver gave to the error
    inside it, not the class: a statement that fails can be an OperationalError too.
    """
    if isinstance(error, MigrationSchemaMissing):  # the first thing migrate writes did not succeed
        return (
            connection_failure(first) if isinstance(first := error.__context__, Exception) else None
        )
    driver, kind = error.__cause__, complaints.kind_of(error)
    if kind == "lost" and hasattr(driver, "pgcode") and isinstance(error, OperationalError):
        return _postgresql_failure(str(driver))
    return _sqlite_failure(kind) if hasattr(driver, "sqlite_errorcode") else None


def refusal(error: Exception, *, is_ours: bool) -> str | None:
    """Return what the database refused, in no migration, and what mends it.

    None if it does not look like something that an operator can mend. is_ours: it was refused to
    the migrator itself.
    """
    said, kind, mend = complaints.of(error)
    if is_ours and kind in ("sql", "there", "not there", "value", *complaints.OF_ROWS):
        return None  # statements of the migrator's own, which are wrong then
    return f"The database refuses: {said}. {mend}" if mend and (is_ours or kind in TO_ALL) else None


def _postgresql_failure(message: str) -> str:
    # Lines with a tab are advice of libpq. A line comes twice if it was tried with and without SSL.
    lines = [" ".join(line.split()) for line in message.splitlines() if not line.startswith("\t")]
    cause = "; ".join(dict.fromkeys(filter(None, lines)))
    mend = next((mend for words, mend in MENDS.items() if words in message), OTHER_MEND)
    return f"Cannot use the database: {cause}; {mend}."


def _sqlite_failure(kind: str | None) -> str | None:
    path = str(connections["default"].settings_dict["NAME"])
    problem = OF_FILES.get(kind or "")
    if kind == "not opened":
        if os.path.isdir(path):
            problem = "it is a folder; name a file in DATABASE_URL"
        elif not os.path.isdir(os.path.dirname(path)):
            problem = "its folder is missing or closed to this user; make it or mend DATABASE_URL"
        else:
            problem = "access is denied; let this user read and write the file and its folder"
    return problem and f"Cannot use the database file {path}: {problem}."


def _end_development_server(args: threading.ExceptHookArgs) -> None:
    """Stop ``runserver``, which would wait for a file to change: no file mends a database.

    The reloader runs the server in a thread of a child process. Its parent passes the exit code on.
    """
    sentence = isinstance(args.exc_value, DatabaseError) and connection_failure(args.exc_value)
    if sentence and args.thread and args.thread.name == "django-main-thread":
        print(told(sentence), file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # sys.exit would end the thread only
    threading.__excepthook__(args)
