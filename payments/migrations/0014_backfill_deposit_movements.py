"""Deposits held, step 2 of 4: the ledger begins with what is known of the deposits there are.

Rule: collected is what the payments of type deposit say, less those that gave some of it back;
where there is none, what the reservation says. Of a stay that is over, the deposit first paid what
was still owed for the stay, and the rest was given back: when the legacy system says so, or else
assumed, at its check-out. Of a stay that was cancelled it was given back if the legacy system says
so. Of any other stay it is held. Nothing is invented for rows with
a deposit of nothing, less than nothing, or no number.
Evidence: which of these a movement rests on. Where both are known and differ, payments count and
the difference is told (manage.py check_deposits).
Inverse: the movements made here are archived and deleted. A reservation is met once.
"""

from decimal import Decimal
from itertools import groupby, islice

from django.db import migrations
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from hotel.migrator.operations import RunPythonForNewRows

BATCH_SIZE = 1000  # reservations read at once


def begin_ledger(apps, reservations):
    Payment = apps.get_model("payments", "Payment")
    DepositMovement = apps.get_model("payments", "DepositMovement")
    payments = Payment._base_manager.using(reservations.db).exclude(is_voided=True)
    deposits = payments.filter(payment_type="deposit", reservation=OuterRef("pk"))
    concerned = (
        reservations.filter(Q(deposit_amount__gt=0) | Exists(deposits))
        .only(
            "deposit_amount",
            "deposit_returned_at",
            "total_amount",
            "status",
            "check_in_date",
            "checked_out_at",
            "created_at",
            "updated_at",
        )
        .order_by("pk")
    )
    stays = concerned.iterator(chunk_size=BATCH_SIZE)
    made = []
    while batch := list(islice(stays, BATCH_SIZE)):
        rows = payments.filter(reservation__in=[stay.pk for stay in batch])
        of = {
            key: list(group)
            for key, group in groupby(
                rows.order_by("reservation", "payment_date", "pk"), lambda row: row.reservation_id
            )
        }
        for stay in batch:
            made += [
                DepositMovement(reservation_id=stay.pk, **movement)
                for movement in movements(stay, of.get(stay.pk, []))
            ]
    return DepositMovement._base_manager.using(reservations.db).bulk_create(
        made, batch_size=BATCH_SIZE
    )


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


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_add_deposit_movements")]

    operations = [RunPythonForNewRows(begin_ledger, "reservations.reservation")]
