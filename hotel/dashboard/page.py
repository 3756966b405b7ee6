"""The page of the figures: what a period sold, by day and by room type, and what that means."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.http import urlencode

from hotel.business_day import business_date
from hotel.columns import EMPTY, amount, percent
from hotel.dashboard.charts import chart
from hotel.dashboard.figures import Total, rounded, total, totals
from hotel.dashboard.models import DailyMetrics
from hotel.dashboard.services import LONGEST, check_period, compute_metrics
from hotel.refusals import Refused
from rooms.models import RoomType

DEFAULT = 30  # days up to today, shown unless the address names others


def money(value: Fraction | None) -> str:
    """Return a ratio of amounts as it is shown, or a dash for None."""
    ratio = rounded(value)
    return EMPTY if ratio is None else amount(ratio)


@dataclass(frozen=True)
class Figure:
    """A figure of which the page has a tile: its name, its formula in words, and how it is shown.

    full: the value that a full bar of the chart stands for, if no day has more; None for the most.
    """

    name: str
    attribute: str
    definition: str
    show: Callable[[Any], str]
    full: int | None = None


FIGURES = (
    Figure(
        "Occupancy",
        "occupancy",
        "Rooms sold / rooms available: which share of the rooms that could be sold was sold. A room"
        " out of order could not; one out of service or in house use counts as available.",
        percent,
        full=1,
    ),
    Figure(
        "ADR",
        "adr",
        "Room revenue / rooms sold: the average daily rate. A stay's total, its discount taken off,"
        " is spread over its nights; when it is paid plays no part. Stays free of charge are not"
        " sold.",
        money,
    ),
    Figure(
        "RevPAR",
        "revpar",
        "Room revenue / rooms available: the revenue per available room, which is occupancy times"
        " ADR.",
        money,
    ),
)

COLUMNS: dict[str, Callable[[Total], Any]] = {
    "Rooms": lambda sums: sums.rooms,
    "Out of order": lambda sums: sums.rooms_out_of_order,
    "Available": lambda sums: sums.rooms_available,
    "Sold": lambda sums: sums.rooms_sold,
    "Occupancy": lambda sums: percent(sums.occupancy),
    "Of all rooms": lambda sums: percent(sums.occupancy_of_all_rooms),
    "Room revenue": lambda sums: amount(sums.room_revenue),
    "ADR": lambda sums: money(sums.adr),
    "RevPAR": lambda sums: money(sums.revpar),
    "Arrivals": lambda sums: sums.arrivals,
    "Departures": lambda sums: sums.departures,
    "Cancellations": lambda sums: sums.cancellations,
    "No-shows": lambda sums: sums.no_shows,
}


class MetricsPage(admin.AdminSite):
    """A part of the admin site: the page of the figures, and the button that computes them.

    Whoever may view the figures sees it, and whoever may add some computes a period. Looking at it
    computes nothing.
    """

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, this page included."""
        view = self.admin_view(self.metrics_view)
        return [path("metrics/", view, name="metrics"), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return what the index and the sidebar list, this page first."""
        app_list = super().get_app_list(request, app_label)
        if app_label or not self._may_view(request):
            return app_list
        address = reverse("admin:metrics")
        page = {
            "name": "Occupancy, ADR, RevPAR",
            "object_name": "Metrics",
            "admin_url": address,
            "add_url": None,
            "view_only": True,
        }
        figures = {
            "name": "Figures of the house",
            "app_label": "metrics",
            "app_url": address,
            "models": [page],
        }
        return [figures, *app_list]

    def metrics_view(self, request: HttpRequest) -> HttpResponse:
        """Show the figures of a period; on POST, compute them."""
        if not self._may_view(request):
            raise PermissionDenied
        may_compute = request.user.has_perm("dashboard.add_dailymetrics")
        if request.method == "POST":
            if not may_compute:
                raise PermissionDenied
            return _compute(request)
        first, last, refusal = _shown(request.GET)
        context = {
            **self.each_context(request),
            **_figures(first, last),
            "title": "Figures of the house",
            "refusal": refusal,
            "first": first,
            "last": last,
            "to_come": last >= business_date(),
            "longest": LONGEST,
            "may_compute": may_compute,
        }
        return TemplateResponse(request, "admin/metrics.html", context)

    def _may_view(self, request: HttpRequest) -> bool:
        return bool(self.get_model_admin(DailyMetrics).has_view_permission(request))


def _asked_for(form: QueryDict) -> tuple[date, date] | None:
    """Return the first and the last day that a form or an address names, or None for junk."""
    try:
        first, last = parse_date(form.get("from", "")), parse_date(form.get("to", ""))
    except ValueError:  # 2025-02-30
        return None
    return (first, last) if first and last else None


def _shown(address: QueryDict) -> tuple[date, date, str]:
    """Return the first and the last day to show, and why they are not those that were asked for."""
    asked, refusal = _asked_for(address), ""
    if asked:
        try:
            check_period(*asked)
            return *asked, refusal
        except Refused as refused:
            refusal = str(refused)
    today = business_date()
    return today - timedelta(days=DEFAULT - 1), today, refusal


def _compute(request: HttpRequest) -> HttpResponse:
    """Compute what the form asks for, say so or why not, and show the page."""
    address = reverse("admin:metrics")
    asked = _asked_for(request.POST)
    if not asked:
        messages.error(request, "Enter the first and the last day of the period.")
        return HttpResponseRedirect(address)
    first, last = asked
    try:
        compute_metrics(first, last)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(address)
    messages.success(request, f"The figures from {first} to {last} are computed.")
    return HttpResponseRedirect(f"{address}?{urlencode({'from': str(first), 'to': str(last)})}")


def _figures(first: date, last: date) -> dict[str, Any]:
    """Return what the template shows of a period, from two queries."""
    rows = list(DailyMetrics.objects.filter(day__range=(first, last)).order_by("day"))
    kinds = totals(rows, lambda row: row.room_type_id)
    names = RoomType.objects.filter(pk__in=kinds).order_by("name", "pk")
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    sums, whole = totals(rows, lambda row: row.day), total(rows)
    return {
        "columns": COLUMNS,
        "days": [(day, _cells(sums[day]) if day in sums else None) for day in days],
        "kinds": [(kind, _cells(kinds[kind.pk])) for kind in names],
        "whole": _cells(whole),
        "tiles": [_tile(figure, whole, sums, days) for figure in FIGURES],
        "of_all_rooms": percent(whole.occupancy_of_all_rooms),
        "number_of_days": len(days),
        "computed": len(sums),
        "oldest": min((row.computed_at for row in rows), default=None),
    }


def _cells(sums: Total) -> list[Any]:
    return [show(sums) for show in COLUMNS.values()]


def _tile(
    figure: Figure, whole: Total, sums: dict[date, Total], days: list[date]
) -> dict[str, Any]:
    values = {day: getattr(of_day, figure.attribute) for day, of_day in sums.items()}
    return {
        "name": figure.name,
        "value": figure.show(getattr(whole, figure.attribute)),
        "definition": figure.definition,
        "chart": chart(
            figure.name,
            [(formats.date_format(day), values.get(day), day in values) for day in days],
            figure.show,
            figure.full,
        ),
    }
