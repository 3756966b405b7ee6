"""The database lets parts follow what is written of a stay alone, and add up to their stay."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.tests.back_office import reservation, room
from hotel.migrator.constraints import refuse_clashes
from reservations.models import Reservation, StayPart

DAYS = [date(2025, 11, day) for day in range(31) if day]


def on(day):
    return date(2025, 11, day)


@pytest.fixture
def stay(db):
    """A confirmed stay for five nights from the 8th, in room 101."""
    return reservation(
        "FIRST", room=room("101"), check_in_date=on(8), check_out_date=on(13), status="confirmed"
    )


def told(stay):
    """Return the parts of a stay: number of the room, first day, day after the last, present."""
    return [
        (part.room and str(part.room), part.start_date.day, part.end_date.day, part.is_present)
        for part in stay.parts.select_related("room").order_by("start_date", "pk")
    ]


def cut(stay, day, other):
    """Let the nights from a day on be in another room, the stay being where it was."""
    with transaction.atomic():
        part = stay.parts.order_by("start_date").last()
        after, part.end_date = part.end_date, on(day)
        part.save()
        StayPart.objects.create(
            reservation=stay,
            room=other,
            room_type=part.room_type,
            start_date=on(day),
            end_date=after,
            status=stay.status,
        )


def write(stay, **columns):
    """Write a stay as the previous release does: without a word of parts."""
    Reservation.objects.filter(pk=stay.pk).update(**columns)
    return told(stay)


def test_a_new_stay_has_one_part(stay):
    assert told(stay) == [("101", 8, 13, True)]
    assert stay.parts.get().status == "confirmed"
    assert told(reservation("SECOND", room=None, check_in_date=on(1), check_out_date=on(2))) == [
        (None, 1, 2, True)
    ]


def test_the_part_follows_dates_room_type_and_status(stay):
    other = room("102")
    assert write(stay, check_in_date=on(20), check_out_date=on(21)) == [("101", 20, 21, True)]
    assert write(stay, check_in_date=on(1), check_out_date=on(3)) == [("101", 1, 3, True)]
    assert write(stay, room=other) == [("102", 1, 3, True)]
    assert write(stay, room=None) == [(None, 1, 3, True)]
    kind = type(other.room_type).objects.create(name="Suite", code="SUI", default_rate=1)
    write(stay, room_type=kind, status="cancelled")
    part = stay.parts.get()
    assert (part.room_type, part.status) == (kind, "cancelled")


def test_parts_follow_new_dates_at_both_ends(stay):
    cut(stay, 10, room("102"))
    assert told(stay) == [("101", 8, 10, True), ("102", 10, 13, False)]
    assert write(stay, check_in_date=on(7), check_out_date=on(15)) == [
        ("101", 7, 10, True),
        ("102", 10, 15, False),
    ]
    assert write(stay, check_in_date=on(9), check_out_date=on(11)) == [
        ("101", 9, 10, True),
        ("102", 10, 11, False),
    ]


@pytest.mark.parametrize("first, after", [(10, 15), (5, 10), (20, 25), (1, 3)])
def test_parts_that_do_not_fit_new_dates_are_one_in_the_present_room(stay, first, after):
    cut(stay, 10, room("102"))
    assert write(stay, check_in_date=on(first), check_out_date=on(after)) == [
        ("101", first, after, True)
    ]


def test_parts_that_agree_with_what_is_written_stay_as_they_are(stay):
    cut(stay, 10, room("102"))
    before = told(stay)
    stay.refresh_from_db()
    stay.save()
    assert told(stay) == before


def test_another_present_room_is_that_of_the_present_part(stay):
    cut(stay, 10, room("102"))
    assert write(stay, room=room("103")) == [("103", 8, 10, True), ("102", 10, 13, False)]


def test_a_stay_that_is_deleted_takes_its_parts(stay):
    Reservation.objects.filter(pk=stay.pk).delete()
    assert not StayPart.objects.exists()


def test_a_stay_deleted_by_sql_takes_its_parts(stay):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reservations")
    assert not StayPart.objects.exists()


# What does not add up


def refuses(change, rule="stay_parts_make_the_stay"):
    """Return whether the database refuses a change, and names the rule."""
    try:
        with transaction.atomic():
            change()
            refuse_clashes(connection)
    except IntegrityError as error:
        assert rule in str(error)
        return True
    return False


@pytest.mark.parametrize(
    "columns",
    [
        {"end_date": on(12)},
        {"end_date": on(14)},
        {"start_date": on(9)},
        {"status": "checked_out"},
        {"room": None},
        {"is_present": False},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_a_part_alone_must_be_the_stay(stay, columns):
    assert refuses(lambda: StayPart.objects.update(**columns))


def test_parts_must_follow_one_another_from_the_first_night_to_the_last(stay):
    cut(stay, 10, room("102"))
    first, second = stay.parts.order_by("start_date")

    def write(part, **columns):
        return lambda: StayPart.objects.filter(pk=part.pk).update(**columns)

    assert refuses(write(first, end_date=on(9)))  # a night without a room
    assert refuses(write(first, end_date=on(11)))  # a night in two
    assert refuses(write(second, start_date=on(9)))
    assert refuses(write(second, end_date=on(10)))
    assert refuses(write(second, status="pending"))
    assert refuses(write(second, start_date=on(13), end_date=on(13)))
    assert refuses(StayPart.objects.filter(pk=first.pk).delete)
    assert refuses(StayPart.objects.all().delete)
    assert refuses(write(first, room=room("103")))  # the stay says another one
    assert not refuses(write(second, room=room("104")))


def test_a_part_without_a_night_is_refused_beside_others(stay):
    cut(stay, 10, room("102"))

    def add():
        StayPart.objects.create(
            reservation=stay,
            room_type=stay.room_type,
            start_date=on(10),
            end_date=on(10),
            status=stay.status,
        )

    assert refuses(add)


def test_parts_cannot_go_to_another_stay(stay):
    other = reservation("SECOND", room=None, check_in_date=on(8), check_out_date=on(13))
    mine = StayPart.objects.filter(reservation=stay)
    assert refuses(lambda: mine.update(reservation=other, is_present=False))


def test_parts_may_be_written_before_the_stay(stay):
    other = room("102")
    with transaction.atomic():
        part = stay.parts.get()
        part.end_date, part.is_present = on(10), False
        part.save()
        StayPart.objects.create(
            reservation=stay,
            room=other,
            room_type=part.room_type,
            start_date=on(10),
            end_date=on(15),
            status=stay.status,
            is_present=True,
        )
        assert write(stay, room=other, check_out_date=on(15)) == [
            ("101", 8, 10, False),
            ("102", 10, 15, True),
        ]


# Double booking


def test_a_room_is_free_for_others_on_the_nights_that_a_stay_is_elsewhere(stay):
    cut(stay, 10, room("102"))
    taken = "stay_parts_no_double_booking"

    def book(number, at, first, after):
        dates = {"check_in_date": on(first), "check_out_date": on(after)}
        return lambda: reservation(number, room=at, status="confirmed", **dates)

    assert not refuses(book("SECOND", stay.room, 10, 12))
    assert refuses(book("THIRD", stay.room, 9, 10), taken)
    assert refuses(book("FOURTH", stay.parts.get(is_present=False).room, 12, 14), taken)


def test_a_stay_cannot_be_cut_into_a_room_that_is_taken(stay):
    dates = {"check_in_date": on(12), "check_out_date": on(14)}
    other = reservation("SECOND", room=room("102"), status="confirmed", **dates)
    assert refuses(lambda: cut(stay, 10, other.room), "stay_parts_no_double_booking")
    assert not refuses(lambda: cut(stay, 10, room("103")))
