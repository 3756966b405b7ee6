"""Operations that insert rows."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.db import router, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as django_operations
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState, StateApps
from django.db.models import Model, QuerySet, Value

from hotel.migrator.operations.archiving import archive_of, column_of, log, reset_sequences
from hotel.migrator.storage.archive import Archive
from hotel.migrator.storage.owners import Owner


class Insert:
    """What ``InsertForNewRows`` is to insert: a row of ``model`` for each of ``rows``.

    rows: a queryset; the database numbers the new rows in its order, which is that of the primary
    key if it says none. values: by field, an expression over the row, or a plain value. The fields
    that are not named get what the database gives them by itself.
    """

    def __init__(self, model: type[Model], rows: QuerySet[Any], /, **values: Any) -> None:
        self.model = model
        self.rows = rows if rows.ordered else rows.order_by("pk")
        self.values = values

    @property
    def columns(self) -> list[str]:
        """Return the names, in the database, of the columns that get a value."""
        return [column_of(self.model, name) for name in self.values]

    @property
    def query(self) -> QuerySet[Any, Any]:
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

    code: Any  # see below; RunPython's own gets a schema editor

    def __init__(
        self,
        code: Callable[[StateApps, QuerySet[Any]], list[Insert]],
        model_name: str,
        hints: dict[str, Any] | None = None,
        elidable: bool = False,
    ) -> None:
        super().__init__(
            cast(Any, code), django_operations.RunPython.noop, hints=hints, elidable=elidable
        )
        self.model_name = model_name

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return (
            self.__class__.__name__,
            [self.code, self.model_name],
            {"hints": self.hints} if self.hints else {},
        )

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        name = getattr(self.code, "__name__", repr(self.code))
        return f"Insert what {name} says for new rows of {self.model_name}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Give back what was inserted before, and insert what the code says for new rows."""
        self._run(app_label, schema_editor, from_state, backwards=False)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Archive and delete what was inserted, and remember the rows that are there."""
        self._run(app_label, schema_editor, from_state, backwards=True)

    def _run(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        state: ProjectState,
        *,
        backwards: bool,
    ) -> None:
        alias = schema_editor.connection.alias
        app, _, model_name = self.model_name.lower().rpartition(".")
        app = app or app_label
        if not router.allow_migrate(alias, app, model_name=model_name, **self.hints):
            return
        state.clear_delayed_apps_cache()
        rows = state.apps.get_model(app, model_name)._base_manager.using(alias)
        made = archive_of(self, app_label, schema_editor, "forward")
        met = archive_of(self, app_label, schema_editor, "backward")
        new = rows.exclude(pk__in=met.remembered(rows)).order_by("pk")
        inserts: list[Insert] = self.code(state.apps, new)
        models = list(dict.fromkeys(insert.model for insert in inserts))
        with transaction.atomic(using=alias):
            if backwards:
                _take_back(models, made, met)
                met.remember(rows.all())
                return
            for model in models:
                met.restore_rows(model, remembered_in=made)
            reset_sequences(schema_editor, models)
            read = new.count()
            added = sum(made.insert(one.model, one.columns, one.query) for one in inserts)
            if read:
                log(Owner.read(made.owner), f"{read} rows read, {added} added")
            met.forget_keys(rows.model)


def _take_back(models: list[type[Model]], made: Archive, met: Archive) -> None:
    """Archive and delete the rows whose keys ``made`` has."""
    for model in reversed(models):
        inserted = made.remembered(model._base_manager.using(made.alias))
        met.save_rows(inserted)
        # Not delete(), which would read the rows and delete in Python what refers to them.
        inserted._raw_delete(made.alias)
    made.forget()


class InsertMissing(Operation):
    """Insert the rows that are to be there, each named by one text, and are not.

    model_name: with its application, as in ``"auth.group"``, if that is another one. field_name: of
    the unique field that holds the text. On the way down the rows stay: others may use them by
    then.
    """

    category = OperationCategory.ADDITION

    def __init__(self, model_name: str, field_name: str, values: Sequence[str]) -> None:
        self.model_name = model_name
        self.field_name = field_name
        self.values = values

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.field_name, self.values], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Insert into {self.model_name} what is missing of {', '.join(self.values)}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Insert what is missing, in the order of ``values``."""
        app, _, model_name = self.model_name.lower().rpartition(".")
        model = from_state.apps.get_model(app or app_label, model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = schema_editor.quote_name(model._meta.db_table)
        column = schema_editor.quote_name(column_of(model, self.field_name))
        given = ", ".join(f"({place}, %s)" for place in range(len(self.values)))
        schema_editor.execute(
            f"INSERT INTO {table} ({column})"
            f" SELECT column2 FROM (VALUES {given}) AS given"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS there WHERE there.{column} = column2)"
            f" ORDER BY column1 ON CONFLICT ({column}) DO NOTHING",
            tuple(self.values),
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Leave them."""
