"""What the page of a stay shows besides its form: its head, its folio, its nights and its log."""

from typing import Any

from accounts.models import User
from hotel.business_day import business_date
from hotel.refusals import Refused
from payments.folio import Folio, folio
from reservations.models import Reservation, ReservationStatus

EVENTS_SHOWN = 30
PENDING, CONFIRMED, CHECKED_IN, *_ = ReservationStatus


def shown(stay: Reservation, user: User) -> dict[str, Any]:
    """Return the context of the page, as far as the user may see it.

    primary: the name of the act that comes next; "" if nothing does, or not from here.
    """
    context: dict[str, Any] = {
        "parts": stay.parts.select_related("room", "room_type").order_by("start_date"),
        "events": [],
        "today": business_date(),
    }
    if user.has_perm("reservations.view_event"):
        events = stay.events.select_related("by").order_by("-pk")
        context["events"] = events[:EVENTS_SHOWN]
    ledger = None
    if user.has_perm("payments.view_payment"):
        try:
            ledger = folio(stay)
        except Refused as refusal:
            context["unclear"] = str(refusal)
        context |= {"folio": ledger, "may_see_money": True}
    return {**context, "primary": primary(stay, ledger)}


def primary(stay: Reservation, ledger: Folio | None) -> str:
    """Return the name of the act that comes next by the state of the stay, or ""."""
    if stay.status == PENDING:
        return "confirm"
    if stay.status == CONFIRMED and stay.check_in_date <= business_date() < stay.check_out_date:
        return "check-in"
    if stay.status == CHECKED_IN:
        return "pay" if ledger and ledger.balance > ledger.held else "check-out"
    return ""
