"""Figures of the house: a table with a row for each day and room type, filled by a command."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0002_convert_timestamps"),
        ("payments", "0019_index_payments"),
    ]

    operations = [
        CreateModel(
            name="DailyMetrics",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                (
                    "room_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooms.roomtype",
                    ),
                ),
                ("rooms", models.IntegerField()),
                ("rooms_out_of_order", models.IntegerField()),
                ("rooms_sold", models.IntegerField()),
                ("room_revenue", models.DecimalField(decimal_places=2, max_digits=14)),
                ("arrivals", models.IntegerField()),
                ("departures", models.IntegerField()),
                ("cancellations", models.IntegerField()),
                ("no_shows", models.IntegerField()),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "daily figures",
                "verbose_name_plural": "daily figures",
                "db_table": "daily_metrics",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "room_type"),
                        name="daily_metrics_day_and_type_once",
                        violation_error_message=(
                            "The figures of this day and room type are there already."
                        ),
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            rooms__gte=0,
                            rooms_out_of_order__gte=0,
                            rooms_sold__gte=0,
                            arrivals__gte=0,
                            departures__gte=0,
                            cancellations__gte=0,
                            no_shows__gte=0,
                        ),
                        name="daily_metrics_counts_not_negative",
                        violation_error_message="Nothing is counted less than zero times.",
                    ),
                    models.CheckConstraint(
                        condition=Q(room_revenue__gte=0),
                        name="daily_metrics_revenue_not_negative",
                        violation_error_message="The revenue cannot be negative.",
                    ),
                    models.CheckConstraint(
                        condition=Q(rooms_out_of_order__lte=F("rooms")),
                        name="daily_metrics_out_of_order_within_rooms",
                        violation_error_message=(
                            "No more rooms can be out of order than there are."
                        ),
                    ),
                ],
            },
        ),
    ]
