"""Payments are listed newest first, and found by a part of a reference or transaction.

The legacy indexes on method and proof, which tell few payments apart, are dropped.
"""

from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.indexes import TrigramIndex
from hotel.migrator.operations import AddIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index that nobody waits for outside a transaction

    dependencies = [
        ("payments", "0018_validate_currency"),
        ("reservations", "0026_index_reservations"),
    ]

    operations = [
        AddIndex(
            "payment", models.Index(fields=["-payment_date", "-id"], name="payments_newest_idx")
        ),
        AddIndex(
            "payment",
            models.Index(
                fields=["id"], name="payments_exempt_idx", condition=Q(exemptions__isnull=False)
            ),
        ),
        AddIndex(
            "payment", TrigramIndex(field="reference_number", name="payments_reference_part_idx")
        ),
        AddIndex(
            "payment", TrigramIndex(field="transaction_id", name="payments_transaction_part_idx")
        ),
        RemoveIndex("payment", "payments_payment_date_idx"),
        RemoveIndex("payment", "payments_transaction_id_idx"),
        RemoveIndex("payment", "payments_method_idx"),
        RemoveIndex("payment", "payments_has_proof_idx"),
    ]
