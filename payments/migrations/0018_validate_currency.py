"""The currency of a payment is a code, in old rows too."""

from django.db import migrations

from hotel.migrator.operations import ValidateRules


class Migration(migrations.Migration):
    atomic = False  # each rule is validated in a transaction of its own

    dependencies = [("payments", "0017_add_currency"), ("reservations", "0024_validate_currency")]

    operations = [ValidateRules("payment", ["payments_currency_is_code"])]
