"""``manage.py demo``: a made-up hotel, carried from the legacy shape to head."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from hotel import demo
from hotel.dashboard.models import Setting

INITIAL_STATE = ["accounts", "dashboard", "rooms", "reservations", "payments"]  # each at its 0001


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Write a demo hotel in the legacy shape into an empty database, then run migrate to head. "
        "Refused unless DEBUG is on and the database has no tables."
    )

    def add_arguments(self, parser):
        """Declare the options."""
        parser.add_argument("--database", default="default", help="the alias to write to")
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="leave a database that has tables as it is, without an error",
        )

    def handle(self, *, database, if_empty, **options):
        """Write the hotel, migrate it, and say how to log in."""
        connection = connections[database]
        if not settings.DEBUG:
            raise CommandError(
                "Demo data is for development: DEBUG is off, so nothing was written."
            )
        if connection.introspection.table_names():
            if not if_empty:
                raise CommandError(
                    "The database has tables, so nothing was written: "
                    "name an empty one in DATABASE_URL."
                )
        else:
            self._write(connection)
        if Setting.objects.using(database).filter(setting_key=demo.MARK).exists():
            self._print_log_ins()

    def _write(self, connection):
        for app in INITIAL_STATE:
            call_command("migrate", app, "0001", database=connection.alias, verbosity=0)
        loader = MigrationLoader(connection)
        state = loader.project_state(list(loader.applied_migrations))
        with transaction.atomic(using=connection.alias):
            demo.write(state.apps, timezone.localdate())
        self.stdout.write("A demo hotel in the legacy shape is written; migrate takes it to head.")
        call_command("migrate", database=connection.alias)
        demo.assign_groups(connection.alias)

    def _print_log_ins(self):
        self.stdout.write(f"Log in at http://127.0.0.1:8000/ with the password {demo.PASSWORD!r}:")
        for username, full_name, role, _, group in demo.STAFF:
            works_as = group or ("Owner" if role == "admin" else "may not log in")
            self.stdout.write(f"  {username:<14}{works_as:<16}{full_name}")
