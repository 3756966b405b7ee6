"""What a guest is found by, step 2 of 4 (backfill): name, phone, e-mail and document, folded.

Rule: ``José O'Brien``, ``+62``, ``0812-3456`` and ``A 123`` become
``jose obrien 08123456 628123456  a123``. Capitals, accents, composition and punctuation do not
count; a part that is NULL is empty.
Inverse: the column is emptied.
"""

from django.db import migrations
from django.db.models import F, TextField, Value
from django.db.models.functions import Coalesce, Replace

from hotel.migrator.folding import Folded, Joined, StripZeros
from hotel.migrator.operations import BatchedRunPython


def part(column):
    return Coalesce(F(column), Value(""), output_field=TextField())


def close(column):
    return Replace(part(column), Value(" "), Value(""), output_field=TextField())


def key(apps, full_name):
    gap = Value(" ")
    national = StripZeros(close("phone"), output_field=TextField())
    return Folded(
        Joined(
            *(part("full_name"), gap, close("phone"), gap),
            *(part("phone_country_code"), national, gap, close("email"), gap, close("id_number")),
        )
    )


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [("reservations", "0037_add_guest_search_key")]

    operations = [
        BatchedRunPython(key, BatchedRunPython.clear, "guest", "search_key", source="full_name"),
    ]
