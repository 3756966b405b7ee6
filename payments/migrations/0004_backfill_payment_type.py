"""The payment type, step 2 of 3: every payment gets one of the four types.

Rule, the first that fits (docs/decisions/0004):
* one of the four types stays;
* a refund, or an amount of zero or less: adjustment;
* notes that contain "deposit" or "jaminan", in any case: deposit;
* notes that contain "uang muka": downpayment;
* what was paid for the stay up to and including this payment is less than its total: downpayment;
* else full.
Paid for the stay counts neither deposits, refunds, negative amounts nor what was voided.
Inverse: the type stays; what was there before (nothing, or a word of its own) is archived and
returns.
"""

from django.db import migrations
from django.db.models import (
    Case,
    CharField,
    DecimalField,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Round
from django.db.models.lookups import In, LessThan

from hotel.migrator.expressions import mentions
from hotel.migrator.operations import BatchedRunPython

MONEY = DecimalField(max_digits=14, decimal_places=2)
TYPES = ["full", "downpayment", "deposit", "adjustment"]


def classify(apps, payment_type):
    Payment = apps.get_model("payments", "Payment")
    Reservation = apps.get_model("reservations", "Reservation")
    says_deposit = mentions("notes", "deposit", "jaminan")
    untyped = Q(payment_type__isnull=True) | ~Q(payment_type__in=TYPES)
    earlier = (
        Payment.objects.filter(reservation=OuterRef("reservation"), amount__gt=0)
        .filter(
            Q(payment_date__lt=OuterRef("payment_date"))
            | Q(payment_date=OuterRef("payment_date"), pk__lt=OuterRef("pk"))
        )
        .filter(Q(payment_type__in=["full", "downpayment", "adjustment"]) | untyped & ~says_deposit)
        .exclude(is_refund=True)
        .exclude(is_voided=True)
    )
    earlier = earlier.order_by().values("reservation").annotate(paid=Sum("amount")).values("paid")
    paid = Round(Coalesce(Subquery(earlier), Value(0), output_field=MONEY) + F("amount"), 2)
    total = Reservation.objects.filter(pk=OuterRef("reservation")).values("total_amount")
    return Case(
        When(In(payment_type, TYPES), then=payment_type),
        When(Q(is_refund=True) | Q(amount__lte=0), then=Value("adjustment")),
        When(says_deposit, then=Value("deposit")),
        When(mentions("notes", "uang muka"), then=Value("downpayment")),
        When(LessThan(paid, Subquery(total)), then=Value("downpayment")),
        default=Value("full"),
        output_field=CharField(),
    )


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [
        ("payments", "0003_add_payment_type"),
        ("reservations", "0006_require_deposit_amount"),
    ]

    operations = [
        BatchedRunPython(classify, BatchedRunPython.keep, "payment", "payment_type", tally=True),
    ]
