"""Rooms and room types in the back office."""

from django.contrib import admin
from django.db.models import F
from django.db.models.functions import Length

from hotel.actions import ActingAdmin, Action
from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from rooms import forms, services
from rooms.models import Event, Room, RoomBlock, RoomImage, RoomType, RoomTypeImage


@admin.register(RoomType)
class RoomTypeAdmin(BackOfficeAdmin):
    """Kinds of room. The rate is given with a new type and then stands: see RoomAdmin."""

    form = forms.RoomTypeForm
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
class RoomAdmin(ActingAdmin):
    """Rooms. A status follows from what happens and a rate is money: neither is typed in here."""

    form = forms.RoomForm
    row_actions = (
        Action(
            "housekeeping",
            "Housekeeping",
            services.set_housekeeping,
            "The housekeeping status of room {} is saved.",
            "clean_room",
            forms.HousekeepingForm,
        ),
        Action(
            "block",
            "Block",
            services.block,
            "{}.",
            "add_roomblock",
            forms.BlockForm,
            help="A blocked room is not sold. Out of order, it does not count as available either.",
        ),
    )
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
        rows_of("rooms.RoomBlock", "room"),
        rows_of("reservations.Reservation", "room"),
        rows_of("rooms.Event", "room"),
        moment("created_at"),
        moment("updated_at"),
    )


@admin.register(RoomBlock)
class RoomBlockAdmin(ActingAdmin):
    """Nights on which rooms are not sold. A room is blocked on its own page, and released here."""

    can_add = False
    can_change = False
    can_delete = False
    row_actions = (
        Action(
            "release",
            "Release",
            services.release,
            "{} is released.",
            "change_roomblock",
            offered=lambda block: block.released_on is None,
            help="The room can be sold from tonight on. It is dirty until it has been checked.",
        ),
    )
    list_display = ("room", badge("kind"), "start_date", "end_date", "released_on", "reason")
    list_filter = ("kind", "start_date")
    list_select_related = ("room",)
    search_fields = ("room__room_number", "reason")
    search_help_text = "Search by room number or reason."
    ordering = ("-start_date", "-id")
    fields = (
        "room",
        badge("kind"),
        ("start_date", "end_date", "released_on"),
        "reason",
        "created_by",
        moment("created_at"),
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


@admin.register(Event)
class RoomEventAdmin(ReadOnlyAdmin):
    """What happened to rooms, by whom, and what it changed."""

    list_display = ("business_date", "room", "what", "by", "reason", badge("evidence"))
    list_filter = ("evidence", "business_date")
    list_select_related = ("room", "by")
    search_fields = ("room__room_number",)
    search_help_text = "Search by room number."
    ordering = ("-id",)
