"""Blocks, step 1 of 2: nights on which a room is not sold, with kind and reason."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0008_validate_rules"),
        ("reservations", "0017_replace_number_of_nights"),
    ]

    operations = [
        CreateModel(
            name="RoomBlock",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="rooms.room",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("out_of_order", "Out of order"),
                            ("out_of_service", "Out of service"),
                            ("house_use", "House use"),
                        ],
                        max_length=20,
                    ),
                ),
                ("start_date", models.DateField()),
                ("end_date", models.DateField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("released_on", models.DateField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="created_by",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "room_blocks",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
                        name="room_blocks_dates_in_order",
                        violation_error_message="The room must be blocked for a night at least.",
                    ),
                    models.CheckConstraint(
                        condition=Q(kind__in=["out_of_order", "out_of_service", "house_use"]),
                        name="room_blocks_kind_known",
                        violation_error_message="The kind is none of those a block can have.",
                    ),
                ],
            },
        ),
    ]
