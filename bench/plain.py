"""The hotel's command line with Django's own ``migrate``: ``python -m bench.plain migrate``.

Benches run it beside ``manage.py`` to measure what this project adds. Project, settings, database
and migrations are the same. The command and the executor are Django's, so there is no lock, no
journal and no short wait for locks; nobody hears ``pre_migrate`` and ``post_migrate`` but Django's
own apps and the hotel's; and the drift, which is a system check, is not looked for.
"""

import os
import sys

from django.apps import apps
from django.core.checks import registry
from django.core.management import ManagementUtility, get_commands
from django.db.models.signals import post_migrate, pre_migrate

from hotel.command_line import errors_in_one_sentence


class CommandLine(ManagementUtility):
    """``manage.py``, except for one command."""

    def fetch_command(self, subcommand):
        """Return Django's own ``migrate``, and every other command as always."""
        if subcommand == "migrate":
            get_commands()["migrate"] = "django.core"  # where the system checks look it up too
            checks = registry.registry.registered_checks
            checks -= {check for check in checks if "migrator" in check.tags}
            migrator = apps.get_app_config("migrator")
            for sent in (pre_migrate, post_migrate):
                for receiver in sent._live_receivers(migrator)[0]:
                    sent.disconnect(receiver, sender=migrator)  # those of this sender alone
        return super().fetch_command(subcommand)


def main():
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotel.settings")
    with errors_in_one_sentence(sys.argv):
        CommandLine(sys.argv).execute()
    guarded = "hotel.migrator.management.commands.migrate"
    if guarded in sys.modules:  # it puts its executor in the place of Django's
        sys.exit(f"{guarded} was loaded: this was not plain Django.")


if __name__ == "__main__":
    main()
