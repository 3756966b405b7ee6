"""Django's own tests of migrations, with this project's ``migrate`` in the place of Django's.

Gets the source archive of the Django that is installed from where pip gets packages, since only
that has the tests, and runs their folders migrations, migrations2 and migrate_signals: on SQLite in
memory, or, when DATABASE_URL names such a one, on SQLite files or PostgreSQL, always in databases
of their own. Ends with 0 if every test passed, with 1 if one failed or our command was hardly run,
and with 2 if there is no archive.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django
from django.db import connection, connections
from django.test.runner import DiscoverRunner

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("migrations", "migrations2", "migrate_signals")
LEAST = 90  # runs of our command; fewer, and it was not ours that was tested


class Runner(DiscoverRunner):
    """Django's runner of tests; puts our command and our executor where Django's were.

    ``runtests.py`` leaves no application installed that could bring a command along.
    """

    def build_suite(self, *args, **kwargs):
        """Replace both before any test is imported, then collect the tests."""
        from django.core.management.commands import migrate
        from django.db.migrations import executor
        from django.db.migrations.loader import MigrationLoader

        from hotel.migrator.management.commands.migrate import Command
        from hotel.migrator.running import interruptions
        from hotel.migrator.running.runner import Executor

        runs = self.runs = []

        class Counted(Command):
            def handle(self, *args, **options):
                runs.append(args)
                # What other tests began, each with files of its own.
                there = connections[options["database"]]
                interruptions.settle(there, MigrationLoader(there), lambda half: half.is_missing)
                return super().handle(*args, **options)

        migrate.Command = Counted  # for those who call it by name, and for those who extend it
        executor.MigrationExecutor = Executor
        return super().build_suite(*args, **kwargs)

    def setup_databases(self, **kwargs):
        """Make the databases; let Django skip what their server was built without."""
        made = super().setup_databases(**kwargs)
        if connection.vendor == "postgresql" and not _has_icu():
            # Tests that ask for the collation "sv-x-icu" by this are skipped if it has none.
            connection.features.test_collations = {"deterministic": "C"}
        return made

    def run_checks(self, databases):
        """Run the checks but that of drift: half of the applications have no migrations here."""
        from hotel.migrator.checks import without_drift

        with without_drift():
            super().run_checks(databases)

    def suite_result(self, suite, result, **kwargs):
        """Print the counts; return how much went wrong, too few runs of our command included."""
        wrong = super().suite_result(suite, result, **kwargs)
        for test, reason in result.skipped:
            print(f"Skipped by Django: {test.id()}: {reason}")
        print(
            f"{connection.display_name}: {result.testsRun} of Django's tests ran,"
            f" {len(result.skipped)} of them skipped, {wrong} failed;"
            f" the guarded migrate ran {len(self.runs)} times."
        )
        if len(self.runs) < LEAST:
            print(f"That is less than {LEAST} times: this was no test of it.", file=sys.stderr)
            wrong += 1
        return wrong


def _has_icu():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'sv-x-icu'")
        return cursor.fetchone() is not None


def archive(folder):
    """Return the source archive of the installed Django in ``folder``; fetch it if it is not there.

    Raises CalledProcessError if pip cannot get it; pip says why.
    """
    version = django.get_version()
    pattern = f"[Dd]jango-{version}.tar.gz"
    if not any(folder.glob(pattern)):
        # pip builds nothing, but asks the archive for its metadata, with the tools it names.
        command = "pip download --quiet --disable-pip-version-check --no-binary django --no-deps"
        subprocess.run(
            [sys.executable, "-m", *command.split(), "--dest", folder, f"django=={version}"],
            check=True,
        )
    return next(folder.glob(pattern))


def main():
    """Fetch, unpack and run; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        type=Path,
        help="leave the archive in this folder, and take it from there if it is in it already",
    )
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="hotel-django-suite-") as temporary:
        try:
            shutil.unpack_archive(archive(keep or Path(temporary)), temporary, filter="data")
        except (subprocess.CalledProcessError, OSError, EOFError, tarfile.TarError) as error:
            why = "pip could not get it" if hasattr(error, "returncode") else error
            print(
                "None of Django's tests ran, for want of the source archive of Django"
                f" {django.get_version()}: {why}. Put it into a folder, whole, and name that in"
                " --keep, or let pip get it.",
                file=sys.stderr,
            )
            return 2
        [tests] = Path(temporary).glob("[Dd]jango-*/tests")
        options = "--noinput --parallel=1 --settings=hotel.migrator.tests.django_suite_settings"
        return subprocess.run(
            [sys.executable, "runtests.py", *options.split(), *FOLDERS],
            cwd=tests,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
