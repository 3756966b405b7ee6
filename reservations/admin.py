"""Guests, reservations and where bookings come from, in the back office."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest

import payments.charges
import payments.forms
import payments.services
from accounts.models import User
from hotel.actions import ActingAdmin, Action
from hotel.admin import ReadOnlyAdmin
from hotel.columns import amount, badge, moment, money, rows_of
from hotel.desk.stay import shown
from hotel.refusals import Refused
from payments.folio import ENDED, account, applied
from reservations import forms, guests, services
from reservations.models import (
    LIVE,
    BookingChannel,
    Discount,
    Event,
    Guest,
    GuestImage,
    GuestMerge,
    Reservation,
    ReservationStatus,
    StayPart,
)
from reservations.search_keys import FOLLOWS


@admin.register(Guest)
class GuestAdmin(ActingAdmin):
    """Guests; who has ever booked is kept. Two who are one person can be merged."""

    form = forms.GuestForm
    row_actions = (
        Action(
            "merge",
            "Merge",
            guests.merge_guests,
            "{} has the stays of both now.",
            "merge_guest",
            forms.MergeForm,
            help="The other guest is archived; what is empty here is filled from there.",
        ),
    )

    list_display = ("full_name", "phone", "email", "nationality", "is_vip")
    list_filter = ("is_vip",)
    sortable_by = ("full_name",)
    search_fields = ("search_key",)
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
        rows_of("reservations.GuestMerge", "guest"),
        moment("created_at"),
        moment("updated_at"),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was typed, and say who may be the same person."""
        typed = {*form.changed_data}
        super().save_model(request, obj, form, change)
        if not typed.isdisjoint(FOLLOWS):
            for sentence in guests.warnings(obj):
                self.message_user(request, sentence, messages.WARNING)


@admin.register(GuestMerge)
class GuestMergeAdmin(ActingAdmin):
    """Guests who were merged into others, and can be parted again."""

    can_add = False
    can_change = False
    can_delete = False
    row_actions = (
        Action(
            "undo",
            "Undo",
            guests.undo_merge,
            "{} is a guest of their own again.",
            "merge_guest",
            offered=lambda merge: merge.undone_at is None,
            help="The guest comes back with the rows that were moved, if they are still here.",
        ),
    )
    list_display = ("merged_name", "guest", moment("at"), "by", "reason", moment("undone_at"))
    list_select_related = ("guest", "by")
    search_fields = ("merged_name", "guest__search_key")
    search_help_text = "Search by either guest."
    ordering = ("-id",)
    fields = (
        "guest",
        "merged_name",
        "merged_key",
        (moment("at"), "by"),
        "reason",
        (moment("undone_at"), "undone_by"),
    )


@admin.display(description="Paid for the stay")
def paid(stay: Reservation) -> str:
    """Show what was paid for the stay, and what the deposit paid of it."""
    try:
        standing = account(stay)
    except Refused as refusal:
        return str(refusal)
    return amount(standing.paid + standing.applied)


@admin.display(description="Due")
def due(stay: Reservation) -> str:
    """Show what is to be paid for the stay, the deposit that is held aside."""
    try:
        return amount(account(stay).due)
    except Refused as refusal:
        return str(refusal)


ACCOUNT: Any = (paid, due)  # the stubs have only names where Django takes functions too


def while_(*statuses: str) -> Callable[[Reservation], bool]:
    """Return whether a stay has one of the statuses, as a condition of a button."""
    return lambda stay: stay.status in statuses


PENDING, CONFIRMED, CHECKED_IN, CHECKED_OUT, CANCELLED, NO_SHOW = ReservationStatus
# What whoever acts on a stay must have seen as it is.
STAY = ("check_in_date", "check_out_date", "room")


@admin.register(Reservation)
class ReservationAdmin(ActingAdmin):
    """Reservations. Only what guests wish, and how many they are, is typed in: the rest has rules.

    Status, room, dates and money follow from what happens at the desk: from the buttons, whose
    services refuse what the rules forbid. Nobody types them in or deletes a reservation.
    """

    can_delete = False
    change_form_template = "desk/stay.html"
    adding = Action(
        "book",
        "Book",
        services.book,
        "{} is booked.",
        "add_reservation",
        forms.BookForm,
        warns=lambda stay: guests.warnings(stay.guest),
    )
    row_actions = (
        Action(
            "confirm",
            "Confirm",
            services.confirm,
            "{} is confirmed.",
            "check_in_reservation",
            offered=while_(PENDING),
            rests_on=STAY,
        ),
        Action(
            "check-in",
            "Check in",
            services.check_in,
            "{} is in house.",
            "check_in_reservation",
            forms.CheckInForm,
            while_(CONFIRMED),
            rests_on=STAY,
        ),
        Action(
            "check-out",
            "Check out",
            services.check_out,
            "{} is checked out.",
            "check_out_reservation",
            forms.CheckOutForm,
            while_(CHECKED_IN),
            help="Who leaves early pays for the nights slept. The deposit pays what is due; the"
            " rest of it is refunded.",
            rests_on=STAY,
        ),
        Action(
            "pay",
            "Take payment",
            payments.services.take_payment,
            "{} is recorded.",
            "payments.add_payment",
            payments.forms.PaymentForm,
            help="A deposit stays the guest's money: it is held apart from payments for the stay.",
        ),
        Action(
            "adjust",
            "Adjust",
            partial(payments.services.take_payment, kind="adjustment"),
            "{} is recorded.",
            "payments.refund_payment",
            payments.forms.AdjustmentForm,
            help="Above zero the guest owes less; below zero it is a refund of what was paid.",
        ),
        Action(
            "charge",
            "Charge",
            payments.charges.charge,
            "{} is recorded.",
            "payments.add_charge",
            payments.forms.ChargeForm,
            help="For the minibar, laundry, a late check-out, a fee.",
        ),
        Action(
            "apply-deposit",
            "Apply deposit",
            payments.services.apply_deposit,
            "The deposit of {} is applied.",
            "payments.settle_payment",
            payments.forms.AmountForm,
            lambda stay: stay.deposit_held > 0 and stay.status not in ENDED,
            help="The deposit pays what is due for the stay.",
        ),
        Action(
            "unapply-deposit",
            "Un-apply deposit",
            payments.services.unapply_deposit,
            "The deposit of {} is held again.",
            "payments.settle_payment",
            payments.forms.ForfeitForm,
            lambda stay: applied(stay) > 0,
            help="What was applied is the guest's money again, and as much is due.",
        ),
        Action(
            "return-deposit",
            "Give deposit back",
            payments.services.return_deposit,
            "{} is recorded.",
            "payments.settle_payment",
            payments.forms.GiveBackForm,
            lambda stay: stay.deposit_held > 0,
        ),
        Action(
            "forfeit-deposit",
            "Keep deposit",
            payments.services.forfeit_deposit,
            "The deposit of {} is kept.",
            "payments.forfeit_payment",
            payments.forms.ForfeitForm,
            lambda stay: stay.deposit_held > 0,
            help="For damage, or guests who did not come: it pays the fee that is due first.",
        ),
        Action(
            "price",
            "Change price",
            services.reprice,
            "The price of {} is changed.",
            "reprice_reservation",
            forms.PriceForm,
            while_(*LIVE),
        ),
        Action(
            "dates",
            "Change dates",
            services.change_dates,
            "The dates of {} are changed.",
            "move_reservation",
            forms.DatesForm,
            while_(*LIVE),
            help="The price follows from the new nights; the discount shrinks with them.",
        ),
        Action(
            "move",
            "Change room",
            services.move,
            "The room of {} is changed.",
            "move_reservation",
            forms.MoveForm,
            while_(*LIVE),
        ),
        Action(
            "plan-move",
            "Plan a change of room",
            services.move,
            "The change of room of {} is planned.",
            "move_reservation",
            forms.PlanMoveForm,
            while_(*LIVE),
            help="The stay is split: from this night on it has the other room. The price stays.",
        ),
        Action(
            "undo-move",
            "Undo the change of room",
            services.undo_move,
            "{} is where it was.",
            "move_reservation",
            offered=while_(*LIVE),
            help="The last change of room of today, or the last that was planned today.",
        ),
        Action(
            "swap",
            "Swap rooms",
            lambda stay, by, other: services.swap(stay, other, by)[0],
            "The rooms are swapped.",
            "move_reservation",
            forms.SwapForm,
            lambda stay: stay.status in LIVE and stay.room_id is not None,
            rests_on=STAY,
        ),
        Action(
            "cancel",
            "Cancel",
            services.cancel,
            "{} is cancelled.",
            "cancel_reservation",
            forms.CancelForm,
            while_(PENDING, CONFIRMED),
            help="A deposit stays held until it is given back or kept.",
            rests_on=STAY,
        ),
        Action(
            "cancel-in-house",
            "Cancel in house",
            partial(services.cancel, in_house=True),
            "{} is cancelled.",
            "reinstate_reservation",
            forms.CancelForm,
            while_(CHECKED_IN),
            help="The guests leave at once, and are charged for the nights slept. A deposit stays"
            " held until it is given back or kept.",
            rests_on=STAY,
        ),
        Action(
            "no-show",
            "Mark no-show",
            services.mark_no_show,
            "{} is a no-show.",
            "mark_no_show_reservation",
            forms.FeeForm,
            while_(CONFIRMED),
            rests_on=STAY,
        ),
        Action(
            "undo-check-in",
            "Undo check-in",
            services.undo_check_in,
            "{} is confirmed again.",
            "reinstate_reservation",
            offered=while_(CHECKED_IN),
            rests_on=STAY,
        ),
        Action(
            "undo-check-out",
            "Undo check-out",
            services.undo_check_out,
            "{} is in house again.",
            "reinstate_reservation",
            offered=while_(CHECKED_OUT),
            rests_on=STAY,
        ),
        Action(
            "reinstate",
            "Reinstate",
            services.reinstate,
            "{} is confirmed again.",
            "reinstate_reservation",
            offered=while_(CANCELLED, NO_SHOW),
            rests_on=STAY,
        ),
    )
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
    sortable_by = ("confirmation_number", "check_in_date")  # which an index has in order
    search_fields = ("confirmation_number", "guest__search_key", "room__room_number")
    search_help_text = "Search by confirmation number, guest, phone or room."
    ordering = ("-id",)  # newest first: the furthest arrival is what nobody looks for

    def beside(self, request: HttpRequest, row: Reservation) -> dict[str, Any]:
        """Return a stay's folio, its nights and its log, as far as the user may see them."""
        return shown(row, cast("User", request.user))

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
                    rows_of("reservations.StayPart", "reservation"),
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
                    (money("total_amount"), "currency"),
                    ACCOUNT,
                    (money("deposit_held"), money("deposit_amount"), moment("deposit_returned_at")),
                    rows_of("payments.Charge", "reservation"),
                    rows_of("payments.Payment", "reservation"),
                    rows_of("payments.DepositMovement", "reservation"),
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
                    (moment("cancelled_at"), "cancel_reason"),
                    "is_complimentary",
                    "is_archived",
                    rows_of("reservations.Event", "reservation"),
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
        "discount",
        "booking_source",
        "booking_channel",
        "created_by",
        "checked_in_by",
        "receptionist_name",
        "is_archived",
        "currency",
        "cancel_reason",
        "is_complimentary",
    )


@admin.register(StayPart)
class StayPartAdmin(ReadOnlyAdmin):
    """The nights that stays have in each of their rooms."""

    list_display = ("reservation", "room", "room_type", "start_date", "end_date", "status")
    list_filter = ("status", "start_date")
    list_select_related = ("reservation", "room", "room_type")
    search_fields = ("reservation__confirmation_number", "room__room_number")
    search_help_text = "Search by confirmation number or room."
    ordering = ("-id",)


@admin.register(GuestImage)
class GuestImageAdmin(ReadOnlyAdmin):
    """Pictures of guests' documents, as the legacy system kept them."""

    list_display = ("file_name", "guest", "image_type", moment("created_at"))
    list_select_related = ("guest",)
    search_fields = ("file_name", "guest__search_key")
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


@admin.register(Event)
class StayEventAdmin(ReadOnlyAdmin):
    """What happened to stays, by whom, and what it changed."""

    list_display = ("business_date", "reservation", "what", "by", "reason", badge("evidence"))
    list_filter = ("evidence", "business_date")
    list_select_related = ("reservation", "by")
    search_fields = ("reservation__confirmation_number",)
    search_help_text = "Search by confirmation number."
    ordering = ("-id",)
