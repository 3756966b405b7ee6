"""Whether the file of a migration was edited, in what it does, since it was run."""

import ast
import hashlib
import inspect
from functools import cache

from django.db.migrations import Migration

# What says where in the graph a migration stands. It does the same wherever that is, and these
# lines change when others are rebased, squashed or moved to another application.
PLACE = ("dependencies", "run_before", "replaces")


def checksum(migration: Migration) -> str:
    """Return a digest of what the file of a migration does; "" if its source is not there.

    It is one of the syntax tree, without docstrings and its place in the graph, and with imports
    in order: what a formatter changes does not change it. It is the same on every version of
    Python.
    """
    return _checksum(type(migration))  # type: ignore[arg-type]  # a class can be hashed


@cache  # a run asks for that of each migration several times
def _checksum(kind: type[Migration]) -> str:
    tree = _tree(kind)
    return _digest(_without_place(tree)) if tree else ""


def is_edited(migration: Migration, recorded: str) -> bool:
    """Tell whether a migration does something else than when its checksum was ``recorded``.

    It is not where nothing is known. Earlier versions recorded a digest of the place too.
    """
    now = checksum(migration)
    if not (recorded and now) or recorded == now:
        return False
    tree = _tree(type(migration))
    return tree is not None and recorded != _digest(tree)


def _tree(kind: type[Migration]) -> ast.Module | None:
    module = inspect.getmodule(kind)
    try:
        return ast.parse(inspect.getsource(module)) if module else None
    except (OSError, TypeError, SyntaxError):
        return None


def _without_place(tree: ast.Module) -> ast.Module:
    """Take out of a tree what sets ``PLACE``, and the imports that nothing else needs."""
    places = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            places += [statement for statement in node.body if _is_place(statement)]
            node.body = [statement for statement in node.body if statement not in places]
    idle = _names(*places) - _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [
                name
                for name in node.names
                if (name.asname or name.name.partition(".")[0]) not in idle
            ]
    tree.body = [statement for statement in tree.body if getattr(statement, "names", True)]
    return tree


def _is_place(statement: ast.stmt) -> bool:
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return all(isinstance(target, ast.Name) and target.id in PLACE for target in targets)


def _names(*nodes: ast.AST) -> set[str]:
    return {name.id for node in nodes for name in ast.walk(node) if isinstance(name, ast.Name)}


def _digest(tree: ast.Module) -> str:
    return hashlib.sha256(repr(_meaning(tree)).encode()).hexdigest()


def _meaning(node: object) -> object:
    """Return a syntax tree as nested tuples of what has a meaning."""
    if isinstance(node, list):
        return [_meaning(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    fields: list[tuple[str, object]] = []
    for name in _fields(type(node)):  # type: ignore[arg-type]  # a class can be hashed
        value = getattr(node, name, None)
        if name == "names" and isinstance(node, ast.Import | ast.ImportFrom):
            value = sorted(node.names, key=lambda item: item.name)
        if name == "body" and isinstance(value, list) and value:
            fields.append((name, _meaning_of_block(value)))
        elif value is not None and value != []:
            fields.append((name, _meaning(value)))
    return (type(node).__name__, fields)


@cache
def _fields(kind: type[ast.AST]) -> list[str]:
    return sorted(set(kind._fields) - {"kind"})  # that is u"" or ""


def _meaning_of_block(statements: list[ast.stmt]) -> list[object]:
    imports: list[object] = []
    others: list[object] = []
    for statement in statements:
        if not _is_docstring(statement):
            is_import = isinstance(statement, ast.Import | ast.ImportFrom)
            (imports if is_import else others).append(_meaning(statement))
    return sorted(imports, key=repr) + others


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
