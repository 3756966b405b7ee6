"""The application that moves the schema."""

from django.apps import AppConfig


class MigratorConfig(AppConfig):
    """How the schema is moved; knows nothing of hotels."""

    name = "hotel.migrator"
    default_auto_field = "django.db.models.BigAutoField"
