"""What the buttons of a room ask for."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from hotel.actions import ActionForm, DayInput
from hotel.business_day import business_date
from hotel.refusals import Refused
from rooms import services
from rooms.models import BlockKind, HousekeepingStatus, Room, RoomType


class BlockForm(ActionForm):
    """When a room is not sold, and why."""

    kind = forms.ChoiceField(choices=BlockKind)
    start = forms.DateField(widget=DayInput, initial=business_date, help_text="The first night.")
    end = forms.DateField(
        widget=DayInput,
        required=False,
        help_text="The first night on which it is sold again; empty means until further notice.",
    )
    reason = forms.CharField(widget=forms.Textarea, max_length=500)


class HousekeepingForm(ActionForm):
    """How clean a room is."""

    shows: ClassVar = {"status": "housekeeping_status"}

    status = forms.ChoiceField(choices=HousekeepingStatus)


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """A room as it is typed in; one that is sold is not taken from sale."""

    instance: Room

    def clean(self) -> dict[str, Any]:
        """Refuse to put a room out of use, or into another type, that is sold or needed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        room = self.instance
        if room.pk:
            try:
                if data.get("is_active") is False and room.is_active is not False:
                    services.refuse_to_retire(room)
                elif data.get("room_type", room.room_type) != room.room_type:
                    services.refuse_to_retype(room)
            except Refused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return data


class RoomTypeForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """A type of rooms as it is typed in; one that is sold stays in use."""

    instance: RoomType

    def clean(self) -> dict[str, Any]:
        """Refuse to put a type out of use that is sold."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = self.instance
        if kind.pk and data.get("is_active") is False and kind.is_active is not False:
            try:
                services.refuse_to_retire_type(kind)
            except Refused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return data
