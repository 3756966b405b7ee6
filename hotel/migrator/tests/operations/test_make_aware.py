"""Instants get a time zone: none of them moves, whatever zone session and server have."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import DateTimeField

from conftest import OWN_APPS
from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.tests import legacy

# In Berlin the first does not exist and the second comes twice; the others have microseconds.
INSTANTS = [
    "2025-03-30 02:30:00",
    "2025-10-26 02:30:00",
    "2025-10-26 01:30:00.000001",
    "2025-11-08 23:59:59.999999",
    "1999-12-31 17:00:00.120000",
]
ZONES = ["Asia/Jakarta", "Europe/Berlin"]
FIRST = ("accounts", "0007_convert_timestamps")


def aware(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(params=ZONES)
def zone(request, history, settings):
    """Give the hotel and, on PostgreSQL, the server and every session another time zone."""
    history.before(FIRST)
    if connection.vendor == "postgresql":
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        history.execute(f"ALTER DATABASE {name} SET timezone TO '{request.param}'")
    settings.TIME_ZONE = request.param
    return request.param


def migrate(history, zone, *target):
    """Run ``migrate`` in a session of this zone; what is read afterwards is read in another."""
    connection.close()
    if connection.vendor == "postgresql":
        history.execute(f"SET TIME ZONE '{zone}'")
    history.migrate(*target)
    if connection.vendor == "postgresql":
        assert history.execute("SHOW TIME ZONE") == [(zone,)]
    connection.close()


def up(history, zone):
    migrate(history, zone, "payments", "0006")


def down(history, zone):
    migrate(history, zone, "accounts", "0006")


def test_every_instant_stays_what_it_is(zone, history):
    for key, instant in enumerate(INSTANTS, start=1):
        legacy.guest(history, key, created_at=instant, updated_at=instant)
        legacy.room_type(history, key, created_at=instant)
    legacy.guest(history, 99, created_at=None)
    before = history.dump()
    up(history, zone)
    for label in ("reservations.Guest", "rooms.RoomType"):
        rows = history.model(label).objects.order_by("pk").values_list("created_at", flat=True)
        assert [row for row in rows if row] == [aware(instant) for instant in INSTANTS]
    assert history.model("reservations.Guest").objects.get(pk=99).created_at is None
    for key, instant in enumerate(INSTANTS, start=10):  # written by the field of today
        guest = history.model("reservations.Guest").objects.create(pk=key, full_name="x")
        type(guest).objects.filter(pk=key).update(created_at=aware(instant))
    down(history, zone)
    stored = history.execute("SELECT created_at FROM guests WHERE id BETWEEN 10 AND 50 ORDER BY id")
    texts = [str(value).removesuffix("+00:00") for (value,) in stored]
    assert [aware(text) for text in texts] == [aware(instant) for instant in INSTANTS]
    history.execute("DELETE FROM guests WHERE id BETWEEN 10 AND 50")
    after = history.dump()
    assert {table: after[table] for table in ("guests", "room_types")} == {
        table: before[table] for table in ("guests", "room_types")
    }


@pytest.mark.postgresql
def test_no_row_is_rewritten(zone, history):
    legacy.guest(history, 1, created_at=INSTANTS[0])
    tables = history.tables()

    def files():
        found = dict(history.execute("SELECT relname, relfilenode FROM pg_class"))
        return {table: found[table] for table in tables}

    before = files()
    up(history, zone)
    assert files() == before
    down(history, zone)
    assert files() == before


@pytest.mark.sqlite
def test_nothing_is_written_in_sqlite(history):
    history.before(FIRST)
    for key, instant in enumerate(INSTANTS, start=1):
        legacy.guest(history, key, created_at=instant)
    guests = history.execute("SELECT CAST(created_at AS text) FROM guests")
    shape = history.catalog()
    history.migrate("payments", "0006")
    assert history.execute("SELECT CAST(created_at AS text) FROM guests") == guests
    assert history.catalog() == shape


def test_no_naive_instant_is_left_at_head():
    state = MigrationLoader(None).project_state()
    fields = [
        field
        for (app, _), model in state.models.items()
        if app in OWN_APPS
        for field in model.fields.values()
    ]
    assert [field for field in fields if isinstance(field, NaiveUTCDateTimeField)] == []
    assert any(isinstance(field, DateTimeField) for field in fields)


def test_other_attributes_of_a_field_stay():
    state = MigrationLoader(None).project_state()
    guest = state.models["reservations", "guest"].fields
    assert (guest["created_at"].auto_now_add, guest["updated_at"].auto_now) == (True, True)
    assert state.models["payments", "expense"].fields["date"].null is False
