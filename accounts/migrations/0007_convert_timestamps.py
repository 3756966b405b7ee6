"""Instants of staff get their time zone: the clock time was UTC all along."""

from django.db import migrations

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_drop_role_and_status")]

    operations = [
        MakeAware("user", "created_at", "last_login", "updated_at"),
    ]
