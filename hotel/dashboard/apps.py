"""What the hotel looks like today."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """The settings table; later business days and daily metrics."""

    name = "hotel.dashboard"
