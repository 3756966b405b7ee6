"""Instants in a column without time zone: no session, server or hotel zone can shift them."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Count, F, Max, Min
from django.db.models.functions import ExtractHour, Now, TruncDate, TruncDay, TruncMonth
from django.db.models.lookups import LessThan
from django.utils import timezone as django_timezone

from hotel.migrator.expressions import Instant
from hotel.migrator.fields import NaiveUTCDateTimeField

JAKARTA = ZoneInfo("Asia/Jakarta")  # the hotel's, seven hours ahead of UTC
LATE = datetime(2026, 1, 31, 20, 30, 0, 123456, tzinfo=UTC)  # 1 February, 3:30 in the hotel
EARLY = datetime(2026, 2, 1, 16, 59, 59, tzinfo=UTC)  # 1 February, 23:59:59 in the hotel
NEXT = datetime(2026, 2, 1, 17, 0, 0, tzinfo=UTC)  # 2 February, midnight in the hotel


ZONES = ["UTC", "America/New_York", "Asia/Kolkata"]
ONLY_A_SERVER_HAS_SESSIONS = [
    "UTC",
    *(pytest.param(zone, marks=pytest.mark.postgresql) for zone in ZONES[1:]),
]


@pytest.fixture(params=ZONES)
def session_zone(request, project):
    """Let every session of this test have another time zone."""
    connection.close()
    connection.settings_dict["TIME_ZONE"] = request.param
    for name in ("timezone", "timezone_name"):
        connections["default"].__dict__.pop(name, None)
    return request.param


@pytest.fixture
def stay(annexe, history):
    """A model with an instant."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Stay",
            [
                ("id", models.AutoField(primary_key=True)),
                ("at", NaiveUTCDateTimeField(null=True)),
                ("plain", models.DateTimeField(null=True)),
            ],
        )
        """,
        code="from hotel.migrator.fields import NaiveUTCDateTimeField",
    ).migrate()
    return history.model("annexe.Stay")


def raw(history):
    return [str(value) for (value,) in history.execute("SELECT at FROM annexe_stay ORDER BY id")]


def test_column_has_no_time_zone(stay, history):
    types = {thing.name: facts.get("type") for thing, facts in history.catalog().items()}
    assert (
        types["at"]
        == {
            "postgresql": "timestamp without time zone",
            "sqlite": "datetime",
        }[connection.vendor]
    )
    assert (
        types["plain"]
        == {
            "postgresql": "timestamp with time zone",
            "sqlite": "datetime",
        }[connection.vendor]
    )


@pytest.mark.parametrize(
    "given",
    [
        LATE,
        LATE.astimezone(JAKARTA),
        LATE.astimezone(timezone(timedelta(hours=-11, minutes=-30))),
        LATE.replace(tzinfo=None),  # a naive one is UTC
        "2026-01-31T20:30:00.123456Z",
        "2026-02-01 03:30:00.123456+07:00",
        "2026-01-31 20:30:00.123456",
    ],
    ids=str,
)
def test_instant_goes_in_as_utc_and_comes_out_aware(stay, history, session_zone, given):
    stay.objects.create(at=given)
    assert raw(history) == ["2026-01-31 20:30:00.123456"]
    found = stay.objects.get().at
    assert found == LATE
    assert found.tzinfo is UTC
    assert stay.objects.filter(at=given).count() == 1
    stay.objects.update(at=given)
    stay.objects.bulk_update([stay.objects.get()], ["at"])
    assert raw(history) == ["2026-01-31 20:30:00.123456"]


def test_whole_seconds_are_stored_without_a_fraction(stay, history, session_zone):
    stay.objects.create(at=NEXT)
    assert raw(history) == ["2026-02-01 17:00:00"]
    assert stay.objects.get().at == NEXT


def test_null_stays_null(stay, history):
    stay.objects.create(at=None)
    assert stay.objects.get().at is None
    assert stay.objects.filter(at=None).count() == 1


def test_what_the_legacy_system_wrote_is_read_as_utc(stay, history, session_zone):
    history.execute("INSERT INTO annexe_stay (at) VALUES ('2026-01-31 20:30:00.123456')")
    assert stay.objects.get().at == LATE


def test_day_is_its_midnight_in_the_hotel_and_a_word_is_refused():
    field = NaiveUTCDateTimeField()
    with pytest.warns(RuntimeWarning, match="received a naive datetime"):
        assert field.to_python(date(2026, 1, 31)) == datetime(2026, 1, 31, tzinfo=JAKARTA)
    with pytest.raises(ValidationError, match="yesterday"):
        field.to_python("yesterday")


def test_order_and_limits_are_those_of_the_instants(stay, session_zone):
    for instant in (NEXT, LATE, EARLY):
        stay.objects.create(at=instant)
    instants = stay.objects.values_list("at", flat=True)
    assert list(instants.order_by("at")) == [LATE, EARLY, NEXT]
    assert list(instants.order_by("at").filter(at__gte=EARLY)) == [EARLY, NEXT]
    assert list(instants.filter(at__range=(LATE, LATE))) == [LATE]
    assert list(instants.filter(at__lt=EARLY.astimezone(JAKARTA))) == [LATE]
    assert list(instants.filter(at__in=[LATE, NEXT]).order_by("-at")) == [NEXT, LATE]
    assert stay.objects.aggregate(first=Min("at"), last=Max("at")) == {"first": LATE, "last": NEXT}
    later = instants.filter(at__gt=F("at") - timedelta(hours=1)).order_by("at")
    assert list(later) == [LATE, EARLY, NEXT]


def test_instants_are_compared_with_now_on_the_server(stay, session_zone):
    now = django_timezone.now()
    stay.objects.create(at=now - timedelta(minutes=5))
    stay.objects.create(at=now + timedelta(minutes=5))
    assert stay.objects.filter(LessThan(Instant("at"), Now())).count() == 1


LOOKUPS = {
    "at__date": (date(2026, 2, 1), [LATE, EARLY]),
    "at__date__lt": (date(2026, 2, 2), [LATE, EARLY]),
    "at__year": (2026, [LATE, EARLY, NEXT]),
    "at__month": (2, [LATE, EARLY, NEXT]),
    "at__day": (1, [LATE, EARLY]),
    "at__hour": (3, [LATE]),
    "at__minute": (59, [EARLY]),
    "at__week_day": (2, [NEXT]),  # Monday
    "at__time__lt": (datetime(2026, 1, 1, 0, 30).time(), [NEXT]),
}


@pytest.mark.parametrize("session_zone", ONLY_A_SERVER_HAS_SESSIONS, indirect=True)
def test_days_and_hours_are_those_of_the_hotel(stay, session_zone):
    for instant in (LATE, EARLY, NEXT):
        stay.objects.create(at=instant)
    instants = stay.objects.order_by("at").values_list("at", flat=True)
    found = {
        lookup: (value, list(instants.filter(**{lookup: value})))
        for lookup, (value, _) in LOOKUPS.items()
    }
    assert found == LOOKUPS


def test_days_and_hours_of_djangos_own_field_are_those_of_the_hotel(stay):
    for instant in (LATE, EARLY, NEXT):
        stay.objects.create(plain=instant)
    instants = stay.objects.order_by("plain").values_list("plain", flat=True)
    found = {
        lookup: (value, list(instants.filter(**{lookup.replace("at__", "plain__", 1): value})))
        for lookup, (value, _) in LOOKUPS.items()
    }
    assert found == LOOKUPS


@pytest.mark.parametrize("session_zone", ONLY_A_SERVER_HAS_SESSIONS, indirect=True)
def test_days_are_counted_as_the_hotel_counts_them(stay, session_zone):
    for instant in (LATE, EARLY, NEXT):
        stay.objects.create(at=instant)
    days = stay.objects.values("at__date").annotate(n=Count("pk")).order_by("at__date")
    assert list(days.values_list("at__date", "n")) == [(date(2026, 2, 1), 2), (date(2026, 2, 2), 1)]
    hours = stay.objects.order_by("at").values_list("at__hour", flat=True)
    assert list(hours) == [3, 23, 0]
    with django_timezone.override(UTC):
        assert stay.objects.filter(at__date=date(2026, 1, 31)).count() == 1


def test_functions_of_django_are_right_about_an_instant(stay):
    """On the bare column they would take its clock for the hotel's."""
    for instant in (LATE, EARLY, NEXT):
        stay.objects.create(at=instant)
    at = Instant("at")

    def answers(expression):
        return list(stay.objects.order_by("at").values_list(expression, flat=True))

    first, second = datetime(2026, 2, 1, tzinfo=JAKARTA), datetime(2026, 2, 2, tzinfo=JAKARTA)
    assert answers(TruncDate(at)) == [first.date(), first.date(), second.date()]
    assert answers(TruncDate(at, tzinfo=UTC))[0] == date(2026, 1, 31)
    assert answers(TruncDay(at)) == [first, first, second]
    assert answers(TruncMonth(at)) == [first, first, first]
    assert answers(ExtractHour(at)) == [3, 23, 0]
    later = at + timedelta(hours=1)
    assert answers(later) == [instant + timedelta(hours=1) for instant in (LATE, EARLY, NEXT)]


def test_field_is_written_into_a_migration(annexe, project):
    annexe.models("""
        from hotel.migrator.fields import NaiveUTCDateTimeField

        class Stay(models.Model):
            at = NaiveUTCDateTimeField(null=True)
    """)
    annexe.make()
    text = annexe.path("0001_initial").read_text()
    assert "hotel.migrator.fields.NaiveUTCDateTimeField(null=True)" in text
    project.makemigrations("annexe", check=True)
    call_command("migrate", "annexe", verbosity=0)
