"""Password hashes that the legacy system and this one both understand."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.hashers import BCryptPasswordHasher

SIGNIFICANT_BYTES = 72  # bcrypt reads no further; passlib cut there, bcrypt 5 would raise
CHEAPEST, COSTLIEST = 4, 14  # costs; each is twice the work of the one before, 4 the least there is
STORED = re.compile(r"bcrypt\$\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}", re.ASCII)


# What was hashed in the block of even_work(), where there is one: the sum of 2 ** cost.
_work: ContextVar[list[int] | None] = ContextVar("_work", default=None)


@contextmanager
def even_work(costs: Iterable[int]) -> Iterator[None]:
    """Hash as much in this block as the costliest of ``costs`` takes, and the hasher's own.

    costs: those of the hashes that might be checked. What costs more than ``COSTLIEST`` does not
    count: a single row must not make every log-in last minutes.
    """
    begun = _work.set([])
    try:
        yield
    finally:
        done = sum(_work.get() or ())
        _work.reset(begun)
        hasher = LegacyBCryptHasher()
        known = [cost for cost in costs if CHEAPEST <= cost <= COSTLIEST]
        left = 2 ** max([hasher.rounds, *known]) - done
        for cost in range(CHEAPEST, left.bit_length()):  # no work is less than 2 ** CHEAPEST
            if left & 2**cost:
                hasher.encode("", hasher.salt_of(cost))


class LegacyBCryptHasher(BCryptPasswordHasher):
    """The legacy system's bcrypt: ``bcrypt$`` and the hash as passlib wrote it, ``$2b$12$…``.

    A hash is never renewed at log-in, so the way down gives back the one that came up; and one made
    here can be read by the legacy system after its prefix is taken away.
    """

    def encode(self, password: str, salt: str | bytes) -> str:
        """Return the stored form of a password, of which the first 72 bytes of UTF-8 count.

        salt: from ``salt()``, or a whole hash. Raises ValueError if bcrypt cannot read it.
        """
        # Django's own encode() takes text only, and the 72nd byte may be in the middle of a letter.
        hashed: bytes = self._load_library().hashpw(  # type: ignore[attr-defined]  # the stubs lack it
            significant_bytes(password), salt
        )
        work = _work.get()
        if work is not None:
            work.append(2 ** int(hashed[4:6]))
        return f"{self.algorithm}${hashed.decode('ascii')}"

    def salt_of(self, cost: int) -> bytes:
        """Return a new salt of this cost, whatever the hasher's own is."""
        salt: bytes = self._load_library().gensalt(cost)  # type: ignore[attr-defined]  # the stubs lack it
        return salt

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether this is the password; never raise, whatever was typed or is stored.

        What is no bcrypt hash matches nothing, and neither does a password with a NUL character:
        passlib refused those, so no legacy hash was made of one.
        """
        if "\0" in password or not STORED.fullmatch(encoded):
            return False
        try:
            return super().verify(password, encoded)
        except ValueError:  # it looks like a hash, but bcrypt knows better
            return False

    def must_update(self, encoded: str) -> bool:
        """Return False: see the class."""
        return False

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """Return what may be shown of a stored password: how it was made, nothing of the hash."""
        return {"algorithm": self.algorithm}


def significant_bytes(password: str) -> bytes:
    """Return the part of a password that bcrypt reads; any text will do, half a surrogate too."""
    return password.encode(errors="surrogatepass")[:SIGNIFICANT_BYTES]
