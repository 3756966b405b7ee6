"""The pages for what cannot be shown: each says why, and where to go on."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User

ACT_OF_PAGE = {
    "changelist": "view",
    "change": "view",
    "history": "view",
    "add": "add",
    "delete": "delete",
}
OWNERS_NAMED = 3


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: which right is missing, and who can give it."""
    owners = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")[:OWNERS_NAMED]
    return _page(
        request,
        403,
        right=_right(request, str(exception)),
        owners=[owner.full_name or owner.username for owner in owners],
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: there is no such page, or no such row."""
    return _page(request, 404)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500, without a question to the database: it may be what has failed."""
    text = render_to_string("500.html", {"now": timezone.localtime()})
    return HttpResponse(text, status=500)


def _page(request: HttpRequest, status: int, **context: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "now": timezone.localtime(), **context}
    return HttpResponse(render_to_string(f"{status}.html", context, request), status=status)


def _right(request: HttpRequest, named: str) -> str:
    """Return what the right that is missing is called, or "" where that cannot be told.

    named: ``app.codename``, if the view has said it.
    """
    app, _, codename = named.partition(".")
    if not codename:
        page = (request.resolver_match.url_name or "") if request.resolver_match else ""
        model, _, name = page.rpartition("_")
        app, _, model = model.partition("_")
        codename = f"{ACT_OF_PAGE.get(name)}_{model}"
    known = Permission.objects.filter(content_type__app_label=app, codename=codename)
    return known.values_list("name", flat=True).first() or ""
