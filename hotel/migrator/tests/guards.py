"""What every migration of this project must keep to: functions that return complaints.

Each is a sentence. ``test_guards`` asks them about the history, other tests about new files.
"""

import ast
import re
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.apps import apps
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from conftest import OWN_APPS, OWN_MIGRATIONS
from hotel.migrator import operations
from hotel.migrator.authoring.naming import VERBS
from hotel.migrator.constraints import Check, Rule
from hotel.migrator.operations import BatchedRunPython
from hotel.migrator.plan import steps
from hotel.migrator.plan.atomicity import needs_none
from hotel.migrator.plan.lock_order import raised
from hotel.migrator.schema import drift

VERIFIED = (5, 2)  # the version of Django whose executor, loader and writer were read


MAY_IMPORT = {
    "django",
    "hotel.migrator.constraints",
    "hotel.migrator.expressions",
    "hotel.migrator.fields",
    "hotel.migrator.folding",
    "hotel.migrator.indexes",
    "hotel.migrator.operations",
}


LOSES_ROWS = {
    migrations.CreateModel: operations.CreateModel,
    migrations.DeleteModel: operations.DeleteModel,
    migrations.AddField: operations.AddField,
    migrations.RemoveField: operations.RemoveField,
}


def paths():
    """Return the migration files of this project, by ``app.name``."""
    files = {}
    for label in OWN_APPS:
        folder = Path(apps.get_app_config(label).path) / "migrations"
        files |= {f"{label}.{path.stem}": path for path in sorted(folder.glob("[!_]*.py"))}
    return files


PATHS = paths()


@cache
def loader():
    return MigrationLoader(None)


def migration(key):
    return loader().disk_migrations[key]


@cache
def complaints():
    """Return what is wrong with the history, a sentence each."""
    wrong = []
    for name, path in PATHS.items():
        source, (label, _, stem) = path.read_text(encoding="utf-8"), name.partition(".")
        if (label, stem) not in OWN_MIGRATIONS:
            wrong.append(f"{name}: it is no migration of the history")
        wrong += [f"{name}: {one}" for one in complaints_about_name(stem)]
        wrong += [f"{name}: it imports {one}" for one in complaints_about_imports(source)]
        wrong += [f"{name}: {one}" for one in complaints_about_docstring(source)]
    for key in OWN_MIGRATIONS:
        for look in (
            complaints_about_reverses,
            complaints_about_losses,
            complaints_about_atomicity,
            complaints_about_blanks,
            complaints_about_tests,
        ):
            wrong += [f"{'.'.join(key)}: {one}" for one in look(migration(key))]
    wrong += complaints_about_rules(migration(key) for key in OWN_MIGRATIONS)
    wrong += complaints_about_graph(loader().graph, OWN_MIGRATIONS)
    wrong += [
        f"The models of {app} have changes that no migration has: write them down with manage.py db"
        ' revision -m "VERB OBJECT" --autogenerate'
        for app in drift.unwritten(loader())
    ]
    return wrong


def complaints_about_name(name):
    """Return what is wrong with the name of a migration."""
    if name == "0001_initial":
        return []
    match = re.fullmatch(r"\d{4}_([a-z]+)((?:_[a-z0-9]+)+)", name)
    if not match:
        return [f"{name} is not a number, a verb and an object, as in 0007_add_deposit"]
    wrong = []
    if match[1] not in VERBS:
        wrong.append(f"{name} begins with {match[1]}, which is none of: {' '.join(VERBS)}")
    if "_auto_" in name or name.endswith("_and_more"):
        wrong.append(f"{name} was named by a machine: say what it does")
    return wrong


def complaints_about_numbers(names):
    """Return the names whose number is not the next one."""
    return [name for place, name in enumerate(names, start=1) if int(name[:4]) != place]


def imported(source):
    """Return the names of the modules that ``source`` imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {"." * node.level + (node.module or "")}
            if node.module == "hotel.migrator":
                names -= {node.module}
                names |= {f"hotel.migrator.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "__import__",
            "import_module",
        ):
            names.add(f"({ast.unparse(node)})")
    return names


def complaints_about_imports(source):
    """Return the imports that change under an old migration's feet."""
    return [
        name
        for name in sorted(imported(source))
        if name not in MAY_IMPORT
        and not name.startswith("django.")
        and name.split(".")[0] not in sys.stdlib_module_names
    ]


def complaints_about_docstring(source):
    """Return whether the first thing in ``source`` is not one sentence that says what it does."""
    text = ast.get_docstring(ast.parse(source)) or ""
    is_there = re.match(r"\S.+[.:]", text, re.DOTALL)
    return [] if is_there else ["it has no docstring at the top that says what it does"]


def flat(operations_):
    """Return the operations that touch the database, those inside others included."""
    for operation in operations_:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from flat(operation.database_operations)
        else:
            yield operation


def complaints_about_reverses(migration_):
    """Return the operations that do not come down again, or only say so."""
    wrong = []
    for operation in flat(migration_.operations):
        if isinstance(operation, operations.InsertForNewRows):
            continue  # archives what it inserted
        if isinstance(operation, migrations.RunPython):
            reverse, nothing = operation.reverse_code, migrations.RunPython.noop
        elif isinstance(operation, migrations.RunSQL):
            reverse, nothing = operation.reverse_sql, migrations.RunSQL.noop
        else:
            continue
        if reverse is None or reverse == nothing:
            wrong.append(f"{operation.describe()}: nothing takes it back")
    return wrong


def complaints_about_losses(migration_):
    """Return Django's operations that drop rows without archiving them."""
    return [
        f"{operation.describe()}: write operations.{ours.__name__}, which archives what it drops"
        for operation in flat(migration_.operations)
        for theirs, ours in LOSES_ROWS.items()
        if isinstance(operation, theirs) and not isinstance(operation, ours)
    ]


def adds_checks(operation):
    """Tell whether an operation adds rules that PostgreSQL adds in a moment."""
    return isinstance(operation, operations.AddRules) and all(
        isinstance(rule, Check) for rule in operation.rules
    )


def complaints_about_atomicity(migration_):
    """Return the operations that a kill would leave half done, or that need their own steps."""
    resumable = (
        *(BatchedRunPython, operations.AddExtension),
        *(operations.ValidateRules, operations.RemoveRules),
        operations.Unfinished,  # of which another sentence tells
    )
    if migration_.atomic:
        return [
            f"{operation.describe()}: it runs in no transaction, so write atomic = False"
            for operation in flat(migration_.operations)
            if _needs_no_transaction(operation)
        ]
    wrong = [
        f"{operation.describe()}: a kill would leave it half done, so take atomic = False away"
        for operation in flat(migration_.operations)
        if not isinstance(operation, resumable)
        and not adds_checks(operation)
        and not _needs_no_transaction(operation)
    ]
    return wrong or ([] if migration_.operations else ["nothing in it needs atomic = False"])


def _needs_no_transaction(operation):
    """Tell whether an operation is refused in an atomic migration, on one of its two ways."""
    return any(
        needs_none(operation, backwards=backwards, vendor="postgresql")
        for backwards in (False, True)
    )


def complaints_about_locks(loader_, *keys, backwards=False):
    """Return what of some migrations locks a table and, in the same transaction, locks it more."""
    plan = [(loader_.graph.nodes[key], backwards) for key in keys]
    return [one.cause for one in raised(connection, steps.walk(loader_, plan))]


def complaints_about_blanks(migration_):
    """Return what is still to be written into a file that ``db revision`` made."""
    return [
        f"it is still to be filled in: {operation.what}"
        for operation in flat(migration_.operations)
        if isinstance(operation, operations.Unfinished)
    ]


def complaints_about_tests(migration_):
    """Return whether a migration has a rule for rows, and no test of a migration names it."""
    rules = [
        operation
        for operation in flat(migration_.operations)
        if isinstance(operation, migrations.RunPython)
        and not isinstance(operation, operations.CatchUp)
    ]
    if not rules or migration_.name in written_tests():
        return []
    return [f"no test names it: write tests/migrations/test_{migration_.name}.py"]


@cache
def written_tests():
    """Return the text of the tests of migrations of this project."""
    folders = (Path(apps.get_app_config(label).path) / "tests/migrations" for label in OWN_APPS)
    files = (path for folder in folders for path in sorted(folder.glob("test_*.py")))
    return "".join(path.name + path.read_text(encoding="utf-8") for path in files)


def complaints_about_rules(migrations_):
    """Return the rules that would lock their table, or that nothing validates."""
    wrong, added, validated = [], [], []
    for operation in (part for migration_ in migrations_ for part in flat(migration_.operations)):
        if isinstance(operation, migrations.AddConstraint) and isinstance(
            operation.constraint, Rule
        ):
            wrong.append(
                f"{operation.constraint.name}: write operations.AddRules, which exempts old rows"
            )
        if isinstance(operation, operations.AddRules):
            added += [rule.name for rule in operation.rules if isinstance(rule, Check)]
        if isinstance(operation, operations.ValidateRules):
            validated += operation.names
    return wrong + [
        f"{name}: let a migration with operations.ValidateRules follow"
        for name in {*added} - {*validated}
    ]


def complaints_about_order(graph, keys):
    """Return the pairs of neighbours in ``keys`` whose order no chain of dependencies fixes.

    What begins an app may run in any order before all the rest.
    """
    first = [key for key in keys if not graph.node_map[key].parents or key[1] == "0001_initial"]
    rest = [key for key in keys if key not in first]
    pairs = [*((key, rest[0]) for key in first if rest), *pairwise(rest)]
    return [(one, other) for one, other in pairs if one not in graph.forwards_plan(other)]


def complaints_about_graph(graph, keys):
    """Return what is wrong with the order of the migrations ``keys``: of several faults the cause.

    An app that ends twice has numbers twice, and no order.
    """
    for label in dict.fromkeys(label for label, _ in keys):
        ends = sorted(graph.leaf_nodes(label))
        if len(ends) > 1:
            named = " and ".join(map(".".join, ends))
            return [f"{label} ends in {named}: join them with manage.py db merge {label}"]
        if wrong := complaints_about_numbers(sorted(name for app, name in keys if app == label)):
            return [f"{label}.{wrong[0]}: its number is not the next one"]
    own = {*keys}
    ends = [
        key
        for key in keys
        if not own & {child.key for child in graph.node_map[key].children}
        and key[1] != "0001_initial"
    ]
    pairs = [tuple(ends)] if len(ends) > 1 else complaints_about_order(graph, keys)
    return [
        f"Nothing says in which order {' and '.join(map('.'.join, pair))} run: let the one that is"
        " new depend on the other"
        for pair in pairs
    ]


def complaints_about_drivers(names):
    """Return the distributions that would make Django take psycopg 3 instead of psycopg2."""
    return sorted(names & {"psycopg", "psycopg-binary", "psycopg-c"})


def complaints_about_knowledge(source, hotel_apps):
    """Return what ``source``, a module of the migrator, imports of the hotel."""
    return [
        name
        for name in sorted(imported(source))
        if name.split(".")[0] in hotel_apps or ".".join(name.split(".")[:2]) in hotel_apps
    ]


def complaints_about_django(version):
    """Return what to read again before another version of Django is trusted."""
    if version[:2] == VERIFIED:
        return []
    return [
        f"Django {version[0]}.{version[1]} is not the verified one. Read its executor, loader,"
        " recorder, writer and schema editors against hotel/migrator/ (operations._owner,"
        " CreateModel, AddField, RemoveField, AlterField, RunPython.deconstruct), run every test on"
        " both engines, and then change VERIFIED."
    ]
