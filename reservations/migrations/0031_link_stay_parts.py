"""Parts of stays, step 2 of 7: what is written of a stay alone is followed by its parts.

The previous release knows of no parts and goes on beside this: its stays have one from now on.
"""

from django.db import migrations

from hotel.migrator.constraints import HasParts


class Migration(migrations.Migration):
    dependencies = [("reservations", "0030_add_stay_parts")]

    operations = [
        migrations.AddConstraint(
            "reservation",
            HasParts(
                name="reservations_have_parts",
                parts=(
                    "reservations",
                    "stay_parts",
                    "reservation_id",
                    (("start_date", "check_in_date"), ("end_date", "check_out_date")),
                    ("status", "status"),
                    ("room_id", "room_id"),
                    ("room_type_id", "room_type_id"),
                    "is_present",
                ),
                made_whole_by="stay_parts_make_the_stay",
            ),
        ),
    ]
