"""Charges besides the nights booked, and their events: minibar, laundry, late check-out, fees.

A charge is added and voided, never changed: the triggers of the new tables hold that.
Rule: docs/decisions/0027-folio.md.
"""

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from hotel.migrator.constraints import AppendOnly, Frozen
from hotel.migrator.expressions import FromSetting, IsCurrencyCode
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0024_allow_unapplied"),
        ("reservations", "0041_remove_deposit_limit"),
    ]

    operations = [
        CreateModel(
            name="Charge",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("room", "Nights slept"),
                            ("cancellation", "Cancellation fee"),
                            ("no_show", "No-show fee"),
                            ("minibar", "Minibar"),
                            ("laundry", "Laundry"),
                            ("late_check_out", "Late check-out"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("business_date", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                (
                    "tax_rate",
                    models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=5),
                ),
                (
                    "tax",
                    models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=14),
                ),
                (
                    "currency",
                    models.CharField(
                        db_default=FromSetting("HOTEL_CURRENCY"), editable=False, max_length=3
                    ),
                ),
                ("notes", models.TextField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, null=True)),
                ("is_voided", models.BooleanField(db_default=False, default=False)),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                ("void_reason", models.TextField(blank=True, null=True)),
                (
                    "idempotency_key",
                    models.CharField(blank=True, editable=False, max_length=64, null=True),
                ),
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
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="reservations.reservation",
                    ),
                ),
                (
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
            ],
            options={
                "db_table": "charges",
                "permissions": [("void_charge", "Can void a charge of today")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(
                            kind__in=[
                                "room",
                                "cancellation",
                                "no_show",
                                "minibar",
                                "laundry",
                                "late_check_out",
                                "other",
                            ]
                        ),
                        name="charges_kind_known",
                        violation_error_message="The kind is none of those a charge can have.",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gt=0, amount__lte=Decimal("9999999999.99")),
                        name="charges_amount_positive",
                        violation_error_message="The amount must be more than zero.",
                    ),
                    models.CheckConstraint(
                        condition=Q(tax__gte=0, tax__lte=F("amount"), tax_rate__range=(0, 100)),
                        name="charges_tax_in_range",
                        violation_error_message="The tax must be a part of the amount.",
                    ),
                    models.CheckConstraint(
                        condition=Q(is_voided=False) | Q(voided_at__isnull=False),
                        name="charges_void_has_time",
                        violation_error_message="A voided charge needs the time of its voiding.",
                    ),
                    models.CheckConstraint(
                        condition=Q(IsCurrencyCode("currency")),
                        name="charges_currency_is_code",
                        violation_error_message="The currency is no code such as IDR.",
                    ),
                    models.UniqueConstraint(
                        fields=("idempotency_key",),
                        name="charges_asked_for_once",
                        violation_error_message="This was recorded already.",
                    ),
                ],
            },
        ),
        CreateModel(
            name="ChargeEvent",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(max_length=30)),
                ("at", models.DateTimeField(blank=True, null=True)),
                ("business_date", models.DateField()),
                ("changes", models.JSONField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, null=True)),
                (
                    "evidence",
                    models.CharField(
                        choices=[
                            ("recorded", "Recorded as it happened"),
                            ("legacy_column", "From the legacy columns"),
                            ("admin_log", "From the log of the back office"),
                        ],
                        db_default="recorded",
                        default="recorded",
                        max_length=20,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="payments.charge",
                    ),
                ),
            ],
            options={
                "db_table": "charge_events",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(evidence__in=["recorded", "legacy_column", "admin_log"]),
                        name="charge_events_evidence_known",
                        violation_error_message="The evidence is none of those there are.",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            "charge",
            Frozen(
                fixed=[
                    "reservation",
                    "kind",
                    "business_date",
                    "amount",
                    "tax_rate",
                    "tax",
                    "currency",
                    "notes",
                    "created_by",
                    "created_at",
                    "idempotency_key",
                ],
                name="charges_frozen",
                violation_error_message="A charge stays as it was recorded: void it.",
            ),
        ),
        migrations.AddConstraint(
            "chargeevent",
            AppendOnly(
                name="charge_events_append_only",
                violation_error_message="Events are only added to.",
            ),
        ),
    ]
