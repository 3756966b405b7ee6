"""The ledger begins with what is known of old deposits, and says what it rests on."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef, Q
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


# The same rule, said in Python


def told_in_python(history):
    """Return what the movements would be, before any was made, as ``made`` returns them."""
    payments = history.model("payments.Payment").objects.exclude(is_voided=True)
    deposits = payments.filter(payment_type="deposit", reservation=OuterRef("pk"))
    stays = history.model("reservations.Reservation").objects.order_by("pk")
    rows = payments.order_by("reservation", "payment_date", "pk")
    of = {key: list(group) for key, group in groupby(rows, lambda row: row.reservation_id)}
    found = {
        stay.pk: [
            tuple(movement.get(name) for name in FACTS)
            for movement in movements(stay, of.get(stay.pk, []))
        ]
        for stay in stays.filter(Q(deposit_amount__gt=0) | Exists(deposits))
    }
    return {key: told for key, told in found.items() if told}


FACTS = ["kind", "amount", "payment_id", "occurred_at", "business_date", "created_by_id", "reason"]
FACTS += ["evidence"]


def made(history):
    """Return the movements that stand, by reservation, as values of ``FACTS`` in order."""
    rows = history.model("payments.DepositMovement").objects.order_by("reservation", "pk")
    rows = rows.values_list("reservation", *FACTS)
    return {
        key: [tuple(facts) for _, *facts in group]
        for key, group in groupby(rows, lambda row: row[0])
    }


def movements(stay, payments):
    """Yield the movements of one reservation, as values by field."""
    held = Decimal(0)
    deposits = [row for row in payments if row.payment_type == "deposit" and is_amount(row.amount)]
    for payment in deposits:
        amount = payment.amount
        held += -amount if payment.is_refund else amount
        yield {
            "kind": "refunded" if payment.is_refund else "collected",
            "amount": amount,
            "payment_id": payment.pk,
            "occurred_at": payment.created_at,
            "business_date": payment.payment_date,
            "created_by_id": payment.created_by_id,
            "evidence": "payment",
        }
    if held < 0:  # more was given back than was ever taken
        yield {
            "kind": "corrected",
            "amount": -held,
            "business_date": deposits[-1].payment_date,
            "reason": "More was given back than the payments say was collected.",
            "evidence": "assumed",
        }
        held = Decimal(0)
    if not deposits and is_amount(stay.deposit_amount):
        held = stay.deposit_amount
        yield {
            "kind": "collected",
            "amount": held,
            "occurred_at": stay.created_at,
            "business_date": day(stay.created_at, stay),
            "evidence": "legacy_column",
        }
    if not held:
        return
    if stay.status in ("cancelled", "no_show") and stay.deposit_returned_at:
        yield {
            "kind": "refunded",
            "amount": held,
            "occurred_at": stay.deposit_returned_at,
            "business_date": day(stay.deposit_returned_at, stay),
            "evidence": "legacy_column",
        }
    if stay.status != "checked_out":
        return
    paid = sum(
        -abs(row.amount) if row.is_refund else row.amount
        for row in payments
        if row.payment_type != "deposit" and row.amount.is_finite()
    )
    total = stay.total_amount if stay.total_amount.is_finite() else Decimal(0)
    applied = min(held, max(Decimal(0), total - paid))
    settled = stay.deposit_returned_at or stay.checked_out_at or stay.updated_at
    for kind, amount in (("applied", applied), ("refunded", held - applied)):
        if amount:
            yield {
                "kind": kind,
                "amount": amount,
                "occurred_at": settled,
                "business_date": day(settled, stay),
                "evidence": "legacy_column" if stay.deposit_returned_at else "assumed",
            }


def is_amount(amount):
    return amount.is_finite() and amount > 0


def day(moment, stay):
    """Return the hotel's date of an instant; the day of arrival where there is none that it has."""
    try:
        return timezone.localdate(moment) if moment else stay.check_in_date
    except OverflowError:  # infinity, and the last hours of the calendar
        return stay.check_in_date


def test_rows_are_those_that_python_tells(stays):
    history = stays.go(*BEFORE)
    told = told_in_python(history)
    assert len(told) == 16
    assert made(history.go(*MIGRATION)) == told


def test_sample_rows_are_those_that_python_tells(history):
    history.initial().load_sample().go(*BEFORE)
    deposits = "payment_type = 'downpayment' AND exemptions IS NULL"
    history.execute(f"UPDATE payments SET payment_type = 'deposit' WHERE {deposits}")
    told = told_in_python(history)
    assert len(told) > 100
    assert made(history.go(*MIGRATION)) == told


# Rows that nobody should have written, each of them both with and without a deposit payment.
UGLY = [
    {"deposit_amount": "-0.01"},
    {"deposit_amount": "9999999999.99"},
    over("-5", deposit_amount="10"),
    over("0", deposit_amount="10"),
    over("9999999999.99", deposit_amount="9999999999.99"),
    over(checked_out_at=None, deposit_amount="10"),
    over(checked_out_at="0001-01-01 00:00:00", deposit_amount="10"),
    over(checked_out_at="9999-12-31 16:59:59.999999", deposit_amount="10"),
    over(checked_out_at="9999-12-31 17:00:00", deposit_amount="10"),
    over(checked_out_at="2025-11-09 16:59:59.999999", deposit_amount="10"),
    {"status": "no_show", "deposit_amount": "10"},
    {"status": "no_show", "deposit_amount": "10", "deposit_returned_at": RETURNED},
    {"status": "checked_in", "deposit_amount": "10", "deposit_returned_at": RETURNED},
]
UGLY_ON = {
    "postgresql": [  # psycopg2 reads infinity as the end of the calendar
        {"deposit_amount": "NaN"},
        over("NaN", deposit_amount="10"),
        over(checked_out_at="infinity", deposit_amount="10"),
        {"deposit_amount": "10", "created_at": "infinity"},
    ],
    "sqlite": [  # whose decimals have as many places as somebody wrote
        {"deposit_amount": "10.001"},
        {"deposit_amount": "0.001"},
        over("10.019", deposit_amount="20"),
    ],
}
RECEIPTS = {
    "postgresql": ["0", "-7", "NaN", "7.01"],
    "sqlite": ["0", "-7", "0.004", "3.3333", "7.01"],
}


def test_ugly_rows_are_those_that_python_tells(history):
    history.before(("reservations", "0014_add_rules"))
    stays = [*UGLY, *UGLY_ON[connection.vendor]]
    number = 0
    for key, stay in enumerate([*stays, *stays], start=1):
        legacy.reservation(history, key, room_id=None, **stay)
        if key <= len(stays):
            continue
        for amount in RECEIPTS[connection.vendor]:
            for kind in ("deposit", "full"):
                for is_refund in (None, True):
                    number += 1
                    row = {"created_at": None, "created_by": 1, "is_refund": is_refund}
                    row |= {"is_voided": None, "payment_type": kind, "amount": amount}
                    legacy.payment(history, number, reservation_id=key, **row)
    history.go(*BEFORE)
    told = told_in_python(history)
    assert len(told) > len(stays)
    assert made(history.go(*MIGRATION)) == told


TURNS = {  # of the clock, in UTC
    "Europe/Berlin": [datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1)],
    "America/New_York": [datetime(2025, 3, 9, 7), datetime(2025, 11, 2, 6)],
}


@pytest.mark.parametrize("zone", TURNS)
def test_days_are_the_hotels_where_clocks_are_turned(history, settings, zone):
    settings.TIME_ZONE = zone
    history.before(("reservations", "0014_add_rules"))
    midnights = [
        datetime(turn.year, turn.month, turn.day + after, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for turn in TURNS[zone]
        for after in (0, 1)
    ]
    turns = [turn.replace(tzinfo=UTC) for turn in TURNS[zone]]
    key = 0
    for moment in [*midnights, *turns]:
        for microseconds in (-1, 0):
            key += 1
            at = moment.timestamp() + microseconds / 1_000_000
            at = datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(" ")
            legacy.reservation(history, key, room_id=None, deposit_amount="10", created_at=at)
    history.go(*BEFORE)
    with timezone.override(None):  # the setting
        told = told_in_python(history)
        assert made(history.go(*MIGRATION)) == told
    days = [movement[4].day for [movement] in told.values()]
    [spring, autumn] = [turn.day for turn in TURNS[zone]]
    assert days == [
        *(spring - 1, spring, spring, spring + 1),
        *(autumn - 1, autumn, autumn, autumn + 1),
        *(spring, spring, autumn, autumn),
    ]
