"""Locks on reservations: held until the transaction ends, taken before those of rooms/locks.py."""

from django.conf import settings

from hotel.events import remember
from hotel.refusals import Refused
from reservations.models import Reservation


def lock_reservation(reservation: Reservation) -> Reservation:
    """Return the reservation as it is now, and let nobody else change it.

    Raises Refused if it is not in the hotel's currency: nobody could add up its amounts.
    """
    stay: Reservation = Reservation.objects.select_for_update(of=("self",)).get(pk=reservation.pk)
    if stay.currency != settings.HOTEL_CURRENCY:
        raise Refused(
            f"{stay} is in {stay.currency}, but the hotel's currency is {settings.HOTEL_CURRENCY}."
        )
    remember(stay)
    return stay


def lock_reservations(*reservations: Reservation) -> list[Reservation]:
    """Return the reservations in the order given, locked in the order of their keys."""
    in_order = sorted(reservations, key=lambda reservation: reservation.pk)
    locked = {reservation.pk: lock_reservation(reservation) for reservation in in_order}
    return [locked[reservation.pk] for reservation in reservations]
