"""The status, step 4 of 4 (contract): the new column takes the place and the name of the old one.

Old words that the rule below would not give are archived before they are dropped.
Inverse: a confirmed stay is old_confirmed again, one in house old_checked_in, the other words stay;
a row whose status was not changed since gets its own old word back, spelling and all.
"""

from django.db import migrations

from hotel.migrator.expressions import translate
from hotel.migrator.operations import CatchUp, RemoveField

OLD_WORDS = {"confirmed": "old_confirmed", "checked_in": "old_checked_in"}


def old_word(new_status):
    return translate(new_status, OLD_WORDS, otherwise=new_status)


class Migration(migrations.Migration):
    dependencies = [("reservations", "0010_require_new_status")]

    operations = [
        CatchUp("0009_transform_status", "reservation", "new_status"),
        migrations.RemoveIndex("reservation", "reservations_status_idx"),
        RemoveField("reservation", "status", refill=("new_status", old_word)),
        migrations.RenameField("reservation", "new_status", "status"),
    ]
