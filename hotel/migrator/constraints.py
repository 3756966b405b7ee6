"""Rules that the database holds, and from which rows that broke them before are exempt.

What models and migrations may import; append-only. A ``Check`` is a CHECK; an ``Exclusion`` forbids
two rows that clash: the same number, or the same room over nights that overlap.

Old rows stay as they are: ``operations.AddRules`` writes the names of the rules that a row breaks
into its column ``exemptions`` (``fields.ExemptionsField``). An exempt row may be edited, and
clashes with every row that is not exempt. Changing a column that the rule reads ends the exemption,
in the database; no row is ever given one afterwards, by INSERT or UPDATE. That two exempt rows are
never compared lets in nothing: as long as both stand unchanged, they clash no more than they did.

PostgreSQL holds a ``Check`` and an ``Exclusion`` by constraints, and triggers end exemptions.
SQLite has no exclusion constraints: triggers keep the pairs of rows that clash in
``migrator_conflicts``, whose foreign key no row can satisfy at the end of the transaction. The
triggers are made by the schema editor's deferred SQL, so that they outlive every rebuild of their
table. Over 500 lines, because old migrations import all of it from here for ever.
"""

from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError
from django.db.backends.ddl_references import Statement, Table
from django.db.models import CheckConstraint, F, Q
from django.db.models.constraints import BaseConstraint
from django.db.models.lookups import Exact, GreaterThan, LessThan
from django.db.models.sql.query import Query

# Made with the first rule on PostgreSQL, and kept like the tables of the migrator. The arguments of
# a trigger are the rule and the columns it reads, by name: their types stay free to change. A
# column that was renamed behind our back counts as changed.
END_EXEMPTION = """\
CREATE OR REPLACE FUNCTION migrator_end_exemption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT'
        OR (OLD.exemptions -> TG_ARGV[0]) IS DISTINCT FROM (NEW.exemptions -> TG_ARGV[0])
        OR EXISTS (
            SELECT 1 FROM unnest(TG_ARGV[1:]) AS name
            WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
                OR NOT to_jsonb(NEW) ? name
        )
    THEN
        NEW.exemptions := nullif(NEW.exemptions - TG_ARGV[0], '{}');
    END IF;
    RETURN NEW;
END
$$"""

# Made with the first ``AppendOnly`` on PostgreSQL, and kept.
KEEP_ROWS = """\
CREATE OR REPLACE FUNCTION migrator_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' are never changed or deleted',
        CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END
$$"""

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


class Rule(BaseConstraint):
    """What a ``Check`` and an ``Exclusion`` have in common.

    mend: what a clerk does with an exempt row so that it keeps the rule, as a sentence.
    """

    non_db_attrs = (*BaseConstraint.non_db_attrs, "mend")

    def __init__(self, *, name, mend="", **kwargs):
        super().__init__(name=name, **kwargs)
        self.mend = mend

    def deconstruct(self):
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, **({"mend": self.mend} if self.mend else {})}

    def __eq__(self, other):
        if isinstance(other, Rule):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    __hash__ = None

    def expressions(self):
        """Return what the rule reads of a row, as expressions."""
        raise NotImplementedError

    def broken_sql(self, model, schema_editor):
        """Return the SQL condition that a row of ``model`` breaks the rule."""
        raise NotImplementedError

    def fields(self, model):
        """Return the names of the fields that the rule reads, sorted."""
        names = {
            reference[0]
            for expression in self.expressions()
            for reference in model._get_expr_references(expression)
        }
        return sorted(model._meta.pk.name if name == "pk" else name for name in names)

    def columns(self, model):
        """Return the columns that the rule reads, sorted."""
        return sorted(model._meta.get_field(name).column for name in self.fields(model))

    def exempts(self, instance, using):
        """Return whether the row of ``instance`` is exempt and will be so after it is saved."""
        if instance._state.adding or self.name not in (instance.exemptions or ()):
            return False
        model = type(instance)
        read = [model._meta.get_field(name).attname for name in self.fields(model)]
        unchanged = {name: getattr(instance, name) for name in read}
        rows = model._base_manager.using(using)
        return rows.filter(pk=instance.pk, exemptions__has_key=self.name, **unchanged).exists()

    def is_exempt_sql(self, schema_editor, row=""):
        """Return the SQL condition, never NULL, that a row is exempt; ``row``: ``"NEW."``."""
        if schema_editor.connection.vendor == "postgresql":
            return f"({row}exemptions -> '{self.name}') IS NOT NULL"
        return f"json_extract({row}exemptions, '$.{self.name}') IS NOT NULL"

    def trigger_name(self, schema_editor):
        """Return the quoted name of the trigger of PostgreSQL that ends exemptions."""
        return schema_editor.quote_name(f"{self.name}_exempt")

    def defer_triggers(self, model, schema_editor):
        """Let the schema editor make the triggers when the table stands under its name."""
        schema_editor.deferred_sql.extend(self.trigger_sql(model, schema_editor))

    def trigger_sql(self, model, schema_editor):
        """Return the statements that make the triggers which end exemptions."""
        if schema_editor.connection.vendor == "postgresql":
            arguments = ", ".join(f"'{name}'" for name in [self.name, *self.columns(model)])
            return [
                END_EXEMPTION,
                Statement(
                    "CREATE TRIGGER %(name)s BEFORE INSERT OR UPDATE ON %(table)s"
                    " FOR EACH ROW WHEN (NEW.exemptions IS NOT NULL)"
                    " EXECUTE FUNCTION migrator_end_exemption(%(arguments)s)",
                    name=self.trigger_name(schema_editor),
                    table=Table(model._meta.db_table, schema_editor.quote_name),
                    arguments=arguments,
                ),
            ]
        mark = f"json_extract(%s.exemptions, '$.{self.name}')"
        quoted = [schema_editor.quote_name(column) for column in self.columns(model)]
        changed = [f"OLD.{column} IS NOT NEW.{column}" for column in quoted]
        changed.append(f"{mark % 'OLD'} IS NOT {mark % 'NEW'}")
        end = f"SET exemptions = nullif(json_remove(exemptions, '$.{self.name}'), '{{}}')"
        exempt = self.is_exempt_sql(schema_editor, "NEW.")
        return [
            self._sqlite_trigger(model, schema_editor, event, suffix, f"WHEN {when}", end)
            for event, suffix, when in [
                ("INSERT", "new", exempt),
                (
                    f"UPDATE OF {', '.join([*quoted, 'exemptions'])}",
                    "changed",
                    f"{exempt} AND ({' OR '.join(changed)})",
                ),
            ]
        ]

    def _sqlite_trigger(self, model, schema_editor, event, suffix, when, end):
        key = schema_editor.quote_name(model._meta.pk.column)
        return Statement(
            "CREATE TRIGGER %(name)s AFTER %(event)s ON %(table)s %(when)s"
            " BEGIN UPDATE %(table)s %(end)s WHERE %(key)s = NEW.%(key)s; END",
            name=schema_editor.quote_name(f"{self.name}_{suffix}"),
            event=event,
            table=Table(model._meta.db_table, schema_editor.quote_name),
            when=when,
            end=end,
            key=key,
        )

    def remove_sql(self, model, schema_editor):
        """Return the statement that drops constraint and trigger (PostgreSQL)."""
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s; DROP TRIGGER %(trigger)s ON %(table)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
            trigger=self.trigger_name(schema_editor),
        )

    def _check(self, model, connection):
        references = {
            reference
            for expression in self.expressions()
            for reference in model._get_expr_references(expression)
        }
        errors = self._check_references(model, references)
        try:
            model._meta.get_field("exemptions")
        except FieldDoesNotExist:
            errors.append(
                checks.Error(
                    f"{model._meta.label} has the rule {self.name} but no field exemptions.",
                    hint="Write exemptions = ExemptionsField() into the model.",
                    obj=model,
                    id="migrator.E001",
                )
            )
        return errors


class Check(Rule, CheckConstraint):
    """A CHECK that rows which broke it before need not keep.

    ``condition`` may be NULL for a row that keeps the rule, as in any CHECK.
    """

    def expressions(self):
        """Return what the rule reads of a row."""
        return [self.condition]

    def broken_sql(self, model, schema_editor):
        """Return the SQL condition that a row breaks the rule."""
        return f"NOT ({super()._get_check_sql(model, schema_editor)})"

    def constraint_sql(self, model, schema_editor, triggers=True):
        """Return the constraint as it stands in CREATE TABLE."""
        if triggers:
            self.defer_triggers(model, schema_editor)
        return super().constraint_sql(model, schema_editor)

    def create_sql(self, model, schema_editor):
        """Return the statement that adds the constraint (PostgreSQL)."""
        self.defer_triggers(model, schema_editor)
        return super().create_sql(model, schema_editor)

    def remove_sql(self, model, schema_editor):
        """Return the statement that drops constraint and trigger (PostgreSQL)."""
        return Rule.remove_sql(self, model, schema_editor)

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS):
        """Raise ValidationError if ``instance`` breaks the rule and is not exempt."""
        if not self.exempts(instance, using):
            super().validate(model, instance, exclude=exclude, using=using)

    def _get_check_sql(self, model, schema_editor):
        condition = super()._get_check_sql(model, schema_editor)
        return f"({condition}) OR {self.is_exempt_sql(schema_editor)}"

    __eq__ = Rule.__eq__
    __hash__ = None


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

    def __init__(self, *, name, same, span=None, condition=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.same = tuple(same)
        self.span = tuple(span) if span else None
        self.condition = condition

    def deconstruct(self):
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        kwargs["same"] = self.same
        if self.span:
            kwargs["span"] = self.span
        if self.condition is not None:
            kwargs["condition"] = self.condition
        return path, args, kwargs

    def expressions(self):
        """Return what the rule reads of a row."""
        read = [F(part) if isinstance(part, str) else part for part in self.same]
        read += [F(name) for name in self.span or ()]
        return read if self.condition is None else [*read, self.condition]

    def constraint_sql(self, model, schema_editor):
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

    def create_sql(self, model, schema_editor):
        """Return the statement that adds the constraint (PostgreSQL)."""
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def broken_sql(self, model, schema_editor):
        """Return the SQL condition that a row clashes with another one."""
        sql = _Sql(self, model, schema_editor)
        table = schema_editor.quote_name(model._meta.db_table)
        return f"{sql.key} IN ({sql.clashing_keys(table)})"

    def trigger_sql(self, model, schema_editor):
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

        def trigger(event, suffix, row, body):
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

    def clashing(self, instance, using=DEFAULT_DB_ALIAS):
        """Return the rows that ``instance`` may not stand beside, as a queryset."""
        model = type(instance)
        values = instance._get_field_expression_map(meta=model._meta)
        given = {F(name): value for name, value in values.items()}
        rows = model._base_manager.using(using)
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

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS):
        """Raise ValidationError if ``instance`` clashes with a row that stands."""
        if set(self.fields(model)) & set(exclude or ()):
            return
        if self.clashing(instance, using).exists():
            raise ValidationError(
                self.get_violation_error_message(), code=self.violation_error_code
            )


class AppendOnly(BaseConstraint):
    """Rows are inserted and never changed or deleted afterwards, whoever writes.

    Only who may alter the table can take the triggers away that hold it. PostgreSQL's TRUNCATE,
    which takes a right of its own, passes them by.
    """

    def constraint_sql(self, model, schema_editor):
        """Return nothing for CREATE TABLE: triggers follow it, and every rebuild of the table."""
        schema_editor.deferred_sql.extend(self.trigger_sql(model, schema_editor))

    def create_sql(self, model, schema_editor):
        """Let the triggers be made (PostgreSQL)."""
        return self.constraint_sql(model, schema_editor)

    def trigger_sql(self, model, schema_editor):
        """Return the statements that make the triggers."""
        table = Table(model._meta.db_table, schema_editor.quote_name)
        if schema_editor.connection.vendor == "postgresql":
            trigger = "CREATE TRIGGER %(name)s BEFORE UPDATE OR DELETE ON %(table)s" + (
                " FOR EACH ROW EXECUTE FUNCTION migrator_append_only()"
            )
            name = schema_editor.quote_name(self.name)
            return [KEEP_ROWS, Statement(trigger, name=name, table=table)]
        # REPLACE deletes a row of the same key without a word, and is an INSERT.
        key = schema_editor.quote_name(model._meta.pk.column)
        again = "WHEN EXISTS (SELECT 1 FROM %(table)s WHERE %(key)s = NEW.%(key)s)"
        return [
            Statement(
                f"CREATE TRIGGER %(name)s BEFORE {event} ON %(table)s {when}"
                f" BEGIN SELECT RAISE(ABORT, '{self.name}'); END",
                name=schema_editor.quote_name(f"{self.name}_{event.lower()}"),
                table=table,
                key=key,
            )
            for event, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", again))
        ]

    def remove_sql(self, model, schema_editor):
        """Return the statement that drops the trigger (PostgreSQL)."""
        return Statement(
            "DROP TRIGGER %(name)s ON %(table)s",
            name=schema_editor.quote_name(self.name),
            table=Table(model._meta.db_table, schema_editor.quote_name),
        )

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS):
        """Raise ValidationError if ``instance`` is a row that stands."""
        if not instance._state.adding:
            raise ValidationError(self.get_violation_error_message())

    def __eq__(self, other):
        if isinstance(other, AppendOnly):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    __hash__ = None


def exempt_sql(model, schema_editor, rules):
    """Return the statement that exempts the rows that break ``rules`` from these, and no others.

    One for all: PostgreSQL alters no table after a row of it was updated twice.
    """
    broken = {rule.name: rule.broken_sql(model, schema_editor) for rule in rules}
    marks = ", ".join(f"'{name}', CASE WHEN {sql} THEN 1 END" for name, sql in broken.items())
    if schema_editor.connection.vendor == "postgresql":
        names = ", ".join(f"'{name}'" for name in broken)
        new = f"coalesce(exemptions, '{{}}') - ARRAY[{names}]"
        new = f"{new} || jsonb_strip_nulls(jsonb_build_object({marks}))"
    else:
        new = f"json_patch(coalesce(exemptions, '{{}}'), json_object({marks}))"
    concerned = [*broken.values(), *(rule.is_exempt_sql(schema_editor) for rule in rules)]
    return (
        f"UPDATE {schema_editor.quote_name(model._meta.db_table)}"
        f" SET exemptions = nullif({new}, '{{}}') WHERE {' OR '.join(concerned)}"
    )


def end_sql(model, schema_editor, rules):
    """Return the statement that exempts no row from ``rules`` any more."""
    if schema_editor.connection.vendor == "postgresql":
        names = ", ".join(f"'{rule.name}'" for rule in rules)
        new = f"exemptions - ARRAY[{names}]"
    else:
        names = ", ".join(f"'$.{rule.name}'" for rule in rules)
        new = f"json_remove(exemptions, {names})"
    exempt = " OR ".join(rule.is_exempt_sql(schema_editor) for rule in rules)
    return (
        f"UPDATE {schema_editor.quote_name(model._meta.db_table)}"
        f" SET exemptions = nullif({new}, '{{}}') WHERE {exempt}"
    )


class _Sql:
    """The parts of an ``Exclusion`` as SQL over bare column names."""

    def __init__(self, rule, model, schema_editor):
        query = Query(model=model, alias_cols=False)
        compiler = query.get_compiler(connection=schema_editor.connection)

        def compiled(expression):
            sql, params = compiler.compile(expression)
            return sql % tuple(schema_editor.quote_value(param) for param in params)

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

    def clashes(self, table, mine):
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

        def rows(*more):
            where = " AND ".join([*self.limits, *more])
            return f"(SELECT {columns} FROM {table}{f' WHERE {where}' if where else ''})"

        return f"{rows(mine)} AS one JOIN {rows()} AS other ON {' AND '.join(pairs)}"

    def clashing_keys(self, table):
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


def refuse_clashes(connection):
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
