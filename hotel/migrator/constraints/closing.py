"""Rules of what is closed: the periods themselves, and the rows that belong to a closed one.

A table of periods (``Closable``) says of each whether it is closed: by a column that is NULL while
it is open. Rows of other tables that belong to a closed period stay as they are (``Sealed``).

Who closes a period and who adds a row to it take turns on PostgreSQL: ``lock_periods`` waits for
whoever has written a row of any period, and the trigger of ``Sealed`` waits for whoever closes.
SQLite has one writer at a time.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Model

from hotel.migrator.constraints.append_only import Triggers

# Made with the first ``Closable`` on PostgreSQL, and kept. Arguments: the columns of the period, of
# its closing, and of the reason for which it is opened again.
KEEP_PERIODS = """\
CREATE OR REPLACE FUNCTION migrator_closable() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    was_closed boolean := coalesce(before ->> TG_ARGV[1], '') <> '';
    is_closed boolean := coalesce(after ->> TG_ARGV[1], '') <> '';
    has_later boolean := false;
BEGIN
    IF is_closed AND NOT was_closed OR was_closed AND TG_OP = 'UPDATE' AND NOT is_closed THEN
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || TG_RELID::regclass || ' WHERE '
            || quote_ident(TG_ARGV[1]) || ' IS NOT NULL AND '
            || quote_ident(TG_ARGV[0]) || ' > ($1).' || quote_ident(TG_ARGV[0]) || ')'
        INTO has_later USING NEW;
    END IF;
    IF has_later OR was_closed AND (
        TG_OP = 'DELETE' OR is_closed OR coalesce(after ->> TG_ARGV[2], '') = ''
        OR (before -> TG_ARGV[0]) IS DISTINCT FROM (after -> TG_ARGV[0])
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': a closed row of ' || TG_TABLE_NAME || ' stays as it is',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$"""
# Made with the first ``Sealed`` on PostgreSQL, and kept. Arguments: the table of the periods, its
# columns of the period and of its closing, the column of the row that says which period it belongs
# to, and the columns that are held; none for all. A column that was renamed counts as changed.
KEEP_SEALED = """\
CREATE OR REPLACE FUNCTION migrator_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked text := 'SELECT EXISTS (SELECT 1 FROM ' || quote_ident(TG_ARGV[0]) || ' WHERE '
        || quote_ident(TG_ARGV[2]) || ' IS NOT NULL AND '
        || quote_ident(TG_ARGV[1]) || ' = ($1).' || quote_ident(TG_ARGV[3]) || ')';
    is_closed boolean := false;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 4 THEN
        IF NOT EXISTS (
            SELECT 1 FROM unnest(TG_ARGV[4:]) AS name
            WHERE (to_jsonb(OLD) -> name) IS DISTINCT FROM (to_jsonb(NEW) -> name)
                OR NOT to_jsonb(NEW) ? name
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    EXECUTE 'LOCK TABLE ' || quote_ident(TG_ARGV[0]) || ' IN ROW SHARE MODE';
    IF TG_OP <> 'INSERT' THEN
        EXECUTE asked INTO is_closed USING OLD;
    END IF;
    IF TG_OP <> 'DELETE' AND NOT is_closed THEN
        EXECUTE asked INTO is_closed USING NEW;
    END IF;
    IF is_closed THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_NAME || ': rows of ' || TG_TABLE_NAME || ' in a closed period stay',
            CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$"""


def lock_periods(connection: BaseDatabaseWrapper, table: str) -> None:
    """Let nobody else close a period or write a row of one until the transaction ends.

    table: of the periods. Readers do not wait. SQLite has one writer at a time in any case.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(table)} IN EXCLUSIVE MODE")


class Closable(Triggers):
    """Rows are periods, which are closed in their order; a closed row stays as it is.

    Only the last closed one can be opened again, by a change that gives a reason.
    period, closed, reason: names of columns; closed is NULL while the period is open.
    """

    def __init__(self, *, name: str, period: str, closed: str, reason: str, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.period, self.closed, self.reason = period, closed, reason

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        more = {"period": self.period, "closed": self.closed, "reason": self.reason}
        return path, args, {**kwargs, **more}

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        quote = schema_editor.quote_name
        table = Table(model._meta.db_table, quote)
        if schema_editor.connection.vendor == "postgresql":
            arguments = f"'{self.period}', '{self.closed}', '{self.reason}'"
            return [KEEP_PERIODS, _postgresql_trigger(self, table, "migrator_closable", arguments)]
        key, period, closed, reason = (
            quote(name) for name in (model._meta.pk.column, self.period, self.closed, self.reason)
        )
        later = (
            f"EXISTS (SELECT 1 FROM %(table)s WHERE {closed} IS NOT NULL"
            f" AND {period} > NEW.{period})"
        )
        # REPLACE deletes rows of the same key or period without a word, and is an INSERT.
        replaced = (
            f"EXISTS (SELECT 1 FROM %(table)s WHERE {closed} IS NOT NULL"
            f" AND (%(table)s.{key} = NEW.{key} OR {period} = NEW.{period}))"
        )
        opened = (
            f"NEW.{closed} IS NULL AND coalesce(NEW.{reason}, '') <> ''"
            f" AND OLD.{period} = NEW.{period} AND NOT {later}"
        )
        return [
            _sqlite_trigger(
                self, quote, table, "INSERT", f"{replaced} OR {_is(closed)} AND {later}"
            ),
            _sqlite_trigger(
                self,
                quote,
                table,
                "UPDATE",
                f"CASE WHEN OLD.{closed} IS NULL THEN {_is(closed)} AND {later}"
                f" ELSE NOT ({opened}) END",
            ),
            _sqlite_trigger(self, quote, table, "DELETE", f"OLD.{closed} IS NOT NULL"),
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError if a later period is closed already."""
        mine = getattr(instance, self.period)
        rows = model._base_manager.using(using).exclude(pk=instance.pk)
        if rows.filter(**{f"{self.closed}__isnull": False, f"{self.period}__gt": mine}).exists():
            raise ValidationError(self.get_violation_error_message())


class Sealed(Triggers):
    """Rows of a closed period are neither added nor changed nor deleted, whoever writes.

    period: the column that says which one a row belongs to. closed_by: the table of the periods,
    with its columns of the period and of its closing: ``("days", "day", "closed_at")``. held: the
    columns that must not change; none for all. Columns are meant by name.
    """

    def __init__(
        self,
        *,
        name: str,
        period: str,
        closed_by: tuple[str, str, str],
        held: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.period, self.closed_by, self.held = period, tuple(closed_by), tuple(held)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this rule into a migration file."""
        path, args, kwargs = super().deconstruct()
        more = {"period": self.period, "closed_by": self.closed_by}
        return path, args, {**kwargs, **more, **({"held": self.held} if self.held else {})}

    def trigger_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> list[Any]:
        """Return the statements that make the triggers."""
        quote = schema_editor.quote_name
        table = Table(model._meta.db_table, quote)
        if schema_editor.connection.vendor == "postgresql":
            arguments = ", ".join(
                f"'{name}'" for name in (*self.closed_by, self.period, *self.held)
            )
            return [KEEP_SEALED, _postgresql_trigger(self, table, "migrator_sealed", arguments)]
        key, period = quote(model._meta.pk.column), quote(self.period)
        periods, day, closed = map(quote, self.closed_by)

        def is_closed(of: str) -> str:
            return (
                f"EXISTS (SELECT 1 FROM {periods} WHERE {periods}.{closed} IS NOT NULL"
                f" AND {periods}.{day} {of})"
            )

        changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in map(quote, self.held))
        # REPLACE deletes a row of the same key without a word, and is an INSERT.
        replaced = is_closed(f"IN (SELECT {period} FROM %(table)s WHERE {key} = NEW.{key})")
        added = is_closed(f"= NEW.{period}")
        either = is_closed(f"IN (OLD.{period}, NEW.{period})")
        return [
            _sqlite_trigger(self, quote, table, "INSERT", f"{added} OR {replaced}"),
            _sqlite_trigger(self, quote, table, "UPDATE", f"({changed or 'true'}) AND {either}"),
            _sqlite_trigger(self, quote, table, "DELETE", is_closed(f"= OLD.{period}")),
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Ask nothing: the period can be closed between a question and the write, which is held."""


def _is(column: str) -> str:
    return f"NEW.{column} IS NOT NULL"


def _postgresql_trigger(rule: Triggers, table: Table, function: str, arguments: str) -> Statement:
    return Statement(
        "CREATE TRIGGER %(name)s BEFORE INSERT OR UPDATE OR DELETE ON %(table)s"
        f" FOR EACH ROW EXECUTE FUNCTION {function}(%(arguments)s)",
        name=table.quote_name(rule.name),
        table=table,
        arguments=arguments,
    )


def _sqlite_trigger(rule: Triggers, quote: Any, table: Table, event: str, when: str) -> Statement:
    return Statement(
        f"CREATE TRIGGER %(name)s BEFORE {event} ON %(table)s WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{rule.name}'); END",
        name=quote(f"{rule.name}_{event.lower()}"),
        table=table,
    )
