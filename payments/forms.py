"""What the buttons about money ask for."""

import secrets

from django import forms

from hotel.actions import ActionForm
from payments.models import PaymentMethod, PaymentType


class AmountForm(ActionForm):
    """How much, in the hotel's currency. A form that is sent twice is recorded once."""

    amount = forms.DecimalField(max_digits=12, decimal_places=2)
    key = forms.CharField(
        widget=forms.HiddenInput, max_length=64, initial=lambda: secrets.token_urlsafe(24)
    )


class CashForm(AmountForm):
    """How much, and how."""

    method = forms.ChoiceField(choices=PaymentMethod)


class AdjustmentForm(CashForm):
    """What is added to the account of a stay, or taken off, and why."""

    notes = forms.CharField(widget=forms.Textarea, max_length=500)


class PaymentForm(CashForm):
    """Money that a guest gives."""

    kind = forms.ChoiceField(
        choices=[choice for choice in PaymentType.choices if choice[0] != PaymentType.ADJUSTMENT],
        help_text="A deposit is held until it is applied or refunded.",
    )
    reference = forms.CharField(max_length=100, required=False)
    notes = forms.CharField(widget=forms.Textarea, max_length=500, required=False)

    field_order = ("kind", "amount", "method")


class GiveBackForm(CashForm):
    """Money that a guest gets back, and why."""

    reason = forms.CharField(widget=forms.Textarea, max_length=500)


class ForfeitForm(AmountForm):
    """What the hotel keeps of a deposit, and why."""

    reason = forms.CharField(widget=forms.Textarea, max_length=500)
