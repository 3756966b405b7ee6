"""Runs migrations as Django does, and each exactly once, whatever kills or hinders the run.

Verified with Django 5.2, whose executor this extends: what it adds is said at each method. Over 300
lines because a migration and its record have to be one, whichever way it runs.
"""

import gc
from contextlib import contextmanager, nullcontext, suppress

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import DatabaseError, InterfaceError, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from hotel.migrator import history, interruptions, operations, repeating
from hotel.migrator.exceptions import FailedDuringApply, MigratorError
from hotel.migrator.history import Direction
from hotel.migrator.locks import Patience, check_lock, short_lock_timeout


class Executor(MigrationExecutor):
    """Django's executor, with a journal, and with nothing between a change and its record."""

    journal = None  # of the run that has begun
    recorded = frozenset()  # by this executor, so that nobody else was faster
    remark = None  # of its entries in the journal

    def migrate(self, targets, plan=None, state=None, fake=False, fake_initial=False):
        """Carry out a plan as Django does, in a journal, and with short waits for locks."""
        if plan is None:
            plan = self.migration_plan(targets)
        if not plan:
            return super().migrate(targets, plan, state, fake, fake_initial)
        if not fake:
            _refuse_irreversible(plan)
        with _named(plan[0][0]):
            self._begin()
        with short_lock_timeout(self.connection):
            return super().migrate(targets, plan, state, fake, fake_initial)

    def apply_migration(self, state, migration, fake=False, fake_initial=False):
        """Run a migration forwards. Django records one with deferred SQL after its transaction."""
        check_lock(self.connection)
        self._report("apply_start", migration, fake)
        if fake_initial and not fake:
            # As Django: what it returns is the state after the migration, run or not.
            fake, state = self._found_in_place(state, migration)
        state = self._carry_out(state, migration, fake, Direction.FORWARD)
        self._report("apply_success", migration, fake)
        return state

    def unapply_migration(self, state, migration, fake=False):
        """Run a migration backwards. Django records that after its transaction."""
        check_lock(self.connection)
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
        self.patience = Patience(self.connection)
        self.journal = self.patience("This run", self._make_tables)
        self.ended = []

    def _make_tables(self):
        self.recorder.ensure_schema()
        return history.Journal(self.connection, self.remark)

    def _carry_out(self, state, migration, fake, direction):
        """Run and record a migration between two entries of the journal."""
        named = migration, direction
        if self.journal is None:  # as in Django, migrate() need not come before apply_migration()
            self._begin()
        begun = None
        if not (fake or migration.atomic):
            begun = interruptions.of(self.connection, self.loader, migration, direction)
            interruptions.refuse(begun)
            self._refuse_if_run(migration, direction)
        with _named(migration, before=len(self.ended)):
            story = self.patience(str(migration), lambda: self.journal.start(*named, is_fake=fake))
        try:
            if fake:
                with transaction.atomic(using=self.connection.alias):
                    self._refuse_if_run(migration, direction)
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

    def _at_once(self, state, migration, story):
        """Run an atomic migration: all of it, its record included, or nothing."""
        is_spent = False  # on the way up Django changes the state along with the database

        def run():
            nonlocal is_spent
            before = self.state_now() if is_spent else state
            is_spent = not story.is_backwards
            with self._editor(story, atomic=True) as editor:
                self._refuse_if_run(migration, story.direction)
                after = _move(migration, story)(before, editor)
                _run_deferred(editor)
                self._record(migration, story)
            return after

        return self.patience(str(migration), run)

    def _one_by_one(self, state, migration, story, done):
        """Run the operations of a migration that is not atomic but the ``done`` first ones."""
        steps = []
        for operation in migration.operations:
            if story.is_backwards and not operation.reversible:
                raise IrreversibleError(f"Operation {operation} in {migration} is not reversible")
            before, state = state, state.clone()
            operation.state_forwards(migration.app_label, state)
            steps.append((repeating.reentrant(operation), before, state))
        if story.is_backwards:
            steps = [(operation, after, before) for operation, before, after in reversed(steps)]
        for number, step in enumerate(steps[done:], done):
            self._operation(migration, number, step, story)
        self._record_alone(migration, story)
        return steps[-1][2] if steps else state

    def _its_own_way(self, state, migration, story):
        """Run a migration that is not atomic and says itself how: what it does is not known."""
        story.enter_operation(0)
        forever = short_lock_timeout(self.connection, 0)  # there is only one try
        with forever, self._editor(story, atomic=False) as editor:
            state = _move(migration, story)(state, editor)
        self._record_alone(migration, story)
        return state

    def _operation(self, migration, number, step, story):
        """Run one operation, in a transaction with its entry in the journal wherever that can be.

        Django would leave its statements to themselves, and a kill between them would be for ever.
        """
        operation, before, after = step
        app, alias = migration.app_label, self.connection.alias
        together = repeating.has_transaction(operation)
        check_lock(self.connection)

        def run():
            own = transaction.atomic(using=alias) if together else nullcontext()
            with self._editor(story, atomic=False) as editor, own:
                story.refuse_if_operation_ended(number)
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

        if not repeating.may_repeat(operation):
            story.enter_operation(number)
            with short_lock_timeout(self.connection, 0):  # there is only one try
                run()
        else:
            alone = isinstance(operation, operations.Online)
            with short_lock_timeout(self.connection, 0) if alone else nullcontext():
                self.patience(f"{migration} ({operation.describe()})", run)

    def _record_alone(self, migration, story):
        """Record what is not atomic, which has run in this very session or in none."""
        check_lock(self.connection)
        with transaction.atomic(using=self.connection.alias):
            self._refuse_if_run(migration, story.direction)
            self._record(migration, story)

    def _refuse_if_run(self, migration, direction):
        """Raise FailedDuringApply if somebody has recorded what this run has planned to do.

        Nobody can who asks for the lock. But plain Django does not, and a lock can be broken. Of a
        squashed migration the record says little: Django may go by those that it replaces.
        """
        if migration.replaces or migration in self.recorded:
            return
        record = self.recorder.migration_qs.filter(app=migration.app_label, name=migration.name)
        if record.exists() == (direction == Direction.FORWARD):
            raise history.run_meanwhile(str(migration))

    def _left_by(self, migration, direction):
        """Return the HalfDone that a migration which has failed just now leaves, or None."""
        if migration.atomic:
            return None
        with suppress(DatabaseError, InterfaceError):  # the session may be what has failed
            return interruptions.of(self.connection, self.loader, migration, direction)
        return None

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
        self.recorded |= {migration}

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
def _named(migration, left=None, before=0):
    """Let an error know of what it stopped, for ``exceptions.explain``.

    left: what it left half done, a HalfDone; None where it changed nothing. before: how many
    migrations of the run have ended before.
    """
    try:
        yield
    except BaseException as error:
        error.migration, error.left, error.before = str(migration), left, before
        if isinstance(error, CommandError) and not isinstance(error, MigratorError):
            error.returncode = FailedDuringApply.exit_code
        raise


def _move(migration, story):
    return migration.unapply if story.is_backwards else migration.apply


def _run_deferred(editor):
    """Run what a schema editor has put off to its end, so that what follows comes after it."""
    deferred, editor.deferred_sql = editor.deferred_sql, []
    for sql in deferred:
        editor.execute(sql, None)
