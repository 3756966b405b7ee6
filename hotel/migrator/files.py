"""Where migration files lie, and how several of them are changed: all or none."""

import importlib
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.migrations import Migration
from django.db.migrations.writer import MigrationWriter

from hotel.migrator.exceptions import WrongUse

UNDO = ".undo.json"  # in the migrations folder of the app, while files are being replaced


def own_apps():
    """Return the labels of this project's own apps: ``MIGRATION_SCOPE``, or those in its folder.

    Without the migrator, whose tables no migration makes.
    """
    if hasattr(settings, "MIGRATION_SCOPE"):
        return set(settings.MIGRATION_SCOPE)
    return {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(settings.BASE_DIR)
        and not {"site-packages", "dist-packages"} & {*Path(config.path).parts}
        and config.name != __package__
    }


def folder(app):
    """Return the folder of the migrations of ``app``, whether it is there or not."""
    return Path(MigrationWriter(Migration("", app)).basedir)


def path(app, name):
    """Return the file of a migration, whether it is there or not."""
    return folder(app) / f"{name}.py"


def shown(path):
    """Return a path as a user reads it: from the current folder, if that is on the same drive."""
    with suppress(ValueError):
        return os.path.relpath(path)
    return str(path)


@contextmanager
def _told():
    """Turn what the system refuses into WrongUse."""
    try:
        yield
    except OSError as error:
        where = shown(error.filename) if error.filename else "the file"
        raise WrongUse(
            f"Cannot write {where}: {error.strerror}. Nothing was written: mend that, and run the"
            " same command again."
        ) from error


@_told()
def write(texts):
    """Write new files, ``{path: text}``; if one cannot be written, none is.

    Raises WrongUse if the system refuses it.
    """
    written = []
    try:
        for path_, text in texts.items():
            path_.parent.mkdir(exist_ok=True)
            (path_.parent / "__init__.py").touch()
            with path_.open("x", encoding="utf-8") as file:
                written.append(path_)
                file.write(text)
    except BaseException:
        for path_ in written:
            path_.unlink()
        raise
    importlib.invalidate_caches()


@_told()
def replace(app, changes):
    """Replace files: ``changes`` are triples of path, new path and new contents in bytes.

    What is written first can undo the rest; it is deleted last. If something fails the old files
    are back at once, after a kill as soon as ``recover`` is called. Raises WrongUse if the system
    refuses it.
    """
    home = folder(app)
    undo = home / UNDO
    old = {
        os.path.relpath(path_, home): (path_.read_bytes().decode("latin-1"), path_.stat().st_mode)
        for path_, _, _ in changes
    }
    new = [os.path.relpath(new_path, home) for _, new_path, _ in changes]
    try:
        _beside(undo).write_text(json.dumps({"old": old, "new": new}), encoding="ascii")
        os.replace(_beside(undo), undo)
        for path_, new_path, contents in changes:
            _beside(new_path).write_bytes(contents)
            _beside(new_path).chmod(path_.stat().st_mode)
        for _, new_path, _ in changes:
            os.replace(_beside(new_path), new_path)
        for path_ in {path_ for path_, _, _ in changes} - {new_path for _, new_path, _ in changes}:
            path_.unlink()
    except BaseException:
        recover(app)
        raise
    undo.unlink()
    importlib.invalidate_caches()


def recover(app):
    """Bring back the files of ``app`` if ``replace`` was killed, and return whether it was."""
    try:
        undo = folder(app) / UNDO
    except (LookupError, ValueError):  # it is not installed, or its migrations are disabled
        return False
    if _beside(undo).exists():  # killed before it had changed anything
        _beside(undo).unlink()
    if not undo.exists():
        return False
    _undo(undo)
    importlib.invalidate_caches()
    return True


def _undo(undo):
    """Bring back the old files; killed on the way, it can be repeated."""
    record = json.loads(undo.read_text(encoding="ascii"))
    for name, (contents, mode) in record["old"].items():
        path_ = undo.parent / name
        path_.write_bytes(contents.encode("latin-1"))
        path_.chmod(mode)
    for name in record["new"]:
        _beside(undo.parent / name).unlink(missing_ok=True)
        if name not in record["old"]:
            (undo.parent / name).unlink(missing_ok=True)
    undo.unlink()


def _beside(path_):
    return path_.with_name(f"{path_.name}.new")
