"""The calendar: rooms by nights, where a bar leads to its stay, and a gap to booking."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from hotel.business_day import business_date
from hotel.desk.tape import gaps, tape
from rooms.models import RoomType

RIGHT = "reservations.view_reservation"
LENGTHS = (14, 30)  # nights
WEEK = timedelta(days=7)
REACH = timedelta(days=3650)  # as far as anybody looks back or ahead


class CalendarPage(admin.AdminSite):
    """A part of the admin site: the tape chart, for whoever may look at stays."""

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, this page included."""
        view = self.admin_view(self.calendar_view)
        return [path("calendar/", view, name="calendar"), *super().get_urls()]

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        """Show the nights from ``start`` on: ``nights`` of them, of one ``type`` if it is named."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied(RIGHT)
        today = business_date()
        asked = Asked.of(request.GET, today)
        chart = tape(asked.start, asked.nights, today, asked.room_type)
        may_book = request.user.has_perm("reservations.add_reservation")
        for kind in chart.kinds:
            for line in kind.lines:
                if may_book and line.room:
                    bars = [bar for lane in line.lanes for bar in lane]
                    line.lanes[0] += gaps(bars, chart.days, today)
        context = {
            **self.each_context(request),
            "title": _("Calendar"),
            "chart": chart,
            "asked": asked,
            "today": today,
            "today_column": 2 * (today - asked.start).days + 1,
            "lengths": [(one, asked.address(nights=one)) for one in LENGTHS],
            "earlier": asked.address(start=asked.start - WEEK),
            "later": asked.address(start=asked.start + WEEK),
            "from_today": asked.address(start=today - timedelta(days=1)),
            "types": [
                (kind.name, asked.address(room_type=kind.pk), kind.pk == asked.room_type)
                for kind in RoomType.objects.exclude(is_active=False).order_by("default_rate", "pk")
            ],
            "all_types": asked.address(room_type=None),
        }
        return TemplateResponse(request, "desk/calendar.html", context)


@dataclass(frozen=True)
class Asked:
    """What an address asks to be shown; junk in it asks for nothing."""

    start: date
    nights: int
    room_type: int | None

    @classmethod
    def of(cls, question: Any, today: date) -> "Asked":
        """Return what is asked for; from yesterday on, if no day is named that can be shown."""
        try:
            start = parse_date(question.get("start", ""))
        except ValueError:  # 2025-02-30
            start = None
        if start is None or abs(start - today) > REACH:
            start = today - timedelta(days=1)
        nights = LENGTHS[1] if question.get("nights") == str(LENGTHS[1]) else LENGTHS[0]
        key = question.get("type", "")
        return cls(start, nights, int(key) if re.fullmatch("[0-9]{1,9}", key) else None)

    def address(self, **changes: Any) -> str:
        """Return the address that asks for the same but for ``changes``."""
        asked = {"start": self.start, "nights": self.nights, "room_type": self.room_type, **changes}
        asked["type"] = asked.pop("room_type")
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"
