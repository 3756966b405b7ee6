"""``checked_in_by_name`` becomes ``receptionist_name``: a rename, never a drop and an add."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0006_require_deposit_amount"),
        ("payments", "0005_require_payment_type"),
    ]

    operations = [
        migrations.RenameField("reservation", "checked_in_by_name", "receptionist_name"),
    ]
