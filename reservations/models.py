"""Who stays, when and where: guests, reservations, and where bookings come from."""

from django.conf import settings
from django.db import models


class Guest(models.Model):
    """A person who stays or has stayed."""

    full_name = models.CharField(max_length=100)
    email = models.CharField(max_length=100, null=True, blank=True)
    phone = models.CharField(max_length=20, null=True, blank=True)
    phone_country_code = models.CharField(max_length=5, null=True, blank=True)
    id_type = models.CharField(max_length=50, null=True, blank=True)
    id_number = models.CharField(max_length=50, null=True, blank=True)
    nationality = models.CharField(max_length=50, null=True, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    is_vip = models.BooleanField(null=True, blank=True, default=False)
    preferred_room_type = models.ForeignKey(
        "rooms.RoomType", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "guests"
        indexes = [
            models.Index(fields=["full_name"], name="guests_full_name_idx"),
            models.Index(fields=["email"], name="guests_email_idx"),
            models.Index(fields=["phone"], name="guests_phone_idx"),
        ]

    def __str__(self):
        return self.full_name


class GuestImage(models.Model):
    """A picture of a guest's document."""

    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, related_name="images")
    image_type = models.CharField(max_length=50)
    file_path = models.CharField(max_length=500)
    file_name = models.CharField(max_length=255)
    file_size = models.IntegerField(null=True, blank=True)
    mime_type = models.CharField(max_length=100, null=True, blank=True)
    uploaded_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)

    class Meta:
        db_table = "guest_images"

    def __str__(self):
        return self.file_name


class Discount(models.Model):
    """A discount that the legacy system could store; it never applied one by itself."""

    name = models.CharField(max_length=100)
    code = models.CharField(max_length=20, unique=True, null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    discount_type = models.CharField(max_length=20)
    discount_value = models.DecimalField(max_digits=12, decimal_places=2)
    max_discount_amount = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True
    )
    applicable_room_types = models.TextField(null=True, blank=True)
    applicable_guests = models.TextField(null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    usage_limit = models.IntegerField(null=True, blank=True)
    usage_count = models.IntegerField(null=True, blank=True, default=0)
    min_stay_nights = models.IntegerField(null=True, blank=True)
    min_booking_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    max_bookings_per_guest = models.IntegerField(null=True, blank=True)
    status = models.CharField(max_length=20, null=True, blank=True, default="active")
    is_auto_applied = models.BooleanField(null=True, blank=True, default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="created_by",
        related_name="+",
    )
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "discounts"

    def __str__(self):
        return self.name


class BookingChannel(models.Model):
    """Where bookings come from: the front desk, an agency, a company."""

    name = models.CharField(max_length=100, unique=True)
    code = models.CharField(max_length=20, unique=True)
    description = models.TextField(null=True, blank=True)
    channel_type = models.CharField(max_length=50)
    api_url = models.CharField(max_length=255, null=True, blank=True)
    api_key = models.CharField(max_length=255, null=True, blank=True)
    api_secret = models.CharField(max_length=255, null=True, blank=True)
    webhook_url = models.CharField(max_length=255, null=True, blank=True)
    is_enabled = models.BooleanField(null=True, blank=True, default=True)
    auto_confirm = models.BooleanField(null=True, blank=True, default=False)
    sync_enabled = models.BooleanField(null=True, blank=True, default=False)
    sync_interval_minutes = models.IntegerField(null=True, blank=True, default=60)
    commission_percentage = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, default=0
    )
    commission_fixed_amount = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, default=0
    )
    support_contact = models.CharField(max_length=255, null=True, blank=True)
    support_email = models.CharField(max_length=100, null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "booking_channels"

    def __str__(self):
        return self.name


class ReservationStatus(models.TextChoices):
    """Where a stay is in its life."""

    PENDING = "pending", "Pending"
    CONFIRMED = "confirmed", "Confirmed"
    CHECKED_IN = "checked_in", "In house"
    CHECKED_OUT = "checked_out", "Checked out"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No-show"


class Reservation(models.Model):
    """A stay that was booked: dates are the hotel's, money is in its currency."""

    confirmation_number = models.CharField(max_length=20, unique=True)
    guest = models.ForeignKey(Guest, on_delete=models.PROTECT)
    check_in_date = models.DateField()
    check_out_date = models.DateField()
    room_type = models.ForeignKey("rooms.RoomType", on_delete=models.PROTECT)
    room = models.ForeignKey("rooms.Room", on_delete=models.PROTECT, null=True, blank=True)
    adults = models.IntegerField(null=True, blank=True, default=1)
    children = models.IntegerField(null=True, blank=True, default=0)
    rate_per_night = models.DecimalField(max_digits=12, decimal_places=2)
    number_of_nights = models.IntegerField(null=True, blank=True)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    discount_amount = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, default=0
    )
    discount = models.ForeignKey(Discount, on_delete=models.SET_NULL, null=True, blank=True)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    deposit_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    deposit_returned_at = models.DateTimeField(null=True, blank=True)
    special_requests = models.TextField(null=True, blank=True)
    status = models.CharField(
        max_length=20,
        choices=ReservationStatus,
        default=ReservationStatus.CONFIRMED,
        db_default=ReservationStatus.CONFIRMED,
    )
    booking_source = models.CharField(max_length=50, null=True, blank=True)
    booking_channel = models.ForeignKey(
        BookingChannel, on_delete=models.SET_NULL, null=True, blank=True
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_column="created_by",
        related_name="+",
    )
    checked_in_at = models.DateTimeField(null=True, blank=True)
    checked_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="checked_in_by",
        related_name="+",
    )
    receptionist_name = models.CharField(max_length=100, null=True, blank=True)
    checked_out_at = models.DateTimeField(null=True, blank=True)
    is_archived = models.BooleanField(null=True, blank=True, default=False)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "reservations"
        indexes = [
            models.Index(fields=["check_in_date", "check_out_date"], name="reservations_dates_idx"),
        ]

    def __str__(self):
        return self.confirmation_number
