"""Instants of rooms and their pictures get their time zone: the clock time was UTC all along."""

from django.db import migrations

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("rooms", "0004_require_room_status"), ("dashboard", "0002_convert_timestamps")]

    operations = [
        MakeAware("room", "created_at", "updated_at"),
        MakeAware("roomimage", "created_at", "updated_at"),
        MakeAware("roomtype", "created_at", "updated_at"),
        MakeAware("roomtypeimage", "created_at", "updated_at"),
    ]
