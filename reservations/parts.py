"""What parts a stay has: the nights in each of its rooms, as the database lets them follow a stay.

A service changes a stay in memory, asks here which parts it will have, decides about these, and
saves: first the parts, if they are not those that follow by themselves, and then the stay.
"""

from reservations.models import Reservation, StayPart


def planned(stay: Reservation) -> list[StayPart]:
    """Return the parts that the stay will have when it is saved, in order, not saved themselves.

    Rule: ``hotel.migrator.constraints.HasParts``, which is what the database does.
    """
    stands = [] if stay._state.adding else list(stay.parts.order_by("start_date", "pk"))
    if not stands:
        stands = [StayPart(reservation=stay, room_type_id=stay.room_type_id, is_present=True)]
    arrival, departure = stay.check_in_date, stay.check_out_date
    if len(stands) > 1 and not (stands[0].end_date > arrival and stands[-1].start_date < departure):
        stands = [part for part in stands if part.is_present]
    stands[0].start_date, stands[-1].end_date = arrival, departure
    for part in stands:
        part.reservation, part.status = stay, stay.status
        if part.is_present:
            part.room = stay.room
        if len(stands) == 1:
            part.room_type = stay.room_type
    return stands
