"""The status, step 3 of 4 (require): the new column is always filled."""

from django.db import migrations, models

from hotel.migrator.operations import RequireField


class Migration(migrations.Migration):
    atomic = False  # RequireField takes its steps in transactions of its own

    dependencies = [("reservations", "0009_transform_status")]

    operations = [
        RequireField(
            model_name="reservation",
            name="new_status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("confirmed", "Confirmed"),
                    ("checked_in", "In house"),
                    ("checked_out", "Checked out"),
                    ("cancelled", "Cancelled"),
                    ("no_show", "No-show"),
                ],
                db_default="confirmed",
                default="confirmed",
                max_length=20,
            ),
            backfill="0009_transform_status",
        ),
    ]
