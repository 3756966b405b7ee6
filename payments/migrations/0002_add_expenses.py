"""What the hotel spends, the third table the legacy system added."""

from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("reservations", "0002_add_guest_images"),
    ]

    operations = [
        CreateModel(
            name="Expense",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", NaiveUTCDateTimeField()),
                ("category", models.CharField(max_length=50)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("description", models.TextField(blank=True, null=True)),
                ("receipt_url", models.CharField(blank=True, max_length=500, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={"db_table": "expenses"},
        ),
    ]
