"""Amounts of the hotel's currency: how many decimals they have, and how they are rounded.

Source: ISO 4217, list one. A currency that is not named here has two decimals.
"""

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

STORED = 2  # decimals of the columns
WHOLE = {  # without decimals
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}


def decimals() -> int:
    """Return how many decimals an amount can have in the hotel's currency."""
    return 0 if settings.HOTEL_CURRENCY in WHOLE else STORED


def rounded(amount: Decimal) -> Decimal:
    """Return an amount that the currency has: half of its smallest unit rounds up."""
    return amount.quantize(Decimal(1).scaleb(-decimals()), ROUND_HALF_UP)
