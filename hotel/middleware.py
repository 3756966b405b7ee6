"""Middleware of the hotel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.sessions import middleware
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from hotel.business_day import one_date
from hotel.refusals import BUSY, Busy, is_busy

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class ContentSecurityPolicyMiddleware:
    """Lets a page load its own files only: no inline script, no inline style, no other host.

    A view may set a policy of its own. Django's error pages for developers are left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the next layer, with the policy on it."""
        response = self.get_response(request)
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class OneDateMiddleware:
    """Lets a page have one date of the hotel, which is asked for once, however long it takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the next layer."""
        with one_date():
            return self.get_response(request)


SECOND_WAIT = 5  # seconds; with the first, less than a web server waits for a worker


class BusyMiddleware:
    """Tries a page once more that another transaction was in the way of; then says so, status 503.

    What failed has changed nothing: its transaction is gone. A view sees by ``is_second_try`` of
    the request that it may say so itself, and keep what was typed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response of the next layer."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Return what the second try answers, or that the database is busy; None for the rest."""
        if not _in_the_way(exception):
            return None
        asked: Any = request
        match = asked.resolver_match
        asked.is_second_try = True
        for files in request.FILES.lists():
            for file in files[1]:
                file.seek(0)
        try:
            with _waiting(SECOND_WAIT):
                response: Any = match.func(request, *match.args, **match.kwargs)
                done: HttpResponseBase = getattr(response, "render", lambda: response)()
        except Exception as error:
            if not _in_the_way(error):
                raise
            return busy_page()
        return done


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's, which saves the session outside of any view."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session, on the second try if need be, or say that the database is busy."""
        try:
            return super().process_response(request, response)
        except Exception as error:
            if not _in_the_way(error):
                raise
        try:
            with _waiting(SECOND_WAIT):
                return super().process_response(request, response)
        except Exception as error:
            if not _in_the_way(error):
                raise
            return busy_page()


def busy_page() -> HttpResponse:
    """Return the page that says so; it needs no database."""
    page = render_to_string("admin/busy.html", {"sentence": BUSY, "title": "Busy"})
    return HttpResponse(page, status=503, headers={"Retry-After": str(SECOND_WAIT)})


def _in_the_way(error: Exception) -> bool:
    return isinstance(error, Busy) or is_busy(error)


@contextmanager
def _waiting(seconds: int) -> Iterator[None]:
    """Let SQLite wait no longer than this for another writer; PostgreSQL has waited already."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = connection.settings_dict["OPTIONS"].get("timeout", seconds)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {int(min(seconds, usual) * 1000)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
