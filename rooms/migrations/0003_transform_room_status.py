"""Housekeeping, step 2 of 2, and the room status: each gets one of its words.

Rule: available, occupied, maintenance and out_of_order stay; NULL and everything else is available.
An available room is clean, any other is dirty. The comparison is exact (docs/decisions/0003).
Inverse: words that were changed return from the archive; what housekeeping has found since is
archived.
"""

from django.db import migrations

from hotel.migrator.expressions import translate
from hotel.migrator.operations import BatchedRunPython

STATUSES = ["available", "occupied", "maintenance", "out_of_order"]


def known_status(apps, status):
    return translate(status, {word: word for word in STATUSES}, otherwise="available")


def housekeeping(apps, status):
    return translate(status, {"available": "clean"}, otherwise="dirty")


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [("rooms", "0002_add_housekeeping_status")]

    operations = [
        BatchedRunPython(known_status, BatchedRunPython.keep, "room", "status", tally=True),
        BatchedRunPython(
            housekeeping,
            BatchedRunPython.clear,
            "room",
            "housekeeping_status",
            source="status",
            tally=True,
        ),
    ]
