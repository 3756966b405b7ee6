"""The hotel's settings and figures in the back office; their page is hotel/dashboard/page.py."""

from django.contrib import admin

from hotel.admin import ReadOnlyAdmin
from hotel.columns import moment, money
from hotel.dashboard.models import DailyMetrics, Setting


@admin.register(Setting)
class SettingAdmin(ReadOnlyAdmin):
    """Settings, as the legacy system kept them."""

    list_display = ("setting_key", "setting_value", "setting_type", "category")
    list_filter = ("category",)
    search_fields = ("setting_key", "description", "category")
    search_help_text = "Search by key, description or category."
    ordering = ("setting_key",)


@admin.register(DailyMetrics)
class DailyMetricsAdmin(ReadOnlyAdmin):
    """Figures by day and room type, as they were counted."""

    list_display = (
        "day",
        "room_type",
        "rooms",
        "rooms_out_of_order",
        "rooms_sold",
        money("room_revenue"),
        "arrivals",
        "departures",
        "cancellations",
        "no_shows",
        moment("computed_at"),
    )
    list_filter = ("room_type",)
    list_select_related = ("room_type",)
    search_fields = ("room_type__name", "room_type__code")
    search_help_text = "Search by room type."
    ordering = ("-day", "room_type")
