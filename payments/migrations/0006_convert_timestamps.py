"""Instants of money get their time zone: the clock time was UTC all along."""

from django.db import migrations, models

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_require_payment_type"),
        ("reservations", "0012_convert_timestamps"),
    ]

    operations = [
        MakeAware(
            model_name="expense",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="expense",
            name="date",
            field=models.DateTimeField(),
        ),
        MakeAware(
            model_name="expense",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="payment",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="payment",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="paymentattachment",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="paymentattachment",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="paymentattachment",
            name="verified_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
