"""What must be true of payments: the database refuses the rest, and a form says why."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.tests.back_office import payment, reservation
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


@pytest.mark.parametrize("change, sentence", BROKEN)
def test_a_payment_that_cannot_be_is_refused(db, change, sentence):
    paid = payment(reservation())
    for name, value in change.items():
        setattr(paid, name, value)
    with pytest.raises(ValidationError) as refusal:
        paid.validate_constraints()
    assert refusal.value.messages == [sentence]
    with pytest.raises(IntegrityError), transaction.atomic():
        paid.save()


@pytest.mark.parametrize("change", KEPT)
def test_a_payment_that_can_be_stands(db, change):
    paid = payment(reservation())
    for name, value in change.items():
        setattr(paid, name, value)
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
