"""Whether the values that stand can be what a plan makes of their columns.

Too long, out of range, no number, or equal once they are converted or compared in another way.
PostgreSQL is asked to convert them, as ``ALTER COLUMN … TYPE`` will. SQLite keeps whatever there
is: only what its constraints would refuse is certain to fail, and the rest is a warning. Its
private parts of Django are verified with Django 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext

from django.db import DatabaseError, transaction
from django.db.migrations.operations import AddField
from django.db.models import UniqueConstraint

from hotel.migrator.editors.generated import AnyField
from hotel.migrator.operations import RemoveField
from hotel.migrator.plan import steps
from hotel.migrator.plan.asking import Alike, Asking
from hotel.migrator.plan.steps import Step, Table
from hotel.migrator.sql.parsing import quoted

# Of a column that gets another type these are no part.
APART = ("null", "unique", "db_index", "db_default", "primary_key", "db_comment")
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_RANGES = {
    "SmallIntegerField": 2**15,
    "PositiveSmallIntegerField": 2**15,
    "SmallAutoField": 2**15,
    "IntegerField": 2**31,
    "PositiveIntegerField": 2**31,
    "AutoField": 2**31,
    "BigIntegerField": 2**63,
    "PositiveBigIntegerField": 2**63,
    "BigAutoField": 2**63,
}


def look_at(
    rows: Asking, step: Step, old: Table, new: Table, before: AnyField, after: AnyField
) -> None:
    """Look at a column that is there before and after a step; rows: the Rows who look."""
    if _form(before) == _form(after):
        return
    was = steps.field_of_model(step.before, old, before)
    becomes = steps.field_of_model(step.after, new, after)
    kind = _PostgreSQL if rows.connection.vendor == "postgresql" else _SQLite
    kind(rows, step, (old, new), before, (was, becomes)).look()


def look_at_lost(
    rows: Asking, step: Step, old: Table, new: Table, before: AnyField, after: AnyField
) -> None:
    """Look only for values of which the conversion itself loses something."""
    known = len(rows.findings)
    look_at(rows, step, old, new, before, after)
    rows.findings[known:] = [
        one for one in rows.findings[known:] if one.kind in ("long", "inexact") and not one.refuses
    ]


def look_at_many(rows: Asking, step: Step, old: Table, before: AnyField, after: AnyField) -> None:
    """Look at a field that becomes a many-to-many field, or is none any more."""
    kinds = [
        "custom" if one.many_to_many and one.remote_field.through else one.many_to_many or False
        for one in (before, after)
    ]
    if kinds[0] == kinds[1] or not (before.many_to_many or after.many_to_many):
        return
    if before.many_to_many != after.many_to_many:
        what = "into a many-to-many field" if after.many_to_many else "from a many-to-many field"
    else:
        what = "to a table of its own" if kinds[0] == "custom" else "to another table (through=)"
    rows.add(
        step,
        "incompatible",
        f"{step.name} changes {old.name}.{before.name} {what}, which Django cannot.",
        "Add the new field under another name, carry the rows over with a RunPython, remove the old"
        " one, and rename the new one.",
    )


def refuse_generated(
    rows: Asking, step: Step, old: Table, before: AnyField, after: AnyField
) -> None:
    """Refuse a field that becomes a generated one, or is none any more."""
    what = "into a generated field" if after.generated else "from a generated field"
    rows.add(
        step,
        "incompatible",
        f"{step.name} changes {old.name}.{before.name} {what}, which Django cannot.",
        "Remove the field with operations.RemoveField, and add the other one after that.",
    )


def look_at_added(rows: Asking, step: Step, old: Table, field: AnyField) -> None:
    """Look at a column that is added with one value for all rows, or with none."""
    operation = step.operation
    given = operation.field if isinstance(operation, AddField) and not step.backwards else field
    if isinstance(operation, RemoveField):
        return  # which gives the values back first
    if field.primary_key or field.generated or not rows.live.table(old.name):
        return
    if field.has_db_default():
        if type(field.db_default).__name__ in steps.VOLATILE:
            return
    elif rows.editor._effective_default(given) is None:
        if not field.null:
            rows.report(
                step,
                "null",
                rows.ask(old, [], "1 = 1"),
                f"{step.name} adds {rows.live.table(old.name)}.{field.column}, which is NOT NULL"
                " and has no default, to {rows}",
                "Give it a default; or add it with null=True, fill it with a RunPython, and make it"
                " NOT NULL after that,",
            )
        return
    if not field.unique:
        return
    answer = rows.ask(old, [], "1 = 1")
    if isinstance(answer, tuple) and answer[0] > 1:
        rows.report(
            step,
            "unique",
            answer,
            f"{step.name} adds {rows.live.table(old.name)}.{field.column}, which is unique, with"
            " one value for all of {rows}",
            "Add it with null=True and without the default, fill it with a RunPython that gives"
            " each row its own, and make it NOT NULL after that,",
        )


def _form(field: AnyField) -> tuple[object, ...]:
    """Return what the values of a column depend on."""
    _, path, args, known = steps.in_database(field)
    return path, args, {name: of for name, of in known.items() if name not in APART}


class _Conversion:
    def __init__(
        self,
        rows: Asking,
        step: Step,
        tables: tuple[Table, Table],
        before: AnyField,
        fields: tuple[AnyField, AnyField],
    ) -> None:
        self.rows, self.step, self.before = rows, step, before
        self.old, self.new = tables
        self.was, self.becomes = fields  # as the models have them
        self.types = [one.db_parameters(rows.connection)["type"] for one in fields]
        self.value = rows.sql(self.old, before)
        self.name = rows.name(self.old, before)
        self.writer = rows.writer(self.old, [before])

    def converted(self) -> str:
        """Return the SQL of a value as the new column has it."""
        raise NotImplementedError

    def can_be_converted(self) -> bool:
        """Tell whether all values become the new type; report those that do not."""
        raise NotImplementedError

    def look(self) -> None:
        """Report what fails."""
        if None in self.types or not self.can_be_converted():
            return
        self.look_at_check()
        if not (self.was.remote_field and self.becomes.remote_field):  # Rows does
            self.look_at_twins()

    def look_at_check(self) -> None:
        """Look for values that the new type's own CHECK forbids."""
        check = self.becomes.db_check(self.rows.connection)
        if check and check != self.was.db_check(self.rows.connection):
            column = quoted(self.becomes.column)
            sql = check.replace(column, f"({self.converted()})")
            self.report(
                "check",
                f"NOT ({sql})",
                f"{self.step.name} makes {self.name} {_named(self.becomes)}, which {{rows}} cannot"
                " be",
                "Correct them,",
            )

    def look_at_twins(self) -> None:
        """Look for values that are equal once they are converted."""
        for names in self.together():
            fields = [self.old.field(name) for name in names]
            if not all(fields) or not self.rows.stand(self.old, fields):
                continue
            parts = [
                self.compared() if field is self.before else self.rows.sql(self.old, field)
                for field in fields
            ]
            shown = ", ".join(self.rows.name(self.old, field) for field in fields)
            alike = Alike(parts, name=shown, converted=True)
            self.rows.look_at_twins(self.step, self.old, fields, alike)

    def together(self) -> Iterator[list[str]]:
        """Yield the names of fields, of which this is one, that are unique afterwards."""
        name = self.before.name
        if self.becomes.unique:
            yield [name]
        for names in self.new.options.get("unique_together") or ():
            if self.becomes.name in names:
                yield [name if one == self.becomes.name else one for one in names]
        for one in self.new.options.get("constraints", ()):
            is_plain = isinstance(one, UniqueConstraint) and one.condition is None
            if is_plain and self.becomes.name in one.fields:
                yield [name if each == self.becomes.name else each for each in one.fields]

    def compared(self) -> str:
        """Return the SQL of a value as the new column compares it."""
        collation = self.becomes.db_parameters(self.rows.connection).get("collation")
        collated = f" COLLATE {quoted(collation)}" if collation else ""
        return f"{self.converted()}{collated}"

    def report(self, kind: str, condition: str, what: str, mend: str, refuses: bool = True) -> None:
        answer = self.rows.ask(self.old, [self.before], condition)
        self.rows.report(self.step, kind, answer, what, mend, writer=self.writer, refuses=refuses)


def _named(field: AnyField) -> str:
    """Return what a field is, in words."""
    limit = f" of {field.max_length} characters" if field.max_length else ""
    name = type(field).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}{limit}"


class _PostgreSQL(_Conversion):
    def converted(self) -> str:
        return f"{self.value}::{self.types[1]}"

    def can_be_converted(self) -> bool:
        """Tell whether all values become the new type."""
        if self.types[0] == self.types[1]:
            return True
        if found := self.is_of_another_type():
            self.refuse_other_type(found)
            return False
        limit = _limit(self.types[1])
        is_array = self.types[1].endswith("]")
        is_cast = bool(self.rows.editor._using_sql(self.becomes, self.was))
        if limit and not (is_array and is_cast):
            return self.fits(limit, is_array, is_cast)
        return self.converts()

    def is_of_another_type(self) -> str:
        """Return the type that the column has, if PostgreSQL converts that only when it is told."""
        if self.rows.editor._using_sql(self.becomes, self.was) or self.types[1].endswith("]"):
            return ""
        live, column = self.rows.place(self.old, self.before)
        with self.rows.connection.cursor() as cursor:
            cursor.execute(
                "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a"
                " JOIN pg_type AS t ON t.oid = to_regtype(%s)"
                " WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND t.typcategory <> 'S'"
                " AND a.atttypid <> t.oid AND NOT EXISTS (SELECT FROM pg_cast WHERE castsource ="
                " a.atttypid AND casttarget = t.oid AND castcontext IN ('a', 'i'))",
                [self.types[1].partition("(")[0], quoted(live), column],
            )
            found = cursor.fetchone()
        return found[0] if found else ""

    def refuse_other_type(self, found: str) -> None:
        """Refuse a change that takes another type for granted than the column has."""
        self.rows.add(
            self.step,
            "type",
            f"{self.step.name} makes {self.name} {self.types[1]}; it is {found} in the database,"
            f" and not {self.types[0]}, as its migrations make it, and PostgreSQL does not convert"
            " that by itself"
            + (f"; {self.writer} runs first and may change that." if self.writer else "."),
            "manage.py db drift prints what makes it what it should be.",
            refuses=not self.writer,
        )

    def fits(self, limit: int, is_array: bool, is_cast: bool) -> bool:
        """Look for values that are too long; ``::varchar(3)`` would cut them without a word."""
        over = f"rtrim(substr({{}}::text, {limit + 1})) <> ''"
        condition = over.format(self.value)
        if is_array:
            condition = (
                f"EXISTS (SELECT FROM unnest({self.value}) AS one WHERE {over.format('one')})"
            )
        may_cut = is_cast and self.rows.accept_data_loss
        answer = self.rows.ask(self.old, [self.before], condition)
        what = (
            f"{self.step.name} makes {self.name} {self.types[1]}, which is too short for {{rows}}"
        )
        what += ": they would be cut" if is_cast else ""
        mend = "What is cut off does not come back on the way down." if may_cut else "Shorten them,"
        self.rows.report(
            self.step, "long", answer, what, mend, writer=self.writer, refuses=not may_cut
        )
        return not (isinstance(answer, tuple) and answer[0]) or may_cut

    def converts(self) -> bool:
        """Ask PostgreSQL to convert all of them; name those for which it cannot."""
        error = self.fails(self.converted())
        if error is None:
            self.look_at_loss()
            return True
        mend, answer = "Correct them,", None
        for bad in self.candidates():
            if self.fails(f"CASE WHEN NOT ({bad}) THEN {self.converted()} END") is None:
                answer = self.rows.ask(self.old, [self.before], bad)
                break
        what = f"{self.step.name} makes {self.name} {self.types[1]}, which"
        if isinstance(answer, tuple) and answer[0]:
            self.rows.report(
                self.step, "type", answer, f"{what} {{rows}} cannot be", mend, writer=self.writer
            )
            return False
        said = f"{what} PostgreSQL cannot: {error}"
        if self.writer:
            said += f"; {self.writer} runs first and may change that"
        self.rows.add(
            self.step,
            "type",
            f"{said}.",
            "Add a new field, fill it with a RunPython, and remove the old one.",
            refuses=not self.writer,
        )
        return False

    def candidates(self) -> list[str]:
        """Return conditions for what cannot be converted, where PostgreSQL has a word for it."""
        if self.rows.pg_version < 160000:
            return []
        valid = f"NOT pg_input_is_valid({{}}, '{self.types[1]}')"
        texts = f"{self.value}::text", f"round({self.value}::numeric)::text"
        return [f"{self.value} IS NOT NULL AND {valid.format(text)}" for text in texts]

    def look_at_loss(self) -> None:
        """Warn of values that would not come back, such as a fraction that is rounded away."""
        back = f"({self.converted()})::{self.types[0]} IS DISTINCT FROM {self.value}"
        if self.fails(back) is None:
            self.report(
                "inexact",
                back,
                f"{self.step.name} makes {self.name} {self.types[1]}, and changes the values of"
                " {rows} in doing so",
                "What they were does not come back on the way down.",
                refuses=False,
            )

    def fails(self, expression: str) -> str | None:
        """Return why an expression cannot be computed for all rows, or None."""
        rows, live = self.rows, self.rows.live.table(self.old.name) or ""
        # In a transaction of somebody else's, an error must not end it.
        own = transaction.atomic if rows.connection.in_atomic_block else nullcontext
        try:
            with own(), rows.connection.cursor() as cursor:
                cursor.execute(f"SELECT count({expression}) FROM {quoted(live)} AS kept")
        except DatabaseError as error:
            return str(error).splitlines()[0]
        return None


class _SQLite(_Conversion):
    def converted(self) -> str:
        """Return a value as the new column will keep it."""
        kind = self.types[1].lower()
        if "int" in kind or kind.startswith(("decimal", "real", "bool", "date", "time")):
            return (
                f"CASE WHEN typeof({self.value}) = 'text' AND {self.value} REGEXP '{NUMBER}'"
                f" THEN CAST({self.value} AS numeric) ELSE {self.value} END"
            )
        if kind.startswith(("varchar", "text", "char")):
            return (
                f"CASE WHEN typeof({self.value}) = 'blob' THEN {self.value}"
                f" ELSE CAST({self.value} AS text) END"
            )
        return self.value

    def can_be_converted(self) -> bool:
        """Tell whether SQLite takes all values; what it would keep as it is, is a warning."""
        if self.becomes.primary_key and self.types[1] == "integer":
            answer = self.rows.ask(
                self.old, [self.before], f"typeof({self.converted()}) <> 'integer'"
            )
            what = f"{self.step.name} makes {self.name} {_named(self.becomes)}, which {{rows}}"
            self.rows.report(
                self.step, "type", answer, f"{what} cannot be", "Correct them,", writer=self.writer
            )
            return not (isinstance(answer, tuple) and answer[0])
        if unfit := self.unfit():
            self.report(
                "unfit",
                f"{self.value} IS NOT NULL AND ({unfit})",
                f"{self.step.name} makes {self.name} {_named(self.becomes)}, for which the values"
                " of {rows} do not fit",
                "SQLite keeps them as they are; PostgreSQL would refuse them, and Django may not"
                " read them: correct them.",
                refuses=False,
            )
        return True

    def unfit(self) -> str:
        """Return the condition that a value is none of the new type, or ""."""
        kind, value = self.becomes.get_internal_type(), self.converted()
        limit = _limit(self.types[1])
        if limit and kind != "UUIDField":  # which is a char(32), but not of any characters
            return f"length({self.value}) > {limit}"
        if end := _RANGES.get(kind):
            least = 0 if kind.startswith("Positive") else -end
            is_int = f"typeof({value}) <> 'integer'"
            return (
                is_int if end == 2**63 else f"{is_int} OR {value} NOT BETWEEN {least} AND {end - 1}"
            )
        if kind in ("DecimalField", "FloatField"):
            unfit = f"typeof({value}) NOT IN ('integer', 'real')"
            if kind == "DecimalField" and self.becomes.max_digits is not None:
                end = 10 ** (self.becomes.max_digits - self.becomes.decimal_places)
                unfit += f" OR abs({value}) >= {end}"
            return unfit
        return {
            "BooleanField": f"{value} NOT IN (0, 1)",
            "DateField": f"{self.value} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
            f" OR date({self.value}) IS NULL",
            "DateTimeField": f"{self.value} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
            f" OR datetime({self.value}) IS NULL",
            "TimeField": f"time({self.value}) IS NULL",
            "UUIDField": f"NOT replace({self.value}, '-', '') REGEXP '^[0-9a-fA-F]{{32}}$'",
            "DurationField": f"typeof({value}) <> 'integer'",
        }.get(kind, "")


def _limit(kind: str) -> int | None:
    """Return how many characters a type holds, or None."""
    match = re.match(r"(?:varchar|char)\((\d+)\)", kind)
    return int(match[1]) if match else None
