"""``db merge``: the leaves of an app are joined in a migration, or put one behind the other."""

from collections.abc import Collection
from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import InteractiveMigrationQuestioner, MigrationQuestioner
from django.db.migrations.utils import get_migration_name_timestamp

from hotel.migrator.authoring import clashes, files, naming, rebasing, templates
from hotel.migrator.authoring.files import Stdout
from hotel.migrator.authoring.naming import Name
from hotel.migrator.authoring.project import app_for, load, next_number, wrapped
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.revisions.targets import Key, label


def merge(
    app: str | None = None,
    *,
    message: str | None = None,
    rebase: str | None = None,
    applied: Collection[Key] | None = None,
    stdout: Stdout,
    interactive: bool = True,
) -> list[Path]:
    """Do what ``verbs.merge`` says; return the paths of the files.

    applied: the keys that are applied in the database at hand; None if none was looked at.
    interactive: asks before a merge is written. Raises WrongUse or RefusedByPreflight, and then has
    written nothing. See ``rebasing.rebase``.
    """
    if rebase and message:
        raise WrongUse(
            "A rebase writes no migration that a message could name: leave -m out, or --rebase."
        )
    loader, graph = load()
    if rebase:
        text = f"{app}.{rebase}" if app and "." not in rebase else rebase
        key = graph.resolve(text)
        app_for(app or key[0], graph, must=True)
        if app and key[0] != app:
            raise WrongUse(
                f"{label(key)} is not of {app}: write manage.py db merge {key[0]} --rebase"
                f" {key[1]}."
            )
        if len(graph.leaves(key[0])) < 2:
            return _nothing(key[0], stdout)
        return rebasing.rebase(loader, graph, key, applied, stdout)
    name = naming.name(message) if message else None
    wanted = [app_for(app, graph, must=True)] if app else sorted(graph.own.intersection(graph.apps))
    conflicted = [label_ for label_ in wanted if len(graph.leaves(label_)) > 1]
    if not conflicted:
        return _nothing(app, stdout)
    sides = {label_: clashes.sides(graph, label_) for label_ in conflicted}
    for label_ in conflicted:
        _refuse_clashes(loader, label_, sides[label_])
    questioner = MigrationQuestioner(defaults={"ask_merge": True})
    if interactive:
        questioner = InteractiveMigrationQuestioner(prompt_output=wrapped(stdout))
    written = []
    for label_ in conflicted:
        _show_sides(loader, label_, sides[label_], stdout)
        if not questioner.ask_merge(label_):
            continue
        leaves = sorted(graph.leaves(label_))
        named = name or Name("", f"Merge {' and '.join(leaf[1] for leaf in leaves)}.")
        file = f"{next_number(loader, label_):04}_{named.slug or _merge_slug(leaves)}"
        path = files.path(label_, file)
        files.write({path: templates.merge(named, leaves)})
        files.tidy([path])
        stdout.write(f"\nCreated new merge migration {files.shown(path)}\n")
        written.append(path)
    return written


def _nothing(app: str | None, stdout: Stdout) -> list[Path]:
    where = f"{app} has one leaf" if app else "no application has two leaves"
    stdout.write(f"Nothing to merge: {where}.\n")
    return []


def _merge_slug(leaves: list[Key]) -> str:
    """Return what Django calls a merge."""
    names = "_".join(name for _, name in leaves)
    return f"merge_{names if len(names) <= 47 else get_migration_name_timestamp()}"


def _refuse_clashes(loader: MigrationLoader, app: str, sides: list[list[Key]]) -> None:
    things = clashes.find(loader, app, sides)
    if things:
        last = sides[-1][-1]
        raise RefusedByPreflight(
            f"The branches of {app} touch the same things, so that their order matters:"
            f" {'; '.join(things)}. Nothing was written: put one behind the other with manage.py db"
            f" merge {app} --rebase {last[1]}, and then read the files that follow again."
        )


def _show_sides(loader: MigrationLoader, app: str, sides: list[list[Key]], stdout: Stdout) -> None:
    stdout.write(f"Merging {app}\n")
    for side in sides:
        stdout.write(f"  Branch {side[-1][1]}\n")
        for key in side:
            for operation in loader.disk_migrations[key].operations:
                stdout.write(f"    {operation.formatted_description()}\n")
    opaque = clashes.opaque(loader, sides)
    if opaque:
        stdout.write(f"  Not compared, for nobody can tell what it touches: {', '.join(opaque)}\n")
