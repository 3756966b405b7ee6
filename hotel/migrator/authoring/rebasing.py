"""``db merge --rebase``: one branch of an app is numbered anew, to come after the other.

Files are renamed, and the names of the renamed migrations are rewritten wherever a migration of
this project refers to them: in dependencies and run_before, CatchUp and RequireField. The places
are those of the syntax tree; every other byte stays. Before anything is written, each new text is
loaded, and must refer to exactly what it should.
"""

import ast
import sys
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import TypeGuard, cast

from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.authoring import clashes, files
from hotel.migrator.authoring.files import Stdout
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.revisions.edits import PLACE
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import Key, label, labels

NAMED = ("migration", "backfill")  # of an operation: the name of a migration of the same app


def rebase(
    loader: MigrationLoader,
    graph: Graph,
    key: Key,
    applied: Collection[Key] | None,
    stdout: Stdout,
) -> list[Path]:
    """Put the side of ``key`` behind the other side of its app; return the paths of its files.

    applied: the keys that are applied in the database at hand, or None if nobody has looked.
    Raises WrongUse or RefusedByPreflight, and then has written nothing.
    """
    app = key[0]
    chain, behind = _sides(graph, key)
    _refuse_applied(chain, applied)
    _refuse_squashed(loader, chain)
    _refuse_circle(graph, chain, behind)
    names = _numbered(loader, chain, behind)
    changes = _changes(loader, graph, chain, behind, names)
    files.replace(changes)
    if applied is None:
        stdout.write("No database was looked at: one that has them applied will not know them.\n")
    stdout.write(f"Rebased {app}: {names[chain[0][1]]} now follows {behind[1]}\n")
    for old, new in names.items():
        stdout.write(f"  {old} -> {new}\n")
    for change in changes:
        if change.path == change.new_path:
            stdout.write(f"  {files.shown(change.path)} names what follows anew\n")
    stdout.write("Comments, tests and docs that name them are left to you.\n")
    left = [leaf for leaf in graph.leaves(app) if leaf not in (behind, chain[-1])]
    if left:
        stdout.write(f"{labels(left)} is still a leaf beside it: manage.py db merge {app}\n")
    return [files.path(app, new) for new in names.values()]


# What is to be done


def _sides(graph: Graph, key: Key) -> tuple[list[Key], Key]:
    """Return the chain of ``key``'s side, in order, and the leaf that it is to come after."""
    app = key[0]
    leaves = sorted(graph.leaves(app))
    lines = {leaf: clashes.lineage(graph, leaf) for leaf in leaves}
    own = [leaf for leaf in leaves if key in lines[leaf]]
    if len(own) != 1:
        raise WrongUse(
            f"{label(key)} leads to {labels(own)}, so it is not on one side of a fork: name a"
            f" revision of the side that is to come last, as in manage.py db merge {app} --rebase"
            f" {own[-1][1]}."
        )
    others = [leaf for leaf in leaves if leaf != own[0]]
    behind = max(others, key=lambda leaf: (_number(leaf[1]), leaf))
    chain = lines[own[0]].difference(*(lines[leaf] for leaf in others))
    return sorted(chain, key=graph.place.__getitem__), behind


def _refuse_applied(chain: list[Key], applied: Collection[Key] | None) -> None:
    named = [step for step in chain if step in (applied or ())]
    if named:
        are, them = ("is", "it") if len(named) == 1 else ("are", "them")
        raise RefusedByPreflight(
            f"{labels(named)} {are} applied in this database, which would not know {them} by"
            f" another name. Nothing was written: undo {them} first with manage.py db downgrade"
            f" {label(named[0])}-1, or rebase the other side."
        )


def _refuse_squashed(loader: MigrationLoader, chain: list[Key]) -> None:
    replaced = {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    named = [step for step in chain if step in replaced or loader.disk_migrations[step].replaces]
    if named:
        raise WrongUse(
            f"{labels(named)} {'is' if len(named) == 1 else 'are'} squashed, and a database may"
            " know the old names: delete the replaced files and the line replaces first, or join"
            f" both sides with manage.py db merge {named[0][0]}."
        )


def _refuse_circle(graph: Graph, chain: list[Key], behind: Key) -> None:
    circle = graph.ancestors(behind) & {*chain}
    if circle:
        app = behind[0]
        raise WrongUse(
            f"{label(behind)} needs {labels(graph.frontier(circle))} through another application,"
            f" so it cannot come first: put the other side last, with manage.py db merge {app}"
            f" --rebase {behind[1]}, or join both with manage.py db merge {app}."
        )


def _number(name: str) -> int:
    return MigrationAutodetector.parse_number(name) or 0


def _numbered(loader: MigrationLoader, chain: list[Key], behind: Key) -> dict[str, str]:
    """Return the new name of each migration of ``chain`` by its old one; the numbers follow."""
    app = behind[0]
    names: dict[str, str] = {}
    for number, (_, old) in enumerate(chain, start=_number(behind[1]) + 1):
        rest = old.lstrip("0123456789")
        names[old] = f"{number:04}{rest if rest.startswith('_') or not rest else f'_{rest}'}"
    taken = [(app, new) for new in names.values() if new not in names]
    taken = [key for key in taken if key in loader.disk_migrations]
    if taken:
        raise WrongUse(
            f"{labels(taken)} has the name that another file would get: rename one of the two"
            " first, and what refers to it."
        )
    return names


# The new texts


def _changes(
    loader: MigrationLoader, graph: Graph, chain: list[Key], behind: Key, names: dict[str, str]
) -> list[files.Change]:
    """Return what changes of each file. Raises WrongUse."""
    app = behind[0]
    renamed = {(app, old): (app, new) for old, new in names.items()}
    changes = []
    for key, migration in sorted(loader.disk_migrations.items()):
        first = key in chain and chain[0] not in clashes.lineage(graph, key) - {key}
        parent = {_forked_from(graph, key, behind): behind} if first else {}
        moves = {"dependencies": renamed | parent}
        old = _references(migration)
        new = {
            place: [moves.get(place, renamed).get(ref, ref) for ref in refs]
            for place, refs in old.items()
        }
        if old == new and key not in renamed:
            continue
        if key[0] not in graph.own:
            raise WrongUse(
                f"{label(key)} is not of this project and refers to what would be renamed: join"
                f" both sides instead with manage.py db merge {app}."
            )
        path = files.path(*key)
        text = path.read_bytes()
        if old != new:
            text = _rewritten(text, path, migration, renamed, parent, new)
        changes.append(files.Change(path, files.path(*renamed.get(key, key)), text))
    return changes


def _forked_from(graph: Graph, key: Key, behind: Key) -> Key:
    """Return the parent of the first migration of a side; ``behind`` is to take its place."""
    line = clashes.lineage(graph, behind)
    parents = [parent for parent in graph.near(key, graph.parents) if parent in line]
    if not parents:
        raise WrongUse(
            f"{files.shown(files.path(*key))} depends on no migration of {key[0]} that"
            f" {label(behind)} could take the place of: write {behind} into its dependencies"
            " instead."
        )
    return parents[-1]


def _references(migration: Migration) -> dict[str, list[Key]]:
    """Return what a loaded migration refers to, by the place where it does."""
    references = {place: [(ref[0], ref[1]) for ref in getattr(migration, place)] for place in PLACE}
    references["operations"] = [
        (migration.app_label, name)
        for operation in clashes.flat(migration.operations)
        for attribute in NAMED
        if isinstance(name := getattr(operation, attribute, None), str)
    ]
    return references


def _rewritten(
    text: bytes,
    path: Path,
    migration: Migration,
    renamed: dict[Key, Key],
    parent: dict[Key, Key],
    expected: dict[str, list[Key]],
) -> bytes:
    """Return ``text`` with other names in it, after a look at what it then refers to."""
    tree = ast.parse(text)
    in_dependencies = {id(node) for place in _places(tree) for node in ast.walk(place)}
    lines = text.splitlines(keepends=True)
    edits = []
    for node, ref in _names(tree, migration.app_label):
        to = renamed.get(ref) or (parent.get(ref) if id(node) in in_dependencies else None)
        if to:
            edits.append((node.lineno - 1, node.col_offset, node.end_col_offset, ref[1], to[1]))
    for number, start, end, old, name in sorted(edits, reverse=True):
        literal = lines[number][start:end].replace(old.encode(), name.encode())
        lines[number] = lines[number][:start] + literal + lines[number][end:]
    new = b"".join(lines)
    really = _references(_loaded(new, path, migration))
    for place, refs in expected.items():
        if really[place] != refs:
            line = next((node.lineno for node in _places(tree, place)), 1)
            missing = labels([ref for ref in refs if ref not in really[place]])
            raise WrongUse(
                f"{files.shown(path)}, line {line}: what {place} names is not written out there,"
                f" so it cannot be rewritten to {missing}."
                ' Nothing was written: write each name as plain text, as in ("app", "0001_name"),'
                " and rebase again."
            )
    return new


def _places(tree: ast.Module, name: str = "dependencies") -> list[ast.stmt]:
    """Return the statements that assign to ``name``."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
        for target in [*getattr(node, "targets", []), getattr(node, "target", None)]
        if isinstance(target, ast.Name) and target.id == name
    ]


def _names(tree: ast.Module, app: str) -> list[tuple[ast.Constant, Key]]:
    """Return the strings that may name a migration, each with the key that it then names.

    Either the second of a pair of strings, or a string by itself, which can mean only its own app.
    """
    named: list[tuple[ast.Constant, Key]] = []
    paired: set[int] = set()
    for node in ast.walk(tree):  # a pair comes before its parts
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 2:
            first, second = node.elts
            if _is_text(first) and _is_text(second):
                named.append((second, (str(first.value), str(second.value))))
                paired |= {id(first), id(second)}
        elif _is_text(node) and id(node) not in paired:
            named.append((node, (app, str(node.value))))
    return named


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    """Tell whether a node is a string on one line."""
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.lineno == node.end_lineno
    )


def _loaded(text: bytes, path: Path, migration: Migration) -> Migration:
    """Return the migration that ``text`` makes, without installing its module."""
    original = sys.modules[type(migration).__module__]
    module = ModuleType(original.__name__)
    module.__file__, module.__package__ = original.__file__, original.__package__
    exec(compile(text, str(path), "exec"), module.__dict__)
    return cast(Migration, module.Migration(migration.name, migration.app_label))
