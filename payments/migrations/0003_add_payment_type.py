"""The payment type, step 1 of 3: an empty column. 0004 fills it, 0005 requires it."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_add_expenses"),
        ("reservations", "0004_add_deposit_columns"),
    ]

    operations = [
        AddField(
            model_name="payment",
            name="payment_type",
            field=models.CharField(blank=True, max_length=20, null=True),
        ),
    ]
