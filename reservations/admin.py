"""Guests, reservations and where bookings come from, in the back office."""

from django.contrib import admin

from hotel.admin import BackOfficeAdmin, ReadOnlyAdmin
from hotel.columns import badge, moment, money, rows_of
from reservations.models import BookingChannel, Discount, Guest, GuestImage, Reservation


@admin.register(Guest)
class GuestAdmin(BackOfficeAdmin):
    """Guests; who has ever booked is kept."""

    list_display = ("full_name", "phone", "email", "nationality", "is_vip")
    list_filter = ("is_vip",)
    search_fields = ("full_name", "phone", "email", "id_number")
    search_help_text = "Search by name, phone, e-mail or number of the document."
    ordering = ("full_name", "id")
    autocomplete_fields = ("preferred_room_type",)
    fields = (
        "full_name",
        "email",
        ("phone_country_code", "phone"),
        ("id_type", "id_number"),
        "nationality",
        "birth_date",
        "is_vip",
        "preferred_room_type",
        "notes",
        rows_of("reservations.Reservation", "guest"),
        moment("created_at"),
        moment("updated_at"),
    )


@admin.register(Reservation)
class ReservationAdmin(BackOfficeAdmin):
    """Reservations. What the guest wishes can be written down; everything else has rules.

    Status, room, dates and money follow from what happens at the desk, so nobody types them in,
    adds a reservation past the rules, or deletes one.
    """

    can_add = False
    can_delete = False
    list_display = (
        "confirmation_number",
        "guest",
        "room",
        "room_type",
        "check_in_date",
        "check_out_date",
        badge("status"),
        money("total_amount"),
    )
    list_filter = ("status", "check_in_date", "check_out_date")
    list_select_related = ("guest", "room", "room_type")
    search_fields = ("confirmation_number", "guest__full_name", "guest__phone", "room__room_number")
    search_help_text = "Search by confirmation number, guest, phone or room."
    ordering = ("-id",)  # newest first: the furthest arrival is what nobody looks for
    fieldsets = (
        (
            "Stay",
            {
                "fields": (
                    "confirmation_number",
                    badge("status"),
                    "guest",
                    ("check_in_date", "check_out_date", "number_of_nights"),
                    ("room_type", "room"),
                    ("adults", "children"),
                    "special_requests",
                )
            },
        ),
        (
            "Money",
            {
                "fields": (
                    money("rate_per_night"),
                    money("subtotal"),
                    (money("discount_amount"), "discount"),
                    money("total_amount"),
                    (money("deposit_amount"), moment("deposit_returned_at")),
                    rows_of("payments.Payment", "reservation"),
                )
            },
        ),
        (
            "Desk",
            {
                "fields": (
                    ("booking_source", "booking_channel"),
                    "created_by",
                    (moment("checked_in_at"), "checked_in_by", "receptionist_name"),
                    moment("checked_out_at"),
                    "is_archived",
                    (moment("created_at"), moment("updated_at")),
                )
            },
        ),
    )
    readonly_fields = (
        "confirmation_number",
        "guest",
        "check_in_date",
        "check_out_date",
        "number_of_nights",
        "room_type",
        "room",
        "adults",
        "children",
        "discount",
        "booking_source",
        "booking_channel",
        "created_by",
        "checked_in_by",
        "receptionist_name",
        "is_archived",
    )


@admin.register(GuestImage)
class GuestImageAdmin(ReadOnlyAdmin):
    """Pictures of guests' documents, as the legacy system kept them."""

    list_display = ("file_name", "guest", "image_type", moment("created_at"))
    list_select_related = ("guest",)
    search_fields = ("file_name", "guest__full_name")
    search_help_text = "Search by file name or guest."
    ordering = ("-id",)


@admin.register(Discount)
class DiscountAdmin(ReadOnlyAdmin):
    """Discounts, as the legacy system kept them."""

    list_display = (
        "name",
        "code",
        "discount_type",
        money("discount_value"),
        "valid_from",
        "valid_until",
        "status",
    )
    search_fields = ("name", "code")
    search_help_text = "Search by name or code."
    ordering = ("-id",)


@admin.register(BookingChannel)
class BookingChannelAdmin(ReadOnlyAdmin):
    """Where bookings come from. The keys to other systems are shown to nobody."""

    exclude = ("api_key", "api_secret")
    list_display = (
        "name",
        "code",
        "channel_type",
        money("commission_percentage"),
        money("commission_fixed_amount"),
        "is_enabled",
    )
    list_filter = ("is_enabled",)
    search_fields = ("name", "code")
    search_help_text = "Search by name or code."
    ordering = ("name",)
