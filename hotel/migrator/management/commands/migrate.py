"""Django's ``migrate``, one at a time for each database: same options, same output."""

from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from hotel.migrator import interruptions, preflight, runner
from hotel.migrator.checks import without_drift
from hotel.migrator.locks import run_lock
from hotel.migrator.output import Output


class Executor(runner.Executor):
    """The executor of this command, which looks before it leaps, unless nothing is to be run."""

    only_records = False  # as --fake says; Django does not pass that on if nothing is planned

    def migrate(self, targets, plan=None, state=None, fake=False, fake_initial=False):
        """Carry out a plan that nothing speaks against."""
        plan = self.migration_plan(targets) if plan is None else plan
        if not (fake or self.only_records):
            preflight.before_migrate(self.connection, self.loader, plan)
        return super().migrate(targets, plan, state, fake, fake_initial)


# Django's command looks its executor up under this name when it runs, and offers no other way.
migrate.MigrationExecutor = Executor  # type: ignore[misc]


class Command(migrate.Command):
    """See ``help``."""

    help = (
        "Updates database schema. Manages both apps with migrations and those without. Waits while "
        "another process migrates the same database (MIGRATOR_WAIT), and finds out what is left to "
        "do afterwards; keeps a journal; finishes what a run that was killed has begun."
    )

    def check(self, **options):
        """Run all checks but that of what is about to be changed."""
        with without_drift():
            super().check(**options)

    @runner.rare_garbage_collection()
    def handle(self, *args, **options):
        """Run Django's command while nobody else can."""
        if options["plan"] or options["check_unapplied"]:  # they only look
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        Executor.only_records = options["fake"]
        self.stdout = Output(self.stdout._out)
        with run_lock(connection):
            super().handle(*args, **options)
            if options["fake"]:
                app = options["app_label"]
                loader = MigrationLoader(connection)
                interruptions.settle(connection, loader, lambda half: app in (None, half.app))
