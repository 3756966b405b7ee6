"""Closing the day while others work: each once, and nothing slips into a closed day."""

import os
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.tests.back_office import room
from hotel.business_day import business_date
from hotel.dashboard import closing
from hotel.dashboard.models import BusinessDay, DailyMetrics
from hotel.refusals import Refused
from payments import services as money
from payments.models import Payment
from reservations import services
from reservations.models import Guest, Reservation
from reservations.tests.test_rules import in_processes
from rooms.models import RoomType

CLOSED = "The business day of this payment is closed: record a correction on the day that is open."


@pytest.fixture
def stays(history):
    """Five stays that were to begin yesterday, and a clerk."""
    history.at("head")
    clerk = User.objects.create(username="sari")
    for number in range(5):
        kept = room(f"10{number}")
        services.book(
            guest=Guest.objects.create(full_name=f"Guest {number}"),
            room_type=RoomType.objects.get(),
            room=kept,
            arrival=business_date() - timedelta(days=1),
            departure=business_date() + timedelta(days=2),
            by=clerk,
            anyway=True,  # it is past
        )
    return clerk


def test_a_day_that_six_close_at_once_is_closed_once(stays):
    day = closing.next_to_close()
    answers = in_processes(
        6, lambda number: closing.close_day(day, stays, accept_open=True), refusal=Refused
    )
    assert answers == ["booked"] * 6
    row = BusinessDay.objects.get()
    assert [event.what for event in row.events.all()] == ["closed"]
    assert DailyMetrics.objects.get().rooms_sold == 5


def test_who_checks_in_while_no_shows_are_marked_is_in_house_or_a_no_show(stays):
    day, keys = closing.next_to_close(), list(Reservation.objects.values_list("pk", flat=True))

    def act(number):
        if number < len(keys):
            services.check_in(Reservation.objects.get(pk=keys[number]), stays)
        else:
            closing.close_day(day, stays, no_shows=True)

    answers = in_processes(6, act, refusal=Refused)
    assert answers[5] == "booked"
    in_house = Reservation.objects.filter(status="checked_in").count()
    assert in_house == answers[:5].count("booked")
    assert in_house + Reservation.objects.filter(status="no_show").count() == 5
    assert DailyMetrics.objects.get().rooms_sold == in_house


@pytest.fixture
def in_the_day(monkeypatch):
    """Let payments be of the day that is closed, as they are in its last night."""
    monkeypatch.setattr(money, "business_date", lambda *_: business_date() - timedelta(days=1))


def pay(clerk):
    return money.take_payment(Reservation.objects.first(), Decimal(1), "cash", clerk)


def while_open(first, second):
    """Do ``first``, and before its transaction ends ``second`` in another process, which waits.

    Return the exit code of the other process: 0, or 1 if it was refused.
    """
    connection.close()
    start, begin = os.pipe()
    child = os.fork()
    if not child:
        code = 2
        try:
            os.close(begin)
            os.read(start, 1)
            second()
            code = 0
        except Refused as refusal:
            code = 1 if str(refusal) == CLOSED else 2
        finally:
            os._exit(code)
    os.close(start)
    with transaction.atomic(), connection.cursor() as cursor:
        first()
        os.close(begin)
        for _ in range(1_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                break
            time.sleep(0.01)
        else:
            pytest.fail("The other process did not wait.")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.postgresql
def test_who_closes_waits_for_a_payment_of_the_day(stays, in_the_day):
    day = closing.next_to_close()
    close = partial(closing.close_day, day, stays, accept_open=True)
    assert while_open(partial(pay, stays), close) == 0
    assert (Payment.objects.get().payment_date, BusinessDay.objects.get().day) == (day, day)
    with pytest.raises(Refused, match=CLOSED):
        pay(stays)


@pytest.mark.postgresql
def test_a_payment_that_waits_for_who_closes_is_refused_in_words(stays, in_the_day):
    close = partial(closing.close_day, closing.next_to_close(), stays, accept_open=True)
    assert while_open(close, partial(pay, stays)) == 1
    assert not Payment.objects.exists()
