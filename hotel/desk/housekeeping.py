"""Housekeeping: every room by floor, what it is needed for today, and one tap to say how it is.

It is made for a phone, and tells neither names nor money.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from hotel.business_day import business_date
from hotel.desk import queries
from hotel.refusals import Busy, Refused
from reservations.models import Reservation
from rooms.models import HousekeepingStatus, Room, RoomBlock
from rooms.services import set_housekeeping

RIGHT = "rooms.clean_room"
AT_ONCE = 300  # rooms set by one form
SHOWN = ("needed", *HousekeepingStatus.values)


@dataclass(frozen=True)
class Card:
    """A room. guests: who is in it; arrival: who comes today; block: why it is not sold."""

    room: Room
    guests: Reservation | None
    arrival: Reservation | None
    block: RoomBlock | None

    @property
    def leaves_today(self) -> bool:
        """Return whether the guests are to leave today, or should have left before."""
        return self.guests is not None and self.guests.check_out_date <= business_date()

    @property
    def is_needed(self) -> bool:
        """Return whether guests wait for the room to be cleaned today."""
        return self.arrival is not None and self.room.housekeeping_status == "dirty"


class HousekeepingPage(admin.AdminSite):
    """A part of the admin site: the rooms, for whoever may say how clean they are."""

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, this page included."""
        view = self.admin_view(self.housekeeping_view)
        return [path("housekeeping/", view, name="housekeeping"), *super().get_urls()]

    def housekeeping_view(self, request: HttpRequest) -> HttpResponse:
        """Show the rooms; on POST, set one (``set=12:clean``) or those ticked (``all=clean``)."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied(RIGHT)
        show = request.GET.get("show", "")
        show = show if show in SHOWN else ""
        if request.method == "POST":
            return _set(request, show)
        cards = _cards()
        counts = {"": len(cards), **{one: len(_only(cards, one)) for one in SHOWN}}
        context = {
            **self.each_context(request),
            "title": _("Housekeeping"),
            "show": show,
            "choices": [(one, _word(one), counts[one]) for one in ("", *SHOWN)],
            "floors": _by_floor(_only(cards, show)),
            "statuses": HousekeepingStatus.choices,
            "may_block": request.user.has_perm("rooms.add_roomblock"),
        }
        return TemplateResponse(request, "desk/housekeeping.html", context)


def _word(show: str) -> str:
    """Return what a choice of rooms is called."""
    words = {"": _("All"), "needed": _("Needed today"), **dict(HousekeepingStatus.choices)}
    return str(words[show])


def _cards() -> list[Card]:
    """Return all rooms in use, by floor and number."""
    today = business_date()
    house = queries.house(today)
    guests = {stay.room_id: stay for stay in queries.in_house()}
    arrivals = {
        stay.room_id: stay for stay in queries.arriving(today) if stay.status != "checked_in"
    }
    return [
        Card(room, guests.get(key), arrivals.get(key), house.blocks.get(key))
        for key, room in house.rooms.items()
    ]


def _only(cards: list[Card], show: str) -> list[Card]:
    if show == "needed":
        return [card for card in cards if card.is_needed]
    return [card for card in cards if show in ("", card.room.housekeeping_status)]


def _by_floor(cards: list[Card]) -> list[tuple[int | None, list[Card]]]:
    """Return the floors with their rooms, those that are needed today first."""
    return [
        (floor, sorted(of_floor, key=lambda card: not card.is_needed))
        for floor, of_floor in groupby(cards, key=lambda card: card.room.floor)
    ]


def _set(request: HttpRequest, show: str) -> HttpResponse:
    """Set one room or the ticked ones, say what became of each, and show the page again."""
    key, _colon, status = request.POST.get("set", "").partition(":")
    keys = [key] if key else request.POST.getlist("room")[:AT_ONCE]
    status = status or request.POST.get("all", "")
    rooms = Room.objects.filter(pk__in=[one for one in keys if one.isdecimal() and len(one) < 10])
    done = []
    for room in rooms.order_by("pk"):
        try:
            done.append(set_housekeeping(room, status, cast("User", request.user)))
        except Refused as refusal:
            if isinstance(refusal, Busy) and not done and not hasattr(request, "is_second_try"):
                raise  # BusyMiddleware tries again
            messages.error(request, str(refusal))
    if done:
        word = dict(HousekeepingStatus.choices)[status].lower()
        text = ngettext("Room %(rooms)s is %(word)s.", "Rooms %(rooms)s are %(word)s.", len(done))
        names = ", ".join(room.room_number for room in done)
        messages.success(request, text % {"rooms": names, "word": word})
    elif not rooms:
        messages.warning(request, _("Tick the rooms first."))
    address = reverse("admin:housekeeping") + (f"?{urlencode({'show': show})}" if show else "")
    return HttpResponseRedirect(f"{address}#room-{key}" if key.isdecimal() else address)
