"""The journal of migrations as a page of the back office, to be read only."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.template.response import TemplateResponse
from django.urls import path, reverse

from hotel.migrator.verbs import events

LATEST = 500  # rows of the journal; a migration has two, and one more for each of its operations


class JournalPage:
    """A mixin of the admin site: what was done to the database, for superusers."""

    def get_urls(self):
        """Return the addresses of the site, this page included."""
        view = self.admin_view(self.journal_view)
        return [path("journal/", view, name="journal"), *super().get_urls()]

    def get_app_list(self, request, app_label=None):
        """Return what the index and the sidebar list, this page included."""
        app_list = super().get_app_list(request, app_label)
        if app_label or not request.user.is_superuser:
            return app_list
        address = reverse("admin:journal")
        page = {
            "name": "Journal of migrations",
            "object_name": "Journal",
            "admin_url": address,
            "add_url": None,
            "view_only": True,
        }
        database = {
            "name": "Database",
            "app_label": "database",
            "app_url": address,
            "models": [page],
        }
        return [*app_list, database]

    def journal_view(self, request):
        """Show the latest rows of the journal."""
        if not request.user.is_superuser:
            raise PermissionDenied
        rows = events(connection, latest=LATEST)
        for row in rows:
            row["at"] = datetime.fromisoformat(row["started"])
        context = {
            **self.each_context(request),
            "title": "Journal of migrations",
            "rows": rows,
        }
        return TemplateResponse(request, "admin/journal.html", context)
