"""The rule that forbids two rows that clash."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import F, Model, Q, QuerySet
from django.db.models.lookups import Exact, GreaterThan, LessThan
from django.db.models.sql.query import Query

from hotel.migrator.constraints.rules import Rule

# The pairs that clash on SQLite. There is no row 0, so that none of them outlives a transaction.
CONFLICTS = """\
CREATE TABLE IF NOT EXISTS migrator_conflicts (
    id integer PRIMARY KEY AUTOINCREMENT,
    rule text NOT NULL,
    one integer NOT NULL,
    other integer NOT NULL,
    never integer NOT NULL DEFAULT 0 CHECK (never = 0)
        REFERENCES migrator_conflicts (id) DEFERRABLE INITIALLY DEFERRED
)"""


class Exclusion(Rule):
    """No two rows that meet ``condition`` are the same in ``same`` and overlap in ``span``.

    same: names of fields or expressions; NULL is the same as nothing.
    span: names of two date fields, the second the first day after; NULL there has no end. A row
    whose span ends before it begins, or at once, overlaps nothing. Without a span, being the same
    is enough.

    It may be broken inside a transaction: on SQLite it is held at the end, and on PostgreSQL too
    after ``SET CONSTRAINTS ... DEFERRED``. So two stays can swap their rooms. PostgreSQL needs the
    extension btree_gist.
    """

    def __init__(
        self,
        *,
        name: str,
        same: Iterable[Any],
        span: tuple[str, str] | None = None,
        condition: Q | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.same = tuple(same)
        self.span = tuple(span) if span else None
        self.condition = condition

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        kwargs["same"] = self.same
        if self.span:
            kwargs["span"] = self.span
        if self.condition is not None:
            kwargs["condition"] = self.condition
        return path, args, kwargs

    def expressions(self) -> list[Any]:
        """Return what the rule reads of a row."""
        read = [F(part) if isinstance(part, str) else part for part in self.same]
        read += [F(name) for name in self.span or ()]
        return read if self.condition is None else [*read, self.condition]

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the constraint as it stands in CREATE TABLE; SQLite has triggers instead."""
        self.defer_triggers(model, schema_editor)
        if schema_editor.connection.vendor != "postgresql":
            return None
        sql = _Sql(self, model, schema_editor)
        terms = [f"({part}) WITH =" for part in sql.same]
        if self.span:
            start, end = sql.span
            until = f"CASE WHEN {end} < {start} THEN {start} ELSE {end} END"
            terms.append(f"daterange({start}, {until}) WITH &&")
        # Two exempt rows are one to the index. The least number is nobody's key.
        row = f"CASE WHEN {self.is_exempt_sql(schema_editor)} THEN (-9223372036854775808)::bigint"
        terms.append(f"({row} ELSE {sql.key}::bigint END) WITH <>")
        where = f" WHERE ({sql.condition})" if sql.condition else ""
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} EXCLUDE USING gist"
            f" ({', '.join(terms)}){where} DEFERRABLE INITIALLY IMMEDIATE"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that adds the constraint (PostgreSQL)."""
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def broken_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Return the SQL condition that a row clashes with another one."""
        sql = _Sql(self, model, schema_editor)
        table = schema_editor.quote_name(model._meta.db_table)
        return f"{sql.key} IN ({sql.clashing_keys(table)})"

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers which end exemptions, and find clashes."""
        statements = super().trigger_sql(model, schema_editor)
        if schema_editor.connection.vendor == "postgresql":
            return statements
        sql = _Sql(self, model, schema_editor)
        read = ", ".join([sql.key, *map(schema_editor.quote_name, self.columns(model))])
        forget = (
            f"DELETE FROM migrator_conflicts WHERE rule = '{self.name}'"
            " AND %(row)s.%(key)s IN (one, other);"
        )
        mine = f"{sql.key} = NEW.{sql.key}"
        # A sign that stands for itself meets two that format: the statement, and the cursor.
        clashes = sql.clashes("<table>", mine).replace("%", "%%%%")
        find = (
            f" INSERT INTO migrator_conflicts (rule, one, other)"
            f" SELECT '{self.name}', one.key, other.key"
            f" FROM {clashes.replace('<table>', '%(table)s')};"
        )
        table = Table(model._meta.db_table, schema_editor.quote_name)

        def trigger(event: str, suffix: str, row: str, body: str) -> Statement:
            return Statement(
                f"CREATE TRIGGER %(name)s AFTER {event} ON %(table)s BEGIN {body} END",
                name=schema_editor.quote_name(f"{self.name}_{suffix}"),
                table=table,
                row=row,
                key=sql.key,
            )

        index = Statement(
            "CREATE INDEX %(name)s ON %(table)s (%(parts)s)%(where)s",
            name=schema_editor.quote_name(f"{self.name}_key"),
            table=table,
            parts=", ".join([*sql.same, *sql.span]).replace("%", "%%"),
            where=(f" WHERE {sql.condition}" if sql.condition else "").replace("%", "%%"),
        )
        return [
            CONFLICTS,
            *statements,
            index,  # or each new row would be compared with all others
            trigger("INSERT", "inserted", "NEW", forget + find),
            trigger(f"UPDATE OF {read}, exemptions", "updated", "OLD", forget + find),
            trigger("DELETE", "deleted", "OLD", forget),
        ]

    def clashing(self, instance: Any, using: str = DEFAULT_DB_ALIAS) -> QuerySet[Any]:
        """Return the rows that ``instance`` may not stand beside, as a queryset."""
        model = type(instance)
        values = instance._get_field_expression_map(meta=model._meta)
        given = {F(name): value for name, value in values.items()}
        rows: QuerySet[Any] = model._base_manager.using(using)
        if self.condition is not None and not self.condition.check(values, using=using):
            return rows.none()
        for expression in self.expressions()[: len(self.same)]:
            rows = rows.filter(Exact(expression, expression.replace_expressions(given)))
        if self.span:
            start, end = self.span
            mine = getattr(instance, start), getattr(instance, end)
            if mine[0] is None or (mine[1] is not None and mine[1] <= mine[0]):
                return rows.none()
            rows = rows.filter(Q(**{f"{end}__isnull": True}) | Q(GreaterThan(F(end), F(start))))
            rows = rows.filter(Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gt": mine[0]}))
            if mine[1] is not None:
                rows = rows.filter(LessThan(F(start), mine[1]))
        if self.condition is not None:
            rows = rows.filter(self.condition)
        if not instance._state.adding:
            rows = rows.exclude(pk=instance.pk)
        if self.exempts(instance, using):
            rows = rows.exclude(exemptions__has_key=self.name)
        return rows

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError if ``instance`` clashes with a row that stands."""
        if set(self.fields(model)) & set(exclude or ()):
            return
        if self.clashing(instance, using).exists():
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )


class _Sql:
    """The parts of an ``Exclusion`` as SQL over bare column names."""

    def __init__(
        self, rule: Exclusion, model: Any, schema_editor: BaseDatabaseSchemaEditor
    ) -> None:
        query = Query(model=model, alias_cols=False)
        compiler = query.get_compiler(connection=schema_editor.connection)

        def compiled(expression: Any) -> str:
            sql, params = compiler.compile(expression)
            return str(sql) % tuple(schema_editor.quote_value(param) for param in params)

        expressions = [part for part in rule.expressions() if not isinstance(part, Q)]
        parts = [compiled(part.resolve_expression(query)) for part in expressions]
        self.rule = rule
        self.schema_editor = schema_editor
        self.same = parts[: len(rule.same)]
        self.span = parts[len(rule.same) :]
        self.key = schema_editor.quote_name(model._meta.pk.column)
        condition = rule.condition
        self.condition = compiled(query.build_where(condition)) if condition is not None else ""

        self.limits = [f"({self.condition})"] if self.condition else []
        if self.span:
            first, after = self.span
            self.limits += [f"{first} IS NOT NULL", f"({after} IS NULL OR {after} > {first})"]

    def clashes(self, table: str, mine: str) -> str:
        """Return the FROM clause of the pairs that a row meeting ``mine`` makes with the others.

        Pairs of exempt rows are left out.
        """
        same = {f"same{place}": sql for place, sql in enumerate(self.same)}
        shown = {"key": self.key, **same}
        if self.span:
            shown |= {"first": self.span[0], "after": self.span[1]}
        shown["exempt"] = self.rule.is_exempt_sql(self.schema_editor)
        columns = ", ".join(f"{sql} AS {name}" for name, sql in shown.items())
        pairs = [f"one.{name} = other.{name}" for name in same] + ["one.key <> other.key"]
        if self.span:
            pairs.append("(other.after IS NULL OR one.first < other.after)")
            pairs.append("(one.after IS NULL OR other.first < one.after)")
        pairs.append("NOT (one.exempt AND other.exempt)")

        def rows(*more: Any) -> str:
            where = " AND ".join([*self.limits, *more])
            return f"(SELECT {columns} FROM {table}{f' WHERE {where}' if where else ''})"

        return f"{rows(mine)} AS one JOIN {rows()} AS other ON {' AND '.join(pairs)}"

    def clashing_keys(self, table: str) -> str:
        """Return the SELECT of the keys of all rows that clash, at the price of sorting them.

        In the order of their starts, a row overlaps one before it if the latest end so far lies
        after its own start, and one after it if the next start lies before its own end.
        """
        limits = [*self.limits, *(f"{part} IS NOT NULL" for part in self.same)]
        where = " AND ".join(limits)
        alike = f"PARTITION BY {', '.join(self.same)}"
        vendor = self.schema_editor.connection.vendor
        if not self.span:
            shown = f"count(*) OVER ({alike}) > 1"
        else:
            first, after = self.span
            # The last day there is; SQLite would compare a bare 9999 as a number.
            never = "infinity" if vendor == "postgresql" else "9999-12-31"
            after = f"coalesce({after}, '{never}')"
            order = f"{alike} ORDER BY {first}, {self.key}"
            shown = (
                f"coalesce(max({after}) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND"
                f" 1 PRECEDING) > {first}, false)"
                f" OR coalesce(lead({first}) OVER ({order}) < {after}, false)"
            )
        rows = f"SELECT {self.key} AS clash_key, {shown} AS clashes FROM {table} WHERE {where}"
        return f"SELECT clash_key FROM ({rows}) AS compared WHERE clashes"


def refuse_clashes(connection: BaseDatabaseWrapper) -> None:
    """Raise IntegrityError now for what would be refused at the end of the transaction.

    The message names the rule.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrator_conflicts'")
        if cursor.fetchone():
            cursor.execute("SELECT rule, one, other FROM migrator_conflicts ORDER BY id LIMIT 1")
            clash = cursor.fetchone()
            if clash:
                raise IntegrityError("{}: row {} clashes with row {}.".format(*clash))
