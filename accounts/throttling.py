"""How often a password may be tried for one name from one address: django-axes, made exact.

axes looks whether there are tries left, has the password checked, and counts afterwards, so that
tries at the same time all find one left. Here a try is taken before the password is looked at. See
docs/decisions/0016-log-in-throttling.md.
"""

import ipaddress
import logging
from datetime import datetime
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username, get_failure_limit
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hotel.migrator.messages.output import printable

logger = logging.getLogger(__name__)

# The address of a client that comes by a Unix socket, without a proxy that says more.
UNKNOWN = "0.0.0.0"  # noqa: S104 - nothing is bound to it
LONGEST = 255  # characters of a name that are told apart; those of staff have 50 at most


class AxesRequest(HttpRequest):
    """A request, with what axes writes on it."""

    axes_ip_address: str
    axes_path_info: str
    axes_attempt_time: datetime
    axes_locked_out: bool
    axes_credentials: dict[str, Any]


class Backend(AxesStandaloneBackend):  # type: ignore[misc]  # axes has no types
    """Stops a log-in of which too many have failed. What no client asks for is not throttled."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raise PermissionDenied if no try is left."""
        if request is not None:
            super().authenticate(request, **credentials)


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Counts a try when it begins, and forgets it when it succeeds."""

    def is_allowed(self, request: AxesRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Take one of the tries that are left, and return whether there was one."""
        self.clean_expired_user_attempts(request, credentials)
        who = {"username": get_client_username(request, credentials), "user_agent": ""}
        who["ip_address"] = request.axes_ip_address
        new = {"failures_since_start": 0, "get_data": "", "post_data": "", "http_accept": ""}
        for _ in range(10):
            try:
                row, _ = AccessAttempt.objects.get_or_create(
                    **who, defaults={**new, "path_info": request.axes_path_info}
                )
            except IntegrityError:  # somebody has made it and deleted it since
                continue
            # One statement, which waits for those of others on the same row: none counts twice.
            here = AccessAttempt.objects.filter(pk=row.pk)
            if here.filter(failures_since_start__lt=get_failure_limit(request, credentials)).update(
                failures_since_start=F("failures_since_start") + 1,
                attempt_time=request.axes_attempt_time,
            ):
                return True
            if here.exists():
                return False  # else a log-in has succeeded meanwhile, and all tries are left
        return False

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: AxesRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Have the page of those who are locked out shown if that was the last try, or none."""
        if request is None or self.get_failures(request, credentials) < get_failure_limit(
            request, credentials
        ):
            return
        name, address = get_client_username(request, credentials), request.axes_ip_address
        logger.warning("Too many log-ins have failed: %s from %s is locked out.", name, address)
        request.axes_locked_out = True
        request.axes_credentials = credentials
        user_locked_out.send("axes", request=request, username=name, ip_address=address)

    def reset_attempts(
        self,
        *,
        ip_address: str | None = None,
        username: str | None = None,
        ip_or_username: bool = False,
    ) -> int:
        """Forget failed log-ins and return how many rows that were; for the axes_reset commands."""
        reset: int = super().reset_attempts(
            ip_address=ip_address and (_network(ip_address) or ip_address),
            username=username and _same_for_all_spellings(username),
            ip_or_username=ip_or_username,
        )
        return reset


def name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name that is tried, as it is counted."""
    return _same_for_all_spellings((credentials or {}).get("username") or "")


def _same_for_all_spellings(username: str) -> str:
    """Return a name without the capitals of ASCII, in which no two members of staff differ.

    Control characters are written out: anybody may send them, and ``axes_list_attempts`` would
    print them.
    """
    text = printable(username)
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)[:LONGEST]


def address(request: HttpRequest) -> str:
    """Return where a request comes from, as it is counted.

    That is who is connected, or who ``LOGIN_ADDRESS_HEADER`` says, a header of the proxy. Of a
    list it is the last, which the proxy has added itself: the others are what it was told.
    """
    told = settings.LOGIN_ADDRESS_HEADER and request.META.get(settings.LOGIN_ADDRESS_HEADER, "")
    last = (told or "").rpartition(",")[2].strip()
    return _network(last) or _network(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def _network(text: str) -> str | None:
    """Return an address of IPv4, or the first of the 2**64 that a client of IPv6 has, or None."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)


def locked_until(row: AccessAttempt) -> datetime:
    """Return when the next try is counted from one again, or would be, were there none left."""
    moment: datetime = row.attempt_time + settings.AXES_COOLOFF_TIME
    return moment


def locked_out(
    request: HttpRequest, original_response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Return the page that says when to try again."""
    from django.contrib import admin  # whose models are not loaded yet when axes imports this

    attempts = AxesProxyHandler.get_implementation().filter_user_attempts(request, credentials)
    row = attempts[0].first()
    until = locked_until(row) if row else timezone.now()
    seconds = max(int((until - timezone.now()).total_seconds()), 0) + 1
    context = {
        **admin.site.each_context(request),
        "title": "Too many tries",
        "until": until,
        "minutes": -(-seconds // 60),
    }
    response = render(request, "admin/locked_out.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
