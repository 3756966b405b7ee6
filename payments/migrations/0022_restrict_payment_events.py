"""Events of payments, step 3 of 3: the database refuses to change or delete a row."""

from django.db import migrations

from hotel.migrator.constraints import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("payments", "0021_backfill_payment_events")]

    operations = [
        migrations.AddConstraint(
            "event",
            AppendOnly(
                name="payment_events_append_only",
                violation_error_message="Events are only added to.",
            ),
        ),
    ]
