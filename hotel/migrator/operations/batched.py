"""Operations that change the rows of one column, a batch at a time."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, cast

from django.db import router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState, StateApps
from django.db.models import Expression, F, Field, OuterRef, QuerySet

from hotel.migrator.expressions import FromText, IsDistinctFrom
from hotel.migrator.operations.archiving import Direction, archive_of, blank, field_of, lock
from hotel.migrator.storage.archive import Archive
from hotel.migrator.storage.batches import BATCH_SIZE, Batches

Conversion = Callable[[StateApps, Any], Any]  # of an expression, which returns one


def _is_key(field: "Field[Any, Any]") -> bool:
    """Tell whether other tables may refer to ``field``, so that changing it locks the row more."""
    meta = field.model._meta
    together = [*meta.unique_together, *(rule.fields for rule in meta.total_unique_constraints)]
    is_one = field.unique or field in meta.pk_fields
    return is_one or any(field.name in names for names in together)


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
    So it is the other way round: what ``forward`` would not give back is archived on the way down.

    With ``atomic = False`` on the migration each batch commits on its own together with a cursor,
    so that a killed run goes on where it stopped and changes no row twice.
    """

    code: Conversion
    reverse_code: Conversion

    reentrant = True

    again = False
    quiet = False
    at_once = False

    def __init__(
        self,
        forward: Conversion,
        backward: Conversion,
        model_name: str,
        field_name: str,
        *,
        source: str | None = None,
        tally: bool = False,
        batch_size: int = BATCH_SIZE,
        hints: dict[str, Any] | None = None,
        elidable: bool = False,
    ) -> None:
        """tally: name the values and their counts in the log line (never for secrets)."""
        super().__init__(forward, backward, atomic=False, hints=hints, elidable=elidable)
        self.model_name = model_name
        self.field_name = field_name
        self.source = source or field_name
        self.tally = tally
        self.batch_size = batch_size

    @staticmethod
    def keep(apps: StateApps, value: Any) -> Any:
        """Inverse that leaves the column as it is."""
        return value

    @staticmethod
    def clear(apps: StateApps, value: Any) -> Any:
        """Inverse that empties the new column: NULL, or its database default."""
        raise NotImplementedError("a marker; BatchedRunPython looks at the column instead")

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        kwargs: dict[str, Any] = {"tally": True} if self.tally else {}
        if self.source != self.field_name:
            kwargs["source"] = self.source
        if self.batch_size != BATCH_SIZE:
            kwargs["batch_size"] = self.batch_size
        if self.hints:
            kwargs["hints"] = self.hints
        args = [self.code, self.reverse_code, self.model_name, self.field_name]
        return self.__class__.__name__, args, kwargs

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Change {self.field_name} of {self.model_name} in batches"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Change every row, batch by batch."""
        self._run(app_label, schema_editor, from_state, "forward")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Give back every row, batch by batch."""
        self._run(app_label, schema_editor, from_state, "backward")

    def _is_meant(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        alias, model_name = schema_editor.connection.alias, self.model_name.lower()
        return router.allow_migrate(alias, app_label, model_name=model_name, **self.hints)

    def _run(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        state: ProjectState,
        direction: Direction,
    ) -> None:
        alias = schema_editor.connection.alias
        if not self._is_meant(app_label, schema_editor):
            return
        state.clear_delayed_apps_cache()
        apps = state.apps
        field = field_of(apps.get_model(app_label, self.model_name), self.field_name)
        # Asked without a row too: a dependency that was forgotten must not wait for the first one.
        self._inverse(apps, field, self.code(apps, F(self.source)))
        opposite: Direction = "backward" if direction == "forward" else "forward"
        mine = archive_of(self, app_label, schema_editor, direction)
        other = archive_of(self, app_label, schema_editor, opposite)
        at_once = self.at_once and schema_editor.atomic_migration
        if at_once:
            lock(schema_editor, field.model)
        batches = Batches(
            mine.owner,
            other.owner,
            field.model,
            alias,
            size=None if at_once else self.batch_size,
            resumable=not schema_editor.atomic_migration,
            changes_keys=_is_key(field),
        )
        other_or_none = None if other.is_empty() else other
        change = self._up if direction == "forward" else self._down
        before = self.source if direction == "forward" else self.field_name
        after = self.field_name if direction == "forward" else self.source
        batches.run(
            lambda rows: change(apps, field, rows, mine, other_or_none),
            start=mine.forget,
            again=self.again,
            tally=(before, after) if self.tally else None,
            quiet=self.quiet,
        )

    def _inverse(self, apps: StateApps, field: "Field[Any, Any]", value: Any) -> Expression:
        if self.reverse_code is BatchedRunPython.clear:
            return blank(field)
        return FromText(self.reverse_code(apps, value), field)

    def _up(
        self,
        apps: StateApps,
        field: "Field[Any, Any]",
        rows: QuerySet[Any],
        mine: Archive,
        other: Archive | None,
    ) -> tuple[int, int]:
        """Change ``rows``; return how many were changed and how many originals archived."""
        stands = F(field.attname)
        new: Any = FromText(self.code(apps, F(self.source)), field)
        if other:
            new = other.given_back(field, new, unless_changed=OuterRef(self.source))
        lost = rows.filter(IsDistinctFrom(self._inverse(apps, field, new), stands))
        archived = mine.save(lost, field.column, stands, became=new)
        changed = rows.filter(IsDistinctFrom(new, stands)).update(**{field.attname: new})
        return changed, archived

    def _down(
        self,
        apps: StateApps,
        field: "Field[Any, Any]",
        rows: QuerySet[Any],
        mine: Archive,
        other: Archive | None,
    ) -> tuple[int, int]:
        """Give ``rows`` back; return how many were changed and how many values archived."""
        stands = F(field.attname)
        old: Any = self._inverse(apps, field, stands)
        if other:
            old = other.given_back(field, old, unless_changed=OuterRef(field.attname))
        source = old if self.source == self.field_name else F(self.source)
        lost = rows.filter(IsDistinctFrom(self.code(apps, source), stands))
        archived = mine.save(lost, field.column, stands, became=source)
        changed = rows.filter(IsDistinctFrom(old, stands)).update(**{field.attname: old})
        return changed, archived


class CatchUp(BatchedRunPython):
    """Repeat the backfill of an earlier migration of this app for the rows written since.

    migration: its name, as in ``"0010_transform_status"``. Only rows that the rule would change are
    written; their originals are archived and given back on the way down. In an atomic migration,
    where a column is dropped afterwards, nobody writes meanwhile: the table is locked first.
    """

    again = True  # rows may have been written between the kill and the next run
    quiet = True  # there is nothing to tell unless somebody wrote in between
    at_once = True  # under that lock there is nothing to be gained by batches

    def __init__(self, migration: str, model_name: str, field_name: str) -> None:
        super().__init__(self._rule, BatchedRunPython.keep, model_name, field_name)
        self.migration = migration

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.migration, self.model_name, self.field_name], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Repeat {self.migration} for rows of {self.model_name} written since"

    def _run(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        state: ProjectState,
        direction: Direction,
    ) -> None:
        if not self._is_meant(app_label, schema_editor):
            return
        backfill = backfill_of(app_label, self.migration, self.model_name, self.field_name)
        self.source = backfill.source
        self.rule = backfill.code
        # What the backfill gave back instead of its rule's result is not late, and stays.
        self.exceptions = archive_of(backfill, app_label, schema_editor, "backward")
        super()._run(app_label, schema_editor, state, direction)

    def _rule(self, apps: StateApps, value: Any) -> Any:
        return self.rule(apps, value)

    def _expected(self, apps: StateApps, field: "Field[Any, Any]") -> Expression:
        """Return what the backfill, run now, would leave in the column."""
        new = FromText(self.rule(apps, F(self.source)), field)
        if self.exceptions.is_empty():
            return new
        given_back = self.exceptions.given_back
        return cast(Expression, given_back(field, new, unless_changed=OuterRef(self.source)))

    def _up(
        self,
        apps: StateApps,
        field: "Field[Any, Any]",
        rows: QuerySet[Any],
        mine: Archive,
        other: Archive | None,
    ) -> tuple[int, int]:
        stands = F(field.attname)
        new = self._expected(apps, field)
        late = rows.filter(IsDistinctFrom(new, stands))
        archived = mine.save(late, field.column, stands, became=new)
        return late.update(**{field.attname: new}), archived

    def _down(
        self,
        apps: StateApps,
        field: "Field[Any, Any]",
        rows: QuerySet[Any],
        mine: Archive,
        other: Archive | None,
    ) -> tuple[int, int]:
        stands = F(field.attname)
        # What was written after this migration, and no rule gives, is not late next time.
        written = rows.filter(IsDistinctFrom(self._expected(apps, field), stands))
        archived = self.exceptions.save(written, field.column, stands, became=F(self.source))
        if not other:
            return 0, archived
        old = other.given_back(field, stands, unless_changed=OuterRef(field.attname))
        late = rows.filter(IsDistinctFrom(old, stands))
        return late.update(**{field.attname: old}), archived


def backfill_of(
    app_label: str, migration: str, model_name: str, field_name: str
) -> BatchedRunPython:
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
