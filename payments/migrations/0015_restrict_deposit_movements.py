"""The ledger of deposits is only added to: the database refuses to change or delete a line."""

from django.db import migrations

from hotel.migrator.constraints import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0014_backfill_deposit_movements"),
        ("reservations", "0021_validate_deposit_held"),
    ]

    operations = [
        migrations.AddConstraint(
            "depositmovement",
            AppendOnly(
                name="deposit_movements_append_only",
                violation_error_message="The ledger of deposits is only added to.",
            ),
        ),
    ]
