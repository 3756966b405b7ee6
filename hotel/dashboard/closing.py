"""Closing the day: what is still open in it, its figures frozen, and what is corrected later.

Days are closed one after the other, by somebody. From then on the database refuses any change of
the day's figures and payments (hotel/dashboard/models.py, payments/models.py). Stays can still be
corrected: what that changes of closed figures is written as adjustments when the next day is
closed. Only the last closed day can be opened again.

Each function does all of it or nothing, and raises Refused with a sentence for the staff. Dates are
the hotel's; ``by`` is a user. Rule: docs/decisions/0022-closing-the-day.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from hotel.business_day import DAY, business_date, by_clock, end_of, slept_until
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics
from hotel.dashboard.services import LONGEST, compute_metrics, count_metrics
from hotel.events import record, remember
from hotel.migrator.constraints.closing import lock_periods
from hotel.refusals import Refused, refusing
from payments.folio import account
from reservations.models import Reservation, ReservationStatus
from reservations.services import mark_no_show

# What is adjusted. Rooms that come, go or are blocked later change no day that is over.
ADJUSTED = ("rooms_sold", "room_revenue", "arrivals", "departures", "cancellations", "no_shows")


@dataclass(frozen=True)
class OpenPoints:
    """What is open at the end of a day.

    arrivals: stays of its night whose guests did not come. departures: stays in house that were to
    leave on it or before. unpaid: ``(stay, what is owed)`` of those that left on it, or were to.
    dirty: stays that arrive by the next day, and whose room is dirty.
    """

    day: date
    arrivals: list[Reservation]
    departures: list[Reservation]
    unpaid: list[tuple[Reservation, Decimal]]
    dirty: list[Reservation]

    @property
    def hinder(self) -> bool:
        """Whether the day can only be closed if they are accepted."""
        return bool(self.arrivals or self.departures)

    def __bool__(self) -> bool:
        return bool(self.arrivals or self.departures or self.unpaid or self.dirty)


def last_closed() -> BusinessDay | None:
    """Return the last day that is closed, or None if none is."""
    return BusinessDay.objects.filter(closed_at__isnull=False).order_by("-day").first()


def next_to_close() -> date:
    """Return the day that is to be closed next, whether or not it is over.

    It follows the last closed one. Where none is closed, it is the one that was opened again, or
    else the last that is over.
    """
    last = last_closed()
    if last:
        return last.day + DAY
    opened = BusinessDay.objects.order_by("day").first()
    return opened.day if opened else business_date() - DAY


def can_be_closed(day: date) -> bool:
    """Return whether a day is over, or its night has begun: by the calendar it is the next."""
    return day < slept_until(timezone.now())


def open_points(day: date) -> OpenPoints:
    """Return what is open in a day."""
    stays = Reservation.objects.select_related("guest", "room").order_by("pk")
    expected = stays.filter(status__in=[ReservationStatus.PENDING, ReservationStatus.CONFIRMED])
    arrivals = expected.filter(check_in_date__lte=day)
    in_house = stays.filter(status=ReservationStatus.CHECKED_IN, check_out_date__lte=day)
    left = stays.filter(
        status=ReservationStatus.CHECKED_OUT,
        checked_out_at__gte=end_of(day - DAY),
        checked_out_at__lt=end_of(day),
    )
    return OpenPoints(
        day=day,
        arrivals=list(arrivals.filter(check_out_date__gt=day) | arrivals.filter(check_in_date=day)),
        departures=list(in_house),
        unpaid=list(_owing(in_house | left)),
        dirty=list(
            expected.filter(
                check_in_date__lte=day + DAY,
                check_out_date__gt=day,
                room__housekeeping_status="dirty",
            )
        ),
    )


def close_day(
    day: date, by: User, *, no_shows: bool = False, accept_open: bool = False
) -> BusinessDay:
    """Close a day: freeze its figures, and write what was corrected of the days before.

    no_shows: first mark those who did not come, each in a transaction of its own; only when the day
    has ended by the clock, since guests can come until then. accept_open: even if arrivals and
    departures are open after that. Who asks for a day that is closed gets it as it is. Raises
    Refused for a day that is not over, and for one before which another is to be closed.
    """
    _refuse_too_early(day, no_shows)
    if no_shows and not BusinessDay.objects.filter(day=day, closed_at__isnull=False).exists():
        _refuse_another(day)
        _mark_no_shows(day, by)
    with refusing():
        lock_periods(connection, BusinessDay._meta.db_table)
        row = BusinessDay.objects.filter(day=day).first() or BusinessDay(day=day)
        if row.closed_at:
            return row
        _refuse_another(day)
        points = open_points(day)
        if points.hinder and not accept_open:
            raise Refused(
                f"The day of {day} is not ready: {len(points.arrivals)} expected did not come, and"
                f" {len(points.departures)} who were to leave are in house. Settle them, or close"
                " the day with them open."
            )
        compute_metrics(day, day)
        DailyAdjustment.objects.filter(adjusted_on=day).delete()  # of a closing that was undone
        DailyAdjustment.objects.bulk_create(adjustments(day))
        if row.pk:
            remember(row)
        row.closed_at, row.closed_by = timezone.now(), by
        row.reopened_at = row.reopened_by = row.reopen_reason = None
        row.save()
        record(row, "closed", by)
        return row


def reopen_day(day: date, by: User, reason: str) -> BusinessDay:
    """Open the last closed day again, so that it can be corrected and closed once more."""
    with refusing():
        lock_periods(connection, BusinessDay._meta.db_table)
        row = BusinessDay.objects.filter(day=day).first()
        if row and not row.closed_at:
            return row
        last = last_closed()
        if not row or not last:
            raise Refused(f"The day of {day} is not closed.")
        if last.day != day:
            raise Refused(f"Only the last closed day can be opened again: that is {last.day}.")
        if not (reason or "").strip():
            raise Refused(f"The day of {day} cannot be opened again without a reason: enter one.")
        remember(row)
        row.closed_at = row.closed_by = None
        row.reopened_at, row.reopened_by = timezone.now(), by
        row.reopen_reason = reason.strip()
        row.save()
        record(row, "reopened", by, row.reopen_reason)
        return row


def adjustments(on: date) -> list[DailyAdjustment]:
    """Return what is to be adjusted of the days closed before ``on``, as rows that are not saved.

    That is what is counted of them now, less what was counted then and is adjusted already.
    """
    days = BusinessDay.objects.filter(closed_at__isnull=False, day__lt=on)
    closed = set(days.values_list("day", flat=True))
    found: list[DailyAdjustment] = []
    first = min(closed, default=on)
    while first < on:
        last = min(first + (LONGEST - 1) * DAY, on - DAY)
        known = _known(first, last, on)
        for row in count_metrics(first, last) if closed else []:
            before = known.get((row.day, row.room_type_id), {})
            change = {name: getattr(row, name) - before.get(name, 0) for name in ADJUSTED}
            if row.day in closed and any(change.values()):
                found.append(
                    DailyAdjustment(
                        adjusted_on=on, day=row.day, room_type_id=row.room_type_id, **change
                    )
                )
        first = last + DAY
    return found


def _known(first: date, last: date, on: date) -> dict[tuple[date, int], dict[str, Any]]:
    """Return what is on paper of closed days, by day and room type: figures and adjustments."""
    sums: dict[tuple[date, int], dict[str, Any]] = {}
    written: list[QuerySet[Any, Any]] = [
        DailyMetrics.objects.filter(day__range=(first, last)),
        DailyAdjustment.objects.filter(day__range=(first, last), adjusted_on__lt=on),
    ]
    for rows in written:
        totals = {f"sum_{name}": Sum(name) for name in ADJUSTED}
        for row in rows.order_by().values("day", "room_type").annotate(**totals):
            of_day = sums.setdefault((row["day"], row["room_type"]), {})
            for name in ADJUSTED:
                of_day[name] = of_day.get(name, 0) + row[f"sum_{name}"]
    return sums


def _refuse_too_early(day: date, no_shows: bool) -> None:
    if not can_be_closed(day):
        raise Refused(f"The day of {day} is not over: close it after midnight.")
    if no_shows and day >= by_clock(timezone.now()):
        ends = timezone.localtime(end_of(day), timezone.get_default_timezone())
        raise Refused(
            f"Guests of {day} can arrive until {ends:%H:%M}: mark no-shows after that, or close the"
            " day without."
        )


def _refuse_another(day: date) -> None:
    """Raise Refused if days before are to be closed first, or this one can no longer be."""
    last = last_closed()
    if last and day < last.day:
        raise Refused(f"The day of {last.day} is closed: no day before it can be closed any more.")
    if last and day > last.day + DAY:
        raise Refused(f"The day of {last.day + DAY} is to be closed first.")


def _mark_no_shows(day: date, by: User) -> None:
    """Mark those who did not come; who was checked in or cancelled meanwhile is left alone."""
    for stay in open_points(day).arrivals:
        if stay.status == ReservationStatus.CONFIRMED:
            try:
                mark_no_show(stay, by)
            except Refused:
                stay.refresh_from_db(fields=["status"])
                if stay.status == ReservationStatus.CONFIRMED:
                    raise


def _owing(stays: QuerySet[Reservation]) -> Iterator[tuple[Reservation, Decimal]]:
    """Yield the stays that owe something, with what they owe; NaN if nobody can add it up."""
    for stay in stays:
        try:
            owed = account(stay).owed
        except Refused:
            owed = Decimal("NaN")
        if owed.is_nan() or owed:
            yield stay, owed
