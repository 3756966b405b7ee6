"""What every migration of this project must keep to, and that each of these checks can fail."""

import ast
import random
import re
import sys
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.backends.postgresql.psycopg_any import is_psycopg3
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader

from conftest import OWN_APPS, OWN_MIGRATIONS
from hotel.migrator import operations
from hotel.migrator.constraints import Check, Rule
from hotel.migrator.naming import VERBS
from hotel.migrator.operations import BatchedRunPython

VERIFIED = (5, 2)  # the version of Django whose executor, loader and writer were read

MAY_IMPORT = {
    "django",
    "hotel.migrator.constraints",
    "hotel.migrator.expressions",
    "hotel.migrator.fields",
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
    found = {}
    for label in OWN_APPS:
        folder = Path(apps.get_app_config(label).path) / "migrations"
        found |= {f"{label}.{path.stem}": path for path in sorted(folder.glob("[!_]*.py"))}
    return found


PATHS = paths()
each_file = pytest.mark.parametrize("path", PATHS.values(), ids=list(PATHS))
each_migration = pytest.mark.parametrize("key", OWN_MIGRATIONS, ids=".".join)


@cache
def loader():
    return MigrationLoader(None)


def migration(key):
    return loader().disk_migrations[key]


def test_every_file_is_a_migration_of_the_history():
    assert sorted(PATHS) == sorted(".".join(key) for key in OWN_MIGRATIONS)


# Names


def complaints_about_name(name):
    """Return what is wrong with the name of a migration."""
    if name == "0001_initial":
        return []
    match = re.fullmatch(r"\d{4}_([a-z]+)((?:_[a-z0-9]+)+)", name)
    if not match:
        return [f"{name} is not a number, a verb and an object, as in 0007_add_deposit"]
    found = []
    if match[1] not in VERBS:
        found.append(f"{name} begins with {match[1]}, which is none of: {' '.join(VERBS)}")
    if "_auto_" in name or name.endswith("_and_more"):
        found.append(f"{name} was named by a machine: say what it does")
    return found


@each_file
def test_name_is_a_number_a_verb_and_an_object(path):
    assert complaints_about_name(path.stem) == []


@pytest.mark.parametrize(
    "name",
    [
        "0002_auto_20261124_0319",
        "0002_room_floor_and_more",
        "0002_add_floor_and_more",
        "0002_add_auto_20261124",
        "0002_room_floor",
        "0002_add",
        "2_add_floor",
        "0002_Add_floor",
        "add_floor",
    ],
)
def test_bad_name_is_found(name):
    assert complaints_about_name(name) != []


def complaints_about_numbers(names):
    """Return the names whose number is not the next one."""
    return [name for place, name in enumerate(names, start=1) if int(name[:4]) != place]


@pytest.mark.parametrize("label", OWN_APPS)
def test_numbers_have_no_gap_and_none_comes_twice(label):
    assert complaints_about_numbers(sorted(n for app, n in OWN_MIGRATIONS if app == label)) == []


@pytest.mark.parametrize("name", ["0003_add_gap", "0001_add_twin"])
def test_bad_number_is_found(name):
    assert complaints_about_numbers(["0001_initial", name]) == [name]


# Text


def imported(source):
    """Return the names of the modules that ``source`` imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {"." * node.level + (node.module or "")}
            if node.module == "hotel.migrator":
                found -= {node.module}
                found |= {f"hotel.migrator.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "__import__",
            "import_module",
        ):
            found.add(f"({ast.unparse(node)})")
    return found


def complaints_about_imports(source):
    """Return the imports that change under an old migration's feet."""
    return [
        name
        for name in sorted(imported(source))
        if name not in MAY_IMPORT
        and not name.startswith("django.")
        and name.split(".")[0] not in sys.stdlib_module_names
    ]


@each_file
def test_imports_are_those_that_never_change(path):
    assert complaints_about_imports(path.read_text()) == []


@pytest.mark.parametrize(
    "source, complaint",
    [
        ("from rooms.models import Room", "rooms.models"),
        ("import rooms.models", "rooms.models"),
        ("from . import rules", "."),
        ("from ..models import Room", "..models"),
        ("def fill(apps, value):\n    from rooms.services import price", "rooms.services"),
        ("from hotel.migrator.batches import Batches", "hotel.migrator.batches"),
        ("from hotel.migrator import batches", "hotel.migrator.batches"),
        ("from hotel import settings", "hotel"),
        ("import environ", "environ"),
        ("import_module('rooms.models')", "(import_module('rooms.models'))"),
        ("importlib.import_module('rooms')", "(importlib.import_module('rooms'))"),
    ],
)
def test_bad_import_is_found(source, complaint):
    assert complaints_about_imports(source) == [complaint]


def test_good_imports_are_not_found():
    source = (
        "import re\nfrom decimal import Decimal\nfrom django.db import models\n"
        "from hotel.migrator import operations\nfrom hotel.migrator.fields import X\n"
    )
    assert complaints_about_imports(source) == []


def complaints_about_docstring(source):
    """Return whether the first thing in ``source`` is not one sentence that says what it does."""
    text = ast.get_docstring(ast.parse(source)) or ""
    return [] if re.match(r"\S.+[.:]", text, re.DOTALL) else ["no docstring at the top"]


@each_file
def test_file_says_what_it_does(path):
    assert complaints_about_docstring(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    ["import re", "# Generated by Django 5.2", '""""""', '"""Changes"""', 'import re\n"""Late."""'],
)
def test_missing_docstring_is_found(source):
    assert complaints_about_docstring(source) == ["no docstring at the top"]


# Operations


def flat(operations_):
    """Return the operations that touch the database, those inside others included."""
    for operation in operations_:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from flat(operation.database_operations)
        else:
            yield operation


def complaints_about_reverses(migration_):
    """Return the operations that do not come down again, or only say so."""
    found = []
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
            found.append(operation.describe())
    return found


@each_migration
def test_every_step_has_its_reverse(key):
    assert complaints_about_reverses(migration(key)) == []


def sample(*operations_, atomic=True):
    made = migrations.Migration("0002_sample", "rooms")
    made.operations, made.atomic = list(operations_), atomic
    return made


def rule(apps, value):
    return value


NO_WAY_BACK = [
    migrations.RunPython(rule),
    migrations.RunPython(rule, migrations.RunPython.noop),
    BatchedRunPython(rule, None, "room", "status"),
    BatchedRunPython(rule, migrations.RunPython.noop, "room", "status"),
    migrations.RunSQL("SELECT 1"),
    migrations.RunSQL("SELECT 1", migrations.RunSQL.noop),
    migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("SELECT 1")]),
]


@pytest.mark.parametrize("operation", NO_WAY_BACK, ids=lambda sample: type(sample).__name__)
def test_missing_reverse_is_found(operation):
    assert len(complaints_about_reverses(sample(operation))) == 1


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RunPython(rule, rule),
        BatchedRunPython(rule, BatchedRunPython.keep, "room", "status"),
        BatchedRunPython(rule, BatchedRunPython.clear, "room", "status"),
        operations.InsertForNewRows(rule, "room"),
        migrations.RunSQL("SELECT 1", "SELECT 2"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_reverse_that_is_there_is_not_found(operation):
    assert complaints_about_reverses(sample(operation)) == []


def complaints_about_losses(migration_):
    """Return Django's operations that drop rows without archiving them."""
    return [
        f"{operation.describe()}: write operations.{ours.__name__}"
        for operation in flat(migration_.operations)
        for theirs, ours in LOSES_ROWS.items()
        if isinstance(operation, theirs) and not isinstance(operation, ours)
    ]


@each_migration
def test_nothing_is_dropped_without_being_archived(key):
    assert complaints_about_losses(migration(key)) == []


@pytest.mark.parametrize(
    "operation, complaint",
    [
        (
            migrations.CreateModel("Room", []),
            "Create model Room: write operations.CreateModel",
        ),
        (migrations.DeleteModel("Room"), "Delete model Room: write operations.DeleteModel"),
        (
            migrations.AddField("room", "floor", models.IntegerField(null=True)),
            "Add field floor to room: write operations.AddField",
        ),
        (
            migrations.SeparateDatabaseAndState([migrations.RemoveField("room", "floor")]),
            "Remove field floor from room: write operations.RemoveField",
        ),
    ],
    ids=lambda sample: type(sample).__name__,
)
def test_loss_is_found(operation, complaint):
    assert complaints_about_losses(sample(operation)) == [complaint]


def test_column_that_leaves_the_models_only_loses_nothing():
    retired = migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("room", "floor")]
    )
    assert complaints_about_losses(sample(retired)) == []


def complaints_about_atomicity(migration_):
    """Return the operations that a kill would leave half done, or that need their own steps."""
    needs_it = operations.RequireField | operations.AddIndex | operations.RemoveIndex
    resumable = needs_it | BatchedRunPython | operations.AddExtension
    if migration_.atomic:
        return [
            f"{operation.describe()}: write atomic = False"
            for operation in flat(migration_.operations)
            if isinstance(operation, needs_it)
        ]
    found = [
        f"{operation.describe()}: not in a migration with atomic = False"
        for operation in flat(migration_.operations)
        if not isinstance(operation, resumable)
    ]
    return found or ([] if migration_.operations else ["nothing needs atomic = False"])


@each_migration
def test_migration_without_a_transaction_has_only_steps_that_can_be_resumed(key):
    assert complaints_about_atomicity(migration(key)) == []


REQUIRE = operations.RequireField("room", "floor", models.IntegerField(), backfill="0001_x")
BATCHED = BatchedRunPython(rule, BatchedRunPython.keep, "room", "status")


@pytest.mark.parametrize(
    "sample_, complaint",
    [
        (sample(REQUIRE), "Require floor of room: write atomic = False"),
        (
            sample(operations.RemoveIndex("room", "rooms_status_idx")),
            "Remove index rooms_status_idx from room: write atomic = False",
        ),
        (
            sample(BATCHED, operations.DeleteModel("Room"), atomic=False),
            "Delete model Room: not in a migration with atomic = False",
        ),
        (
            sample(migrations.RunPython(rule, rule), atomic=False),
            "Raw Python operation: not in a migration with atomic = False",
        ),
        (sample(atomic=False), "nothing needs atomic = False"),
    ],
)
def test_wrong_transaction_is_found(sample_, complaint):
    assert complaints_about_atomicity(sample_) == [complaint]


def test_right_transactions_are_not_found():
    assert complaints_about_atomicity(sample(REQUIRE, BATCHED, atomic=False)) == []
    assert complaints_about_atomicity(sample(BATCHED)) == []


def complaints_about_blanks(migration_):
    """Return what is still to be written into a file that ``db revision`` made."""
    return [
        f"still to be written: {operation.what}"
        for operation in flat(migration_.operations)
        if isinstance(operation, operations.Unfinished)
    ]


@each_migration
def test_nothing_is_left_to_be_written(key):
    assert complaints_about_blanks(migration(key)) == []


def test_what_is_left_to_be_written_is_found():
    blank = sample(operations.Unfinished("the rule"), BATCHED, atomic=False)
    assert complaints_about_blanks(blank) == ["still to be written: the rule"]


def complaints_about_rules(migrations_):
    """Return the rules that would lock their table, or that nothing validates."""
    found, added, validated = [], [], []
    for operation in (part for migration_ in migrations_ for part in flat(migration_.operations)):
        if isinstance(operation, migrations.AddConstraint) and isinstance(
            operation.constraint, Rule
        ):
            found.append(f"{operation.constraint.name}: write operations.AddRules")
        if isinstance(operation, operations.AddRules):
            added += [rule.name for rule in operation.rules if isinstance(rule, Check)]
        if isinstance(operation, operations.ValidateRules):
            validated += operation.names
    return found + [f"{name}: write operations.ValidateRules" for name in {*added} - {*validated}]


def test_rules_are_added_without_a_long_lock_and_validated():
    assert complaints_about_rules(migration(key) for key in OWN_MIGRATIONS) == []


FEW = Check(name="few", condition=models.Q(floor__lt=9))


@pytest.mark.parametrize(
    "operation, complaint",
    [
        (migrations.AddConstraint("room", FEW), "few: write operations.AddRules"),
        (operations.AddRules("room", [FEW]), "few: write operations.ValidateRules"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_rule_that_locks_or_is_not_validated_is_found(operation, complaint):
    assert complaints_about_rules([sample(operation)]) == [complaint]


# Graph


@pytest.mark.parametrize("label", OWN_APPS)
def test_app_has_one_leaf(label):
    assert len(loader().graph.leaf_nodes(label)) == 1


def test_two_leaves_are_found():
    graph = drawn("rooms.1 > rooms.2a, rooms.1 > rooms.2b")
    assert graph.leaf_nodes("rooms") == [("rooms", "2a"), ("rooms", "2b")]


def drawn(arrows):
    """Return the graph of ``app.name > app.name, …``: the second depends on the first."""
    graph = MigrationGraph()
    pairs = [tuple(arrow.split(" > ")) for arrow in arrows.split(", ")]
    nodes = {node: tuple(node.split(".")) for pair in pairs for node in pair}
    for key in nodes.values():
        graph.add_node(key, migrations.Migration(key[1], key[0]))
    for parent, child in pairs:
        graph.add_dependency(None, nodes[child], nodes[parent])
    return graph


def complaints_about_order(graph, keys):
    """Return the pairs of neighbours in ``keys`` whose order no chain of dependencies fixes.

    What begins an app may run in any order before all the rest.
    """
    first = [key for key in keys if not graph.node_map[key].parents or key[1] == "0001_initial"]
    rest = [key for key in keys if key not in first]
    pairs = [*((key, rest[0]) for key in first if rest), *pairwise(rest)]
    return [(one, other) for one, other in pairs if one not in graph.forwards_plan(other)]


def test_dependencies_alone_fix_the_order_of_the_history():
    assert complaints_about_order(loader().graph, OWN_MIGRATIONS) == []


def test_order_that_is_an_accident_is_found():
    graph = drawn("a.1 > a.2, b.1 > b.2, a.1 > b.2, b.1 > a.2")
    keys = [("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")]
    assert complaints_about_order(graph, keys) == [(("a", "2"), ("b", "2"))]
    graph = drawn("a.1 > a.2, b.1 > b.2, a.2 > b.2")
    assert complaints_about_order(graph, keys) == [(("b", "1"), ("a", "2"))]
    graph = drawn("a.1 > a.2, b.1 > b.2, a.2 > b.2, b.1 > a.2")
    assert complaints_about_order(graph, keys) == []


@pytest.mark.parametrize("seed", range(8))
def test_order_does_not_depend_on_that_of_the_apps(seed):
    executor = MigrationExecutor(None)
    leaves = executor.loader.graph.leaf_nodes()
    random.Random(seed).shuffle(leaves)
    if seed == 0:
        leaves = sorted(leaves, reverse=True)
    plan = executor.migration_plan(leaves, clean_start=True)
    own = [(m.app_label, m.name) for m, _ in plan if m.app_label in OWN_APPS]

    def split(keys):
        first = [key for key in keys if key[1] == "0001_initial"]
        return sorted(first), [key for key in keys if key not in first]

    assert split(own) == split(OWN_MIGRATIONS)
    assert sorted(own[: len(OWN_APPS)]) == sorted((app, "0001_initial") for app in OWN_APPS)


def test_models_have_no_change_without_a_migration(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


# Around


def complaints_about_drivers(names):
    """Return the distributions that would make Django take psycopg 3 instead of psycopg2."""
    return sorted(names & {"psycopg", "psycopg-binary", "psycopg-c"})


def test_driver_of_postgresql_is_psycopg2():
    names = {distribution.name.lower() for distribution in metadata.distributions()}
    assert complaints_about_drivers(names) == []
    assert not is_psycopg3


def test_other_driver_is_found():
    assert complaints_about_drivers({"django", "psycopg2-binary", "psycopg"}) == ["psycopg"]


def complaints_about_knowledge(source, hotel_apps):
    """Return what ``source``, a module of the migrator, imports of the hotel."""
    return [
        name
        for name in sorted(imported(source))
        if name.split(".")[0] in hotel_apps or ".".join(name.split(".")[:2]) in hotel_apps
    ]


HOTEL = [apps.get_app_config(label).name for label in OWN_APPS]
MIGRATOR = [
    path
    for path in Path(apps.get_app_config("migrator").path).rglob("*.py")
    if "tests" not in path.parts
]


@pytest.mark.parametrize("path", MIGRATOR, ids=lambda path: path.stem)
def test_migrator_knows_nothing_of_hotels(path):
    assert complaints_about_knowledge(path.read_text(), HOTEL) == []


@pytest.mark.parametrize(
    "source", ["from rooms.models import Room", "import hotel.dashboard", "import accounts"]
)
def test_knowledge_of_hotels_is_found(source):
    assert len(complaints_about_knowledge(source, HOTEL)) == 1


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


def test_django_is_the_version_that_was_verified():
    assert complaints_about_django(django.VERSION) == []


def test_other_django_is_found():
    [complaint] = complaints_about_django((6, 0, 1, "final", 0))
    assert complaint.startswith("Django 6.0 is not the verified one.")


INSERTING = [
    (key, operation)
    for key in OWN_MIGRATIONS
    for operation in migration(key).operations
    if isinstance(operation, operations.InsertForNewRows)
]


@pytest.mark.parametrize("key, operation", INSERTING, ids=[".".join(key) for key, _ in INSERTING])
def test_what_is_inserted_is_said_without_a_look_at_the_rows(history, key, operation):
    """A script is written where there are none."""

    def refuse(execute, sql, *arguments):
        raise AssertionError(f"{operation.describe()} reads: {sql}")

    models_ = history.before(key).apps
    label, _, name = operation.model_name.rpartition(".")
    rows = models_.get_model(label or key[0], name).objects.order_by("pk")
    with connection.execute_wrapper(refuse):
        inserts = operation.code(models_, rows)
        assert inserts
        for insert in inserts:
            sql, _ = insert.query.query.get_compiler("default").as_sql()
            assert sql.startswith("SELECT ")
            assert " ORDER BY " in sql
