"""The rows that stand, and what the operations of a plan will ask of them.

One query a check, and no more than ten keys come into Python. Over 300 lines because every check
shares the walk along the plan, and what of it stands already. Its private parts of Django are
verified with Django 5.2.
"""

from contextlib import nullcontext

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import DatabaseError, transaction
from django.db.migrations.operations import AlterField
from django.db.models import NOT_PROVIDED, CheckConstraint, F, Model, UniqueConstraint
from django.db.models.expressions import OrderBy
from django.db.models.sql.query import Query

from hotel.migrator import operations, steps
from hotel.migrator.constraints import Rule
from hotel.migrator.finding import KEYS, Finding
from hotel.migrator.steps import EVERYTHING

ARCHIVING = (
    *(operations.CreateModel, operations.DeleteModel),
    *(operations.AddField, operations.RemoveField),
)


class Rows:
    """Looks at the rows that stand, for what the operations of a plan will ask of them."""

    def __init__(self, connection, accept_data_loss, only_dropped=False):
        self.connection = connection
        self.quote = connection.ops.quote_name
        self.accept_data_loss = accept_data_loss
        self.only_dropped = only_dropped
        self.live = steps.Live(connection)
        self.editor = connection.schema_editor(collect_sql=True)  # writes values; runs nothing
        self.columns = {}  # of live tables, as far as they were asked for
        self.writers = {}  # who writes a live (table, column), or EVERYTHING, earlier in the plan
        self.found = []

    def look(self, walked):
        """Return the Findings about steps, in their order."""
        for step in walked:
            if not self.only_dropped:
                self._look_at_operation(step)
            for old, new in steps.pairs(step, self.connection):
                if old and new:
                    self._look_at_table(step, old, new)
                elif old and old.key not in step.after.models:
                    self._look_at_rows_dropped(step, old)
            self._remember(step)
            self.live.follow(step)
        return self.found

    # What is asked of them

    def _look_at_operation(self, step):
        operation = step.operation
        if step.backwards and not operation.reversible:
            self._add(
                step,
                "irreversible",
                f"{step.name} cannot be undone: its operation ({step.describe()}) has no reverse.",
                f"Write one, or take a target for manage.py db downgrade that leaves {step.name}"
                " applied.",
            )
        if isinstance(operation, operations.Unfinished) and not step.backwards:
            self._add(
                step,
                "unfinished",
                f"{step.name} is not written yet: {operation.what}.",
                "Write it, delete the line that says Unfinished, and run manage.py db upgrade"
                " again.",
            )
        if isinstance(operation, ValidateConstraint) and not step.backwards:
            key = step.app, operation.model_name.lower()
            if table := steps.table(step.before, key, self.connection):
                for constraint in table.options.get("constraints", ()):
                    if constraint.name == operation.name:
                        self._look_at_constraint(step, table, constraint)

    def _look_at_table(self, step, old, new):
        """Look at what a step makes of a table that stands before and after it."""
        for before, after in steps.field_pairs(step, old, new):
            if before is not None and after is None:
                self._look_at_dropped(step, old, before)
            elif before is not None and not self.only_dropped and before.column and after.column:
                self._look_at_column(step, old, new, before, after)
        if self.only_dropped:
            return
        was = {constraint.name for constraint in old.options.get("constraints", ())}
        for constraint in new.options.get("constraints", ()):
            # On the way up that leaves the rows alone which stand; there is none on the way down.
            if constraint.name not in was and not isinstance(step.operation, AddConstraintNotValid):
                self._look_at_constraint(step, new, constraint)
        were = {tuple(names) for names in old.options.get("unique_together") or ()}
        for names in new.options.get("unique_together") or ():
            if tuple(names) not in were:
                self._look_at_twins(step, old, [old.field(name) for name in names])

    def _look_at_column(self, step, old, new, before, after):
        if after.generated or not self._stand(old, [before]):
            return
        if before.null and not after.null:
            self._look_at_nulls(step, old, before, after)
        # Once converted, or compared in another way, equal values need not be equal any more.
        if after.unique and not before.unique and not _is_converted(before, after):
            self._look_at_twins(step, old, [before])
        if _refers(after):
            found = steps.target(step.after, new, after, self.connection)
            was = _refers(before) and steps.target(step.before, old, before, self.connection)
            if found and found != was:
                self._look_at_parents(step, old, before, *found)

    def _look_at_nulls(self, step, table, before, after):
        fills = isinstance(step.operation, operations.RequireField) and not step.backwards
        if not fills and _default_fills(step.operation, after, self.connection.vendor):
            return
        self._report(
            step,
            "null",
            self._ask(table, [before], f"{self._sql(table, before)} IS NULL"),
            f"{step.name} makes {self._name(table, before)} NOT NULL, with NULL in {{rows}}",
            "Fill them, by hand or with a RunPython before that operation,",
            self._writer(table, [before])
            or (f"the rule of {step.operation.backfill}" if fills else ""),
        )

    def _look_at_twins(self, step, table, fields, *, parts=(), where="", nulls=False, name=""):
        """Look for rows that are the same in ``fields``, or in ``parts``, which is SQL."""
        if not self._stand(table, fields):
            return
        parts = parts or [self._sql(table, field) for field in fields]
        limits = [] if nulls else [f"{part} IS NOT NULL" for part in parts]
        limits += [f"({where})"] if where else []
        shown = name or ", ".join(self._name(table, field) for field in fields)
        self._report(
            step,
            "unique",
            self._ask(table, fields, " AND ".join(limits) or "1 = 1", alike=parts),
            f"{step.name} makes {shown} unique, with equal values in {{rows}}",
            "Change or delete all but one of each, by hand or with a RunPython before that"
            " operation,",
            self._writer(table, fields),
        )

    def _look_at_parents(self, step, table, field, parent, column):
        live = self.live.table(parent), self.live.column(parent, column)
        if None in live:
            return
        parent, column = live
        value, there = self._sql(table, field), f"parent.{self.quote(column)}"
        found = f"SELECT 1 FROM {self.quote(parent)} AS parent WHERE {there} = {value}"
        self._report(
            step,
            "orphan",
            self._ask(table, [field], f"{value} IS NOT NULL AND NOT EXISTS ({found})"),
            f"{step.name} lets {self._name(table, field)} refer to {parent}.{column}, with nothing"
            f" there for {{rows}}",
            "Give them something to refer to, or delete them,",
            self._writer(table, [field]) or self.writers.get(live, ""),
        )

    def _look_at_constraint(self, step, table, constraint):
        """Look for rows that a constraint forbids; a Rule exempts them."""
        is_unique = isinstance(constraint, UniqueConstraint)
        if isinstance(constraint, Rule) or not (
            is_unique or isinstance(constraint, CheckConstraint)
        ):
            return
        fields = _read_by(constraint, table)
        if not fields or not self._stand(table, fields):
            return
        model = self._model(step, table)
        if not is_unique:
            sql = constraint._get_check_sql(model, self.editor)
            self._report(
                step,
                "check",
                self._ask(table, fields, f"NOT ({sql})"),
                f"{step.name} holds {self.live.table(table.name)} to {constraint.name}, which is"
                " broken by {rows}",
                "Correct them, or let operations.AddRules exempt them,",
                self._writer(table, fields),
            )
        elif self.editor._unique_supported(
            condition=constraint.condition,
            deferrable=constraint.deferrable,
            include=constraint.include,
            expressions=constraint.expressions,
            nulls_distinct=constraint.nulls_distinct,
        ):
            self._look_at_twins(
                step,
                table,
                fields,
                parts=self._parts(model, [*map(F, constraint.fields), *constraint.expressions]),
                where=constraint._get_condition_sql(model, self.editor),
                nulls=constraint.nulls_distinct is False,
                name=f"{self.live.table(table.name)} by {constraint.name}",
            )

    def _look_at_dropped(self, step, table, field):
        """Look for the values of a column, or the rows of a many-to-many table, that go."""
        through = steps.many_to_many_table(table, field, self.connection)
        if through:
            self._look_at_rows_dropped(step, steps.Table(table.key, through))
        elif field.column and not field.generated and self._stand(table, [field]):
            name, value = self._name(table, field), self._sql(table, field)
            self._report_dropped(
                step,
                lambda: self._ask(table, [field], f"{value} IS NOT NULL"),
                f"{step.name} drops {name}, with values in {{rows}}",
                self.writers.get(self._live(table, field), ""),
            )

    def _look_at_rows_dropped(self, step, table):
        if self.live.table(table.name):
            self._report_dropped(
                step,
                lambda: self._ask(table, [], "1 = 1"),
                f"{step.name} drops {self.live.table(table.name)}, with {{rows}}",
            )

    # How it is asked

    def _stand(self, table, fields):
        """Tell whether the table and all the columns stand, so that there are rows to look at."""
        return bool(self.live.table(table.name)) and all(
            self.live.column(table.name, field.column) for field in fields
        )

    def _live(self, table, field):
        return self.live.table(table.name), self.live.column(table.name, field.column)

    def _name(self, table, field):
        return ".".join(self._live(table, field))

    def _sql(self, table, field):
        return f"kept.{self.quote(self.live.column(table.name, field.column))}"

    def _model(self, step, table):
        """Return the model of a table, with the names that stand instead of those of its state."""
        model = step.after.apps.get_model(*table.key)
        for field in model._meta.local_concrete_fields:
            field.column = self.live.column(table.name, field.column) or field.column
        model._meta.db_table = self.live.table(table.name)
        return model

    def _parts(self, model, expressions):
        """Return expressions as SQL over bare columns, without what they say to an index."""
        query = Query(model=model, alias_cols=False)
        compiler = query.get_compiler(connection=self.connection)
        found = []
        for part in expressions:
            while isinstance(part, OrderBy | OpClass):
                [part] = part.get_source_expressions()[:1]
            sql, params = compiler.compile(part.resolve_expression(query))
            found.append(sql % tuple(map(self.editor.quote_value, params)))
        return found

    def _ask(self, table, fields, condition, alike=()):
        """Return count and first keys of the rows that meet ``condition``, or why nobody knows.

        alike: SQL; only those count that have it in common with another one.
        """
        live = self.live.table(table.name)
        keys = [self.live.column(table.name, column) for column in table.key_columns]
        keys = [f"kept.{self.quote(key)}" for key in keys if key]
        shown, order = ", ".join([*keys, "count(*) OVER ()"]), ", ".join(keys) or "1"
        source = f"{self.quote(live)} AS kept WHERE {condition}"
        if alike:
            together = f"count(*) OVER (PARTITION BY {', '.join(alike)}) AS migrator_alike"
            source = f"(SELECT {', '.join([*keys, together])} FROM {source}) AS kept"
            source += " WHERE migrator_alike > 1"
        # In a transaction of somebody else's, an error must not end it.
        own = transaction.atomic if self.connection.in_atomic_block else nullcontext
        try:
            with own(), self.connection.cursor() as cursor:
                there = self._columns(cursor, live)
                for column in [self.live.column(table.name, field.column) for field in fields]:
                    if column not in there:  # SQLite would take its name for a text
                        return f"{live} has no column {column}"
                cursor.execute(f"SELECT {shown} FROM {source} ORDER BY {order} LIMIT {KEYS}")
                rows = cursor.fetchall()
        except DatabaseError as error:
            return f"{live} cannot be asked ({type(error.__cause__ or error).__name__})"
        return (rows[0][-1] if rows else 0), tuple(",".join(map(str, row[:-1])) for row in rows)

    def _columns(self, cursor, live):
        if live not in self.columns:
            description = self.connection.introspection.get_table_description(cursor, live)
            self.columns[live] = {column.name for column in description}
        return self.columns[live]

    # What the plan itself changes

    def _remember(self, step):
        """Note which columns a step may write."""
        written, name = steps.writes(step), f"{step.name} ({step.describe()})"
        if written is EVERYTHING:
            self.writers.setdefault(EVERYTHING, name)
        elif written:
            table = steps.table(step.before, written[0], self.connection)
            if table and written[1] in table.columns:
                self.writers[self._live(table, table.columns[written[1]])] = name
        if isinstance(step.operation, AlterField):
            for old, new in steps.pairs(step, self.connection):
                for before, after in steps.field_pairs(step, old, new) if old and new else ():
                    if before and after and before.column and _may_change(step, before, after):
                        self.writers[self._live(old, before)] = name

    def _writer(self, table, fields):
        """Return which earlier operation of the plan may change these columns, or ""."""
        known = [self.writers.get(self._live(table, field)) for field in fields]
        return next(filter(None, [*known, self.writers.get(EVERYTHING)]), "")

    # What is said

    def _report_dropped(self, step, ask, what, writer=""):
        """Report rows or values that a step drops, unless that is ours, and not asked for."""
        kind = type(step.operation).__name__
        if isinstance(step.operation, ARCHIVING):
            if not self.only_dropped:
                mend = (
                    f"manage.py db {'upgrade' if step.backwards else 'downgrade'} gives them back."
                )
                what += ", which are archived first"
                self._report(step, "archived", ask(), what, mend, refuses=False)
            return
        if EVERYTHING in self.writers:  # no reason to let go what nobody has looked at
            earlier = self.writers[EVERYTHING]
            what += f", unless {earlier}, which runs before, moves them (its code is not looked at)"
        mend = "Only a back-up brings them back"
        if kind in {archiving.__name__ for archiving in ARCHIVING}:
            mend += f"; operations.{kind} instead of migrations.{kind} would archive them"
        if not self.accept_data_loss:
            mend += f": to lose them, say manage.py db {_verb(step)} --accept-data-loss"
        refuses = not (self.accept_data_loss or writer)
        self._report(step, "dropped", ask(), what, f"{mend}.", writer, refuses)

    def _report(self, step, kind, answer, what, mend, writer="", refuses=True):
        """Add a Finding if there are such rows, or if nobody could look for them."""
        if isinstance(answer, str):
            cause = f"{what.replace('{rows}', 'an unknown number of rows')}: {answer}."
            mend = f"Look at them before manage.py db {_verb(step)} does."
            self._add(step, "unreadable", cause, mend, refuses=False)
            return
        count, keys = answer
        if not count:
            return
        cause = what.replace("{rows}", "1 row" if count == 1 else f"{count} rows")
        if writer:
            cause += f" now; {writer} runs first and may change that"
            if kind != "dropped":
                mend = f"If it does not, manage.py db {_verb(step)} fails there: look at them."
                refuses = False
        elif refuses and kind != "dropped":
            mend += f" and run manage.py db {_verb(step)} again."
        self._add(step, kind, f"{cause}.", mend, refuses, count, keys)

    def _add(self, step, kind, cause, mend, refuses=True, count=None, keys=()):
        name, operation = step.name, step.describe()
        self.found.append(Finding(kind, refuses, name, operation, cause, mend, count, keys))


def _verb(step):
    return "downgrade" if step.backwards else "upgrade"


def _refers(field):
    return bool(field.remote_field) and getattr(field, "db_constraint", False)


def _is_converted(before, after):
    """Tell whether the values of a column may compare in another way after a step."""
    collations = [getattr(field, "db_collation", None) for field in (before, after)]
    is_other_type = type(before) is not type(after) and not (_refers(before) and _refers(after))
    return is_other_type or collations[0] != collations[1]


def _may_change(step, before, after):
    """Tell whether an AlterField may change values of the rows that stand."""
    return _is_converted(before, after) or (before.null and not after.null)


def _default_fills(operation, after, vendor):
    """Tell whether Django fills rows that hold NULL when the column becomes NOT NULL."""
    is_once = isinstance(operation, AlterField) and not operation.preserve_default
    default = operation.field.default if is_once else after.default
    if after.has_db_default() or (default is not None and default is not NOT_PROVIDED):
        return True
    is_empty = after.blank and after.empty_strings_allowed
    now = getattr(after, "auto_now", False) or getattr(after, "auto_now_add", False)
    return vendor == "sqlite" and (is_empty or now)  # which makes the table anew


def _read_by(constraint, table):
    """Return the fields that a constraint reads, or [] if the table has not all of them."""
    if isinstance(constraint, UniqueConstraint):
        expressions = [*map(F, constraint.fields), *constraint.expressions, constraint.condition]
    else:
        expressions = [constraint.condition]
    names = {
        reference[0]
        for expression in expressions
        for reference in Model._get_expr_references(expression)
    }
    fields = [table.field(name) for name in sorted(names)]
    return fields if all(field and field.column for field in fields) else []
