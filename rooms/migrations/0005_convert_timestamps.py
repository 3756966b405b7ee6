"""Instants of rooms and their pictures get their time zone: the clock time was UTC all along."""

from django.db import migrations, models

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("rooms", "0004_require_room_status"), ("dashboard", "0002_convert_timestamps")]

    operations = [
        MakeAware(
            model_name="room",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="room",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="roomimage",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="roomimage",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="roomtype",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="roomtype",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="roomtypeimage",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="roomtypeimage",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
    ]
