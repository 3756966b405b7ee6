"""Every reservation gets the deposit that its payments tell of."""

from decimal import Decimal
from itertools import count

import pytest
from django.db import transaction

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0005_backfill_deposit_amount")
BEFORE = ("reservations", "0004")

LARGEST = "9999999999.99"


def paid(amount, notes=None, **columns):
    return {"amount": amount, "notes": notes, **columns}


# what is told: (deposit before, payments, deposit after)
CASES = {
    "no payment": (None, [], 0),
    "an amount that is there stays": ("250000", [paid("100000", "deposit")], 250000),
    "a zero that is there stays": ("0", [paid("100000", "deposit")], 0),
    "a negative amount that is there stays": ("-0.10", [], Decimal("-0.10")),
    "the largest amount stays": (LARGEST, [paid("1", "deposit")], Decimal(LARGEST)),
    "a payment that says nothing": (None, [paid("100000")], 0),
    "a payment with empty notes": (None, [paid("100000", "")], 0),
    "deposit": (None, [paid("100000", "deposit")], 100000),
    "jaminan": (None, [paid("100000", "jaminan")], 100000),
    "in capitals": (None, [paid("100000", "JAMINAN"), paid("1", "DEPOSIT")], 100001),
    "in mixed case": (None, [paid("100000", "Uang Jaminan"), paid("1", "dePosIt")], 100001),
    "inside a word, after a line": (None, [paid("7", "x\n"), paid("3", "kamar\nDeposito2")], 3),
    "a down payment": (None, [paid("100000", "uang muka")], 0),
    "a down payment and a deposit": (None, [paid("100000", "uang muka + deposit")], 100000),
    "letters apart": (None, [paid("100000", "d e p o s i t"), paid("1", "depo sit")], 0),
    "a dotless i": (
        None,
        [
            paid("100000", "depos\N{LATIN SMALL LETTER DOTLESS I}t"),
            paid("1", "JAM\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}NAN"),
        ],
        0,
    ),
    "a fullwidth letter": (None, [paid("1", "\N{FULLWIDTH LATIN SMALL LETTER D}eposit")], 0),
    "a Cyrillic letter": (None, [paid("100000", "d\N{CYRILLIC SMALL LETTER IE}posit")], 0),
    "the type says so": (None, [paid("100000", payment_type="deposit")], 100000),
    "another type overrules words": (
        None,
        [
            paid("1", "deposit", payment_type="full"),
            paid("2", "deposit", payment_type="downpayment"),
            paid("4", "jaminan", payment_type="adjustment"),
        ],
        0,
    ),
    "a word that is no type is none": (
        None,
        [
            paid("1", payment_type="Deposit"),
            paid("2", payment_type="deposit "),
            paid("4", payment_type="\N{FULLWIDTH LATIN SMALL LETTER D}eposit"),
            paid("8", "deposit", payment_type="Full"),
            paid("16", "deposit", payment_type=""),
        ],
        24,
    ),
    "a refund": (None, [paid("100000", "deposit", is_refund=True), paid("1", "deposit")], 1),
    "a typed refund": (None, [paid("100000", payment_type="deposit", is_refund=True)], 0),
    "voided": (None, [paid("100000", "deposit", is_voided=True), paid("1", "deposit")], 1),
    "typed and voided": (None, [paid("100000", payment_type="deposit", is_voided=True)], 0),
    "nobody said whether it is a refund or voided": (
        None,
        [paid("100000", "deposit", is_refund=None, is_voided=None)],
        100000,
    ),
    "zero and negative": (
        None,
        [paid("0", "deposit"), paid("-50", "deposit"), paid("9", "deposit")],
        9,
    ),
    "only negative": (None, [paid("-50", "deposit")], 0),
    "typed and told": (None, [paid("10", payment_type="deposit"), paid("5", "jaminan")], 15),
    "cents": (None, [paid("0.10", "deposit"), paid("0.20", "deposit")], Decimal("0.30")),
    "more than the stay costs": (None, [paid("5000000.50", "deposit")], Decimal("5000000.50")),
    "the sum just fits": (
        None,
        [paid("9999999999.98", "deposit"), paid("0.01", "deposit")],
        Decimal(LARGEST),
    ),
    "the sum is more than the column holds": (
        None,
        [paid(LARGEST, "deposit"), paid(LARGEST, "deposit")],
        Decimal(LARGEST),
    ),
}
KEYS = {case: key for key, case in enumerate(CASES, start=1)}


def amounts(history):
    """Return the deposits by case; others by key."""
    cases = {key: case for case, key in KEYS.items()}
    found = legacy.column(history, "reservations", "deposit_amount")
    return {cases.get(key, key): amount for key, amount in found.items()}


def before():
    return {
        case: None if amount is None else Decimal(amount) for case, (amount, *_) in CASES.items()
    }


def after():
    return {case: amount for case, (*_, amount) in CASES.items()}


@pytest.fixture
def with_payments(history):
    history.before(MIGRATION)
    payment_keys = count(1)
    with transaction.atomic():
        for case, (amount, payments, _) in CASES.items():
            legacy.reservation(history, KEYS[case], deposit_amount=amount)
            for columns in payments:
                key = next(payment_keys)
                legacy.payment(history, key, reservation_id=KEYS[case], **columns)
    return history


def test_amounts_go_up_and_down_and_up(with_payments):
    history = with_payments
    payments = history.dump()["payments"]
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert amounts(history) == after()
        history.go(*BEFORE)
        assert amounts(history) == before()
    assert history.dump()["payments"] == payments


def test_when_a_deposit_was_returned_is_left_alone(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1, deposit_returned_at="2025-11-08 12:00:00")
    legacy.payment(history, 1, notes="deposit")
    before = history.dump()["reservations"]
    history.go(*MIGRATION)
    assert history.dump()["reservations"] == [{**before[0], "deposit_amount": "1000000"}]


def test_only_amounts_that_were_missing_are_archived(with_payments):
    with_payments.go(*MIGRATION)
    missing = [str(KEYS[case]) for case, (amount, *_) in CASES.items() if amount is None]
    found = legacy.archive(with_payments, "column_name", "row_key", "original")
    assert len(missing) == 29
    assert found == [("deposit_amount", key, None) for key in sorted(missing)]


def test_amounts_changed_since_stay_on_the_way_down(with_payments):
    history = with_payments
    history.go(*MIGRATION)
    change = "UPDATE reservations SET deposit_amount = %s WHERE id = %s"
    history.execute(change, ["77.70", KEYS["no payment"]])
    history.execute(change, ["0", KEYS["deposit"]])
    history.execute(change, ["1", KEYS["the largest amount stays"]])
    history.execute("DELETE FROM payments WHERE reservation_id = %s", [KEYS["jaminan"]])
    history.execute("DELETE FROM reservations WHERE id = %s", [KEYS["jaminan"]])
    legacy.reservation(history, 101, deposit_amount="5")
    legacy.reservation(history, 102, deposit_amount=None)
    history.go(*BEFORE)
    expected = {
        **before(),
        "no payment": Decimal("77.70"),
        "deposit": 0,
        "the largest amount stays": 1,
        101: 5,
        102: None,
    }
    del expected["jaminan"]
    assert amounts(history) == expected

    history.go(*MIGRATION)
    found = amounts(history)
    assert (found["no payment"], found["deposit"], found[101]) == (Decimal("77.70"), 0, 5)
    assert found["in capitals"] == 100001
    assert "jaminan" not in found


def test_payments_made_below_count_on_the_way_up(with_payments):
    history = with_payments
    history.go(*MIGRATION).go(*BEFORE)
    legacy.payment(history, 901, reservation_id=KEYS["cents"], amount="0.07", notes="deposit")
    history.go(*MIGRATION)
    assert amounts(history) == {**after(), "cents": Decimal("0.37")}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["reservations"] == []
    assert legacy.archive(history, "row_key") == []
