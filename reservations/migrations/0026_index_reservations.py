"""What the desk asks of reservations: who leaves, who is where, what is free, and a number."""

from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.indexes import TrigramIndex
from hotel.migrator.operations import AddIndex

LIVE = Q(status__in=["pending", "confirmed", "checked_in"])


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index that nobody waits for outside a transaction

    dependencies = [("reservations", "0025_index_guests")]

    operations = [
        AddIndex(
            "reservation",
            models.Index(
                fields=["check_out_date"],
                name="reservations_departures_idx",
                condition=Q(status="checked_in"),
            ),
        ),
        AddIndex(
            "reservation", models.Index(fields=["status", "-id"], name="reservations_status_idx")
        ),
        AddIndex(
            "reservation",
            models.Index(
                fields=["id"],
                name="reservations_exempt_idx",
                condition=Q(exemptions__isnull=False),
            ),
        ),
        AddIndex(
            "reservation",
            models.Index(
                fields=["room", "check_out_date", "check_in_date"],
                name="reservations_of_room_idx",
                condition=LIVE,
            ),
        ),
        AddIndex(
            "reservation",
            models.Index(
                fields=["room_type", "check_out_date", "check_in_date"],
                name="reservations_of_type_idx",
                condition=LIVE,
            ),
        ),
        AddIndex(
            "reservation",
            TrigramIndex(field="confirmation_number", name="reservations_number_part_idx"),
        ),
    ]
