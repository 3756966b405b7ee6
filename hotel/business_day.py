"""The hotel's day: which date it is at the desk, in the middle of the night too.

The day does not end at midnight, when guests still arrive, but in the small hours: at the time
``HOTEL_DAY_ENDS``, by the hotel's clock, or when somebody closes it before that. Whatever asks for
today asks ``business_date()``. Dates of stays are dates of nights: the night of the 28th is that of
the business date 28th, until it ends on the 29th. Rule: docs/decisions/0020-business-date.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.utils import timezone

DAY = timedelta(days=1)
# None outside of an act; a list that is empty until the act asks for its date.
_date_of_act: ContextVar[list[date] | None] = ContextVar("date_of_act", default=None)


def business_date(moment: datetime | None = None) -> date:
    """Return the hotel's date at an instant; at present, if none is given.

    That by the clock, or the next one if the day was closed before its time. The database is asked
    only between midnight and the end of the day, when that can be so. Raises OverflowError for the
    first and the last days of the calendar.
    """
    if moment is not None:
        return _date_of(moment)
    date_of_act = _date_of_act.get()
    if date_of_act is None:
        return _date_of(timezone.now())
    if not date_of_act:
        date_of_act.append(_date_of(timezone.now()))
    return date_of_act[0]


@contextmanager
def one_date() -> Iterator[None]:
    """Let an act have one date, however long it takes: ``business_date()`` is asked once in it."""
    if _date_of_act.get() is not None:  # it is a part of another act
        yield
        return
    token = _date_of_act.set([])
    try:
        yield
    finally:
        _date_of_act.reset(token)


def _date_of(instant: datetime) -> date:
    day = by_clock(instant)
    if slept_until(instant) == day:
        return day
    # No model is imported: events, and so all models, stand on this module.
    days = apps.get_model("dashboard", "BusinessDay").objects
    return day + DAY if days.filter(day=day, closed_at__lte=instant).exists() else day


def by_clock(moment: datetime) -> date:
    """Return the hotel's date at an instant if nobody closes a day before its time.

    It is the first day that has not ended yet, so it never goes back, whatever clocks do. Raises
    OverflowError for the first and the last days of the calendar.
    """
    day = timezone.localdate(moment, timezone.get_default_timezone()) + DAY
    while moment < end_of(day - DAY):
        day -= DAY
    return day


def end_of(day: date) -> datetime:
    """Return the instant at which a day of the hotel ends, and the next one begins, in UTC.

    Where clocks are put back over it, the first time counts; where they are put forward over it,
    the instant at which it would have been that time. The calendar's last day has no end, and
    raises OverflowError.
    """
    zone = timezone.get_default_timezone()
    return datetime.combine(day + DAY, settings.HOTEL_DAY_ENDS, zone).astimezone(UTC)


def is_today(moment: datetime | None) -> bool:
    """Return whether an instant, or None, is on the hotel's day of today."""
    try:
        return moment is not None and business_date(moment) == business_date()
    except OverflowError:  # infinity, and the first and last days of the calendar
        return False


def slept_until(moment: datetime) -> date:
    """Return the day of departure of guests who leave at an instant: their nights end before it.

    That is the date of the calendar. Who leaves after midnight has slept in the night that runs,
    and who leaves at noon in the one before. Raises OverflowError for the calendar's last hours.
    """
    return timezone.localdate(moment, timezone.get_default_timezone())
