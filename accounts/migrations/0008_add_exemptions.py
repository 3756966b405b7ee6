"""The rules to come need not be kept by rows that break them already: room for their names."""

from django.db import migrations

from hotel.migrator.fields import ExemptionsField
from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_convert_timestamps"),
        ("payments", "0006_convert_timestamps"),
    ]

    operations = [
        AddField(model_name="user", name="exemptions", field=ExemptionsField()),
    ]
