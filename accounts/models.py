"""Staff: who may log in. The table is the legacy system's ``users``."""

import re
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db import models
from django.db.models.functions import Substr

from hotel.migrator.constraints import Exclusion
from hotel.migrator.expressions import AsciiLower
from hotel.migrator.fields import ExemptionsField


class UserManager(BaseUserManager["User"]):
    """Makes users; names are taken as they are typed, capitals, accents and spaces included."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new member of staff, who may log in to admin but do nothing there yet."""
        fields.setdefault("is_staff", True)
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def costs(self) -> list[int]:
        """Return the costs of the hashes of bcrypt that are stored: ``12`` of ``bcrypt$$2b$12$…``.

        What is no hash may look like one of any cost.
        """
        hashes = self.filter(password__startswith="bcrypt$$2")  # noqa: S106 - a lookup
        digits = hashes.values_list(Substr("password", 12, 2), flat=True).distinct()
        return [int(text) for text in digits if re.fullmatch("[0-9]{2}", text)]

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new owner, who may do everything."""
        return self.create_user(username, password, **{**fields, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff. Rights come from groups; an owner (``is_superuser``) has them all."""

    username = models.CharField(max_length=50, unique=True)
    password = models.CharField(max_length=255, db_column="password_hash")
    email = models.CharField(max_length=100, null=True, blank=True)
    full_name = models.CharField(max_length=100, null=True, blank=True)
    phone = models.CharField(max_length=20, null=True, blank=True)
    is_active = models.BooleanField("may log in", default=True, db_default=True)
    is_staff = models.BooleanField("works here", default=False, db_default=False)
    is_superuser = models.BooleanField("owner", default=False, db_default=False)
    last_login = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)
    exemptions = ExemptionsField()

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "users"
        indexes = [models.Index(fields=["email"], name="users_email_idx")]
        constraints = [
            Exclusion(
                name="users_username_unique",
                same=[AsciiLower("username")],
                violation_error_message="Somebody has this user name already.",
                mend="Give one of the two another user name.",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def clean(self) -> None:
        """Check nothing: Django would change the name to its Unicode normal form here."""

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the name as it was typed; a log-in matches it letter for letter."""
        return username


class PermissionGrant(models.Model):
    """A permission that ``migrate`` gave to a group once, and will not give again.

    So a permission that a manager takes away from a group stays away.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "permission_grants"
        constraints = [
            models.UniqueConstraint(fields=["group", "permission"], name="permission_granted_once")
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.permission}"
