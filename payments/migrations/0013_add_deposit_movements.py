"""The ledger of deposits: what was collected, applied, given back, forfeited or corrected.

Rule: docs/decisions/0009-deposits.md.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.expressions import FromSetting, IsCurrencyCode
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_validate_void_rules"),
        ("reservations", "0019_add_deposit_held"),
    ]

    operations = [
        CreateModel(
            name="DepositMovement",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deposit_movements",
                        to="reservations.reservation",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("collected", "Collected"),
                            ("applied", "Applied"),
                            ("refunded", "Given back"),
                            ("forfeited", "Forfeited"),
                            ("corrected", "Corrected"),
                        ],
                        max_length=20,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                (
                    "currency",
                    models.CharField(
                        db_default=FromSetting("HOTEL_CURRENCY"), editable=False, max_length=3
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deposit_movements",
                        to="payments.payment",
                    ),
                ),
                ("occurred_at", models.DateTimeField(blank=True, null=True)),
                ("business_date", models.DateField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="created_by",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.TextField(blank=True, null=True)),
                (
                    "idempotency_key",
                    models.CharField(blank=True, editable=False, max_length=64, null=True),
                ),
                (
                    "evidence",
                    models.CharField(
                        choices=[
                            ("recorded", "Recorded as it happened"),
                            ("payment", "From a payment"),
                            ("legacy_column", "From the legacy column"),
                            ("assumed", "Assumed"),
                        ],
                        max_length=20,
                    ),
                ),
            ],
            options={
                "db_table": "deposit_movements",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(
                            kind__in=["collected", "applied", "refunded", "forfeited", "corrected"]
                        ),
                        name="deposit_movements_kind_known",
                        violation_error_message="The kind is none of those a movement can have.",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gt=0) | (Q(kind="corrected") & ~Q(amount=0)),
                        name="deposit_movements_amount_positive",
                        violation_error_message="Only a correction can have a negative amount.",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            evidence__in=["recorded", "payment", "legacy_column", "assumed"]
                        ),
                        name="deposit_movements_evidence_known",
                        violation_error_message="The evidence is none of those there are.",
                    ),
                    models.UniqueConstraint(
                        fields=["idempotency_key"],
                        name="deposit_movements_asked_for_once",
                        violation_error_message="This was recorded already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(IsCurrencyCode("currency")),
                        name="deposit_movements_currency_is_code",
                        violation_error_message="The currency is no code such as IDR.",
                    ),
                ],
            },
        ),
    ]
