"""What a command of the migrator ends with when it does not end well: a sentence and an exit code.

1 is left to findings: a command that was asked whether something is as it should be, and it is not.
"""

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.migrations.exceptions import (
    CircularDependencyError,
    InconsistentMigrationHistory,
    IrreversibleError,
    NodeNotFoundError,
)


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
    what a database refuses while a migration runs: ``error.migration`` is its name then.
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
    if isinstance(error, DatabaseError) and hasattr(error, "migration"):
        line = next(iter(str(error).splitlines()), "")
        kind = _kind(error.__cause__ or error)
        undone = "It changed nothing" if (error.left is None) else "What it did before that stands"
        return FailedDuringApply(
            f"{error.migration} failed: {line}. {undone}. {MENDS.get(kind, OTHER_MEND)}"
            " --traceback shows where."
        )
    return None


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
    "there": (
        "The database has already what it makes: see what manage.py db current says; if all of it"
        " is there, record it with manage.py db stamp."
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
    "there": ("42P07", "42701", "42710", "duplicate column name", "table ", "index "),
    "not there": ("42P01", "42703", "42704", "no such "),
}


def _kind(driver):
    """Return the key of MENDS for an error of the driver, or None."""
    constraint = getattr(getattr(driver, "diag", None), "constraint_name", None)
    if constraint in ("django_migrations_pkey", "migrator_journal_pkey"):
        return "number"
    said = getattr(driver, "pgcode", None) or str(driver)
    return next((kind for kind, words in KINDS.items() if said.startswith(words)), None)
