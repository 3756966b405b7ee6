"""Which tables an operation locks, how, and for how long about: told by the states around it.

The sizes of tables are asked for; nothing is run, and no other session is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import AutoField, BaseConstraint, CheckConstraint, UniqueConstraint

from hotel.migrator import operations
from hotel.migrator.constraints import Exclusion, HasParts, MakesWhole, Rule
from hotel.migrator.constraints.append_only import Triggers
from hotel.migrator.editors.generated import AnyField, MaybeField
from hotel.migrator.locking.table_locks import (
    EVERYBODY,
    MAINTENANCE,
    ROWS,
    WRITERS,
    WRITERS_OF_BOTH,
)
from hotel.migrator.plan import atomicity, costs, steps
from hotel.migrator.plan.failing import is_left_to_the_run
from hotel.migrator.plan.live import Live
from hotel.migrator.plan.rows import ARCHIVING
from hotel.migrator.plan.steps import Step, Table, in_database
from hotel.migrator.sql.parsing import quoted

VALIDATING = (operations.ValidateRules, ValidateConstraint)
ONLINE = (
    *(operations.Online, operations.RequireField),
    *(AddIndexConcurrently, RemoveIndexConcurrently, *VALIDATING),
)
OF_ROWS = (operations.BatchedRunPython, operations.CatchUp, operations.AlignParts)


class Lock(NamedTuple):
    """A lock on a table of the state; "" where nobody can tell what is locked.

    rate: seconds for a million rows, see ``costs``; 0 where others go on, None where nobody can
    tell. why: what takes so long, "" for nothing.
    """

    table: str
    mode: str
    rate: float | None = 0
    why: str = ""


class Sizes:
    """About how many rows live tables have; each is asked for once."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.known: dict[str, int] = {}

    def of(self, table: str) -> int:
        """Return the number of rows of a live table."""
        if table not in self.known:
            self.known[table] = self._ask(table)
        return self.known[table]

    def _ask(self, table: str) -> int:
        name, size = quoted(table), None
        with self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":
                # As the planner does it: so many rows a page as when somebody counted.
                cursor.execute(
                    "SELECT reltuples / nullif(relpages, 0) * pg_relation_size(oid)"
                    " / current_setting('block_size')::int FROM pg_class"
                    " WHERE oid = to_regclass(%s) AND reltuples >= 0",
                    [name],
                )
                [size] = cursor.fetchone() or [None]
            if size is None:  # nobody has counted yet
                cursor.execute(f"SELECT count(*) FROM {name}")
                [size] = cursor.fetchone()
        return int(size)


class LockModes:
    """Tells the locks of the steps of a plan on PostgreSQL, in their order.

    as_script: what is online by itself is in one transaction with all else of its migration. live:
    which tables stand by then.
    """

    def __init__(self, connection: BaseDatabaseWrapper, as_script: bool = False) -> None:
        self.connection = connection
        self.as_script = as_script
        self.live = Live(connection)

    def of_step(self, step: Step) -> Iterator[Lock]:
        """Yield what a step locks, the same table more than once."""
        try:
            yield from list(self._of_step(step))
        except Exception as error:
            if not is_left_to_the_run(error):
                raise
            yield Lock("", "whatever it locks", None, "nobody can tell how long")

    def _of_step(self, step: Step) -> Iterator[Lock]:
        operation = step.operation
        key = step.app, getattr(operation, "model_name", "").lower()
        mine = steps.table(step.before, key, self.connection)
        if not _can_run(step, "postgresql"):
            return
        if isinstance(operation, operations.InsertForNewRows):
            yield from self._of_inserting(step, operation)
        elif mine and (lock := self._of_own(step, mine.name)):
            yield lock
        elif isinstance(operation, (*ONLINE, *OF_ROWS)):
            return
        elif steps.writes(step) is steps.EVERYTHING:
            yield Lock("", "whatever its code locks", None, "nobody can tell how long")
        else:
            for old, new in steps.pairs(step, self.connection):
                if not isinstance(operation, operations.MakeAware):
                    yield from self._of_table(step, old, new)
                elif old and new:
                    yield Lock(old.name, EVERYBODY)

    def _of_own(self, step: Step, table: str) -> Lock | None:
        """Return what an operation of this project locks of its model's table, None for others."""
        operation, is_atomic = step.operation, step.migration.atomic
        if isinstance(operation, ONLINE):
            takes_all = self.as_script and isinstance(operation, operations.RequireField)
            return Lock(table, EVERYBODY if takes_all else MAINTENANCE)
        if isinstance(operation, operations.CatchUp | operations.AlignParts) and is_atomic:
            mode = EVERYBODY if isinstance(operation, operations.CatchUp) else ROWS
            return Lock(table, mode, costs.SCAN, "rows that are late are looked for")
        if isinstance(operation, operations.BatchedRunPython):
            if is_atomic:
                return Lock(table, ROWS, None, "held until all rows are changed")
            return Lock(table, ROWS, 0, "a batch at a time")
        return None

    def _of_inserting(self, step: Step, operation: operations.InsertForNewRows) -> Iterator[Lock]:
        app, _, name = operation.model_name.lower().rpartition(".")
        if read := steps.table(step.before, (app or step.app, name), self.connection):
            yield Lock(read.name, ROWS, costs.INSERT, "rows are inserted that may refer to these")

    def _of_table(self, step: Step, old: Table | None, new: Table | None) -> Iterator[Lock]:
        if old is None and new is not None:
            # A new table nobody knows yet, but what it refers to is locked.
            for field in new.fields.values():
                yield from self._parent(step.after, new, field, 0)
        elif old is not None and new is None:
            if old.key not in step.after.models:
                yield self._dropped(step, old.name)
                for field in old.fields.values():
                    yield from self._released(step.before, old, field)
        elif old is not None and new is not None:
            if old.name != new.name:
                yield Lock(old.name, EVERYBODY)
            for before, after in steps.field_pairs(step, old, new):
                yield from self._of_field(step, old, new, before, after)
            yield from self._of_options(step, old, new)

    def _of_field(
        self,
        step: Step,
        old: Table,
        new: Table,
        before: MaybeField,
        after: MaybeField,
    ) -> Iterator[Lock]:
        """Yield what a change of one field locks."""
        if before is None and after is not None:
            if after.column:
                yield Lock(old.name, EVERYBODY, *_added(old, after))
            yield from self._parent(step.after, new, after, 0)
        elif before is not None and after is None:
            through = steps.many_to_many_table(old, before, self.connection)
            if before.column or through:
                yield self._dropped(step, through or old.name, before.generated)
                yield from self._released(step.before, old, before)
        elif (
            before is not None
            and after is not None
            and before.column
            and after.column
            and in_database(before) != in_database(after)
        ):
            yield from self._of_altered(step, old, new, before, after)

    def _of_altered(
        self,
        step: Step,
        old: Table,
        new: Table,
        before: AnyField,
        after: AnyField,
    ) -> Iterator[Lock]:
        if before.remote_field or _but_index(before) != _but_index(after):
            yield Lock(old.name, EVERYBODY)
        if after.generated or not _keeps_its_form(before, after, self.connection):
            rate = costs.REWRITE + costs.of_indexes(new)
            yield Lock(old.name, EVERYBODY, rate, "the table may be rewritten")
        if before.null and not after.null:
            yield Lock(old.name, EVERYBODY, costs.SCAN, "all rows are read for NULL")
        if after.unique and not before.unique:
            yield Lock(old.name, EVERYBODY, costs.INDEX, "a unique index is made")
        elif after.db_index and not (before.db_index or after.unique):
            yield Lock(old.name, WRITERS, costs.INDEX, "an index is made")
        yield from self._released(step.before, old, before)  # Django makes them anew
        yield from self._parent(step.after, new, after, costs.FOREIGN_KEY)
        yield from self._of_referring(step, old, new, before, after)

    def _of_referring(
        self,
        step: Step,
        old: Table,
        new: Table,
        before: AnyField,
        after: AnyField,
    ) -> Iterator[Lock]:
        """Yield what refers to a column and changes with it."""
        rate = costs.REWRITE + costs.INDEX  # that of the reference
        rate = 0 if _keeps_its_form(before, after, self.connection) else rate
        why = "the table may be rewritten" if rate else "all references are read"
        for table, _, is_tied in steps.retyped_too(step, old, new, before, after, self.connection):
            rate_of_all = rate + (costs.FOREIGN_KEY if is_tied else 0)
            yield Lock(table, EVERYBODY, rate_of_all, why if rate_of_all else "")
            if is_tied:
                yield Lock(old.name, EVERYBODY, costs.FOREIGN_KEY, "all references are read")

    def _parent(
        self, state: ProjectState, owner: Table, field: AnyField, rate: float
    ) -> Iterator[Lock]:
        """Yield what a foreign key locks: its table's writers, and those of its target."""
        why = "all references are read" if rate else ""
        for name in sorted(self._both(state, owner, field)):
            yield Lock(name, WRITERS_OF_BOTH, rate, why)

    def _released(self, state: ProjectState, owner: Table, field: AnyField) -> Iterator[Lock]:
        """Yield what dropping a foreign key locks: the table that it refers to, for everybody."""
        for name in sorted(self._both(state, owner, field)):
            yield Lock(name, EVERYBODY)

    def _both(self, state: ProjectState, owner: Table, field: AnyField) -> set[str]:
        """Return the live tables that a foreign key of ``owner`` ties together, or none.

        The table that Django makes for a many-to-many field refers to both.
        """
        if steps.many_to_many_table(owner, field, self.connection):
            key = resolve_relation(field.remote_field.model, *owner.key)
            other = steps.table(state, key, self.connection)
            names = {owner.name, *([other.name] if other else [])}
        elif field.column and field.remote_field and getattr(field, "db_constraint", False):
            target = steps.target(state, owner, field, self.connection)
            names = {owner.name, *(target[:1] if target else ())}
        else:
            return set()
        return {name for name in names if self.live.table(name)}

    def _dropped(self, step: Step, name: str, is_generated: bool = False) -> Lock:
        if isinstance(step.operation, ARCHIVING) and not is_generated:
            return Lock(name, EVERYBODY, costs.ARCHIVE, "what is dropped is archived first")
        return Lock(name, EVERYBODY)

    def _of_options(self, step: Step, old: Table, new: Table) -> Iterator[Lock]:
        """Yield what constraints and indexes that come and go lock."""
        was, became = _named(old, "constraints"), _named(new, "constraints")
        for name in became.keys() - was.keys():
            yield Lock(old.name, *_constrained(step, became[name]))
        indexed, indexes = _named(old, "indexes"), _named(new, "indexes")
        for name in indexes.keys() - indexed.keys() if len(indexes) > len(indexed) else ():
            yield Lock(old.name, WRITERS, costs.of_index(indexes[name]), "an index is made")
        if was.keys() - became.keys() or indexed.keys() - indexes.keys():
            yield Lock(old.name, EVERYBODY)
        together = [set(map(tuple, one.options.get("unique_together") or ())) for one in (old, new)]
        if together[1] - together[0]:
            yield Lock(old.name, EVERYBODY, costs.INDEX, "a unique index is made")
        elif together[0] - together[1]:
            yield Lock(old.name, EVERYBODY)


class SQLiteModes:
    """Tells what the steps of a plan do while they hold the one write lock of SQLite."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def of_step(self, step: Step) -> Iterator[Lock]:
        """Yield what a step does to each table; ``why`` has places for {table} and {rows}."""
        operation = step.operation
        if not _can_run(step, "sqlite"):
            return
        if isinstance(operation, operations.BatchedRunPython):
            is_atomic = step.migration.atomic
            why = "held until all rows are changed" if is_atomic else "a batch at a time"
            yield Lock("", "", None if is_atomic else 0, why)
        elif steps.writes(step) is steps.EVERYTHING:
            yield Lock("", "", None, "nobody can tell how long")
        else:
            for old, new in steps.pairs(step, self.connection):
                if old is not None:
                    yield from self._of_table(step, old, new)

    def _of_table(self, step: Step, old: Table, new: Table | None) -> Iterator[Lock]:
        is_archived = isinstance(step.operation, ARCHIVING)
        archiving = Lock(old.name, "", costs.SQLITE_ARCHIVE, "{rows} of {table} are archived first")
        if new is None:
            if old.key not in step.after.models:
                yield archiving if is_archived else Lock(old.name, "")
            return
        changes = steps.field_pairs(step, old, new)
        is_dropped = any(before and before.column and after is None for before, after in changes)
        if is_dropped and is_archived:
            yield archiving
        if steps.remakes(step, old, new):
            rate = costs.SQLITE_COPY + costs.SQLITE_INDEX * costs.number_of_indexes(old)
            yield Lock(old.name, "", rate, "{table} is made anew, and {rows} copied")
        elif is_dropped:
            yield Lock(old.name, "", costs.SQLITE_DROP, "{rows} of {table} are written anew")
        if more := set(_indexed(new)) - set(_indexed(old)):
            rate = costs.SQLITE_INDEX * len(more)
            yield Lock(old.name, "", rate, "an index or a rule over {rows} is made")
        is_other = any(
            before is None or after is None or in_database(before) != in_database(after)
            for before, after in changes
        )
        if is_other or old.name != new.name or set(_indexed(new)) != set(_indexed(old)):
            yield Lock(old.name, "")


def _can_run(step: Step, vendor: str) -> bool:
    """Tell whether a step is run, and not refused in its transaction."""
    return not step.migration.atomic or not atomicity.needs_none(
        step.operation, backwards=step.backwards, vendor=vendor
    )


def _indexed(table: Table) -> Iterator[str]:
    """Yield names of what has an index of its own, or is a rule."""
    for option in ("indexes", "constraints"):
        yield from _named(table, option)
    for name, field in table.columns.items():
        if field.db_index or field.unique:
            yield f"{name}.{field.unique}"
    yield from map(str, table.options.get("unique_together") or ())


def _but_index(field: AnyField) -> tuple[object, ...]:
    """Return what the database knows of a field besides an index of its own."""
    column, path, args, known = in_database(field)
    return column, path, args, {name: one for name, one in known.items() if name != "db_index"}


def _named(table: Table, option: str) -> dict[str, Any]:
    return {one.name: one for one in table.options.get(option, ())}


def _added(table: Table, field: AnyField) -> tuple[float, str]:
    """Return rate and reason of a column that is added to a table."""
    default = type(field.db_default).__name__ if field.has_db_default() else ""
    if (
        isinstance(field, AutoField)
        or default in steps.VOLATILE
        or getattr(field, "db_persist", False)
    ):
        return costs.REWRITE + costs.of_indexes(table), "the table is rewritten"
    if field.unique or field.db_index:
        return costs.INDEX, "an index is made"
    return 0, ""


def _constrained(step: Step, constraint: BaseConstraint) -> tuple[str, float | None, str]:
    """Return mode, rate and reason of a constraint that is added."""
    if isinstance(constraint, Triggers | HasParts | MakesWhole):
        return WRITERS_OF_BOTH, 0, ""
    if isinstance(constraint, Exclusion | ExclusionConstraint):
        return EVERYBODY, costs.EXCLUDE, "an exclusion constraint is made"
    if isinstance(constraint, UniqueConstraint):
        is_index = (
            constraint.condition or constraint.expressions or getattr(constraint, "include", ())
        )
        return WRITERS if is_index else EVERYBODY, costs.INDEX, "a unique index is made"
    adds = operations.RemoveRules if step.backwards else operations.AddRules
    is_online = (isinstance(step.operation, adds) and not step.migration.atomic) or (
        isinstance(step.operation, AddConstraintNotValid) and not step.backwards
    )
    if isinstance(constraint, CheckConstraint) and not is_online:
        return EVERYBODY, costs.SCAN, "all rows are checked"
    is_known = isinstance(constraint, CheckConstraint | Rule)
    return (EVERYBODY, 0, "") if is_known else (EVERYBODY, None, "nobody can tell how long")


def _keeps_its_form(before: AnyField, after: AnyField, connection: BaseDatabaseWrapper) -> bool:
    """Tell whether PostgreSQL leaves the rows as they are when a column gets its new type."""
    if before.remote_field or after.remote_field:
        return bool(before.remote_field and after.remote_field)
    was, becomes = before.db_type(connection) or "", after.db_type(connection) or ""
    if was == becomes or (becomes == "text" and was.startswith("varchar")):
        return getattr(before, "db_collation", None) == getattr(after, "db_collation", None)
    if was.startswith("varchar(") and becomes.startswith("varchar("):
        return (before.max_length or 0) <= (after.max_length or 0)
    return False
