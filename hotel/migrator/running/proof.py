"""What ``migrate`` prints to prove that nothing was lost: rows and sums of money, before -> after.

Every table that held rows is counted, and every decimal column summed, before the first and after
the last migration of a run: one scan of each table a time. ``--verbosity 0`` leaves it out.
"""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import StateApps

from hotel.migrator.scope import is_installed_package
from hotel.migrator.storage.tables import columns_of

logger = logging.getLogger(__name__)

Measured: TypeAlias = dict[str, dict[str, Any]]  # rows and sums, by table

_before: dict[str, Measured] = {}  # what was counted when a run began, by database alias


def begin(
    _sender: object,
    *,
    using: str,
    verbosity: int = 1,
    plan: Sequence[object] = (),
    apps: StateApps | None = None,
    **_: object,
) -> None:
    """Count before a run; a receiver of ``pre_migrate``."""
    _before[using] = measure(connections[using], apps) if plan and verbosity and apps else {}


def end(_sender: object, *, using: str, apps: StateApps | None = None, **_: object) -> None:
    """Count after a run and log one line a table; a receiver of ``post_migrate``."""
    before = _before.pop(using, {})
    if not (before and apps):
        return
    after = measure(connections[using], apps)
    for level, line in compare(before, after):
        logger.log(level, line)


def measure(connection: BaseDatabaseWrapper, apps: Apps) -> Measured:
    """Return ``{table: {"rows": count, column: sum, …}}`` for this project's tables.

    apps: the models at this point of the history. Sums are those of the decimal columns.
    """
    measured: Measured = {}
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not _is_ours(model) or table not in present:
                continue
            there = columns_of(connection, table)
            sums = [
                field
                for field in model._meta.local_concrete_fields
                if isinstance(field, models.DecimalField) and field.column in there
            ]
            wanted = ["count(*)", *(f"sum({quote(str(field.column))})" for field in sums)]
            cursor.execute(f"SELECT {', '.join(wanted)} FROM {quote(table)}")
            rows, *values = cursor.fetchone()
            measured[table] = {"rows": rows}
            for field, value in zip(sums, values, strict=True):
                # SQLite adds floating point numbers: its last digits are noise.
                measured[table][str(field.column)] = round(
                    Decimal(value or 0), field.decimal_places
                )
    return measured


def compare(before: Measured, after: Measured) -> list[tuple[int, str]]:
    """Return level and line of each table that held rows: ``rows 3 -> 3, amount 1.00 -> 1.00``.

    Fewer rows are a warning: no migration of this project deletes any without saying so.
    """
    lines: list[tuple[int, str]] = []
    for table, was in sorted(before.items()):
        became = after.get(table)
        if not was["rows"]:
            continue
        if became is None:
            lines.append((logging.INFO, f"{table}: rows {was['rows']} -> no such table any more"))
            continue
        pairs = [
            f"{name} {value} -> {became.get(name, 'no decimal column any more')}"
            for name, value in was.items()
        ]
        lost = was["rows"] - became["rows"]
        if lost > 0:
            pairs[0] += f" ({lost} FEWER)"
        level = logging.WARNING if lost > 0 else logging.INFO
        lines.append((level, f"{table}: {', '.join(pairs)}"))
    return lines


def _is_ours(model: type[models.Model]) -> bool:
    """Tell a model of this project from one of an installed package, such as Django's."""
    config = current_apps.app_configs.get(model._meta.app_label)
    return config is not None and not is_installed_package(config)
