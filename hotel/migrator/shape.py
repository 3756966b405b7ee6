"""Whether what a plan takes for granted of tables and columns is true of the live database.

A migration that was only recorded (``--fake``, ``db stamp``) and a change by hand leave a database
that is not what its records say. What is to be dropped or changed must be there, and what is to be
made must not.
"""

from contextlib import nullcontext

from django.db import DatabaseError, transaction
from django.db.backends.utils import strip_quotes
from django.db.migrations.operations import RenameModel, RunSQL

from hotel.migrator import operations, steps
from hotel.migrator.finding import Finding
from hotel.migrator.steps import EVERYTHING

# Where the operations are whose every statement is known; others may say IF NOT EXISTS.
KNOWN = ("django.db.migrations.", "django.contrib.postgres.", operations.__name__)
OPTIONS = ("constraints", "indexes", "unique_together")  # of a model, that its table holds


class Shape:
    """Follows the tables and columns that stand through a plan.

    begun: keys of migrations that were stopped in between; what they make may be there already.
    """

    def __init__(self, connection, begun=()):
        self.connection = connection
        self.begun = begun
        # By name, the names of their columns; None as long as nobody has asked.
        names = connection.introspection.table_names(include_views=True)
        self.tables = dict.fromkeys(map(self._same, names))
        self.assumed = set()  # tables of which nothing more is known
        self.writer = ""  # the first operation that may make or drop whatever it likes
        self.found = []

    def look(self, walked):
        """Return the Findings about steps, in their order, one a step at most."""
        for step in walked:
            problems = [one for pair in self._pairs(step) for one in self._of_table(step, *pair)]
            if problems and not self._may_be_begun(step) and not isinstance(step.operation, RunSQL):
                self._add(step, *problems[0])
            if not self.writer and steps.writes(step) is EVERYTHING:
                self.writer = f"{step.name} ({step.describe()})"
        return self.found

    def _may_be_begun(self, step):
        return not step.migration.atomic and (step.app, step.migration.name) in self.begun

    def _pairs(self, step):
        """Return tables before and after; of a renamed model only its own, for others follow it."""
        pairs = steps.pairs(step, self.connection)
        if isinstance(step.operation, RenameModel):
            return [pair for pair in pairs if None not in pair and pair[0].key != pair[1].key]
        return pairs

    # What is wrong, as kind and words; whatever it is, it is taken as it should be afterwards

    def _of_table(self, step, old, new):
        if old is None and new.key not in step.before.models:
            yield from self._make(new.name, {one.column for one in new.columns.values()})
            for field in new.fields.values():
                yield from self._make(steps.many_to_many_table(new, field, self.connection))
        elif new is None and old.key not in step.after.models:
            yield from self._drop(old.name)
            for field in old.fields.values():
                yield from self._drop(steps.many_to_many_table(old, field, self.connection))
        elif old and new:
            if self._same(old.name) != self._same(new.name):
                columns = self._columns(old.name)
                yield from self._drop(old.name)
                yield from self._make(new.name, columns)
            elif any(old.options.get(option) != new.options.get(option) for option in OPTIONS):
                yield from self._need(new.name)
            for before, after in steps.field_pairs(step, old, new):
                yield from self._of_field(old, new, before, after)

    def _of_field(self, old, new, before, after):
        was, becomes = (
            field and steps.many_to_many_table(table, field, self.connection)
            for table, field in ((old, before), (new, after))
        )
        if self._same(was or "") != self._same(becomes or ""):
            yield from self._drop(was)
            yield from self._make(becomes)
        dropped, made = (field.column if field else None for field in (before, after))
        if dropped and made and in_database(before) == in_database(after):
            return
        if dropped or made:
            yield from self._need(new.name)
            columns = self._columns(new.name)
            if columns is not None:
                yield from self._of_column(new.name, columns, dropped, made)

    def _of_column(self, table, columns, dropped, made):
        if dropped and self._same(dropped) not in columns:
            yield "missing", f"there is no column {table}.{dropped}"
        columns.discard(self._same(dropped or ""))
        if made and self._same(made) in columns:
            yield "present", f"the column {table}.{made} is there already"
        if made:
            columns.add(self._same(made))

    def _make(self, table, columns=None):
        if table is None:
            return
        if self._is_there(table):
            yield "present", f"the table {table} is there already"
        if columns is None:
            self.assumed.add(self._same(table))
        self.tables[self._same(table)] = columns and set(map(self._same, columns))

    def _need(self, table):
        if not self._is_there(table):
            yield "missing", f"there is no table {table}"
            self.assumed.add(self._same(table))
            self.tables[self._same(table)] = None

    def _drop(self, table):
        if table is None:
            return
        yield from self._need(table)
        self.tables.pop(self._same(table), None)
        self.assumed.discard(self._same(table))

    # Names

    def _same(self, name):
        """Return a name so that two are equal if the engine takes them for the same."""
        name, length = strip_quotes(name), self.connection.ops.max_name_length()
        if length is None:
            return name.lower()  # SQLite
        return name.encode()[:length].decode(errors="ignore")

    def _is_there(self, table):
        return self._same(table) in self.tables

    def _columns(self, table):
        """Return the columns of a table, which may be changed; None if nobody knows them."""
        name = self._same(table)
        if name in self.assumed or name not in self.tables:
            return None
        if self.tables[name] is None:
            # In a transaction of somebody else's, an error must not end it.
            own = transaction.atomic if self.connection.in_atomic_block else nullcontext
            try:
                with own(), self.connection.cursor() as cursor:
                    found = self.connection.introspection.get_table_description(cursor, table)
            except DatabaseError:  # a role that may not read it
                self.assumed.add(name)
                return None
            self.tables[name] = {self._same(column.name) for column in found}
        return self.tables[name]

    # What is said

    def _add(self, step, kind, problem):
        refuses = not self.writer and type(step.operation).__module__.startswith(KNOWN)
        cause = f"{step.name} cannot be {'undone' if step.backwards else 'applied'}: {problem}"
        if self.writer:
            cause += f"; {self.writer} runs first and may change that"
        operation = step.describe()
        mend = _mend(step, kind)
        self.found.append(Finding(kind, refuses, step.name, operation, f"{cause}.", mend))


def in_database(field):
    """Return what of a field the database knows."""
    _, path, args, kwargs = field.deconstruct()
    unknown = {*field.non_db_attrs, "default"}
    known = {name: value for name, value in kwargs.items() if name not in unknown}
    return field.column, path, args, known


def _mend(step, kind):
    if step.backwards:
        names = sorted(name for app, name in step.migration.dependencies if app == step.app)
        before = f"{step.app}.{names[-1]}" if names else f"{step.app}@base"
        return (
            "If it was only recorded, and nothing of it is in the database, take the record back"
            f" with manage.py db stamp {before}."
        )
    if kind == "present":
        return (
            f"If all of it is in the database, record it with manage.py db stamp {step.name}; if"
            " not, drop what is there."
        )
    return (
        "An earlier migration was only recorded, or somebody has dropped it by hand: see manage.py"
        " db history --applied, and stamp where the database really stands."
    )
