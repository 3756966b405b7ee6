"""The currency of a stay is a code, in old rows too."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("reservations", "0023_add_currency"), ("payments", "0017_add_currency")]

    operations = [ValidateRules("reservation", ["reservations_currency_is_code"])]
