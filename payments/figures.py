"""The balance of a stay as pages about money show it, and who has changed it."""

from datetime import UTC, datetime
from typing import Any

from hotel.meanwhile import Change, last_change
from hotel.refusals import Refused
from hotel.shown import Text
from payments.folio import account
from payments.models import ChargeEvent, Event

EARLIEST = datetime.min.replace(tzinfo=UTC)


def balance(stay: Any) -> dict[str, Text]:
    """Return what is due and what is held of a stay, as the figures that a form rests on.

    None of an account that nobody can add up: the service says so.
    """
    try:
        standing = account(stay)
    except Refused:
        return {}
    return {"what is due": f"{standing.due:,f}", "the deposit held": f"{standing.held:,f}"}


def last_balanced(stay: Any) -> Change | None:
    """Return who changed the balance of a stay last: by money, a charge, or the stay itself."""
    told = (
        Event.objects.filter(payment__reservation=stay),
        ChargeEvent.objects.filter(charge__reservation=stay),
    )
    events = [rows.select_related("by").order_by("-pk").first() for rows in told]
    changes = [Change(event.by, event.at) for event in events if event and event.at]
    if other := last_change(stay):
        changes.append(other)
    return max(changes, key=lambda change: change.at or EARLIEST, default=None)
