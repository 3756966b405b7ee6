"""The whole history, with rows, there and back: what the project exists for."""

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from conftest import INITIAL, OWN_MIGRATIONS, previous
from hotel.migrator.tests.facts import differences
from hotel.tests import stress


def test_sample_goes_to_head_and_back_unchanged(history):
    history.initial().load_sample()
    rows, shape = history.dump(), history.catalog()
    history.migrate()
    call_command("migrate", "--check", verbosity=0)
    at_head = history.dump(), history.catalog()

    history.to_initial()
    assert history.dump() == rows
    assert history.catalog() == shape

    history.climb()
    assert (history.dump(), history.catalog()) == at_head


def test_statuses_and_money_of_the_sample_at_head(history):
    history.initial().load_sample()
    money = "SELECT sum(total_amount), sum(subtotal), sum(discount_amount) FROM reservations"
    paid = "SELECT count(*), sum(amount) FROM payments"
    before = history.execute(money), history.execute(paid)
    history.climb()
    statuses = history.execute("SELECT status, count(*) FROM reservations GROUP BY status")
    assert dict(statuses) == {
        "confirmed": 111,
        "checked_in": 59,
        "checked_out": 105,
        "cancelled": 14,
        "no_show": 1,
        "pending": 10,
    }
    assert (history.execute(money), history.execute(paid)) == before


@stress.only_whole
def test_every_migration_can_be_the_target_one_after_the_other(history):
    targets = OWN_MIGRATIONS[OWN_MIGRATIONS.index(INITIAL) :]
    history.initial()
    shapes = []
    for key in targets:
        shapes.append(history.migrate(*key).catalog())
        assert last_of(history, key[0]) == key
    for key, shape in reversed([*zip(targets[:-1], shapes, strict=False)]):
        following = OWN_MIGRATIONS[OWN_MIGRATIONS.index(key) + 1]
        history.migrate(*previous(following))
        assert history.catalog() == shape


@stress.only_whole
def test_a_migration_can_be_the_target_at_one_go(history):
    for key in OWN_MIGRATIONS[::5]:
        history.at(None).migrate(*key)
        assert last_of(history, key[0]) == key
        shape = history.at("head").catalog()
        history.migrate(*key)
        assert last_of(history, key[0]) == key
        assert history.migrate().catalog() == shape


def last_of(history, app):
    """Return the last migration of ``app`` that is recorded."""
    applied = history.execute("SELECT app, name FROM django_migrations WHERE app = %s", [app])
    return max(applied)


def test_every_rule_outlives_a_change_of_every_table(history):
    history.at("head")
    before = history.catalog()
    assert sum(thing.kind == "trigger" for thing in before) >= 30
    tables = set(history.tables())
    spare = models.IntegerField(null=True)
    for model in apps.get_models():
        if model._meta.db_table in tables:
            spare.set_attributes_from_name("spare")
            spare.model = model
            with connection.schema_editor() as editor:
                editor.add_field(model, spare)
            with connection.schema_editor() as editor:  # SQLite makes the table anew
                editor.remove_field(model, spare)
    assert differences(history.catalog(), before) == {}
