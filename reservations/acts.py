"""What each act on a stay has in common: the statuses it is possible in, and how it is saved."""

from collections.abc import Sequence

from accounts.models import User
from hotel.events import changed, record
from hotel.refusals import Refused
from hotel.rules import validate
from reservations import parts as of_stay
from reservations.models import Reservation, StayPart


def require(stay: Reservation, what: str, *statuses: str) -> None:
    """Raise Refused unless the stay has one of the statuses."""
    if stay.status not in statuses:
        raise Refused(f"{stay} cannot be {what}: it is {stay.get_status_display().lower()}.")


def saved(
    stay: Reservation,
    what: str,
    by: User,
    reason: str | None = None,
    parts: Sequence[StayPart] | None = None,
) -> Reservation:
    """Save what was changed of a stay that keeps the rules, with the event of the act.

    parts: if they are not those that follow by themselves.
    """
    more = {}
    if parts is not None:
        more["parts"] = [of_stay.told(of_stay.stand(stay)), of_stay.told(parts)]
        of_stay.write(stay, parts)
    if stay._state.adding:
        validate(stay)
        stay.save(force_insert=True)
    else:
        fields = changed(stay)
        validate(stay, fields)
        stay.save(update_fields=[*fields, "updated_at"])
    record(stay, what, by, reason, **more)
    return stay
