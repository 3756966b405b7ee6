"""The verbs that write migration files: ``db revision`` and ``db merge``.

Both look at the files only; no database is needed. Verified with Django 5.2, whose autodetector
does what ``--autogenerate`` does. What is written passes the checks of
``hotel/migrator/tests/test_guards.py`` once it is filled in.
"""

from pathlib import Path

from django.core.management.base import OutputWrapper
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import InteractiveMigrationQuestioner, MigrationQuestioner
from django.db.migrations.utils import get_migration_name_timestamp
from django.db.migrations.writer import MigrationWriter

from hotel.migrator import clashes, detection, files, naming, rebasing, templates
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.graph import Graph
from hotel.migrator.naming import Name
from hotel.migrator.targets import label, labels, quoted


def revision(
    message,
    *,
    app=None,
    autogenerate=False,
    empty=False,
    template="data",
    head=None,
    depends_on=(),
    stdout,
    interactive=True,
):
    """Write the next migration, named after ``message``, and return the paths of its files.

    message: its first line, a verb and an object, becomes the file's name and first line.
    autogenerate: what makemigrations writes, with operations that lose nothing; a file for each
    app that has changes, or for ``app`` and those it needs. Otherwise a ``template`` for ``app``,
    to be filled in: ``data``, ``sql``, or the files of a ``three-step`` column, which is that of
    the models which has no file yet. ``empty`` says no more than that autogenerate is not meant.
    head: the revision to continue; it must be the app's leaf. depends_on: texts of revisions of
    other apps. Raises WrongUse, and then has written nothing.
    """
    name = naming.name(message)
    if autogenerate and empty:
        raise WrongUse(
            "--autogenerate fills the file in and --empty does not: give one of the two to"
            " manage.py db revision."
        )
    if template not in templates.KINDS:
        raise WrongUse(
            f"There is no template {quoted(template)}: write one of {', '.join(templates.KINDS)}"
            " after manage.py db revision --template."
        )
    loader, graph = _load(stdout)
    leaf = graph.resolve(head) if head else None
    app = _app(app or (leaf and leaf[0]), graph, must=not autogenerate)
    _refuse_two_leaves(graph, [app] if app else graph.apps)
    if leaf and leaf not in graph.leaves(app):
        raise WrongUse(
            f"Revision {label(leaf)} is not a head revision of {app}: a migration that forks it"
            f" there is not written. Leave --head out to continue {labels(graph.leaves(app))}."
        )
    others = [graph.resolve(text) for text in depends_on]
    if autogenerate:
        written, summary = _detected(name, app, others, loader, graph, stdout, interactive)
    else:
        written, summary = _blank(name, app, others, loader, graph, template)
    if not written:
        stdout.write(f"No changes detected in app {app!r}\n" if app else "No changes detected\n")
        return []
    files.write({path: text for path, text, _ in written})
    for line in summary:
        stdout.write(f"{line}\n")
    _hint_at_line(graph, [key for _, _, key in written], others, stdout)
    return [path for path, _, _ in written]


def merge(app=None, *, message=None, rebase=None, applied=None, stdout, interactive=True):
    """Join the leaves of an app, or of every app that has several, in a migration; return paths.

    Refuses where both sides touch the same thing: then their order matters.
    rebase: a revision of the side whose files are numbered anew, to come after the other side;
    see ``rebasing.rebase``. applied: the keys that are applied in the database at hand, which
    cannot be renamed; None if none was looked at. message: as for ``revision``; Django's name, if
    there is none. interactive: asks, as ``makemigrations --merge``, before a merge is written.
    """
    if rebase and message:
        raise WrongUse(
            "A rebase writes no migration that a message could name: leave -m out, or --rebase."
        )
    loader, graph = _load(stdout)
    if rebase:
        text = f"{app}.{rebase}" if app and "." not in rebase else rebase
        key = graph.resolve(text)
        _app(app or key[0], graph, must=True)
        if app and key[0] != app:
            raise WrongUse(
                f"{label(key)} is not of {app}: write manage.py db merge {key[0]} --rebase"
                f" {key[1]}."
            )
        if len(graph.leaves(key[0])) < 2:
            return _nothing(key[0], graph, stdout)
        return rebasing.rebase(loader, graph, key, applied, stdout)
    name = naming.name(message) if message else None
    wanted = [_app(app, graph, must=True)] if app else sorted(graph.own.intersection(graph.apps))
    conflicted = [label_ for label_ in wanted if len(graph.leaves(label_)) > 1]
    if not conflicted:
        return _nothing(app, graph, stdout)
    sides = {label_: clashes.sides(graph, label_) for label_ in conflicted}
    for label_ in conflicted:
        _refuse_clashes(loader, label_, sides[label_])
    questioner = MigrationQuestioner(defaults={"ask_merge": True})
    if interactive:
        questioner = InteractiveMigrationQuestioner(prompt_output=_wrapped(stdout))
    written = []
    for label_ in conflicted:
        _show_sides(loader, label_, sides[label_], stdout)
        if not questioner.ask_merge(label_):
            continue
        leaves = sorted(graph.leaves(label_))
        named = name or Name("", f"Merge {' and '.join(leaf[1] for leaf in leaves)}.")
        file = f"{_next(loader, label_):04}_{named.slug or _merge_slug(leaves)}"
        path = files.path(label_, file)
        files.write({path: templates.merge(named, leaves)})
        stdout.write(f"\nCreated new merge migration {files.shown(path)}\n")
        written.append(path)
    return written


# Of both


def _load(stdout):
    """Return Django's loader and our Graph of the files; finish first what a kill interrupted."""
    own = files.own_apps()
    for app in own:
        if files.recover(app):
            stdout.write(f"A rebase of {app} was interrupted: its files are as they were before.\n")
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return loader, Graph.from_django(loader.graph, own)


def _app(app, graph, *, must):
    """Return ``app`` if files may be written for it; with ``must``, the only one for None."""
    own = sorted(graph.own)
    if app in own or (app is None and not must):
        return app
    having = sorted(graph.own.intersection(graph.apps)) or own
    if app is None and len(having) == 1:
        return having[0]
    if app is None:
        raise WrongUse(
            f"No application was named, and this project has {len(having)}: write --app and one of"
            f" {', '.join(having)} after manage.py db revision."
        )
    why = "is not of this project" if app in graph.apps else "is not installed"
    raise WrongUse(
        f"The application {quoted(app)} {why}, and files are written for its own only: write one"
        f" of {', '.join(having)}."
    )


def _refuse_two_leaves(graph, labels_):
    for app in labels_:
        leaves = graph.leaves(app)
        if len(leaves) > 1:
            raise WrongUse(
                f"{app} has {len(leaves)} leaves, {labels(leaves)}, and the next migration has to"
                f" follow one: join them first with manage.py db merge {app}."
            )


def _next(loader, app):
    """Return the number of the next file of ``app``."""
    numbers = [
        MigrationAutodetector.parse_number(name) or 0
        for label_, name in loader.disk_migrations
        if label_ == app
    ]
    return max(numbers, default=0) + 1


def _wrapped(stdout):
    return stdout if isinstance(stdout, OutputWrapper) else OutputWrapper(stdout)


# Of revision


def _numbered(name, app, loader, place=0):
    """Return the name of a new file; ``initial`` is that of an app's first only."""
    number = _next(loader, app) + place
    if name.slug == "initial" and number > 1:
        raise WrongUse(
            f"{app} has migrations already, and only its first is the initial one: name it by a"
            ' verb and its object, as in -m "Add deposit system".'
        )
    return f"{number:04}_{name.slug}"


def _dependencies(app, others, graph):
    """Return what a new migration of ``app`` depends on: its leaf, and ``others``."""
    own = [key for key in others if key[0] == app]
    if own:
        raise WrongUse(
            f"{labels(own)} comes before the next migration of {app} anyway: name revisions of"
            " other applications with --depends-on."
        )
    return [*graph.leaves(app)[:1], *dict.fromkeys(others)] if app in graph.apps else [*others]


def _blank(name, app, others, loader, graph, template):
    """Return path, text and key of each file from a template, and what is printed of them."""
    dependencies = _dependencies(app, others, graph)
    if template == "three-step":
        column, more = detection.required_column(name, app, loader)
        dependencies += [key for key in more if key not in dependencies]
        verbs = ("add", "backfill", "require") if column is None or column.is_new else None
        names = [name.with_verb(verb) for verb in verbs or ("backfill", "require")]
        names[0] = names[0]._replace(rest=name.rest)
        if not name.object:
            raise WrongUse(
                f"{quoted(name.title)} names no column: write what is added, as in"
                ' -m "Add payment type" --template three-step.'
            )
        named = [(_numbered(n, app, loader, place), n) for place, n in enumerate(names)]
        texts = templates.three_steps(named, dependencies, app, column)
    else:
        named = [(_numbered(name, app, loader), name)]
        texts = [{"data": templates.data, "sql": templates.sql}[template](name, dependencies)]
    found = [
        (files.path(app, file), text, (app, file))
        for (file, _), text in zip(named, texts, strict=True)
    ]
    summary = [f"Migrations for {app!r}:", *(f"  {files.shown(path)}" for path, _, _ in found)]
    summary.append(
        "To be filled in: migrate refuses a file until its line Unfinished(...) is gone."
    )
    return found, summary


def _detected(name, app, others, loader, graph, stdout, interactive):
    """Return path, text and key of each file that makemigrations would write, made safe."""
    specified = {app} if app else graph.own
    questioner = (
        InteractiveMigrationQuestioner(specified_apps=specified, prompt_output=_wrapped(stdout))
        if interactive
        else detection.Refusing(graph.own)
    )
    written, summary = [], []
    changes = detection.changes(loader, questioner, app, graph.own, name.slug)
    for label_, found in sorted(changes.items()):
        _app(label_, graph, must=True)
        more = _dependencies(label_, others, graph) if app in (None, label_) else []
        summary.append(f"Migrations for {label_!r}:")
        if name.slug == "initial":
            _numbered(name, label_, loader)
        found[0].dependencies += [key for key in more if key not in found[0].dependencies]
        for migration in found:
            migration.operations = [detection.safe(operation) for operation in migration.operations]
            path = Path(MigrationWriter(migration).path)
            written.append((path, detection.source(name, migration), (label_, migration.name)))
            summary.append(f"  {files.shown(path)}")
            summary += [f"    {part.formatted_description()}" for part in migration.operations]
    return written, summary


def _hint_at_line(graph, written, others, stdout):
    """Say what to depend on, if the project's history was one line and no longer is."""
    tips = [
        key
        for key in graph.order
        if key[0] in graph.own and not any(k[0] in graph.own for k in graph.children[key])
    ]
    if len(tips) != 1 or len({key[0] for key in graph.order} & graph.own) < 2:
        return
    app, name = written[0]
    parents = {*others, *(graph.leaves(app) if app in graph.apps else ())}
    if tips[0] not in parents and {key[0] for key in written} == {app}:
        stdout.write(
            f"The history of this project was one line up to {label(tips[0])}; to keep it one, add"
            f" {tips[0]} to the dependencies of {name}.\n"
        )


# Of merge


def _nothing(app, graph, stdout):
    where = f"{app} has one leaf" if app else "no application has two leaves"
    stdout.write(f"Nothing to merge: {where}.\n")
    return []


def _merge_slug(leaves):
    """Return what Django calls a merge."""
    names = "_".join(name for _, name in leaves)
    return f"merge_{names if len(names) <= 47 else get_migration_name_timestamp()}"


def _refuse_clashes(loader, app, sides):
    found = clashes.find(loader, app, sides)
    if found:
        last = sides[-1][-1]
        raise RefusedByPreflight(
            f"The branches of {app} touch the same things, so that their order matters:"
            f" {'; '.join(found)}. Nothing was written: put one behind the other with manage.py db"
            f" merge {app} --rebase {last[1]}, and then read the files that follow again."
        )


def _show_sides(loader, app, sides, stdout):
    stdout.write(f"Merging {app}\n")
    for side in sides:
        stdout.write(f"  Branch {side[-1][1]}\n")
        for key in side:
            for operation in loader.disk_migrations[key].operations:
                stdout.write(f"    {operation.formatted_description()}\n")
    opaque = clashes.opaque(loader, sides)
    if opaque:
        stdout.write(f"  Not compared, for nobody can tell what it touches: {', '.join(opaque)}\n")
