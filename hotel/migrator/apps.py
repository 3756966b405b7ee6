"""The application that moves the schema; it knows nothing of hotels."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class MigratorConfig(AppConfig):
    """Lossless operations, and the proof that ``migrate`` prints."""

    name = "hotel.migrator"

    def ready(self):
        """Follow each run of ``migrate``; as the only sender, this application hears it once."""
        from hotel.migrator import batches, checks, preflight, proof  # noqa: F401 (checks)

        for follow in (batches.forget_finished, preflight.refuse_unfinished, proof.begin):
            pre_migrate.connect(follow, sender=self)
        for follow in (batches.forget_finished, proof.end):
            post_migrate.connect(follow, sender=self)
