"""The payment type, step 3 of 3: every payment has one; a writer that names none means full."""

from django.db import migrations, models

from hotel.migrator.operations import CatchUp, RequireField


class Migration(migrations.Migration):
    atomic = False  # RequireField takes its steps in transactions of its own

    dependencies = [("payments", "0004_backfill_payment_type")]

    operations = [
        CatchUp("0004_backfill_payment_type", "payment", "payment_type"),
        RequireField(
            model_name="payment",
            name="payment_type",
            field=models.CharField(
                choices=[
                    ("full", "Full payment"),
                    ("downpayment", "Down payment"),
                    ("deposit", "Deposit"),
                    ("adjustment", "Adjustment"),
                ],
                db_default="full",
                default="full",
                max_length=20,
            ),
            backfill="0004_backfill_payment_type",
        ),
    ]
