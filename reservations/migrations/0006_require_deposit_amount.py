"""The deposit system, step 3 of 3: a reservation always says how much its deposit is."""

from django.db import migrations, models

from hotel.migrator.operations import RequireField


class Migration(migrations.Migration):
    atomic = False  # RequireField takes its steps in transactions of its own

    dependencies = [("reservations", "0005_backfill_deposit_amount")]

    operations = [
        RequireField(
            model_name="reservation",
            name="deposit_amount",
            field=models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=12),
            backfill="0005_backfill_deposit_amount",
        ),
    ]
