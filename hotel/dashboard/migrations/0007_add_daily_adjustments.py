"""The hotel's days, step 3 of 4: by how much the figures of a closed day were corrected later."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0006_add_business_day_events")]

    operations = [
        CreateModel(
            name="DailyAdjustment",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("adjusted_on", models.DateField()),
                ("day", models.DateField()),
                (
                    "room_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rooms.roomtype",
                    ),
                ),
                ("rooms_sold", models.IntegerField()),
                ("room_revenue", models.DecimalField(decimal_places=2, max_digits=14)),
                ("arrivals", models.IntegerField()),
                ("departures", models.IntegerField()),
                ("cancellations", models.IntegerField()),
                ("no_shows", models.IntegerField()),
            ],
            options={
                "verbose_name": "adjustment of closed figures",
                "verbose_name_plural": "adjustments of closed figures",
                "db_table": "daily_adjustments",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("adjusted_on", "day", "room_type"),
                        name="daily_adjustments_once",
                        violation_error_message="This is adjusted already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(day__lt=F("adjusted_on")),
                        name="daily_adjustments_of_days_before",
                        violation_error_message="Only figures of a day before are adjusted.",
                    ),
                ],
            },
        ),
    ]
