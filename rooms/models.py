"""What the hotel sells: room types and rooms, with their pictures."""

from datetime import date
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from hotel.events import EventBase, event_rules
from hotel.migrator.constraints import Check
from hotel.migrator.fields import ExemptionsField

LARGEST_AMOUNT = Decimal("9999999999.99")


class RoomType(models.Model):
    """A kind of room with its rate per night, in the hotel's currency."""

    name = models.CharField(max_length=100)
    code = models.CharField(max_length=10, unique=True)
    description = models.TextField(null=True, blank=True)
    base_capacity_adults = models.IntegerField(null=True, blank=True, default=2)
    base_capacity_children = models.IntegerField(null=True, blank=True, default=1)
    bed_config = models.CharField(max_length=100, null=True, blank=True)
    default_rate = models.DecimalField(max_digits=12, decimal_places=2)
    amenities = models.TextField(null=True, blank=True)
    max_occupancy = models.IntegerField(null=True, blank=True)
    is_active = models.BooleanField(null=True, blank=True, default=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    class Meta:
        db_table = "room_types"
        constraints = [
            Check(
                name="room_types_rate_in_range",
                condition=Q(default_rate__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The rate cannot be negative.",
                mend="Correct the rate.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class RoomStatus(models.TextChoices):
    """Whether a room can be sold today."""

    AVAILABLE = "available", "Available"
    OCCUPIED = "occupied", "Occupied"
    MAINTENANCE = "maintenance", "Maintenance"
    OUT_OF_ORDER = "out_of_order", "Out of order"


class HousekeepingStatus(models.TextChoices):
    """Whether a room is clean, apart from whether somebody is in it."""

    DIRTY = "dirty", "Dirty"
    CLEAN = "clean", "Clean"
    INSPECTED = "inspected", "Inspected"


class Room(models.Model):
    """One room of the house."""

    room_number = models.CharField(max_length=10, unique=True)
    floor = models.IntegerField(null=True, blank=True)
    room_type = models.ForeignKey(RoomType, on_delete=models.PROTECT)
    status = models.CharField(
        max_length=20,
        choices=RoomStatus,
        default=RoomStatus.AVAILABLE,
        db_default=RoomStatus.AVAILABLE,
    )
    housekeeping_status = models.CharField(
        max_length=20,
        choices=HousekeepingStatus,
        default=HousekeepingStatus.CLEAN,
        db_default=HousekeepingStatus.CLEAN,
    )
    view_type = models.CharField(max_length=50, null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    custom_rate = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    is_active = models.BooleanField(null=True, blank=True, default=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    class Meta:
        db_table = "rooms"
        permissions = [("clean_room", "Can say how clean a room is")]
        constraints = [
            Check(
                name="rooms_rate_in_range",
                condition=Q(custom_rate__range=(0, LARGEST_AMOUNT)),
                violation_error_message="The rate cannot be negative.",
                mend="Correct the rate.",
            ),
            Check(
                name="rooms_status_known",
                condition=Q(status__in=RoomStatus.values),
                violation_error_message="The status is none of those a room can have.",
                mend="Choose a status.",
            ),
            Check(
                name="rooms_housekeeping_status_known",
                condition=Q(housekeeping_status__in=HousekeepingStatus.values),
                violation_error_message="The state is none of those housekeeping knows.",
                mend="Choose a state.",
            ),
        ]

    def __str__(self) -> str:
        return self.room_number


class Event(EventBase):
    """What happened to a room, and what it changed."""

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="events")

    class Meta:
        db_table = "room_events"
        constraints = event_rules("room_events")


class BlockKind(models.TextChoices):
    """Why a room is not sold."""

    OUT_OF_ORDER = "out_of_order", "Out of order"
    OUT_OF_SERVICE = "out_of_service", "Out of service"
    HOUSE_USE = "house_use", "House use"


class BlockQuerySet(models.QuerySet["RoomBlock"]):
    """Blocks, by when they stand."""

    def standing(self, first: date, after: date | None) -> Self:
        """Return the blocks that stand on any night from ``first`` to the one before ``after``.

        after: None for ever.
        """
        return self.filter(
            Q(end_date__isnull=True) | Q(end_date__gt=first),
            Q(released_on__isnull=True)
            | (Q(released_on__gt=first) & Q(released_on__gt=F("start_date"))),
            *([Q(start_date__lt=after)] if after else []),
        )


class RoomBlock(models.Model):
    """Nights on which a room is not sold, beginning with ``start_date``.

    end_date: the first night on which it can be sold again, if that is known. released_on: the
    block ended before it was to; from this night on, it does not stand. A room that is out of order
    does not count as available in reports; one that is out of service does.
    """

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="blocks")
    kind = models.CharField(max_length=20, choices=BlockKind)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    reason = models.TextField()
    released_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="created_by",
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        db_table = "room_blocks"
        constraints = [
            models.CheckConstraint(
                name="room_blocks_dates_in_order",
                condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
                violation_error_message="The room must be blocked for a night at least.",
            ),
            models.CheckConstraint(
                name="room_blocks_kind_known",
                condition=Q(kind__in=BlockKind.values),
                violation_error_message="The kind is none of those a block can have.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.start_date}"

    def describe(self) -> str:
        """Return what a sentence says of the room: out of order from 2025-07-01 to 2025-07-03."""
        until = f"to {self.end_date}" if self.end_date else "until further notice"
        return f"{self.get_kind_display().lower()} from {self.start_date} {until}"


class StoredImage(models.Model):
    """Columns that the two picture tables share."""

    image_name = models.CharField(max_length=255)
    image_type = models.CharField(max_length=20)
    image_path = models.CharField(max_length=500)
    storage_location = models.CharField(max_length=50)
    file_size_bytes = models.IntegerField(null=True, blank=True)
    mime_type = models.CharField(max_length=100, null=True, blank=True)
    original_filename = models.CharField(max_length=255, null=True, blank=True)
    image_width = models.IntegerField(null=True, blank=True)
    image_height = models.IntegerField(null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="uploaded_by",
        related_name="+",
    )
    description = models.TextField(null=True, blank=True)
    display_order = models.IntegerField(null=True, blank=True, default=0)
    is_active = models.BooleanField(null=True, blank=True, default=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.image_name


class RoomTypeImage(StoredImage):
    """A picture of a room type."""

    room_type = models.ForeignKey(RoomType, on_delete=models.CASCADE, related_name="images")

    class Meta:
        db_table = "room_type_images"


class RoomImage(StoredImage):
    """A picture of one room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="images")

    class Meta:
        db_table = "room_images"
