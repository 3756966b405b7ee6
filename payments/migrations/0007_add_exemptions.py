"""The rules to come need not be kept by rows that break them already: room for their names.

Forms offer the methods of payment that these rules will know.
"""

from django.db import migrations, models

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_convert_timestamps"),
        ("reservations", "0013_add_exemptions"),
    ]

    operations = [
        AddField(model_name="payment", name="exemptions", field=ExemptionsField()),
        migrations.AlterField(
            model_name="payment",
            name="payment_method",
            field=models.CharField(
                choices=[
                    ("cash", "Cash"),
                    ("credit_card", "Credit card"),
                    ("debit_card", "Debit card"),
                    ("bank_transfer", "Bank transfer"),
                    ("e_wallet", "E-wallet"),
                    ("other", "Other"),
                ],
                max_length=20,
            ),
        ),
    ]
