"""What must be true of voids and refunds, step 2 of 2: old rows keep it or are exempt."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("payments", "0011_add_void_rules")]

    operations = [
        ValidateRules("payment", ["payments_void_has_time", "payments_only_refunds_give_back"]),
    ]
