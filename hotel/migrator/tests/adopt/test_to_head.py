"""A database of the legacy system, taken over and migrated: people log in, every table is written.

Dirt and all: rows without their parents would be in the way of every migration on SQLite.
"""

import json
from datetime import date, timedelta
from itertools import count

import pytest
from django.apps import apps
from django.contrib.auth import authenticate, get_user_model
from django.db import connection, models, transaction

from hotel.legacy import LEGACY
from hotel.migrator.adopt.takeover import Adopter
from hotel.migrator.adopt.way_back import written
from hotel.migrator.scope import own_apps
from hotel.migrator.tests.adopt.adoptions import (
    SHARED,
    adopt,
    drift,
    dump,
    legacy,
    refusal,
    rows,
    unchecked,
)
from hotel.migrator.tests.legacy_shapes import load
from hotel.migrator.verbs import Position
from hotel.tests import stress

OWN_TABLES = sorted(
    {model._meta.db_table for model in apps.get_models() if model._meta.app_label in own_apps()}
    | {"auth_group", "auth_permission", "django_content_type"}  # to which a grant refers
)


def test_taken_over_and_migrated_everybody_can_go_on(history):
    legacy(history, "P")
    unchecked(
        "UPDATE payments SET created_by = 999 WHERE id = 1",
        "UPDATE payments SET reservation_id = 999999 WHERE id = 2",
    )
    before = dump()
    done = adopt("--accept-set-aside")
    history.migrate()
    assert drift() == "Models, migrations and database agree."
    carried = {part["becomes"]: part["rows_after"] for part in done["proof"]["tables"]}
    for table, number in carried.items():
        assert rows(f"SELECT count(*) FROM {table}") == [(number,)]
    assert rows(
        "SELECT count(*) FROM reservations WHERE number_of_nights <> "
        + (
            "check_out_date - check_in_date"
            if connection.vendor == "postgresql"
            else "CAST(julianday(check_out_date) - julianday(check_in_date) AS INTEGER)"
        )
    ) == [(0,)]
    standing = Position(connection)
    adopter = Adopter(connection, standing.executor, standing.graph.order, LEGACY)
    assert written(adopter, adopter.latest()) == {}
    assert write_into_every_table() == OWN_TABLES
    said = refusal("--undo")
    for table in ("guests: 1 inserted", "reservations: 1 inserted", "room_blocks: 1 inserted"):
        assert table in said
    adopt("--undo", "--discard-new-rows")
    assert dump() == before


@stress.only_whole
def test_a_migrated_database_goes_back_if_nothing_was_written(history):
    before = legacy(history, "O1")
    adopt()
    history.migrate()
    assert adopt("--undo")["discarded"] == {}
    assert dump() == before


@stress.only_whole
@pytest.mark.parametrize("name", ["orm", "sql003"])
def test_everybody_of_the_samples_logs_in_as_before(history, name):
    file = SHARED / f"legacy_{name}.{connection.vendor}.sql"
    if not file.exists():
        pytest.skip("needs the sample databases beside the project")
    history.at(None)
    load(file)
    adopt()
    history.migrate()
    for login in json.loads((SHARED / "logins.json").read_text(encoding="utf-8")):
        user = authenticate(username=login["username"], password=login["password"])
        assert (user is not None) == login["may_log_in"], login["username"]
    assert write_into_every_table() == OWN_TABLES


def write_into_every_table():
    """Make one row of each model, as plain as it can be, and return the names of the tables."""
    made, numbers = {}, count(1)

    def make(model):
        if model in made:
            return made[model]
        if model._meta.label == "reservations.StayPart":  # which the database makes with its stay
            stay = make(model._meta.get_field("reservation").related_model)
            made[model] = model.objects.get(reservation=stay)
            return made[model]
        values = {}
        for one in model._meta.local_concrete_fields:
            if one.primary_key or one.null or one.generated or one.has_default():
                continue
            if one.db_default is not models.NOT_PROVIDED or getattr(one, "auto_now_add", False):
                continue
            values[one.name] = value(one)
        if model._meta.label == "dashboard.BusinessDay":  # a row of it is closed, or was
            values |= {"closed_at": "2031-01-01T12:00:00Z", "closed_by": make(get_user_model())}
        if model._meta.label == "dashboard.DailyAdjustment":  # of a day before
            values["day"], values["adjusted_on"] = values["adjusted_on"], values["day"]
        made[model] = model(**values)
        with transaction.atomic():
            made[model].save()
        return made[model]

    def value(one):
        if one.is_relation:
            return make(one.related_model)
        if one.choices:
            return one.choices[0][0]
        if isinstance(one, models.DateTimeField):
            return "2031-01-01T12:00:00Z"
        if isinstance(one, models.DateField):
            return date(2031, 1, 1) + timedelta(days=next(numbers))
        if isinstance(one, models.DecimalField):
            return 1
        if isinstance(one, models.IntegerField):
            return 1
        return f"N{next(numbers)}"

    for model in apps.get_models():
        if model._meta.app_label in own_apps():
            make(model)
    return sorted(model._meta.db_table for model in made)
