"""A plan, operation by operation, and which live table and column each of them means.

Nothing is run: the states are walked, and what the plan renames, makes or drops before an operation
is followed in ``Live``. Its private parts of Django are verified with Django 5.2.
"""

from copy import copy
from dataclasses import dataclass, field

from django.conf import settings
from django.db import router
from django.db.backends.utils import strip_quotes, truncate_name
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
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import resolve_relation

from hotel.migrator import operations

EVERYTHING = object()  # what an operation may write of which nobody can tell what it writes


@dataclass(frozen=True)
class Step:
    """One operation that touches the database, with the models before and after it, as it runs."""

    migration: object
    operation: Operation
    backwards: bool
    before: ProjectState
    after: ProjectState

    @property
    def name(self):
        """Return the migration as ``app.0003_name``."""
        return str(self.migration)

    @property
    def app(self):
        """Return the label of the application whose models this is about."""
        return self.migration.app_label

    def describe(self):
        """Return the operation in words."""
        return self.operation.describe()


def walk(loader, plan):
    """Return the steps of a plan of Django's, a list of ``(migration, backwards)``, in its order.

    What ``SeparateDatabaseAndState`` does to the state alone is no step.
    """
    graph, applied = loader.graph, loader.applied_migrations
    order = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    planned = {(migration.app_label, migration.name): back for migration, back in plan}
    state, found = ProjectState(real_apps=loader.unmigrated_apps), {}
    for key in order:  # what goes down is met on the way to the state that stands
        if planned.get(key):
            state, found[key] = _steps(graph.nodes[key], state, backwards=True)
        elif key in applied and key not in planned:
            graph.nodes[key].mutate_state(state, preserve=False)
    for key in order:
        if planned.get(key) is False:
            state, found[key] = _steps(graph.nodes[key], state, backwards=False)
    keys = [(migration.app_label, migration.name) for migration, _ in plan]
    return [step for key in keys for step in found.get(key, ())]


def _steps(migration, state, backwards):
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


def _parts(migration, operation, before, after):
    if not isinstance(operation, SeparateDatabaseAndState):
        return [Step(migration, operation, False, before, after)]
    steps = []
    for part in operation.database_operations:
        after = before.clone()
        part.state_forwards(migration.app_label, after)
        steps += _parts(migration, part, before, after)
        before = after
    return steps


def writes(step):
    """Return what a step may write: None, ``(key of a model, field name)`` or EVERYTHING."""
    operation, backwards = step.operation, step.backwards
    if isinstance(operation, operations.BatchedRunPython | operations.RequireField):
        name = getattr(operation, "field_name", None) or operation.name
        return (step.app, operation.model_name.lower()), name
    if isinstance(operation, operations.InsertForNewRows):
        return EVERYTHING
    if isinstance(operation, RunPython):
        code = operation.reverse_code if backwards else operation.code
        return None if code is RunPython.noop else EVERYTHING
    if isinstance(operation, RunSQL):
        sql = operation.reverse_sql if backwards else operation.sql
        return None if sql == RunSQL.noop else EVERYTHING
    return None if isinstance(operation, SCHEMA) or _is_django(operation) else EVERYTHING


SCHEMA = (
    *(ModelOperation, FieldOperation, IndexOperation),
    *(operations.AddRules, operations.ValidateRules, operations.MakeAware, operations.Unfinished),
)


def _is_django(operation):
    """Tell whether the operation is one of django.contrib.postgres, which changes no rows."""
    return any(
        kind.__module__.startswith("django.contrib.postgres.") for kind in type(operation).__mro__
    )


@dataclass
class Table:
    """A table of a state: its model's key and fields by name, each of which knows its column."""

    key: tuple[str, str]
    name: str
    fields: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)

    @property
    def columns(self):
        """Return the fields that have a column, by name."""
        return {name: one for name, one in self.fields.items() if one.column}

    @property
    def key_columns(self):
        """Return the columns of the primary key; none if the model inherits it without a column."""
        for one in self.fields.values():
            if one.primary_key:
                names = getattr(one, "field_names", None)
                return [self.fields[name].column for name in names] if names else [one.column]
        return ["id"]

    def field(self, name):
        """Return the field of a name as a constraint writes it, or None."""
        if name == "pk":
            return next((one for one in self.fields.values() if one.primary_key), None)
        by_attname = {one.attname: one for one in self.fields.values()}
        return self.fields.get(name) or by_attname.get(name)


def table(state, key, connection):
    """Return the Table of a model that has one of its own in this database, or None."""
    model = state.models.get(key)
    if model is None or not _has_table(model, connection):
        return None
    limit = connection.ops.max_name_length()
    name = model.options.get("db_table") or truncate_name(f"{key[0]}_{model.name_lower}", limit)
    fields = {}
    for name_of_field, one in model.fields.items():
        fields[name_of_field] = named = copy(one)
        named.name = None  # which is kept, should anybody have named it before a rename
        named.set_attributes_from_name(name_of_field)
        if named.many_to_many:
            named.column = None
    return Table(key, name, fields, model.options)


def _has_table(model, connection):
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


def many_to_many_table(owner, one, connection):
    """Return the name of the table that Django makes for a many-to-many field, or None."""
    if not one.many_to_many or one.remote_field.through:
        return None
    limit = connection.ops.max_name_length()
    return one.db_table or truncate_name(f"{strip_quotes(owner.name)}_{one.name}", limit)


def pairs(step, connection):
    """Return ``(Table before, Table after)`` of each model that a step changes; None: not there."""
    renamed = {}
    operation, app = step.operation, step.app
    if isinstance(operation, RenameModel):
        names = [(app, operation.old_name_lower), (app, operation.new_name_lower)]
        old, new = reversed(names) if step.backwards else names
        renamed = {old: new}
    before, after = step.before.models, step.after.models
    keys = {key: renamed.get(key, key) for key in before}
    keys.update({key: key for key in after if key not in keys.values()})
    found = []
    for old, new in keys.items():
        one, other = before.get(old), after.get(new)
        same = one and other and old == new
        if not (same and one.fields == other.fields and one.options == other.options):
            found.append((table(step.before, old, connection), table(step.after, new, connection)))
    return [pair for pair in found if pair != (None, None)]


def field_pairs(step, old, new):
    """Return ``(field before, field after)`` of a table that stands before and after a step."""
    renamed, operation = {}, step.operation
    if isinstance(operation, RenameField) and old.key == (step.app, operation.model_name_lower):
        ends = [operation.old_name, operation.new_name]
        before, after = reversed(ends) if step.backwards else ends
        renamed = {before: after}
    names = {name: renamed.get(name, name) for name in old.fields}
    names.update({name: name for name in new.fields if name not in names.values()})
    return [(old.fields.get(one), new.fields.get(other)) for one, other in names.items()]


def target(state, owner, one, connection):
    """Return table and column, as names, that a foreign key of ``owner`` refers to, or None."""
    table_of_target = table(state, resolve_relation(one.remote_field.model, *owner.key), connection)
    if table_of_target is None:
        return None
    to = one.to_fields[0] or one.remote_field.field_name
    if to:
        return table_of_target.name, table_of_target.field(to).column
    return table_of_target.name, table_of_target.key_columns[0]


class Live:
    """Which table and column of the live database a name of a state stands for.

    That is the same name until the plan has renamed, made or dropped something.
    """

    def __init__(self, connection):
        self.connection = connection
        names = connection.introspection.table_names()
        self.tables = {name: (name, {}) for name in names}

    def table(self, name):
        """Return the live table, or None if the plan makes it or nobody has."""
        return self.tables.get(strip_quotes(name), (None, {}))[0]

    def column(self, name, column):
        """Return the live column of a table that stands, or None if the plan makes it."""
        live, columns = self.tables.get(strip_quotes(name), (None, {}))
        return columns.get(column, column) if live else None

    def follow(self, step):
        """Take a step as done."""
        for old, new in pairs(step, self.connection):
            if old and new:
                self._follow_fields(step, old, new)
            elif old:
                for name in [old.name, *self._many_to_many(old)]:
                    self.tables.pop(strip_quotes(name), None)

    def _follow_fields(self, step, old, new):
        stands = self.tables.pop(strip_quotes(old.name), None)
        if stands is None:
            return
        live, columns = stands
        renamed = dict(columns)
        renamed |= {one.column: None for one in old.columns.values()}
        for before, after in field_pairs(step, old, new):
            if before is not None and before.many_to_many:
                was = many_to_many_table(old, before, self.connection)
                stands = self.tables.pop(was, None)
                if stands and after is not None and after.many_to_many:
                    self.tables[many_to_many_table(new, after, self.connection)] = stands
            elif before is not None and after is not None and before.column and after.column:
                renamed[after.column] = columns.get(before.column, before.column)
            elif after is not None and after.column:
                renamed[after.column] = None
        self.tables[strip_quotes(new.name)] = (live, renamed)

    def _many_to_many(self, one):
        names = [many_to_many_table(one, each, self.connection) for each in one.fields.values()]
        return [name for name in names if name]
