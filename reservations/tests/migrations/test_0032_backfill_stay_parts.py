"""Each stay gets one part, whatever the row is; parts survive the way down, and keep in step."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

BEFORE = ("reservations", "0029")
LAST = ("reservations", "0036")
# key: what a legacy row may be
ROWS = {
    1: {"room_id": 1},
    2: {"room_id": 1, "check_in_date": "2025-11-09", "check_out_date": "2025-11-12"},  # overlaps 1
    3: {"check_in_date": "2025-11-10", "check_out_date": "2025-11-10"},  # no night
    4: {"room_id": 2, "check_in_date": "2025-11-10", "check_out_date": "2025-11-07"},
    5: {"room_type_id": 2, "status": "cancelled"},
    6: {"room_id": 2, "check_in_date": "0001-01-01", "check_out_date": "9999-12-31"},
}
EXPECTED = {
    1: [(1, 1, "2025-11-08", "2025-11-10", "confirmed", True)],
    2: [(1, 1, "2025-11-09", "2025-11-12", "confirmed", True)],
    3: [(None, 1, "2025-11-10", "2025-11-10", "confirmed", True)],
    4: [(2, 1, "2025-11-10", "2025-11-07", "confirmed", True)],
    5: [(None, 2, "2025-11-08", "2025-11-10", "cancelled", True)],
    6: [(2, 1, "0001-01-01", "9999-12-31", "confirmed", True)],
}


def parts(history):
    """Return the parts of each stay: room, type, from, to, status, whether it is the present."""
    rows = history.execute(
        "SELECT reservation_id, room_id, room_type_id, start_date, end_date, status, is_present"
        " FROM stay_parts ORDER BY reservation_id, start_date, id"
    )
    told = {}
    for key, room, kind, start, end, status, present in rows:
        told.setdefault(key, []).append((room, kind, str(start), str(end), status, bool(present)))
    return told


@pytest.fixture
def stays(history):
    history.before(("reservations", "0014_add_rules"))  # which exempts what breaks its rules
    for key in (1, 2):
        legacy.room_type(history, key)
    for key in (1, 2):
        legacy.room(history, key)
    for key, columns in ROWS.items():
        legacy.reservation(history, key, **columns)
    return history.go(*BEFORE)


def exemptions(history, table):
    rows = history.execute(f"SELECT id, exemptions FROM {table} WHERE exemptions IS NOT NULL")
    return {key: str(value) for key, value in rows if "double" in str(value)}


def test_each_row_has_one_part_and_overlaps_stay_exempt(stays):
    history = stays
    assert sorted(exemptions(history, "reservations")) == [1, 2]
    for _ in range(2):
        history.go(*LAST)
        assert parts(history) == EXPECTED
        of = dict(history.execute("SELECT id, reservation_id FROM stay_parts"))
        exempt = exemptions(history, "stay_parts")
        assert sorted(of[key] for key in exempt) == [1, 2]
        assert exemptions(history, "reservations") == {}
        history.go(*BEFORE)
        assert sorted(exemptions(history, "reservations")) == [1, 2]


def test_a_stay_of_the_previous_release_between_the_steps_has_one_part(stays):
    history = stays.go("reservations", "0031")
    legacy.reservation(history, 7, room_id=2, status="cancelled")
    history.go(*LAST)
    assert parts(history) == {
        **EXPECTED,
        7: [(2, 1, "2025-11-08", "2025-11-10", "cancelled", True)],
    }


def split(history):
    """Let stay 1 have its second night in room 2, from where it is; return its parts."""
    history.execute("UPDATE reservations SET status = 'cancelled' WHERE id IN (2, 4, 6)")
    with transaction.atomic():
        history.execute(
            "UPDATE stay_parts SET end_date = '2025-11-09', is_present = false"
            " WHERE reservation_id = 1"
        )
        history.insert(
            "stay_parts",
            reservation_id=1,
            room_id=2,
            room_type_id=1,
            start_date="2025-11-09",
            end_date="2025-11-10",
            status="confirmed",
            is_present=True,
        )
        history.execute("UPDATE reservations SET room_id = 2 WHERE id = 1")
    return parts(history)[1]


def test_a_split_survives_the_way_down(stays):
    history = stays.go(*LAST)
    before = split(history)
    assert [part[0] for part in before] == [1, 2]
    history.go(*BEFORE).go(*LAST)
    assert parts(history)[1] == before


@pytest.mark.parametrize(
    "change, expected",
    [
        (
            "check_out_date = '2025-11-12', status = 'checked_out', checked_out_at = '2025-11-12'",
            [
                (1, 1, "2025-11-08", "2025-11-09", "checked_out", False),
                (2, 1, "2025-11-09", "2025-11-12", "checked_out", True),
            ],
        ),
        (
            "check_in_date = '2026-01-01', check_out_date = '2026-01-03', room_id = NULL,"
            " room_type_id = 2",
            [(None, 2, "2026-01-01", "2026-01-03", "confirmed", True)],
        ),
    ],
    ids=["longer", "other dates and no room"],
)
def test_what_is_written_of_a_stay_while_there_are_no_parts_is_followed(stays, change, expected):
    history = stays.go(*LAST)
    split(history)
    history.go(*BEFORE)
    history.execute(f"UPDATE reservations SET {change} WHERE id = 1")
    history.go(*LAST)
    assert parts(history)[1] == expected


def test_down_there_splits_that_share_a_room_are_exempt_and_no_new_stay_comes_between(stays):
    history = stays.go(*LAST)
    split(history)
    history.execute("UPDATE reservations SET status = 'cancelled' WHERE id = 3")
    # Room 2 is free before the second night: as a whole, the two stays clash there.
    legacy.reservation(
        history, 8, room_id=2, check_in_date="2025-11-07", check_out_date="2025-11-09"
    )
    history.go(*BEFORE)
    assert sorted(exemptions(history, "reservations")) == [1, 8]
    with (
        pytest.raises(IntegrityError, match=r"no_double_booking|FOREIGN KEY"),
        transaction.atomic(),
    ):
        legacy.reservation(history, 9, room_id=2)
    history.go(*LAST)
    assert [len(parts(history)[key]) for key in (1, 8)] == [2, 1]


def test_an_empty_table_stays_empty(history):
    history.before(("reservations", "0030_add_stay_parts")).go(*LAST)
    assert parts(history) == {}
