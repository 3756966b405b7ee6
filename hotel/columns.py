"""Columns of lists and read-only fields that show a value better than Django would."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.text import capfirst

from hotel.dashboard.figures import rounded

# A function of a row. Any, because the stubs have only names where Django takes functions too.
Column = Any

EMPTY = "-"  # what Django's own columns show for nothing


@cache
def money(name: str) -> Column:
    """Return a column for an amount: 1,500,000 or 0.50, in the hotel's currency."""
    return _column(name, lambda _, value: amount(value))


def amount(value: Decimal) -> str:
    """Return an amount as it is shown: 1,500,000 or 0.50."""
    if not value.is_finite():  # PostgreSQL can hold NaN
        return str(value)
    decimals = 0 if value == value.to_integral_value() else 2
    return format_html(
        '<span class="money">{}</span>', formats.number_format(value, decimals, force_grouping=True)
    )


def percent(share: Fraction | Decimal | None) -> str:
    """Return a share as it is shown: 33.3%, or a dash for None."""
    return EMPTY if share is None else f"{rounded(share, 3):.1%}"


@cache
def moment(name: str) -> Column:
    """Return a column for an instant, on the hotel's clock."""

    def show(_: Any, value: Any) -> str:
        try:
            return formats.localize(timezone.localtime(value))
        except OverflowError:  # the last hours of the calendar, which this clock cannot show
            return f"{value:%Y-%m-%d %H:%M} UTC"

    return _column(name, show)


@cache
def badge(name: str) -> Column:
    """Return a column for a choice; a word that is none is shown as it is."""

    def show(obj: Any, value: Any) -> str:
        choices = dict(obj._meta.get_field(name).flatchoices)
        kind = value if value in choices else "unknown"
        label = choices.get(value, value) or EMPTY
        return format_html('<span class="badge badge-{}">{}</span>', kind, label)

    return _column(name, show)


@cache
def rows_of(label: str, field: str) -> Column:
    """Return a read-only field that links to the list of rows which refer to the object.

    label: their model, as in ``"reservations.Reservation"``; field: their foreign key.
    """
    opts = apps.get_model(label)._meta

    @admin.display(description=capfirst(opts.verbose_name_plural))
    def column(obj: Any) -> str:
        if obj.pk is None:
            return EMPTY
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        return format_html('<a href="{}?{}__id__exact={}">Show</a>', address, field, obj.pk)

    column.__name__ = f"{opts.model_name}_rows"
    return column


def shown(field: "models.Field[Any, Any]") -> str | Column:
    """Return the field's name, or a column that shows it better than Django would."""
    if field.choices:
        return badge(field.name)
    if isinstance(field, models.DecimalField):
        return money(field.name)
    if isinstance(field, models.DateTimeField):
        return moment(field.name)
    return field.name


def _column(name: str, show: Callable[[Any, Any], str]) -> Column:
    """Return a column that is sorted by the field; ``show(obj, value)`` never gets NULL."""

    @admin.display(description=capfirst(name.replace("_", " ")), ordering=name)
    def column(obj: Any) -> str:
        value = getattr(obj, name)
        return EMPTY if value is None else show(obj, value)

    column.__name__ = name  # which Django makes the CSS class of
    return column
