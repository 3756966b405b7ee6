"""Every payment gets one of the four types."""

import pytest
from django.db import transaction

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0004_backfill_payment_type")
BEFORE = ("payments", "0003")

LARGEST = "9999999999.99"


def paid(amount, expected, notes=None, **columns):
    """Return a payment and the type that it is expected to get."""
    return {"amount": amount, "notes": notes, **columns}, expected


# what is told of a stay: (its total, its payments in the order of their keys)
STAYS = {
    # One of the four types stays, whatever else the payment says.
    "typed": (
        "1000",
        [
            paid("1", "full", payment_type="full"),
            paid("1", "full", "deposit", payment_type="full"),
            paid("1", "full", is_refund=True, payment_type="full"),
            paid("5000", "downpayment", payment_type="downpayment"),
            paid("-1", "deposit", payment_type="deposit"),
            paid("1", "adjustment", "uang muka", payment_type="adjustment"),
        ],
    ),
    # A word that is none of the four is no type; the comparison is exact.
    "mistyped": (
        "1000",
        [
            paid("1", "downpayment", payment_type="Full"),
            paid("1", "downpayment", payment_type="full "),
            paid("1", "downpayment", payment_type=" deposit"),
            paid("1", "downpayment", payment_type="ADJUSTMENT"),
            paid("1", "downpayment", payment_type="\N{FULLWIDTH LATIN SMALL LETTER F}ull"),
            paid("1", "downpayment", payment_type=""),
            paid("1", "deposit", "deposit", payment_type="Full"),
            paid("1", "adjustment", payment_type="Full", is_refund=True),
            paid("2000", "full", payment_type="downpaymen"),
        ],
    ),
    # A refund, or an amount of zero or less.
    "adjustments": (
        "1000",
        [
            paid("1000", "adjustment", is_refund=True),
            paid("1000", "adjustment", "refund deposit", is_refund=True),
            paid("1000", "adjustment", "uang muka", is_refund=True, is_voided=True),
            paid("0", "adjustment"),
            paid("0.00", "adjustment", "jaminan"),
            paid("-0.01", "adjustment"),
            paid("-1000", "adjustment", "deposit"),
        ],
    ),
    # Words in the notes.
    "words": (
        "1000",
        [
            paid("2000", "deposit", "deposit"),
            paid("2000", "deposit", "JAMINAN kamar"),
            paid("2000", "deposit", "Uang Jaminan"),
            paid("2000", "deposit", "x\nDePoSiTo2"),
            paid("2000", "deposit", "uang muka + deposit"),
            paid("2000", "deposit", "Jaminan, bukan UANG MUKA"),
            paid("2000", "downpayment", "uang muka"),
            paid("2000", "downpayment", "UANG MUKA 50%"),
            paid("2000", "full", "muka uang"),
            paid("2000", "full", "uang  muka"),
            paid("2000", "full", "uang\N{NO-BREAK SPACE}muka"),
            paid("2000", "full", "uangmuka"),
            paid("2000", "full", "depo sit"),
            paid("2000", "full", "depos\N{LATIN SMALL LETTER DOTLESS I}t"),
            paid("2000", "full", "DEPOS\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}T"),
            paid("2000", "full", "\N{FULLWIDTH LATIN SMALL LETTER J}aminan"),
            paid("2000", "full", "d\N{CYRILLIC SMALL LETTER IE}posit"),
            paid("2000", "full", ""),
        ],
    ),
    "voided deposit": ("1000", [paid("1000", "deposit", "deposit", is_voided=True)]),
    # What was paid for the stay up to and including this payment.
    "in full": ("1000", [paid("1000", "full")]),
    "a cent less": ("1000", [paid("999.99", "downpayment")]),
    "a cent more": ("1000", [paid("1000.01", "full")]),
    "in parts": (
        "1000",
        [paid("400", "downpayment"), paid("599.99", "downpayment"), paid("0.01", "full")],
    ),
    "after it was paid in full": ("1000", [paid("1000", "full"), paid("1", "full")]),
    "dates before keys": (
        "1000",
        [
            paid("600", "full", payment_date="2025-11-10"),
            paid("400", "downpayment", payment_date="2025-11-09"),
        ],
    ),
    "keys within a day": (
        "1000",
        [
            paid("300", "downpayment", payment_date="2025-11-09"),
            paid("600", "full", payment_date="2025-11-09"),
            paid("100", "downpayment", payment_date="2025-11-08"),
        ],
    ),
    # What counts as paid, and what does not.
    "deposits do not count": (
        "1000",
        [paid("600", "deposit", "deposit"), paid("400", "downpayment")],
    ),
    "typed deposits do not count": (
        "1000",
        [paid("600", "deposit", payment_type="deposit"), paid("400", "downpayment")],
    ),
    "refunds do not count": (
        "1000",
        [paid("600", "adjustment", is_refund=True), paid("400", "downpayment")],
    ),
    "typed refunds do not count": (
        "1000",
        [paid("600", "full", is_refund=True, payment_type="full"), paid("400", "downpayment")],
    ),
    "what was voided does not count": (
        "1000",
        [paid("600", "downpayment", is_voided=True), paid("400", "downpayment")],
    ),
    "what was voided is measured all the same": ("1000", [paid("1000", "full", is_voided=True)]),
    "negative amounts do not count": ("1000", [paid("-600", "adjustment"), paid("1000", "full")]),
    "down payments count": ("1000", [paid("600", "downpayment", "uang muka"), paid("400", "full")]),
    "types count, whatever the notes say": (
        "1000",
        [paid("600", "full", "deposit", payment_type="full"), paid("400", "full")],
    ),
    "typed down payments and adjustments count": (
        "1000",
        [
            paid("300", "downpayment", payment_type="downpayment"),
            paid("300", "adjustment", payment_type="adjustment"),
            paid("400", "full"),
        ],
    ),
    "mistyped payments count": (
        "1000",
        [paid("600", "downpayment", payment_type="Deposit"), paid("400", "full")],
    ),
    "mistyped deposits do not": (
        "1000",
        [paid("600", "deposit", "jaminan", payment_type="Full"), paid("400", "downpayment")],
    ),
    "nobody said whether it is a refund or voided": (
        "1000",
        [paid("600", "downpayment", is_refund=None, is_voided=None), paid("400", "full")],
    ),
    # Money.
    "nothing to pay": ("0", [paid("0.01", "full")]),
    "less than nothing to pay": ("-1000", [paid("0.01", "full"), paid("-1", "adjustment")]),
    "cents": ("0.30", [paid("0.10", "downpayment"), paid("0.20", "full")]),
    "ten times ten cents": (
        "1.00",
        [*(paid("0.10", "downpayment") for _ in range(9)), paid("0.10", "full")],
    ),
    "as much as fits": (LARGEST, [paid("9999999999.98", "downpayment"), paid("0.01", "full")]),
    "sums that fit into no column": (
        LARGEST,
        [paid("9999999999.98", "downpayment"), paid(LARGEST, "full"), paid(LARGEST, "full")],
    ),
}
PAYMENTS = [
    (stay, columns, expected)
    for stay, (_, payments) in enumerate(STAYS.values(), start=1)
    for columns, expected in payments
]
LEGACY = {key: columns.get("payment_type") for key, (_, columns, _) in enumerate(PAYMENTS, start=1)}
EXPECTED = {key: expected for key, (*_, expected) in enumerate(PAYMENTS, start=1)}


def first_of(name):
    """Return the key of the first payment of a stay."""
    stay = list(STAYS).index(name) + 1
    return next(key for key, (of, *_) in enumerate(PAYMENTS, start=1) if of == stay)


def types(history):
    return legacy.column(history, "payments", "payment_type")


@pytest.fixture
def with_payments(history):
    history.before(MIGRATION)
    with transaction.atomic():
        for key, (total, _) in enumerate(STAYS.values(), start=1):
            legacy.reservation(history, key, total_amount=total, deposit_amount="0")
        for key, (stay, columns, _) in enumerate(PAYMENTS, start=1):
            legacy.payment(history, key, reservation_id=stay, **columns)
    return history


def by_stay(found):
    """Return the types by the name of the stay, so that a failure tells which rule it is."""
    names, told = list(STAYS), {}
    for key, word in sorted(found.items()):
        told.setdefault(names[PAYMENTS[key - 1][0] - 1], []).append(word)
    return told


def test_types_go_up_and_down_and_up(with_payments):
    history = with_payments
    reservations = history.dump()["reservations"]
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert by_stay(types(history)) == by_stay(EXPECTED)
        history.go(*BEFORE)
        assert by_stay(types(history)) == by_stay(LEGACY)
    assert history.dump()["reservations"] == reservations


def test_only_types_that_were_missing_or_none_of_the_four_are_archived(with_payments):
    with_payments.go(*MIGRATION)
    found = legacy.archive(with_payments, "column_name", "row_key", "original", "became")
    four = ["full", "downpayment", "deposit", "adjustment"]
    assert sorted(found, key=lambda entry: int(entry[1])) == [
        ("payment_type", str(key), word, EXPECTED[key])
        for key, word in LEGACY.items()
        if word not in four
    ]


def test_types_changed_since_stay_on_the_way_down(with_payments):
    history = with_payments
    history.go(*MIGRATION)
    untyped, mistyped, typed = first_of("in full"), first_of("mistyped"), first_of("typed")
    gone, edited = first_of("a cent less"), first_of("a cent more")
    change = "UPDATE payments SET payment_type = %s WHERE id = %s"
    history.execute(change, ["adjustment", untyped])
    history.execute(change, ["deposit", mistyped])
    history.execute(change, ["downpayment", typed])
    history.execute("UPDATE payments SET notes = 'edited' WHERE id = %s", [edited])
    history.execute("DELETE FROM payments WHERE id = %s", [gone])
    legacy.payment(history, 901, payment_type="deposit")
    legacy.payment(history, 902, payment_type=None)
    history.go(*BEFORE)
    expected = {**LEGACY, untyped: "adjustment", mistyped: "deposit", typed: "downpayment"}
    expected |= {901: "deposit", 902: None}
    del expected[gone]
    assert types(history) == expected
    assert expected[edited] is None

    history.go(*MIGRATION)
    found = types(history)
    assert [found[key] for key in (untyped, mistyped, typed)] == [
        "adjustment",
        "deposit",
        "downpayment",
    ]
    assert found[901] == "deposit"
    assert gone not in found


def test_a_stay_is_one_stay_even_if_its_payments_lie_batches_apart(history):
    history.before(MIGRATION)
    for key in range(1, 52):
        legacy.reservation(history, key, total_amount="1000", deposit_amount="0")
    legacy.payment(history, 1, reservation_id=1, amount="600")
    legacy.payment(history, 2, reservation_id=2, amount="600", notes="deposit")
    history.execute(  # some two thousand payments of one tenth each, forty for each other stay
        "INSERT INTO payments (id, reservation_id, payment_date, amount, payment_method)"
        " WITH RECURSIVE numbers (n) AS"
        " (SELECT 49 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2008)"
        " SELECT n, 3 + n % 49, '2025-11-08', 100, 'cash' FROM numbers"
    )
    legacy.payment(history, 3001, reservation_id=1, amount="400")
    legacy.payment(history, 3002, reservation_id=2, amount="400")
    history.go(*MIGRATION)
    found = types(history)
    assert [found[key] for key in (1, 3001)] == ["downpayment", "full"]
    assert [found[key] for key in (2, 3002)] == ["deposit", "downpayment"]
    assert {found[key] for key in range(49, 490)} == {"downpayment"}
    assert {found[key] for key in range(490, 2009)} == {"full"}
    history.go(*BEFORE)
    assert set(types(history).values()) == {None}


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["payments"] == []
    assert legacy.archive(history, "row_key") == []
