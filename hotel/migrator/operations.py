"""Operations that lose nothing: what migrations may import besides Django's own.

Append-only, and one module though a long one, because old migrations import it for ever. Each
operation is Django's operation of the same kind with one thing added, so ``makemigrations`` output
becomes safe by changing ``migrations.`` to ``operations.``:

* ``CreateModel`` and ``AddField`` archive the rows or the column before they drop them on the way
  down;
* ``DeleteModel`` and ``RemoveField`` archive them before they drop them on the way up;
* ``BatchedRunPython`` is a ``RunPython`` that changes one column in batches, can be killed and
  resumed, and archives the originals that its inverse would not give back;
* ``RequireField`` makes a filled column NOT NULL without a long lock; ``CatchUp`` repeats a
  backfill for the rows written since;
* ``AddIndex`` and ``RemoveIndex`` let nobody wait on PostgreSQL, and can be killed and repeated;
* these four say ``reentrant = True``: in a migration that is not atomic they go on where a kill
  or a lock stopped them, and ``hotel.migrator.runner`` may repeat them;
* ``InsertForNewRows`` inserts rows for rows, each of which it meets once; ``InsertMissing`` inserts
  what must be there and stays;
* ``MakeAware`` gives instants a time zone; ``AddRules`` and ``ValidateRules`` add what must be true
  (``hotel.migrator.constraints``) on top of rows for which it is not;
* ``Unfinished`` stands in a file that is still to be written, and runs never.
"""

import logging
import sys
from copy import copy
from importlib import import_module

from django.contrib.postgres.operations import CreateExtension
from django.db import router, transaction
from django.db.migrations import operations as django_operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.models import AutoField, DateTimeField, F, OuterRef, Value

from hotel.migrator import tables
from hotel.migrator.archive import Archive, is_recorded
from hotel.migrator.batches import BATCH_SIZE, Batches
from hotel.migrator.constraints import Check, Exclusion, end_sql, exempt_sql
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.expressions import FromText, IsDistinctFrom

logger = logging.getLogger(__name__)


def _owner(operation, app_label):
    """Return ``app.0003_name#2``: the migration that holds ``operation``, and its place there.

    Django does not tell an operation which migration it belongs to; the migration's module is
    loaded, or it could not run.
    """
    package, _ = MigrationLoader.migrations_module(app_label)
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{package}.") and hasattr(module, "Migration"):
            for index, candidate in enumerate(module.Migration.operations):
                if candidate is operation:
                    return f"{app_label}.{name.removeprefix(f'{package}.')}#{index}"
    raise RuntimeError(
        f"{operation.describe()!r} belongs to no migration of {app_label}: "
        f"list it in the operations of a migration in {package}."
    )


def _archive(operation, app_label, schema_editor, direction):
    tables.ensure(schema_editor)
    owner = f"{_owner(operation, app_label)} {direction}"
    return Archive(owner, schema_editor.connection.alias)


def _log(owner, text):
    """Say what was done to the rows, in a line that names the migration."""
    line = "\n" if sys.stderr.isatty() else ""  # "Applying …" waits there for its OK
    logger.info("%s%s: %s", line, owner.partition("#")[0], text)


def _lock(schema_editor, model):
    """Let nobody write to ``model`` between the archive's look and the drop (PostgreSQL).

    ACCESS EXCLUSIVE at once, because the DROP needs it anyway and raising a lock later deadlocks.
    SQLite has one writer.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"LOCK TABLE {schema_editor.quote_name(model._meta.db_table)} IN ACCESS EXCLUSIVE MODE"
        )


# What sqlmigrate prints where rows are archived, which is not printed as SQL.
ARCHIVED_FIRST = "-- what is dropped here, migrate archives first"


class _KeepsRows:
    """Archive and give back the rows of a model and of its many-to-many tables."""

    def _tables(self, model):
        through = [
            field.remote_field.through
            for field in model._meta.local_many_to_many
            if field.remote_field.through._meta.auto_created
        ]
        return [model, *through]

    def _save(self, app_label, schema_editor, model, direction):
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(ARCHIVED_FIRST)
            return
        archive = _archive(self, app_label, schema_editor, direction)
        for kept in self._tables(model):
            _lock(schema_editor, kept)
            archive.save_rows(kept._base_manager.using(archive.alias))

    def _give_back(self, app_label, schema_editor, model, direction):
        if schema_editor.collect_sql:
            return
        connection = schema_editor.connection
        if not tables.exists(connection, tables.ArchivedValue):
            return
        archive = _archive(self, app_label, schema_editor, direction)
        if archive.is_empty():
            return
        for kept in self._tables(model):
            archive.restore_rows(kept)
        _reset_sequences(schema_editor, self._tables(model))


def _reset_sequences(schema_editor, restored):
    """Let the next new row get a key above the restored ones.

    Never one that was given before: others may be inserting into a table that stood all along.
    SQLite sees to both by itself.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    quote = schema_editor.quote_name
    for model in restored:
        if isinstance(model._meta.pk, AutoField):
            table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
            schema_editor.execute(
                f"SELECT setval(s, greatest((SELECT max({key}) FROM {table}),"
                " pg_sequence_last_value(s)))"
                " FROM CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS s",
                (table, model._meta.pk.column),
            )


class CreateModel(_KeepsRows, django_operations.CreateModel):
    """``migrations.CreateModel``, whose reverse archives the rows before it drops the table.

    When the table is made again, the rows come back with their keys.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Make the table and give back the rows that were archived when it was dropped."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._give_back(app_label, schema_editor, model, "backward")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Archive the rows and drop the table."""
        model = from_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "backward")
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class DeleteModel(_KeepsRows, django_operations.DeleteModel):
    """``migrations.DeleteModel``, which archives the rows before it drops the table."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Archive the rows and drop the table."""
        model = from_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "forward")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Make the table again and give back its rows."""
        super().database_backwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._give_back(app_label, schema_editor, model, "forward")


class _KeepsColumn:
    """Archive and give back one column, or the rows of a many-to-many table."""

    name: str
    refill = None

    def _save(self, app_label, schema_editor, model, direction):
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(ARCHIVED_FIRST)
            return
        archive = _archive(self, app_label, schema_editor, direction)
        field = model._meta.get_field(self.name)
        if field.generated:
            return  # the database computes it again
        if field.many_to_many:
            through = field.remote_field.through
            _lock(schema_editor, through)
            archive.save_rows(through._base_manager.using(archive.alias))
            return
        _lock(schema_editor, model)
        rows = model._base_manager.using(archive.alias)
        if self.refill:
            source, rule = self.refill
            rows = rows.filter(IsDistinctFrom(rule(F(source)), F(field.attname)))
            archive.save(rows, field.column, F(field.attname), became=F(source))
        else:
            rows = rows.filter(IsDistinctFrom(F(field.attname), _blank(field)))
            archive.save(rows, field.column, F(field.attname))

    def _add(self, app_label, schema_editor, without, model, direction):
        """Add the column to ``without``, which makes it ``model``, and give back its values.

        A required column that has no default is nullable until they are there.
        """
        field = added = model._meta.get_field(self.name)
        is_filled = field.null or field.many_to_many or field.generated or field.has_db_default()
        is_given_back = self.refill or not (
            schema_editor.collect_sql
            or _archive(self, app_label, schema_editor, direction).is_empty()
        )
        if is_given_back and not is_filled and schema_editor.effective_default(field) is None:
            added = copy(field)  # a clone would not know the model that a foreign key points to
            added.null = True
        schema_editor.add_field(without, added)
        self._give_back(app_label, schema_editor, model, direction)
        if added is not field:
            schema_editor.alter_field(model, added, field)

    def _give_back(self, app_label, schema_editor, model, direction):
        if schema_editor.collect_sql:
            return
        connection = schema_editor.connection
        archive = _archive(self, app_label, schema_editor, direction)
        field = model._meta.get_field(self.name)
        if field.generated:
            return
        if field.many_to_many:
            if not archive.is_empty():
                through = field.remote_field.through
                archive.restore_rows(through)
                _reset_sequences(schema_editor, [through])
            return
        rows = model._base_manager.using(connection.alias)
        if self.refill:
            source, rule = self.refill
            value = rule(F(source))
            if not archive.is_empty():
                value = archive.given_back(field, value, unless_changed=OuterRef(source))
            rows.update(**{field.attname: value})
        elif not archive.is_empty():
            rows = archive.kept(rows, field)
            rows.update(**{field.attname: archive.given_back(field, F(field.attname))})
        if connection.vendor == "postgresql" and not archive.is_empty():
            # A row that is updated twice waits for its foreign keys to be checked, and no table is
            # altered that rows wait for: the next column of the migration could not be added.
            schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        archive.forget()


def _blank(field):
    """Return what the database puts into a new column of ``field`` by itself."""
    return Value(None) if not field.has_db_default() else field._db_default_expression


class AddField(_KeepsColumn, django_operations.AddField):
    """``migrations.AddField``, whose reverse archives the column before it drops it.

    When the column is added again, each row gets its value back. Values that the new column has by
    itself (NULL, or its database default) need no archive.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Add the column and give back the values that were archived when it was dropped."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if self.preserve_default:
            without = from_state.apps.get_model(app_label, self.model_name)
            self._add(app_label, schema_editor, without, model, "backward")
        else:  # the rows that have no value in the archive get the default of this once
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            self._give_back(app_label, schema_editor, model, "backward")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Archive the column and drop it."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "backward")
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveField(_KeepsColumn, django_operations.RemoveField):
    """``migrations.RemoveField``, which archives the column before it drops it.

    refill: ``(other_field, rule)``. On the way down the column is computed by
    ``rule(F(other_field))``, an expression; only the values that the rule would not give are
    archived, and each comes back if its row's ``other_field`` is still what it was. A row born
    since gets what the rule says.
    """

    def __init__(self, model_name, name, refill=None):
        super().__init__(model_name, name)
        self.refill = refill

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, **({"refill": self.refill} if self.refill else {})}

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Archive the column and drop it."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._save(app_label, schema_editor, model, "forward")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Add the column again, nullable until it is filled, and give back its values."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        without = from_state.apps.get_model(app_label, self.model_name)
        self._add(app_label, schema_editor, without, model, "forward")


class BatchedRunPython(django_operations.RunPython):
    """A ``RunPython`` that changes one column, in primary-key ranges of one set-based UPDATE each.

    forward, backward: ``f(apps, value)`` returning an expression. ``value`` is an expression too:
    what stands in ``source`` (``forward``) or in ``field_name`` (``backward``); both may use other
    columns of the row through ``F`` and ``OuterRef``. ``source`` is another column of the row when
    the result goes into a new one; it is not written, so the inverse is ``BatchedRunPython.clear``.
    Where the inverse changes nothing, it is ``BatchedRunPython.keep``.

    Rows that ``forward`` leaves as they are, are not written. An original that ``backward`` would
    not give back is archived in the transaction of its batch and comes back on the way down if the
    row still holds what ``forward`` wrote; rows changed or born since get what ``backward`` says.
    The same
    holds the other way round: what ``forward`` would not give back is archived on the way down.

    With ``atomic = False`` on the migration each batch commits on its own together with a cursor,
    so that a killed run goes on where it stopped and changes no row twice.
    """

    reentrant = True

    again = False
    quiet = False

    def __init__(
        self,
        forward,
        backward,
        model_name,
        field_name,
        *,
        source=None,
        tally=False,
        batch_size=BATCH_SIZE,
        hints=None,
        elidable=False,
    ):
        """tally: name the values and their counts in the log line (never for secrets)."""
        super().__init__(forward, backward, atomic=False, hints=hints, elidable=elidable)
        self.model_name = model_name
        self.field_name = field_name
        self.source = source or field_name
        self.tally = tally
        self.batch_size = batch_size

    @staticmethod
    def keep(apps, value):
        """Inverse that leaves the column as it is."""
        return value

    @staticmethod
    def clear(apps, value):
        """Inverse that empties the new column: NULL, or its database default."""
        raise NotImplementedError("a marker; BatchedRunPython looks at the column instead")

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        kwargs: dict = {"tally": True} if self.tally else {}
        if self.source != self.field_name:
            kwargs["source"] = self.source
        if self.batch_size != BATCH_SIZE:
            kwargs["batch_size"] = self.batch_size
        if self.hints:
            kwargs["hints"] = self.hints
        args = [self.code, self.reverse_code, self.model_name, self.field_name]
        return self.__class__.__name__, args, kwargs

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Change {self.field_name} of {self.model_name} in batches"

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Change every row, batch by batch."""
        self._run(app_label, schema_editor, from_state, "forward", self._up)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Give back every row, batch by batch."""
        self._run(app_label, schema_editor, from_state, "backward", self._down)

    def _is_meant(self, app_label, schema_editor):
        alias, model_name = schema_editor.connection.alias, self.model_name.lower()
        return router.allow_migrate(alias, app_label, model_name=model_name, **self.hints)

    def _run(self, app_label, schema_editor, state, direction, change):
        alias = schema_editor.connection.alias
        if not self._is_meant(app_label, schema_editor):
            return
        state.clear_delayed_apps_cache()
        apps = state.apps
        field = apps.get_model(app_label, self.model_name)._meta.get_field(self.field_name)
        # Asked without a row too: a dependency that was forgotten must not wait for the first one.
        self._inverse(apps, field, self.code(apps, F(self.source)))
        opposite = "backward" if direction == "forward" else "forward"
        mine = _archive(self, app_label, schema_editor, direction)
        other = _archive(self, app_label, schema_editor, opposite)
        batches = Batches(
            mine.owner,
            other.owner,
            field.model,
            alias,
            size=self.batch_size,
            resumable=not schema_editor.atomic_migration,
        )
        given_back = None if other.is_empty() else other.given_back
        before = self.source if direction == "forward" else self.field_name
        after = self.field_name if direction == "forward" else self.source
        batches.run(
            lambda rows: change(apps, field, rows, mine, given_back),
            start=mine.forget,
            again=self.again,
            tally=(before, after) if self.tally else None,
            quiet=self.quiet,
        )

    def _inverse(self, apps, field, value):
        if self.reverse_code is BatchedRunPython.clear:
            return _blank(field)
        return FromText(self.reverse_code(apps, value), field)

    def _up(self, apps, field, rows, mine, given_back):
        """Change ``rows``; return how many were changed and how many originals archived."""
        stands = F(field.attname)
        new = FromText(self.code(apps, F(self.source)), field)
        if given_back:
            new = given_back(field, new, unless_changed=OuterRef(self.source))
        lost = rows.filter(IsDistinctFrom(self._inverse(apps, field, new), stands))
        archived = mine.save(lost, field.column, stands, became=new)
        changed = rows.filter(IsDistinctFrom(new, stands)).update(**{field.attname: new})
        return changed, archived

    def _down(self, apps, field, rows, mine, given_back):
        """Give ``rows`` back; return how many were changed and how many values archived."""
        stands = F(field.attname)
        old = self._inverse(apps, field, stands)
        if given_back:
            old = given_back(field, old, unless_changed=OuterRef(field.attname))
        source = old if self.source == self.field_name else F(self.source)
        lost = rows.filter(IsDistinctFrom(self.code(apps, source), stands))
        archived = mine.save(lost, field.column, stands, became=source)
        changed = rows.filter(IsDistinctFrom(old, stands)).update(**{field.attname: old})
        return changed, archived


class CatchUp(BatchedRunPython):
    """Repeat the backfill of an earlier migration of this app for the rows written since.

    migration: its name, as in ``"0010_transform_status"``. Only rows that the rule would change are
    written; their originals are archived and given back on the way down.
    """

    again = True  # rows may have been written between the kill and the next run
    quiet = True  # there is nothing to tell unless somebody wrote in between

    def __init__(self, migration, model_name, field_name):
        super().__init__(self._rule, BatchedRunPython.keep, model_name, field_name)
        self.migration = migration

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.migration, self.model_name, self.field_name], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Repeat {self.migration} for rows of {self.model_name} written since"

    def _run(self, app_label, schema_editor, state, direction, change):
        if not self._is_meant(app_label, schema_editor):
            return
        backfill = _backfill(app_label, self.migration, self.model_name, self.field_name)
        self.source = backfill.source
        self.rule = backfill.code
        # What the backfill gave back instead of its rule's result is not late, and stays.
        self.exceptions = _archive(backfill, app_label, schema_editor, "backward")
        super()._run(app_label, schema_editor, state, direction, change)

    def _rule(self, apps, value):
        return self.rule(apps, value)

    def _expected(self, apps, field):
        """Return what the backfill, run now, would leave in the column."""
        new = FromText(self.rule(apps, F(self.source)), field)
        if self.exceptions.is_empty():
            return new
        return self.exceptions.given_back(field, new, unless_changed=OuterRef(self.source))

    def _up(self, apps, field, rows, mine, given_back):
        stands = F(field.attname)
        new = self._expected(apps, field)
        late = rows.filter(IsDistinctFrom(new, stands))
        archived = mine.save(late, field.column, stands, became=new)
        return late.update(**{field.attname: new}), archived

    def _down(self, apps, field, rows, mine, given_back):
        stands = F(field.attname)
        # What was written after this migration, and no rule gives, is not late next time.
        written = rows.filter(IsDistinctFrom(self._expected(apps, field), stands))
        archived = self.exceptions.save(written, field.column, stands, became=F(self.source))
        if not given_back:
            return 0, archived
        old = given_back(field, stands, unless_changed=OuterRef(field.attname))
        late = rows.filter(IsDistinctFrom(old, stands))
        return late.update(**{field.attname: old}), archived


def _backfill(app_label, migration, model_name, field_name):
    """Return the ``BatchedRunPython`` of ``migration`` that fills the column."""
    package, _ = MigrationLoader.migrations_module(app_label)
    for operation in import_module(f"{package}.{migration}").Migration.operations:
        if (
            isinstance(operation, BatchedRunPython)
            and operation.model_name.lower() == model_name.lower()
            and operation.field_name == field_name
        ):
            return operation
    raise LookupError(
        f"{app_label}.{migration} has no BatchedRunPython for {model_name}.{field_name}."
    )


class RequireField(django_operations.AlterField):
    """``migrations.AlterField`` to NOT NULL for a column that a backfill has filled.

    backfill: the name of the migration that filled it; rows written since are filled by the same
    rule.

    On PostgreSQL nobody waits: a CHECK is added NOT VALID, late rows are filled, the CHECK is
    validated while others read and write, and then proves SET NOT NULL without a scan. On SQLite
    the table is rebuilt in one transaction. The migration must say ``atomic = False``; killed at
    any moment, it can be run again.
    """

    reentrant = True

    def __init__(self, model_name, name, field, backfill, preserve_default=True):
        super().__init__(model_name, name, field, preserve_default)
        self.backfill = backfill

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, "backfill": self.backfill}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Require {self.name} of {self.model_name}"

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Fill late rows and make the column NOT NULL."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        if schema_editor.collect_sql:
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.atomic_migration:
            raise RuntimeError(
                f"{_owner(self, app_label)} requires a column step by step: "
                "write atomic = False into its Migration."
            )
        field = model._meta.get_field(self.name)
        old = from_state.apps.get_model(app_label, self.model_name)._meta.get_field(self.name)
        if schema_editor._field_should_be_altered(
            old, field, ignore={"null", "default", "db_default"}
        ):
            raise RuntimeError(
                f"{_owner(self, app_label)} changes more than NULL and the default of {self.name}: "
                "write an AlterField for the rest into a migration of its own."
            )
        tables.ensure(schema_editor)
        if connection.vendor != "postgresql":
            with transaction.atomic(connection.alias):
                self._fill(app_label, schema_editor, from_state)
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return None
        table = schema_editor.quote_name(model._meta.db_table)
        column = schema_editor.quote_name(field.column)
        check = schema_editor.quote_name(f"{model._meta.db_table}_{field.column}_required"[:63])
        alter = f"ALTER TABLE {table}"
        self._fill(app_label, schema_editor, from_state)
        with transaction.atomic(connection.alias):
            schema_editor.execute(f"{alter} DROP CONSTRAINT IF EXISTS {check}")
            if field.has_db_default():
                default, params = schema_editor.db_default_sql(field)
                schema_editor.execute(
                    f"{alter} ALTER COLUMN {column} SET DEFAULT {default}", params or None
                )
            elif old.has_db_default():
                schema_editor.execute(f"{alter} ALTER COLUMN {column} DROP DEFAULT")
            schema_editor.execute(
                f"{alter} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
            )
        self._fill(app_label, schema_editor, from_state)
        schema_editor.execute(f"{alter} VALIDATE CONSTRAINT {check}")
        with transaction.atomic(connection.alias):
            schema_editor.execute(f"{alter} ALTER COLUMN {column} SET NOT NULL")
            schema_editor.execute(f"{alter} DROP CONSTRAINT {check}")
        return None

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Let the column be NULL again and give the late rows their NULL back."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        with transaction.atomic(connection.alias):
            # Django's reverse of AlterField is its forward with the states the other way round.
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            if schema_editor.collect_sql:
                return
            field = model._meta.get_field(self.name)
            archive = _archive(self, app_label, schema_editor, "forward")
            if not archive.is_empty():
                rows = archive.kept(model._base_manager.using(connection.alias), field)
                old = archive.given_back(
                    field, F(field.attname), unless_changed=OuterRef(field.attname)
                )
                rows.update(**{field.attname: old})
                archive.forget()

    def _fill(self, app_label, schema_editor, state):
        """Fill the rows that were written with NULL since the backfill, a batch a transaction."""
        state.clear_delayed_apps_cache()
        alias = schema_editor.connection.alias
        model = state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        rule = _backfill(app_label, self.backfill, self.model_name, self.name)
        new = FromText(rule.code(state.apps, F(rule.source)), field)
        archive = _archive(self, app_label, schema_editor, "forward")

        def fill(rows):
            late = rows.filter(**{f"{field.name}__isnull": True})
            archived = archive.save(late, field.column, F(field.attname), became=new)
            return late.update(**{field.attname: new}), archived

        late = model._base_manager.using(alias).filter(**{f"{field.name}__isnull": True})
        Batches(archive.owner, None, late, alias, resumable=False).run(fill)


class Insert:
    """What ``InsertForNewRows`` is to insert: a row of ``model`` for each of ``rows``.

    rows: a queryset; the database numbers the new rows in its order, which is that of the primary
    key if it says none. values: by field, an expression over the row, or a plain value. The fields
    that are not named get what the database gives them by itself.
    """

    def __init__(self, model, rows, /, **values):
        self.model = model
        self.rows = rows if rows.ordered else rows.order_by("pk")
        self.values = values

    @property
    def columns(self):
        """Return the names, in the database, of the columns that get a value."""
        return [self.model._meta.get_field(name).column for name in self.values]

    @property
    def query(self):
        """Return the queryset of the values, in the order of ``columns``."""
        return self.rows.values_list(
            *(
                value if hasattr(value, "resolve_expression") else Value(value)
                for value in self.values.values()
            )
        )


class InsertForNewRows(django_operations.RunPython):
    """A ``RunPython`` that inserts rows for the rows of a model, each of which it meets once.

    However often the migration goes up and down: on the way down, what was inserted is archived and
    deleted, and on the way up it comes back, except what was deleted by somebody else.

    code: ``f(apps, rows)``; ``rows`` is a queryset of the rows that were not met before, by primary
    key. It returns a list of ``Insert``, which run one after the other as one ``INSERT ... SELECT``
    each, and reads nothing itself: the statements are the same whatever the rows are.
    model_name: of the rows; with its application, as in ``"rooms.room"``, if that is another one.
    Rows are inserted into other models, whose keys the database numbers.
    """

    def __init__(self, code, model_name, hints=None, elidable=False):
        super().__init__(code, django_operations.RunPython.noop, hints=hints, elidable=elidable)
        self.model_name = model_name

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return (
            self.__class__.__name__,
            [self.code, self.model_name],
            {"hints": self.hints} if self.hints else {},
        )

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Insert what {self.code.__name__} says for new rows of {self.model_name}"

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Give back what was inserted before, and insert what the code says for new rows."""
        self._run(app_label, schema_editor, from_state, self._up)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Archive and delete what was inserted, and remember the rows that are there."""
        self._run(app_label, schema_editor, from_state, self._down)

    def _run(self, app_label, schema_editor, state, move):
        alias = schema_editor.connection.alias
        app, _, model_name = self.model_name.lower().rpartition(".")
        app = app or app_label
        if not router.allow_migrate(alias, app, model_name=model_name, **self.hints):
            return
        state.clear_delayed_apps_cache()
        rows = state.apps.get_model(app, model_name)._base_manager.using(alias)
        made = _archive(self, app_label, schema_editor, "forward")
        met = _archive(self, app_label, schema_editor, "backward")
        new = rows.exclude(pk__in=met.remembered(rows)).order_by("pk")
        inserts: list[Insert] = self.code(state.apps, new)
        models = list(dict.fromkeys(insert.model for insert in inserts))
        with transaction.atomic(using=alias):
            move(schema_editor, rows, new, inserts, models, made, met)

    def _up(self, schema_editor, rows, new, inserts, models, made, met):
        for model in models:
            met.restore_rows(model, remembered_in=made)
        _reset_sequences(schema_editor, models)
        read = new.count()
        added = sum(made.insert(insert.model, insert.columns, insert.query) for insert in inserts)
        if read:
            _log(made.owner, f"{read} rows read, {added} added")
        met.forget_keys(rows.model)

    def _down(self, schema_editor, rows, new, inserts, models, made, met):
        for model in reversed(models):
            inserted = made.remembered(model._base_manager.using(made.alias))
            met.save_rows(inserted)
            # Not delete(), which would read the rows and delete in Python what refers to them.
            inserted._raw_delete(made.alias)
        made.forget()
        met.remember(rows.all())


class InsertMissing(Operation):
    """Insert the rows that are to be there, each named by one text, and are not.

    model_name: with its application, as in ``"auth.group"``, if that is another one. field_name: of
    the unique field that holds the text. On the way down the rows stay: others may use them by
    then.
    """

    category = OperationCategory.ADDITION

    def __init__(self, model_name, field_name, values):
        self.model_name = model_name
        self.field_name = field_name
        self.values = values

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.field_name, self.values], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Insert into {self.model_name} what is missing of {', '.join(self.values)}"

    def state_forwards(self, app_label, state):
        """Change nothing."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Insert what is missing, in the order of ``values``."""
        app, _, model_name = self.model_name.lower().rpartition(".")
        model = from_state.apps.get_model(app or app_label, model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = schema_editor.quote_name(model._meta.db_table)
        column = schema_editor.quote_name(model._meta.get_field(self.field_name).column)
        given = ", ".join(f"({place}, %s)" for place in range(len(self.values)))
        schema_editor.execute(
            f"INSERT INTO {table} ({column})"
            f" SELECT column2 FROM (VALUES {given}) AS given"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS there WHERE there.{column} = column2)"
            f" ORDER BY column1 ON CONFLICT ({column}) DO NOTHING",
            tuple(self.values),
        )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Leave them."""


class MakeAware(Operation):
    """Turn ``NaiveUTCDateTimeField`` columns of a model into Django's ``DateTimeField``.

    Instead of an ``AlterField`` for each. Every instant stays what it is, whatever zone the session
    or the server has, on the way up and on the way down. On PostgreSQL no row is rewritten: in UTC
    both types hold the same bytes. On SQLite nothing is done: both fields write the same text.
    """

    category = OperationCategory.ALTERATION

    def __init__(self, model_name, *names):
        self.model_name = model_name
        self.names = names

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, *self.names], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Give {', '.join(self.names)} of {self.model_name} a time zone"

    def references_model(self, name, app_label):
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label, state):
        """Change the fields of the model, whose other attributes stay."""
        key = app_label, self.model_name.lower()
        fields = state.models[key].fields
        for name in self.names:
            _, _, args, kwargs = fields[name].deconstruct()
            fields[name] = DateTimeField(*args, **kwargs)
        state.reload_model(*key, delay=True)  # once: Django's alter_field does it for each field

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Change the types of the columns, read in UTC."""
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        before = from_state.apps.get_model(app_label, self.model_name)
        with transaction.atomic(connection.alias):  # SET LOCAL is nothing outside a transaction
            schema_editor.execute("SET LOCAL TIME ZONE 'UTC'")
            for name in self.names:
                schema_editor.alter_field(
                    before, before._meta.get_field(name), model._meta.get_field(name)
                )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Give the columns their type without zone again, written in UTC."""
        self.database_forwards(app_label, schema_editor, from_state, to_state)


class AddExtension(CreateExtension):
    """``CREATE EXTENSION`` on PostgreSQL, nothing on SQLite.

    On the way down it stays: it belongs to the database, and others may use it by then.
    """

    reentrant = True

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.name], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Add extension {self.name}"

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Leave it."""


class AddRules(Operation):
    """Add rules (``hotel.migrator.constraints``) to a model; the rows that break them are exempt.

    Instead of an ``AddConstraint`` for each. On PostgreSQL a ``Check`` is added NOT VALID, which
    takes a moment: let ``ValidateRules`` follow in a later migration. An ``Exclusion`` has no such
    form: the table is locked while its index is built. On SQLite the table is rebuilt once.
    """

    category = OperationCategory.ADDITION

    def __init__(self, model_name, rules):
        self.model_name = model_name
        self.rules = rules

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.rules], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Add rules to {self.model_name}: {', '.join(rule.name for rule in self.rules)}"

    @property
    def migration_name_fragment(self):
        """Return what ``makemigrations`` would call the file."""
        return f"{self.model_name.lower()}_rules"

    def references_model(self, name, app_label):
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label, state):
        """Add the rules to the state of the model."""
        key = app_label, self.model_name.lower()
        options = state.models[key].options
        options["constraints"] = [*options.get("constraints", []), *self.rules]
        state.reload_model(*key, delay=True)  # once: Django's add_constraint does it for each rule

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Exempt the rows that break the rules, and add these."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        exclusions = any(isinstance(rule, Exclusion) for rule in self.rules)
        if exclusions and not schema_editor.collect_sql:
            _lock(schema_editor, model)
        schema_editor.execute(exempt_sql(model, schema_editor, self.rules), params=None)
        if schema_editor.connection.vendor == "postgresql":
            for rule in self.rules:
                not_valid = " NOT VALID" if isinstance(rule, Check) else ""
                sql = str(rule.create_sql(model, schema_editor))
                schema_editor.execute(sql + not_valid, params=None)
        else:
            # Django makes the table anew from the model, which has all of the rules.
            schema_editor.add_constraint(model, self.rules[0])
        if not schema_editor.collect_sql:
            self._log_exempt(_owner(self, app_label), schema_editor, model)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Drop the rules, and the names of these from the rows that were exempt."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if schema_editor.connection.vendor == "postgresql":
            for rule in self.rules:
                schema_editor.execute(str(rule.remove_sql(model, schema_editor)), params=None)
        else:
            schema_editor.remove_constraint(model, self.rules[0])
        schema_editor.execute(end_sql(model, schema_editor, self.rules), params=None)

    def _log_exempt(self, owner, schema_editor, model):
        """Say how many rows are exempt from which of the rules, if any is."""
        rows = model._base_manager.using(schema_editor.connection.alias)
        exempt = rows.filter(exemptions__isnull=False)
        counts = {
            rule.name: exempt.filter(exemptions__has_key=rule.name).count() for rule in self.rules
        }
        named = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        if named:
            _log(owner, f"rows exempt: {named}")


class ValidateRules(Operation):
    """Let PostgreSQL check the rows that stood when ``AddRules`` added these rules.

    Reading and writing go on meanwhile. Rows that were written between the look of ``AddRules`` and
    its constraint, and break a rule, are exempt like those before them. On SQLite all is done.
    """

    category = OperationCategory.ALTERATION

    def __init__(self, model_name, names):
        self.model_name = model_name
        self.names = names

    def deconstruct(self):
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.names], {}

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Validate rules of {self.model_name}: {', '.join(self.names)}"

    def references_model(self, name, app_label):
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label, state):
        """Change nothing: the rules are in the state."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Exempt late rows and validate the constraints."""
        rules = self._rules(app_label, schema_editor, to_state)
        if not rules:
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        if not schema_editor.collect_sql:
            self._exempt_late(schema_editor, model, table, rules)
        for rule in rules:
            name = schema_editor.quote_name(rule.name)
            schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Add the constraints NOT VALID again."""
        model = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        for rule in self._rules(app_label, schema_editor, to_state):
            name = schema_editor.quote_name(rule.name)
            check = rule.constraint_sql(model, schema_editor, triggers=False)
            schema_editor.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD {check} NOT VALID", params=None
            )

    def _rules(self, app_label, schema_editor, state):
        """Return the rules to be validated, which SQLite has validated already."""
        connection = schema_editor.connection
        model = state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql":
            return []
        if not self.allow_migrate_model(connection.alias, model):
            return []
        rules = {rule.name: rule for rule in model._meta.constraints}
        return [rules[name] for name in self.names]

    def _exempt_late(self, schema_editor, model, table, rules):
        late = " OR ".join(
            f"({rule.broken_sql(model, schema_editor)}) AND NOT {rule.is_exempt_sql(schema_editor)}"
            for rule in rules
        )
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {late})")
            [is_late] = cursor.fetchone()
        if is_late or is_recorded(schema_editor.connection):
            triggers = [rule.trigger_name(schema_editor) for rule in rules]
            off = ", ".join(f"DISABLE TRIGGER {trigger}" for trigger in triggers)
            on = ", ".join(f"ENABLE TRIGGER {trigger}" for trigger in triggers)
            schema_editor.execute(f"ALTER TABLE {table} {off}")
            schema_editor.execute(exempt_sql(model, schema_editor, rules), params=None)
            schema_editor.execute(f"ALTER TABLE {table} {on}")


class Online:
    """Make and drop an index while others read and write, and go on after a kill.

    On PostgreSQL CONCURRENTLY, which no transaction may hold: the migration must say
    ``atomic = False``. What a failed attempt left behind, PostgreSQL marks as invalid; it is
    dropped and made anew. SQLite has one writer, who waits.
    """

    reentrant = True

    def _create(self, schema_editor, model, index):
        if schema_editor.connection.vendor != "postgresql":
            if not self._stands(schema_editor, index):
                schema_editor.add_index(model, index)
            return
        self._refuse_transaction(schema_editor, index)
        stands = self._stands(schema_editor, index)
        if stands is False:
            self._drop(schema_editor, model, index)
        if not stands:
            schema_editor.add_index(model, index, concurrently=True)

    def _drop(self, schema_editor, model, index):
        if schema_editor.connection.vendor != "postgresql":
            if self._stands(schema_editor, index) or schema_editor.collect_sql:
                schema_editor.remove_index(model, index)
            return
        self._refuse_transaction(schema_editor, index)
        if self._stands(schema_editor, index) is not None or schema_editor.collect_sql:
            schema_editor.remove_index(model, index, concurrently=True)

    def _refuse_transaction(self, schema_editor, index):
        if schema_editor.atomic_migration and not schema_editor.collect_sql:
            raise RuntimeError(
                f"{index.name} is made or dropped while others read and write: "
                "write atomic = False into its Migration."
            )

    def _stands(self, schema_editor, index):
        """Return None for no such index, or whether it is valid."""
        if schema_editor.collect_sql:
            return None
        with schema_editor.connection.cursor() as cursor:
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT indisvalid FROM pg_index"
                    " WHERE indexrelid = to_regclass(quote_ident(%s))",
                    [index.name],
                )
            else:
                cursor.execute(
                    "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = %s", [index.name]
                )
            found = cursor.fetchone()
        return bool(found[0]) if found else None


class AddIndex(Online, django_operations.AddIndex):
    """``migrations.AddIndex``, for which nobody waits on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Make the index, unless it stands."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._create(schema_editor, model, self.index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Drop the index, if it stands."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._drop(schema_editor, model, self.index)


class RemoveIndex(Online, django_operations.RemoveIndex):
    """``migrations.RemoveIndex``, for which nobody waits on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Drop the index, if it stands."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            self._drop(schema_editor, model, index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Make the index again, unless it stands."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            self._create(schema_editor, model, index)


class Unfinished(Operation):
    """Stands in a migration that ``db revision`` made until a developer has written the rest.

    what: is to be written. The file can be loaded and ``migrate`` refuses to run it, before the
    first statement: an empty migration that ran would be recorded, and its contents never run.
    """

    reversible = True
    reduces_to_sql = False
    category = OperationCategory.PYTHON

    def __init__(self, what):
        self.what = what

    def state_forwards(self, app_label, state):
        """Change nothing."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Refuse to run. Preflight has done so already, where there is one."""
        name, _, _ = _owner(self, app_label).partition("#")
        raise self.refusal({name: self.what})

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Change nothing."""

    def describe(self):
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Still to be written: {self.what}"

    @staticmethod
    def refusal(found):
        """Return the error about migrations that are to be written: ``{app.name: what}``."""
        names = ", ".join(f"{name} ({what})" for name, what in found.items())
        one = len(found) == 1
        return RefusedByPreflight(
            f"{names} {'is' if one else 'are'} not written yet: write {'it' if one else 'each'},"
            " delete the line that says Unfinished, and run the same command again. Nothing was"
            " changed."
        )
