"""What must be true of reservations: the database refuses the rest, and a form says why."""

import os
import traceback
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.tests.back_office import reservation, room
from hotel.migrator.tests.legacy import reservation as legacy_stay
from hotel.migrator.tests.legacy import room as legacy_room
from reservations.models import Reservation, StayPart
from reservations.parts import planned

CHECKS = [
    ({"check_out_date": date(2025, 7, 1)}, "The guest must leave after the day of arrival."),
    ({"check_out_date": date(2025, 6, 1)}, "The guest must leave after the day of arrival."),
    ({"adults": 0}, "At least one adult must stay."),
    ({"children": -1}, "The number of children cannot be negative."),
    ({"rate_per_night": Decimal("-0.01")}, "The rate per night cannot be negative."),
    ({"discount_amount": Decimal("-1")}, "The discount cannot be negative."),
    (
        {"discount_amount": Decimal("1000000.01")},
        "The discount cannot be more than the subtotal.",
    ),
    ({"deposit_amount": Decimal("-1")}, "The deposit cannot be negative."),
    (
        {"status": "old_confirmed"},
        "The status is none of those a reservation can have.",
    ),
    ({"status": "checked_in"}, "A stay in house needs a room and a time of check-in."),
    (
        {"status": "checked_out"},
        "A stay that is over needs the time of its check-out.",
    ),
]


@pytest.mark.parametrize("change, sentence", CHECKS, ids=lambda part: str(part)[:40])
def test_a_stay_that_cannot_be_is_refused(db, change, sentence):
    stay = reservation()
    for name, value in change.items():
        setattr(stay, name, value)
    with pytest.raises(ValidationError) as refusal:
        stay.validate_constraints()
    assert refusal.value.messages == [sentence]
    with pytest.raises(IntegrityError), transaction.atomic():
        stay.save()


@pytest.mark.parametrize("name", ["subtotal", "total_amount"])
def test_an_amount_below_zero_is_refused(db, name):
    stay = reservation()
    with pytest.raises(IntegrityError), transaction.atomic():
        Reservation.objects.filter(pk=stay.pk).update(**{name: Decimal("-1")})


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["rate_per_night", "total_amount", "discount_amount"])
def test_an_amount_that_is_no_number_is_refused(db, name):
    stay = reservation()
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reservations SET {name} = 'NaN' WHERE id = %s", [stay.pk])


def test_the_nights_are_counted_by_the_database(db):
    stay = reservation()
    stay.refresh_from_db()
    assert stay.number_of_nights == 2
    stay.check_out_date = date(2025, 8, 1)
    stay.save()
    stay.refresh_from_db()
    assert stay.number_of_nights == 31


STAY = {"check_in_date": date(2025, 7, 1), "check_out_date": date(2025, 7, 3)}


@pytest.fixture
def booked(transactional_db):
    return reservation("FIRST", room=room("101"))


@pytest.mark.parametrize(
    "dates, is_free",
    [
        ((1, 3), False),
        ((2, 4), False),
        ((1, 2), False),
        ((3, 5), True),
        ((1, 9), False),
    ],
)
def test_a_room_is_never_booked_twice(booked, dates, is_free):
    first, last = (date(2025, 7, day) for day in dates)
    stay = {"room": booked.room, "check_in_date": first, "check_out_date": last}
    if is_free:
        reservation("SECOND", **stay)
        return
    with pytest.raises(IntegrityError):
        reservation("SECOND", **stay)
    part = {"room": booked.room, "start_date": first, "end_date": last, "status": "confirmed"}
    with pytest.raises(ValidationError, match="The room is booked for some of these nights"):
        StayPart(**part).validate_constraints()


@pytest.mark.parametrize("status", ["pending", "cancelled", "no_show"])
def test_a_stay_that_takes_no_room_does_not_block(booked, status):
    Reservation.objects.update(status=status)
    reservation("SECOND", room=booked.room)


def test_a_number_in_other_capitals_is_the_same_number(booked):
    with pytest.raises(IntegrityError):
        reservation("first")
    with pytest.raises(ValidationError, match="Another reservation has this confirmation number"):
        Reservation(confirmation_number="fIRST").validate_constraints()


# Twenty at once


def book_by_sql(history, key):
    legacy_stay(history, key, room_id=1, status="confirmed")


def book_by_form(history, key):
    stay = Reservation(
        pk=key,
        confirmation_number=f"FORM-{key}",
        guest_id=1,
        room_type_id=1,
        room_id=1,
        created_by_id=1,
        check_in_date=date(2025, 11, 8),
        check_out_date=date(2025, 11, 10),
        rate_per_night=1,
        subtotal=2,
        total_amount=2,
    )
    stay.full_clean()
    stay.save()


@pytest.mark.parametrize("book", [book_by_sql, book_by_form])
def test_twenty_processes_book_one_room_and_one_gets_it(history, book):
    history.at("head")
    legacy_stay(history, 1, status="cancelled")
    legacy_room(history, 1)
    answers = in_processes(20, lambda number: book(history, 100 + number))
    assert sorted(answers) == ["booked"] + ["refused"] * 19
    live = "SELECT count(*) FROM reservations WHERE status = 'confirmed'"
    assert history.execute(live) == [(1,)]


def in_processes(number, work, refusal=(IntegrityError, ValidationError)):
    """Do ``work(n)`` in so many processes at once; return ``booked`` or ``refused`` for each."""
    connection.close()
    start, begin = os.pipe()
    children = []
    for place in range(number):
        child = os.fork()
        if not child:
            code = 2
            try:
                os.close(begin)
                os.read(start, 1)  # ends when the parent closes its end
                try:
                    work(place)
                    code = 0
                except refusal:
                    code = 1
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    os.close(start)
    os.close(begin)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return [{0: "booked", 1: "refused"}.get(code, code) for code in codes]


# Exempt stays


@pytest.fixture
def legacy(history):
    """Two stays that overlap in one room, and one that ends before it begins, at head."""
    history.before(("reservations", "0014_add_rules"))
    legacy_room(history, 1)
    legacy_room(history, 2)
    legacy_stay(history, 1, room_id=1, check_in_date="2025-11-08", check_out_date="2025-11-12")
    legacy_stay(history, 2, room_id=1, check_in_date="2025-11-10", check_out_date="2025-11-14")
    legacy_stay(history, 3, check_in_date="2025-11-10", check_out_date="2025-11-09")
    return history.climb()


def test_legacy_stays_stay_as_they_are_and_are_named(legacy):
    stays = legacy.execute("SELECT id, check_in_date, check_out_date FROM reservations ORDER BY id")
    assert [str(value) for _, *dates in stays for value in dates] == [
        *("2025-11-08", "2025-11-12", "2025-11-10", "2025-11-14", "2025-11-10", "2025-11-09")
    ]
    assert [sorted(stay.exemptions or []) for stay in Reservation.objects.order_by("pk")] == [
        [],
        [],
        ["reservations_dates_in_order"],
    ]
    assert [sorted(part.exemptions or []) for part in StayPart.objects.order_by("pk")] == [
        ["stay_parts_no_double_booking"],
        ["stay_parts_no_double_booking"],
        [],
    ]


@pytest.mark.parametrize(
    "key, change",
    [
        (1, {"check_out_date": date(2025, 11, 13)}),
        (1, {"check_in_date": date(2025, 11, 9)}),
        (3, {"check_in_date": date(2025, 11, 11)}),
    ],
    ids=["longer", "other dates", "the wrong way round"],
)
def test_an_exempt_stay_that_is_changed_keeps_the_rules(legacy, key, change):
    with pytest.raises(IntegrityError):
        Reservation.objects.filter(pk=key).update(**change)
    stay = Reservation.objects.get(pk=key)
    for name, value in change.items():
        setattr(stay, name, value)
    with pytest.raises(ValidationError):
        for row in (stay, *planned(stay)):
            row.validate_constraints()


def test_an_exempt_stay_can_be_mended(legacy):
    Reservation.objects.filter(pk=1).update(room=2)
    Reservation.objects.filter(pk=3).update(check_out_date=date(2025, 11, 11))
    assert not Reservation.objects.filter(exemptions__isnull=False).exists()
    left = StayPart.objects.filter(exemptions__isnull=False)
    assert list(left.values_list("reservation", flat=True)) == [2]
    with pytest.raises(IntegrityError):
        Reservation.objects.filter(pk=1).update(room=1)


def test_an_exempt_stay_that_was_cancelled_is_not_reinstated(legacy):
    Reservation.objects.filter(pk=1).update(status="cancelled")
    with pytest.raises(IntegrityError):
        Reservation.objects.filter(pk=1).update(status="confirmed")


def test_wishes_can_be_written_on_an_exempt_stay(legacy):
    stay = Reservation.objects.get(pk=3)
    stay.special_requests = "A quiet room"
    stay.full_clean()
    stay.save()
    stay.refresh_from_db()
    assert (stay.special_requests, list(stay.exemptions)) == (
        "A quiet room",
        ["reservations_dates_in_order"],
    )
