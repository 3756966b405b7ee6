"""The rules to come need not be kept by rows that break them already: room for their names."""

from django.db import migrations

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_convert_timestamps"), ("accounts", "0008_add_exemptions")]

    operations = [
        AddField(model_name="roomtype", name="exemptions", field=ExemptionsField()),
        AddField(model_name="room", name="exemptions", field=ExemptionsField()),
    ]
