"""Forms that have added a row: an empty table, by which a form that is sent twice adds one row.

Rule: docs/decisions/0021-stale-forms.md.
"""

from django.db import migrations, models

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0003_add_daily_metrics"),
        ("payments", "0023_restrict_payments"),
    ]

    operations = [
        CreateModel(
            name="SentForm",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("model", models.CharField(max_length=100)),
                ("row", models.CharField(max_length=64)),
                ("sent_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sent_forms",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key",),
                        name="sent_forms_key_once",
                        violation_error_message="This form was sent already.",
                    ),
                ],
            },
        ),
    ]
