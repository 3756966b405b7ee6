"""Where migration files are, and how several of them are written: all, or none."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from django.db.migrations import Migration
from django.db.migrations.writer import MigrationWriter

from hotel.migrator.exceptions import WrongUse


class Stdout(Protocol):
    """Where lines are written."""

    def write(self, text: str, /) -> object:
        """Write text that ends its lines itself."""


class Change(NamedTuple):
    """A file that gets a new text, and often a new name."""

    path: Path
    new_path: Path
    contents: bytes


def folder(app: str) -> Path:
    """Return the folder of the migrations of ``app``, whether it exists or not."""
    return Path(MigrationWriter(Migration("", app)).basedir)


def path(app: str, name: str) -> Path:
    """Return the file of a migration, whether it exists or not."""
    return folder(app) / f"{name}.py"


def folder_of_tests(app: str) -> Path | None:
    """Return the folder of the tests of the migrations of ``app``, or None if it has none."""
    tests = folder(app).parent / "tests" / "migrations"
    return tests if tests.is_dir() else None


def shown(path: str | Path) -> str:
    """Return a path as a user reads it: from the current folder, if that is on the same drive."""
    with suppress(ValueError):
        return os.path.relpath(path)
    return str(path)


@contextmanager
def _told() -> Iterator[None]:
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
def write(texts: dict[Path, str]) -> None:
    """Write new files, ``{path: text}``; if one cannot be written, none is.

    Raises WrongUse if the system refuses it.
    """
    written = []
    try:
        for path_, text in texts.items():
            path_.parent.mkdir(exist_ok=True)
            with suppress(FileExistsError):  # also where a link lies, which nothing follows
                (path_.parent / "__init__.py").open("x").close()
            with path_.open("x", encoding="utf-8") as file:
                written.append(path_)
                file.write(text)
    except BaseException:
        for path_ in written:
            path_.unlink()
        raise
    importlib.invalidate_caches()


def tidy(paths: Iterable[Path]) -> None:
    """Format files as this project's are, if ruff is installed; Django does so with black."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff:
        subprocess.run([ruff, "format", "--quiet", *paths], check=False)


@_told()
def replace(changes: list[Change]) -> None:
    """Carry out all changes; if one fails, the old files are back. Follows no link.

    Each new text is first written beside the place where it will be. After a kill it is there or
    in its place: nothing is lost, and git shows the rest (see ``refuse_remains``).
    Raises WrongUse if the system refuses it.
    """
    old = [(c.path, c.path.read_bytes(), c.path.stat().st_mode) for c in changes]
    begun: list[Path] = []
    try:
        for change, (_, _, mode) in zip(changes, old, strict=True):
            begun.append(_beside(change.new_path))
            _write(begun[-1], change.contents, mode)
        new_paths = {change.new_path for change in changes}
        for change in changes:
            begun.append(change.new_path)
            if change.path not in new_paths:
                change.path.unlink()
            os.replace(_beside(change.new_path), change.new_path)
    except BaseException:
        for path_ in begun:
            path_.unlink(missing_ok=True)
        for path_, contents, mode in old:
            _write(path_, contents, mode)
        raise
    importlib.invalidate_caches()


def _write(path_: Path, contents: bytes, mode: int) -> None:
    """Write a file in the place of whatever lies there; a link is replaced, not followed."""
    path_.unlink(missing_ok=True)
    with path_.open("xb") as file:
        os.chmod(file.fileno(), mode)
        file.write(contents)


def refuse_remains(apps: Iterable[str]) -> None:
    """Raise WrongUse if a rebase was killed before it had put every file in its place."""
    for app in sorted(apps):
        with suppress(LookupError, ValueError):  # not installed, or its migrations are disabled
            remains = sorted(folder(app).glob("*.py.new"))
            if remains:
                raise WrongUse(
                    f"A rebase was killed before {shown(remains[0])} was in its place. git status"
                    " shows what it did: bring back what is changed or deleted with git restore,"
                    " delete what is new, this file too, and run the same command again."
                )


def _beside(path_: Path) -> Path:
    return path_.with_name(f"{path_.name}.new")
