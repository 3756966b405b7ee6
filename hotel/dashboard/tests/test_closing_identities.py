"""What holds of closed days whatever is done to stays, before and after they are closed."""

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.tests.back_office import room
from hotel.business_day import business_date
from hotel.dashboard import closing
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics
from hotel.dashboard.services import compute_metrics, count_metrics
from hotel.refusals import Refused
from reservations import services
from reservations.models import Guest, Reservation
from rooms.models import Room, RoomType

FIRST = date(2026, 12, 28)
ACTS = ("book", "check in", "check out", "cancel", "no-show", "reinstate", "reprice", "dates")
DAYS = ("close", "close with no-shows", "reopen", "next morning", "compute")


def act(what, number, clerk):
    """Do something to one of the stays, or to the days."""
    stays = Reservation.objects.order_by("pk")
    stay = stays[number % len(stays)] if stays else None
    if what == "book" or not stay:
        rooms = Room.objects.order_by("pk")
        services.book(
            guest=Guest.objects.create(full_name="Ibu Ratna"),
            room_type=RoomType.objects.get(),
            arrival=business_date(),
            departure=business_date() + timedelta(days=1 + number % 3),
            room=rooms[number % len(rooms)],
            by=clerk,
        )
    elif what == "check in":
        services.check_in(stay, clerk, accept_dirty=True)
    elif what == "check out":
        services.check_out(stay, clerk, allow_debt=True)
    elif what == "cancel":
        services.cancel(stay, clerk, "ill", in_house=True)
    elif what == "no-show":
        services.mark_no_show(stay, clerk)
    elif what == "reinstate":
        services.reinstate(stay, clerk)
    elif what == "reprice":
        services.reprice(stay, Decimal(100 * number), Decimal(0), clerk)
    elif what == "dates":
        later = stay.check_out_date + timedelta(days=number % 4 - 1)
        services.change_dates(stay, stay.check_in_date, later, clerk)
    elif what == "reopen":
        last = closing.last_closed()
        if last:
            closing.reopen_day(last.day, clerk, "a wrong rate")
    else:
        no_shows = what == "close with no-shows"
        closing.close_day(closing.next_to_close(), clerk, no_shows=no_shows, accept_open=True)


def frozen():
    """Return the figures of the closed days, by day."""
    closed = BusinessDay.objects.filter(closed_at__isnull=False)
    rows = DailyMetrics.objects.filter(day__in=closed.values("day"))
    return {row.day: [getattr(row, name) for name in closing.ADJUSTED] for row in rows}


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from(ACTS + DAYS), st.integers(0, 9)), max_size=30))
def test_closed_figures_stay_and_with_their_adjustments_are_what_is_known(db, clock, acts):
    with transaction.atomic():
        room("101")
        room("102")
        clerk = User.objects.create(username="sari")
        morning = FIRST
        before = {}
        for what, number in acts:
            clock(morning.year, morning.month, morning.day, 9)
            if what == "next morning":
                morning += timedelta(days=1)
            elif what == "compute":
                compute_metrics(FIRST - timedelta(days=1), morning + timedelta(days=3))
            else:
                with suppress(Refused):
                    act(what, number, clerk)
            after = frozen()
            assert {day: after[day] for day in before if day in after} == {
                day: figures for day, figures in before.items() if day in after
            }
            before = after
        clock(morning.year, morning.month, morning.day, 9)
        on = closing.next_to_close()
        sums = {row: list(figures) for row, figures in before.items()}
        written = list(DailyAdjustment.objects.filter(adjusted_on__lt=on))
        for row in [*written, *closing.adjustments(on)]:
            for place, name in enumerate(closing.ADJUSTED):
                sums[row.day][place] += getattr(row, name)
        for day, figures in sums.items():
            [now] = count_metrics(day, day)
            assert figures == [getattr(now, name) for name in closing.ADJUSTED]
        transaction.set_rollback(True)
