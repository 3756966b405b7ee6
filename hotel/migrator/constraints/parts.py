"""The rules that a row is the sum of its parts, which are rows of another table.

A stay of five nights is two in one room and three in another. Whoever writes the stay alone (a
program that knows of no parts) has its parts follow: ``HasParts``, on the table of wholes. Whoever
writes parts must leave them adding up to the stay: ``MakesWhole``, on the table of parts, asked at
the end of the transaction, so that a part can be cut in two in several statements.

Both are triggers over one ``Parts``, which names tables and columns as the database has them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Model
from django.db.models.constraints import BaseConstraint

from hotel.migrator.constraints.exclusions import CONFLICTS


class Parts(NamedTuple):
    """Columns of a table of wholes, and of the table of their parts.

    key: of a part, the whole's ``id``. span: the first day of a part and the day after its last,
    and the same of the whole. Each of the others is a column of a part and one of the whole: shared
    is the same in every part; present in the part that ``is_present`` marks, of which there is
    one; usual is the whole's in a part that stands alone.
    """

    whole: str
    table: str
    key: str
    span: tuple[tuple[str, str], tuple[str, str]]
    shared: tuple[str, str]
    present: tuple[str, str]
    usual: tuple[str, str]
    is_present: str


class _OfParts(BaseConstraint):
    """What the two rules have in common.

    parts: the values of a ``Parts``, in its order; plain, since migration files hold them.
    """

    def __init__(self, *, name: str, parts: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.parts = Parts(*parts)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "parts": tuple(self.parts)}

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return nothing for CREATE TABLE: triggers follow it, and every rebuild of the table."""
        schema_editor.deferred_sql.extend(self.trigger_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Let the triggers be made (PostgreSQL)."""
        return self.constraint_sql(model, schema_editor)

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        raise NotImplementedError

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that drops trigger and function (PostgreSQL)."""
        return Statement(
            "DROP TRIGGER %(name)s ON %(table)s; DROP FUNCTION %(name)s()",
            name=schema_editor.quote_name(self.name),
            table=Table(model._meta.db_table, schema_editor.quote_name),
        )

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Ask nothing of one row: what is asked is of all parts together, when all are written."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _OfParts):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def _trigger(
        self, model: Any, schema_editor: BaseDatabaseSchemaEditor, event: str, *body: str
    ) -> Statement:
        """Return a trigger of SQLite."""
        suffix = {"INSERT": "inserted", "DELETE": "deleted"}.get(event, "updated")
        return Statement(
            f"CREATE TRIGGER %(name)s AFTER {event} ON %(table)s BEGIN {'; '.join(body)}; END",
            name=schema_editor.quote_name(f"{self.name}_{suffix}"),
            table=Table(model._meta.db_table, schema_editor.quote_name),
        )

    def _function(self, schema_editor: BaseDatabaseSchemaEditor, body: str) -> str:
        """Return the function of PostgreSQL, which has the name of its trigger."""
        return (
            f"CREATE OR REPLACE FUNCTION {schema_editor.quote_name(self.name)}() RETURNS trigger"
            f" LANGUAGE plpgsql AS $$\nBEGIN\n{body}    RETURN NULL;\nEND\n$$"
        )


class HasParts(_OfParts):
    """The parts of a row follow what is written of the row alone.

    A new row has one part. New dates move the beginning of the first part and the end of the last;
    where the parts do not fit into the dates, one part is left, where the row is now. What the
    parts agree with already changes none of them: so a program that knows of parts writes them
    first, and the row after them. made_whole_by: the name of the ``MakesWhole``.
    """

    def __init__(self, *, made_whole_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.made_whole_by = made_whole_by

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "made_whole_by": self.made_whole_by}

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        sql = _Sql(self.parts, schema_editor)
        update = f"UPDATE OF {', '.join(sql.of_whole)}"
        if schema_editor.connection.vendor == "postgresql":
            return [
                self._function(
                    schema_editor,
                    "    IF TG_OP = 'INSERT' THEN\n"
                    f"        {sql.begin('NEW')};\n"
                    "    ELSIF TG_OP = 'DELETE' THEN\n"
                    f"        {sql.end()};\n"
                    "    ELSE\n"
                    f"        {sql.leave_one()};\n"
                    f"        {sql.follow()};\n"
                    "    END IF;\n",
                ),
                # Of no columns by name: PostgreSQL would alter the type of none of them.
                Statement(
                    "CREATE TRIGGER %(name)s AFTER INSERT OR DELETE OR UPDATE ON %(table)s"
                    " FOR EACH ROW EXECUTE FUNCTION %(name)s()",
                    name=schema_editor.quote_name(self.name),
                    table=Table(model._meta.db_table, schema_editor.quote_name),
                ),
            ]
        is_there = f"EXISTS (SELECT 1 FROM {sql.table} WHERE {sql.key} = NEW.id)"
        return [
            CONFLICTS,
            self._trigger(model, schema_editor, "INSERT", sql.begin("NEW")),
            self._trigger(
                model,
                schema_editor,
                update,
                sql.leave_one(),
                sql.follow(),
                *sql.look(self.made_whole_by, "NEW.id", is_there),
            ),
            self._trigger(
                model,
                schema_editor,
                "DELETE",
                sql.end(),
                sql.forget(self.made_whole_by, "OLD.id"),
            ),
        ]

    def align_sql(self, schema_editor: BaseDatabaseSchemaEditor) -> list[str]:
        """Return the statements that let the parts of all rows agree with these, or have one."""
        sql = _Sql(self.parts, schema_editor)
        none = f"NOT EXISTS (SELECT 1 FROM {sql.table} WHERE {sql.key} = whole.id)"
        usual, of_usual = map(schema_editor.quote_name, self.parts.usual)
        alone = (
            f"EXISTS (SELECT 1 FROM {sql.table} WHERE {sql.key} = whole.id"
            f" AND {usual} <> whole.{of_usual} AND {sql.stands_alone('whole.id')})"
        )
        same = sql.of_whole[0]
        return [
            f"INSERT INTO {sql.table} ({', '.join(sql.columns)})"
            f" SELECT {', '.join(sql.values('whole'))} FROM {sql.whole} AS whole WHERE {none}",
            f"UPDATE {sql.whole} AS whole SET {same} = whole.{same}"
            f" WHERE {sql.broken('whole')} OR {alone}",
        ]


class MakesWhole(_OfParts):
    """The parts of a row add up to it at the end of a transaction.

    They follow one another from its first day to its last, each has a night at least (unless it
    is alone: a legacy row may have none), one of them is the present one, and what is shared is the
    same in all.
    """

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        sql = _Sql(self.parts, schema_editor)
        if schema_editor.connection.vendor == "postgresql":
            return [
                self._function(
                    schema_editor,
                    f"    IF EXISTS (SELECT 1 FROM {sql.whole} AS whole WHERE whole.id IN"
                    f" (OLD.{sql.key}, NEW.{sql.key}) AND ({sql.broken('whole')})) THEN\n"
                    "        RAISE EXCEPTION USING\n"
                    "            ERRCODE = 'integrity_constraint_violation',\n"
                    "            MESSAGE = TG_NAME || ': the parts do not add up to row '\n"
                    f"                || coalesce(NEW.{sql.key}, OLD.{sql.key}) || ' of"
                    f" {self.parts.whole}',\n"
                    "            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;\n"
                    "    END IF;\n",
                ),
                # What HasParts writes, in a trigger, adds up.
                Statement(
                    "CREATE CONSTRAINT TRIGGER %(name)s AFTER INSERT OR DELETE OR UPDATE ON"
                    " %(table)s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                    " WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION %(name)s()",
                    name=schema_editor.quote_name(self.name),
                    table=Table(model._meta.db_table, schema_editor.quote_name),
                ),
            ]
        new, old = (sql.look(self.name, f"{row}.{sql.key}") for row in ("NEW", "OLD"))
        return [
            CONFLICTS,
            self._trigger(model, schema_editor, "INSERT", *new),
            self._trigger(model, schema_editor, "UPDATE", *old, *new),
            self._trigger(model, schema_editor, "DELETE", *old),
        ]


class _Sql:
    """The statements of the triggers, over quoted names."""

    def __init__(self, parts: Parts, schema_editor: BaseDatabaseSchemaEditor) -> None:
        quote = schema_editor.quote_name
        is_postgresql = schema_editor.connection.vendor == "postgresql"
        self.differs = "IS DISTINCT FROM" if is_postgresql else "IS NOT"
        self.true, self.not_ = ("true", "NOT ") if is_postgresql else ("1", "NOT ")
        self.whole, self.table, self.key = map(quote, (parts.whole, parts.table, parts.key))
        self.is_present = quote(parts.is_present)
        pairs = [*parts.span, parts.shared, parts.present, parts.usual]
        self.pairs = [(quote(part), quote(whole)) for part, whole in pairs]
        (self.start, self.first), (self.end_, self.after), *others = self.pairs
        self.shared, self.present, self.usual = others
        self.of_whole = [whole for _, whole in self.pairs]
        self.columns = [self.key, *(part for part, _ in self.pairs), self.is_present]

    def values(self, row: str) -> list[str]:
        """Return the values of the one part of a row, in the order of ``columns``."""
        return [f"{row}.id", *(f"{row}.{column}" for column in self.of_whole), self.true]

    def begin(self, row: str) -> str:
        """Return the statement that gives a row its one part."""
        columns, values = ", ".join(self.columns), ", ".join(self.values(row))
        return f"INSERT INTO {self.table} ({columns}) VALUES ({values})"

    def end(self) -> str:
        """Return the statement that takes the parts of a row with it."""
        return f"DELETE FROM {self.table} WHERE {self.key} = OLD.id"

    def stands_alone(self, row: str) -> str:
        """Return the condition that a row has one part."""
        return f"(SELECT count(*) FROM {self.table} WHERE {self.key} = {row}) = 1"

    def leave_one(self) -> str:
        """Return the statement that leaves the present part alone if not all fit the dates."""
        mine = f"FROM {self.table} WHERE {self.key} = NEW.id"
        return (
            f"DELETE FROM {self.table} WHERE {self.key} = NEW.id"
            f" AND {self.not_}{self.is_present}"
            f" AND ((SELECT min({self.end_}) {mine}) <= NEW.{self.first}"
            f" OR (SELECT max({self.start}) {mine}) >= NEW.{self.after})"
        )

    def follow(self) -> str:
        """Return the statement that lets the parts of a row agree with it, if they do not."""
        mine = f"FROM {self.table} WHERE {self.key} = NEW.id"
        begins = f"{self.start} = (SELECT min({self.start}) {mine})"
        ends = f"{self.start} = (SELECT max({self.start}) {mine})"
        usual, of_usual = self.usual
        shared, of_shared = self.shared
        present, of_present = self.present
        is_usual = f"{usual} = OLD.{of_usual} OR {self.stands_alone('NEW.id')}"
        new = {
            self.start: (begins, f"NEW.{self.first}"),
            self.end_: (ends, f"NEW.{self.after}"),
            present: (self.is_present, f"NEW.{of_present}"),
            usual: (is_usual, f"NEW.{of_usual}"),
        }
        sets = [
            f"{column} = CASE WHEN {when} THEN {to} ELSE {column} END"
            for column, (when, to) in new.items()
        ]
        late = [f"({when}) AND {column} {self.differs} {to}" for column, (when, to) in new.items()]
        return (
            f"UPDATE {self.table} SET {shared} = NEW.{of_shared}, {', '.join(sets)}"
            f" WHERE {self.key} = NEW.id"
            f" AND ({shared} {self.differs} NEW.{of_shared} OR {' OR '.join(late)})"
        )

    def broken(self, row: str) -> str:
        """Return the condition that the parts of a row do not add up to it."""
        mine = f"FROM {self.table} WHERE {self.key} = {row}.id"
        shared, of_shared = self.shared
        present, of_present = self.present
        order = f"(ORDER BY {self.start}, id)"
        read = (
            f"SELECT {self.start} AS begins, {self.end_} AS ends,"
            f" lag({self.end_}) OVER {order} AS before, lead({self.start}) OVER {order} AS later,"
            f" count(*) OVER () AS number, {shared} AS shared {mine}"
        )
        apart = (
            f"part.begins {self.differs} coalesce(part.before, {row}.{self.first})"
            f" OR part.ends {self.differs} coalesce(part.later, {row}.{self.after})"
            f" OR part.number > 1 AND part.ends <= part.begins"
            f" OR part.shared {self.differs} {row}.{of_shared}"
        )
        here = f"AND {self.is_present} AND NOT ({present} {self.differs} {row}.{of_present})"
        return (
            f"(SELECT count(*) {mine} {here}) <> 1"
            f" OR EXISTS (SELECT 1 FROM ({read}) AS part WHERE {apart})"
        )

    def look(self, rule: str, key: str, more: str = "") -> list[str]:
        """Return the statements that note on SQLite whether the parts of a row add up to it.

        more: a further condition.
        """
        where = f"whole.id = {key} AND ({self.broken('whole')})"
        return [
            self.forget(rule, key),
            "INSERT INTO migrator_conflicts (rule, one, other)"
            f" SELECT '{rule}', whole.id, whole.id FROM {self.whole} AS whole"
            f" WHERE {where}{f' AND {more}' if more else ''}",
        ]

    def forget(self, rule: str, key: str) -> str:
        """Return the statement that forgets on SQLite what was noted of a row."""
        return f"DELETE FROM migrator_conflicts WHERE rule = '{rule}' AND one = {key}"
