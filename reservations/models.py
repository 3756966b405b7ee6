"""Who stays, when and where: guests, reservations, and where bookings come from."""

from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value

from hotel.business_day import business_date
from hotel.events import EventBase, event_rules
from hotel.migrator.constraints import Check, Exclusion, HasParts, MakesWhole, Parts
from hotel.migrator.expressions import AsciiLower, DaysBetween, FromSetting, IsCurrencyCode
from hotel.migrator.fields import ExemptionsField
from hotel.migrator.indexes import TrigramIndex
from reservations.search_keys import FOLLOWS, TEXT, GuestKeyField, guest_key

LARGEST_AMOUNT = Decimal("9999999999.99")
LIVE = ("pending", "confirmed", "checked_in")  # what takes a room
STAY_AND_PARTS = Parts(
    whole="reservations",
    table="stay_parts",
    key="reservation_id",
    span=(("start_date", "check_in_date"), ("end_date", "check_out_date")),
    shared=("status", "status"),
    present=("room_id", "room_id"),
    usual=("room_type_id", "room_type_id"),
    is_present="is_present",
)


class GuestQuerySet(models.QuerySet["Guest"]):
    """Guests, whose key follows when many are changed at once."""

    def update(self, **values: Any) -> int:
        """Change the columns of all of them; return how many there are."""
        if not values.keys().isdisjoint(FOLLOWS):

            def now(column: str) -> Any:
                value = values.get(column, F(column))
                return value if hasattr(value, "resolve_expression") else Value(value, TEXT)

            values = {**values, "search_key": guest_key(now)}
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]  # as Django marks it for templates


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
    search_key = GuestKeyField(editable=False, default="", db_default="")

    objects = GuestQuerySet.as_manager()

    class Meta:
        db_table = "guests"
        permissions = [("merge_guest", "Can merge guests")]
        indexes = [
            models.Index(fields=["full_name", "id"], name="guests_by_name_idx"),
            TrigramIndex(field="search_key", name="guests_key_part_idx"),
        ]

    def __str__(self) -> str:
        return self.full_name


class GuestMerge(models.Model):
    """A guest who was merged into another one, because both are one person.

    guest: who is left. merged_key, original: who is gone, every column as text. moved: the keys of
    the rows that refer to the other guest now, by foreign key. filled: what was empty of ``guest``
    and was taken over. All of it is what undoing needs.
    """

    guest = models.ForeignKey(Guest, on_delete=models.PROTECT, related_name="merges")
    merged_key = models.IntegerField()
    merged_name = models.CharField(max_length=100)
    original = models.JSONField()
    moved = models.JSONField()
    filled = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        db_table = "guest_merges"
        verbose_name = "merged guest"
        verbose_name_plural = "merged guests"

    def __str__(self) -> str:
        return f"{self.merged_name} (number {self.merged_key})"


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

    def __str__(self) -> str:
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

    def __str__(self) -> str:
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

    def __str__(self) -> str:
        return self.name


class ReservationStatus(models.TextChoices):
    """Where a stay is in its life."""

    PENDING = "pending", "Pending"
    CONFIRMED = "confirmed", "Confirmed"
    CHECKED_IN = "checked_in", "In house"
    CHECKED_OUT = "checked_out", "Checked out"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No-show"


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """Reservations, by what they are asked for."""

    def numbered(self, number: str) -> "Reservation | None":
        """Return the reservation with this confirmation number, in any capitals; None for none.

        Of legacy numbers that differ in capitals alone, the one that is written the same.
        """
        asked = number.strip()
        alike = self.alias(number=AsciiLower("confirmation_number"))
        same = alike.filter(number=AsciiLower(Value(asked)))
        rows = {row.confirmation_number: row for row in same}
        return rows.get(asked) or next(iter(rows.values()), None)


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
    currency = models.CharField(
        max_length=3, db_default=FromSetting("HOTEL_CURRENCY"), editable=False
    )
    rate_per_night = models.DecimalField(max_digits=12, decimal_places=2)
    number_of_nights = models.GeneratedField(
        expression=DaysBetween("check_in_date", "check_out_date"),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    discount_amount = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, default=0
    )
    discount = models.ForeignKey(Discount, on_delete=models.SET_NULL, null=True, blank=True)
    total_amount = models.DecimalField(max_digits=12, decimal_places=2)
    deposit_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    deposit_returned_at = models.DateTimeField(null=True, blank=True)
    deposit_held = models.DecimalField(
        max_digits=14, decimal_places=2, default=0, db_default=0, editable=False
    )
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
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.TextField(null=True, blank=True)
    is_complimentary = models.BooleanField("free of charge", default=False, db_default=False)
    is_archived = models.BooleanField(null=True, blank=True, default=False)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    objects = ReservationQuerySet.as_manager()

    class Meta:
        db_table = "reservations"
        permissions = [
            ("check_in_reservation", "Can check in"),
            ("check_out_reservation", "Can check out"),
            ("move_reservation", "Can change dates and room"),
            ("cancel_reservation", "Can cancel"),
            ("mark_no_show_reservation", "Can mark as a no-show"),
            ("reinstate_reservation", "Can take back a check-in, a check-out or a cancellation"),
            ("reprice_reservation", "Can change the rate and the discount"),
            ("overbook_reservation", "Can sell more rooms or beds than there are"),
        ]
        indexes = [
            models.Index(fields=["check_in_date", "check_out_date"], name="reservations_dates_idx"),
            models.Index(
                fields=["check_out_date"],
                name="reservations_departures_idx",
                condition=Q(status="checked_in"),
            ),
            models.Index(fields=["status", "-id"], name="reservations_status_idx"),
            models.Index(
                fields=["id"],
                name="reservations_exempt_idx",
                condition=Q(exemptions__isnull=False),
            ),
            # What takes a room, and what takes one of a type, on some nights.
            models.Index(
                fields=["room", "check_out_date", "check_in_date"],
                name="reservations_of_room_idx",
                condition=Q(status__in=[*LIVE]),
            ),
            models.Index(
                fields=["room_type", "check_out_date", "check_in_date"],
                name="reservations_of_type_idx",
                condition=Q(status__in=[*LIVE]),
            ),
            TrigramIndex(field="confirmation_number", name="reservations_number_part_idx"),
        ]
        constraints = [
            Check(
                name="reservations_dates_in_order",
                condition=Q(check_out_date__gt=F("check_in_date")),
                violation_error_message="The guest must leave after the day of arrival.",
                mend="Correct the dates of the stay.",
            ),
            Check(
                name="reservations_adults_in_range",
                condition=Q(adults__gte=1),
                violation_error_message="At least one adult must stay.",
                mend="Correct the number of adults.",
            ),
            Check(
                name="reservations_children_in_range",
                condition=Q(children__gte=0),
                violation_error_message="The number of children cannot be negative.",
                mend="Correct the number of children.",
            ),
            Check(
                name="reservations_rate_in_range",
                condition=Q(rate_per_night__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The rate per night cannot be negative.",
                mend="Correct the rate per night.",
            ),
            Check(
                name="reservations_subtotal_in_range",
                condition=Q(subtotal__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The subtotal cannot be negative.",
                mend="Correct the subtotal.",
            ),
            Check(
                name="reservations_discount_in_range",
                condition=Q(discount_amount__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The discount cannot be negative.",
                mend="Correct the discount.",
            ),
            Check(
                name="reservations_discount_within_subtotal",
                condition=Q(discount_amount__lte=F("subtotal")),
                violation_error_message="The discount cannot be more than the subtotal.",
                mend="Correct the discount or the subtotal.",
            ),
            Check(
                name="reservations_total_in_range",
                condition=Q(total_amount__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The total cannot be negative.",
                mend="Correct the total.",
            ),
            Check(
                name="reservations_deposit_in_range",
                condition=Q(deposit_amount__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The deposit cannot be negative.",
                mend="Correct the deposit.",
            ),
            Check(
                name="reservations_deposit_held_in_range",
                condition=Q(deposit_held__range=(0, Decimal("999999999999.99"))),
                violation_error_message="No more of a deposit can be used than is held.",
                mend="Look at the movements of the deposit.",
            ),
            Check(
                name="reservations_currency_is_code",
                condition=Q(IsCurrencyCode("currency")),
                violation_error_message="The currency is no code such as IDR.",
                mend="Correct the currency.",
            ),
            Check(
                name="reservations_status_known",
                condition=Q(status__in=ReservationStatus.values),
                violation_error_message="The status is none of those a reservation can have.",
                mend="Choose a status.",
            ),
            Check(
                name="reservations_in_house_has_room",
                condition=~Q(status="checked_in")
                | Q(room__isnull=False, checked_in_at__isnull=False),
                violation_error_message="A stay in house needs a room and a time of check-in.",
                mend="Give the stay its room, or check it out.",
            ),
            Check(
                name="reservations_checked_out_has_time",
                condition=~Q(status="checked_out") | Q(checked_out_at__isnull=False),
                violation_error_message="A stay that is over needs the time of its check-out.",
                mend="Nothing need be done: the time is not known.",
            ),
            Exclusion(
                name="reservations_number_unique",
                same=[AsciiLower("confirmation_number")],
                violation_error_message="Another reservation has this confirmation number,"
                " in other capitals perhaps.",
                mend="Give one of the reservations another number.",
            ),
            Exclusion(
                name="reservations_one_stay_in_house",
                same=["room"],
                condition=Q(room__isnull=False, status="checked_in"),
                violation_error_message="Somebody else is in the room.",
                mend="Check out the guests who have left, or move one of the stays.",
            ),
            HasParts(
                name="reservations_have_parts",
                parts=STAY_AND_PARTS,
                made_whole_by="stay_parts_make_the_stay",
            ),
        ]

    def __str__(self) -> str:
        return self.confirmation_number


class StayPartQuerySet(models.QuerySet["StayPart"]):
    """Parts of stays, by what they take of the house."""

    def taking_a_room(self, first: date, after: date | None) -> Self:
        """Return the parts that take a room on any night from ``first`` on, before ``after``.

        after: None for ever. A pending stay takes one too: it can be confirmed. Guests who should
        have left before today take theirs tonight.
        """
        parts = self.filter(status__in=LIVE, end_date__gt=first)
        if after:
            parts = parts.filter(start_date__lt=after)
        today = business_date()
        if first <= today and (not after or today < after):
            return parts | self.overstaying(today)
        return parts

    def overstaying(self, today: date) -> Self:
        """Return where guests are in house who should have left it before ``today``."""
        return self.filter(status="checked_in", is_present=True, end_date__lt=today)


class StayPart(models.Model):
    """The nights that a stay has in one room, from ``start_date`` to the one before ``end_date``.

    room: None if none is assigned. room_type: what is sold, whatever the room is. is_present: where
    the guests are, or where they come to first; the room of the stay is that of this part. The
    database lets the parts follow what is written of the stay alone, and refuses parts that do not
    add up to it. Rule: docs/decisions/0026-stay-parts.md.
    """

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="parts")
    room = models.ForeignKey(
        "rooms.Room", on_delete=models.PROTECT, null=True, blank=True, related_name="stay_parts"
    )
    room_type = models.ForeignKey("rooms.RoomType", on_delete=models.PROTECT, related_name="+")
    start_date = models.DateField()
    end_date = models.DateField()
    status = models.CharField(max_length=20)
    is_present = models.BooleanField(default=False, db_default=False)
    exemptions = ExemptionsField()

    objects = StayPartQuerySet.as_manager()

    class Meta:
        db_table = "stay_parts"
        verbose_name = "part of a stay"
        verbose_name_plural = "parts of stays"
        indexes = [
            models.Index(fields=["reservation", "start_date"], name="stay_parts_in_order_idx"),
            models.Index(
                fields=["reservation"],
                name="stay_parts_of_splits_idx",
                condition=Q(is_present=False),
            ),
            models.Index(
                fields=["id"], name="stay_parts_exempt_idx", condition=Q(exemptions__isnull=False)
            ),
            # What takes a room, and what takes one of a type, on some nights.
            models.Index(
                fields=["room", "end_date", "start_date"],
                name="stay_parts_of_room_idx",
                condition=Q(status__in=[*LIVE]),
            ),
            models.Index(
                fields=["room_type", "end_date", "start_date"],
                name="stay_parts_of_type_idx",
                condition=Q(status__in=[*LIVE]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["reservation"],
                name="stay_parts_one_present",
                condition=Q(is_present=True),
                violation_error_message="Guests are in one room at a time.",
            ),
            Exclusion(
                name="stay_parts_no_double_booking",
                same=["room"],
                span=("start_date", "end_date"),
                condition=Q(room__isnull=False, status__in=["confirmed", "checked_in"]),
                violation_error_message="The room is booked for some of these nights.",
                mend="Move one of the stays to another room or other dates, or cancel it.",
            ),
            MakesWhole(
                name="stay_parts_make_the_stay",
                parts=STAY_AND_PARTS,
                violation_error_message="The rooms of a stay must follow one another, from its"
                " first night to its last.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reservation} from {self.start_date}"


class Event(EventBase):
    """What happened to a reservation, and what it changed."""

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="events")

    class Meta:
        db_table = "reservation_events"
        constraints = event_rules("reservation_events")
