"""What preflight says of the throw-away apps, and what most of its sentences end with."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator.preflight import findings

UPGRADE = "and run manage.py db upgrade again."
FILL = f"Fill them, by hand or with a RunPython before that operation, {UPGRADE}"
TWINS = (
    "Change or delete all but one of each, by hand or with a RunPython before that operation,"
    f" {UPGRADE}"
)
MAY_CHANGE = "runs first and may change that."
LOOK = "If it does not, manage.py db upgrade fails there: look at them."


def looked(*targets, plan=None, **options):
    """Return the findings about the way to ``targets``, or to head, or about a plan of keys."""
    executor = MigrationExecutor(connection)
    if plan is None:
        plan = executor.migration_plan(list(targets) or executor.loader.graph.leaf_nodes())
    else:
        plan = [(executor.loader.graph.nodes[key], backwards) for key, backwards in plan]
    return findings(connection, executor.loader, plan, **options)


def only(*targets, **options):
    [finding] = looked(*targets, **options)
    return finding


def facts(finding):
    """Return whether it refuses, its kind, its cause, how many rows and which."""
    return finding.refuses, finding.kind, finding.cause, finding.count, finding.keys


NAMES = ("101", "202", "attic")  # with the floors 1, 2 and NULL


def alter(rooms, field, name="floor", **options):
    return rooms.write(
        "0002_change", f'migrations.AlterField("room", "{name}", {field})', **options
    )
