"""Housekeeping may say how clean a room is; the group gets the permission after ``migrate``."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0010_backfill_room_blocks"),
        ("payments", "0016_allow_money_actions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "room", {"permissions": [("clean_room", "Can say how clean a room is")]}
        )
    ]
