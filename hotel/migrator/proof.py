"""What ``migrate`` prints to prove that nothing was lost: rows and sums of money, before -> after.

Every table that held rows is counted, and every decimal column summed, before the first and after
the
last migration of a run: one scan of each table a time. ``--verbosity 0`` leaves it out.
"""

import logging
from decimal import Decimal

from django.apps import apps as current_apps
from django.db import connections, models

logger = logging.getLogger(__name__)

_before = {}  # what was counted when a run began, by database alias


def begin(sender, *, using, verbosity=1, plan=(), apps=None, **kwargs):
    """Count before a run; a receiver of ``pre_migrate``."""
    _before[using] = measure(connections[using], apps) if plan and verbosity and apps else {}


def end(sender, *, using, apps=None, **kwargs):
    """Count after a run and log one line a table; a receiver of ``post_migrate``."""
    before = _before.pop(using, {})
    if not before:
        return
    after = measure(connections[using], apps)
    for level, line in compare(before, after):
        logger.log(level, line)


def measure(connection, apps):
    """Return ``{table: {"rows": count, column: sum, …}}`` for this project's tables.

    apps: the models at this point of the history. Sums are those of the decimal columns.
    """
    measured = {}
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not _is_ours(model) or table not in present:
                continue
            description = connection.introspection.get_table_description(cursor, table)
            there = {column.name for column in description}
            sums = [
                field
                for field in model._meta.local_concrete_fields
                if isinstance(field, models.DecimalField) and field.column in there
            ]
            wanted = ["count(*)", *(f"sum({quote(field.column)})" for field in sums)]
            cursor.execute(f"SELECT {', '.join(wanted)} FROM {quote(table)}")
            rows, *values = cursor.fetchone()
            measured[table] = {"rows": rows}
            for field, value in zip(sums, values, strict=True):
                # SQLite adds floating point numbers: its last digits are noise.
                measured[table][field.column] = round(Decimal(value or 0), field.decimal_places)
    return measured


def compare(before, after):
    """Return level and line of each table that held rows: ``rows 3 -> 3, amount 1.00 -> 1.00``.

    Fewer rows are a warning: no migration of this project deletes any without saying so.
    """
    lines = []
    for table, was in sorted(before.items()):
        became = after.get(table)
        if not was["rows"]:
            continue
        if became is None:
            lines.append((logging.INFO, f"{table}: rows {was['rows']} -> no such table any more"))
            continue
        pairs = [
            f"{name} {value} -> {became.get(name, 'no such column any more')}"
            for name, value in was.items()
        ]
        lost = was["rows"] - became["rows"]
        if lost > 0:
            pairs[0] += f" ({lost} FEWER)"
        level = logging.WARNING if lost > 0 else logging.INFO
        lines.append((level, f"{table}: {', '.join(pairs)}"))
    return lines


def _is_ours(model):
    """Tell a model of this project from one that Django brings along."""
    label = model._meta.app_label
    return label in current_apps.app_configs and not current_apps.get_app_config(
        label
    ).name.startswith("django.")
