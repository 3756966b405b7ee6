"""Application configuration."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """See models.py for what is stored and services.py for what happens."""

    name = "payments"
