"""A reservation always says how much its deposit is; those written since by the same rule."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0006_require_deposit_amount")
BEFORE = ("reservations", "0005")


def amounts(history):
    return legacy.column(history, "reservations", "deposit_amount")


def test_the_column_becomes_not_null_and_nothing_else_changes(history):
    history.before(MIGRATION)
    for key, amount in enumerate(["0", "0.30", "-1", "9999999999.99"], start=1):
        legacy.reservation(history, key, deposit_amount=amount, status=None)
    catalog, shape, rows = history.catalog(), legacy.shape(history, "reservations"), history.dump()
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            after = legacy.shape(history, "reservations")
            assert shape - after == {"deposit_amount decimal"}
            assert after - shape == {"deposit_amount decimal NOT NULL DEFAULT 0"}
            assert history.dump() == rows
        history.go(*BEFORE)
        assert history.catalog() == catalog
        assert history.dump() == rows


def test_a_reservation_without_amount_is_refused_and_one_that_names_none_has_zero(history):
    history.at(MIGRATION)
    legacy.reservation(history, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        legacy.reservation(history, 2, deposit_amount=None)
    assert amounts(history) == {1: 0}


def test_reservations_written_since_get_their_deposit_and_go_back_without(history):
    history.at(("reservations", "0004_add_deposit_columns")).go("payments", "0003")
    legacy.reservation(history, 1)
    legacy.reservation(history, 2, deposit_amount="5")
    history.go(*BEFORE)
    legacy.reservation(history, 3)
    legacy.reservation(history, 4)
    legacy.reservation(history, 5)
    legacy.reservation(history, 6, deposit_amount="8")
    history.execute("UPDATE reservations SET deposit_amount = NULL WHERE id = 2")
    legacy.payment(history, 1, reservation_id=3, amount="250000.10", notes="Jaminan kamar")
    legacy.payment(history, 2, reservation_id=3, amount="0.20", payment_type="deposit")
    legacy.payment(history, 3, reservation_id=4, amount="250000", notes="DEPOSIT")
    legacy.payment(history, 4, reservation_id=5, amount="10", notes="deposit", is_voided=True)
    legacy.payment(history, 5, reservation_id=6, amount="10", notes="deposit")
    late = {1: 0, 2: None, 3: None, 4: None, 5: None, 6: 8}
    assert amounts(history) == late
    for _ in range(2):
        history.go(*MIGRATION)
        assert amounts(history) == {1: 0, 2: 0, 3: Decimal("250000.30"), 4: 250000, 5: 0, 6: 8}
        history.go(*BEFORE)
        assert amounts(history) == late

    history.go(*MIGRATION)
    history.execute("UPDATE reservations SET deposit_amount = 7 WHERE id = 3")
    history.execute("DELETE FROM payments WHERE reservation_id = 5")
    history.execute("DELETE FROM reservations WHERE id = 5")
    legacy.reservation(history, 7)
    history.go(*BEFORE)
    assert amounts(history) == {1: 0, 2: None, 3: 7, 4: None, 6: 8, 7: 0}
    history.go("reservations", "0004")
    assert amounts(history) == {1: None, 2: None, 3: 7, 4: None, 6: 8, 7: 0}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
    assert legacy.archive(history, "row_key") == []
