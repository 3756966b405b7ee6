"""The number of nights is computed by the database from the dates.

Inverse: a plain column; each row gets back the number that stood there, mostly NULL, and a row born
since has none, as the legacy system wrote it.
PostgreSQL locks and rewrites the table: some 5 seconds for a million rows.
"""

from django.db import migrations, models

from hotel.migrator.expressions import DaysBetween
from hotel.migrator.operations import AddField, RemoveField


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0016_forbid_double_booking"),
        ("accounts", "0009_forbid_username_twins"),
    ]

    operations = [
        RemoveField("reservation", "number_of_nights"),
        AddField(
            "reservation",
            "number_of_nights",
            models.GeneratedField(
                db_persist=True,
                expression=DaysBetween("check_in_date", "check_out_date"),
                output_field=models.IntegerField(),
            ),
        ),
    ]
