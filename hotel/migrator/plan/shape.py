"""Whether what a plan takes for granted of tables and columns is true of the live database.

A migration that was only recorded (``--fake``, ``db stamp``) and a change by hand leave a database
that is not what its records say. What is to be dropped or changed must be there, and what is to be
made must not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from typing import TypeAlias

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations import AddField, CreateModel, RenameModel, RunSQL

from hotel.migrator import operations
from hotel.migrator.editors.generated import MaybeField, names_read
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.plan import steps
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.steps import EVERYTHING, Pair, Step, Table, in_database
from hotel.migrator.sql.parsing import bare, is_elsewhere, quoted

# Where the operations are whose every statement is known; others may say IF NOT EXISTS.
Problem: TypeAlias = tuple[str, str]  # its kind, and what is wrong
KNOWN = ("django.db.migrations.", "django.contrib.postgres.", operations.__name__)
OPTIONS = ("constraints", "indexes", "unique_together")  # of a model, that its table holds


def refuse_twice(connection: BaseDatabaseWrapper, walked: Sequence[Step]) -> None:
    """Raise RefusedByPreflight if one of the steps makes again what stands at this moment.

    For the runner, just before it: of a plan that begins with code, or on an empty database, nobody
    can tell before.
    """
    for step in walked:
        operation = step.operation
        if step.backwards or not isinstance(operation, AddField | CreateModel):
            continue
        is_model = isinstance(operation, CreateModel)
        model = step.before.models.get((step.app, _model_name(operation)))
        if model and (is_model or operation.name in model.fields):
            for kind, problem in Shape(connection).of_two(step):
                raise RefusedByPreflight(
                    f"{step.name} ({step.describe()}) cannot be applied: {problem}."
                    f" {_mend(step, kind)}"
                )


class Shape:
    """Follows the tables and columns that stand through a plan.

    begun: keys of migrations that were stopped in between; what they make may be there already.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, begun: Collection[tuple[str, str]] = ()
    ) -> None:
        self.connection = connection
        self.begun = begun
        # By name, the names of their columns; None as long as nobody has asked.
        names = connection.introspection.table_names(include_views=True)
        self.tables = dict.fromkeys(map(self._same, names))
        self.assumed = set[str]()  # tables of which nothing more is known
        self.writer = ""  # the first operation that may make or drop whatever it likes
        self.findings = list[Finding]()

    def look(self, walked: Sequence[Step]) -> list[Finding]:
        """Return the Findings about steps, in their order, one a step at most."""
        for step in walked:
            problems = list(self.of_two(step))
            problems += [one for pair in self._pairs(step) for one in self._of_table(step, *pair)]
            if problems and not self._may_be_begun(step) and not isinstance(step.operation, RunSQL):
                self._add(step, *problems[0])
            if not self.writer and steps.writes(step) is EVERYTHING:
                self.writer = f"{step.name} ({step.describe()})"
        return self.findings

    def _may_be_begun(self, step: Step) -> bool:
        return not step.migration.atomic and (step.app, step.migration.name) in self.begun

    def _pairs(self, step: Step) -> list[Pair]:
        """Return tables before and after; of a renamed model only its own, for others follow it."""
        pairs = steps.pairs(step, self.connection)
        if isinstance(step.operation, RenameModel):
            return [(old, new) for old, new in pairs if old and new and old.key != new.key]
        return pairs

    # What is wrong, as kind and words; whatever it is, it is taken as it should be afterwards

    def of_two(self, step: Step) -> Iterator[Problem]:
        """Look for a model or field that an earlier migration has made under the same name.

        Two branches may both have added it. Django says nothing, and SQLite would fill the column
        of the first with the default of the second.
        """
        operation = step.operation
        if step.backwards or not isinstance(operation, AddField | CreateModel):
            return
        is_model = isinstance(operation, CreateModel)
        key = step.app, _model_name(operation)
        made = steps.table(step.before, key, self.connection)
        if made is None or not self._is_there(made.name):
            return
        if is_model:
            yield (
                "twice",
                f"a model {operation.name} was made before it, with the table {made.name}",
            )
        elif (field := made.field(operation.name)) and field.column:
            columns = self._columns(made.name)
            if columns is None or self._same(field.column) in columns:
                yield (
                    "twice",
                    f"a field {operation.name} was added before it, with the column"
                    f" {made.name}.{field.column}",
                )

    def _of_table(self, step: Step, old: Table | None, new: Table | None) -> Iterator[Problem]:
        if old is None and new is not None and new.key not in step.before.models:
            yield from self._make(new.name, {one.column for one in new.columns.values()})
            for field in new.fields.values():
                yield from self._make(steps.many_to_many_table(new, field, self.connection))
        elif old is not None and new is None and old.key not in step.after.models:
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
            if self.connection.vendor == "sqlite" and steps.remakes(step, old, new):
                yield from self._of_copied(new.name, old)
            for before, after in steps.field_pairs(step, old, new):
                yield from self._of_field(old, new, before, after)
            yield from self._of_read(old, new)

    def _of_field(
        self, old: Table, new: Table, before: MaybeField, after: MaybeField
    ) -> Iterator[Problem]:
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

    def _of_column(
        self, table: str, columns: set[str], dropped: str | None, made: str | None
    ) -> Iterator[Problem]:
        if dropped and self._same(dropped) not in columns:
            yield "missing", f"there is no column {table}.{dropped}"
        columns.discard(self._same(dropped or ""))
        if made and self._same(made) in columns:
            yield "present", f"the column {table}.{made} is there already"
        if made:
            columns.add(self._same(made))

    def _of_copied(self, table: str, old: Table) -> Iterator[Problem]:
        """Look for the columns that a new table is filled from.

        SQLite takes the name of one that is not there for a text, which all rows would get.
        """
        columns = self._columns(table)
        for field in old.columns.values():
            if columns is None or field.generated:
                continue
            if self._same(field.column) not in columns:
                yield "missing", f"there is no column {table}.{field.column}"

    def _of_read(self, old: Table, new: Table) -> Iterator[Problem]:
        """Look for the columns that new indexes and constraints read.

        SQLite takes the name of one that is not there for a text, and makes the index.
        """
        columns = self._columns(new.name)
        if columns is None:
            return
        for what, names in _new_readers(old, new):
            for field in filter(None, map(new.field, sorted(names))):
                if field.column and self._same(field.column) not in columns:
                    problem = f"there is no column {new.name}.{field.column}, which {what} reads"
                    yield "missing", problem

    def _make(self, table: str | None, columns: set[str] | None = None) -> Iterator[Problem]:
        if table is None:
            return
        if self._is_there(table) and not is_elsewhere(table):
            yield "present", f"the table {table} is there already"
        if columns is None:
            self.assumed.add(self._same(table))
        self.tables[self._same(table)] = columns and set(map(self._same, columns))

    def _need(self, table: str) -> Iterator[Problem]:
        if not self._is_there(table):
            yield "missing", f"there is no table {table}"
            self.assumed.add(self._same(table))
            self.tables[self._same(table)] = None

    def _drop(self, table: str | None) -> Iterator[Problem]:
        if table is None:
            return
        yield from self._need(table)
        self.tables.pop(self._same(table), None)
        self.assumed.discard(self._same(table))

    # Names

    def _same(self, name: str) -> str:
        """Return a name so that two are equal if the engine takes them for the same."""
        name, length = bare(name), self.connection.ops.max_name_length()
        if length is None:
            return name.lower()  # SQLite
        return name.encode()[:length].decode(errors="ignore")

    def _is_there(self, table: str) -> bool:
        return is_elsewhere(table) or self._same(table) in self.tables

    def _columns(self, table: str) -> set[str] | None:
        """Return the columns of a table, which may be changed; None if nobody knows them."""
        name = self._same(table)
        if name in self.assumed or name not in self.tables:
            return None
        if self.tables[name] is None:
            # In a transaction of somebody else's, an error must not end it.
            own = transaction.atomic if self.connection.in_atomic_block else nullcontext
            try:
                with own(), self.connection.cursor() as cursor:
                    cursor.execute(f"SELECT * FROM {quoted(bare(table))} LIMIT 0")
                    described = cursor.description
            except DatabaseError:  # a role that may not read it
                self.assumed.add(name)
                return None
            self.tables[name] = {self._same(column[0]) for column in described}
        return self.tables[name]

    # What is said

    def _add(self, step: Step, kind: str, problem: str) -> None:
        refuses = not self.writer and type(step.operation).__module__.startswith(KNOWN)
        cause = f"{step.name} cannot be {'undone' if step.backwards else 'applied'}: {problem}"
        if self.writer:
            cause += f"; {self.writer} runs first and may change that"
        operation = step.describe()
        mend = _mend(step, kind)
        self.findings.append(Finding(kind, refuses, step.name, operation, f"{cause}.", mend))


def _model_name(operation: AddField | CreateModel) -> str:
    """Return the name of the model of which an operation makes something, in small letters."""
    if isinstance(operation, CreateModel):
        return operation.name_lower
    return operation.model_name_lower


def _new_readers(old: Table, new: Table) -> Iterator[tuple[str, set[str]]]:
    """Yield the indexes and constraints that come, in words, and the fields that they read."""
    for option, word in (("indexes", "the index"), ("constraints", "the constraint")):
        was = {one.name for one in old.options.get(option, ())}
        for one in new.options.get(option, ()):
            if one.name not in was:
                yield f"{word} {one.name}", names_read(one)
    together = [set(map(tuple, one.options.get("unique_together") or ())) for one in (old, new)]
    for names in together[1] - together[0]:
        yield f"unique_together ({', '.join(names)})", set(names)


def _mend(step: Step, kind: str) -> str:
    if kind == "twice":
        return "Take that operation out of the migration, or give what it makes another name."
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
            " not, drop what is there, if nobody needs it. A database of a legacy system is"
            " taken over with manage.py db adopt."
        )
    return (
        "An earlier migration was only recorded, or somebody has dropped it by hand: see manage.py"
        " db history --applied, and stamp where the database really stands."
    )
