"""Parts of stays, step 4 of 7: parts agree with their stays, whoever wrote these meanwhile.

Rule: parts that came back from the archive follow what was written of the stay while there was no
table of parts, as they follow now (step 2). Inverse: none is needed, the parts stay.
"""

from django.db import migrations

from hotel.migrator.operations import AlignParts


class Migration(migrations.Migration):
    dependencies = [("reservations", "0032_backfill_stay_parts")]

    operations = [AlignParts("reservation", "reservations_have_parts")]
