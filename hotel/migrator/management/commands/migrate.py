"""Django's ``migrate``, one at a time for each database: same options, same output."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from hotel.migrator import preflight
from hotel.migrator.checks import without_drift
from hotel.migrator.exceptions import about, addressed
from hotel.migrator.locking import sessions
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.messages import masking
from hotel.migrator.messages.output import Output, PrintableOutput
from hotel.migrator.running import interruptions, runner
from hotel.migrator.schema import snapshot

Steps = Sequence[tuple[Migration, bool]]  # and whether each is unapplied


class Executor(runner.Executor):
    """The executor of this command, which looks before it leaps, unless nothing is to be run."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        progress_callback: Callable[..., None] | None = None,
    ) -> None:
        """progress_callback: a method of the command, all that Django passes on of it."""
        super().__init__(connection, progress_callback)
        command = getattr(progress_callback, "__self__", None)
        self.only_records: bool = getattr(command, "only_records", False)
        self.may_load: bool = getattr(command, "may_load", False)

    def migrate(
        self,
        targets: Sequence[tuple[str, str | None]] | None,
        plan: Steps | None = None,
        state: ProjectState | None = None,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        """Carry out a plan that nothing speaks against."""
        plan = self.migration_plan(targets or ()) if plan is None else plan
        if self.may_load and not (fake or fake_initial):
            state, plan = self._from_snapshot(state, plan)
        if not (fake or self.only_records):
            preflight.before_migrate(self.connection, self.loader, plan, fake_initial)
        return super().migrate(targets, plan, state, fake, fake_initial)

    def _from_snapshot(
        self, state: ProjectState | None, plan: Steps
    ) -> tuple[ProjectState | None, Steps]:
        """Load the snapshot of the schema into a database without tables, if there is one.

        Returns the models, and what is left of the plan.
        """
        whole = snapshot.read(self.connection.vendor) if plan else None
        file = snapshot.file_of(self.connection.vendor)
        if (
            whole is None
            or file is None
            or self.connection.introspection.table_names(include_views=True)
        ):
            return state, plan
        why = whole.misfit(self.loader)
        if router.routers:
            why = "there are DATABASE_ROUTERS, which say what belongs into this database"
        if not why and any(map(self.loader.replacements.get, whole.migrations)):
            why = "a migration that it stands for is a squashed one"
        if why:
            self._report("snapshot_misfit", f"{file.name} is not used: {why}.")
            return state, plan
        migrations = [self.loader.graph.nodes[key] for key in whole.migrations]
        try:
            self.load(whole, migrations)
        except DatabaseError as error:  # the history says better what it cannot do
            if not self.connection.is_usable():
                raise
            self._report("snapshot_misfit", f"{file.name} is not used: {masking.of_error(error)}")
            return state, plan
        self._report("snapshot_success", f"{file.name} stands for {len(migrations)} migrations.")
        # As Django's loader does, whose stubs say otherwise.
        self.loader.applied_migrations = self.recorder.applied_migrations()  # type: ignore[assignment]
        # Nothing was applied before; and what is not rendered yet changes without being made anew.
        state = ProjectState(real_apps=self.loader.unmigrated_apps)
        for migration in migrations:
            state = migration.mutate_state(state, preserve=False)
        loaded = set(migrations)
        return state, [(one, backwards) for one, backwards in plan if one not in loaded]


# Django's command looks its executor up under this name when it runs, and offers no other way.
migrate.MigrationExecutor = Executor  # type: ignore[attr-defined] # the stubs export none


class Command(migrate.Command):
    """See ``help``."""

    help = (
        "Updates database schema. Manages both apps with migrations and those without. Waits while "
        "another process migrates the same database (MIGRATOR_WAIT), and finds out what is left to "
        "do afterwards; keeps a journal; finishes what a run that was killed has begun."
    )

    only_records = False  # as --fake says; Django does not pass that on if nothing is planned
    may_load = False  # a snapshot, unless --no-snapshot or a target is given

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare Django's options, and ours."""
        super().add_arguments(parser)
        parser.add_argument(
            "--no-snapshot",
            action="store_true",
            help="Run every migration, although the database has no tables and a snapshot of the"
            " schema (manage.py db snapshot) could be loaded.",
        )

    def migration_progress_callback(
        self, action: str, migration: Any = None, fake: bool = False
    ) -> None:
        """Show progress as Django does, and what is said of a snapshot in a line."""
        if not action.startswith("snapshot_"):
            super().migration_progress_callback(action, migration, fake)
        elif self.verbosity >= 1:
            self.stdout.write(f"  {migration}")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check and run it, in sessions that have what it needs."""
        alias = options["database"]
        with about(alias), sessions.settled(connections[alias]):
            return super().execute(*args, **options)

    def check(self, *args: Any, **options: Any) -> None:
        """Run all checks but that of what is about to be changed."""
        with without_drift():
            super().check(*args, **options)

    @runner.rare_garbage_collection()
    def handle(self, *args: Any, **options: Any) -> None:
        """Run Django's command while nobody else can."""
        self.stderr = PrintableOutput(self.stderr, self.style)
        connection = connections[options["database"]]
        if options["plan"] or options["check_unapplied"]:  # they only look
            self.stdout = PrintableOutput(self.stdout, self.style)
            sessions.refuse_unfit(connection, writes=False)
            if options["check_unapplied"]:
                for sentence in preflight.without_files(MigrationLoader(connection)):
                    self.stderr.write(addressed(sentence, connection.alias))
            super().handle(*args, **options)
            return
        self.only_records = options["fake"]
        self.may_load = not (options["no_snapshot"] or options["app_label"])
        self.stdout = Output(self.stdout, self.style)
        with run_lock(connection):
            super().handle(*args, **options)
            if options["fake"]:
                app = options["app_label"]
                loader = MigrationLoader(connection)
                interruptions.settle(connection, loader, lambda half: app in (None, half.app))
