"""What is done from Today with one press, because nothing has to be asked; and its undoing.

Each is one service, which has the last word. What would have to be asked is done on the act's own
page (hotel/actions.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from hotel.business_day import business_date
from hotel.refusals import Refused
from payments.folio import account
from reservations import services
from reservations.locks import lock_reservation
from reservations.models import Event, Reservation


@dataclass(frozen=True)
class Act:
    """One press.

    event: what the service records, by which its undoing knows it. done: the sentence that says
    so, of ``guest`` and ``room``. undo: the service that takes it back, if one press may.
    """

    label: str | Promise
    permission: str
    run: Callable[[Reservation, User], Any]
    event: str
    done: str | Promise
    undo: Callable[[Reservation, User], Any] | None = None
    undone: str | Promise = ""


def check_out(stay: Reservation, by: User) -> Reservation:
    """Check the guests out, if no money changes hands by it: who gives it back, is asked how."""
    with transaction.atomic():
        locked = lock_reservation(stay)
        standing = account(locked)
        is_early = services.leaving(locked) < locked.check_out_date
        if standing.due or standing.held or is_early:
            raise Refused(_("There is money to settle: check them out on the page of the stay."))
        return services.check_out(stay, by)


ACTS = {
    "check-in": Act(
        gettext_lazy("Check in"),
        "reservations.check_in_reservation",
        services.check_in,
        "checked_in",
        gettext_lazy("%(guest)s is checked in to %(room)s."),
        services.undo_check_in,
        gettext_lazy("The check-in of %(guest)s is undone."),
    ),
    "check-out": Act(
        gettext_lazy("Check out"),
        "reservations.check_out_reservation",
        check_out,
        "checked_out",
        gettext_lazy("%(guest)s is checked out of %(room)s."),
        services.undo_check_out,
        gettext_lazy("The check-out of %(guest)s is undone."),
    ),
    "confirm": Act(
        gettext_lazy("Confirm"),
        "reservations.check_in_reservation",
        services.confirm,
        "confirmed",
        gettext_lazy("The stay of %(guest)s is confirmed."),
    ),
}


def may_undo(event: Event | None, by: User) -> bool:
    """Return whether an act, the last of its stay, is one that ``by`` has done and may take back.

    That is for who did it, on the business day of it; a manager reinstates on the stay's own page.
    """
    return (
        event is not None
        and event.by_id == by.pk
        and event.business_date == business_date()
        and any(act.undo and act.event == event.what for act in ACTS.values())
    )


def undo(stay: Reservation, act: Act, by: User) -> None:
    """Take back an act of today that was the user's own and the last of its stay.

    Raises Refused if it was not, or if the service refuses.
    """
    with transaction.atomic():
        lock_reservation(stay)
        last = stay.events.order_by("-pk").first()
        if last is None or last.what != act.event or not may_undo(last, by) or act.undo is None:
            raise Refused(
                _("%(stay)s has changed since, or it was not you who did it: look at the stay.")
                % {"stay": stay}
            )
        act.undo(stay, by)
