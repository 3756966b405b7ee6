"""``db revision``: the next migration files, from the models or from a template.

No database is needed. Verified with Django 5.2, whose autodetector does what ``--autogenerate``
does. What is written passes ``hotel/migrator/tests/guards.py`` once it is filled in.
"""

from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import InteractiveMigrationQuestioner, MigrationQuestioner
from django.db.migrations.writer import MigrationWriter

from hotel.migrator.authoring import detection, files, naming, templates
from hotel.migrator.authoring.files import Stdout
from hotel.migrator.authoring.naming import Name
from hotel.migrator.authoring.project import app_for, load, next_number, wrapped
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import Key, cited, label, labels


def revision(
    message: str,
    *,
    app: str | None = None,
    autogenerate: bool = False,
    empty: bool = False,
    template: str = "data",
    head: str | None = None,
    depends_on: Iterable[str] = (),
    stdout: Stdout,
    interactive: bool = True,
) -> list[Path]:
    """Write what ``verbs.revision`` says; return the paths of the files.

    head, depends_on: texts of revisions. Raises WrongUse, and then has written nothing.
    """
    name = naming.name(message)
    if autogenerate and empty:
        raise WrongUse(
            "--autogenerate fills the file in and --empty does not: give one of the two to"
            " manage.py db revision."
        )
    if template not in templates.KINDS:
        raise WrongUse(
            f"There is no template {cited(template)}: write one of {', '.join(templates.KINDS)}"
            " after manage.py db revision --template."
        )
    loader, graph = load()
    leaf = graph.resolve(head) if head else None
    app = app_for(app or (leaf and leaf[0]), graph, must=not autogenerate)
    _refuse_two_leaves(graph, [app] if app else graph.apps)
    ends = graph.leaves(app) if app else ()
    if leaf and leaf not in ends:
        raise WrongUse(
            f"Revision {label(leaf)} is not a head revision of {app}: a migration that forks it"
            f" there is not written. Leave --head out to continue {labels(ends)}."
        )
    others = [graph.resolve(text) for text in depends_on]
    if autogenerate:
        questioner = (
            InteractiveMigrationQuestioner(
                specified_apps={app} if app else {*graph.own}, prompt_output=wrapped(stdout)
            )
            if interactive
            else detection.Refusing(graph.own)
        )
        written, summary = _detected(name, app, others, loader, graph, questioner)
    else:
        written, summary = _blank(
            name, app_for(app, graph, must=True), others, loader, graph, template
        )
    if not written:
        stdout.write(f"No changes detected in app {app!r}\n" if app else "No changes detected\n")
        return []
    files.write({new.path: new.text for new in written})
    files.tidy(new.path for new in written)
    for line in summary:
        stdout.write(f"{line}\n")
    return [new.path for new in written]


def _refuse_two_leaves(graph: Graph, labels_: Iterable[str]) -> None:
    for app in labels_:
        leaves = graph.leaves(app)
        if len(leaves) > 1:
            raise WrongUse(
                f"{app} has {len(leaves)} leaves, {labels(leaves)}, and the next migration has to"
                f" follow one: join them first with manage.py db merge {app}."
            )


class File(NamedTuple):
    """A new migration file, its text, and its key."""

    path: Path
    text: str
    key: Key


def _numbered(name: Name, app: str, loader: MigrationLoader, place: int = 0) -> str:
    """Return the name of a new file; ``initial`` is that of an app's first only."""
    number = next_number(loader, app) + place
    if name.slug == "initial" and number > 1:
        raise WrongUse(
            f"{app} has migrations already, and only its first is the initial one: name it by a"
            ' verb and its object, as in -m "Add deposit system".'
        )
    return f"{number:04}_{name.slug}"


def _dependencies(app: str, others: list[Key], graph: Graph) -> list[Key]:
    """Return what a new migration of ``app`` depends on: its leaf, and ``others``."""
    own = [key for key in others if key[0] == app]
    if own:
        raise WrongUse(
            f"{labels(own)} comes before the next migration of {app} anyway: name revisions of"
            " other applications with --depends-on."
        )
    return [*graph.leaves(app)[:1], *dict.fromkeys(others)] if app in graph.apps else [*others]


def _blank(
    name: Name,
    app: str,
    others: list[Key],
    loader: MigrationLoader,
    graph: Graph,
    template: str,
) -> tuple[list[File], list[str]]:
    """Return path, text and key of each file from a template, and what is printed of them."""
    tip = _tip(graph)
    dependencies = _dependencies(app, others, graph)
    dependencies += [tip] if tip and tip not in dependencies else []
    column, ruled = None, 0
    if template == "three-step":
        column, more = detection.required_column(name, app, loader)
        dependencies += [key for key in more if key not in dependencies]
        verbs = ("add", "backfill", "require") if column is None or column.is_new else None
        names = [name.with_verb(verb) for verb in verbs or ("backfill", "require")]
        names[0] = names[0]._replace(rest=name.rest)
        ruled = len(names) - 2  # which of them changes rows
        if not name.object:
            raise WrongUse(
                f"{cited(name.title)} names no column: write what is added, as in"
                ' -m "Add payment type" --template three-step.'
            )
        named = [(_numbered(n, app, loader, place), n) for place, n in enumerate(names)]
        texts = templates.three_steps(named, dependencies, app, column)
    else:
        named = [(_numbered(name, app, loader), name)]
        texts = [{"data": templates.data, "sql": templates.sql}[template](name, dependencies)]
    written = [
        File(files.path(app, file), text, (app, file))
        for (file, _), text in zip(named, texts, strict=True)
    ]
    summary = [f"Migrations for {app!r}:", *(f"  {files.shown(new.path)}" for new in written)]
    summary += _said_of_line(tip, app)
    summary.append(
        "To be filled in: migrate refuses a file until its line Unfinished(...) is gone."
    )
    if template != "sql" and (folder := files.folder_of_tests(app)):
        file, of = named[ruled]
        path = folder / f"test_{file}.py"
        written.append(File(path, templates.test_of(of, app, file, column), (app, file)))
        summary.append(f"Its test fails until it has cases: {files.shown(path)}")
    return written, summary


def _detected(
    name: Name,
    app: str | None,
    others: list[Key],
    loader: MigrationLoader,
    graph: Graph,
    questioner: MigrationQuestioner,
) -> tuple[list[File], list[str]]:
    """Return path, text and key of each file that makemigrations would write, made safe."""
    by_app: dict[str, list[Migration]] = {}
    changes = detection.changes(loader, questioner, app, graph.own, name.slug)
    for label_, migrations in sorted(changes.items()):
        app_for(label_, graph, must=True)
        if name.slug == "initial":
            _numbered(name, label_, loader)
        first = migrations[0]
        more = _dependencies(label_, others, graph) if app in (None, label_) else []
        depends = [*first.dependencies, *(key for key in more if key not in first.dependencies)]
        vars(first).update(dependencies=depends)
        by_app[label_] = detection.safe(migrations, name)
    summary = _put_in_line([one for migrations in by_app.values() for one in migrations], graph)
    written = []
    for label_, migrations in reversed(by_app.items()):
        told = [f"Migrations for {label_!r}:"]
        for migration in migrations:
            path = Path(MigrationWriter(migration).path)
            key = (label_, migration.name)
            written.append(File(path, detection.source(name, migration), key))
            told.append(f"  {files.shown(path)}")
            told += [f"    {part.formatted_description()}" for part in migration.operations]
        summary = told + summary
    return sorted(written), summary


def _tip(graph: Graph) -> Key | None:
    """Return the last migration of this project, if its history is one line."""
    tips = [
        key
        for key in graph.order
        if key[0] in graph.own and not any(k[0] in graph.own for k in graph.children[key])
    ]
    return tips[0] if len(tips) == 1 else None


def _put_in_line(migrations: list[Migration], graph: Graph) -> list[str]:
    """Let new migrations follow the last of the history, and each other, if it was one line.

    Returns what is printed of it.
    """
    tip = _tip(graph)
    if not (tip and migrations):
        return []
    new = {(one.app_label, one.name): one for one in migrations}
    firsts = {(app, "__first__"): (app, name) for app, name in new if app not in graph.apps}
    needed = {
        key: {firsts.get(ref, ref) for ref in one.dependencies} & {*new} for key, one in new.items()
    }
    before, order = tip, [*TopologicalSorter(needed).static_order()]
    for key in order:
        if before not in new[key].dependencies:
            vars(new[key]).update(dependencies=[*new[key].dependencies, before])
        before = key
    return _said_of_line(tip, order[0][0])


def _said_of_line(tip: Key | None, app: str) -> list[str]:
    """Return what is printed where a file depends on the end of the line, in another app."""
    if tip is None or tip[0] == app:
        return []
    return [f"It comes after {label(tip)}, which was the last migration of this project."]
