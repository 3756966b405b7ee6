"""The status, step 2 of 4 (transform): the new column gets one of six words.

Rule: the two old_ words lose their prefix, the six words stay, NULL and everything else is pending.
The
comparison is exact: no trimming, no case folding, so that both engines agree (docs/decisions/0003).
Inverse: the new column is emptied; ``status`` still holds every word, and counts until 0011 drops
it.
"""

from django.db import migrations

from hotel.migrator.expressions import translate
from hotel.migrator.operations import BatchedRunPython

WORDS = {
    "old_confirmed": "confirmed",
    "old_checked_in": "checked_in",
    "pending": "pending",
    "confirmed": "confirmed",
    "checked_in": "checked_in",
    "checked_out": "checked_out",
    "cancelled": "cancelled",
    "no_show": "no_show",
}


def new_word(apps, status):
    return translate(status, WORDS, otherwise="pending")


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [("reservations", "0008_add_new_status")]

    operations = [
        BatchedRunPython(
            new_word,
            BatchedRunPython.clear,
            "reservation",
            "new_status",
            source="status",
            tally=True,
        ),
    ]
