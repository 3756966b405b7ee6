"""What no person means to type, though Python takes it: refused in words."""

import re
from typing import Any

from django import forms

NUMBER = re.compile(r"[-+0-9.,eE\s]*", re.ASCII)
GARBLED = re.compile("[\ud800-\udfff\ufffd]")  # halves of characters, and what was made of them
NUMBERS = (forms.IntegerField, forms.DecimalField, forms.FloatField)
CALENDAR = (forms.DateField, forms.TimeField, forms.DateTimeField, forms.SplitDateTimeField)


def junk(form_field: forms.Field, sent: Any) -> str:
    """Return what is wrong with the text that was sent for a field, as a sentence; "" for nothing.

    Python reads ``1_000`` as 1000 and the Arabic digit three as 3: who types that may mean
    something else.
    """
    texts = [text for text in (sent if isinstance(sent, list) else [sent]) if isinstance(text, str)]
    for text in texts:
        if GARBLED.search(text):
            return "Some of these characters came in garbled: type them again."
        if isinstance(form_field, NUMBERS) and not NUMBER.fullmatch(text):
            return "Enter a number in the digits 0 to 9."
        if isinstance(form_field, CALENDAR) and not text.isascii():
            return "Enter dates and times in the digits 0 to 9."
    return ""
