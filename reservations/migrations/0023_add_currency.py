"""The currency of a stay: the hotel's, by the setting HOTEL_CURRENCY."""

from django.db import migrations, models
from django.db.models import Q

from hotel.migrator.constraints import Check
from hotel.migrator.expressions import FromSetting, IsCurrencyCode
from hotel.migrator.operations import AddField, AddRules


class Migration(migrations.Migration):
    dependencies = [("reservations", "0022_allow_desk_actions"), ("rooms", "0011_allow_cleaning")]

    operations = [
        AddField(
            "reservation",
            "currency",
            models.CharField(
                db_default=FromSetting("HOTEL_CURRENCY"), editable=False, max_length=3
            ),
        ),
        AddRules(
            "reservation",
            [
                Check(
                    name="reservations_currency_is_code",
                    condition=Q(IsCurrencyCode("currency")),
                    violation_error_message="The currency is no code such as IDR.",
                    mend="Correct the currency.",
                ),
            ],
        ),
    ]
