"""A plan, operation by operation, and which live table and column each of them means.

Nothing is run: the states are walked, and what the plan renames, makes or drops before an operation
is followed in ``Live``. Its private parts of Django are verified with Django 5.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.contenttypes.management import RenameContentType
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import (  # type: ignore[attr-defined]  # private of Django
    _related_non_m2m_objects,
)
from django.db.backends.utils import strip_quotes, truncate_name
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import (
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import Value

from hotel.migrator import operations
from hotel.migrator.editors.generated import AnyField, MaybeField
from hotel.migrator.editors.sqlite_objects import is_index

VOLATILE = ("Random", "RandomUUID")  # defaults that the database computes for each row anew
Pair: TypeAlias = "tuple[Table | None, Table | None]"
# Migrations, and whether each goes down; revisions.graph.Plan is one of keys.
DjangoPlan: TypeAlias = Sequence[tuple[Migration, bool]]

EVERYTHING = object()  # what an operation may write of which nobody can tell what it writes


@dataclass(frozen=True)
class Step:
    """One operation that touches the database, with the models before and after it, as it runs."""

    migration: Migration
    operation: Operation
    backwards: bool
    before: ProjectState
    after: ProjectState
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Return the migration as ``app.0003_name``."""
        return str(self.migration)

    @property
    def app(self) -> str:
        """Return the label of the application whose models this is about."""
        return self.migration.app_label

    def describe(self) -> str:
        """Return the operation in words."""
        return self.operation.describe()


def walk(loader: MigrationLoader, plan: DjangoPlan) -> list[Step]:
    """Return the steps of a plan of Django's, a list of ``(migration, backwards)``, in its order.

    What ``SeparateDatabaseAndState`` does to the state alone is no step.
    """
    if not plan:  # nor need what is applied fit together
        return []
    graph, applied = loader.graph, loader.applied_migrations
    order = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    planned = {(migration.app_label, migration.name): back for migration, back in plan}
    state, by_key = ProjectState(real_apps=loader.unmigrated_apps), {}
    for key in order:  # what goes down is met on the way to the state that stands
        if planned.get(key):
            state, by_key[key] = _steps(graph.nodes[key], state, backwards=True)
        elif key in applied and key not in planned:
            graph.nodes[key].mutate_state(state, preserve=False)
    for key in order:
        if planned.get(key) is False:
            state, by_key[key] = _steps(graph.nodes[key], state, backwards=False)
    keys = [(migration.app_label, migration.name) for migration, _ in plan]
    return [step for key in keys for step in by_key.get(key, ())]


def _steps(
    migration: Migration, state: ProjectState, backwards: bool
) -> tuple[ProjectState, list[Step]]:
    steps = []
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        steps += _parts(migration, operation, state, after)
        state = after
    if backwards:
        steps = [
            Step(migration, step.operation, True, step.after, step.before)
            for step in reversed(steps)
        ]
    return state.clone(), steps  # the last step keeps its own


def of(
    migration: Migration,
    moves: Iterable[tuple[Operation, ProjectState, ProjectState]],
    backwards: bool,
) -> list[Step]:
    """Return the steps of a migration of which the runner has made the states.

    moves: ``(operation, before, after)`` as they run.
    """
    walked = []
    for operation, before, after in moves:
        if isinstance(operation, SeparateDatabaseAndState):
            low, high = (after, before) if backwards else (before, after)
            parts = _parts(migration, operation, bare(low), high)
            if backwards:
                parts = [
                    Step(migration, one.operation, True, one.after, one.before)
                    for one in reversed(parts)
                ]
            walked += parts
        else:
            walked.append(Step(migration, operation, backwards, before, after))
    return walked


def bare(state: ProjectState) -> ProjectState:
    """Return a copy of a state without its models, which take time to make."""
    return ProjectState({key: one.clone() for key, one in state.models.items()}, state.real_apps)


def _parts(
    migration: Migration, operation: Operation, before: ProjectState, after: ProjectState
) -> list[Step]:
    if not isinstance(operation, SeparateDatabaseAndState):
        return [Step(migration, operation, False, before, after)]
    steps = []
    for part in operation.database_operations:
        after = before.clone()
        part.state_forwards(migration.app_label, after)
        steps += _parts(migration, part, before, after)
        before = after
    return steps


def writes(step: Step) -> tuple[tuple[str, str], str] | object | None:
    """Return what a step may write: None, ``(key of a model, field name)`` or EVERYTHING."""
    operation, backwards = step.operation, step.backwards
    if isinstance(operation, operations.BatchedRunPython | operations.RequireField):
        name = getattr(operation, "field_name", None) or getattr(operation, "name", "")
        return (step.app, operation.model_name.lower()), name
    if isinstance(operation, operations.InsertForNewRows | operations.AlignParts):
        return EVERYTHING
    if isinstance(operation, RenameContentType):
        return None  # but rows of Django's, which it adds to a run itself
    if isinstance(operation, RunPython):
        code = operation.reverse_code if backwards else operation.code
        return None if code is RunPython.noop else EVERYTHING
    if isinstance(operation, RunSQL):
        sql = operation.reverse_sql if backwards else operation.sql
        return None if sql == RunSQL.noop else EVERYTHING
    return None if isinstance(operation, SCHEMA) or _is_django(operation) else EVERYTHING


def texts(operation: RunSQL, backwards: bool) -> list[str]:
    """Return the texts that a RunSQL runs, each of which goes to the database as one."""
    sql = operation.reverse_sql if backwards else operation.sql
    some = [sql] if isinstance(sql, str) else sql or ()
    return [one if isinstance(one, str) else one[0] for one in some]


SCHEMA = (
    *(ModelOperation, FieldOperation, IndexOperation),
    *(operations.AddRules, operations.RemoveRules, operations.ValidateRules),
    *(operations.MakeAware, operations.Unfinished),
)


def _is_django(operation: Operation) -> bool:
    """Tell whether the operation is one of django.contrib.postgres, which changes no rows."""
    return any(
        kind.__module__.startswith("django.contrib.postgres.") for kind in type(operation).__mro__
    )


@dataclass
class Table:
    """A table of a state: its model's key and fields by name, each of which knows its column."""

    key: tuple[str, str]
    name: str
    fields: dict[str, AnyField] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, AnyField]:
        """Return the fields that have a column, by name."""
        return {name: one for name, one in self.fields.items() if one.column}

    @property
    def key_columns(self) -> list[str]:
        """Return the columns of the primary key; none if the model inherits it without a column."""
        for one in self.fields.values():
            if one.primary_key:
                names = getattr(one, "field_names", None)
                return [self.fields[name].column for name in names] if names else [one.column]
        return ["id"]

    def field(self, name: str) -> MaybeField:
        """Return the field of a name as a constraint writes it, or None."""
        if name == "pk":
            return next((one for one in self.fields.values() if one.primary_key), None)
        by_attname = {one.attname: one for one in self.fields.values()}
        return self.fields.get(name) or by_attname.get(name)


def table(
    state: ProjectState, key: tuple[str, str], connection: BaseDatabaseWrapper
) -> Table | None:
    """Return the Table of a model that has one of its own in this database, or None."""
    model = state.models.get(key)
    if model is None or not _has_table(model, connection):
        return None
    limit = connection.ops.max_name_length()
    name = model.options.get("db_table") or truncate_name(f"{key[0]}_{model.name_lower}", limit)
    fields = {}
    for name_of_field, one in model.fields.items():
        fields[name_of_field] = named = copy(one)
        named.__dict__.pop("migrator_in_database", None)
        named.name = None  # which is kept, should anybody have named it before a rename
        named.set_attributes_from_name(name_of_field)
        if named.many_to_many:
            named.column = None
    return Table(key, name, fields, model.options)


def field_of_model(state: ProjectState, owner: Table, one: AnyField) -> AnyField:
    """Return a field of a Table as its model has it, where it needs one; all of a state are slow.

    Only what refers to another model, or reads other columns, does.
    """
    if one.remote_field or one.generated:
        return state.apps.get_model(*owner.key)._meta.get_field(one.name)
    return one


def table_names(state: ProjectState, connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of all tables of a state, those of many-to-many fields included."""
    names = set()
    for key in state.models:
        if one := table(state, key, connection):
            through = [many_to_many_table(one, each, connection) for each in one.fields.values()]
            names |= {strip_quotes(name) for name in [one.name, *through] if name}
    return names


def _has_table(model: ModelState, connection: BaseDatabaseWrapper) -> bool:
    options, alias = model.options, connection.alias
    if options.get("proxy") or not options.get("managed", True):
        return False
    if options.get("swappable"):
        swapped = getattr(settings, options["swappable"], None)
        if swapped and swapped.lower() != f"{model.app_label}.{model.name_lower}":
            return False
    if options.get("required_db_vendor", connection.vendor) != connection.vendor:
        return False
    features = options.get("required_db_features", ())
    if not all(getattr(connection.features, feature, False) for feature in features):
        return False
    return router.allow_migrate(alias, model.app_label, model_name=model.name_lower)


def many_to_many_table(owner: Table, one: AnyField, connection: BaseDatabaseWrapper) -> str | None:
    """Return the name of the table that Django makes for a many-to-many field, or None."""
    if not one.many_to_many or one.remote_field.through:
        return None
    limit = connection.ops.max_name_length()
    return one.db_table or truncate_name(f"{strip_quotes(owner.name)}_{one.name}", limit)


def pairs(step: Step, connection: BaseDatabaseWrapper) -> list[Pair]:
    """Return ``(Table before, Table after)`` of each model that a step changes; None: not there.

    Kept with the step, because everybody who looks at a plan asks.
    """
    if step.kept.get("of") is not connection:
        step.kept.update(of=connection, pairs=_pairs(step, connection))
    kept: list[Pair] = step.kept["pairs"]
    return kept


def _pairs(step: Step, connection: BaseDatabaseWrapper) -> list[Pair]:
    renamed = {}
    operation, app = step.operation, step.app
    if isinstance(operation, RenameModel):
        names = [(app, operation.old_name_lower), (app, operation.new_name_lower)]
        old, new = reversed(names) if step.backwards else names
        renamed = {old: new}
    before, after = step.before.models, step.after.models
    keys = {key: renamed.get(key, key) for key in before}
    keys.update({key: key for key in after if key not in keys.values()})
    changed: list[Pair] = []
    for old, new in keys.items():
        one, other = before.get(old), after.get(new)
        if (
            one
            and other
            and old == new
            and one.fields == other.fields
            and one.options == other.options
        ):
            continue
        changed.append((table(step.before, old, connection), table(step.after, new, connection)))
    return [pair for pair in changed if pair != (None, None)]


def field_pairs(step: Step, old: Table, new: Table) -> list[tuple[MaybeField, MaybeField]]:
    """Return ``(field before, field after)`` of a table that stands before and after a step."""
    renamed, operation = {}, step.operation
    if isinstance(operation, RenameField) and old.key == (step.app, operation.model_name_lower):
        ends = [operation.old_name, operation.new_name]
        before, after = reversed(ends) if step.backwards else ends
        renamed = {before: after}
    names = {name: renamed.get(name, name) for name in old.fields}
    names.update({name: name for name in new.fields if name not in names.values()})
    return [(old.fields.get(one), new.fields.get(other)) for one, other in names.items()]


def target(
    state: ProjectState, owner: Table, one: AnyField, connection: BaseDatabaseWrapper
) -> tuple[str, str] | None:
    """Return table and column, as names, that a foreign key of ``owner`` refers to, or None."""
    table_of_target = table(state, resolve_relation(one.remote_field.model, *owner.key), connection)
    if table_of_target is None:
        return None
    to = one.to_fields[0] or one.remote_field.field_name
    if to:
        return table_of_target.name, table_of_target.field(to).column
    return table_of_target.name, table_of_target.key_columns[0]


def is_retyped(
    step: Step,
    old: Table,
    new: Table,
    before: AnyField,
    after: AnyField,
    connection: BaseDatabaseWrapper,
) -> bool:
    """Tell whether Django changes the type of a column that stays, or its collation."""
    was = field_of_model(step.before, old, before)
    becomes = field_of_model(step.after, new, after)
    kinds = [one.db_parameters(connection) for one in (was, becomes)]
    return any(kinds[0].get(what) != kinds[1].get(what) for what in ("type", "collation"))


def retyped_too(
    step: Step,
    old: Table,
    new: Table,
    before: AnyField,
    after: AnyField,
    connection: BaseDatabaseWrapper,
) -> list[tuple[str, str, bool]]:
    """Return what Django gives another type together with a column that it refers to.

    Tables, columns, and whether a constraint ties them, as they are before the step. At second hand
    too: a foreign key that is a key is referred to itself.
    """
    is_key = (
        before.unique and after.unique and is_retyped(step, old, new, before, after, connection)
    )
    if not is_key and not (after.primary_key and not before.primary_key):
        return []
    fields = [
        state.apps.get_model(*owner.key)._meta.get_field(one.name)
        for state, owner, one in ((step.before, old, before), (step.after, new, after))
    ]
    return [
        (was.related_model._meta.db_table, was.field.column, was.field.db_constraint)
        for was, _ in _related_non_m2m_objects(*fields)
    ]


def in_database(field: AnyField) -> tuple[Any, ...]:
    """Return what of a field the database knows; kept with the field, for deconstruct() is slow."""
    if "migrator_in_database" not in field.__dict__:
        field.__dict__["migrator_in_database"] = _in_database(field)
    kept: tuple[Any, ...] = field.__dict__["migrator_in_database"]
    return kept


def _in_database(field: AnyField) -> tuple[Any, ...]:
    _, path, args, kwargs = field.deconstruct()
    unknown = {*field.non_db_attrs, "default"}
    known = {name: value for name, value in kwargs.items() if name not in unknown}
    return field.column, path, args, known


def remakes(step: Step, old: Table, new: Table) -> bool:
    """Tell whether Django makes a table of SQLite anew for a step."""
    for before, after in field_pairs(step, old, new):
        if before is None:
            is_plain = after.null and not after.unique and not after.has_default()
            is_plain = is_plain and (
                not after.has_db_default() or isinstance(after.db_default, Value)
            )
            if after.column and not is_plain:
                return True
        elif after is None:
            if before.column and (
                before.primary_key or before.unique or before.db_index or before.remote_field
            ):
                return True
        elif (
            before.column
            and after.column
            and in_database(before) != in_database(after)
            and not is_renamed_alone(before, after)
        ):
            return True
    was, are = (one.options.get("constraints", ()) for one in (old, new))
    names = [{one.name for one in each} for each in (was, are)]
    return any(one.name in names[0] ^ names[1] and not is_index(one) for one in [*was, *are])


def is_renamed_alone(before: AnyField, after: AnyField) -> bool:
    """Tell whether nothing but the name of a column changes, for which SQLite has a statement."""
    return in_database(before)[1:] == in_database(after)[1:] and not before.remote_field
