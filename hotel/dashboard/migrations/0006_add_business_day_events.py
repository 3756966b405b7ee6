"""The hotel's days, step 2 of 4: a row for each time that a day was closed or opened again."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0005_add_business_days")]

    operations = [
        CreateModel(
            name="Event",
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
                    "business_day",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="dashboard.businessday",
                    ),
                ),
            ],
            options={
                "db_table": "business_day_events",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(evidence__in=["recorded", "legacy_column", "admin_log"]),
                        name="business_day_events_evidence_known",
                        violation_error_message="The evidence is none of those there are.",
                    ),
                ],
            },
        ),
    ]
