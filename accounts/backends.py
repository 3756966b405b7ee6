"""Who is it? As Django's backend, but the answer takes the same time whoever is asked for."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.hashers import even_work
from accounts.models import User


class StaffBackend(ModelBackend):
    """Does as much work for a name that nobody has as for one with the costliest hash of all."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        """Return the user, or None."""
        with even_work(User.objects.costs()):
            return super().authenticate(request, username, password, **more)

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **more: Any,
    ) -> User | None:
        """Return the user, or None."""
        return await sync_to_async(self.authenticate)(request, username, password, **more)
