"""Password hashes that the legacy system and this one both understand."""

import re

from django.contrib.auth.hashers import BCryptPasswordHasher

SIGNIFICANT_BYTES = 72  # bcrypt reads no further; passlib cut there, bcrypt 5 would raise
STORED = re.compile(r"bcrypt\$\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}", re.ASCII)


class LegacyBCryptHasher(BCryptPasswordHasher):
    """The legacy system's bcrypt: ``bcrypt$`` and the hash as passlib wrote it, ``$2b$12$…``.

    A hash is never renewed at log-in, so the way down gives back the one that came up; and one made
    here can be read by the legacy system after its prefix is taken away.
    """

    def encode(self, password, salt):
        """Return the stored form of a password, of which the first 72 bytes of UTF-8 count.

        salt: from ``salt()``, or a whole hash. Raises ValueError if bcrypt cannot read it.
        """
        # Django's own encode() takes text only, and the 72nd byte may be in the middle of a letter.
        hashed = self._load_library().hashpw(significant_bytes(password), salt)
        return f"{self.algorithm}${hashed.decode('ascii')}"

    def verify(self, password, encoded):
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

    def must_update(self, encoded):
        """Return False: see the class."""
        return False

    def safe_summary(self, encoded):
        """Return what may be shown of a stored password: how it was made, nothing of the hash."""
        return {"algorithm": self.algorithm}


def significant_bytes(password):
    """Return the part of a password that bcrypt reads; any text will do, half a surrogate too."""
    return password.encode(errors="surrogatepass")[:SIGNIFICANT_BYTES]
