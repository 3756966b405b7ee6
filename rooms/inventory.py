"""How many rooms of a type are left: pure counting, of rooms, what takes them, and nights."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

# What takes a room on its nights: the room (None: any of the type), from, and the first night
# after (None: for ever).
Taken = tuple[int | None, date, date | None]


def left_by_night(
    rooms: Collection[int], taken: Iterable[Taken], first: date, after: date
) -> dict[date, int]:
    """Return how many of the rooms are left on each night; below zero where it is oversold."""
    rows = list(taken)
    return {
        night: _left(rooms, rows, night)
        for night in (first + timedelta(days) for days in range((after - first).days))
    }


def _left(rooms: Collection[int], rows: Iterable[Taken], night: date) -> int:
    now = [room for room, start, end in rows if start <= night and not (end and end <= night)]
    return len(rooms) - now.count(None) - len({room for room in now if room})
