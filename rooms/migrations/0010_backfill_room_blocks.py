"""Blocks, step 2 of 2: rooms that are out of order or in maintenance today are blocked.

Rule: ``out_of_order`` is out of order, ``maintenance`` out of service; from today, because the
legacy system did not write down since when, until somebody releases the room. The word stays too.
Inverse: the blocks made here are archived and deleted. A room is met once.
"""

from django.db import migrations
from django.utils import timezone

from hotel.migrator.operations import RunPythonForNewRows

KINDS = {"out_of_order": "out_of_order", "maintenance": "out_of_service"}


def block_rooms(apps, rooms):
    RoomBlock = apps.get_model("rooms", "RoomBlock")
    today = timezone.localdate()
    return RoomBlock._base_manager.using(rooms.db).bulk_create(
        RoomBlock(
            room_id=key,
            kind=KINDS[status],
            start_date=today,
            reason=f"The room was {status} when blocks were introduced.",
        )
        for key, status in rooms.filter(status__in=KINDS).order_by("pk").values_list("pk", "status")
    )


class Migration(migrations.Migration):
    dependencies = [("rooms", "0009_add_room_blocks")]

    operations = [RunPythonForNewRows(block_rooms, "room")]
