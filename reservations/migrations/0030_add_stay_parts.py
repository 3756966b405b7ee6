"""Parts of stays, step 1 of 7: a table for the nights that a stay has in one room.

Nobody reads it yet. Rule: docs/decisions/0026-stay-parts.md.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import CreateModel

LIVE = Q(status__in=["pending", "confirmed", "checked_in"])


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0029_restrict_stay_events"),
        ("dashboard", "0004_add_sent_forms"),
    ]

    operations = [
        CreateModel(
            name="StayPart",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start_date", models.DateField()),
                ("end_date", models.DateField()),
                ("status", models.CharField(max_length=20)),
                ("is_present", models.BooleanField(db_default=False, default=False)),
                ("exemptions", ExemptionsField()),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="reservations.reservation",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stay_parts",
                        to="rooms.room",
                    ),
                ),
                (
                    "room_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooms.roomtype",
                    ),
                ),
            ],
            options={
                "db_table": "stay_parts",
                "verbose_name": "part of a stay",
                "verbose_name_plural": "parts of stays",
                "indexes": [
                    models.Index(
                        fields=["reservation", "start_date"], name="stay_parts_in_order_idx"
                    ),
                    models.Index(
                        fields=["reservation"],
                        name="stay_parts_of_splits_idx",
                        condition=Q(is_present=False),
                    ),
                    models.Index(
                        fields=["id"],
                        name="stay_parts_exempt_idx",
                        condition=Q(exemptions__isnull=False),
                    ),
                    models.Index(
                        fields=["room", "end_date", "start_date"],
                        name="stay_parts_of_room_idx",
                        condition=LIVE,
                    ),
                    models.Index(
                        fields=["room_type", "end_date", "start_date"],
                        name="stay_parts_of_type_idx",
                        condition=LIVE,
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["reservation"],
                        name="stay_parts_one_present",
                        condition=Q(is_present=True),
                        violation_error_message="Guests are in one room at a time.",
                    ),
                ],
            },
        ),
    ]
