"""Parts of stays, step 6 of 7: the database refuses parts that do not add up to their stay."""

from django.db import migrations

from hotel.migrator.constraints import MakesWhole


class Migration(migrations.Migration):
    dependencies = [("reservations", "0034_forbid_double_nights")]

    operations = [
        migrations.AddConstraint(
            "staypart",
            MakesWhole(
                name="stay_parts_make_the_stay",
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
                violation_error_message="The rooms of a stay must follow one another, from its"
                " first night to its last.",
            ),
        ),
    ]
