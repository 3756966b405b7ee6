"""Amounts: what is typed in, and the tax in it."""

from decimal import Decimal

from django.conf import settings

from hotel.currency import decimals, rounded
from hotel.refusals import Refused

WORDS = {0: "no decimals", 2: "at most two decimals"}


def check_decimals(amount: Decimal, what: str = "amount") -> None:
    """Raise Refused for what is no number, or has more decimals than the hotel's currency."""
    if not amount.is_finite() or int(amount.normalize().as_tuple().exponent) < -decimals():
        raise Refused(f"The {what} must be a number with {WORDS[decimals()]}.")


def check_amount(amount: Decimal, negative: bool = False) -> None:
    """Raise Refused for what is no amount of money in the hotel's currency.

    negative: whether it can be below zero.
    """
    check_decimals(amount)
    if amount == 0 or (amount < 0 and not negative):
        raise Refused("The amount must be more than zero.")


def given_reason(reason: str) -> str:
    """Return a reason without the blanks around it. Raises Refused if there is none."""
    if not (reason or "").strip():
        raise Refused("Enter a reason.")
    return reason.strip()


def taxed(kind: str, amount: Decimal, is_included: bool = True) -> tuple[Decimal, Decimal, Decimal]:
    """Return what the guest pays, the rate of the tax in percent, and how much of it is tax.

    is_included: whether ``amount`` includes the tax. Half of the smallest unit rounds up.
    """
    rate = Decimal(settings.HOTEL_TAX_RATES.get(kind, 0))
    if is_included:
        return amount, rate, rounded(amount * rate / (100 + rate))
    tax = rounded(amount * rate / 100)
    return amount + tax, rate, tax
