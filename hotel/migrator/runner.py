"""Runs migrations as Django does, and each exactly once, whatever kills or hinders the run.

Verified with Django 5.2, whose executor this extends: what it adds is said at each method. Over 300
lines because a migration and its record have to be one, whichever way it runs.
"""

import gc
import logging
from contextlib import contextmanager, nullcontext

from django.apps import apps
from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    CreateExtension,
    NotInTransactionMixin,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import DatabaseError, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation
from django.db.migrations.state import ModelState, ProjectState

from hotel.migrator import history, operations
from hotel.migrator.exceptions import Interrupted
from hotel.migrator.history import Direction
from hotel.migrator.locks import Patience, short_lock_timeout

logger = logging.getLogger(__name__)


class Executor(MigrationExecutor):
    """Django's executor, with a journal, and with nothing between a change and its record."""

    journal = None  # of the run that has begun
    remark = None  # of its entries in the journal

    def migrate(self, targets, plan=None, state=None, fake=False, fake_initial=False):
        """Carry out a plan as Django does, in a journal, and with short waits for locks."""
        if plan is None:
            plan = self.migration_plan(targets)
        if not plan:
            return super().migrate(targets, plan, state, fake, fake_initial)
        if not fake:
            _refuse_irreversible(plan)
        self._begin()
        with short_lock_timeout(self.connection):
            return super().migrate(targets, plan, state, fake, fake_initial)

    def apply_migration(self, state, migration, fake=False, fake_initial=False):
        """Run a migration forwards. Django records one with deferred SQL after its transaction."""
        self._report("apply_start", migration, fake)
        if fake_initial and not fake:
            # As Django: what it returns is the state after the migration, run or not.
            fake, state = self._found_in_place(state, migration)
        state = self._carry_out(state, migration, fake, Direction.FORWARD)
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(self, state, migration, fake=False):
        """Run a migration backwards. Django records that after its transaction."""
        self._report("unapply_start", migration, fake)
        state = self._carry_out(state, migration, fake, Direction.BACKWARD)
        self._report("unapply_success", migration, fake)
        return state

    def forget(self, migrations):
        """Delete the records of migrations whose files are missing, and write it in the journal."""
        self._begin()
        for migration in migrations:
            story = self.journal.start(migration, Direction.BACKWARD, is_fake=True)
            with transaction.atomic(using=self.connection.alias):
                self.recorder.record_unapplied(migration.app_label, migration.name)
                story.finish()

    def _begin(self):
        """Begin a run, which may be one of a single migration."""
        self.journal = history.Journal(self.connection, self.remark)
        self.patience = Patience(self.connection)
        self.ended = []

    def _carry_out(self, state, migration, fake, direction):
        """Run and record a migration between two entries of the journal."""
        if self.journal is None:  # as in Django, migrate() need not come before apply_migration()
            self._begin()
        with _named(migration, is_undone=True):
            story = self.journal.start(migration, direction, is_fake=fake)
        try:
            if fake:
                with transaction.atomic(using=self.connection.alias):
                    self._record(migration, story)
            elif migration.atomic:
                state = self._at_once(state, migration, story)
            elif _has_own_way(migration, story):
                state = self._its_own_way(state, migration, story)
            else:
                state = self._one_by_one(state, migration, story)
        except BaseException as error:
            story.fail(error)
            with _named(migration, is_undone=migration.atomic):
                raise
        self.ended.append(migration)
        return state

    def _at_once(self, state, migration, story):
        """Run an atomic migration: all of it, its record included, or nothing."""
        is_spent = False  # on the way up Django changes the state along with the database

        def run():
            nonlocal is_spent
            before = self.state_now() if is_spent else state
            is_spent = not story.is_backwards
            with self._editor(story, atomic=True) as editor:
                after = _move(migration, story)(before, editor)
                _run_deferred(editor)
                self._record(migration, story)
            return after

        return self.patience(str(migration), run)

    def _one_by_one(self, state, migration, story):
        """Run the operations of a migration that is not atomic, except those that ended before."""
        steps = []
        for operation in migration.operations:
            if story.is_backwards and not operation.reversible:
                raise IrreversibleError(f"Operation {operation} in {migration} is not reversible")
            before, state = state, state.clone()
            operation.state_forwards(migration.app_label, state)
            steps.append((_reentrant(operation), before, state))
        if story.is_backwards:
            steps = [(operation, after, before) for operation, before, after in reversed(steps)]
        was_stopped = story.was_stopped()
        done = story.operations_done() if was_stopped else 0
        if was_stopped and done < len(steps) and not _may_repeat(steps[done][0]):
            _refuse_to_repeat(migration, _in_words(steps[done][0], story), story)
        if done and story.was_edited_since():
            ended = ", ".join(_in_words(step[0], story) for step in steps[:done])
            logger.warning(
                "%s was edited since it was stopped. It goes on behind as many operations as had"
                " ended then, which are now these, and are not run: %s.",
                migration,
                ended,
            )
        for number, step in enumerate(steps[done:], done):
            self._operation(migration, number, step, story)
        with transaction.atomic(using=self.connection.alias):
            self._record(migration, story)
        return steps[-1][2] if steps else state

    def _its_own_way(self, state, migration, story):
        """Run a migration that is not atomic and says itself how: what it does is not known."""
        if story.was_stopped():
            _refuse_to_repeat(migration, f"{_move(migration, story).__name__}() of its own", story)
        forever = short_lock_timeout(self.connection, 0)  # there is only one try
        with forever, self._editor(story, atomic=False) as editor:
            state = _move(migration, story)(state, editor)
        with transaction.atomic(using=self.connection.alias):
            self._record(migration, story)
        return state

    def _operation(self, migration, number, step, story):
        """Run one operation, in a transaction with its entry in the journal wherever that can be.

        Django would leave its statements to themselves, and a kill between them would be for ever.
        """
        operation, before, after = step
        app, alias = migration.app_label, self.connection.alias
        together = _has_transaction(operation)

        def run():
            own = transaction.atomic(using=alias) if together else nullcontext()
            with self._editor(story, atomic=False) as editor, own:
                if story.is_backwards:
                    operation.database_backwards(app, editor, before, after)
                else:
                    operation.database_forwards(app, editor, before, after)
                if together:
                    _run_deferred(editor)
                    if self.connection.vendor == "sqlite":  # PostgreSQL does when it commits
                        self.connection.check_constraints()
                    story.end_operation(number)
            if not together:
                story.end_operation(number)

        if not _may_repeat(operation):
            with short_lock_timeout(self.connection, 0):  # there is only one try
                run()
        else:
            alone = isinstance(operation, operations.Online)
            with short_lock_timeout(self.connection, 0) if alone else nullcontext():
                self.patience(f"{migration} ({operation.describe()})", run)

    def _record(self, migration, story):
        """Record that a migration was applied or unapplied, in django_migrations and the journal.

        Both in the transaction that is open; Django does it after that of the migration when it
        goes down, or when it has deferred SQL.
        """
        if story.is_backwards:
            for app, name in migration.replaces:
                self.recorder.record_unapplied(app, name)
            self.recorder.record_unapplied(migration.app_label, migration.name)
        else:
            self.record_migration(migration)  # type: ignore[call-arg]  # stubs of Django 4
        story.finish()

    @contextmanager
    def _editor(self, story, *, atomic):
        """Yield a schema editor, and end it whatever happens.

        That of SQLite turns foreign keys off, checks them at its end, and if one is broken leaves
        its transaction open and them off.
        """
        was_in_one = self.connection.in_atomic_block
        editor = self.connection.schema_editor(atomic=atomic)
        try:
            with story.counting(), editor:
                yield editor
        except BaseException as error:
            if self.connection.in_atomic_block and not was_in_one:
                editor.atomic.__exit__(type(error), error, error.__traceback__)
            if self.connection.vendor == "sqlite":
                self.connection.enable_constraint_checking()
            raise

    def state_now(self):
        """Return the models as the migrations that are applied by now make them."""
        plan = self.migration_plan(self.loader.graph.leaf_nodes(), clean_start=True)
        applied = {self.loader.graph.nodes.get(key) for key in self.loader.applied_migrations}
        applied ^= {*self.ended}  # what went up is there now, what went down is not any more
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for migration, _ in plan:
            if migration in applied:
                migration.mutate_state(state, preserve=False)
        return state

    def _found_in_place(self, state, migration):
        found, after = self.detect_soft_applied(state, migration)
        return (True, after) if found else (False, state)

    def _report(self, *progress):
        if self.progress_callback:
            self.progress_callback(*progress)


RARELY = 50_000, 20, 100  # for gc.set_threshold()


@contextmanager
def rare_garbage_collection():
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


def loader_without_database():
    """Return Django's loader of the files alone."""
    return MigrationLoader(None)


def run(executor, plan, *, verbosity=1, interactive=False, stdout=None):
    """Carry out ``plan`` between the signals of ``migrate``; call it while holding the lock.

    plan: ``[(migration, backwards), …]``, any part of the graph that can be run: ``migrate`` itself
    only takes targets. What listens to the signals is told the models of before and after.
    """
    connection = executor.connection
    state = executor._create_project_state(with_applied_migrations=True)
    said = {"verbosity": verbosity, "interactive": interactive, "db": connection.alias}
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


def _refuse_irreversible(plan):
    """Raise IrreversibleError before anything is unapplied; Django does when it comes to that."""
    for migration, backwards in plan:
        for operation in migration.operations if backwards else ():
            if not operation.reversible:
                raise IrreversibleError(
                    f"{migration} cannot be unapplied, because it has an operation without a way"
                    f" back ({operation.describe()})"
                )


@contextmanager
def _named(migration, *, is_undone):
    """Let an error of the database know of what it stopped, for ``exceptions.explain``."""
    try:
        yield
    except DatabaseError as error:
        error.migration, error.is_undone = str(migration), is_undone
        raise


def _move(migration, story):
    return migration.unapply if story.is_backwards else migration.apply


def _has_own_way(migration, story):
    """Tell whether a migration overrides how Django runs its operations."""
    name = _move(migration, story).__name__
    return getattr(type(migration), name) is not getattr(Migration, name)


def _run_deferred(editor):
    """Run what a schema editor has put off to its end, so that what follows comes after it."""
    deferred, editor.deferred_sql = editor.deferred_sql, []
    for sql in deferred:
        editor.execute(sql, None)


def _reentrant(operation):
    """Return an operation that does the same, and that a kill leaves repeatable, if we have one.

    An index that CONCURRENTLY did not finish is there, and INVALID; it is dropped and made anew.
    """
    if isinstance(operation, AddIndexConcurrently):
        return operations.AddIndex(operation.model_name, operation.index)
    if isinstance(operation, RemoveIndexConcurrently):
        return operations.RemoveIndex(operation.model_name, operation.name)
    return operation


def _has_transaction(operation):
    """Tell whether an operation of a migration that is not atomic can have a transaction."""
    if isinstance(operation, SeparateDatabaseAndState):
        return all(_has_transaction(part) for part in operation.database_operations)
    if getattr(operation, "reentrant", False) or isinstance(operation, NotInTransactionMixin):
        return False
    changes_schema = isinstance(operation, ModelOperation | FieldOperation | IndexOperation)
    return changes_schema or bool(operation.atomic)


def _may_repeat(operation):
    """Tell whether an operation that was stopped in the middle can be run again."""
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(_may_repeat, operation.database_operations))
    return (
        _has_transaction(operation)
        or getattr(operation, "reentrant", False)
        or isinstance(operation, CreateExtension | ValidateConstraint)
    )


def _in_words(operation, story):
    """Return what an operation does; of Python code, which function it calls."""
    code = getattr(operation, "reverse_code" if story.is_backwards else "code", None)
    if isinstance(operation, RunPython) and type(operation).describe is RunPython.describe:
        return f"{operation.describe()}, {getattr(code, '__name__', code)}()"
    return operation.describe()


def _refuse_to_repeat(migration, what, story):
    app, name = migration.app_label, migration.name
    way = "down" if story.is_backwards else "up"
    raise Interrupted(
        f"{migration} was stopped on its way {way} in an operation that has no transaction"
        f" ({what}), so part of it may be done: running it again could do that part"
        f" twice. Look at its rows and finish or undo it by hand; then record what is true with"
        f" manage.py migrate --fake {app} {name}, or with the name of the migration before it."
    )
