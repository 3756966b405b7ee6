"""Instants of money get their time zone: the clock time was UTC all along."""

from django.db import migrations

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_require_payment_type"),
        ("reservations", "0012_convert_timestamps"),
    ]

    operations = [
        MakeAware("expense", "created_at", "date", "updated_at"),
        MakeAware("payment", "created_at", "updated_at"),
        MakeAware("paymentattachment", "created_at", "updated_at", "verified_at"),
    ]
