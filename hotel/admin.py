"""The hotel's admin site."""

from django.contrib import admin


class HotelAdminSite(admin.AdminSite):
    """The back office."""

    site_header = "Hotel back office"
    site_title = "Hotel"
    index_title = "Today"
