"""The application that moves the schema; it knows nothing of hotels."""

import sqlite3

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class MigratorConfig(AppConfig):
    """Lossless operations, and the proof that ``migrate`` prints."""

    name = "hotel.migrator"

    def ready(self):
        """Follow each run of ``migrate``; as the only sender, this application hears it once."""
        from django.db.backends.sqlite3 import base

        from hotel.migrator import batches, checks, preflight, proof  # noqa: F401 (checks)
        from hotel.migrator.adopt import written

        if sqlite3.sqlite_version_info >= (3, 38):  # since then it has it
            # Django asks in a transaction, waits for whoever writes, and takes "busy" for "no".
            base.DatabaseFeatures.supports_json_field = True
        starts = (batches.forget_finished, preflight.refuse_unfinished, proof.begin, written.begin)
        for follow in starts:
            pre_migrate.connect(follow, sender=self)
        for follow in (batches.forget_finished, proof.end, written.end):
            post_migrate.connect(follow, sender=self)
