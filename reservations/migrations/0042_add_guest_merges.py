"""Guests who are one person: an empty table for those who were merged, and the right to do it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0041_remove_deposit_limit"),
        ("payments", "0026_restrict_closed_days"),
    ]

    operations = [
        CreateModel(
            name="GuestMerge",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("merged_key", models.IntegerField()),
                ("merged_name", models.CharField(max_length=100)),
                ("original", models.JSONField()),
                ("moved", models.JSONField()),
                ("filled", models.JSONField()),
                ("at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "guest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="reservations.guest",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "guest_merges",
                "verbose_name": "merged guest",
                "verbose_name_plural": "merged guests",
            },
        ),
        migrations.AlterModelOptions(
            "guest", {"permissions": [("merge_guest", "Can merge guests")]}
        ),
    ]
