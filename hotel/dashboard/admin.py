"""The hotel's settings in the back office."""

from django.contrib import admin

from hotel.admin import ReadOnlyAdmin
from hotel.dashboard.models import Setting


@admin.register(Setting)
class SettingAdmin(ReadOnlyAdmin):
    """Settings, as the legacy system kept them."""

    list_display = ("setting_key", "setting_value", "setting_type", "category")
    list_filter = ("category",)
    search_fields = ("setting_key", "description", "category")
    search_help_text = "Search by key, description or category."
    ordering = ("setting_key",)
