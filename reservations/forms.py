"""What the buttons of a reservation ask for."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import QuerySet

from hotel.actions import ActionForm, DayInput, ReasonForm
from hotel.admin import KeyAutocomplete
from hotel.business_day import business_date
from hotel.meanwhile import Change
from hotel.shown import Shown, Text
from payments.figures import balance, last_balanced
from payments.models import PaymentMethod
from reservations import services
from reservations.models import Guest, Reservation
from rooms.models import Room, RoomType


class ChosenField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not at run time
    """A field that chooses the other end of a foreign key of a reservation by typing."""

    def __init__(self, name: str, queryset: QuerySet[Any], **options: Any) -> None:
        super().__init__(queryset, **options)
        self.foreign_key = Reservation._meta.get_field(name)


def choose_by_typing(form: ActionForm) -> None:
    """Let the foreign keys that a form asks for be chosen by typing."""
    for field in form.fields.values():
        if isinstance(field, ChosenField):
            field.widget = KeyAutocomplete(field.foreign_key, form.admin_site)
            field.widget.choices = field.choices


class MergeForm(ReasonForm):
    """The guest who is the same person, and how that is known."""

    other = ChosenField(
        "guest",
        Guest.objects.all(),
        help_text="All of this guest's stays move here. It can be undone.",
    )

    field_order = ("other", "reason")

    def prepare(self) -> None:
        """Let the guest be chosen by typing."""
        choose_by_typing(self)


class GuestForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """A guest as it is typed in."""

    email = forms.EmailField(max_length=100, required=False)

    def clean_email(self) -> str | None:
        """Return None for no address, as the column has it."""
        return self.cleaned_data["email"] or None


class DatesForm(ActionForm):
    """Arrival and departure, on the hotel's calendar."""

    shows: ClassVar = {"arrival": "check_in_date", "departure": "check_out_date"}

    arrival = forms.DateField(widget=DayInput)
    departure = forms.DateField(widget=DayInput, help_text="The day on which the guests leave.")

    def prepare(self) -> None:
        """Let foreign keys be chosen by typing."""
        choose_by_typing(self)


class BookForm(DatesForm):
    """Everything about a new reservation."""

    guest = ChosenField("guest", Guest.objects.all())
    room_type = ChosenField("room_type", RoomType.objects.exclude(is_active=False))
    room = ChosenField(
        "room",
        Room.objects.exclude(is_active=False),
        required=False,
        help_text="Can be chosen later.",
    )
    adults = forms.IntegerField(min_value=1, max_value=99, initial=1)
    children = forms.IntegerField(min_value=0, max_value=99, initial=0)
    special_requests = forms.CharField(widget=forms.Textarea, required=False)
    anyway = forms.BooleanField(
        required=False,
        label="Book it anyway",
        help_text="Even if the arrival is past, the stay is long or free of charge, or the guests"
        " must change rooms.",
    )
    overbook = forms.BooleanField(required=False, label="Sell more rooms than there are")
    crowd = forms.BooleanField(required=False, label="Let more guests in than there are beds for")
    reason = forms.CharField(required=False, help_text="Why, if there are too few rooms or beds.")

    carrier = "confirmation_number"  # which makes a form that is sent twice book once

    field_order = ("guest", "arrival", "departure", "room_type", "room")

    def prepare(self) -> None:
        """Ask for more than there is only who may sell it."""
        super().prepare()
        if not (self.changing and self.changing.has_perm("reservations.overbook_reservation")):
            for name in ("overbook", "crowd", "reason"):
                del self.fields[name]

    def fresh(self) -> Shown:
        """Return what the form carries: the number of the reservation, signed."""
        return Shown(key=services.new_confirmation_number())

    def clean(self) -> dict[str, Any]:
        """Take the number from what the form carries; one that somebody typed is none."""
        self.cleaned_data[self.carrier] = self.shown.key if self.shown else None
        more = self.cleaned_data.get("overbook") or self.cleaned_data.get("crowd")
        if more and not self.cleaned_data.get("reason"):
            self.add_error("reason", "Say why more is sold than there is.")
        return self.cleaned_data


class MoveForm(ActionForm):
    """Another room: one of those that are free for these nights."""

    shows: ClassVar = {"room": "room"}

    room = forms.ModelChoiceField(Room.objects.none())

    def prepare(self) -> None:
        """Offer the rooms that are free."""
        self.offer(self._free_rooms())

    def offer(self, rooms: QuerySet[Room]) -> None:
        """Let one of these rooms be chosen."""
        field = cast("forms.ModelChoiceField[Room]", self.fields["room"])
        field.queryset = rooms.select_related("room_type").order_by("room_number")
        field.label_from_instance = lambda obj: f"{obj}: {obj.room_type}"  # type: ignore[method-assign]  # as Django's docs do

    def _free_rooms(self) -> QuerySet[Room]:
        first = max(self.row.check_in_date, business_date())
        return services.free_rooms(first, self.row.check_out_date)


class PlanMoveForm(MoveForm):
    """Another room from a night on: one of those that are free for the last night."""

    shows: ClassVar = {}  # nothing that stands is changed but by what the service refuses

    from_night = forms.DateField(widget=DayInput, help_text="The first night in the other room.")

    field_order = ("from_night", "room")

    def prepare(self) -> None:
        """Offer the rooms that are free at the end of the stay."""
        last = self.row.check_out_date - timedelta(days=1)
        self.offer(services.free_rooms(max(last, business_date()), self.row.check_out_date))


class CheckInForm(MoveForm):
    """The room, if it is not the one that was assigned before."""

    accept_dirty = forms.BooleanField(required=False, label="Accept a dirty room")

    def prepare(self) -> None:
        """Offer the rooms that are free, and the one of the stay."""
        free = self._free_rooms().values("pk")
        self.offer(Room.objects.filter(pk__in=free) | Room.objects.filter(pk=self.row.room_id))


class SwapForm(ActionForm):
    """The stay to change rooms with."""

    confirmation_number = forms.CharField(max_length=20)

    def clean(self) -> dict[str, Any]:
        """Find the other stay."""
        number = self.cleaned_data.pop("confirmation_number", None)
        if number:
            other = Reservation.objects.numbered(number)
            if other is None:
                self.add_error("confirmation_number", f"There is no reservation {number}.")
            self.cleaned_data["other"] = other
        return self.cleaned_data


class PriceForm(ActionForm):
    """Another rate or discount."""

    shows: ClassVar = {"rate": "rate_per_night", "discount": "discount_amount"}

    rate = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, label="Rate per night")
    discount = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, help_text="For the whole stay."
    )

    def prepare(self) -> None:
        """Let a discount that nobody has given be 0."""
        self.initial["discount"] = self.initial["discount"] or 0


class CheckOutForm(ActionForm):
    """How money is refunded, and whether guests who owe something may leave."""

    method = forms.ChoiceField(choices=PaymentMethod, label="Refund by")
    allow_debt = forms.BooleanField(required=False, label="Allow a balance due")
    bill_late = forms.BooleanField(
        required=False,
        initial=True,
        label="Bill nights past the departure",
        help_text="For guests who stayed longer than was booked.",
    )

    def figures(self) -> dict[str, Text]:
        """Return what is due and what is held, which the check-out settles."""
        return {**super().figures(), **balance(self.row)}

    def figures_changed(self) -> Change | None:
        """Return who has changed the balance, or the stay, last."""
        return last_balanced(self.row)


class FeeForm(ActionForm):
    """What guests who will not come are charged."""

    fee = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, required=False, label="Fee, as an amount"
    )
    fee_nights = forms.IntegerField(
        min_value=0, required=False, label="or as nights", help_text="At the price of the stay."
    )


class CancelForm(ReasonForm, FeeForm):
    """Why, and what the guests are charged for it."""

    field_order = ("reason", "fee", "fee_nights")
