"""What a new password must be; old ones are not asked."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.hashers import SIGNIFICANT_BYTES


class MaximumBytesValidator:
    """Refuses a password of which the hash would ignore a part, or that could never be typed.

    limit: bytes of UTF-8, so that "é" counts twice.
    """

    def __init__(self, limit: int = SIGNIFICANT_BYTES) -> None:
        self.limit = limit

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError ``password_too_long`` or ``password_contains_nul``."""
        if len(password.encode(errors="surrogatepass")) > self.limit:
            raise ValidationError(
                "This password is too long: only its first %(limit)d bytes would count.",
                code="password_too_long",
                params={"limit": self.limit},
            )
        if "\0" in password:
            raise ValidationError(
                "This password contains a NUL character, which no log-in page accepts.",
                code="password_contains_nul",
            )

    def get_help_text(self) -> str:
        """Return the rule as a sentence for the form."""
        return (
            f"Your password must not be longer than {self.limit} bytes;"
            " a letter outside the English alphabet counts as two to four."
        )
