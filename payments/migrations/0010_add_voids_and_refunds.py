"""When, by whom and why a payment was voided; which payment a refund gives back; asked for once.

Nothing of it is known of old payments.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_validate_rules"),
        ("reservations", "0018_add_cancellation"),
    ]

    operations = [
        AddField("payment", "voided_at", models.DateTimeField(blank=True, null=True)),
        AddField(
            "payment",
            "voided_by",
            models.ForeignKey(
                blank=True,
                db_column="voided_by",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddField("payment", "void_reason", models.TextField(blank=True, null=True)),
        AddField(
            "payment",
            "refund_of",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="payments.payment",
            ),
        ),
        AddField(
            "payment",
            "idempotency_key",
            models.CharField(blank=True, editable=False, max_length=64, null=True),
        ),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="payments_asked_for_once",
                violation_error_message="This was recorded already.",
            ),
        ),
    ]
