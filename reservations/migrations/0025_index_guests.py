"""Guests are found by any part of name, phone, e-mail or document, and listed by name.

The legacy indexes found whole names and numbers only, for which nobody asks.
"""

from django.db import migrations, models

from hotel.migrator.indexes import TrigramIndex
from hotel.migrator.operations import AddExtension, AddIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index that nobody waits for outside a transaction

    dependencies = [("reservations", "0024_validate_currency"), ("rooms", "0012_retire_indexes")]

    operations = [
        AddExtension("pg_trgm"),
        AddIndex("guest", models.Index(fields=["full_name", "id"], name="guests_by_name_idx")),
        AddIndex("guest", TrigramIndex(field="full_name", name="guests_full_name_part_idx")),
        AddIndex("guest", TrigramIndex(field="phone", name="guests_phone_part_idx")),
        AddIndex("guest", TrigramIndex(field="email", name="guests_email_part_idx")),
        AddIndex("guest", TrigramIndex(field="id_number", name="guests_id_number_part_idx")),
        RemoveIndex("guest", "guests_full_name_idx"),
        RemoveIndex("guest", "guests_email_idx"),
        RemoveIndex("guest", "guests_phone_idx"),
    ]
