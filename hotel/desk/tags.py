"""What the templates of the desk can say beyond Django's own; they need not load it.

Every command that checks the settings of templates imports this, also where no model can be: models
are imported when they are asked for.
"""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from django import template
from django.templatetags.static import static
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hotel import columns
from hotel.business_day import business_date

if TYPE_CHECKING:
    from reservations.models import Reservation
    from rooms.models import Room

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a picture of hotel/icons.svg, which a word beside it must say too."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("hotel/icons.svg"),
        name,
    )


@register.filter
def day(value: date | None) -> str:
    """Return a date as it is said: Sun 29 Nov, with the year where it is another."""
    if value is None:
        return ""
    this_year = value.year == business_date().year
    return formats.date_format(value, "D j M" if this_year else "D j M Y")


@register.filter
def amount(value: Decimal | None) -> str:
    """Return an amount in the hotel's currency: 1,500,000 or 0.50."""
    return "" if value is None else columns.amount(value)


@register.filter
def words(name: str) -> str:
    """Return what an event is called, in words: Checked in."""
    return name.replace("_", " ").capitalize()


@register.filter
def percent(value: Fraction | None) -> str:
    """Return a share as it is shown: 33.3%."""
    return columns.percent(value)


@register.filter
def act_label(name: str) -> str:
    """Return what the button of an act of one press says."""
    from hotel.desk.acts import ACTS

    return str(ACTS[name].label)


@register.filter
def room_state(state: str) -> SafeString:
    """Return as a badge how clean a room is, or why it is not sold."""
    from rooms.models import BlockKind, HousekeepingStatus

    words = {**dict(HousekeepingStatus.choices), **dict(BlockKind.choices)}
    return format_html('<span class="badge badge-{}">{}</span>', state, words.get(state, state))


@register.filter
def marked(value: str | None, words: str) -> SafeString:
    """Return a text in which the words that were searched for are marked."""
    text = value or ""
    parts = [re.escape(word) for word in words.split()]
    if not parts:
        return format_html("{}", text)
    # Every second part is one that matches.
    pieces = re.split(f"({'|'.join(parts)})", text, flags=re.IGNORECASE)
    return format_html_join(
        "",
        "{}",
        [
            (format_html("<mark>{}</mark>", one) if place % 2 else one,)
            for place, one in enumerate(pieces)
        ],
    )


@register.filter
def state(stay: "Reservation") -> SafeString:
    """Return the state of a stay as a badge."""
    return cast("SafeString", columns.badge("status")(stay))


@register.filter
def cleanness(room: "Room") -> SafeString:
    """Return how clean a room is as a badge."""
    return cast("SafeString", columns.badge("housekeeping_status")(room))
