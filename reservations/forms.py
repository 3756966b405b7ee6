"""What the buttons of a reservation ask for."""

from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.db.models import QuerySet

from hotel.actions import ActionForm
from hotel.admin import KeyAutocomplete
from hotel.business_day import business_date
from payments.models import PaymentMethod
from reservations import services
from reservations.models import Guest, Reservation
from rooms.models import Room, RoomType


class ChosenField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not at run time
    """A field that chooses the other end of a foreign key of a reservation by typing."""

    def __init__(self, name: str, queryset: QuerySet[Any], **options: Any) -> None:
        super().__init__(queryset, **options)
        self.foreign_key = Reservation._meta.get_field(name)


class DatesForm(ActionForm):
    """Arrival and departure, on the hotel's calendar."""

    arrival = forms.DateField(widget=AdminDateWidget)
    departure = forms.DateField(
        widget=AdminDateWidget, help_text="The day on which the guests leave."
    )

    def prepare(self) -> None:
        """Let foreign keys be chosen by typing, and dates begin with those that stand."""
        for field in self.fields.values():
            if isinstance(field, ChosenField):
                field.widget = KeyAutocomplete(field.foreign_key, self.admin_site)
                field.widget.choices = field.choices
        if self.row:
            self.initial.setdefault("arrival", self.row.check_in_date)
            self.initial.setdefault("departure", self.row.check_out_date)


class BookForm(DatesForm):
    """Everything about a new reservation."""

    guest = ChosenField("guest", Guest.objects.all())
    room_type = ChosenField("room_type", RoomType.objects.all())
    room = ChosenField("room", Room.objects.all(), required=False, help_text="Can be chosen later.")
    adults = forms.IntegerField(min_value=1, max_value=99, initial=1)
    children = forms.IntegerField(min_value=0, max_value=99, initial=0)
    special_requests = forms.CharField(widget=forms.Textarea, required=False)
    confirmation_number = forms.CharField(  # which makes a form that is sent twice book once
        widget=forms.HiddenInput,
        max_length=20,
        required=False,
        initial=services.new_confirmation_number,
    )

    field_order = ("guest", "arrival", "departure", "room_type", "room")


class MoveForm(ActionForm):
    """Another room: one of those that are free for these nights."""

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


class CheckInForm(MoveForm):
    """The room, if it is not the one that was assigned before."""

    accept_dirty = forms.BooleanField(required=False, label="Accept a dirty room")

    def prepare(self) -> None:
        """Offer the rooms that are free, and the one of the stay."""
        free = self._free_rooms().values("pk")
        self.offer(Room.objects.filter(pk__in=free) | Room.objects.filter(pk=self.row.room_id))
        self.initial.setdefault("room", self.row.room_id)


class SwapForm(ActionForm):
    """The stay to change rooms with."""

    confirmation_number = forms.CharField(max_length=20)

    def clean(self) -> dict[str, Any]:
        """Find the other stay."""
        number = self.cleaned_data.pop("confirmation_number", None)
        if number:
            other = Reservation.objects.filter(confirmation_number=number).first()
            if other is None:
                self.add_error("confirmation_number", f"There is no reservation {number}.")
            self.cleaned_data["other"] = other
        return self.cleaned_data


class PriceForm(ActionForm):
    """Another rate or discount."""

    rate = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, label="Rate per night")
    discount = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, help_text="For the whole stay."
    )

    def prepare(self) -> None:
        """Begin with the price that stands."""
        self.initial.setdefault("rate", self.row.rate_per_night)
        self.initial.setdefault("discount", self.row.discount_amount or 0)


class CheckOutForm(ActionForm):
    """How money is refunded, and whether guests who owe something may leave."""

    method = forms.ChoiceField(choices=PaymentMethod, label="Refund by")
    allow_debt = forms.BooleanField(required=False, label="Allow a balance due")
