"""Deposits held, step 4 of 4: no more of a deposit is used than is held, in old rows too."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("reservations", "0020_backfill_deposit_held")]

    operations = [ValidateRules("reservation", ["reservations_deposit_held_in_range"])]
