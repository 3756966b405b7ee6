"""The currency of every payment and expense: the hotel's, by the setting HOTEL_CURRENCY."""

from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.expressions import FromSetting, IsCurrencyCode
from hotel.migrator.operations import AddField, AddRules


class Migration(migrations.Migration):
    dependencies = [("payments", "0016_allow_money_actions"), ("reservations", "0023_add_currency")]

    operations = [
        AddField(
            "payment",
            "currency",
            models.CharField(
                db_default=FromSetting("HOTEL_CURRENCY"), editable=False, max_length=3
            ),
        ),
        AddRules(
            "payment",
            [
                Check(
                    name="payments_currency_is_code",
                    condition=Q(IsCurrencyCode("currency")),
                    violation_error_message="The currency is no code such as IDR.",
                    mend="Correct the currency.",
                ),
            ],
        ),
        AddField(
            "expense",
            "currency",
            models.CharField(
                db_default=FromSetting("HOTEL_CURRENCY"), editable=False, max_length=3
            ),
        ),
        migrations.AddConstraint(
            "expense",
            models.CheckConstraint(
                name="expenses_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
            ),
        ),
    ]
