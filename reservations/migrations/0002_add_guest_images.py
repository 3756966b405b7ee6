"""Pictures of guests' documents, the second table the legacy system added."""

from django.conf import settings
from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0001_initial"),
        ("payments", "0001_initial"),
        ("dashboard", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="GuestImage",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("image_type", models.CharField(max_length=50)),
                ("file_path", models.CharField(max_length=500)),
                ("file_name", models.CharField(max_length=255)),
                ("file_size", models.IntegerField(blank=True, null=True)),
                ("mime_type", models.CharField(blank=True, max_length=100, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                (
                    "guest",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="images", to="reservations.guest"
                    ),
                ),
                (
                    "uploaded_by_user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"db_table": "guest_images"},
        ),
    ]
