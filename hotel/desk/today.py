"""Today: the day's work on one page, and what one press does to it. It is the index of the site."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import User
from hotel.business_day import business_date
from hotel.columns import percent
from hotel.dashboard.charts import chart
from hotel.desk import queries
from hotel.desk.acts import ACTS, may_undo, undo
from hotel.desk.tags import day as said
from hotel.refusals import Busy, Refused
from payments.accounts import accounts
from payments.folio import Account
from reservations.models import Event, Reservation, ReservationStatus
from rooms.models import HousekeepingStatus

PENDING, CONFIRMED, CHECKED_IN, CHECKED_OUT, *_others = ReservationStatus
DIRTY = HousekeepingStatus.DIRTY


@dataclass(frozen=True)
class State:
    """What a row says of itself: a word, with its colour and its shape, and where it is sorted."""

    word: str | Promise
    colour: str
    shape: str
    place: int


READY = State(gettext_lazy("Ready"), "good", "check", 0)
DIRTY_ROOM = State(gettext_lazy("Dirty"), "warn", "up", 1)
DUE_OUT_FIRST = State(gettext_lazy("Due out today"), "warn", "up", 2)
NOT_CONFIRMED = State(gettext_lazy("Not confirmed"), "warn", "ring", 3)
NO_ROOM = State(gettext_lazy("No room yet"), "warn", "ring", 4)
TAKEN = State(gettext_lazy("Room taken"), "bad", "cross", 5)
NOT_SOLD = State(gettext_lazy("Room not sold"), "bad", "cross", 5)
IN_HOUSE = State(gettext_lazy("In house"), "now", "square", 9)
DUE_OUT = State(gettext_lazy("Due out"), "warn", "up", 1)
OVERSTAY = State(gettext_lazy("Overstay"), "bad", "diamond", 0)
GONE = State(gettext_lazy("Left"), "", "check", 9)


@dataclass(frozen=True)
class Row:
    """A stay on a list of Today.

    press: the name of the act that one press does; asks: the name of the page that asks first, and
    label what its button says. event: what was done last today.
    """

    stay: Reservation
    state: State
    account: Account | None
    press: str = ""
    asks: str = ""
    label: str | Promise = ""
    event: Event | None = None
    may_undo: bool = False

    @property
    def undo_name(self) -> str:
        """Return the name of the act that takes back what was done last."""
        return "undo-check-out" if self.state is GONE else "undo-check-in"

    @property
    def is_done(self) -> bool:
        """Return whether nothing is left to do for it today."""
        return self.state in (IN_HOUSE, GONE)


class TodayPage(admin.AdminSite):
    """A part of the admin site: its index, for everybody; who may see no stays gets the rooms."""

    def get_urls(self) -> list[Any]:
        """Return the addresses of the site, those of the acts included."""
        act = self.admin_view(require_POST(self.act_view))
        return [
            path("today/<int:pk>/<slug:name>/", act, name="press"),
            *super().get_urls(),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the day, or tomorrow's: ``?day=tomorrow``."""
        is_tomorrow = request.GET.get("day") == "tomorrow"
        page = Day(cast("User", request.user), is_tomorrow)
        context = {
            **self.each_context(request),
            "title": _("Tomorrow") if is_tomorrow else _("Today"),
            "page": page,
            "currency": settings.HOTEL_CURRENCY,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "desk/today.html", context)

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Do what one press asks for, or take it back (``undo-…``), and show Today again."""
        act = ACTS.get(name.removeprefix("undo-"))
        if act is None or (name not in ACTS and act.undo is None):
            raise Http404
        if not request.user.has_perm(act.permission):
            raise PermissionDenied(act.permission)
        by = cast("User", request.user)
        stay = get_object_or_404(Reservation.objects.select_related("guest", "room"), pk=pk)
        names = {"guest": stay.guest.full_name, "room": stay.room or _("no room")}
        try:
            if name in ACTS:
                act.run(stay, by)
                back = reverse("admin:press", args=[pk, f"undo-{name}"]) if act.undo else ""
                messages.success(request, act.done % names, extra_tags=back)
            else:
                undo(stay, act, by)
                messages.success(request, act.undone % names)
            note = f"{act.label}." if name in ACTS else f"Undo: {act.label}."
            self.get_model_admin(Reservation).log_change(request, stay, note)
        except Refused as refusal:
            if isinstance(refusal, Busy) and not hasattr(request, "is_second_try"):
                raise  # BusyMiddleware tries again
            messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:index"))


class Day:
    """What the page of a day shows to a user; each part is read when the page asks for it."""

    def __init__(self, user: User, is_tomorrow: bool) -> None:
        self.user = user
        self.is_tomorrow = is_tomorrow
        today = business_date()
        self.date = today + queries.NIGHT if is_tomorrow else today
        self.may_see_stays = user.has_perm("reservations.view_reservation")
        self.may_see_money = user.has_perm("payments.view_payment")
        self.may_see_figures = user.has_perm("dashboard.view_dailymetrics")
        self.house = queries.house(self.date)
        self.guests_in_house = queries.in_house()
        self.by_room = {stay.room_id: stay for stay in self.guests_in_house}
        arriving = queries.arriving(self.date)
        leaving = [stay for stay in self.guests_in_house if stay.check_out_date <= self.date]
        if is_tomorrow:
            leaving = [stay for stay in leaving if stay.check_out_date == self.date]
            late, gone = [], []
        else:
            late, gone = queries.late(self.date), queries.departed(self.date)
        listed = [*arriving, *late, *self.guests_in_house, *gone]
        self.accounts = accounts(listed) if self.may_see_money else {}
        self.events = queries.last_acts([*arriving, *gone], today)
        self.arrivals = sorted(map(self._arrival, arriving), key=lambda row: row.state.place)
        self.late = [self._arrival(stay) for stay in late]
        self.departures = sorted(
            [*map(self._departure, leaving), *map(self._departure, gone)],
            key=lambda row: row.state.place,
        )
        self.in_house = [Row(s, IN_HOUSE, self._account(s)) for s in self.guests_in_house]
        self.nights = queries.on_the_books(self.date) if self.may_see_stays else []

    # Figures of the tiles

    @property
    def arrived(self) -> int:
        """Return how many of the arrivals are in the house."""
        return sum(row.is_done for row in self.arrivals)

    @property
    def left(self) -> int:
        """Return how many of the departures are over."""
        return sum(row.is_done for row in self.departures)

    @property
    def overstays(self) -> int:
        """Return how many guests are in the house past their last night."""
        return sum(row.state is OVERSTAY for row in self.departures)

    @property
    def people(self) -> int:
        """Return how many guests are in the house."""
        return sum((s.adults or 0) + (s.children or 0) for s in self.guests_in_house)

    @property
    def unpaid(self) -> list[Row]:
        """Return the stays in house that owe, the most first."""
        owing = [row for row in self.in_house if row.account and row.account.owed > 0]
        return sorted(owing, key=lambda row: -row.account.owed if row.account else 0)

    @property
    def owing(self) -> Decimal:
        """Return what is owed in the house, in the hotel's currency."""
        return sum((row.account.owed for row in self.unpaid if row.account), Decimal(0))

    @property
    def tonight(self) -> queries.Night:
        """Return the night of the day."""
        return self.nights[0]

    @property
    def chart(self) -> Any:
        """Return the bars of the nights on the books."""
        return chart(
            _("Occupancy"),
            [(said(night.day), night.occupancy, True) for night in self.nights],
            percent,
            full=1,
        )

    @property
    def states(self) -> list[tuple[str, Any]]:
        """Return the states that rooms are in, each with its rooms."""
        order = ("dirty", "clean", "inspected", "out_of_order", "out_of_service", "house_use")
        return [
            (state, self.house.of_state(state)) for state in order if state in self.house.states
        ]

    # Rows

    def _account(self, stay: Reservation) -> Account | None:
        return self.accounts.get(stay.pk)

    def _may(self, act: str) -> bool:
        return not self.is_tomorrow and self.user.has_perm(ACTS[act].permission)

    def _arrival(self, stay: Reservation) -> Row:
        event = self.events.get(stay.pk)
        if stay.status == CHECKED_IN:
            mine = event is not None and event.what == "checked_in" and may_undo(event, self.user)
            return Row(
                stay,
                IN_HOUSE,
                self._account(stay),
                event=event,
                may_undo=mine and self._may("check-in"),
            )
        state = self._readiness(stay)
        press = asks = label = ""
        if state is NOT_CONFIRMED and self._may("confirm"):
            press = "confirm"
        elif state is READY and self._may("check-in"):
            press = "check-in"
        elif state in (TAKEN, NOT_SOLD) and self.user.has_perm("reservations.move_reservation"):
            asks, label = "move", _("Other room…")
        elif self._may("check-in") and stay.status == CONFIRMED:
            asks, label = "check-in", _("Check in…")
        return Row(stay, state, self._account(stay), press, asks, label)

    def _readiness(self, stay: Reservation) -> State:
        """Return what stands in the way of checking a stay in, if anything does."""
        if stay.status == PENDING:
            return NOT_CONFIRMED
        if not stay.room:
            return NO_ROOM
        if stay.room_id not in self.house.rooms or stay.room_id in self.house.blocks:
            return NOT_SOLD
        other = self.by_room.get(stay.room_id)
        if other:
            return DUE_OUT_FIRST if other.check_out_date == self.date else TAKEN
        return DIRTY_ROOM if stay.room.housekeeping_status == DIRTY else READY

    def _departure(self, stay: Reservation) -> Row:
        account, event = self._account(stay), self.events.get(stay.pk)
        if stay.status == CHECKED_OUT:
            mine = event is not None and event.what == "checked_out" and may_undo(event, self.user)
            return Row(stay, GONE, account, event=event, may_undo=mine and self._may("check-out"))
        state = OVERSTAY if stay.check_out_date < self.date else DUE_OUT
        press = asks = label = ""
        if account and account.owed > 0 and self.user.has_perm("payments.add_payment"):
            asks, label = "pay", _("Settle…")
        elif self._may("check-out"):
            if account and not account.due and not account.held:
                press = "check-out"
            else:
                asks, label = "check-out", _("Check out…")
        return Row(stay, state, account, press, asks, label)
