"""Instants of settings get their time zone: the clock time was UTC all along."""

from django.db import migrations, models

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_initial"), ("accounts", "0007_convert_timestamps")]

    operations = [
        MakeAware(
            model_name="setting",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="setting",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
    ]
