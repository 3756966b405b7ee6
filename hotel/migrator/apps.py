"""The application that moves the schema; it knows nothing of hotels."""

import sqlite3
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class MigratorConfig(AppConfig):
    """Lossless operations, and the proof that ``migrate`` prints."""

    name = "hotel.migrator"

    def ready(self) -> None:
        """Follow each run of ``migrate``; as the only sender, this application hears it once."""
        from django.db.backends.sqlite3 import base

        from hotel.migrator import checks as checks  # which registers itself
        from hotel.migrator import editors

        for engine in {configured["ENGINE"] for configured in connections.settings.values()}:
            editors.install(engine)
        if sqlite3.sqlite_version_info >= (3, 38):  # since then it has it
            # Django asks in a transaction, waits for whoever writes, and takes "busy" for "no".
            features = base.DatabaseFeatures  # type: ignore[attr-defined]  # imported there
            features.supports_json_field = True  # type: ignore[method-assign, assignment]
        pre_migrate.connect(_before, sender=self)
        post_migrate.connect(_after, sender=self)


# What follows a run is imported with the first: no other command need wait for it.


def _before(sender: AppConfig, **run: Any) -> None:
    from hotel.migrator import preflight
    from hotel.migrator.adopt import written_since
    from hotel.migrator.running import proof
    from hotel.migrator.storage import batches

    for follow in (
        batches.forget_finished,
        preflight.refuse_unfinished,
        proof.begin,
        written_since.begin,
    ):
        follow(sender, **run)


def _after(sender: AppConfig, **run: Any) -> None:
    from hotel.migrator.adopt import written_since
    from hotel.migrator.running import proof
    from hotel.migrator.storage import batches

    batches.forget_finished(sender, **run)
    proof.end(sender, **run)
    written_since.end(sender, **run)
