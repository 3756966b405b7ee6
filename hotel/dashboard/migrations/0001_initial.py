"""What the hotel is set to, as the legacy system kept it: the table ``settings``."""

from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        CreateModel(
            name="Setting",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("setting_key", models.CharField(max_length=100, unique=True)),
                ("setting_value", models.TextField(blank=True, null=True)),
                (
                    "setting_type",
                    models.CharField(blank=True, default="string", max_length=20, null=True),
                ),
                ("is_editable", models.BooleanField(blank=True, default=True, null=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("category", models.CharField(blank=True, max_length=50, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={
                "db_table": "settings",
            },
        ),
    ]
