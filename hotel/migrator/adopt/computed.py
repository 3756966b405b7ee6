"""Columns of the legacy system that a later migration lets the database compute: what changes."""

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict, cast

from django.db.migrations.operations import AddField, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.models import F, Q

from hotel.migrator.adopt.inspection import Look
from hotel.migrator.adopt.shapes import Recognised
from hotel.migrator.revisions.targets import label

SHOWN = 5  # keys that are named


class Change(TypedDict):
    """What a migration will do to such a column, and the first of the rows that change."""

    table: str
    column: str
    migration: str  # which computes the column
    empty: int  # rows that get a value
    differing: int  # rows that get another value than stood there
    ids: list[int]


def anew(look: Look, recognised: Recognised) -> list[Change]:
    """Return what stands in such columns and will not be what is computed."""
    known = {model._meta.label_lower: model for model in look.models.values()}
    changes = []
    for key, operation in _computing(look):
        model = known.get(f"{key[0]}.{operation.model_name_lower}")
        if model is None:
            continue
        table = model._meta.db_table
        columns = {one.name: one.column for one in model._meta.local_fields}
        column = columns.get(operation.name)
        if column is None or (column, column) not in recognised.tables.get(table, ()):
            continue  # this shape lacks it
        rows = model._base_manager.using(look.connection.alias)
        rows = rows.annotate(anew=cast(Any, operation.field).expression)
        differing = rows.exclude(**{operation.name: None}).filter(~Q(anew=F(operation.name)))
        change = Change(
            table=table,
            column=column,
            migration=label(key),
            empty=rows.filter(**{operation.name: None}).exclude(anew=None).count(),
            differing=differing.count(),
            ids=list(differing.order_by("pk").values_list("pk", flat=True)[:SHOWN]),
        )
        if change["empty"] or change["differing"]:
            changes.append(change)
    return changes


def _computing(look: Look) -> Iterator[tuple[tuple[str, str], AddField]]:
    """Yield the operations that make a column which the database computes, by migration."""
    for key in look.order:
        for operation in _flat(look.loader.graph.nodes[key].operations):
            if isinstance(operation, AddField) and operation.field.generated:
                yield key, operation


def lines(changes: list[Change]) -> Iterator[str]:
    """Yield in words what ``anew`` returns."""
    if changes:
        yield "Computed by the database later, what is stored archived:"
    for one in changes:
        more = " …" if one["differing"] > len(one["ids"]) else ""
        keys = f" (id {', '.join(map(str, one['ids']))}{more})" if one["ids"] else ""
        yield (
            f"  {one['table']}.{one['column']}: {one['migration']} changes {one['differing']}{keys}"
            f" and fills {one['empty']}"
        )


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
            yield from _flat(operation.state_operations)
        else:
            yield operation
