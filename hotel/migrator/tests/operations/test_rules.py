"""Rules on a throw-away app: old rows are exempt, everything else keeps them, on both engines."""

import random
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from hotel.migrator.tests.operations.stays import EXEMPT, NEW, exempt, insert, refused


def test_rows_that_break_a_rule_are_exempt_from_it_and_no_others(ruled, history):
    assert exempt(history) == EXEMPT


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_clash_are_those_of_which_a_pair_does(stays, history, seed):
    chance = random.Random(seed)
    first = date(2026, 1, 1)
    rows = []
    for key in range(20, 70):
        arrival = first + timedelta(chance.randrange(20))
        departure = chance.choice([None, *(arrival + timedelta(days) for days in range(-2, 5))])
        status = chance.choice(["booked", "in", "left"])
        rows.append((key, chance.choice([None, 21, 22, 23, 24]), arrival, departure, status))
        insert(history, *rows[-1])

    def clash(one, other):
        if one[0] == other[0] or one[1] is None or one[1] != other[1]:
            return False
        live = {one[4], other[4]} <= {"booked", "in"}
        nights = [(row[2], row[3] or date.max) for row in (one, other)]
        real = all(arrival < departure for arrival, departure in nights)
        return live and real and nights[0][0] < nights[1][1] and nights[1][0] < nights[0][1]

    expected = {one[0] for one in rows if any(clash(one, other) for other in rows)}
    stays.migrate()
    found = {key for key, names in exempt(history).items() if key >= 20 and "no_overlap" in names}
    assert found == expected
    assert 5 < len(found) < len(rows)


def test_rules_come_and_go_and_leave_nothing_behind(stays, project, history):
    before = project.facts()
    stays.migrate()
    after = project.facts()
    stays.migrate("0001")
    assert project.facts() == before
    stays.migrate()
    assert project.facts() == after
    if connection.vendor == "postgresql":
        triggers = "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal"
    else:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    triggers = f"SELECT name FROM ({triggers}) AS found WHERE name NOT LIKE 'migrator%'"
    assert len(history.execute(triggers)) == (5 if connection.vendor == "postgresql" else 19)
    stays.migrate("0001")
    assert history.execute(triggers) == []


@pytest.mark.parametrize(
    "row",
    [
        "1, '2026-01-02', '2026-01-03', 'booked', NULL",  # over an exempt stay
        "1, '2025-12-01', NULL, 'in', NULL",  # without an end
        "5, '2030-01-01', '2030-01-02', 'booked', NULL",  # over one without an end
        "2, '2027-01-01', '2027-01-02', 'in', NULL",  # a third one in house
        "9, '2027-01-01', '2027-01-01', 'booked', NULL",
        "9, '2027-01-01', '2027-01-02', 'booked', 'oNe'",
        "9, '2027-01-01', '2027-01-02', 'booked', '100 %s'",
        "9, '2027-01-01', '2027-01-02', 'booked', 'it''s'",
        "9, '2027-01-01', '2027-01-02', 'booked', 'a\\b'",
    ],
)
def test_new_row_keeps_the_rules(ruled, history, row):
    assert refused(history, NEW.format(row))


@pytest.mark.parametrize(
    "row",
    [
        "1, '2026-01-09', '2026-01-10', 'booked', NULL",  # the next neighbour
        "1, '2025-12-31', '2026-01-01', 'booked', NULL",  # the one before
        "1, '2026-01-02', '2026-01-03', 'cancelled', NULL",
        "NULL, '2026-01-02', '2026-01-03', 'in', NULL",
        "2, '2026-01-01', '2026-01-02', 'cancelled', 'two'",
        "3, '2026-01-02', '2026-01-03', 'booked', NULL",  # what ends before it begins takes nothing
        "1, '2027-01-02', '2027-01-03', 'in', '100 %'",
    ],
)
def test_new_row_that_keeps_the_rules_stands(ruled, history, row):
    assert not refused(history, NEW.format(row))


def test_no_row_is_born_exempt(ruled, history):
    claimed = '{"dates_in_order": 1, "no_overlap": 1, "one_in_house": 1}'
    for room, arrival, departure, status in (
        (9, "2027-01-02", "2027-01-01", "booked"),
        (1, "2026-01-02", "2026-01-03", "booked"),
        (2, "2027-01-01", "2027-01-02", "in"),
    ):
        with pytest.raises(IntegrityError):
            insert(history, None, room, arrival, departure, status, exemptions=claimed)
    insert(history, 50, 9, "2027-01-01", "2027-01-02", "booked", exemptions=claimed)
    assert exempt(history)[50] == set()


def test_no_row_is_made_exempt(ruled, history):
    history.execute("""UPDATE annexe_stay SET exemptions = '{"dates_in_order": 1}' WHERE id = 8""")
    assert exempt(history)[8] == set()
    assert refused(
        history,
        """UPDATE annexe_stay SET departure = '2025-01-01', exemptions = '{"dates_in_order": 1}'
        WHERE id = 8""",
    )


@pytest.mark.parametrize(
    "change",
    [
        "departure = '2026-01-06' WHERE id = 1",  # longer
        "departure = '2026-01-09' WHERE id = 2",  # over an exempt neighbour
        "arrival = '2026-01-03' WHERE id = 2",  # other dates
        "room = 2 WHERE id = 1",  # into a room with a stay of those nights
        "room = room + 4 - 4, arrival = '2026-01-02' WHERE id = 1",
        "status = 'booked' WHERE id = 9",  # reinstated
        "status = 'in' WHERE id = 1",
        "room = 1, arrival = '2026-01-01', departure = '2026-01-09' WHERE id = 4",
        "departure = '2026-01-08' WHERE id = 6",
        "note = 'ONE' WHERE id = 1",
        "note = 'a\\b' WHERE id = 7",
    ],
)
def test_change_of_what_a_rule_reads_ends_the_exemption(ruled, history, change):
    before = history.dump()
    assert refused(history, f"UPDATE annexe_stay SET {change}")
    assert history.dump() == before


@pytest.mark.parametrize(
    "change, key, left",
    [
        ("departure = '2026-01-04' WHERE id = 1", 1, {"note_unique"}),
        ("room = 8 WHERE id = 2", 2, {"note_unique"}),
        ("status = 'cancelled' WHERE id = 2", 2, {"note_unique"}),
        ("departure = '2026-01-10' WHERE id = 6", 6, set()),
        ("note = 'other' WHERE id = 1", 1, {"no_overlap"}),
        ("status = 'out' WHERE id = 4", 4, set()),
    ],
)
def test_row_that_is_mended_stands_and_is_not_exempt_any_more(ruled, history, change, key, left):
    assert not refused(history, f"UPDATE annexe_stay SET {change}")
    assert exempt(history)[key] == left
    others = {other: names for other, names in EXEMPT.items() if other != key}
    assert {other: exempt(history)[other] for other in others} == others


def test_other_columns_of_an_exempt_row_can_be_edited(ruled, history):
    history.execute("UPDATE annexe_stay SET note = 'new' WHERE id IN (3)")
    history.execute("UPDATE annexe_stay SET room = room, arrival = arrival, status = status")
    stay = history.model("annexe.Stay").objects.get(pk=6)
    stay.note = "edited"
    stay.save()  # writes every column
    assert exempt(history) == EXEMPT


def test_exempt_row_that_was_moved_away_does_not_come_back(ruled, history):
    history.execute("UPDATE annexe_stay SET room = 8 WHERE id = 2")
    assert refused(history, "UPDATE annexe_stay SET room = 1 WHERE id = 2")


def test_two_in_house_swap_their_rooms(ruled, history):
    insert(history, 60, 6, "2027-01-01", "2027-01-05", "in")
    insert(history, 61, 7, "2027-01-01", "2027-01-05", "in")
    with transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        history.execute("UPDATE annexe_stay SET room = 7 WHERE id = 60")
        history.execute("UPDATE annexe_stay SET room = 6 WHERE id = 61")
    history.execute("UPDATE annexe_stay SET room = 13 - room WHERE id IN (60, 61)")
    rooms = history.execute("SELECT id, room FROM annexe_stay WHERE id IN (60, 61) ORDER BY id")
    assert rooms == [(60, 6), (61, 7)]


def test_half_a_swap_is_refused_at_its_end(ruled, history):
    insert(history, 60, 6, "2027-01-01", "2027-01-05", "in")
    insert(history, 61, 7, "2027-01-01", "2027-01-05", "in")
    with pytest.raises(IntegrityError), transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        history.execute("UPDATE annexe_stay SET room = 7 WHERE id = 60")
    assert history.execute("SELECT room FROM annexe_stay WHERE id = 60") == [(6,)]


def test_clash_that_is_deleted_or_rolled_back_leaves_no_trace(ruled, history):
    with transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        insert(history, 60, 1, "2026-01-01", "2026-01-05", "booked")
        history.execute("DELETE FROM annexe_stay WHERE id = 60")
        try:
            with transaction.atomic():
                insert(history, 61, 1, "2026-01-01", "2026-01-05", "booked")
                raise LookupError
        except LookupError:
            pass
    if connection.vendor == "sqlite":
        assert history.execute("SELECT * FROM migrator_conflicts") == []
    connection.check_constraints()
