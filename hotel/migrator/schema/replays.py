"""What a part of the history makes of an empty database, found out once and kept in a file.

The file is named by a digest of everything that the answer depends on, so that another question
finds another file. It holds no rows and no setting.
"""

import functools
import hashlib
import inspect
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import django
from django.apps import apps
from django.conf import settings
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import get_language

from hotel.migrator.revisions.targets import Key
from hotel.migrator.schema import catalog
from hotel.migrator.schema.catalog import Thing
from hotel.migrator.scratch import databases
from hotel.migrator.storage import tables

Touched = dict[Key, set[tuple[str, str]]]  # tables and things in the DDL of each

CACHED = 20  # catalogs that are kept

# Settings of a session of PostgreSQL that change what SQL means there, or how it is written back.
OF_SESSION = (
    *("server_version_num", "server_encoding", "search_path", "quote_all_identifiers"),
    *("standard_conforming_strings", "TimeZone", "DateStyle", "IntervalStyle"),
    *("extra_float_digits", "default_tablespace", "default_table_access_method"),
)
# Secrets, and what no migration writes into a schema. Addresses and passwords of databases are
# left out, and their engines are not.
_LEFT_OUT = re.compile(r"SECRET|PASSWORD|TOKEN|_KEY|DATABASES?$|CODE_VERSION|^MIGRATOR_")
# Whose code changes only with its version, which is in the digest.
_KNOWN_BY_VERSION = {*sys.stdlib_module_names, "django"}


class Replay:
    """What a part of the history makes of an empty database.

    catalog: what is there afterwards, the migrator's own tables included. touched:
    ``{(app, name): {(table, thing), …}}``, the names in the DDL of each migration; the table is ""
    in a statement about none. keys: the migrations, in order. is_fresh: whether it was made to
    answer this very question, and not read from what was kept.
    """

    def __init__(self, found: catalog.Catalog, touched: Touched, *, is_fresh: bool) -> None:
        self.catalog = found
        self.touched = touched
        self.is_fresh = is_fresh

    def since(self, thing: Thing) -> Key | None:
        """Return the last migration that made or altered ``thing``, or None.

        Of what no statement names, such as a sequence, it is the one that made the table.
        """
        keys = [key for key, names in self.touched.items() if (thing.table, thing.name) in names]
        made = [key for key, names in self.touched.items() if (thing.table, thing.table) in names]
        return keys[-1] if keys else next(iter(made), None)


def replay(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    keys: Sequence[Key],
    *,
    fresh: bool = False,
) -> Replay:
    """Return the ``Replay`` of migrations on the engine of ``connection``, quickly if known.

    keys: ``(app, name)`` in an order in which they can run. fresh: do not believe what was kept.
    Raises RefusedByPreflight, with the reason, if no scratch database can be made.
    """
    with translation.override(None):  # as migrate runs them: in no language
        return _replay(connection, loader, keys, fresh)


def _replay(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, keys: Sequence[Key], fresh: bool
) -> Replay:
    place = file_of(connection, loader, keys)
    if not fresh:
        with suppress(OSError, ValueError, KeyError, TypeError):  # not there, or not ours
            return _kept(place)
    with databases.database(connection, beside=connection) as empty:
        touched: Touched = {}
        databases.run(empty, loader, keys, touched)
        with empty.schema_editor() as editor:
            tables.ensure(editor, tables.MODELS)
        found = catalog.read(empty)
    document = {
        "touched": [[list(key), sorted(names)] for key, names in touched.items()],
        "catalog": found.as_json(),
    }
    _known[place] = document
    _keep(place, json.dumps(document))
    return Replay(found, touched, is_fresh=True)


_known: dict[Path, dict[str, Any]] = {}  # of this process, where no file can be written


def _kept(place: Path) -> Replay:
    """Return the Replay that this process, or another, has kept at ``place``."""
    document = _known.get(place)
    if document is None:
        _refuse_shared(place.parent)
        document = json.loads(place.read_text(encoding="utf-8"))
        place.touch()  # so that it is among the last to go
    touched = {tuple(key): set(map(tuple, names)) for key, names in document["touched"]}
    found = Replay(catalog.Catalog.from_json(document["catalog"]), touched, is_fresh=False)
    _known[place] = document
    return found


def _refuse_shared(folder: Path) -> None:
    """Raise PermissionError if others may have written what ``folder`` holds."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):  # a link to a folder in which files would be deleted
        raise PermissionError
    if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
        raise PermissionError


def _keep(place: Path, text: str) -> None:
    """Write a file of the cache, if this user has a place for it, and delete the oldest."""
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_shared(place.parent)
        new = place.with_name(f"{place.name}.{os.getpid()}.new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, place)
        kept = sorted(place.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for file in kept[:-CACHED]:
            file.unlink(missing_ok=True)


def file_of(connection: BaseDatabaseWrapper, loader: MigrationLoader, keys: Sequence[Key]) -> Path:
    """Return where the Replay of these migrations is kept; its name is a digest of the question."""
    migrations = [loader.graph.nodes[key] for key in keys]
    question = [
        [connection.vendor, connection.alias, _server(connection)],
        [django.VERSION, sys.version_info[:2]],
        [get_language(), _settings()],
        [(config.label, config.name) for config in apps.get_app_configs()],
        [plain(one) for one in router.routers],
        [[one.app_label, one.name, plain(one.operations), one.atomic] for one in migrations],
    ]
    digest = hashlib.sha256(json.dumps(question).encode())
    modules = {type(one).__module__ for one in [*migrations, *router.routers]}
    for file in sorted({*_files(modules), *_own_files()}):
        digest.update(_digest_of(file))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "hotel-migrator" / f"{digest.hexdigest()}.json"


def _server(connection: BaseDatabaseWrapper) -> list[Any]:
    """Return the version of the engine, and what else of the session an answer depends on."""
    if connection.vendor != "postgresql":
        return [cast(Any, connection).Database.sqlite_version]
    asked = ", ".join(["current_setting(%s, true)"] * len(OF_SESSION))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_schema(), {asked}", OF_SESSION)
        return list(cursor.fetchone())


def _settings() -> list[Any]:
    """Return the settings that a migration may write into the schema; no secret is among them."""
    names = [name for name in dir(settings) if name.isupper() and not _LEFT_OUT.search(name)]
    engines = {alias: given.get("ENGINE") for alias, given in settings.DATABASES.items()}
    return [plain(engines), *([name, plain(getattr(settings, name))] for name in names)]


def plain(value: Any, within: tuple[Any, ...] = ()) -> Any:  # noqa: PLR0911 (a kind a line)
    """Return a value as lists and text that are the same in every process.

    Of a function or a class it is the name; its source is part of the digest too.
    """
    if isinstance(value, dict):
        return [[plain(key, within), plain(one, within)] for key, one in value.items()]
    if isinstance(value, list | tuple):
        return [plain(one, within) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(one, within) for one in value), key=repr)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, functools.partial):
        return [plain(part, within) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, ModuleType):
        return value.__name__
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if any(value is one for one in within):  # it is a part of itself
        return name
    inner = (*within, value)
    if hasattr(value, "deconstruct"):
        with suppress(Exception):  # whatever somebody's own class does there
            # Arguments alone: a field has no name until a model has it.
            return [name, plain(value.deconstruct()[-2:], inner)]
    if cast(Any, type(value)).__repr__ is object.__repr__:  # an address, which is another each time
        return [name, plain(vars(value), inner)] if hasattr(value, "__dict__") else name
    return repr(value)


def _files(modules: Iterable[str]) -> set[str]:
    """Return the files of modules by name, and of all that they import, and so on.

    What comes with Python or Django is left out, but for the modules that were named.
    """
    files, waiting, seen = set(), sorted(modules), set(modules)
    while waiting:
        module = sys.modules.get(waiting.pop())
        if module is None:
            continue
        if file := getattr(module, "__file__", None):
            files.add(file)
        for value in list(vars(module).values()):
            name = value.__name__ if inspect.ismodule(value) else _module_of(value)
            if name and name not in seen and name.split(".")[0] not in _KNOWN_BY_VERSION:
                seen.add(name)
                waiting.append(name)
    return files


def _module_of(value: Any) -> str | None:
    """Return the name of the module in which a value, or its class, is written, if that is said."""
    with suppress(Exception):  # a lazy object may have no settings yet
        name = getattr(value, "__module__", None)
        return name if isinstance(name, str) else None
    return None


@functools.cache
def _digest_of(file: str) -> bytes:
    with suppress(OSError):
        return hashlib.sha256(Path(file).read_bytes()).digest()
    return b""


@functools.cache
def _own_files() -> set[str]:
    """Return the files of the migrator, whose reading and writing makes the answer."""
    folder = Path(__file__).parents[1]
    return {str(file) for file in folder.rglob("*.py") if "tests" not in file.parts}
