"""The migration files of this project as a graph, and the apps that files are written for."""

from typing import Literal, TextIO, cast, overload

from django.core.management.base import OutputWrapper
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader

from hotel.migrator import scope
from hotel.migrator.authoring import files
from hotel.migrator.authoring.files import Stdout
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import cited


def load() -> tuple[MigrationLoader, Graph]:
    """Return Django's loader and our Graph of the files."""
    own = scope.own_apps()
    files.refuse_remains(own)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return loader, Graph.from_django(loader.graph, own)


@overload
def app_for(app: str | None, graph: Graph, *, must: Literal[True]) -> str: ...
@overload
def app_for(app: str | None, graph: Graph, *, must: bool) -> str | None: ...
def app_for(app: str | None, graph: Graph, *, must: bool) -> str | None:
    """Return ``app`` if files may be written for it; with ``must``, the only one for None."""
    own = sorted(graph.own)
    if app in own or (app is None and not must):
        return app
    having: list[str] = sorted(graph.own.intersection(graph.apps)) or own
    if app is None and len(having) == 1:
        return having[0]
    if app is None:
        raise WrongUse(
            f"No application was named, and this project has {len(having)}: write --app and one of"
            f" {', '.join(having)} after manage.py db revision."
        )
    why = "is not of this project" if app in graph.apps else "is not installed"
    raise WrongUse(
        f"The application {cited(app)} {why}, and files are written for its own only: write one"
        f" of {', '.join(having)}."
    )


def next_number(loader: MigrationLoader, app: str) -> int:
    """Return the number of the next file of ``app``."""
    numbers = [
        MigrationAutodetector.parse_number(name) or 0
        for label_, name in loader.disk_migrations
        if label_ == app
    ]
    return max(numbers, default=0) + 1


def wrapped(stdout: Stdout) -> OutputWrapper:
    """Return where Django's questioner may write."""
    if isinstance(stdout, OutputWrapper):
        return stdout
    return OutputWrapper(cast(TextIO, stdout))
