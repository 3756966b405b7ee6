"""What a session of the database is set to while the migrator works in it.

Roles, databases, ``DATABASE_URL`` and ``OPTIONS`` may set a session up in ways that stop a run half
way, or that change what the server answers. Within ``settled`` they do not: each session that is
opened there is set to what is needed, and one that goes on afterwards gets its own values back.
What nobody but its owner should overrule, ``refuse_unfit`` names.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.signals import connection_created
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.utils.connection import ConnectionProxy

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.messages import complaints
from hotel.migrator.sql.quoting import text

POSTGRESQL = {
    # A migration takes as long as it takes, and idles while Python computes.
    "statement_timeout": "0",
    "lock_timeout": "0",  # but see patience.short_lock_timeout
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    # A session whose process computes looks dead to firewalls. Seconds.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
    # A migration reads what others have committed, which is what its locks are for.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "exit_on_error": "off",
    # What text means to the server, and how it writes values and its own catalog.
    "transform_null_equals": "off",
    "array_nulls": "on",
    "xmloption": "content",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "check_function_bodies": "on",
}
# Whoever may set these is a superuser, or has been given the right.
OF_SUPERUSERS = {"session_replication_role": "origin", "plpgsql.variable_conflict": "error"}
SQLITE = {
    "foreign_keys": 1,
    "ignore_check_constraints": 0,
    "legacy_alter_table": 0,
    "recursive_triggers": 0,
    "reverse_unordered_selects": 0,
    "writable_schema": 0,
}
TRIES = 100  # of a statement that takes no time, where statements are given hardly any

_CHANGES_SESSION = re.compile(
    r"(^|;)\s*(RE)?SET\s+(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)|\bset_config\s*\(", re.IGNORECASE
)

_working: ContextVar[tuple[BaseDatabaseWrapper, ...]] = ContextVar("_working", default=())


@dataclass
class _Settled:
    """A session that was set up, of the driver, with what was set before, and where it looks."""

    session: Any
    before: dict[str, Any]
    search_path: str = ""


_settled: WeakKeyDictionary[BaseDatabaseWrapper, _Settled] = WeakKeyDictionary()
_held: WeakKeyDictionary[BaseDatabaseWrapper, dict[str, str]] = WeakKeyDictionary()


def itself(connection: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return the connection for which a proxy such as ``django.db.connection`` stands."""
    return connections[connection.alias] if isinstance(connection, ConnectionProxy) else connection


@contextmanager
def settled(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Set up the session of ``connection``, and each that this thread opens, until the end.

    No session is opened for it. The one that ``connection`` has at the end gets back what it had.
    """
    outer = _working.get()
    token = _working.set((*outer, connection))
    try:
        if connection.connection is not None:
            settle(connection)
        yield
    finally:
        _working.reset(token)
        if connection not in outer:
            _give_back(connection)


@contextmanager
def holding(connection: BaseDatabaseWrapper, **values: str) -> Iterator[None]:
    """Set some settings of PostgreSQL otherwise meanwhile, also if the session becomes another."""
    outer = hold(connection, **values)
    before = _set(connection, _held[itself(connection)])
    session = connection.connection
    try:
        yield
    finally:
        _held[itself(connection)] = outer
        if connection.connection is not session:
            before = {name: outer.get(name, POSTGRESQL[name]) for name in values}
        with suppress(DatabaseError, InterfaceError):  # the session may be what has failed
            _set(connection, before)


def hold(connection: BaseDatabaseWrapper, **values: str) -> dict[str, str]:
    """Let each session of ``connection`` that is set up be set so too; return what was held."""
    outer = _held.get(itself(connection), {})
    _held[itself(connection)] = {**outer, **values}
    return outer


def settle(connection: BaseDatabaseWrapper) -> None:
    """Set up the session of ``connection``, and remember what was set before.

    Raises RefusedByPreflight for a session in which text is not what it seems; the driver remembers
    that, so that it cannot be mended here.
    """
    if _of_now(connection):
        return
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        pragmas = _set_pragmas(connection, SQLITE)
        _settled[itself(connection)] = _Settled(connection.connection, pragmas)
        return
    _refuse_backslashes(connection)
    _set_level(connection, None)
    wanted = {**POSTGRESQL, **_held.get(itself(connection), {})}
    before = _set(connection, wanted, OF_SUPERUSERS)
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path')")
        [path] = cursor.fetchone()
    _settled[itself(connection)] = _Settled(connection.connection, before, path)


def _of_now(connection: BaseDatabaseWrapper) -> _Settled | None:
    """Return what is known of the session that ``connection`` has now, if it was set up."""
    settled = _settled.get(itself(connection))
    is_same = settled is not None and settled.session is connection.connection
    return settled if is_same else None


def renew(connection: BaseDatabaseWrapper) -> None:
    """Set up the session anew, if it is a ``settled`` one: SQL of a migration may leave it changed.

    As does what pg_dump writes, which begins by taking the search path away.
    """
    settled = _of_now(connection)
    if settled is None:
        return
    if connection.vendor == "postgresql":
        held = _held.get(itself(connection), {})
        _set(connection, {**POSTGRESQL, "search_path": settled.search_path, **held})
    else:  # a schema editor, which may be at work, has turned foreign keys off
        _set_pragmas(connection, {name: SQLITE[name] for name in SQLITE if name != "foreign_keys"})


class Renew(Operation):
    """Comes after an operation that may leave the session changed, where Django runs them."""

    def state_forwards(self, _app_label: str, _state: ProjectState) -> None:
        """Change no model."""

    def database_forwards(
        self,
        _app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        _from_state: ProjectState,
        _to_state: ProjectState,
    ) -> None:
        """Set up the session anew."""
        renew(schema_editor.connection)


def renewed(statements: Iterable[str]) -> list[str]:
    """Return what a script says to do the same after ``statements`` of PostgreSQL, if need be."""
    if not any(map(_CHANGES_SESSION.search, statements)):
        return []
    path = "('search_path', current_setting('migrator.search_path'))"
    wanted = ", ".join(f"({text(name)}, {text(value)})" for name, value in POSTGRESQL.items())
    return [
        f"SELECT set_config(name, value, false) FROM (VALUES {wanted}, {path}) AS wanted (name,"
        " value) WHERE current_setting(name, true) <> value"
    ]


def _on_new_session(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    if _working.get():
        settle(connection)


connection_created.connect(_on_new_session, dispatch_uid="hotel.migrator.locking.sessions")


def _give_back(connection: BaseDatabaseWrapper) -> None:
    settled = _of_now(connection)
    _settled.pop(itself(connection), None)
    if settled is None:
        return
    with suppress(DatabaseError, InterfaceError):  # the session may be what has failed
        if connection.vendor == "postgresql":
            _set(connection, settled.before, OF_SUPERUSERS)
            level = connection.isolation_level  # type: ignore[attr-defined]  # of PostgreSQL
            _set_level(connection, level)
        else:
            _set_pragmas(connection, settled.before)


def _set_level(connection: BaseDatabaseWrapper, level: int | None) -> None:
    """Let the driver begin transactions with another isolation level than OPTIONS say."""
    if "isolation_level" in _options(connection) and connection.get_autocommit():
        connection.connection.isolation_level = level


def _options(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    return options


def _set(
    connection: BaseDatabaseWrapper, wanted: dict[str, str], of_superusers: Iterable[str] = ()
) -> dict[str, str]:
    """Set settings of PostgreSQL that the server knows; return those that differed, as they were.

    of_superusers: those of ``OF_SUPERUSERS`` that are to be set too, if this role may.
    """
    connection.ensure_connection()
    optional = {name: value for name, value in OF_SUPERUSERS.items() if name in of_superusers}
    wanted = {**optional, **wanted}
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        # Not through Django's cursor: nobody who listens to its statements wants to hear of these.
        before: dict[str, str] = {}
        if wanted.get("statement_timeout") == "0":
            before["statement_timeout"] = _without_timeout(connection, cursor)
        cursor.execute(
            "SELECT name, before, set_config(name, value, false)"
            " FROM (SELECT name, value, current_setting(name, true) AS before"
            " FROM unnest(%s::text[], %s::text[]) AS wanted (name, value) OFFSET 0) AS known"
            " WHERE before <> value AND"
            " (name <> ALL(%s::text[]) OR has_parameter_privilege(name, 'SET'))",
            [list(wanted), list(map(str, wanted.values())), list(OF_SUPERUSERS)],
        )
        return {**before, **{name: was for name, was, _ in cursor.fetchall()}}


def _without_timeout(connection: BaseDatabaseWrapper, cursor: Any) -> str:
    """Let a statement take its time, and return what it was given before."""
    left = TRIES
    while True:
        left -= 1
        try:
            cursor.execute(
                "SELECT current_setting('statement_timeout'),"
                " set_config('statement_timeout', '0', false)"
            )
            return str(cursor.fetchone()[0])
        except Exception as error:  # of the driver
            is_timeout = complaints.kind_of(error) in ("statement timeout", "cancelled")
            if not is_timeout or connection.in_atomic_block or not left:
                raise


def _set_pragmas(connection: BaseDatabaseWrapper, wanted: dict[str, int]) -> dict[str, int]:
    """Set pragmas of SQLite; return those that differed, as they were."""
    connection.ensure_connection()
    execute = connection.connection.execute
    before: dict[str, int] = {}
    with connection.wrap_database_errors:
        # This one cannot be asked for.
        [(is_sensitive,)] = execute("SELECT 'a' NOT LIKE 'A'").fetchall()
        if is_sensitive != wanted.get("case_sensitive_like", 0):
            execute(f"PRAGMA case_sensitive_like = {1 - is_sensitive}")
            before["case_sensitive_like"] = is_sensitive
        for name, value in wanted.items():
            [(now,)] = execute(f"PRAGMA {name}").fetchall() or [(value,)]
            if now != value:
                execute(f"PRAGMA {name} = {value}")
                before[name] = now
    return before


def refuse_unfit(connection: BaseDatabaseWrapper, *, writes: bool) -> None:
    """Raise RefusedByPreflight where a setting lets nothing right come of it, and say which.

    writes: whether something is about to be changed.
    """
    if connection.vendor == "postgresql":
        _refuse_schema(connection)
    if not writes:
        return
    for problem, mend in _hindrances(connection):
        raise RefusedByPreflight(
            f"{problem} Nothing was changed: {mend}, then run the same command again."
        )


def _refuse_backslashes(connection: BaseDatabaseWrapper) -> None:
    name = "standard_conforming_strings"
    if connection.connection.info.parameter_status(name) == "on":
        return
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        _, undo = _source(connection, cursor, name)
    raise RefusedByPreflight(
        f"{name} is off, so a backslash in a text would not stay one. Nothing was changed: {undo},"
        " then run the same command again."
    )


def _refuse_schema(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(current_schema()), current_setting('search_path'),"
            " (SELECT quote_ident(nspname) FROM pg_namespace n JOIN pg_class c"
            " ON c.relnamespace = n.oid AND c.relnamespace <> quote_ident("
            " coalesce(current_schema(), 'pg_catalog'))::regnamespace"
            " WHERE c.oid = to_regclass('django_migrations'))"
        )
        here, path, there = cursor.fetchone()
        place, undo = _source(connection, cursor, "search_path")
    first = (here or path).strip('"')
    if not first or first.startswith("pg_"):
        why = (
            f"search_path is {path}, so new tables would be made in a schema of PostgreSQL's own,"
            " or in a temporary one."
            if first
            else "search_path is empty, so there is no schema to make tables in."
        )
        raise RefusedByPreflight(
            f"{why} Nothing was changed: {undo}, then run the same command again."
        )
    if here is None:
        make = f"make it (CREATE SCHEMA {path}), or " if not {*path} & {",", "$"} else ""
        raise RefusedByPreflight(
            f"search_path is {path}, and this role finds no such schema in the database. Nothing"
            f" was changed: {make}{undo}, then run the same command again."
        )
    if there:
        raise RefusedByPreflight(
            f"django_migrations stands in the schema {there}, and new tables would be made in"
            f" {here}, since search_path is {path}. Nothing was changed: let search_path begin with"
            f" {there}, or name {here} alone if the other one is of another project; it is set by"
            f" {place}."
        )


def _hindrances(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """Yield what keeps a session from writing as it should, and what mends it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA query_only")
            if cursor.fetchone()[0]:
                yield (
                    "PRAGMA query_only is on, so this session may only read.",
                    "take it out of init_command in the settings of the database",
                )
            return
        cursor.execute(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::bool,"
            " current_setting('session_replication_role')"
        )
        is_standby, reads_only, role = cursor.fetchone()
        if is_standby:
            yield (
                "This server is a standby, which can only be read.",
                "connect to the primary server in DATABASE_URL",
            )
        if reads_only:
            name = "default_transaction_read_only"
            yield (
                f"{name} is on, so this session may only read.",
                _source(connection, cursor, name)[1],
            )
        if role != "origin":
            name = "session_replication_role"
            yield (
                f"{name} is {role}, so triggers and foreign keys are off.",
                _source(connection, cursor, name)[1],
            )


def _source(connection: BaseDatabaseWrapper, cursor: Any, name: str) -> tuple[str, str]:
    """Return what has set a setting of PostgreSQL, and what takes it back, in words."""
    cursor.execute(
        "SELECT source, quote_ident(session_user), quote_ident(current_database())"
        " FROM pg_settings WHERE name = %s",
        [name],
    )
    source, role, database = cursor.fetchone()
    altered = {
        "user": f"ALTER ROLE {role}",
        "database": f"ALTER DATABASE {database}",
        "database user": f"ALTER ROLE {role} IN DATABASE {database}",
        "global": "ALTER ROLE ALL",
    }
    if source in altered:
        return f"{altered[source]} SET {name}", f"{altered[source]} RESET {name}"
    if source == "client":
        where = "DATABASE_URL" if "options" in _options(connection) else "PGOPTIONS"
        return f"options in {where}", f"change what the options in {where} say of it"
    if source == "default":
        return "the server, by default", "set it with options in DATABASE_URL"
    return "the configuration of the server", "change it in the configuration of the server"
