"""Every payment has a type; those written since get it by the same rule."""

import pytest
from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0005_require_payment_type")
BEFORE = ("payments", "0004")


def types(history):
    return legacy.column(history, "payments", "payment_type")


def test_the_column_becomes_not_null_and_nothing_else_changes(history):
    history.before(MIGRATION)
    for key, word in enumerate(["full", "downpayment", "deposit", "adjustment"], start=1):
        legacy.payment(history, key, payment_type=word, is_refund=None, notes="")
    catalog, shape, rows = history.catalog(), legacy.shape(history, "payments"), history.dump()
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            after = legacy.shape(history, "payments")
            assert shape - after == {"payment_type varchar(20)"}
            assert after - shape == {"payment_type varchar(20) NOT NULL DEFAULT 'full'"}
            assert history.dump() == rows
        history.go(*BEFORE)
        assert history.catalog() == catalog
        assert history.dump() == rows


def test_a_payment_without_type_is_refused_and_one_that_names_none_is_full(history):
    history.at(MIGRATION)
    legacy.payment(history, 1, amount="1", notes="deposit")
    with pytest.raises(IntegrityError), transaction.atomic():
        legacy.payment(history, 2, payment_type=None)
    assert types(history) == {1: "full"}


def test_payments_written_since_get_their_type_and_go_back_without(history):
    history.at(("reservations", "0006_require_deposit_amount"))
    legacy.reservation(history, 1, total_amount="1000")
    legacy.payment(history, 1, amount="400")
    legacy.payment(history, 2, amount="1", payment_type="Full")
    history.go(*BEFORE)
    legacy.payment(history, 3, amount="599")
    legacy.payment(history, 4, amount="1", notes="JAMINAN")
    legacy.payment(history, 5, amount="0.01", notes="Uang muka")
    legacy.payment(history, 6, amount="1", is_refund=True)
    legacy.payment(history, 7, amount="1", payment_date="2025-11-07")
    history.execute("UPDATE payments SET payment_type = NULL WHERE id = 1")
    late = {1: None, 2: "downpayment", 3: None, 4: None, 5: None, 6: None, 7: None}
    assert types(history) == late
    for _ in range(2):
        history.go(*MIGRATION)
        assert types(history) == {
            1: "downpayment",
            2: "downpayment",
            3: "full",
            4: "deposit",
            5: "downpayment",
            6: "adjustment",
            7: "downpayment",
        }
        history.go(*BEFORE)
        assert types(history) == late

    history.go(*MIGRATION)
    history.execute("UPDATE payments SET payment_type = 'adjustment' WHERE id = 3")
    history.execute("DELETE FROM payments WHERE id = 4")
    legacy.payment(history, 8)
    history.go(*BEFORE)
    down = {1: None, 2: "downpayment", 3: "adjustment", 5: None, 6: None, 7: None, 8: "full"}
    assert types(history) == down
    history.go("payments", "0003")
    assert types(history) == {**down, 2: "Full"}


def test_words_written_since_become_one_of_the_four_and_go_back(history):
    history.before(MIGRATION)
    late = {1: "Deposit", 2: "full ", 3: "", 4: "adjustment"}
    for key, word in late.items():
        legacy.payment(history, key, payment_type=word, amount="1000000")
    history.go(*MIGRATION)
    assert types(history) == {1: "full", 2: "full", 3: "full", 4: "adjustment"}
    history.go(*BEFORE)
    assert types(history) == late


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["payments"] == []
    assert legacy.archive(history, "row_key") == []
