"""Forms that take a user name as it was typed: spaces, accents and capitals are part of it."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm, UsernameField

from accounts.models import User


class UsernameAsTypedField(UsernameField):
    """A user name without Django's stripping and Unicode normal form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "strip": False})

    def to_python(self, value: Any) -> Any:
        """Return the text as it came."""
        return super(UsernameField, self).to_python(value)


class StaffLoginForm(AdminAuthenticationForm):
    """The log-in form of the back office."""

    username = UsernameAsTypedField(widget=forms.TextInput(attrs={"autofocus": True}))


class StaffCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # not at run time
    """Adds a member of staff.

    Django refuses a new name that differs from another in capitals alone; twins that came from the
    legacy system keep their names.
    """

    class Meta(AdminUserCreationForm.Meta):
        model = User
        field_classes = {"username": UsernameAsTypedField}


class StaffChangeForm(UserChangeForm):  # type: ignore[type-arg]  # not at run time
    """Changes a member of staff."""

    class Meta(UserChangeForm.Meta):
        model = User
        field_classes = {"username": UsernameAsTypedField}
