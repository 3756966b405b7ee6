"""``manage.py demo``: the hotel that ``make run`` shows."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from hotel import demo
from hotel.business_day import by_clock
from hotel.tests import stress


def write_demo(**options):
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_the_demo_hotel_stands_at_head_and_a_second_run_changes_nothing(history, settings, capfd):
    settings.DEBUG = True
    history.at(None)
    printed = write_demo()
    count = "SELECT count(*), count(DISTINCT room_type_id), count(DISTINCT floor) FROM rooms"
    assert history.execute(count) == [(26, 8, 4)]
    states = history.execute("SELECT status, count(*) FROM reservations GROUP BY status")
    assert sorted(state for state, rows in states if rows > 1) == [
        "cancelled",
        "checked_in",
        "checked_out",
        "confirmed",
        "no_show",
        "pending",
    ]
    types = history.execute("SELECT DISTINCT payment_type FROM payments ORDER BY payment_type")
    assert types == [("adjustment",), ("deposit",), ("downpayment",), ("full",)]
    [(first, last)] = history.execute(
        "SELECT min(check_in_date), max(check_in_date) FROM reservations"
    )
    today = by_clock(timezone.now())
    assert str(first) <= str(today - timedelta(days=50))
    assert str(last) >= str(today + timedelta(days=20))
    assert "Log in with the password 'demo hotel' as one of:" in printed
    for username, _, _, status, group in demo.STAFF:
        user = authenticate(username=username, password=demo.PASSWORD)
        assert bool(user) == (status == "active")
        if group:
            assert [g.name for g in user.groups.all()] == [group]
    output = capfd.readouterr()
    assert "Applying reservations.0009_transform_status..." in output.out
    call_command("migrate", "--check", verbosity=0)

    before = history.dump()
    assert "owner         Owner           Ibu Ratna Wijaya\n" in write_demo(if_empty=True)
    assert history.dump() == before


def test_the_demo_hotel_has_old_words_and_dirt_before_it_is_migrated(history):
    history.initial()
    demo.write(history.apps, by_clock(timezone.now()), rounds=4)
    words = {word for (word,) in history.execute("SELECT DISTINCT status FROM reservations")}
    assert words >= {"old_confirmed", "old_checked_in", "checked_out", "pending"}
    [(dirty,)] = history.execute(
        "SELECT count(*) FROM reservations WHERE check_out_date <= check_in_date"
    )
    assert dirty == 2
    before = history.dump()
    assert history.climb().descend().dump() == before


def test_a_database_with_tables_is_refused_or_left_alone(history, settings):
    settings.DEBUG = True
    history.at("head")
    with pytest.raises(CommandError) as refusal:
        write_demo()
    assert str(refusal.value) == (
        "The database has tables, so nothing was written: name an empty one in DATABASE_URL."
    )
    assert write_demo(if_empty=True) == ""


def test_without_debug_it_is_refused(history, settings):
    settings.DEBUG = False
    history.at(None)
    with pytest.raises(CommandError) as refusal:
        write_demo(if_empty=True)
    assert str(refusal.value) == (
        "Demo data is for development: DEBUG is off, so nothing was written."
    )
    assert history.tables() == []


@stress.only_whole
def test_a_demo_that_was_interrupted_before_its_rows_is_written(history, settings):
    settings.DEBUG = True
    history.at(("rooms", "0001_initial"))
    assert "Log in with" in write_demo(if_empty=True)
    assert history.execute("SELECT count(*) FROM rooms") == [(26,)]


@stress.only_whole
def test_a_demo_that_was_interrupted_on_its_way_to_head_is_finished(history, settings):
    settings.DEBUG = True
    history.initial()
    loader = MigrationLoader(connection)
    with transaction.atomic():
        demo.write(
            loader.project_state(list(loader.applied_migrations)).apps, by_clock(timezone.now())
        )
    history.go("payments", "0019")
    assert "Log in with" in write_demo(if_empty=True)
    call_command("migrate", "--check", verbosity=0)
    owners = "SELECT count(*) FROM users_groups"
    assert history.execute(owners) == [(len([s for s in demo.STAFF if s[4]]) + 1,)]


def test_an_empty_table_of_somebody_else_is_not_touched(history, settings):
    settings.DEBUG = True
    history.at(None)
    history.execute("CREATE TABLE somebodys (id integer)")
    assert write_demo(if_empty=True) == ""
    assert history.tables() == ["somebodys"]
