"""The admin application of the project, with the hotel's own site."""

from django.contrib.admin.apps import AdminConfig


class HotelAdminConfig(AdminConfig):
    """Django admin, serving ``hotel.admin.HotelAdminSite`` as its default site."""

    default_site = "hotel.admin.HotelAdminSite"
