"""What staff may do with a stay, one permission each; the groups get them after ``migrate``."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0021_validate_deposit_held"),
        ("payments", "0015_restrict_deposit_movements"),
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
                ]
            },
        )
    ]
