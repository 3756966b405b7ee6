"""Guests, discounts, booking channels and reservations, as the legacy system kept them.

Its status words, its spellings and its missing values are all allowed here: rules come later. Here
are no deposits yet, and ``checked_in_by_name`` still has the name that 0007 changes.
"""

from django.conf import settings
from django.db import migrations, models

from hotel.migrator.fields import NaiveUTCDateTimeField
from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("rooms", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="BookingChannel",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("code", models.CharField(max_length=20, unique=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("channel_type", models.CharField(max_length=50)),
                ("api_url", models.CharField(blank=True, max_length=255, null=True)),
                ("api_key", models.CharField(blank=True, max_length=255, null=True)),
                ("api_secret", models.CharField(blank=True, max_length=255, null=True)),
                ("webhook_url", models.CharField(blank=True, max_length=255, null=True)),
                ("is_enabled", models.BooleanField(blank=True, default=True, null=True)),
                ("auto_confirm", models.BooleanField(blank=True, default=False, null=True)),
                ("sync_enabled", models.BooleanField(blank=True, default=False, null=True)),
                ("sync_interval_minutes", models.IntegerField(blank=True, default=60, null=True)),
                (
                    "commission_percentage",
                    models.DecimalField(
                        blank=True, decimal_places=2, default=0, max_digits=5, null=True
                    ),
                ),
                (
                    "commission_fixed_amount",
                    models.DecimalField(
                        blank=True, decimal_places=2, default=0, max_digits=12, null=True
                    ),
                ),
                ("support_contact", models.CharField(blank=True, max_length=255, null=True)),
                ("support_email", models.CharField(blank=True, max_length=100, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
            ],
            options={
                "db_table": "booking_channels",
            },
        ),
        CreateModel(
            name="Discount",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("code", models.CharField(blank=True, max_length=20, null=True, unique=True)),
                ("description", models.TextField(blank=True, null=True)),
                ("discount_type", models.CharField(max_length=20)),
                ("discount_value", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "max_discount_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
                ),
                ("applicable_room_types", models.TextField(blank=True, null=True)),
                ("applicable_guests", models.TextField(blank=True, null=True)),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("usage_limit", models.IntegerField(blank=True, null=True)),
                ("usage_count", models.IntegerField(blank=True, default=0, null=True)),
                ("min_stay_nights", models.IntegerField(blank=True, null=True)),
                (
                    "min_booking_amount",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
                ),
                ("max_bookings_per_guest", models.IntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(blank=True, default="active", max_length=20, null=True),
                ),
                ("is_auto_applied", models.BooleanField(blank=True, default=False, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_column="created_by",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "discounts",
            },
        ),
        CreateModel(
            name="Guest",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("full_name", models.CharField(max_length=100)),
                ("email", models.CharField(blank=True, max_length=100, null=True)),
                ("phone", models.CharField(blank=True, max_length=20, null=True)),
                ("phone_country_code", models.CharField(blank=True, max_length=5, null=True)),
                ("id_type", models.CharField(blank=True, max_length=50, null=True)),
                ("id_number", models.CharField(blank=True, max_length=50, null=True)),
                ("nationality", models.CharField(blank=True, max_length=50, null=True)),
                ("birth_date", models.DateField(blank=True, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                ("is_vip", models.BooleanField(blank=True, default=False, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "preferred_room_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="rooms.roomtype",
                    ),
                ),
            ],
            options={
                "db_table": "guests",
            },
        ),
        CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("confirmation_number", models.CharField(max_length=20, unique=True)),
                ("check_in_date", models.DateField()),
                ("check_out_date", models.DateField()),
                ("adults", models.IntegerField(blank=True, default=1, null=True)),
                ("children", models.IntegerField(blank=True, default=0, null=True)),
                ("rate_per_night", models.DecimalField(decimal_places=2, max_digits=12)),
                ("number_of_nights", models.IntegerField(blank=True, null=True)),
                ("subtotal", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "discount_amount",
                    models.DecimalField(
                        blank=True, decimal_places=2, default=0, max_digits=12, null=True
                    ),
                ),
                ("total_amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("special_requests", models.TextField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(blank=True, default="confirmed", max_length=20, null=True),
                ),
                ("booking_source", models.CharField(blank=True, max_length=50, null=True)),
                ("checked_in_at", NaiveUTCDateTimeField(blank=True, null=True)),
                ("checked_in_by_name", models.CharField(blank=True, max_length=100, null=True)),
                ("checked_out_at", NaiveUTCDateTimeField(blank=True, null=True)),
                ("is_archived", models.BooleanField(blank=True, default=False, null=True)),
                ("created_at", NaiveUTCDateTimeField(auto_now_add=True, null=True)),
                ("updated_at", NaiveUTCDateTimeField(auto_now=True, null=True)),
                (
                    "booking_channel",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="reservations.bookingchannel",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_column="created_by",
                        on_delete=models.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "discount",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.SET_NULL, to="reservations.discount"
                    ),
                ),
                ("guest", models.ForeignKey(on_delete=models.PROTECT, to="reservations.guest")),
                (
                    "room",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.PROTECT, to="rooms.room"
                    ),
                ),
                ("room_type", models.ForeignKey(on_delete=models.PROTECT, to="rooms.roomtype")),
            ],
            options={
                "db_table": "reservations",
            },
        ),
        migrations.AddIndex(
            model_name="guest",
            index=models.Index(fields=["full_name"], name="guests_full_name_idx"),
        ),
        migrations.AddIndex(
            model_name="guest",
            index=models.Index(fields=["email"], name="guests_email_idx"),
        ),
        migrations.AddIndex(
            model_name="guest",
            index=models.Index(fields=["phone"], name="guests_phone_idx"),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                fields=["check_in_date", "check_out_date"], name="reservations_dates_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["status"], name="reservations_status_idx"),
        ),
    ]
