"""Events of rooms, step 2 of 3: what the blocks know of each room.

Rule: who blocked it, when and why, and on which day it was released; as far as the blocks say so.
What was changed by it, nobody knows (``changes`` is NULL). Evidence: legacy_column.
Business date: the hotel's date of the instant, or else the first night of the block.
Inverse: the events made here are archived and deleted. A block is met once.
"""

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Coalesce

from hotel.migrator.expressions import LocalDate
from hotel.migrator.operations import Insert, InsertForNewRows


def tell_of_rooms(apps, blocks):
    """Return the events, in the order in which they happen to a block."""
    Event = apps.get_model("rooms", "Event")
    return [
        Insert(
            Event,
            blocks,
            room=F("room_id"),
            what="blocked",
            at=F("created_at"),
            business_date=Coalesce(LocalDate("created_at"), "start_date"),
            by=F("created_by_id"),
            reason=F("reason"),
            evidence="legacy_column",
        ),
        Insert(
            Event,
            blocks.filter(released_on__isnull=False),
            room=F("room_id"),
            what="released",
            business_date=F("released_on"),
            reason=F("reason"),
            evidence="legacy_column",
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("rooms", "0013_add_room_events")]

    operations = [InsertForNewRows(tell_of_rooms, "roomblock")]
