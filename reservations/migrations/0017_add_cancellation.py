"""When and why a reservation was cancelled, or the guest did not come; the legacy forgot both."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0016_forbid_double_booking"),
        ("accounts", "0009_forbid_username_twins"),
    ]

    operations = [
        AddField("reservation", "cancelled_at", models.DateTimeField(blank=True, null=True)),
        AddField("reservation", "cancel_reason", models.TextField(blank=True, null=True)),
    ]
