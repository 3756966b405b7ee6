"""The hotel's settings, days and figures in the back office; see hotel/dashboard/page.py, too."""

from django.contrib import admin
from django.http import HttpRequest

from hotel.actions import ActingAdmin, Action, ReasonForm
from hotel.admin import ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from hotel.dashboard import closing
from hotel.dashboard.forms import CloseForm
from hotel.dashboard.models import (
    BusinessDay,
    DailyAdjustment,
    DailyMetrics,
    Event,
    Setting,
)


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


@admin.register(BusinessDay)
class BusinessDayAdmin(ActingAdmin):
    """Days that were closed. To add one is to close it; the last closed one can be opened again."""

    can_change = False
    can_delete = False
    adding = Action(
        "close",
        "Close the day",
        closing.close_day,
        "The day of {} is closed.",
        "close_businessday",
        CloseForm,
        help="Its figures and payments stay as they are from then on.",
    )
    row_actions = (
        Action(
            "reopen",
            "Open again",
            lambda row, by, reason: closing.reopen_day(row.day, by, reason),
            "The day of {} is open again.",
            "reopen_businessday",
            ReasonForm,
            offered=lambda row: row == closing.last_closed(),
            help="For what cannot wait as a correction on the day that is open. Close it again.",
        ),
    )
    list_display = (
        "day",
        moment("closed_at"),
        "closed_by",
        moment("reopened_at"),
        "reopened_by",
        "reopen_reason",
    )
    list_select_related = ("closed_by", "reopened_by")
    list_filter = ("day",)
    search_fields = ("closed_by__username",)
    search_help_text = "Search by who closed it."
    ordering = ("-day",)
    fields = (*list_display, rows_of("dashboard.Event", "business_day"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether this user may close a day."""
        return request.user.has_perm("dashboard.close_businessday")


@admin.register(Event)
class BusinessDayEventAdmin(ReadOnlyAdmin):
    """When days were closed and opened again, by whom, and why."""

    list_display = ("business_day", "what", moment("at"), "by", "reason", badge("evidence"))
    list_filter = ("what", "business_date")
    list_select_related = ("business_day", "by")
    search_fields = ("reason",)
    search_help_text = "Search by reason."
    ordering = ("-id",)


@admin.register(DailyAdjustment)
class DailyAdjustmentAdmin(ReadOnlyAdmin):
    """By how much figures of closed days were corrected, on the day on which that was found."""

    list_display = (
        "adjusted_on",
        "day",
        "room_type",
        "rooms_sold",
        money("room_revenue"),
        "arrivals",
        "departures",
        "cancellations",
        "no_shows",
    )
    list_filter = ("adjusted_on", "room_type")
    list_select_related = ("room_type",)
    search_fields = ("room_type__name", "room_type__code")
    search_help_text = "Search by room type."
    ordering = ("-adjusted_on", "-day", "room_type")
