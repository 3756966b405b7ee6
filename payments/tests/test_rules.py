"""What must be true of payments: the database refuses the rest, and a form says why."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.tests.back_office import TODAY, payment, reservation
from hotel.migrator.tests import legacy
from payments.models import Payment

BROKEN = [
    ({"amount": Decimal("0"), "payment_type": "adjustment"}, "The amount cannot be zero."),
    ({"amount": Decimal("-1")}, "Only an adjustment can have a negative amount."),
    ({"payment_method": "check"}, "The method is none of those a payment can have."),
    ({"payment_type": "Full"}, "The type is none of those a payment can have."),
    ({"is_refund": True}, "A refund needs a reason."),
    ({"is_refund": True, "refund_reason": ""}, "A refund needs a reason."),
]
KEPT = [
    {"amount": Decimal("-1"), "payment_type": "adjustment"},
    {"is_refund": True, "refund_reason": "Broken shower"},
    {"is_refund": None},
]


def new_payment(change):
    """Return a payment that is not saved yet."""
    columns = {"payment_date": TODAY, "amount": Decimal(100), "payment_method": "cash", **change}
    return Payment(reservation=reservation(), **columns)


@pytest.mark.parametrize("change, sentence", BROKEN)
def test_a_payment_that_cannot_be_is_refused(db, change, sentence):
    paid = new_payment(change)
    with pytest.raises(ValidationError) as refusal:
        paid.validate_constraints()
    assert refusal.value.messages == [sentence]
    with pytest.raises(IntegrityError), transaction.atomic():
        paid.save()


@pytest.mark.parametrize("change", KEPT)
def test_a_payment_that_can_be_stands(db, change):
    paid = new_payment(change)
    paid.validate_constraints()
    paid.save()


def test_legacy_payments_that_cannot_be_are_exempt(history):
    history.initial()
    legacy.payment(history, 1, amount="0.00")
    legacy.payment(history, 2, is_refund=True)
    legacy.payment(history, 3, amount="-5.00", payment_method="check")
    legacy.payment(history, 4)
    history.climb()
    exempt = {paid.pk: sorted(paid.exemptions or ()) for paid in Payment.objects.all()}
    assert exempt == {
        1: ["payments_amount_not_zero"],
        2: ["payments_refund_has_reason"],
        3: ["payments_method_known"],  # below zero it was made an adjustment
        4: [],
    }
    Payment.objects.filter(pk=2).update(notes="can be written")
    with pytest.raises(IntegrityError):
        Payment.objects.filter(pk=1).update(amount="0.00", payment_type="full")
        Payment.objects.filter(pk=1).update(amount="-1.00")


def test_a_void_without_its_time_is_refused(db):
    row = payment(reservation())
    row.is_voided = True
    with pytest.raises(ValidationError, match="A voided payment needs the time of its voiding"):
        row.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    row.voided_at = timezone.now()
    row.save()


def test_only_a_refund_gives_a_payment_back(db):
    row = payment(reservation())
    with pytest.raises(IntegrityError), transaction.atomic():
        payment(row.reservation, refund_of=row)
    payment(row.reservation, refund_of=row, is_refund=True, refund_reason="asked")


def test_a_payment_is_recorded_once_for_a_key(db):
    row = payment(reservation(), idempotency_key="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        payment(row.reservation, idempotency_key="a")
    payment(row.reservation)
    payment(row.reservation)


def test_a_legacy_void_whose_time_nobody_knows_is_exempt(history):
    history.before(("payments", "0011_add_void_rules"))
    legacy.payment(history, 1, is_voided=True, payment_type="full")
    legacy.payment(history, 2, payment_type="full")
    history.climb()
    exempt = Payment.objects.filter(exemptions__isnull=False).values_list("pk", "exemptions")
    assert list(exempt) == [(1, {"payments_void_has_time": 1})]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM payments",
        "UPDATE payments SET amount = amount + 1",
        "UPDATE payments SET amount = -amount WHERE id > 0",
        "UPDATE payments SET reservation_id = (SELECT max(id) FROM reservations)",
        "UPDATE payments SET currency = 'EUR'",
        "UPDATE payments SET payment_date = '2025-06-30'",
        "UPDATE payments SET is_refund = NOT is_refund",
        "UPDATE payments SET id = id + 1000",
    ],
)
def test_sql_past_the_services_cannot_change_what_was_paid(db, sql):
    paid = payment(reservation("RES-1"))
    reservation("RES-2")
    for ask in (paid.delete, lambda: connection.cursor().execute(sql)):
        with pytest.raises(IntegrityError, match="payments_frozen"), transaction.atomic():
            ask()
    assert Payment.objects.get().amount == paid.amount


def test_sql_past_the_services_can_still_void_and_correct_words(db):
    paid = payment(reservation("RES-1"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments SET is_voided = true, voided_at = created_at, notes = 'typed twice',"
            " refund_reason = 'x', has_proof = true, amount = amount"
        )
    paid.refresh_from_db()
    assert (paid.is_voided, paid.notes) == (True, "typed twice")
