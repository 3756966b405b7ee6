"""Staff, as the legacy system kept them: the table ``users``."""

from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("username", models.CharField(max_length=50, unique=True)),
                ("password", models.CharField(db_column="password_hash", max_length=255)),
                ("email", models.CharField(blank=True, max_length=100, null=True)),
                ("full_name", models.CharField(blank=True, max_length=100, null=True)),
                ("phone", models.CharField(blank=True, max_length=20, null=True)),
                ("role", models.CharField(max_length=10)),
                ("status", models.CharField(blank=True, max_length=10, null=True)),
                ("last_login", NaiveUTCDateTimeField(blank=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={
                "db_table": "users",
                "indexes": [
                    models.Index(fields=["email"], name="users_email_idx"),
                    models.Index(fields=["status"], name="users_status_idx"),
                ],
            },
        ),
    ]
