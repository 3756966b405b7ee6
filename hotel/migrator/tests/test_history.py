"""The whole history, with rows, there and back: what the project exists for."""

import pytest
from django.core.management import call_command

from conftest import OWN_MIGRATIONS


def test_sample_goes_to_head_and_back_unchanged(history):
    history.initial().load_sample()
    rows, shape = history.dump(), history.catalog()
    history.migrate()
    call_command("migrate", "--check", verbosity=0)
    at_head = history.dump(), history.catalog()

    history.to_initial()
    assert history.dump() == rows
    assert history.catalog() == shape

    history.migrate()
    assert (history.dump(), history.catalog()) == at_head


def test_statuses_and_money_of_the_sample_at_head(history):
    history.initial().load_sample()
    money = "SELECT sum(total_amount), sum(subtotal), sum(discount_amount) FROM reservations"
    paid = "SELECT count(*), sum(amount) FROM payments"
    before = history.execute(money), history.execute(paid)
    history.migrate()
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


@pytest.mark.parametrize("key", OWN_MIGRATIONS, ids=".".join)
def test_every_migration_can_be_the_target_from_nothing(history, key):
    history.at(None).migrate(*key)
    recorded = history.execute("SELECT app, name FROM django_migrations WHERE app = %s", [key[0]])
    assert max(recorded) == key


@pytest.mark.parametrize("key", OWN_MIGRATIONS, ids=".".join)
def test_every_migration_can_be_the_target_from_head(history, key):
    history.at("head").migrate(*key)
    recorded = history.execute("SELECT app, name FROM django_migrations WHERE app = %s", [key[0]])
    assert max(recorded) == key


def test_models_and_migrations_agree(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
