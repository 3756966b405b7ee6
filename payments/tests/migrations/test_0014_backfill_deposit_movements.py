"""The ledger begins with what is known of old deposits, and says what it rests on."""

from decimal import Decimal

import pytest
from django.utils import timezone

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0014_backfill_deposit_movements")
BEFORE = ("payments", "0013")
HELD = ("reservations", "0020_backfill_deposit_held")
BOOKED, LEFT, RETURNED = "2025-11-01 08:00", "2025-11-09 18:00", "2025-11-10 03:00"


def over(total="1000000", **columns):
    return {"status": "checked_out", "checked_out_at": LEFT, "total_amount": total, **columns}


def paid(amount, kind="full", **columns):
    return {"amount": amount, "payment_type": kind, **columns}


def deposit(amount, **columns):
    return paid(amount, "deposit", created_at=BOOKED, **columns)


RECEIPT = ("collected", 500, "payment", "2025-11-08")
BACK = {"is_refund": True, "refund_reason": "asked"}
# name: (the reservation, its payments, its movements, what is held)
CASES = {
    "nothing": ({}, [], [], 0),
    "in the column only": (
        {"deposit_amount": "500", "created_at": BOOKED},
        [],
        [("collected", 500, "legacy_column", "2025-11-01")],
        500,
    ),
    "nobody knows since when": (
        {"deposit_amount": "500"},
        [],
        [("collected", 500, "legacy_column", "2025-11-08")],
        500,
    ),
    "as a payment too": ({"deposit_amount": "500"}, [deposit("500")], [RECEIPT], 500),
    "payments count where both differ": (
        {"deposit_amount": "700"},
        [deposit("500"), deposit("100", payment_date="2025-11-07")],
        [("collected", 100, "payment", "2025-11-07"), RECEIPT],
        600,
    ),
    "voided": ({"deposit_amount": "0"}, [deposit("500", is_voided=True)], [], 0),
    "given back in part": (
        {},
        [deposit("500"), deposit("200", **BACK)],
        [RECEIPT, ("refunded", 200, "payment", "2025-11-08")],
        300,
    ),
    "more given back than taken": (
        {},
        [deposit("500"), deposit("600", **BACK)],
        [
            RECEIPT,
            ("refunded", 600, "payment", "2025-11-08"),
            ("corrected", 100, "assumed", "2025-11-08"),
        ],
        0,
    ),
    "less than nothing": ({"deposit_amount": "-500"}, [], [], 0),
    "a receipt of less than nothing": (
        {"deposit_amount": "300"},
        [deposit("-500")],
        [("collected", 300, "legacy_column", "2025-11-08")],
        300,
    ),
    "cancelled: a liability": (
        {"status": "cancelled"},
        [deposit("500")],
        [RECEIPT],
        500,
    ),
    "cancelled and given back": (
        {"status": "cancelled", "deposit_returned_at": RETURNED},
        [deposit("500")],
        [RECEIPT, ("refunded", 500, "legacy_column", "2025-11-10")],
        0,
    ),
    "given back at the end of the calendar": (
        over(deposit_returned_at="9999-12-31 23:59:59"),
        [deposit("500"), paid("1000000")],
        [RECEIPT, ("refunded", 500, "legacy_column", "2025-11-08")],
        0,
    ),
    "over, paid in full: all of it was given back": (
        over(deposit_returned_at=RETURNED),
        [deposit("500"), paid("1000000")],
        [RECEIPT, ("refunded", 500, "legacy_column", "2025-11-10")],
        0,
    ),
    "over, the deposit paid the rest": (
        over(deposit_returned_at=RETURNED),
        [deposit("500"), paid("999800")],
        [
            RECEIPT,
            ("applied", 200, "legacy_column", "2025-11-10"),
            ("refunded", 300, "legacy_column", "2025-11-10"),
        ],
        0,
    ),
    "over, still a debt": (
        over(),
        [deposit("500"), paid("100")],
        [RECEIPT, ("applied", 500, "assumed", "2025-11-10")],
        0,
    ),
    "over, a refund is no payment": (
        over(),
        [deposit("500"), paid("1000000"), paid("300", "adjustment", **BACK)],
        [
            RECEIPT,
            ("applied", 300, "assumed", "2025-11-10"),
            ("refunded", 200, "assumed", "2025-11-10"),
        ],
        0,
    ),
    "over, paid too much": (
        over(),
        [deposit("500"), paid("2000000")],
        [RECEIPT, ("refunded", 500, "assumed", "2025-11-10")],
        0,
    ),
    "to the cent": (
        over("0.30"),
        [deposit("0.20"), paid("0.20")],
        [
            ("collected", Decimal("0.2"), "payment", "2025-11-08"),
            ("applied", Decimal("0.1"), "assumed", "2025-11-10"),
            ("refunded", Decimal("0.1"), "assumed", "2025-11-10"),
        ],
        0,
    ),
}
KEYS = {name: key for key, name in enumerate(CASES, start=1)}


def ledger(history):
    """Return the movements by reservation, in order."""
    rows = history.execute(
        "SELECT reservation_id, kind, amount, evidence, business_date FROM deposit_movements"
        " ORDER BY reservation_id, id"
    )
    found = {key: [] for key in KEYS.values()}
    for key, kind, amount, evidence, day in rows:
        found[key].append((kind, Decimal(str(amount)), evidence, str(day)))
    return found


def expected():
    return {
        KEYS[name]: [(kind, Decimal(amount), *rest) for kind, amount, *rest in movements]
        for name, (_, _, movements, _) in CASES.items()
    }


def held(history):
    rows = legacy.column(history, "reservations", "deposit_held")
    return {name: Decimal(str(rows[key])) for name, key in KEYS.items()}


@pytest.fixture(autouse=True)
def of_jakarta():
    """Days are those of a hotel in Jakarta, wherever the tests run."""
    with timezone.override("Asia/Jakarta"):
        yield


@pytest.fixture
def stays(history):
    """The cases, as rows from before every rule, so that they may be what they are."""
    history.before(("reservations", "0014_add_rules"))
    number = 0
    for name, (stay, payments, *_) in CASES.items():
        legacy.reservation(history, KEYS[name], room_id=None, **stay)
        for payment in payments:
            number += 1
            legacy.payment(history, number, reservation_id=KEYS[name], **payment)
    return history.go("reservations", "0019")


def test_movements_go_up_and_down_and_up(stays):
    history = stays
    for _ in range(2):
        history.go(*HELD)
        assert ledger(history) == expected()
        assert held(history) == {name: case[3] for name, case in CASES.items()}
        history.go(*BEFORE)
        assert ledger(history) == {key: [] for key in KEYS.values()}
        assert set(held(history).values()) == {0}


def test_each_receipt_is_linked_to_its_movement(stays):
    stays.go(*MIGRATION)
    linked = (
        "SELECT count(*) FROM deposit_movements m JOIN payments p ON p.id = m.payment_id"
        " WHERE p.reservation_id = m.reservation_id AND p.amount = m.amount"
    )
    of_payments = "SELECT count(*) FROM deposit_movements WHERE evidence = 'payment'"
    assert stays.execute(linked) == stays.execute(of_payments) == [(16,)]


def test_a_movement_of_later_survives_the_way_down(stays):
    history = stays.go(*HELD)
    later = {"kind": "collected", "amount": "7", "evidence": "recorded"}
    history.insert("deposit_movements", reservation_id=1, business_date="2026-01-01", **later)
    history.execute("UPDATE reservations SET deposit_held = 7 WHERE id = 1")
    history.go("payments", "0012").go(*HELD)
    assert ledger(history)[1] == [("collected", Decimal(7), "recorded", "2026-01-01")]
    assert held(history)["nothing"] == 7


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*HELD)
    assert history.execute("SELECT count(*) FROM deposit_movements") == [(0,)]
