"""Application configuration."""

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    """See models.py for what is stored and services.py for what happens."""

    name = "rooms"
