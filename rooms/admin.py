"""Rooms and room types in the back office."""

from django.contrib import admin
from django.db.models import F
from django.db.models.functions import Length

from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from rooms.models import Room, RoomImage, RoomType, RoomTypeImage


@admin.register(RoomType)
class RoomTypeAdmin(BackOfficeAdmin):
    """Kinds of room. The rate is given with a new type and then stands: see RoomAdmin."""

    list_display = (
        "name",
        "code",
        money("default_rate"),
        "base_capacity_adults",
        "base_capacity_children",
        "max_occupancy",
        "is_active",
    )
    list_filter = ("is_active",)
    search_fields = ("name", "code")
    search_help_text = "Search by name or code."
    ordering = ("name", "id")
    fields = (
        "name",
        "code",
        money("default_rate"),
        "description",
        ("base_capacity_adults", "base_capacity_children", "max_occupancy"),
        "bed_config",
        "amenities",
        "is_active",
        rows_of("rooms.Room", "room_type"),
        moment("created_at"),
        moment("updated_at"),
    )
    add_fields = (
        "name",
        "code",
        "default_rate",
        "description",
        ("base_capacity_adults", "base_capacity_children", "max_occupancy"),
        "bed_config",
        "amenities",
        "is_active",
    )


@admin.register(Room)
class RoomAdmin(BackOfficeAdmin):
    """Rooms. A status follows from what happens and a rate is money: neither is typed in here."""

    list_display = (
        "room_number",
        "floor",
        "room_type",
        badge("status"),
        badge("housekeeping_status"),
        money("custom_rate"),
        "is_active",
    )
    list_filter = ("status", "housekeeping_status", "is_active")
    list_select_related = ("room_type",)
    search_fields = ("room_number", "room_type__name", "room_type__code")
    search_help_text = "Search by room number or room type."
    ordering = (F("floor").asc(nulls_last=True), Length("room_number"), "room_number")
    autocomplete_fields = ("room_type",)
    fields = (
        "room_number",
        "floor",
        "room_type",
        badge("status"),
        badge("housekeeping_status"),
        "view_type",
        money("custom_rate"),
        "notes",
        "is_active",
        rows_of("reservations.Reservation", "room"),
        moment("created_at"),
        moment("updated_at"),
    )


@admin.register(RoomTypeImage)
class RoomTypeImageAdmin(ReadOnlyAdmin):
    """Pictures of room types, as the legacy system kept them."""

    list_display = ("image_name", "room_type", "image_type", "display_order", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("room_type",)
    search_fields = ("image_name", "original_filename", "room_type__name")
    search_help_text = "Search by file name or room type."
    ordering = ("-id",)


@admin.register(RoomImage)
class RoomImageAdmin(ReadOnlyAdmin):
    """Pictures of rooms, as the legacy system kept them."""

    list_display = ("image_name", "room", "image_type", "display_order", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("room",)
    search_fields = ("image_name", "original_filename", "room__room_number")
    search_help_text = "Search by file name or room number."
    ordering = ("-id",)
