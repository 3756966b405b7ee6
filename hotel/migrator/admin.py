"""Pages of the back office about the database: the journal, and the drift. Both only show."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hotel.migrator.messages.output import printable_all
from hotel.migrator.storage.journal import events

# A mixin of a site; to Python it is one of nothing, so that it can stand before any.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as Site
else:
    Site = object

FINDINGS_KEPT = 60  # seconds; every page shows them, and looking anew takes eight questions
LATEST = 500  # rows of the journal; a migration has two, and one more for each of its operations


class DatabasePages(Site):
    """A mixin of the admin site: what was done to the database, and how it is, for superusers."""

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, these pages included."""
        return [
            path("journal/", self.admin_view(self.journal_view), name="journal"),
            path("drift/", self.admin_view(self.drift_view), name="drift"),
            *super().get_urls(),
        ]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return what the index and the sidebar list, these pages included."""
        app_list = super().get_app_list(request, app_label)
        if app_label or not request.user.is_superuser:
            return app_list
        pages = [
            {
                "name": name,
                "object_name": title,
                "admin_url": reverse(f"admin:{title.lower()}"),
                "add_url": None,
                "view_only": True,
            }
            for name, title in (("Journal of migrations", "Journal"), ("Drift", "Drift"))
        ]
        database = {
            "name": "Database",
            "app_label": "database",
            "app_url": pages[0]["admin_url"],
            "models": pages,
        }
        return [*app_list, database]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what other pages have, and for superusers ``database_findings``.

        These say what is wrong with the database, each with the address of the page that has more.
        """
        context = super().each_context(request)
        if context["has_permission"] and request.user.is_superuser:
            key = slugify(f"database findings of {connection.settings_dict['NAME']}")
            context["database_findings"] = cache.get_or_set(key, _findings, FINDINGS_KEPT)
        return context

    def journal_view(self, request: HttpRequest) -> TemplateResponse:
        """Show the latest rows of the journal."""
        _refuse_others(request)
        rows = events(connection, latest=LATEST)
        for row in rows:
            row["at"] = datetime.fromisoformat(row["started"])
        return self._page(request, "journal", title="Journal of migrations", rows=rows)

    def drift_view(self, request: HttpRequest) -> TemplateResponse:
        """Show the last report that was kept. A page never makes one, which takes a replay."""
        _refuse_others(request)
        # Not loaded before somebody asks: each command imports this module.
        from hotel.migrator.messages import complaints
        from hotel.migrator.schema import last_report
        from hotel.migrator.schema.drift import sentences

        context: dict[str, object] = {"title": "Drift", "command": last_report.COMMAND}
        try:
            if kept := last_report.read(connection):
                said = [*sentences(kept.document)]
                context |= {"kept": kept, "found": kept.document, "sentences": said}
        except last_report.Unreadable:
            context["refused"] = "The report that is kept is one of another version."
        except DatabaseError as error:
            context["refused"] = f"The report cannot be read: {complaints.of(error).said}."
        return self._page(request, "drift", **context)

    def _page(self, request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
        context = {**self.each_context(request), **printable_all(context)}
        return TemplateResponse(request, f"admin/{name}.html", context)


def _findings() -> list[dict[str, str]]:
    """Return what a badge on every page says of the database; nothing, if all is well."""
    from hotel.migrator.schema import standing  # not loaded before somebody asks

    says = []
    if pending := standing.pending(connection):
        text = ngettext("%(count)d migration pending", "%(count)d migrations pending", pending)
        says.append(text % {"count": pending})
    if standing.has_drifted(connection):
        says.append(_("Drift found"))
    return [{"says": text, "address": reverse("admin:drift")} for text in says]


def _refuse_others(request: HttpRequest) -> None:
    """Raise PermissionDenied for everybody but superusers."""
    if not request.user.is_superuser:
        raise PermissionDenied
