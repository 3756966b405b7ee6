"""Who has to wait for which operation of a plan, and for how long about.

For ``--plan``. Told by the kinds of the operations, the states before and after them, and the sizes
of the tables: nothing is run, and no other session is asked. What an operation takes, it holds to
the end of its migration, if that is atomic.
"""

from dataclasses import dataclass

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import PostgresIndex
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db.models import AutoField, CheckConstraint, UniqueConstraint

from hotel.migrator import operations, steps
from hotel.migrator.constraints import AppendOnly, Exclusion, Rule
from hotel.migrator.rows import ARCHIVING
from hotel.migrator.shape import in_database

# Seconds for a million rows on PostgreSQL 18 and two cores: measured, see docs/migrations.md.
REWRITE, ARCHIVE, EXCLUDE = 4.5, 10, 14.3
INDEX, OTHER_INDEX = 0.65, 2.0  # a btree; GiST, GIN and the like
SCAN, FOREIGN_KEY = 0.35, 0.3

NOBODY = "SHARE UPDATE EXCLUSIVE"  # others read and write meanwhile; only other DDL waits
WRITERS = "SHARE"
WRITERS_OF_BOTH = "SHARE ROW EXCLUSIVE"
EVERYBODY = "ACCESS EXCLUSIVE"
VOLATILE = ("Random", "RandomUUID")  # defaults that the database computes for each row anew
ONLINE = (
    *(operations.Online, operations.RequireField, operations.ValidateRules),
    *(AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint),
)


@dataclass(frozen=True)
class Wait:
    """What one operation locks.

    online: whether others go on, for whom it takes a moment at most; else this is a step to plan
    for, and ``seconds`` an estimate of how long they wait; None where nobody can tell.
    why: what takes so long, "" for nothing.
    """

    migration: str
    operation: str
    table: str
    lock: str
    online: bool | None
    seconds: float | None = 0.0
    why: str = ""

    def __str__(self):
        where = f" on {self.table}" if self.table else ""
        name = f"{self.migration} ({self.operation}): " if self.migration else ""
        if self.online is None:
            return f"{name}{self.lock}{where}; {self.why}."
        if self.online:
            return f"{name}{self.lock}{where}, online{f'; {self.why}' if self.why else ''}."
        last = ""
        if self.seconds is not None:
            last = f", some {self.seconds:.1f} s" if self.seconds >= 0.1 else ", under 0.1 s"
        return f"{name}{self.lock}{where}, planned lock{last}: {self.why}."


def locks(connection, loader, plan):
    """Return the Waits of a plan of Django's, in its order; on SQLite one for all of it."""
    if not plan:
        return []
    if connection.vendor != "postgresql":
        why = "SQLite has one writer; others read, and wait to write, while a migration runs"
        return [Wait("", "", "", "the database", False, None, why)]
    return list(_Waits(connection).look(steps.walk(loader, plan)))


class _Waits:
    def __init__(self, connection):
        self.connection = connection
        self.live = steps.Live(connection)
        self.sizes = {}

    def look(self, walked):
        """Yield the Waits of steps, one for each table that a step locks."""
        for step in walked:
            asked = {}
            for table, *rest in self._asked(step):
                asked.setdefault(table, []).append(rest)
            for table, each in asked.items():
                lock, rate, why = max(each, key=lambda one: one[1] or 0)
                rates = [rate for _, rate, _ in each if rate is not None]
                seconds = round(self._rows(table) * sum(rates) / 1_000_000, 3) if rates else None
                online = not rate if rates else None
                yield Wait(step.name, step.describe(), table, lock, online, seconds, why)
            self.live.follow(step)

    def _asked(self, step):
        """Yield table, lock, seconds a million rows (0: online, None: unknown), and what for."""
        operation, pairs = step.operation, steps.pairs(step, self.connection)
        key = step.app, getattr(operation, "model_name", "").lower()
        mine = steps.table(step.before, key, self.connection)
        if isinstance(operation, ONLINE):
            yield mine and mine.name, NOBODY, 0, ""
        elif isinstance(operation, operations.BatchedRunPython):
            if mine and step.migration.atomic:
                yield mine.name, "row locks", None, "held until all rows are changed"
            elif mine:
                yield mine.name, "row locks", 0, "a batch at a time"
        elif steps.writes(step) is steps.EVERYTHING:
            yield "", "whatever its code locks", None, "nobody can tell how long"
        elif isinstance(operation, operations.MakeAware):
            yield from ((old.name, EVERYBODY, 0, "") for old, new in pairs if old and new)
        else:
            for old, new in pairs:
                yield from self._of_table(step, old, new)

    def _of_table(self, step, old, new):
        if old is None:  # a new table: nobody knows it yet, but what it refers to is locked
            for field in new.fields.values():
                yield from self._parent(step.after, new, field, 0)
        elif new is None:
            if old.key not in step.after.models:
                yield self._dropped(step, old.name)
        else:
            if old.name != new.name:
                yield old.name, EVERYBODY, 0, ""
            for before, after in steps.field_pairs(step, old, new):
                yield from self._of_field(step, old, new, before, after)
            yield from self._of_options(step, old, new)

    def _of_field(self, step, old, new, before, after):
        """Yield what a change of one field locks."""
        if before is None:
            if after.column:
                yield (old.name, EVERYBODY, *_added(after))
                yield from self._parent(step.after, new, after, 0)
            elif steps.many_to_many_table(new, after, self.connection):
                yield old.name, WRITERS_OF_BOTH, 0, ""
        elif after is None:
            through = steps.many_to_many_table(old, before, self.connection)
            if before.column or through:
                yield self._dropped(step, through or old.name, before.generated)
        elif before.column and after.column and in_database(before) != in_database(after):
            yield old.name, EVERYBODY, 0, ""
            if not _keeps_its_form(before, after, self.connection):
                yield old.name, EVERYBODY, REWRITE, "the table may be rewritten"
            if before.null and not after.null:
                yield old.name, EVERYBODY, SCAN, "all rows are read for NULL"
            if after.unique and not before.unique:
                yield old.name, EVERYBODY, INDEX, "a unique index is made"
            elif after.db_index and not (before.db_index or after.unique):
                yield old.name, WRITERS, INDEX, "an index is made"
            if not getattr(before, "db_constraint", False):
                yield from self._parent(step.after, new, after, FOREIGN_KEY)

    def _parent(self, state, owner, field, rate):
        """Yield what a foreign key locks: its table's writers, and those of its target."""
        if field.remote_field and getattr(field, "db_constraint", False) and field.column:
            found = steps.target(state, owner, field, self.connection)
            why = "all references are read" if rate else ""
            for name in {owner.name, *(found[:1] if found else ())}:
                if self.live.table(name):
                    yield name, WRITERS_OF_BOTH, rate, why

    def _dropped(self, step, name, is_generated=False):
        if isinstance(step.operation, ARCHIVING) and not is_generated:
            return name, EVERYBODY, ARCHIVE, "what is dropped is archived first"
        return name, EVERYBODY, 0, ""

    def _of_options(self, step, old, new):
        """Yield what constraints and indexes that come and go lock."""
        was, became = _named(old, "constraints"), _named(new, "constraints")
        for name in became.keys() - was.keys():
            yield (old.name, *_constrained(step, became[name]))
        indexed, indexes = _named(old, "indexes"), _named(new, "indexes")
        for name in indexes.keys() - indexed.keys() if len(indexes) > len(indexed) else ():
            index = indexes[name]
            rate = OTHER_INDEX if isinstance(index, PostgresIndex) else INDEX
            yield old.name, WRITERS, rate, "an index is made"
        if was.keys() - became.keys() or indexed.keys() - indexes.keys():
            yield old.name, EVERYBODY, 0, ""
        together = [set(map(tuple, one.options.get("unique_together") or ())) for one in (old, new)]
        if together[1] - together[0]:
            yield old.name, EVERYBODY, INDEX, "a unique index is made"
        elif together[0] - together[1]:
            yield old.name, EVERYBODY, 0, ""

    def _rows(self, table):
        """Return about how many rows a table of the state has by now."""
        live = self.live.table(table)
        if live and live not in self.sizes:
            with self.connection.cursor() as cursor:
                name = self.connection.ops.quote_name(live)
                cursor.execute("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [name])
                [size] = cursor.fetchone()
                if size < 0:  # nobody has counted yet
                    cursor.execute(f"SELECT count(*) FROM {name}")
                    [size] = cursor.fetchone()
            self.sizes[live] = size
        return self.sizes.get(live, 0)


def _named(table, option):
    return {one.name: one for one in table.options.get(option, ())}


def _added(field):
    """Return rate and reason of a column that is added."""
    default = type(field.db_default).__name__ if field.has_db_default() else ""
    if isinstance(field, AutoField) or default in VOLATILE or getattr(field, "db_persist", False):
        return REWRITE, "the table is rewritten"
    if field.unique or field.db_index:
        return INDEX, "an index is made"
    return 0, ""


def _constrained(step, constraint):
    """Return lock, rate and reason of a constraint that is added."""
    if isinstance(constraint, AppendOnly):
        return WRITERS_OF_BOTH, 0, ""
    if isinstance(constraint, Exclusion | ExclusionConstraint):
        return EVERYBODY, EXCLUDE, "an exclusion constraint is made"
    if isinstance(constraint, UniqueConstraint):
        is_index = constraint.condition or constraint.expressions or constraint.include
        return WRITERS if is_index else EVERYBODY, INDEX, "a unique index is made"
    not_valid = isinstance(step.operation, operations.AddRules | AddConstraintNotValid)
    if isinstance(constraint, CheckConstraint) and not (not_valid and not step.backwards):
        return EVERYBODY, SCAN, "all rows are checked"
    is_known = isinstance(constraint, CheckConstraint | Rule)
    return (EVERYBODY, 0, "") if is_known else (EVERYBODY, None, "nobody can tell how long")


def _keeps_its_form(before, after, connection):
    """Tell whether PostgreSQL leaves the rows as they are when a column gets its new type."""
    if before.remote_field or after.remote_field:
        return bool(before.remote_field and after.remote_field)
    was, becomes = before.db_type(connection), after.db_type(connection)
    if was == becomes or (becomes == "text" and was.startswith("varchar")):
        return getattr(before, "db_collation", None) == getattr(after, "db_collation", None)
    if was.startswith("varchar(") and becomes.startswith("varchar("):
        return before.max_length <= after.max_length
    return False
