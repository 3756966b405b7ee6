"""Parts of stays, step 3 of 7: one for each stay, with its dates, room and type as they stand.

Rows that nobody would write today (no night, dates in the wrong order, no room, two stays in one
room) get theirs all the same: a part says what the row says. Inverse: the parts made here are
archived and deleted. A reservation is met once.
"""

from django.db import migrations
from django.db.models import Exists, F, OuterRef

from hotel.migrator.operations import Insert, InsertForNewRows


def make_one_part(apps, stays):
    """Return the parts of the stays that have none, as those written since step 2 do."""
    StayPart = apps.get_model("reservations", "StayPart")
    parts = StayPart.objects.filter(reservation=OuterRef("pk"))
    return [
        Insert(
            StayPart,
            stays.filter(~Exists(parts)),
            reservation=F("pk"),
            room=F("room_id"),
            room_type=F("room_type_id"),
            start_date=F("check_in_date"),
            end_date=F("check_out_date"),
            status=F("status"),
            is_present=True,
        )
    ]


class Migration(migrations.Migration):
    dependencies = [("reservations", "0031_link_stay_parts")]

    operations = [InsertForNewRows(make_one_part, "reservation")]
