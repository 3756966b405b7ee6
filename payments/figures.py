"""The balance of a stay as pages about money show it, and who has changed it."""

from typing import Any

from hotel.meanwhile import Change, last_change
from hotel.refusals import Refused
from hotel.shown import Text
from payments.models import Event
from payments.services import account


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
    """Return who changed the balance of a stay last: by a payment, or by the stay itself."""
    paid = Event.objects.filter(payment__reservation=stay).select_related("by").order_by("-pk")
    event, other = paid.first(), last_change(stay)
    if event is None or event.at is None:
        return other
    return other if other and other.at and other.at > event.at else Change(event.by, event.at)
