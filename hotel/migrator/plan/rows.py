"""The rows that stand, and what the operations of a plan will ask of them.

One query a check, and no more than ten keys come into Python. Over 300 lines because every check
shares the walk along the plan, and what of it stands already. Its private parts of Django are
verified with Django 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    CreateCollation,
    ValidateConstraint,
)
from django.db.migrations.operations import AlterField
from django.db.models import (
    NOT_PROVIDED,
    CheckConstraint,
    F,
    Model,
    UniqueConstraint,
)
from django.db.models.expressions import OrderBy
from django.db.models.sql.query import Query

from hotel.migrator import operations
from hotel.migrator.constraints import Rule
from hotel.migrator.editors.generated import REFERENCES, AnyField, MaybeField
from hotel.migrator.plan import conversions, steps, unmodelled
from hotel.migrator.plan.asking import Alike, Answer, Asking, verb
from hotel.migrator.plan.failing import left_to_the_run
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.steps import EVERYTHING, Step, Table
from hotel.migrator.sql.parsing import quoted

ARCHIVING = (
    *(operations.CreateModel, operations.DeleteModel),
    *(operations.AddField, operations.RemoveField),
)


class Rows(Asking):
    """Looks at the rows that stand, for what the operations of a plan will ask of them."""

    def look(self, walked: Sequence[Step]) -> list[Finding]:
        """Return the Findings about steps, in their order."""
        self.walked = walked
        for step in walked:
            if not self.only_dropped:
                with left_to_the_run(step, self.findings):
                    self._look_at_operation(step)
            for old, new in steps.pairs(step, self.connection):
                if old and new:
                    self._look_at_table(step, old, new)
                elif old and old.key not in step.after.models:
                    self._look_at_rows_dropped(step, old)
            self._remember(step)
            self.live.follow(step)
        return self.findings

    # What is asked of them

    def _look_at_operation(self, step: Step) -> None:
        operation = step.operation
        if step.backwards and not operation.reversible:
            self.add(
                step,
                "irreversible",
                f"{step.name} cannot be undone: its operation ({step.describe()}) has no reverse.",
                f"Write one, or take a target for manage.py db downgrade that leaves {step.name}"
                " applied.",
            )
        if isinstance(operation, operations.Unfinished) and not step.backwards:
            self.add(
                step,
                "unfinished",
                f"{step.name} is not written yet: {operation.what}.",
                "Write it, delete the line that says Unfinished, and run manage.py db upgrade"
                " again.",
            )
        if isinstance(operation, CreateCollation) and not step.backwards:
            self._look_at_collation(step, operation)
        if isinstance(operation, ValidateConstraint) and not step.backwards:
            key = step.app, operation.model_name.lower()
            if table := steps.table(step.before, key, self.connection):
                for constraint in table.options.get("constraints", ()):
                    if constraint.name == operation.name:
                        self._look_at_constraint(step, table, constraint)

    def _look_at_collation(self, step: Step, operation: CreateCollation) -> None:
        if self.connection.vendor != "postgresql" or operation.provider != "icu":
            return
        with self.connection.cursor() as cursor:
            # One of ICU's is listed whatever the server was built with, but then has no version.
            cursor.execute(
                "SELECT count(pg_collation_actual_version(oid)) FROM pg_collation"
                " WHERE collprovider = 'i'"
            )
            if cursor.fetchone() == (0,):
                self.add(
                    step,
                    "collation",
                    f"{step.name} makes the collation {operation.name} with ICU, which this server"
                    " was built without.",
                    "Run it on a server that has ICU, or take another provider.",
                )

    def _look_at_table(self, step: Step, old: Table, new: Table) -> None:
        """Look at what a step makes of a table that stands before and after it."""
        for before, after in steps.field_pairs(step, old, new):
            with left_to_the_run(step, self.findings):
                if before is not None and after is None:
                    self._look_at_dropped(step, old, before)
                elif not self.only_dropped:
                    self._look_at_field(step, old, new, before, after)
                elif (
                    before is not None
                    and before.column
                    and after.column
                    and not after.generated
                    and self.stand(old, [before])
                ):
                    conversions.look_at_lost(self, step, old, new, before, after)
        if not self.only_dropped:
            self._look_at_options(step, old, new)

    def _look_at_field(
        self, step: Step, old: Table, new: Table, before: MaybeField, after: AnyField
    ) -> None:
        if before is None:
            if after.column:
                conversions.look_at_added(self, step, old, after)
        elif before.column and after.column:
            self._look_at_column(step, old, new, before, after)
        else:
            conversions.look_at_many(self, step, old, before, after)

    def _look_at_options(self, step: Step, old: Table, new: Table) -> None:
        """Look at constraints that come."""
        was = {constraint.name for constraint in old.options.get("constraints", ())}
        for constraint in new.options.get("constraints", ()):
            # On the way up that leaves the rows alone which stand; there is none on the way down.
            if constraint.name not in was and not isinstance(step.operation, AddConstraintNotValid):
                with left_to_the_run(step, self.findings):
                    self._look_at_constraint(step, new, constraint)
        were = {tuple(names) for names in old.options.get("unique_together") or ()}
        for names in new.options.get("unique_together") or ():
            fields = [old.field(name) for name in names]
            if tuple(names) not in were and all(fields):
                self.look_at_twins(step, old, fields)

    def _look_at_column(
        self, step: Step, old: Table, new: Table, before: AnyField, after: AnyField
    ) -> None:
        if before.generated != after.generated:
            conversions.refuse_generated(self, step, old, before, after)
        if before.generated or after.generated or not self.stand(old, [before]):
            return
        if before.null and not after.null:
            self._look_at_nulls(step, old, before, after)
        conversions.look_at(self, step, old, new, before, after)
        # Once converted, or compared in another way, equal values need not be equal any more.
        if after.unique and not before.unique and not _is_converted(before, after):
            self.look_at_twins(step, old, [before])
        if _refers(after):
            target = steps.target(step.after, new, after, self.connection)
            was = _refers(before) and steps.target(step.before, old, before, self.connection)
            if target and target != was:
                self._look_at_parents(step, old, before, *target)

    def _look_at_nulls(self, step: Step, table: Table, before: AnyField, after: AnyField) -> None:
        backfill = getattr(step.operation, "backfill", "")
        fills = isinstance(step.operation, operations.RequireField) and not step.backwards
        if not fills and _default_fills(step.operation, after, self.connection.vendor):
            return
        self.report(
            step,
            "null",
            self.ask(table, [before], f"{self.sql(table, before)} IS NULL"),
            f"{step.name} makes {self.name(table, before)} NOT NULL, with NULL in {{rows}}",
            "Fill them, by hand or with a RunPython before that operation,",
            writer=self.writer(table, [before]) or (f"the rule of {backfill}" if fills else ""),
        )

    def _look_at_parents(
        self, step: Step, table: Table, field: AnyField, parent: str, column: str
    ) -> None:
        parent, column = self.live.table(parent) or "", self.live.column(parent, column) or ""
        if not (parent and column):
            return
        value, there = self.sql(table, field), f"parent.{quoted(column)}"
        parent_row = f"SELECT 1 FROM {quoted(parent)} AS parent WHERE {there} = {value}"
        self.report(
            step,
            "orphan",
            self.ask(table, [field], f"{value} IS NOT NULL AND NOT EXISTS ({parent_row})"),
            f"{step.name} lets {self.name(table, field)} refer to {parent}.{column}, with nothing"
            f" there for {{rows}}",
            "Give them something to refer to, or delete them,",
            writer=self.writer(table, [field]) or self.writers.get((parent, column), ""),
        )

    def _look_at_constraint(self, step: Step, table: Table, constraint: Any) -> None:
        """Look for rows that a constraint forbids; a Rule exempts them."""
        is_unique = isinstance(constraint, UniqueConstraint)
        if isinstance(constraint, Rule) or not (
            is_unique or isinstance(constraint, CheckConstraint)
        ):
            return
        fields = _read_by(constraint, table)
        if not fields or not self.stand(table, fields):
            return
        model = self._model(step, table)
        if not is_unique:
            sql = constraint._get_check_sql(model, self.editor)
            self.report(
                step,
                "check",
                self.ask(table, fields, f"NOT ({sql})"),
                f"{step.name} holds {self.live.table(table.name)} to {constraint.name}, which is"
                " broken by {rows}",
                "Correct them, or let operations.AddRules exempt them,",
                writer=self.writer(table, fields),
            )
        elif self.editor._unique_supported(
            condition=constraint.condition,
            deferrable=constraint.deferrable,
            include=constraint.include,
            expressions=constraint.expressions,
            nulls_distinct=constraint.nulls_distinct,
        ):
            alike = Alike(
                parts=self._parts(model, [*map(F, constraint.fields), *constraint.expressions]),
                where=constraint._get_condition_sql(model, self.editor),
                nulls=constraint.nulls_distinct is False,
                name=f"{self.live.table(table.name)} by {constraint.name}",
            )
            self.look_at_twins(step, table, fields, alike)

    def _look_at_dropped(self, step: Step, table: Table, field: AnyField) -> None:
        """Look for the values of a column, or the rows of a many-to-many table, that go."""
        through = steps.many_to_many_table(table, field, self.connection)
        if through:
            self._look_at_rows_dropped(step, steps.Table(table.key, through))
        elif field.column and not field.generated and self.stand(table, [field]):
            name, value = self.name(table, field), self.sql(table, field)
            self._report_dropped(
                step,
                lambda: self.ask(table, [field], f"{value} IS NOT NULL"),
                f"{step.name} drops {name}, with values in {{rows}}",
                self.writers.get(self.place(table, field), ""),
            )

    def _look_at_rows_dropped(self, step: Step, table: Table) -> None:
        if self.live.table(table.name):
            if isinstance(step.operation, ARCHIVING):
                unmodelled.look_at(self, step, table)
            self._report_dropped(
                step,
                lambda: self.ask(table, [], "1 = 1"),
                f"{step.name} drops {self.live.table(table.name)}, with {{rows}}",
            )

    def _model(self, step: Step, table: Table) -> type[Model]:
        """Return the model of a table, with the names that stand instead of those of its state."""
        model = step.after.apps.get_model(*table.key)
        for field in model._meta.local_concrete_fields:
            field.column = self.live.column(table.name, field.column) or field.column
        model._meta.db_table = quoted(self.live.table(table.name) or "")
        return model

    def _parts(self, model: type[Model], expressions: Sequence[Any]) -> list[str]:
        """Return expressions as SQL over bare columns, without what they say to an index."""
        query = Query(model=model, alias_cols=False)
        compiler = query.get_compiler(connection=self.connection)
        parts = []
        for part in expressions:
            while isinstance(part, OrderBy | OpClass):
                [part] = part.get_source_expressions()[:1]
            sql, params = compiler.compile(part.resolve_expression(query))
            parts.append(sql % tuple(map(self.editor.quote_value, params)))
        return parts

    # What the plan itself changes

    def _remember(self, step: Step) -> None:
        """Note which columns a step may write."""
        written, name = steps.writes(step), f"{step.name} ({step.describe()})"
        if written is EVERYTHING:
            self.writers.setdefault(EVERYTHING, name)
        elif isinstance(written, tuple):
            key, column = written
            table = steps.table(step.before, key, self.connection)
            if table and column in table.columns:
                self.writers[self.place(table, table.columns[column])] = name
        if isinstance(step.operation, AlterField):
            for old, new in steps.pairs(step, self.connection):
                if old is None or new is None:
                    continue
                for before, after in steps.field_pairs(step, old, new):
                    if before and after and before.column and _may_change(before, after):
                        self.writers[self.place(old, before)] = name

    def _report_dropped(
        self, step: Step, ask: Callable[[], Answer], what: str, writer: str = ""
    ) -> None:
        """Report rows or values that a step drops, unless that is ours, and not asked for."""
        kind = type(step.operation).__name__
        if isinstance(step.operation, ARCHIVING):
            if not self.only_dropped:
                mend = (
                    f"manage.py db {'upgrade' if step.backwards else 'downgrade'} gives them back."
                )
                what += ", which are archived first"
                self.report(step, "archived", ask(), what, mend, refuses=False)
            return
        if EVERYTHING in self.writers:  # no reason to let go what nobody has looked at
            earlier = self.writers[EVERYTHING]
            what += f", unless {earlier}, which runs before, moves them (its code is not looked at)"
        mend = "Only a back-up brings them back"
        if kind in {archiving.__name__ for archiving in ARCHIVING}:
            mend += f"; operations.{kind} instead of migrations.{kind} would archive them"
        if not self.accept_data_loss:
            mend += f": to lose them, say manage.py db {verb(step)} --accept-data-loss"
        refuses = not (self.accept_data_loss or writer)
        self.report(step, "dropped", ask(), what, f"{mend}.", writer=writer, refuses=refuses)


def _refers(field: AnyField) -> bool:
    return bool(field.remote_field) and getattr(field, "db_constraint", False)


def _is_converted(before: AnyField, after: AnyField) -> bool:
    """Tell whether the values of a column may compare in another way after a step."""
    collations = [getattr(field, "db_collation", None) for field in (before, after)]
    is_other_type = type(before) is not type(after) and not (_refers(before) and _refers(after))
    return is_other_type or collations[0] != collations[1]


def _may_change(before: AnyField, after: AnyField) -> bool:
    """Tell whether an AlterField may change values of the rows that stand."""
    return _is_converted(before, after) or (before.null and not after.null)


def _default_fills(operation: Any, after: AnyField, vendor: str) -> bool:
    """Tell whether Django fills rows that hold NULL when the column becomes NOT NULL."""
    is_once = isinstance(operation, AlterField) and not operation.preserve_default
    default = operation.field.default if is_once else after.default
    if after.has_db_default() or (default is not None and default is not NOT_PROVIDED):
        return True
    is_empty = after.blank and after.empty_strings_allowed
    now = getattr(after, "auto_now", False) or getattr(after, "auto_now_add", False)
    return vendor == "sqlite" and (is_empty or now)  # which makes the table anew


def _read_by(constraint: Any, table: Table) -> list[AnyField]:
    """Return the fields that a constraint reads, or [] if the table has not all of them."""
    if isinstance(constraint, UniqueConstraint):
        expressions = [*map(F, constraint.fields), *constraint.expressions, constraint.condition]
    else:
        expressions = [constraint.condition]
    names = {reference[0] for expression in expressions for reference in REFERENCES(expression)}
    fields = [table.field(name) for name in sorted(names)]
    return fields if all(field and field.column for field in fields) else []
