"""The rules to come need not be kept by rows that break them already: room for their names."""

from django.db import migrations

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("reservations", "0012_convert_timestamps"), ("rooms", "0006_add_exemptions")]

    operations = [
        AddField(model_name="reservation", name="exemptions", field=ExemptionsField()),
    ]
