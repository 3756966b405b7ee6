"""What new passwords are refused for."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.validators import MaximumBytesValidator

TOO_LONG = "This password is too long: only its first 72 bytes would count."


@pytest.mark.parametrize("password", ["", "x" * 72, "é" * 36, "旅" * 24])
def test_72_bytes_are_allowed(password):
    MaximumBytesValidator().validate(password)


@pytest.mark.parametrize("password", ["x" * 73, "é" * 37, "x" * 70 + "旅", "\ud800" * 25])
def test_more_bytes_are_refused(password):
    with pytest.raises(ValidationError) as refusal:
        MaximumBytesValidator().validate(password)
    assert refusal.value.messages == [TOO_LONG]
    assert refusal.value.code == "password_too_long"


def test_nul_is_refused():
    with pytest.raises(ValidationError) as refusal:
        MaximumBytesValidator().validate("long enough\0")
    assert refusal.value.messages == [
        "This password contains a NUL character, which no log-in page accepts."
    ]
    assert refusal.value.code == "password_contains_nul"


def test_the_limit_can_be_set():
    with pytest.raises(ValidationError, match="only its first 3 bytes would count"):
        MaximumBytesValidator(limit=3).validate("four")


def test_the_help_text_names_the_limit():
    assert MaximumBytesValidator().get_help_text() == (
        "Your password must not be longer than 72 bytes;"
        " a letter outside the English alphabet counts as two to four."
    )


def test_the_hotel_asks_it_for_every_new_password():
    with pytest.raises(ValidationError) as refusal:
        validate_password("not a common one, but " * 4)
    assert refusal.value.messages == [TOO_LONG]
