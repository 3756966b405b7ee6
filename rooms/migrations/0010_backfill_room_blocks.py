"""Blocks, step 2 of 2: rooms that are out of order or in maintenance today are blocked.

Rule: ``out_of_order`` is out of order, ``maintenance`` out of service; from today, because the
legacy system did not write down since when, until somebody releases the room. The word stays too.
Inverse: the blocks made here are archived and deleted. A room is met once.
"""

from django.db import migrations
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat, Now

from hotel.migrator.expressions import LocalDate, translate
from hotel.migrator.operations import Insert, InsertForNewRows

KINDS = {"out_of_order": "out_of_order", "maintenance": "out_of_service"}


def block_rooms(apps, rooms):
    return [
        Insert(
            apps.get_model("rooms", "RoomBlock"),
            rooms.filter(status__in=KINDS),
            room=F("pk"),
            kind=translate(F("status"), KINDS, otherwise=F("status")),
            start_date=LocalDate(Now()),
            reason=Concat(
                Value("The room was "),
                F("status"),
                Value(" when blocks were introduced."),
                output_field=TextField(),
            ),
            created_at=Now(),
        )
    ]


class Migration(migrations.Migration):
    dependencies = [("rooms", "0009_add_room_blocks")]

    operations = [InsertForNewRows(block_rooms, "room")]
