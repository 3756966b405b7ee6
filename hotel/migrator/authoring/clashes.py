"""Whether the branches of an app touch the same model or column, so that their order matters."""

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import ModelOperation, ModelOptionOperation
from django.db.migrations.writer import OperationWriter

from hotel.migrator.operations import BatchedRunPython
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.revisions.targets import Key

WHOLE = (migrations.CreateModel, migrations.DeleteModel, migrations.RenameModel)
GONE = (migrations.DeleteModel, migrations.RenameModel)
GONE_FIELD = (migrations.RemoveField, migrations.RenameField)
REFERRING = (migrations.CreateModel, FieldOperation)


def lineage(graph: Graph, key: Key) -> set[Key]:
    """Return the ancestors of ``key`` on lines of its own app, and itself."""
    line, left = {key}, [key]
    while left:
        near = [parent for parent in graph.near(left.pop(), graph.parents) if parent not in line]
        line.update(near)
        left += near
    return line


def sides(graph: Graph, app: str) -> list[list[Key]]:
    """Return for each leaf of ``app`` what leads to it alone or to some leaves, in order."""
    leaves = sorted(graph.leaves(app))
    lines = [lineage(graph, leaf) for leaf in leaves]
    common = frozenset.intersection(*map(frozenset, lines))
    return [sorted(line - common, key=graph.place.__getitem__) for line in lines]


def find(loader: MigrationLoader, app: str, sides: list[list[Key]]) -> list[str]:
    """Return what two sides both touch, each as a text with the migrations that do."""
    clashing: dict[str, None] = {}
    for one, other in combinations(sides, 2):
        shared = {*one} & {*other}
        for key, first in _steps(loader, one, shared):
            for key_, second in _steps(loader, other, shared):
                thing = _clash(app, first, second)
                if thing:
                    text = (
                        f"{thing} ({first.describe()} in {key[1]},"
                        f" {second.describe()} in {key_[1]})"
                    )
                    clashing[text] = None
    return list(clashing)


def opaque(loader: MigrationLoader, sides: list[list[Key]]) -> list[str]:
    """Return the migrations with steps of which nobody can tell what they touch."""
    keys = dict.fromkeys(
        key for side in sides for key, step in _steps(loader, side, ()) if not _models(step)
    )
    return [".".join(key) for key in keys]


def _steps(
    loader: MigrationLoader, side: list[Key], left_out: Collection[Key]
) -> list[tuple[Key, Operation]]:
    return [
        (key, step)
        for key in side
        if key not in left_out
        for step in flat(loader.disk_migrations[key].operations)
    ]


def flat(steps: Iterable[Operation]) -> Iterator[Operation]:
    """Return all steps, those inside others included, once each."""
    for step in steps:
        if isinstance(step, migrations.SeparateDatabaseAndState):
            yield from flat([*step.database_operations, *step.state_operations])
        else:
            yield step


def _clash(app: str, one: Operation, other: Operation) -> str | None:
    """Return the name of what both steps touch, or None."""
    for model in sorted(_models(one) & _models(other)):
        if isinstance(one, WHOLE) or isinstance(other, WHOLE):
            return f"the model {model}"
        both = _parts(one) & _parts(other)
        for gone, step in ((one, other), (other, one)):
            if isinstance(gone, GONE_FIELD):
                both |= _parts(gone) & _words(step)
        if both:
            return f"{model}.{min(both)}"
    for gone, step in ((one, other), (other, one)):
        if not (isinstance(gone, GONE) and isinstance(step, REFERRING)):
            continue
        if step.references_model(gone.name, app):
            return f"the model {gone.name_lower}"
    return None


def _models(step: Operation) -> set[str]:
    """Return the models that a step changes, in lower case."""
    if isinstance(step, migrations.RenameModel):
        return {step.old_name_lower, step.new_name_lower}
    if isinstance(step, ModelOperation):
        return {step.name_lower}
    name = getattr(step, "model_name", None)
    return {name.lower()} if name else set()


def _parts(step: Operation) -> set[str]:
    """Return what of its model a step changes: columns, indexes, rules, options."""
    if isinstance(step, migrations.RenameField):
        return {step.old_name_lower, step.new_name_lower}
    if isinstance(step, FieldOperation):
        return {step.name_lower}
    if isinstance(step, BatchedRunPython):
        return {step.field_name.lower(), step.source.lower()}
    if isinstance(step, ModelOptionOperation):
        return {type(step).__name__}
    if isinstance(step, migrations.RenameIndex):
        return {name for name in (step.old_name, step.new_name) if name}
    named = [getattr(step, "index", None), getattr(step, "constraint", None)]
    named += getattr(step, "rules", None) or []
    names = {part.name for part in named if part is not None}
    return {*names, *(getattr(step, "names", None) or []), getattr(step, "name", None)} - {None}


def _words(step: Operation) -> set[str]:
    """Return every name in the source text of a step, in lower case."""
    try:
        text, _ = OperationWriter(step, indentation=0).serialize()
    except ValueError:  # a function without a name
        text = repr(step.deconstruct())
    return {part for word in re.findall(r"\w+", text.lower()) for part in word.split("__")}
