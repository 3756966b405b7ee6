"""What is around every page of the desk: the bar, the ways, and the page of all tables."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _

from hotel.business_day import business_date
from hotel.dashboard.models import Setting
from hotel.desk.navigation import ways


class Frame(admin.AdminSite):
    """A part of the admin site: what each page has around it, and the plain lists of all tables."""

    enable_nav_sidebar = False  # Django's own, of apps and tables

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, the page of all tables included."""
        return [
            path("tables/", self.admin_view(self.tables_view), name="tables"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what Django's does, with the frame; who may not enter gets none of it."""
        context = super().each_context(request)
        context["hotel_name"] = hotel_name()
        if not context["has_permission"]:
            return context
        user: Any = request.user
        present = request.resolver_match.url_name if request.resolver_match else None
        return {
            **context,
            "business_date": business_date(),
            "groups_of_ways": ways(user, present or ""),
            "may_search": user.has_perm("reservations.view_reservation"),
            "may_book": user.has_perm("reservations.add_reservation"),
            "initials": initials(user.full_name or user.username),
            "role": _("Owner") if user.is_superuser else ", ".join(roles(user)),
        }

    def tables_view(self, request: HttpRequest) -> HttpResponse:
        """Show every table that the user may look at, as plain Django admin lists them."""
        if not request.user.has_perm("dashboard.view_setting"):
            raise PermissionDenied("dashboard.view_setting")
        context = {
            **self.each_context(request),
            "title": _("All tables"),
            "app_list": self.get_app_list(request),
        }
        return TemplateResponse(request, "desk/tables.html", context)


def hotel_name() -> str:
    """Return what the hotel is called, as its settings say."""
    named = Setting.objects.filter(setting_key="hotel_name").values_list("setting_value", flat=True)
    return (named.first() or "").strip() or _("Hotel")


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name."""
    words = name.split() or ["?"]
    return "".join(word[0] for word in dict.fromkeys((words[0], words[-1]))).upper()


def roles(user: Any) -> list[str]:
    """Return the names of the groups of a user."""
    return list(user.groups.order_by("name").values_list("name", flat=True))
