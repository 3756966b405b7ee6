"""What a database complains of when it refuses a statement, and what mends that.

The driver's code decides; words, which a server may translate, only where one code stands for many
things. Nothing is blamed on the rows unless it is the rows, and of what is not known nothing is
said but what the database said.
"""

import re
import sqlite3
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError

AGAIN = "then run the same command again."
_AFTERWARDS = " make it again afterwards, " + AGAIN
MENDS = {
    "number": (
        "If the numbers of its records lag behind, as after a restored dump, manage.py db doctor"
        " --fix sets them; if not, change or merge the rows with the same key, " + AGAIN
    ),
    "not null": (
        "There are rows without a value: fill them first, in a data migration or by hand, " + AGAIN
    ),
    "no default": (
        "The table has rows, which would have no value in the new column: give it a default, or"
        " add it with null=True, fill it, and make it NOT NULL after that; " + AGAIN
    ),
    "unique": "There are rows with the same value: change or merge them first, " + AGAIN,
    "one value": (
        "The new column has one value for all rows: add it with null=True and without the default,"
        " fill it with a RunPython that gives each row its own, and make it unique after that; "
        + AGAIN
    ),
    "exclusion": "There are rows that exclude each other: change them first, " + AGAIN,
    "foreign key": "There are rows that refer to others that do not exist: mend them, " + AGAIN,
    "check": "There are rows that break the rule: mend them first, " + AGAIN,
    "value": "Mend that value, where it stands in the rows or in the migration, " + AGAIN,
    "rule": "A trigger or function of the database says so: do what it asks for, " + AGAIN,
    "rights": (
        "Give the role that right (GRANT), or use one in DATABASE_URL that owns the tables and may"
        " create others, " + AGAIN
    ),
    "role": "Make that role (CREATE ROLE), or write the migration without it, " + AGAIN,
    "log-in": "Mend the user, the password or the database in DATABASE_URL, " + AGAIN,
    "read only": "Connect to a server, and as a role, that may write, " + AGAIN,
    "not opened": "Let this user read and write the file of the database and its folder, " + AGAIN,
    "read-only file": "Let this user write the file of the database and its folder, " + AGAIN,
    "disk": "Make room on the disk of the database, " + AGAIN,
    "memory": "Give the server more memory, or the statement less to do, " + AGAIN,
    "locks": (
        "Let the migration lock fewer things at once, or raise max_locks_per_transaction, " + AGAIN
    ),
    "bound": "Raise that limit of the server or of the role, " + AGAIN,
    "connections": (
        "End sessions that nobody needs (see pg_stat_activity), or raise max_connections, " + AGAIN
    ),
    "busy": "Another process holds it: wait until that one has ended, " + AGAIN,
    "another": "Another session was in the way: run the same command again.",
    "deadlock": "Another session was in the way: run the same command again.",
    "statement timeout": (
        "Let statements of this role take longer (ALTER ROLE … SET statement_timeout = 0), " + AGAIN
    ),
    "cancelled": "Somebody has cancelled it: run the same command again.",
    "idle timeout": (
        "Let transactions of this role be idle for longer (ALTER ROLE … SET"
        " idle_in_transaction_session_timeout = 0), " + AGAIN
    ),
    "transaction timeout": (
        "Let transactions of this role take longer (ALTER ROLE … SET transaction_timeout = 0), "
        + AGAIN
    ),
    "lost": (
        "When the server can be reached, run the same command again; its log says why it has ended"
        " the session, such as by a timeout."
    ),
    "no database": (
        "It is not an SQLite database: move it away, or name another in DATABASE_URL, " + AGAIN
    ),
    "damaged": (
        "The database is damaged: restore it from a back-up; for what can be saved, see PRAGMA"
        " integrity_check (SQLite) or the server's log (PostgreSQL)."
    ),
    "file": "The disk or the file system failed: see to that, " + AGAIN,
    "there": (
        "The database already has what it makes: manage.py db doctor says where the database stands"
        " and what to do; if it is of a legacy system, take it over with manage.py db adopt."
    ),
    "not there": (
        "The database lacks what it names: manage.py db doctor says whether something is missing"
        " and what to do; if nothing is, mend the migration, " + AGAIN
    ),
    "dependent": "Drop what depends on it before, in the migration, and" + _AFTERWARDS,
    "feature": (
        "Make it before, in the migration (CREATE EXTENSION, CREATE COLLATION, ...), or write the"
        " migration without it, " + AGAIN
    ),
    "no extension": (
        "Install it on the server's system, or write the migration without it, " + AGAIN
    ),
    "collation": (
        "Make that collation (CREATE COLLATION; those of ICU need a server that has ICU, which"
        " SCRATCH_DATABASE_URL can name for a replay), or write the migration without it, " + AGAIN
    ),
    "no function": (
        "This SQLite does not have it: load the extension that does, or write the migration without"
        " it, " + AGAIN
    ),
    "not here": "This database cannot do that: write the migration in another way, " + AGAIN,
    "limit": "That is beyond a limit of the database: stay below it in the migration, " + AGAIN,
    "transaction": (
        "Give it a migration of its own with atomic = False, without BEGIN and COMMIT in its SQL, "
        + AGAIN
    ),
    "pending": "Change rows in one migration and the table in the next, " + AGAIN,
    "aborted": (
        "The migration's code went on after an error of the database: let that error pass, or run"
        " what may fail in transaction.atomic(), " + AGAIN
    ),
    "schema": (
        "Make that schema before, in the migration (CREATE SCHEMA), or name another, in the SQL or"
        " in search_path, " + AGAIN
    ),
    "statements": "Give each statement an entry of its own in the list of SQL, " + AGAIN,
    "sql": "Mend the migration, " + AGAIN,
}
# What a migration's own code has set: that of the role or of DATABASE_URL is set aside in a run.
_TIME = "Let the migration set no {name}, or a longer one, " + AGAIN
BY_CODE = {
    "statement timeout": _TIME.format(name="statement_timeout"),
    "idle timeout": _TIME.format(name="idle_in_transaction_session_timeout"),
    "transaction timeout": _TIME.format(name="transaction_timeout"),
    "read only": "Let the migration make no transaction READ ONLY, " + AGAIN,
    "read-only file": (
        "Let this user write the file of the database and its folder, and the migration set no"
        " PRAGMA query_only, " + AGAIN
    ),
}
OF_ROWS = {"not null", "unique", "exclusion", "foreign key", "check"}
OF_CODE = "The migration or the rows break that rule: mend one of them, " + AGAIN

OF_LOCKS = {"busy", "deadlock"}  # of others, which stood in the way

# SQLSTATEs of PostgreSQL, or how they begin: the longest that fits counts.
STATES = {
    "08": "lost", "57P": "lost", "57014": "cancelled", "57P05": "idle timeout",
    "21": "value", "22": "value", "27": "rule", "23001": "foreign key", "23502": "not null",
    "23503": "foreign key", "23505": "unique", "23514": "check", "23P01": "exclusion",
    "25": "transaction", "25006": "read only", "25P02": "aborted", "25P03": "idle timeout",
    "25P04": "transaction timeout", "28": "log-in", "2BP01": "dependent", "2D": "transaction",
    "3B": "transaction", "3D": "log-in", "3F": "schema", "40": "another", "40P01": "deadlock",
    "42": "sql",    "42501": "rights", "42704": "not there",
    "42883": "feature", "42P01": "not there", "42703": "not there", "42P06": "there",
    "42P07": "there", "42701": "there", "42710": "there", "42723": "there", "44": "check",
    "53": "memory", "53100": "disk", "53300": "connections", "53400": "bound", "54": "limit",
    "55": "sql", "55006": "pending", "55P03": "busy", "58": "file", "58P01": "no extension",
    "0A": "not here", "P0": "rule", "XX001": "damaged", "XX002": "damaged",
}  # fmt: skip

# Codes of SQLite, extended ones before those that they extend.
CODES = {
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not null",
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "unique",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign key",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: "rule",
    sqlite3.SQLITE_CONSTRAINT: "value",  # such as a type that a STRICT table does not take
    sqlite3.SQLITE_MISMATCH: "value",
    sqlite3.SQLITE_READONLY: "read-only file",
    sqlite3.SQLITE_CANTOPEN: "not opened",
    sqlite3.SQLITE_PERM: "read-only file",
    sqlite3.SQLITE_AUTH: "sql",
    sqlite3.SQLITE_FULL: "disk",
    sqlite3.SQLITE_NOMEM: "memory",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_INTERRUPT: "cancelled",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "no database",
    sqlite3.SQLITE_IOERR: "file",
    sqlite3.SQLITE_PROTOCOL: "file",
    sqlite3.SQLITE_TOOBIG: "limit",
    sqlite3.SQLITE_RANGE: "sql",
    sqlite3.SQLITE_MISUSE: "sql",
}
_DEPENDENT = re.compile(r"error in (view|trigger|index) (\S+?)(?: after .*?)?: ")
# What SQLITE_ERROR, the code of all else, is about.
WORDS = {
    "dependent": _DEPENDENT.pattern,
    "there": (
        r"(table|view|index|trigger) .* already exists$|duplicate column name: |there is already "
    ),
    "not there": (
        r"no such (table|column|index|view|trigger): |table \S+ has no column named |unknown column"
    ),
    "no function": r"no such (function|collation sequence|module|vfs|tokenizer): ",
    "transaction": (
        r"cannot (start|commit|rollback|VACUUM|change into)\b.*\b(transaction|active)\b"
        r"|.*\binside a transaction\b|no such savepoint: "
    ),
    "limit": (
        r"parser stack overflow|too many |at most \d+ |Expression tree is too large"
        r"|LIKE or GLOB pattern too complex|string or blob too big|too much "
    ),
    "value": r"integer overflow|malformed JSON",
    "pending": r"database table is locked",
}

# Functions of PostgreSQL that look for a type, an operator class, … and find none.
_OF_EXTENSIONS = {
    "typenameType",
    "typenameTypeMod",
    "parseTypeString",
    "ResolveOpClass",
    "get_am_type_oid",
    "DefineIndex",
    "get_ts_config_oid",
    "get_ts_dict_oid",
    "get_extension_oid",
    "get_language_oid",
}
# And those that look for a role.
_OF_ROLES = {"get_role_oid", "get_rolespec_oid", "get_rolespec_tuple"}
# Columns of which no value is ever shown.
_SECRET = re.compile(r"pass|secret|token|hash|salt|key\b|api_?key|otp|pin\b|iban|card", re.I)
_KEYS = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)=\((.*?)\)(?=[ .,;]|$)")
# DETAIL of these is the row that failed (whatever the language), or of no help.
_ROWS_IN_DETAIL = ("22", "23502", "23514", "40", "44", "P0", "XX")
_HINTS = ("42", "0A", "53", "58")  # others advise CASCADE, or to look into the server's log
LINES = 5  # of a DETAIL with a line for each thing


class Complaint(NamedTuple):
    """What a database said, in one line without a full stop; its kind or None; and what mends it.

    mend: a sentence, "" if nobody knows.
    """

    said: str
    kind: str | None
    mend: str


def of(error: Exception, *, by_code: bool = False) -> Complaint:
    """Return the Complaint that a ``django.db.DatabaseError`` or ``InterfaceError`` is.

    by_code: a migration's own statement was refused, so that it may be wrong, and not the rows.
    """
    driver = error.__cause__ or error
    kind = kind_of(error)
    said, mend = _said(driver), MENDS.get(kind or "", "")
    if by_code:
        mend = OF_CODE if kind in OF_ROWS else BY_CODE.get(kind or "", mend)
    if kind == "dependent" and (view := _DEPENDENT.match(said)):
        what, name = view.groups()
        mend = f"Drop it before, in the migration (DROP {what.upper()} {name}), and" + _AFTERWARDS
    return Complaint(said, kind, mend)


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE that PostgreSQL gave to an error of Django or of the driver, or ""."""
    return getattr(error.__cause__ or error, "pgcode", None) or ""


def kind_of(error: BaseException) -> str | None:
    """Return the key of MENDS for an error of Django or of the driver, or None."""
    driver: Any = error.__cause__ or error
    if state := state_of(error):
        return _of_state(state, driver)
    if hasattr(driver, "pgcode"):  # said by the client's library, not by the server
        is_lost = type(driver).__name__ in ("OperationalError", "InterfaceError", "DatabaseError")
        return "lost" if is_lost else None
    code = getattr(driver, "sqlite_errorcode", None)
    return _of_words(driver) if code is None else _of_code(code, str(driver))


def _of_words(driver: Any) -> str | None:
    """Return the kind of an error that SQLite has not given a code to: Django or the driver did."""
    said = str(driver)
    if said.startswith("The row in table "):
        return "foreign key"
    if "one statement at a time" in said:
        return "statements"
    if said.startswith("Could not decode to UTF-8"):
        return "value"
    is_lost = isinstance(driver, InterfaceError | OperationalError)
    return "lost" if is_lost and "closed" in said else None


def _of_code(code: int, said: str) -> str | None:
    """Return the kind of an error of SQLite; the low byte of its code is that of more errors."""
    for known in (code, code & 0xFF):
        if known in CODES:
            return CODES[known]
    if code & 0xFF != sqlite3.SQLITE_ERROR:
        return None
    return next((kind for kind, words in WORDS.items() if re.match(words, said)), "sql")


def _of_state(state: str, driver: Any) -> str | None:
    """Return the kind of an error of PostgreSQL."""
    known = [state[:length] for length in (5, 4, 3, 2) if state[:length] in STATES]
    kind = STATES[known[0]] if known else None
    diag, function = driver.diag, driver.diag.source_function
    nearer = {
        "number": kind == "unique" and str(diag.constraint_name).endswith("_pkey"),
        "collation": state == "42704" and function == "get_collation_oid",
        "feature": state == "42704" and function in _OF_EXTENSIONS,
        "role": state == "42704" and function in _OF_ROLES,
        "locks": state == "53200" and "max_locks_per_transaction" in (diag.message_hint or ""),
        "no extension": state == "0A000" and diag.source_file == "extension.c",
        # The detail names what stands on what is changed.
        "dependent": state == "0A000" and diag.message_detail,
        "statement timeout": state == "57014"
        and function == "ProcessInterrupts"
        and "timeout" in str(driver).partition("\n")[0],
    }
    return next((one for one, is_so in nearer.items() if is_so), kind)


def _said(driver: Any) -> str:
    """Return what the database said; of its details, those that hold no row."""
    diag: Any = getattr(driver, "diag", None)
    state = state_of(driver)
    said = getattr(diag, "message_primary", None) or next(iter(str(driver).splitlines()), "")
    said = _line(said) or type(driver).__name__
    if not state:
        return said
    if diag.message_detail and not state.startswith(_ROWS_IN_DETAIL):
        lines = [_line(line) for line in diag.message_detail.splitlines()]
        more = f"; and {len(lines) - LINES} more" if len(lines) > LINES else ""
        detail = "; ".join(line.rstrip(".") for line in lines[:LINES]) + more
        said += f": {_KEYS.sub(_without_secret, detail)}"
    if diag.message_hint and state.startswith(_HINTS):
        said += f". {_line(diag.message_hint)}"
    return said.rstrip(".")


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _without_secret(match: re.Match[str]) -> str:
    columns, values = match.groups()
    return f"({columns})=({'…' if _SECRET.search(columns) else values})"
