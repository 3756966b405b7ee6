"""What a guest is found by, step 3 of 4 (require): the column is always filled.

A guest whom the previous release adds meanwhile gets an empty key, and a full one when saved again.
"""

from django.db import migrations, models

from hotel.migrator.operations import RequireField


class Migration(migrations.Migration):
    atomic = False  # RequireField takes its steps in transactions of its own

    dependencies = [("reservations", "0038_backfill_guest_search_key")]

    operations = [
        RequireField(
            model_name="guest",
            name="search_key",
            field=models.TextField(db_default="", default="", editable=False),
            backfill="0038_backfill_guest_search_key",
        ),
    ]
