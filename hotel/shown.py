"""What a form showed when it was opened, so that what it sends can be told from what it only shows.

A form carries the values of its fields, signed. Values are compared as texts (``text_of``) that say
what is meant, however it is written: 100 is 100.00, and a line ends in one way. A long one is
carried as a fingerprint, so that a form never grows with what it shows.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.utils import formats, timezone

LONGEST = 200  # characters of a value that is carried as it is
# A value as a text: None for nothing.
Text = str | None


@dataclass(frozen=True)
class Shown:
    """What a form showed.

    key: of the form, made when it was opened; it is the same as often as the form is sent. values:
    ``short(text_of(…))`` by field. figures: the same, of what it said besides. asked: the fields
    about which the person has been asked whose value is to be kept.
    """

    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    values: dict[str, Text] = field(default_factory=dict)
    figures: dict[str, Text] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    def signed(self, about: str) -> str:
        """Return the text that a form about this row carries."""
        told = [self.key, self.values, self.figures, self.asked]
        return signing.dumps(told, salt=_salt(about), compress=True)

    @classmethod
    def read(cls, text: str | None, about: str) -> Self | None:
        """Return what a form about this row carried, or None for what no such form did."""
        if not text:
            return None
        try:
            key, values, figures, asked = signing.loads(text, salt=_salt(about))
        except (signing.BadSignature, ValueError):
            return None
        return cls(key, values, figures, tuple(asked))

    def asking(self, standing: dict[str, Text]) -> "Shown":
        """Return this, with the values that stand of fields about which the person is asked."""
        return replace(self, values={**self.values, **standing}, asked=tuple(standing))


def _salt(about: str) -> str:
    return f"hotel.shown:{about}"


class ShownField(forms.CharField):
    """The hidden field that carries it."""

    widget = forms.HiddenInput

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ARG002 - as Django calls it
        """Return False: nobody types into it."""
        return False

    def to_python(self, value: Any) -> str:
        """Return the text as it came; whether it makes sense, the signature says."""
        return value or ""

    def run_validators(self, value: Any) -> None:
        """Let any text pass."""


def text_of(form_field: forms.Field, value: Any) -> Text:
    """Return a value of a form's field as a text: the same for the same value; None for nothing."""
    if callable(value):
        value = value()
    if isinstance(form_field, forms.BooleanField) and not isinstance(
        form_field, forms.NullBooleanField
    ):
        return "true" if form_field.to_python(value) else "false"
    if isinstance(form_field, forms.FileField):
        if isinstance(value, UploadedFile):
            return f"{value.name}, {value.size} bytes, just chosen"
        return str(value) if value else None
    if isinstance(form_field, forms.ModelChoiceField):
        value = form_field.prepare_value(value)
    if value is None or value == "":
        return None
    if isinstance(value, Iterable) and not isinstance(value, str | dict):
        several = sorted(str(_plain(form_field, one)) for one in value)
        return json.dumps(several) if several else None
    return _plain(form_field, value)


def _plain(form_field: forms.Field, value: Any) -> Text:
    """Return one value as a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return _instant(value) if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, Decimal | float):
        amount = Decimal(str(value))
        return f"{amount.normalize():f}" if amount.is_finite() else str(amount)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    text = str(value.pk if isinstance(value, Model) else value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return (text.strip() if getattr(form_field, "strip", False) else text) or None


def _instant(value: datetime) -> str:
    """Return an instant to the second, which is as much as forms show."""
    value = value.replace(microsecond=0)
    try:
        return value.astimezone(UTC).isoformat()
    except OverflowError:  # the last hours of the calendar
        return value.isoformat()


def short(text: Text) -> Text:
    """Return a text as it is carried."""
    if text is None:
        return None
    if len(text) <= LONGEST:
        return f"={text}"
    return "#" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def words(form_field: forms.Field | None, text: Text) -> str:
    """Return a value as staff read it: a date as Fri 4 Dec 2026, a choice by its name."""
    if text is None:
        return "nothing"
    if isinstance(form_field, forms.ModelChoiceField | forms.ChoiceField | forms.BooleanField):
        return _choice(form_field, text)
    return _amount(text) if isinstance(form_field, forms.DecimalField) else _day_or_moment(text)


def _choice(form_field: Any, text: str) -> str:
    """Return what was chosen, in words."""
    if isinstance(form_field, forms.ModelMultipleChoiceField):
        return ", ".join(sorted(words_of_key(form_field, key) for key in json.loads(text)))
    if isinstance(form_field, forms.ModelChoiceField):
        return words_of_key(form_field, text)
    named: dict[str, Any] = {"true": "yes", "false": "no"}
    if isinstance(form_field, forms.ChoiceField):
        choices: Any = form_field.choices
        named = {str(key): label for key, label in choices}
    return str(named.get(text, text))


def words_of_key(form_field: Any, key: str) -> str:
    """Return the row that a choice of rows names by this key, in words."""
    name = form_field.to_field_name or "pk"
    try:
        row = form_field.queryset.model._base_manager.filter(**{name: key}).first()
    except (ValueError, OverflowError):
        row = None
    return str(row) if row else key


def words_of_short(form_field: forms.Field | None, carried: Text) -> str:
    """Return a value that was carried as staff read it."""
    if carried is None or carried[0] == "=":
        return words(form_field, carried and carried[1:])
    return "a longer text"


def _amount(text: str) -> str:
    value = Decimal(text)
    if not value.is_finite():
        return text
    decimals = 0 if value == value.to_integral_value() else None
    return formats.number_format(value, decimals, force_grouping=True)


def _day_or_moment(text: str) -> str:
    """Return a date or an instant in words; any other text as it is."""
    try:
        if len(text) == len("2026-11-29"):
            return formats.date_format(date.fromisoformat(text), "D j M Y")
        if len(text) == len("2026-11-29T10:42:00+00:00"):
            moment = timezone.localtime(datetime.fromisoformat(text))
            return formats.date_format(moment, "D j M Y H:i")
    except (ValueError, OverflowError):
        pass
    return text
