"""Room types, rooms and their pictures, as the legacy system kept them."""

from django.conf import settings
from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="RoomType",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("base_capacity_adults", models.IntegerField(blank=True, default=2, null=True)),
                ("base_capacity_children", models.IntegerField(blank=True, default=1, null=True)),
                ("bed_config", models.CharField(blank=True, max_length=100, null=True)),
                ("default_rate", models.DecimalField(decimal_places=2, max_digits=12)),
                ("amenities", models.TextField(blank=True, null=True)),
                ("max_occupancy", models.IntegerField(blank=True, null=True)),
                ("is_active", models.BooleanField(blank=True, default=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={
                "db_table": "room_types",
                "indexes": [models.Index(fields=["is_active"], name="room_types_is_active_idx")],
            },
        ),
        CreateModel(
            name="Room",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("room_number", models.CharField(max_length=10, unique=True)),
                ("floor", models.IntegerField(blank=True, null=True)),
                ("room_type", models.ForeignKey(on_delete=models.PROTECT, to="rooms.roomtype")),
                (
                    "status",
                    models.CharField(blank=True, default="available", max_length=20, null=True),
                ),
                ("view_type", models.CharField(blank=True, max_length=50, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                (
                    "custom_rate",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
                ),
                ("is_active", models.BooleanField(blank=True, default=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={
                "db_table": "rooms",
            },
        ),
        CreateModel(
            name="RoomTypeImage",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("image_name", models.CharField(max_length=255)),
                ("image_type", models.CharField(max_length=20)),
                ("image_path", models.CharField(max_length=500)),
                ("storage_location", models.CharField(max_length=50)),
                ("file_size_bytes", models.IntegerField(blank=True, null=True)),
                ("mime_type", models.CharField(blank=True, max_length=100, null=True)),
                ("original_filename", models.CharField(blank=True, max_length=255, null=True)),
                ("image_width", models.IntegerField(blank=True, null=True)),
                ("image_height", models.IntegerField(blank=True, null=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("display_order", models.IntegerField(blank=True, default=0, null=True)),
                ("is_active", models.BooleanField(blank=True, default=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "room_type",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="images", to="rooms.roomtype"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="uploaded_by",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "room_type_images",
            },
        ),
        CreateModel(
            name="RoomImage",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("image_name", models.CharField(max_length=255)),
                ("image_type", models.CharField(max_length=20)),
                ("image_path", models.CharField(max_length=500)),
                ("storage_location", models.CharField(max_length=50)),
                ("file_size_bytes", models.IntegerField(blank=True, null=True)),
                ("mime_type", models.CharField(blank=True, max_length=100, null=True)),
                ("original_filename", models.CharField(blank=True, max_length=255, null=True)),
                ("image_width", models.IntegerField(blank=True, null=True)),
                ("image_height", models.IntegerField(blank=True, null=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("display_order", models.IntegerField(blank=True, default=0, null=True)),
                ("is_active", models.BooleanField(blank=True, default=True, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="images", to="rooms.room"
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="uploaded_by",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "room_images",
            },
        ),
        migrations.AddIndex(
            model_name="room",
            index=models.Index(fields=["status"], name="rooms_status_idx"),
        ),
        migrations.AddIndex(
            model_name="room",
            index=models.Index(fields=["is_active"], name="rooms_is_active_idx"),
        ),
    ]
