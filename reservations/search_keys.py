"""What a guest is found by: name, phone, e-mail and document, as one text.

Each part is folded (``hotel.migrator.folding``): capitals, accents, composition and punctuation do
not count. A phone is its digits; beside them it stands with the code of its country.
"""

from typing import Any

from django.db.models import F, Model, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Replace

from hotel.migrator.folding import Folded, Joined, StripZeros

FOLLOWS = ("full_name", "phone", "phone_country_code", "email", "id_number")
TEXT: Any = TextField()


def guest_key(value: Any = F) -> Combinable:
    """Return the expression for the key of a guest; ``value(column)`` is an expression for it."""

    def part(column: str) -> Coalesce:
        return Coalesce(value(column), Value(""), output_field=TEXT)

    def close(column: str) -> Replace:
        return Replace(part(column), Value(" "), Value(""), output_field=TEXT)

    gap = Value(" ")
    national = StripZeros(close("phone"), output_field=TEXT)
    return Folded(
        Joined(
            *(part("full_name"), gap, close("phone"), gap),
            *(part("phone_country_code"), national, gap, close("email"), gap, close("id_number")),
        )
    )


class GuestKeyField(TextField):  # type: ignore[type-arg]  # not at run time
    """The key of a guest, which follows what the row holds whenever it is saved.

    follows: the columns that it is made of; who saves one of them saves it too.
    """

    follows = FOLLOWS

    def deconstruct(self) -> Any:
        """Return how to write this field into a migration file: to the database it is a text."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance: Model, add: bool) -> Any:  # noqa: ARG002 - as Django calls
        """Return the expression that makes the key."""
        return guest_key(lambda column: Value(getattr(model_instance, column), output_field=TEXT))
