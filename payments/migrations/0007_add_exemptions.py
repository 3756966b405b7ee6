"""The rules to come need not be kept by rows that break them already: room for their names."""

from django.db import migrations

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_convert_timestamps"),
        ("reservations", "0013_add_exemptions"),
    ]

    operations = [
        AddField(model_name="payment", name="exemptions", field=ExemptionsField()),
    ]
