"""Applications that are not this project's, as it wants them."""

from axes.apps import AppConfig as AxesConfig
from django.contrib.admin.apps import AdminConfig


class HotelAdminConfig(AdminConfig):
    """Django admin, serving ``hotel.admin.HotelAdminSite`` as its default site."""

    default_site = "hotel.admin.HotelAdminSite"


class FailedLogInsConfig(AxesConfig):  # type: ignore[misc]  # axes has no types
    """django-axes, whose table has another name in the back office; see accounts/throttling.py."""

    verbose_name = "Failed log-ins"
