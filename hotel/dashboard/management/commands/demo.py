"""``manage.py demo``: a made-up hotel, carried from the legacy shape to head."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from hotel import demo
from hotel.business_day import by_clock
from hotel.dashboard.models import Setting

INITIAL_STATE = ["accounts", "dashboard", "rooms", "reservations", "payments"]  # each at its 0001


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Write a demo hotel in the legacy shape into an empty database, then run migrate to head. "
        "Refused unless DEBUG is on and the database has no tables. "
        "What was interrupted is finished by the same command."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--database", default="default", help="the alias to write to")
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="leave a database that has tables as it is, without an error",
        )

    def handle(self, *, database: str, if_empty: bool, **options: Any) -> None:
        """Write the hotel, migrate it, and say how to log in."""
        connection = connections[database]
        if not settings.DEBUG:
            raise CommandError(
                "Demo data is for development: DEBUG is off, so nothing was written."
            )
        mark = self._mark(connection)
        if mark is None and self._is_untouched(connection):
            self._write(connection)
            mark = demo.UNFINISHED
        elif mark != demo.UNFINISHED and not if_empty:
            raise CommandError(
                "The database has tables, so nothing was written: "
                "name an empty one in DATABASE_URL."
            )
        if mark == demo.UNFINISHED:
            call_command("migrate", database=database)
            with transaction.atomic(using=database):
                demo.assign_groups(database)
                marks = Setting.objects.using(database).filter(setting_key=demo.MARK)
                marks.update(setting_value=demo.FINISHED)
        if mark is not None:
            self._print_log_ins()

    def _mark(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return how far a demo hotel is that is there, or None if there is none."""
        if Setting._meta.db_table not in connection.introspection.table_names():
            return None
        marks = Setting.objects.using(connection.alias).filter(setting_key=demo.MARK)
        return marks.values_list("setting_value", flat=True).first()

    def _is_untouched(self, connection: BaseDatabaseWrapper) -> bool:
        """Tell whether there is no table, or only what a demo makes before its rows."""
        tables = set(connection.introspection.table_names()) - {"django_migrations"}
        applied = set(MigrationLoader(connection).applied_migrations)
        if not tables:
            return True
        if not applied or not applied <= {(app, "0001_initial") for app in INITIAL_STATE}:
            return False
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            for table in tables - {"migrator_archive", "migrator_cursor"}:
                cursor.execute(f"SELECT 1 FROM {quote(table)} LIMIT 1")
                if cursor.fetchone():
                    return False
        return True

    def _write(self, connection: BaseDatabaseWrapper) -> None:
        for app in INITIAL_STATE:
            call_command("migrate", app, "0001", database=connection.alias, verbosity=0)
        loader = MigrationLoader(connection)
        state = loader.project_state(list(loader.applied_migrations))
        with transaction.atomic(using=connection.alias):
            demo.write(state.apps, by_clock(timezone.now()))
        self.stdout.write("A demo hotel in the legacy shape is written; migrate takes it to head.")

    def _print_log_ins(self) -> None:
        self.stdout.write(f"Log in with the password {demo.PASSWORD!r} as one of:")
        for username, full_name, role, _, group in demo.STAFF:
            works_as = group or ("Owner" if role == "admin" else "may not log in")
            self.stdout.write(f"  {username:<14}{works_as:<16}{full_name}")
