"""Payments and their proofs, as the legacy system kept them before it had payment types."""

from django.conf import settings
from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("reservations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payment_date", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("payment_method", models.CharField(max_length=20)),
                ("reference_number", models.CharField(blank=True, max_length=100, null=True)),
                ("transaction_id", models.CharField(blank=True, max_length=100, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                ("is_refund", models.BooleanField(blank=True, default=False, null=True)),
                ("refund_reason", models.TextField(blank=True, null=True)),
                ("is_voided", models.BooleanField(blank=True, default=False, null=True)),
                ("has_proof", models.BooleanField(blank=True, default=False, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="created_by",
                        null=True,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(on_delete=models.PROTECT, to="reservations.reservation"),
                ),
            ],
            options={
                "db_table": "payments",
            },
        ),
        CreateModel(
            name="PaymentAttachment",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                ("file_type", models.CharField(max_length=20)),
                ("file_path", models.CharField(max_length=500)),
                ("storage_location", models.CharField(max_length=50)),
                ("file_size_bytes", models.IntegerField(blank=True, null=True)),
                ("mime_type", models.CharField(blank=True, max_length=100, null=True)),
                ("original_filename", models.CharField(blank=True, max_length=255, null=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("is_verified", models.BooleanField(blank=True, default=False, null=True)),
                ("verified_at", NaiveUTCDateTimeField(blank=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="attachments", to="payments.payment"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="uploaded_by",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="verified_by",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "payment_attachments",
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["payment_date"], name="payments_payment_date_idx"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["payment_method"], name="payments_method_idx"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["transaction_id"], name="payments_transaction_id_idx"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["has_proof"], name="payments_has_proof_idx"),
        ),
    ]
