"""To sell more rooms of a type than there are, or beds than a room has, takes a permission."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0042_add_guest_merges"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "reservation",
            {
                "permissions": [
                    ("check_in_reservation", "Can check in"),
                    ("check_out_reservation", "Can check out"),
                    ("move_reservation", "Can change dates and room"),
                    ("cancel_reservation", "Can cancel"),
                    ("mark_no_show_reservation", "Can mark as a no-show"),
                    (
                        "reinstate_reservation",
                        "Can take back a check-in, a check-out or a cancellation",
                    ),
                    ("reprice_reservation", "Can change the rate and the discount"),
                    ("overbook_reservation", "Can sell more rooms or beds than there are"),
                ]
            },
        )
    ]
