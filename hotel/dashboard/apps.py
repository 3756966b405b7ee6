"""What the hotel looks like today."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class DashboardConfig(AppConfig):
    """The settings table and the daily figures; later business days."""

    name = "hotel.dashboard"

    def ready(self) -> None:
        """Have the currency checked before each ``migrate``."""
        from hotel.dashboard.checks import check_currency

        register(check_currency, Tags.database)
