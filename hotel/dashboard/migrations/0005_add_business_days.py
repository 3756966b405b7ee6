"""The hotel's days, step 1 of 4: a table with a row for each day that was closed.

A hotel that comes from the legacy system has closed none.
Rule: docs/decisions/0022-closing-the-day.md.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0004_add_sent_forms"),
        ("rooms", "0016_transform_occupied"),
    ]

    operations = [
        CreateModel(
            name="BusinessDay",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(unique=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reopened_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reopened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reopen_reason", models.TextField(blank=True, null=True)),
            ],
            options={
                "db_table": "business_days",
                "permissions": [
                    ("close_businessday", "Can close the day"),
                    ("reopen_businessday", "Can open the last closed day again"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(
                            closed_at__isnull=False,
                            closed_by__isnull=False,
                            reopened_at__isnull=True,
                            reopened_by__isnull=True,
                            reopen_reason__isnull=True,
                        )
                        | Q(
                            closed_at__isnull=True,
                            closed_by__isnull=True,
                            reopened_at__isnull=False,
                            reopened_by__isnull=False,
                            reopen_reason__isnull=False,
                        ),
                        name="business_days_closed_or_reopened",
                        violation_error_message=(
                            "A day is closed by somebody, or open again for a reason."
                        ),
                    ),
                ],
            },
        ),
    ]
