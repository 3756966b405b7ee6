"""A deposit above the price stands; in the schema before, it is exempt from the rule."""

import pytest
from django.db import IntegrityError, transaction
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0041_remove_deposit_limit")
BEFORE = ("reservations", "0040")


def exempt(history):
    """Return the keys of the reservations that are exempt from the rule."""
    rows = history.execute("SELECT id, exemptions FROM reservations ORDER BY id")
    return [key for key, names in rows if "deposit_within_total" in str(names)]


def test_rows_above_the_price_are_exempt_below_and_not_above(history):
    history.before(("reservations", "0014_add_rules"))
    legacy.reservation(history, 1, total_amount="100.00", deposit_amount="200.00")
    legacy.reservation(history, 2, total_amount="100.00", deposit_amount="100.00")
    for needed in MigrationLoader(None).graph.node_map[MIGRATION].parents:
        history.go(*needed.key)
    assert exempt(history) == [1]
    before = history.catalog()
    history.go(*MIGRATION)
    assert exempt(history) == []
    history.execute("UPDATE reservations SET deposit_amount = 300 WHERE id = 2")
    history.go(*BEFORE)
    assert exempt(history) == [1, 2]
    assert history.catalog() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        history.execute("UPDATE reservations SET deposit_amount = 301 WHERE id = 2")
    history.go(*MIGRATION)
    assert exempt(history) == []


def test_no_row_above_the_price_means_none_is_exempt(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE)
    assert exempt(history) == []
