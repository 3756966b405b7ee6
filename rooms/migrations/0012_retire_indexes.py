"""Indexes that no question needs are dropped: a house has few rooms, and reads them all."""

from django.db import migrations

from hotel.migrator.operations import RemoveIndex


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index that nobody waits for outside a transaction

    dependencies = [("rooms", "0011_allow_cleaning"), ("payments", "0018_validate_currency")]

    operations = [
        RemoveIndex("room", "rooms_status_idx"),
        RemoveIndex("room", "rooms_is_active_idx"),
        RemoveIndex("roomtype", "room_types_is_active_idx"),
    ]
