"""Pages of the back office about the database: the journal, and the drift. Both only show."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.template.response import TemplateResponse
from django.urls import path, reverse

from hotel.migrator.exceptions import MigratorError
from hotel.migrator.history import events

LATEST = 500  # rows of the journal; a migration has two, and one more for each of its operations


class DatabasePages:
    """A mixin of the admin site: what was done to the database, and how it is, for superusers."""

    def get_urls(self):
        """Return the addresses of the site, these pages included."""
        return [
            path("journal/", self.admin_view(self.journal_view), name="journal"),
            path("drift/", self.admin_view(self.drift_view), name="drift"),
            *super().get_urls(),
        ]

    def get_app_list(self, request, app_label=None):
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

    def journal_view(self, request):
        """Show the latest rows of the journal."""
        rows = events(connection, latest=LATEST) if _is_allowed(request) else []
        for row in rows:
            row["at"] = datetime.fromisoformat(row["started"])
        return self._page(request, "journal", title="Journal of migrations", rows=rows)

    def drift_view(self, request):
        """Compare models, migrations and database, without waiting for anybody."""
        _is_allowed(request)
        # Not loaded before somebody asks: each command imports this module.
        from hotel.migrator.drift import sentences
        from hotel.migrator.verbs import drift

        try:
            found = drift(connection, wait=0)
        except (MigratorError, InconsistentMigrationHistory, DatabaseError) as error:
            return self._page(request, "drift", title="Drift", refused=str(error))
        said = [*sentences(found)]
        return self._page(request, "drift", title="Drift", found=found, sentences=said)

    def _page(self, request, name, **context):
        context = {**self.each_context(request), **context}
        return TemplateResponse(request, f"admin/{name}.html", context)


def _is_allowed(request):
    """Return True for superusers. Raises PermissionDenied for everybody else."""
    if not request.user.is_superuser:
        raise PermissionDenied
    return True
