"""The hotel's days, step 4 of 4: the database keeps a closed day and its figures as they are.

Days are closed in their order, and only the last closed one is opened again, with a reason. The
locks are of a moment: triggers look at no row that stands.
"""

from django.db import migrations

from hotel.migrator.constraints import AppendOnly, Closable, Sealed


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0007_add_daily_adjustments")]

    operations = [
        migrations.AddConstraint(
            "businessday",
            Closable(
                name="business_days_closed_in_order",
                period="day",
                closed="closed_at",
                reason="reopen_reason",
                violation_error_message=(
                    "Only the last closed day can be opened again, with a reason; and no day"
                    " before it can be closed."
                ),
            ),
        ),
        migrations.AddConstraint(
            "event",
            AppendOnly(
                name="business_day_events_append_only",
                violation_error_message="Events are only added to.",
            ),
        ),
        migrations.AddConstraint(
            "dailyadjustment",
            Sealed(
                name="daily_adjustments_of_closed_days",
                period="adjusted_on",
                closed_by=("business_days", "day", "closed_at"),
                violation_error_message="The adjustments of a closed day stay as they are.",
            ),
        ),
        migrations.AddConstraint(
            "dailymetrics",
            Sealed(
                name="daily_metrics_of_closed_days",
                period="day",
                closed_by=("business_days", "day", "closed_at"),
                violation_error_message="The figures of a closed day stay as they are.",
            ),
        ),
    ]
