"""What an exception means that no command of the migrator raised itself: a sentence that mends it.

Whatever command met it. An error in a migration is told with the migration and the operation, which
its traceback has wherever it came about: while it ran, was replayed or written as a script, or was
only followed from model to model.
"""

import re
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.contenttypes.management import RenameContentType
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError
from django.db.migrations import Migration
from django.db.migrations.exceptions import (
    BadMigrationError,
    CircularDependencyError,
    InconsistentMigrationHistory,
    IrreversibleError,
    MigrationSchemaMissing,
    NodeNotFoundError,
)
from django.db.migrations.operations import (
    AddField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import StateApps

from hotel.migrator.exceptions import (
    FailedDuringApply,
    MigratorError,
    RefusedByPreflight,
    WrongUse,
)
from hotel.migrator.locking.lock_base import InterruptedBefore
from hotel.migrator.messages import complaints
from hotel.migrator.messages.complaints import AGAIN, MENDS

if TYPE_CHECKING:
    from hotel.migrator.running.interruptions import HalfDone

LOADER = "django/db/migrations/loader.py"
# Whose code is not for the author of a migration to mend.
OTHERS = (
    *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    f"{Path(__file__).parents[1]}/",
    "<",  # modules that Python has frozen
)
BOOKKEEPING = {  # functions that write down that a migration runs or ran
    ("hotel.migrator.storage.journal", "_write"),
    ("hotel.migrator.storage.tables", "ensure_journal"),
    ("django.db.migrations.recorder", "ensure_schema"),
    ("django.db.migrations.recorder", "record_applied"),
    ("django.db.migrations.recorder", "record_unapplied"),
}
CONTENT_TYPES = (
    "Add ('contenttypes', '0002_remove_content_type_name') to its dependencies, whose models Django"
    " needs to rename a content type, " + AGAIN
)
# Where Django hands statements on to a driver that puts values into them.
DRIVERS = "django/db/backends/utils.py", "django/db/backends/postgresql/psycopg_any.py"
PERCENT = "a % in its SQL stands for a value that it was not given"
PERCENT_MEND = (
    "Write %% for a percent sign, or give no parameters at all (params=None of"
    " schema_editor.execute), " + AGAIN
)
OTHER_MEND = "Mend the migration or the rows, " + AGAIN
# What rows cannot be blamed for where there are none.
OF_THE_LIVE = complaints.OF_ROWS | {"number", "value", "there", "not there"}


class Exit(Exception):
    """A migration has called ``sys.exit``."""


@dataclass
class Circumstances:
    """What is known of the run that an error has stopped, beside its traceback.

    migration: that ran on the live database, or "". replayed: that ran on a scratch database, or
    "". left: what it left half done; None where it changed nothing. before: how many migrations of
    the run have ended before. operation: whose deferred statement it was. invalid: indexes that
    CONCURRENTLY has left unfinished.
    """

    migration: str = ""
    replayed: str = ""
    left: "HalfDone | None" = None
    before: int = 0
    operation: Operation | None = None
    invalid: list[str] = field(default_factory=list)


def circumstances(error: BaseException) -> Circumstances:
    """Return the Circumstances of an error, which stay with it and may be filled in."""
    known: Circumstances = vars(error).setdefault("circumstances", Circumstances())
    return known


def is_of_migration(error: BaseException) -> bool:
    """Tell whether an error has stopped a migration, on the live database or in a replay."""
    known = circumstances(error)
    return bool(known.migration or known.replayed)


@dataclass
class Place:
    """Where an error was raised, as far as its traceback says.

    is_backwards: on the way down. is_own_code: in code of the migration's own. is_record: while it
    was written down that it runs or ran.
    """

    migration: str = ""
    operation: Operation | None = None
    is_backwards: bool = False
    is_own_code: bool = False
    is_record: bool = False

    def named(self, migration: str = "") -> str:
        """Return the migration, and the operation in brackets."""
        from hotel.migrator.plan.repeating import in_words  # needs apps that are ready

        name = migration or self.migration
        if self.operation is None:
            return name
        return f"{name} ({in_words(self.operation, backwards=self.is_backwards)})"


def place(error: BaseException) -> Place:
    """Return the Place of an exception."""
    where = Place(operation=circumstances(error).operation)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        it, code = frame.f_locals.get("self"), frame.f_code
        for migration in (it, frame.f_locals.get("migration")):
            if isinstance(migration, Migration) and not where.migration:
                where.migration = str(migration)
        if isinstance(it, Operation) and (
            where.operation is None or isinstance(where.operation, SeparateDatabaseAndState)
        ):
            where.operation, where.is_backwards = it, code.co_name == "database_backwards"
        if where.migration or where.operation:
            where.is_own_code |= not code.co_filename.startswith(OTHERS)
        where.is_record |= (frame.f_globals.get("__name__"), code.co_name) in BOOKKEEPING
    return where


def running_operation() -> Operation | None:
    """Return the operation whose code is running, or None."""
    frames = reversed([frame for frame, _ in traceback.walk_stack(None)])
    return _outermost(frame.f_locals.get("self") for frame in frames)


def _outermost(candidates: Iterable[object]) -> Operation | None:
    """Return the first operation among them that says what it does, or None."""
    operation = None
    for it in candidates:
        if isinstance(it, Operation):
            operation = it
        if operation and not isinstance(operation, SeparateDatabaseAndState):
            break
    return operation


@contextmanager
def replaying(migration: Migration) -> Iterator[None]:
    """Let an error know that it came from ``migration`` on a scratch database, not on the live one.

    For ``explain``.
    """
    try:
        yield
    except MigratorError as error:
        name_operation(error, str(migration))
        raise
    except Exception as error:
        circumstances(error).replayed = str(migration)
        raise
    except SystemExit as stop:
        end = as_error(stop)
        circumstances(end).replayed = str(migration)
        raise end from stop


def as_error(stop: SystemExit) -> "Exit":
    """Return the error that a migration's sys.exit() is: it would end the command in silence."""
    return Exit(f"sys.exit({'' if stop.code is None else repr(stop.code)})").with_traceback(
        stop.__traceback__
    )


def name_operation(error: MigratorError, migration: str) -> None:
    """Let a MigratorError that an operation has raised name that and its migration."""
    where = place(error)
    if where.operation is not None and migration not in str(error):
        error.args = (f"{where.named(migration)}: {error}",)


def explain(error: Exception) -> MigratorError | None:
    """Return the MigratorError that says what an exception of Django means, or None.

    For what is wrong with the files or the history of migrations, whatever command met it, and for
    what stops a migration that runs.
    """
    if isinstance(error, NodeNotFoundError):
        child, parent = error.origin, ".".join(error.node)
        return WrongUse(
            f"{child} depends on {parent}, and there is no such file: bring it back, for example"
            f" with git, or mend the dependencies in the file of {child}."
        )
    if isinstance(error, CircularDependencyError):
        names = str(error).split(", ")
        start = names.index(min(names))  # Django begins anywhere
        circle = ", ".join(names[start:] + names[:start])
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
    if circumstances(error).migration:
        return failure(error)
    return _broken_file(error) or _not_followed(error)


def is_of_own_code(error: BaseException) -> bool:
    """Tell whether an error is one of programming in the migration's own code.

    Its author needs the traceback; nobody else does.
    """
    return not isinstance(error, DatabaseError | InterfaceError) and place(error).is_own_code


def interruption(error: KeyboardInterrupt) -> str:
    """Return what a KeyboardInterrupt has stopped and what is to be done, a sentence."""
    known = circumstances(error)
    if not known.migration:
        before = isinstance(error, InterruptedBefore)
        return "Interrupted before anything was changed." if before else "Interrupted."
    if known.left is None:
        return (
            f"{known.migration} was interrupted, and changed nothing: run the same command again."
        )
    if known.left.goes_on:
        return (
            f"{known.migration} was interrupted: run the same command again, and it goes on where"
            " it stopped."
        )
    return str(known.left)


def failure(error: BaseException) -> FailedDuringApply:
    """Return the FailedDuringApply about an error that stopped a migration."""
    known = circumstances(error)
    if isinstance(error, MigrationSchemaMissing) and error.__context__:
        error = error.__context__  # of the first thing that a run writes
    where, left = place(error), known.left
    said, kind, mend = _said(error, where)
    if left and not left.goes_on:
        mend = left.mend
    elif left and kind in ("there", "not there"):
        mend = OTHER_MEND
    failed = "could not be recorded" if where.is_record else "failed"
    if not (where.is_record or where.operation) and isinstance(error, DatabaseError):
        failed = "failed at its end" if kind in complaints.OF_ROWS else failed
    words = [f"{where.named(known.migration)} {failed}: {said}.", _undone(known, kind)]
    if known.before:
        words.append(
            "The one before it in this run stands."
            if known.before == 1
            else f"The {known.before} before it in this run stand."
        )
    return FailedDuringApply(" ".join(filter(None, [*words, mend, _traceback(error)])))


def _undone(known: Circumstances, kind: str | None) -> str:
    """Return what a failed migration leaves, a sentence or two."""
    left, invalid = known.left, known.invalid
    if invalid:
        names = ", ".join(invalid)
        what, has, it = ("indexes", "are", "them") if len(invalid) > 1 else ("index", "is", "it")
        if left and not left.goes_on:
            drop = "; ".join(f"DROP INDEX CONCURRENTLY {name}" for name in invalid)
            return (
                f"What it did before that stands, and the {what} {names} {has} left, INVALID:"
                f" {drop}."
            )
        stands = "What it did before that stands." if left else "It changed nothing else."
        return f"{stands} The {what} {names} {has} left, INVALID; the next run makes {it} anew."
    if left is None:
        return "What it had not committed is undone." if kind == "lost" else "It changed nothing."
    return "What it did before that stands."


def _said(error: BaseException, where: Place) -> tuple[str, str | None, str]:
    """Return what an error says, without a full stop, its kind or None, and what mends it."""
    if isinstance(error, DatabaseError | InterfaceError):
        by_code = isinstance(where.operation, RunPython | RunSQL)
        said, kind, mend = complaints.of(error, by_code=by_code)
        if isinstance(where.operation, AddField) and not where.is_backwards:
            mend = _of_new_column(where.operation, said, kind) or mend
        if where.is_record and kind == "value":
            mend = "Shorten what is written of each run, such as CODE_VERSION, " + AGAIN
        return said, kind, mend
    if _is_of_marks(error):
        return PERCENT, None, PERCENT_MEND
    lines = [line.strip() for line in str(error).splitlines()]
    said = next(filter(None, lines), "").rstrip(".")
    if not isinstance(error, CommandError | Exit):
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, KeyError) and not where.is_own_code:
        said += ", and nothing of that name is made before it"
    if isinstance(error, LookupError) and isinstance(where.operation, RenameContentType):
        return said, None, CONTENT_TYPES
    return said, None, OTHER_MEND if where.is_own_code else MENDS["sql"]


def _is_of_marks(error: BaseException) -> bool:
    """Tell whether a driver has missed the value for a % of a statement."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    of_driver = bool(frames) and frames[-1].co_filename.endswith(DRIVERS)
    return of_driver and isinstance(error, IndexError | KeyError | TypeError)


def _of_new_column(operation: AddField, said: str, kind: str | None) -> str | None:
    """Return what mends a complaint about a column that was just added, or None."""
    if kind == "not null":
        return MENDS["no default"]
    columns = (operation.field.db_column, operation.name, f"{operation.name}_id")
    names = "|".join(re.escape(name) for name in columns if name)
    if kind == "unique" and re.search(rf'[(."]({names})\b', said):
        return MENDS["one value"]
    return None


def _traceback(error: BaseException) -> str:
    """Return where its traceback is to be had, if it is not shown."""
    return "" if is_of_own_code(error) else "--traceback shows where."


def _not_followed(error: Exception) -> RefusedByPreflight | None:
    """Return the RefusedByPreflight about a migration that cannot be replayed or followed, or None.

    For a drift, a script, a look at what would go wrong: nothing was to be changed yet.
    """
    where = place(error)
    replayed = circumstances(error).replayed
    name = replayed or where.migration
    if not name:
        return _models_apart(error)
    said, kind, mend = _said(error, where)
    how = "cannot be followed"
    if replayed:
        how = "fails on an empty database, where the migrations are replayed"
        mend = MENDS["sql"] if kind in OF_THE_LIVE else mend
    words = [f"{where.named(name)} {how}: {said}. Nothing was changed.", mend, _traceback(error)]
    return RefusedByPreflight(" ".join(filter(None, words)))


def _models_apart(error: Exception) -> RefusedByPreflight | None:
    """Return the RefusedByPreflight about models of the past that refer to none, or None."""
    frames = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
    if not (isinstance(error, ValueError) and any(isinstance(it, StateApps) for it in frames)):
        return None
    said = "; ".join(line.rstrip(".") for line in str(error).splitlines())
    return RefusedByPreflight(
        f"What is recorded as applied does not fit together: {said}. Nothing was changed: manage.py"
        " db doctor says what to record, or which file is missing."
    )


def _broken_file(error: Exception) -> WrongUse | None:
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
        places.append((error.filename, error.lineno or 0))
    places = [place for place in places if "/migrations/" in place[0]]
    file, line = places[-1]  # there is one: that of the loader itself
    if file.endswith(LOADER):
        return None
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return WrongUse(
        f"{'/'.join(file.split('/')[-3:])} line {line}: {type(error).__name__}: {said}. Mend the"
        " file, and run the same command again."
    )
