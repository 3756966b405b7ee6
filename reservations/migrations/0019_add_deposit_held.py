"""Deposits held, step 1 of 4: what the hotel holds of a guest now; never less than nothing."""

from decimal import Decimal

from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.operations import AddField, AddRules


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0018_add_cancellation"),
        ("payments", "0012_validate_void_rules"),
    ]

    operations = [
        AddField(
            "reservation",
            "deposit_held",
            models.DecimalField(
                db_default=0, decimal_places=2, default=0, editable=False, max_digits=14
            ),
        ),
        AddRules(
            "reservation",
            [
                Check(
                    name="reservations_deposit_held_in_range",
                    condition=Q(deposit_held__range=(0, Decimal("999999999999.99"))),
                    violation_error_message="No more of a deposit can be used than is held.",
                    mend="Look at the movements of the deposit.",
                ),
            ],
        ),
    ]
