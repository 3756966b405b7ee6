"""What must be true of reservations, step 2 of 2: old rows keep it or are exempt."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("reservations", "0014_add_rules")]

    operations = [
        ValidateRules(
            "reservation",
            [
                "reservations_dates_in_order",
                "reservations_adults_in_range",
                "reservations_children_in_range",
                "reservations_rate_in_range",
                "reservations_subtotal_in_range",
                "reservations_discount_in_range",
                "reservations_discount_within_subtotal",
                "reservations_total_in_range",
                "reservations_deposit_in_range",
                "reservations_deposit_within_total",
                "reservations_status_known",
                "reservations_in_house_has_room",
                "reservations_checked_out_has_time",
            ],
        ),
    ]
