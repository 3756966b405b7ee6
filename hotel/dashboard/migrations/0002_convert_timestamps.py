"""Instants of settings get their time zone: the clock time was UTC all along."""

from django.db import migrations

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_initial"), ("accounts", "0007_convert_timestamps")]

    operations = [
        MakeAware("setting", "created_at", "updated_at"),
    ]
