"""Two empty columns for the deposit."""

from decimal import Decimal

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0004_add_deposit_columns")
BEFORE = ("reservations", "0003")

COLUMNS = {"deposit_amount decimal", "deposit_returned_at datetime"}


def amounts(history):
    return legacy.column(history, "reservations", "deposit_amount")


def returned(history):
    rows = history.dump()["reservations"]
    return {int(row["id"]): row["deposit_returned_at"] for row in rows}


def test_reservations_keep_everything_and_say_nothing_of_deposits(history):
    history.before(MIGRATION)
    legacy.payment(history, 1, notes="deposit")
    shape, rows = legacy.shape(history, "reservations"), history.dump()["reservations"]
    history.go(*MIGRATION)
    assert legacy.shape(history, "reservations") - shape == COLUMNS
    assert shape - legacy.shape(history, "reservations") == set()
    empty = {"deposit_amount": None, "deposit_returned_at": None}
    assert history.dump()["reservations"] == [{**row, **empty} for row in rows]


def test_deposits_come_back_after_the_columns_were_dropped(history):
    history.at(MIGRATION)
    midnight, late = "2025-11-08 00:00:00", "2025-11-08 23:59:59.999999"
    legacy.reservation(history, 1, deposit_amount="9999999999.99", deposit_returned_at=late)
    legacy.reservation(history, 2, deposit_amount="0.30", deposit_returned_at=None)
    legacy.reservation(history, 3, deposit_amount="0.00", deposit_returned_at=midnight)
    legacy.reservation(history, 4, deposit_amount=None)
    legacy.reservation(history, 5, deposit_amount="-500000.10")
    legacy.reservation(history, 6, deposit_amount="250000")
    history.go(*BEFORE)
    assert not COLUMNS & legacy.shape(history, "reservations")
    assert legacy.archive(history, "row_key", "column_name") == [
        ("1", "deposit_amount"),
        ("1", "deposit_returned_at"),
        ("2", "deposit_amount"),
        ("3", "deposit_amount"),
        ("3", "deposit_returned_at"),
        ("5", "deposit_amount"),
        ("6", "deposit_amount"),
    ]
    history.execute("DELETE FROM reservations WHERE id = 6")
    legacy.reservation(history, 7)

    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert amounts(history) == {
            1: Decimal("9999999999.99"),
            2: Decimal("0.30"),
            3: 0,
            4: None,
            5: Decimal("-500000.10"),
            7: None,
        }
        assert returned(history) == {1: late, 2: None, 3: midnight, 4: None, 5: None, 7: None}
    assert legacy.archive(history, "row_key") == []


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
