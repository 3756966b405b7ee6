"""The search that the bar offers: stays, guests and rooms that have the words, on one page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from hotel.search import LENGTH
from reservations.models import Guest, Reservation
from rooms.models import Room

SHOWN = 20  # rows of a kind; the list of the kind has the rest
# What is looked for, and what a row of it says besides.
KINDS: list[tuple[type[Model], tuple[str, ...]]] = [
    (Reservation, ("guest", "room", "room_type")),
    (Guest, ()),
    (Room, ("room_type",)),
]


class SearchPage(admin.AdminSite):
    """A part of the admin site: the page of what was found, for whoever may look at stays."""

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, this page included."""
        return [
            path("search/", self.admin_view(self.search_view), name="search"),
            *super().get_urls(),
        ]

    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Show what has the words of ``q``; a whole confirmation or room number leads to its row.

        Each list searches as it does on its own page, so that both find the same.
        """
        if not request.user.has_perm("reservations.view_reservation"):
            raise PermissionDenied("reservations.view_reservation")
        words = request.GET.get("q", "").replace("\0", "").strip()[:LENGTH]
        row = _of_number(words)
        if row and self.get_model_admin(type(row)).has_view_permission(request, row):
            return HttpResponseRedirect(_address(row, "change", row.pk))
        context = {
            **self.each_context(request),
            "title": _("Search"),
            "subtitle": f"“{words}”" if words else None,
            "asked_for": words,
            "kinds": self._found(request, words) if words else [],
        }
        return TemplateResponse(request, "desk/search.html", context)

    def _found(self, request: HttpRequest, words: str) -> list[dict[str, Any]]:
        """Return the kinds that have rows with the words and that the user may look at."""
        found = []
        for model, related in KINDS:
            page = self.get_model_admin(model)
            if not page.has_view_permission(request):
                continue
            every = page.get_queryset(request).select_related(*related)
            with_words, _distinct = page.get_search_results(request, every, words)
            rows = list(with_words[: SHOWN + 1])
            if rows:
                found.append(
                    {
                        "name": capfirst(model._meta.verbose_name_plural),
                        "template": f"desk/hit_{model._meta.model_name}.html",
                        "rows": rows[:SHOWN],
                        "count": f"{SHOWN}+" if len(rows) > SHOWN else len(rows),
                        "address": f"{_address(model, 'changelist')}?{urlencode({'q': words})}",
                    }
                )
        return found


def _of_number(words: str) -> Reservation | Room | None:
    """Return the stay or the room whose number this is, in any capitals."""
    stay = Reservation.objects.numbered(words)
    spellings = {words, words.upper(), words.lower()}
    return stay or Room.objects.filter(room_number__in=spellings).first()


def _address(row: Model | type[Model], page: str, *arguments: Any) -> str:
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=arguments)
