"""What a guest is found by, step 4 of 4: any part of the key is found; its parts by themselves
no longer need an index each.
"""

from django.db import migrations

from hotel.migrator.indexes import TrigramIndex
from hotel.migrator.operations import AddIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index that nobody waits for outside a transaction

    dependencies = [("reservations", "0039_require_guest_search_key")]

    operations = [
        AddIndex("guest", TrigramIndex(field="search_key", name="guests_key_part_idx")),
        RemoveIndex("guest", "guests_full_name_part_idx"),
        RemoveIndex("guest", "guests_phone_part_idx"),
        RemoveIndex("guest", "guests_email_part_idx"),
        RemoveIndex("guest", "guests_id_number_part_idx"),
    ]
