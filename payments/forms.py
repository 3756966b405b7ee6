"""What the buttons about money ask for."""

from decimal import Decimal
from typing import Any

from django import forms

from hotel.actions import ActionForm
from hotel.meanwhile import Change
from hotel.shown import Text
from payments.charges import EXTRAS
from payments.figures import balance, last_balanced
from payments.models import (
    Charge,
    ChargeKind,
    DepositMovement,
    Payment,
    PaymentMethod,
    PaymentType,
)

LONGEST_KEY = 64  # characters


class AmountForm(ActionForm):
    """How much, in the hotel's currency.

    The form has a key, made when it was opened. However often it is sent, it is recorded once.
    """

    carrier = "key"

    amount = forms.DecimalField(max_digits=12, decimal_places=2)

    def figures(self) -> dict[str, Text]:
        """Return the balance of the stay; of a payment, what was refunded of it."""
        if isinstance(self.row, Payment):
            back = [row.amount for row in self.row.refunds.exclude(is_voided=True)]
            return {"what is refunded": f"{sum(back, Decimal(0)):,f}"}
        return balance(self.row)

    def figures_changed(self) -> Change | None:
        """Return who has changed the balance last."""
        return last_balanced(getattr(self.row, "reservation", self.row))

    def clean(self) -> dict[str, Any]:
        """Take the key from what the form carries."""
        key = self.shown.key if self.shown else self.cleaned_data.get(self.carrier)
        if not key or len(key) > LONGEST_KEY:
            self.add_error(self.carrier, "Open the form again: it has no key.")
        self.cleaned_data[self.carrier] = key
        return self.cleaned_data

    def _sent_before(self) -> bool:
        """Return whether this form was recorded: then it says so again, whatever has changed."""
        key = self.shown.key if self.shown else None
        rows = (Payment.objects, DepositMovement.objects, Charge.objects)
        return bool(key) and any(row.filter(idempotency_key=key).exists() for row in rows)


class ChargeForm(AmountForm):
    """What a guest is to pay besides the nights."""

    kind = forms.ChoiceField(
        choices=[choice for choice in ChargeKind.choices if choice[0] in EXTRAS]
    )
    notes = forms.CharField(widget=forms.Textarea, max_length=500, required=False)

    field_order = ("kind", "amount", "notes")


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
    """What becomes of a deposit, and why."""

    reason = forms.CharField(widget=forms.Textarea, max_length=500)
