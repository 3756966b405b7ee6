"""Runs migrations as Django does, and each exactly once, whatever kills or hinders the run.

Verified with Django 5.2, whose executor this extends: what it adds is said at each method. Over 300
lines because a migration and its record have to be one, whichever way it runs.
"""

import gc
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import Any, Protocol, TypeAlias

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import DatabaseError, InterfaceError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, CreateModel, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from hotel.migrator import operations
from hotel.migrator.exceptions import MigratorError
from hotel.migrator.locking import sessions, table_locks
from hotel.migrator.locking.patience import Patience, short_lock_timeout
from hotel.migrator.locking.run_locks import check_lock
from hotel.migrator.plan import lock_order, repeating, shape, steps
from hotel.migrator.plan.steps import DjangoPlan
from hotel.migrator.running import explanations, interruptions, presence
from hotel.migrator.running.interruptions import HalfDone
from hotel.migrator.storage import journal
from hotel.migrator.storage.journal import Direction, Story

Move: TypeAlias = tuple[Operation, ProjectState, ProjectState]  # with the models before and after


class Loadable(Protocol):
    """A snapshot of the schema."""

    def load(self, connection: BaseDatabaseWrapper) -> None:
        """Make what it holds, in the transaction that is open."""


class Executor(MigrationExecutor):
    """Django's executor, with a journal, and with nothing between a change and its record."""

    connection: BaseDatabaseWrapper
    loader: MigrationLoader

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        progress_callback: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(connection, progress_callback)
        self.patience = Patience(connection)
        self.journal: journal.Journal | None = None  # of the run that has begun
        self.recorded: set[Migration] = set()  # here, so that nobody else was faster
        self.ended: list[Migration] = []  # of the run
        self.run: uuid.UUID | None = None  # which the journal goes on with, if one has begun

    def migrate(
        self,
        targets: Sequence[tuple[str, str | None]] | None,
        plan: DjangoPlan | None = None,
        state: ProjectState | None = None,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Carry out a plan as Django does, in a journal, and with short waits for locks."""
        if plan is None:
            plan = self.migration_plan(targets or ())
        if not plan:
            return super().migrate(targets, plan, state, fake, fake_initial)
        if not fake:
            _refuse_irreversible(plan)
        with _named(plan[0][0]):
            self.begin()
        with short_lock_timeout(self.connection):
            return super().migrate(targets, plan, state, fake, fake_initial)

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Run a migration forwards. Django records one with deferred SQL after its transaction."""
        check_lock(self.connection)
        self._report("apply_start", migration, fake)
        if fake_initial and not fake:
            # As Django: what it returns is the state after the migration, run or not.
            fake, state = self._found_in_place(state, migration)
        state = self._carry_out(state, migration, fake, Direction.FORWARD)
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Run a migration backwards. Django records that after its transaction."""
        check_lock(self.connection)
        self._report("unapply_start", migration, fake)
        state = self._carry_out(state, migration, fake, Direction.BACKWARD)
        self._report("unapply_success", migration, fake)
        return state

    def record(
        self,
        plan: DjangoPlan,
        forgotten: Sequence[Migration] = (),
        *,
        settle: Callable[[], None],
        remark: str | None = None,
    ) -> None:
        """Record a plan of Django's as carried out, without running it: all of it, or nothing.

        No models are made of the records, which need not fit together yet. forgotten: migrations
        without a file, of which the records are deleted. settle: called in the same transaction.
        remark: of its entries in the journal.
        """
        written = self.begin(remark)

        def write() -> None:
            with transaction.atomic(using=self.connection.alias):
                settle()
                for migration, backwards in plan:
                    direction = Direction.BACKWARD if backwards else Direction.FORWARD
                    self._record(migration, written.start(migration, direction, is_fake=True))
                for migration in forgotten:
                    story = written.start(migration, Direction.BACKWARD, is_fake=True)
                    self.recorder.record_unapplied(migration.app_label, migration.name)
                    story.finish()
                if plan:
                    self.check_replacements()

        check_lock(self.connection)
        with short_lock_timeout(self.connection):
            self.patience("This run", write)

    def begin(self, remark: str | None = None) -> journal.Journal:
        """Begin a run, which may be one of a single migration, and return its journal."""

        def make_tables() -> journal.Journal:
            self.recorder.ensure_schema()
            return journal.Journal(self.connection, remark, self.run)

        self.patience, self.ended = Patience(self.connection), []
        self.journal = self.patience("This run", make_tables)
        return self.journal

    def load(self, snapshot: Loadable, migrations: Iterable[Migration]) -> None:
        """Load a ``Snapshot`` into a database without tables, with the records of what it made.

        migrations: those that it stands for, in their order. All of it, or nothing.
        """
        self.run = uuid.uuid4()

        def write() -> None:
            with transaction.atomic(using=self.connection.alias):
                snapshot.load(self.connection)
                remark = "loaded from a snapshot"
                journal.Journal(self.connection, remark, self.run).stand_for(migrations)

        check_lock(self.connection)
        with short_lock_timeout(self.connection):
            self.patience("This run", write)

    def _carry_out(
        self, state: ProjectState, migration: Migration, fake: bool, direction: Direction
    ) -> ProjectState:
        """Run and record a migration between two entries of the journal."""
        # As in Django, migrate() need not come before apply_migration().
        written = self.journal or self.begin()
        begun = None
        if not (fake or migration.atomic):
            begun = interruptions.of(self.connection, self.loader, migration, direction)
            interruptions.refuse(begun)
            self._refuse_if_run(migration, direction)
        with _named(migration, before=len(self.ended)):
            story = self.patience(
                str(migration), lambda: written.start(migration, direction, is_fake=fake)
            )
        try:
            if fake:
                with transaction.atomic(using=self.connection.alias):
                    self._record(migration, story)
            elif migration.atomic:
                state = self._at_once(state, migration, story)
            elif repeating.has_own_way(migration, backwards=story.is_backwards):
                state = self._its_own_way(state, migration, story)
            else:
                state = self._one_by_one(state, migration, story, begun.done if begun else 0)
        except BaseException as error:
            if not (self.connection.in_atomic_block or self.connection.is_usable()):
                self.connection.close()  # what is left to do is to write and to read of it
            story.fail(error)
            with _named(migration, self._left_by(migration, direction), len(self.ended)):
                raise
        self.ended.append(migration)
        return state

    def _at_once(self, state: ProjectState, migration: Migration, story: Story) -> ProjectState:
        """Run an atomic migration: all of it, its record included, or nothing.

        Its models are made before it begins, and the locks that it needs are taken first of all:
        nobody waits for Python, and nobody who holds a part of them waits for the rest.
        """
        own_way = repeating.has_own_way(migration, backwards=story.is_backwards)
        moves = _moves(migration, state, story.is_backwards)
        walked = steps.of(migration, moves, story.is_backwards)

        def run() -> ProjectState:
            with self._editor(story, atomic=True) as editor:
                self._refuse_if_run(migration, story.direction)
                table_locks.take(self.connection, wanted())
                if own_way:
                    after = _way(migration, story)(state.clone(), editor)
                else:
                    for move in moves:
                        _run(move, migration, story, editor)
                    after = moves[-1][2] if moves else state
                _run_deferred(editor)
                self._write_record(migration, story)
            return after

        wanted = cache(lambda: lock_order.needed(self.connection, walked))
        return self.patience(str(migration), run)

    def _one_by_one(
        self, state: ProjectState, migration: Migration, story: Story, done: int
    ) -> ProjectState:
        """Run the operations of a migration that is not atomic but the ``done`` first ones."""
        moves = [
            (repeating.repeatable(operation), before, after)
            for operation, before, after in _moves(migration, state, story.is_backwards)
        ]
        for number, move in enumerate(moves[done:], done):
            self._operation(migration, number, move, story)
        self._record_alone(migration, story)
        return moves[-1][2] if moves else state

    def _its_own_way(self, state: ProjectState, migration: Migration, story: Story) -> ProjectState:
        """Run a migration that is not atomic with its own apply() or unapply()."""
        story.enter_operation(0)
        forever = short_lock_timeout(self.connection, 0)  # there is only one try
        with forever, self._editor(story, atomic=False) as editor, self._noting_what_is_left():
            state = _way(migration, story)(state, editor)
        self._record_alone(migration, story)
        return state

    def _operation(self, migration: Migration, number: int, move: Move, story: Story) -> None:
        """Run one operation, in a transaction with its entry in the journal wherever that can be.

        Django would leave its statements to themselves, and a kill between them would be for ever.
        """
        operation, _, _ = move
        alias = self.connection.alias
        walked = steps.of(migration, [move], story.is_backwards)
        together = repeating.has_transaction(operation)
        check_lock(self.connection)

        def run() -> None:
            own = transaction.atomic(using=alias) if together else self._noting_what_is_left()
            with self._editor(story, atomic=False) as editor, own:
                story.refuse_if_operation_ended(number)
                if together:
                    table_locks.take(self.connection, lock_order.needed(self.connection, walked))
                _run(move, migration, story, editor)
                if together:
                    _run_deferred(editor)
                    if self.connection.vendor == "sqlite":  # PostgreSQL does when it commits
                        self.connection.check_constraints()
                    story.end_operation(number)
            if not together:
                story.end_operation(number)

        if not repeating.may_repeat(operation):
            story.enter_operation(number)
            with short_lock_timeout(self.connection, 0):  # there is only one try
                run()
        else:
            alone = isinstance(operation, operations.Online)
            with short_lock_timeout(self.connection, 0) if alone else nullcontext():
                self.patience(f"{migration} ({operation.describe()})", run)

    def _record_alone(self, migration: Migration, story: Story) -> None:
        """Record what is not atomic, which has run in this very session or in none."""
        check_lock(self.connection)
        with transaction.atomic(using=self.connection.alias):
            self._record(migration, story)

    def _refuse_if_run(self, migration: Migration, direction: str) -> None:
        """Raise FailedDuringApply if another run was faster; see ``journal.refuse_if_run``.

        Of a squashed migration the record says little: Django may go by those that it replaces.
        """
        if not (migration.replaces or migration in self.recorded):
            app, name = migration.app_label, migration.name
            journal.refuse_if_run(self.connection, app, name, direction)

    def _left_by(self, migration: Migration, direction: str) -> HalfDone | None:
        """Return the HalfDone that a migration which has failed just now leaves, or None."""
        if migration.atomic:
            return None
        with suppress(DatabaseError, InterfaceError):  # the session may be what has failed
            return interruptions.of(self.connection, self.loader, migration, direction)
        return None

    @contextmanager
    def _noting_what_is_left(self) -> Iterator[None]:
        """Let an error know of the indexes that CONCURRENTLY has left unfinished meanwhile."""
        before = interruptions.invalid_indexes(self.connection)
        try:
            yield
        except Exception as error:
            with suppress(DatabaseError, InterfaceError):  # the session may be what has failed
                now = interruptions.invalid_indexes(self.connection)
                invalid = [name for name in now if name not in before]
                explanations.circumstances(error).invalid = invalid
            raise

    def _record(self, migration: Migration, story: Story) -> None:
        """Record a migration, if nobody else has done so meanwhile."""
        self._refuse_if_run(migration, story.direction)
        self._write_record(migration, story)

    def _write_record(self, migration: Migration, story: Story) -> None:
        """Record that a migration was applied or unapplied, in django_migrations and the journal.

        Both in the transaction that is open; Django does it after that of the migration when it
        goes down, or when it has deferred SQL.
        """
        sessions.renew(self.connection)
        if story.is_backwards:
            for app, name in migration.replaces:
                self.recorder.record_unapplied(app, name)
            self.recorder.record_unapplied(migration.app_label, migration.name)
        else:
            self.record_migration(migration)  # type: ignore[call-arg, arg-type]  # stubs of Django 4
        story.finish()
        self.recorded.add(migration)

    @contextmanager
    def _editor(self, story: Story, *, atomic: bool) -> Iterator[BaseDatabaseSchemaEditor]:
        """Yield a schema editor, and end it whatever happens.

        That of SQLite turns foreign keys off, checks them at its end, and if one is broken leaves
        its transaction open and them off.
        """
        was_in_one = self.connection.in_atomic_block
        editor = self.connection.schema_editor(atomic=atomic)
        # Of which no model knows; here rows are at stake.
        editor.keeps_dependents = True  # type: ignore[attr-defined]  # of editors.postgresql
        try:
            with story.counting(), editor:
                editor.deferred_sql = _Deferred()
                yield editor
        except BaseException as error:
            if self.connection.in_atomic_block and not was_in_one:
                editor.atomic.__exit__(type(error), error, error.__traceback__)
            if self.connection.vendor == "sqlite":
                self.connection.enable_constraint_checking()
            raise

    def state_now(self) -> ProjectState:
        """Return the models as the migrations that are applied by now make them."""
        plan = self.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True)
        applied = {self.loader.graph.nodes.get(key) for key in self.loader.applied_migrations}
        applied ^= {*self.ended}  # what went up is there now, what went down is not any more
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for migration, _ in plan:
            if migration in applied:
                migration.mutate_state(state, preserve=False)
        return state

    def _found_in_place(
        self, state: ProjectState, migration: Migration
    ) -> tuple[bool, ProjectState]:
        """Return whether the database has it already, and the models to go on with."""
        if _is_initial(migration):
            after = migration.mutate_state(state, preserve=True)
            presence.refuse_a_part(self.connection, migration, after.apps)
        is_there, after = self.detect_soft_applied(state, migration)
        return (True, after) if is_there else (False, state)

    def _report(self, action: str, told: Any, fake: bool = False) -> None:
        if self.progress_callback:
            self.progress_callback(action, told, fake)


RARELY = 50_000, 20, 100  # for gc.set_threshold()


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Look for garbage rarely.

    Models of the past are made by the thousand and most stay until the end: looking for garbage
    among them again and again is a tenth of the time of a run from an empty database.
    """
    before = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def loader_without_database() -> MigrationLoader:
    """Return Django's loader of the files alone."""
    return MigrationLoader(None)


def run(
    executor: Executor,
    plan: DjangoPlan,
    *,
    verbosity: int = 1,
    interactive: bool = False,
    stdout: Any = None,
) -> None:
    """Carry out ``plan`` between the signals of ``migrate``; call it while holding the lock.

    plan: ``[(migration, backwards), …]``, any part of the graph that can be run: ``migrate`` itself
    only takes targets. What listens to the signals is told the models of before and after.
    """
    connection = executor.connection
    state = executor._create_project_state(  # type: ignore[attr-defined]  # not in the stubs
        with_applied_migrations=True
    )
    said: dict[str, Any] = {
        "verbosity": verbosity,
        "interactive": interactive,
        "db": connection.alias,
    }
    emit_pre_migrate_signal(**said, stdout=stdout, apps=state.apps, plan=plan)
    state = executor.migrate([], plan=plan, state=state.clone())
    if plan and plan[0][1]:  # Django is right only if they went down in the order of the graph
        state = executor.state_now()
    state.clear_delayed_apps_cache()
    models = state.apps
    # Those of apps without migrations stand apart until they are rendered among the others.
    real = [(model.app_label, model.name_lower) for model in models.real_models]
    with models.bulk_update():
        for key in real:
            models.unregister_model(*key)
    models.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in real])
    emit_post_migrate_signal(**said, stdout=stdout, apps=models, plan=plan)


def _refuse_irreversible(plan: DjangoPlan) -> None:
    """Raise IrreversibleError before anything is unapplied; Django does when it comes to that."""
    for migration, backwards in plan:
        for operation in migration.operations if backwards else ():
            if not operation.reversible:
                raise IrreversibleError(
                    f"{migration} cannot be unapplied, because it has an operation without a way"
                    f" back ({operation.describe()})"
                )


@contextmanager
def _named(migration: Migration, left: HalfDone | None = None, before: int = 0) -> Iterator[None]:
    """Let an error know of what it stopped, for ``explanations.explain``.

    left: what it left half done, a HalfDone; None where it changed nothing. before: how many
    migrations of the run have ended before.
    """
    try:
        yield
    except BaseException as raised:
        error = explanations.as_error(raised) if isinstance(raised, SystemExit) else raised
        known = explanations.circumstances(error)
        known.migration, known.left, known.before = str(migration), left, before
        if isinstance(error, MigratorError):
            explanations.name_operation(error, str(migration))
        elif isinstance(error, CommandError):
            raise explanations.failure(error) from error  # Django would print it as it is
        elif error is not raised:
            raise error from raised
        raise


def _moves(migration: Migration, state: ProjectState, is_backwards: bool) -> list[Move]:
    """Return ``(operation, models before, models after)`` of a migration, in the order they run."""
    moves = []
    for operation in migration.operations:
        if is_backwards and not operation.reversible:
            raise IrreversibleError(f"Operation {operation} in {migration} is not reversible")
        before, state = state, state.clone()
        operation.state_forwards(migration.app_label, state)
        moves.append((operation, before, state))
    if is_backwards:
        moves = [(operation, after, before) for operation, before, after in reversed(moves)]
    return moves


def _run(move: Move, migration: Migration, story: Story, editor: BaseDatabaseSchemaEditor) -> None:
    """Run one operation, unless it makes again what stands."""
    operation, before, after = move
    if not story.is_backwards and isinstance(operation, MAKING):
        walked = steps.of(migration, [move], backwards=False)
        shape.refuse_twice(editor.connection, walked)
    way = operation.database_backwards if story.is_backwards else operation.database_forwards
    way(migration.app_label, editor, before, after)


MAKING = AddField, CreateModel, SeparateDatabaseAndState


def _is_initial(migration: Migration) -> bool:
    """Tell whether ``--fake-initial`` is about this migration, as Django does."""
    if migration.initial is None:
        return all(app != migration.app_label for app, _ in migration.dependencies)
    return migration.initial


def _way(migration: Migration, story: Story) -> Callable[..., ProjectState]:
    return migration.unapply if story.is_backwards else migration.apply


class _Deferred(list[Any]):
    """What a schema editor puts off to its end, and which operation has put it off."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: dict[int, Operation | None] = {}

    def append(self, sql: Any) -> None:
        """Put a statement off."""
        self.operations[id(sql)] = explanations.running_operation()
        super().append(sql)

    def extend(self, many: Iterable[Any]) -> None:
        """Put several off."""
        for sql in many:
            self.append(sql)


def _run_deferred(editor: BaseDatabaseSchemaEditor) -> None:
    """Run what a schema editor has put off to its end, so that what follows comes after it."""
    sessions.renew(editor.connection)
    deferred, editor.deferred_sql = editor.deferred_sql, _Deferred()
    for sql in deferred:
        try:
            editor.execute(sql, None)
        except DatabaseError as error:
            if isinstance(deferred, _Deferred):
                explanations.circumstances(error).operation = deferred.operations.get(id(sql))
            raise
