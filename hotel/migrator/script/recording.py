"""Migrations run on a scratch database, and what they write taken down as statements.

No row is there, and that is no loss, because our data steps write by sets: their statements do not
depend on what Python has read. An operation of which that is not so is refused, and named.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Set
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from django.apps.registry import apps as registry
from django.db import connections, router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations import Migration, RenameModel
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models import Model

from hotel.migrator.editors.postgresql import indexes_of
from hotel.migrator.editors.sqlite_extras import PARTS
from hotel.migrator.editors.sqlite_objects import made
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.locking import sessions, table_locks
from hotel.migrator.plan import dependents, finding, lock_order, steps
from hotel.migrator.plan.repeating import repeatable
from hotel.migrator.running.explanations import replaying
from hotel.migrator.script.watching import is_look, watch
from hotel.migrator.sql.quoting import NotQuotable, checked, literal, text, written_out
from hotel.migrator.sql.shells import refuse
from hotel.migrator.storage import tables

if TYPE_CHECKING:
    from hotel.migrator.script.offline import Range

_TABLE = r'"(?:[^"]|"")+"(?:\."(?:[^"]|"")+")?'
_DROPS = re.compile(
    rf'(?:ALTER TABLE (?P<of>{_TABLE}) DROP COLUMN "(?P<column>(?:[^"]|"")+)"'
    rf"|DROP TABLE (?P<table>{_TABLE})) CASCADE;?"
)
_REMAKES = re.compile(r'CREATE TABLE "new__((?:[^"]|"")+)"')
_RETURNING = re.compile(r'(?<=\S) RETURNING ("[^"]+"[., ]*)+$')  # nobody reads it
_CALLED = re.compile(r"\b(\w+)\s*\(|\b(REGEXP)\b", re.IGNORECASE)
_VALUES = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Renamed:
    """A content type that gets another name, where there is a table of them."""

    app: str
    old: str
    new: str


@dataclass(frozen=True)
class Dropped:
    """A table, or a column of it, goes next, with CASCADE; nothing may hang on it.

    table: as SQL. column: "" for all of it. names: of the indexes and constraints that the model
    gives it. groups: of columns that it has others of.
    """

    table: str
    column: str
    names: frozenset[str] = frozenset()
    groups: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Remade:
    """A table of SQLite is made anew next, with the indexes and triggers of these names.

    parts: what stands in the table itself, as ``editors.sqlite_extras.PARTS`` has it.
    """

    table: str
    names: tuple[str, ...]
    parts: tuple[str, ...]


# A statement as text, or what only the writer of the engine can write.
Said = str | Renamed | Dropped | Remade


@dataclass
class Step:
    """One migration as SQL: lists of statements, each of which was a transaction of its own."""

    key: tuple[str, str]
    groups: list[list[Said]]


def bookkeeping(connection: Any) -> list[str]:
    """Return what makes the tables that every script writes to, in an empty database."""
    with _recording(connection, []) as statements:
        MigrationRecorder(connection).ensure_schema()
        with connection.schema_editor() as editor:
            tables.ensure(editor, tables.MODELS)
    return [one for one in statements if isinstance(one, str)]


def record(
    connection: Any, loader: MigrationLoader, span: "Range", state: ProjectState
) -> Iterator[Step]:
    """Run the steps of a Range on a scratch database and yield each as a Step.

    state: the models where the scratch database stands.
    """
    recorder = MigrationRecorder(connection)
    # Of the tables that the script itself makes it knows every row, if they stand empty.
    empty: set[str] = set()
    for key, before in _states(loader, span, state):
        migration = loader.graph.nodes[key]
        with replaying(migration):
            groups = _groups(connection, migration, before, span, empty)
        yield Step(key, groups)
        (recorder.record_unapplied if span.backwards else recorder.record_applied)(*key)


def _states(
    loader: MigrationLoader, span: "Range", state: ProjectState
) -> Iterator[tuple[tuple[str, str], ProjectState]]:
    """Yield each step with the models before it, as they are on the way up."""
    nodes = loader.graph.nodes
    if not span.backwards:
        for key in span.steps:
            yield key, state
            state = nodes[key].mutate_state(state, preserve=True)
        return
    going, states, current = set(span.steps), {}, ProjectState(real_apps=loader.unmigrated_apps)
    for key in span.start:
        if key in going:
            current.apps  # noqa: B018 (renders it, so that the next is made from it)
            states[key] = current
        current = nodes[key].mutate_state(current, preserve=key in going)
    for key in span.steps:
        yield key, states[key]


def _groups(
    connection: Any, migration: Migration, state: ProjectState, span: "Range", empty: set[str]
) -> list[list[Said]]:
    """Run one migration and return its statements, those of one transaction together."""
    app, moves, backwards = migration.app_label, [], span.backwards
    for operation in migration.operations:
        before, state = state, state.clone()
        operation.state_forwards(app, state)
        moves.append((repeatable(operation), before, state))
    if backwards:
        moves = [(operation, after, before) for operation, before, after in reversed(moves)]
    groups: list[list[Said]] = []
    locks: list[str] = []
    if span.start:  # else there is nobody yet to be locked out
        walked = steps.of(migration, moves, backwards)
        wanted = lock_order.needed(connection, walked, as_script=True)
        locks = table_locks.statements(wanted)
    with ExitStack() as stack:
        unwritable: list[NotQuotable] = []
        statements = stack.enter_context(_recording(connection, unwritable))
        editor = None
        if migration.atomic:
            editor = stack.enter_context(connection.schema_editor(atomic=True))
        for operation, before, after in moves:
            renamed = _content_type_renamed(connection, app, operation, backwards)
            if backwards:  # as Django does, which puts it behind the operation
                statements += renamed
            connection.place = f"{migration} ({operation.describe()})"
            _refuse_what_hangs(
                connection, steps.of(migration, [(operation, before, after)], backwards)
            )
            with ExitStack() as own:
                watched = watch(connection, migration, operation, span, empty, unwritable)
                operation = own.enter_context(watched)
                one = editor or own.enter_context(connection.schema_editor(atomic=False))
                move = operation.database_backwards if backwards else operation.database_forwards
                move(app, one, before, after)
            if not backwards:
                statements += renamed
            if editor is None:
                statements += _renewed(connection, statements)
                groups.append([*statements])
                statements.clear()
        statements += _renewed(connection, statements)
    groups = [*groups, [*statements]]  # the last has what an editor puts off to its end
    return [[*locks, *groups[0]], *groups[1:]]


def _refuse_what_hangs(connection: Any, walked: list[steps.Step]) -> None:
    """Raise RefusedByPreflight, as a run does, where something hangs on what an operation changes.

    What a RunSQL of the same range has made, such as a view, stands on the scratch database.
    """
    if any(True for step in walked for old, _ in steps.pairs(step, connection) if old):
        listening, connection.execute_wrappers = connection.execute_wrappers, []
        try:
            found = dependents.look(connection, walked)
        finally:
            connection.execute_wrappers = listening
        finding.refuse(found)


def _renewed(connection: Any, statements: list[Said]) -> list[str]:
    """Set up the session anew after ``statements``, and return what a script says for that."""
    sessions.renew(connection)
    if connection.vendor != "postgresql":
        return []
    return sessions.renewed(sql for sql in statements if isinstance(sql, str))


def _content_type_renamed(
    connection: Any, app: str, operation: Operation, backwards: bool
) -> list[Renamed]:
    """Return what renames the content type of a model that is renamed, if there are content types.

    Django does it in an operation that it adds to the plan of each run of migrate. So rows that
    point at the content type go on meaning this model. If one of the new name is there already,
    both stay, as there.
    """
    if not isinstance(operation, RenameModel) or not registry.is_installed(
        "django.contrib.contenttypes"
    ):
        return []
    model = registry.get_model("contenttypes", "ContentType")
    if not router.allow_migrate_model(connection.alias, model):
        return []
    old, new = operation.old_name_lower, operation.new_name_lower
    return [] if old == new else [Renamed(app, *((new, old) if backwards else (old, new)))]


class _Recorder:
    """Takes down what is written to a connection, as ``statements``.

    What cannot be written goes to ``unwritable``: an error in a transaction would hide behind the
    next one, which SQLite's schema editor makes on its way out. dropping: by table and column, the
    names of indexes and the groups of columns that the model knows.
    """

    def __init__(self, connection: Any, unwritable: list[NotQuotable]) -> None:
        self.connection = connection
        self.unwritable = unwritable
        self.statements: list[Said] = []
        self.dropping: dict[tuple[str, str], tuple[frozenset[str], frozenset[frozenset[str]]]] = {}
        self.added = _added_functions(connection)

    def listen(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Take down a statement and execute it."""
        is_to_do = not is_look(self.connection, sql)
        for values in params if many else [params]:
            try:
                if is_to_do or self.connection.is_said:
                    self._take_down(str(sql), values, is_to_do)
            except NotQuotable as error:
                self.unwritable.append(error)
        return execute(sql, params, many, context)

    def _take_down(self, sql: str, values: Any, is_to_do: bool) -> None:
        """Add a statement that is to be done; one that only looks is looked at itself."""
        written = checked(written_out(sql, values, self.connection.vendor))
        refuse(written, self.connection.vendor)
        _refuse_functions(written, self.added)
        if not is_to_do:
            return
        if guard := self._guard(written):
            self.statements.append(guard)
        self.statements.append(_RETURNING.sub("", written.strip().rstrip(";")).rstrip())

    def _guard(self, sql: str) -> Dropped | Remade | None:
        """Return what has to be seen to before a statement of a schema editor, or None.

        migrate looks at the live database then, which has what no migration has made.
        """
        if getattr(self.connection, "is_text", False):
            return None
        if found := _DROPS.fullmatch(sql):
            place = found["of"] or found["table"], (found["column"] or "").replace('""', '"')
            return Dropped(*place, *self.dropping.get(place, ()))
        if self.connection.vendor == "sqlite" and (found := _REMAKES.match(sql)):
            return self._remade(found[1].replace('""', '"'))
        return None

    def _remade(self, table: str) -> Remade:
        there = [one for one in made(self.connection) if one.table.lower() == table.lower()]
        # Not through Django's cursor, to which this listens.
        parts = self.connection.connection.execute(PARTS.format(table=text(table))).fetchall()
        names = tuple(one.name for one in there if one.kind != "view")
        return Remade(table, names, tuple(known for (part,) in parts for known in _up_to(part)))

    def editor_class(self) -> type[BaseDatabaseSchemaEditor]:
        """Return the schema editor of the connection, which tells what an operation says."""
        connection, dropping = self.connection, self.dropping
        base: Any = connection.SchemaEditorClass

        class Editor(base):  # type: ignore[misc]  # that of the engine
            """What this executes an operation says: it reads nothing that comes back."""

            def execute(self, sql: Any, params: Any = ()) -> None:
                connection.is_said = True
                try:
                    super().execute(sql, params)
                finally:
                    connection.is_said = False

            def quote_value(self, value: Any) -> str:
                # What psycopg2 writes depends on the server that it has met last.
                if connection.vendor == "postgresql":
                    return literal(value, "postgresql")
                return str(super().quote_value(value))

            def remove_field(self, model: type[Model], field: Any) -> None:
                if field.column:
                    names, groups = indexes_of(model)
                    table = self.quote_name(model._meta.db_table)
                    dropping[table, field.column] = frozenset(names), frozenset(groups)
                super().remove_field(model, field)

        return Editor


@contextmanager
def _recording(connection: Any, unwritable: list[NotQuotable]) -> Iterator[list[Said]]:
    """Take down what is written meanwhile, with values in it; yields the list of statements."""
    recorder = _Recorder(connection, unwritable)
    before = connection.SchemaEditorClass
    compose = getattr(connection.ops, "compose_sql", None)
    connection.is_said = False
    connection.writes_script, connection.SchemaEditorClass = True, recorder.editor_class()
    # In development Django makes cursors that note what they do.
    connection.make_cursor = connection.make_debug_cursor = lambda it: _Cursor(it, connection)
    if compose:
        connection.ops.compose_sql = lambda sql, params: written_out(sql, params, "postgresql")
    try:
        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(recorder.listen))
            for other in connections.all():
                if other.alias != connection.alias:
                    stack.enter_context(_untouched(other, connection))
            yield recorder.statements
    finally:
        connection.writes_script, connection.SchemaEditorClass = False, before
        del connection.make_cursor, connection.make_debug_cursor
        if compose:
            connection.ops.compose_sql = compose


def _up_to(part: str) -> list[str]:
    """Return a part of a table; of those that are only counted, each number up to theirs."""
    word, _, number = part.partition(" ")
    return [f"{word} {n}" for n in range(int(number) + 1)] if word.isupper() else [part]


class _Cursor(CursorWrapper):
    """A cursor that does nothing which is not taken down."""

    past_sql = frozenset({"callproc", "copy_expert", "copy_from", "copy_to", "executescript"})

    def __getattribute__(self, name: str) -> Any:
        if name in _Cursor.past_sql:
            raise RefusedByPreflight(
                f"{self.db.place} calls {name}() of a cursor, which cannot be written as SQL. Run"
                " it with manage.py migrate, and scripts for what is before and after it."
            )
        return super().__getattribute__(name)


@contextmanager
def _untouched(other: Any, connection: Any) -> Iterator[None]:
    """Refuse to use another database, on which nothing is to be tried."""

    def refuse() -> NoReturn:
        raise RefusedByPreflight(
            f"{connection.place} uses the database {other.alias} too, and a script is about one."
            " Run it with manage.py migrate, and scripts for what is before and after it."
        )

    other.ensure_connection = refuse
    try:
        yield
    finally:
        del other.ensure_connection


def _refuse_functions(sql: str, added: Set[str]) -> None:
    """Raise NotQuotable for one of the functions that the shell has not."""
    for found in _CALLED.finditer(_VALUES.sub("''", sql) if added else ""):
        name = found[1] or found[2]
        if name.upper() in added:
            raise NotQuotable(f"with {name}, which sqlite3 does not have")


def _added_functions(connection: Any) -> frozenset[str]:
    """Return the names of the functions that Django and others have given to SQLite."""
    if connection.vendor != "sqlite":
        return frozenset()
    connection.ensure_connection()
    with closing(sqlite3.connect(":memory:")) as bare:
        there, plain = (
            {name.upper() for (name,) in one.execute("SELECT name FROM pragma_function_list")}
            for one in (connection.connection, bare)
        )
    return frozenset(there - plain)
