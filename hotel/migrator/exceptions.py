"""What a command of the migrator ends with when it does not end well: a sentence and an exit code.

1 is left to findings: a command that was asked whether something is as it should be, and it is not.
"""

import traceback

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError
from django.db.migrations.exceptions import (
    BadMigrationError,
    CircularDependencyError,
    InconsistentMigrationHistory,
    IrreversibleError,
    MigrationSchemaMissing,
    NodeNotFoundError,
)

LOADER = "django/db/migrations/loader.py"


class MigratorError(CommandError):
    """Something its user can mend; the message says how."""

    exit_code = 1

    def __init__(self, message):
        super().__init__(message, returncode=self.exit_code)


class WrongUse(MigratorError):
    """The words of the command mean nothing here, such as a revision that there is not."""

    exit_code = 2


class RefusedByPreflight(MigratorError):
    """The run would have failed or lost something; nothing was changed."""

    exit_code = 3


class LockNotGot(MigratorError):
    """Somebody else migrates this database; nothing was changed."""

    exit_code = 4


class FailedDuringApply(MigratorError):
    """A migration failed, and was rolled back as far as the message says."""

    exit_code = 5


class Interrupted(MigratorError):
    """An earlier run was interrupted, and what it began is to be finished first."""

    exit_code = 6


def explain(error):
    """Return the MigratorError that says what an exception of Django means, or None.

    For what is wrong with the files or the history of migrations, whatever command met it, and for
    what stops a migration that runs: ``error.migration`` is its name then, ``error.left`` the
    HalfDone that it leaves, or None where it changed nothing.
    """
    if isinstance(error, NodeNotFoundError):
        child, parent = error.origin, ".".join(error.node)
        return WrongUse(
            f"{child} depends on {parent}, and there is no such file: bring it back, for example"
            f" with git, or mend the dependencies in the file of {child}."
        )
    if isinstance(error, CircularDependencyError):
        circle = str(error).split(", ")
        start = circle.index(min(circle))  # Django begins anywhere
        circle = ", ".join(circle[start:] + circle[:start])
        return WrongUse(
            f"These migrations wait for each other in a circle: {circle}. Take one of them out of"
            " the dependencies of another; if two apps need each other's tables, add the foreign"
            " key in a migration of its own, which depends on both."
        )
    if isinstance(error, InconsistentMigrationHistory):
        return WrongUse(
            f"{str(error).rstrip('.')}. If the database has what that one makes, record it as"
            " manage.py db doctor says; if not, the file came too late: let it depend on what is"
            " applied, and nothing that is applied depend on it."
        )
    if isinstance(error, IrreversibleError):
        return RefusedByPreflight(
            f"{error}. Nothing was changed: give it one, such as migrations.RunPython.noop if there"
            " is nothing to take back, or stop above it; manage.py migrate --plan shows the way."
        )
    if hasattr(error, "migration"):
        return _failure(error)
    return _broken_file(error)


def _failure(error):
    """Return the FailedDuringApply about an error that stopped the migration that it names."""
    if isinstance(error, MigrationSchemaMissing):  # the first thing that a run writes
        error.__context__.migration, error.__context__.left = error.migration, error.left
        error = error.__context__
    line, kind = next(iter(str(error).splitlines()), ""), None
    if isinstance(error, DatabaseError | InterfaceError):
        kind = _kind(error.__cause__ or error)
    else:
        line = f"{type(error).__name__}: {line}" if line else type(error).__name__
    before, left = getattr(error, "before", 0), error.left
    stays = f" The {before} before it in this run stand." if before > 1 else ""
    stays = " The one before it in this run stands." if before == 1 else stays
    undone = "It changed nothing." if left is None else "What it did before that stands."
    if left and not left.goes_on:
        mend = left.mend
    elif left and kind in ("there", "not there"):
        mend = OTHER_MEND
    else:
        mend = MENDS.get(kind, OTHER_MEND)
    if kind == "lost" and left is None:
        undone = "What it had not committed is undone."
    where = " --traceback shows where." if isinstance(error, DatabaseError) else ""
    line = line.rstrip(".")
    return FailedDuringApply(f"{error.migration} failed: {line}. {undone}{stays} {mend}{where}")


def interruption(error):
    """Return what a KeyboardInterrupt has stopped and what is to be done, a sentence."""
    if not hasattr(error, "migration"):
        return getattr(error, "told", "Interrupted.")
    if error.left is None:
        return (
            f"{error.migration} was interrupted, and changed nothing: run the same command again."
        )
    if error.left.goes_on:
        return (
            f"{error.migration} was interrupted: run the same command again, and it goes on where"
            " it stopped."
        )
    return str(error.left)


def _broken_file(error):
    """Return the WrongUse about a migration file that cannot be loaded, or None."""
    if isinstance(error, BadMigrationError):
        return WrongUse(f"{error}: write one, or move the file to another folder.")
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if not any(
        code.co_filename.endswith(LOADER) and code.co_name == "load_disk" for code, _ in frames
    ):
        return None
    places = [(code.co_filename, line) for code, line in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    places = [place for place in places if "/migrations/" in place[0]]
    file, line = places[-1]  # there is one: that of the loader itself
    if file.endswith(LOADER):
        return None
    said = error.msg if isinstance(error, SyntaxError) else error
    return WrongUse(
        f"{'/'.join(file.split('/')[-3:])} line {line}: {type(error).__name__}: {said}. Mend the"
        " file, and run the same command again."
    )


AGAIN = "then run the same command again."
MENDS = {
    "number": (
        "The numbers of its records lag behind, as after a restored dump: manage.py db doctor --fix"
        " sets them, " + AGAIN
    ),
    "not null": (
        "There are rows without a value: fill them first, in a data migration or by hand, " + AGAIN
    ),
    "unique": "There are rows with the same value: change or merge them first, " + AGAIN,
    "foreign key": "There are rows that refer to others that are not there: mend them, " + AGAIN,
    "check": "There are rows that break the rule: mend them first, " + AGAIN,
    "rights": ("Use a role in DATABASE_URL that owns the tables and may create others, " + AGAIN),
    "read only": "Connect to a server, and as a role, that may write, " + AGAIN,
    "read-only file": "Let this user write the file of the database and its folder, " + AGAIN,
    "disk": "Make room on the disk of the database, " + AGAIN,
    "busy": "Another process holds it: wait until that one has ended, " + AGAIN,
    "lost": "When the server can be reached, run the same command again.",
    "there": (
        "The database has already what it makes: see what manage.py db current says; if all of it"
        " is there, record it with manage.py db stamp; if it is of a legacy system, take it over"
        " with manage.py db adopt."
    ),
    "not there": (
        "The database lacks what it builds on: see what manage.py db current says, and stamp where"
        " the database really stands."
    ),
}
OTHER_MEND = "Mend the migration or the rows, " + AGAIN
KINDS = {  # SQLSTATEs of PostgreSQL, and how the messages of SQLite begin
    "not null": ("23502", "NOT NULL constraint failed"),
    "unique": ("23505", "UNIQUE constraint failed"),
    "foreign key": ("23503", "FOREIGN KEY constraint failed", "The row in table "),
    "check": ("23514", "CHECK constraint failed"),
    "rights": ("42501",),
    "read only": ("25006",),
    "read-only file": ("attempt to write a readonly",),
    "disk": ("53100", "database or disk is full"),
    "busy": ("55P03", "database is locked", "database table is locked"),
    "lost": ("08", "57P"),  # connection exception, operator intervention
    "there": ("42P07", "42701", "42710", "duplicate column name", "table ", "index "),
    "not there": ("42P01", "42703", "42704", "no such ", "Table "),
}


def mend_of(error):
    """Return what mends a DatabaseError, a sentence."""
    return MENDS.get(_kind(error.__cause__ or error), "See what the database says of it.")


def _kind(driver):
    """Return the key of MENDS for an error of the driver, or None."""
    constraint = getattr(getattr(driver, "diag", None), "constraint_name", None)
    if constraint in ("django_migrations_pkey", "migrator_journal_pkey"):
        return "number"
    if hasattr(driver, "pgcode") and driver.pgcode is None:
        return "lost"  # the server gives a code to all it says; this is from the client's library
    said = getattr(driver, "pgcode", None) or str(driver)
    return next((kind for kind, words in KINDS.items() if said.startswith(words)), None)
