"""Application configuration."""

from django.apps import AppConfig


class ReservationsConfig(AppConfig):
    """See models.py for what is stored and services.py for what happens."""

    name = "reservations"
