"""What the figures of the house are: counts, and occupancy, ADR and RevPAR that follow from them.

The formulas and words are those of the trade (STR): rooms sold are nights that were sold, room
revenue is what these nights cost, whenever it was paid. Ratios are exact fractions, so that
occupancy times ADR is RevPAR and not nearly so; they are rounded where they are shown.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
COUNTS = (
    "rooms",
    "rooms_out_of_order",
    "rooms_sold",
    "arrivals",
    "departures",
    "cancellations",
    "no_shows",
)


class Formulas:
    """What follows from the counts and the revenue of one row, or of a sum of rows.

    A ratio is None where there is nothing to divide by.
    """

    rooms: int
    rooms_out_of_order: int
    rooms_sold: int
    room_revenue: Decimal

    @property
    def rooms_available(self) -> int:
        """Return the rooms that could be sold: all but those out of order."""
        return self.rooms - self.rooms_out_of_order

    @property
    def occupancy(self) -> Fraction | None:
        """Return the share of the available rooms that was sold; above 1 in an overbooked house."""
        return _ratio(self.rooms_sold, self.rooms_available)

    @property
    def occupancy_of_all_rooms(self) -> Fraction | None:
        """Return the share of all rooms, those out of order included, that was sold."""
        return _ratio(self.rooms_sold, self.rooms)

    @property
    def adr(self) -> Fraction | None:
        """Return the average daily rate: revenue per room sold, in the hotel's currency."""
        return _ratio(self.room_revenue, self.rooms_sold)

    @property
    def revpar(self) -> Fraction | None:
        """Return the revenue per available room, in the hotel's currency."""
        return _ratio(self.room_revenue, self.rooms_available)


@dataclass
class Total(Formulas):
    """The sum of rows: of a day over the room types, of a period over its days.

    Over several days the rooms are nights of rooms.
    """

    rooms: int = 0
    rooms_out_of_order: int = 0
    rooms_sold: int = 0
    room_revenue: Decimal = Decimal(0)
    arrivals: int = 0
    departures: int = 0
    cancellations: int = 0
    no_shows: int = 0

    def add(self, row: Formulas) -> None:
        """Add a row of ``DailyMetrics``, or another total."""
        for name in (*COUNTS, "room_revenue"):
            setattr(self, name, getattr(self, name) + getattr(row, name))


def total(rows: Iterable[Any]) -> Total:
    """Return the sum of the rows."""
    whole = Total()
    for row in rows:
        whole.add(row)
    return whole


def totals(rows: Iterable[Any], key: Callable[[Any], K]) -> dict[K, Total]:
    """Return the sum of the rows for each value of ``key(row)``, in the order they come in."""
    sums: dict[K, Total] = {}
    for row in rows:
        sums.setdefault(key(row), Total()).add(row)
    return sums


def rounded(value: Fraction | Decimal | None, places: int = 2) -> Decimal | None:
    """Return a ratio as a Decimal with so many places, half a unit up; None stays None.

    value: zero or more.
    """
    if value is None:
        return None
    return Decimal(math.floor(value * 10**places + Fraction(1, 2))).scaleb(-places)


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None
