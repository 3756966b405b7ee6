"""The deposit system, step 1 of 3: two empty columns. 0005 fills the amount, 0006 requires it."""

from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("reservations", "0003_add_checked_in_by")]

    operations = [
        AddField(
            model_name="reservation",
            name="deposit_amount",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
        ),
        AddField(
            model_name="reservation",
            name="deposit_returned_at",
            field=NaiveUTCDateTimeField(blank=True, null=True),
        ),
    ]
