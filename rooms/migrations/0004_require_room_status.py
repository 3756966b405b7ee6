"""A room always has a status."""

from django.db import migrations, models

from hotel.migrator.operations import CatchUp, RequireField


class Migration(migrations.Migration):
    atomic = False  # RequireField takes its steps in transactions of its own

    dependencies = [("rooms", "0003_transform_room_status")]

    operations = [
        CatchUp("0003_transform_room_status", "room", "status"),
        RequireField(
            model_name="room",
            name="status",
            field=models.CharField(
                choices=[
                    ("available", "Available"),
                    ("occupied", "Occupied"),
                    ("maintenance", "Maintenance"),
                    ("out_of_order", "Out of order"),
                ],
                db_default="available",
                default="available",
                max_length=20,
            ),
            backfill="0003_transform_room_status",
        ),
    ]
