"""What the buttons of a room ask for."""

from typing import ClassVar

from django import forms

from hotel.actions import ActionForm, DayInput
from hotel.business_day import business_date
from rooms.models import BlockKind, HousekeepingStatus


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
