"""Instants of staff get their time zone: the clock time was UTC all along."""

from django.db import migrations, models

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_drop_role_and_status")]

    operations = [
        MakeAware(
            model_name="user",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="user",
            name="last_login",
            field=models.DateTimeField(blank=True, null=True),
        ),
        MakeAware(
            model_name="user",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
    ]
