"""Events of payments, step 2 of 3: what the legacy columns know of each payment.

Rule: who took or refunded it, when and why, and who voided it; as far as the columns say so. What
was changed by it, nobody knows (``changes`` is NULL). Evidence: legacy_column.
Business date: of a payment its own; of a void the hotel's date of the instant, or else the same.
Inverse: the events made here are archived and deleted. A payment is met once.
"""

from django.db import migrations
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce

from hotel.migrator.expressions import LocalDate
from hotel.migrator.operations import Insert, InsertForNewRows


def tell_of_payments(apps, payments):
    """Return the events, in the order in which they happen to a payment."""
    Event = apps.get_model("payments", "Event")
    return [
        Insert(
            Event,
            payments,
            payment=F("pk"),
            what=Case(When(is_refund=True, then=Value("refunded")), default=Value("taken")),
            at=F("created_at"),
            business_date=F("payment_date"),
            by=F("created_by_id"),
            reason=F("refund_reason"),
            evidence="legacy_column",
        ),
        Insert(
            Event,
            payments.filter(is_voided=True),
            payment=F("pk"),
            what="voided",
            at=F("voided_at"),
            business_date=Coalesce(LocalDate("voided_at"), "payment_date"),
            by=F("voided_by_id"),
            reason=F("void_reason"),
            evidence="legacy_column",
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("payments", "0020_add_payment_events")]

    operations = [InsertForNewRows(tell_of_payments, "payment")]
