"""What is not to be told, in a journal, a log or a message: secrets, and what others' rows hold.

A message may have been made by anybody: the driver, the server, the code of a migration.
"""

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from django.conf import settings

MASK = "***"
LEAST = 6  # characters; a shorter secret is in every other word

# Variables that hold a secret, and the part of an address that is one.
_NAMES = re.compile(r"SECRET|PASSW|PASSPHRASE|TOKEN|API_?KEY|CREDENTIAL|PRIVATE_?KEY", re.I)
# PASSWORD is the word for one, in .env.example and in what is accepted as DATABASE_URL.
_IN_ADDRESS = re.compile(r"(?<=://)([^\s:/@]*):(?!PASSWORD@)([^\s@]+)@")
# Hashes of passwords as Django and bcrypt write them, and what stands behind the word.
_HASH = re.compile(
    r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|\b(?:pbkdf2|argon2|scrypt|md5)\w*\$[^\s'\",)]+"
)
_NAMED = re.compile(
    r"\b(\w*(?:passw(?:or)?d|secret|token|api_?key)\w*)(\s*=\s*|\s+(?='))"
    r"('(?:[^']|'')*'|\"[^\"]*\"|[^\s'\",;&)]+)",
    re.I,
)
# Texts in SQL, also one that is cut off: '…', E'…' with backslashes, $tag$…$tag$; and comments.
_TEXT = re.compile(
    r"\bE'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|(\$(?:[A-Za-z_]\w*)?\$).*?(?:\1|$)"
    r"|--[^\n]*|/\*.*?(?:\*/|$)",
    re.I | re.S,
)
_QUOTED = re.compile(r"'[^']*'?|\"[^\"]*\"?")


def without_secrets(text: str) -> str:
    """Return text in which *** stands for passwords, keys, tokens and hashes of passwords."""
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    text = _IN_ADDRESS.sub(rf"\1:{MASK}@", text)
    text = _HASH.sub(MASK, text)
    return _NAMED.sub(rf"\1\2{MASK}", text)


def without_values(sql: str) -> str:
    """Return a statement of somebody else with … for each text in it."""
    return _TEXT.sub("…", sql)


def without_quoted(text: str) -> str:
    """Return a message with … for what it quotes, which may be a value of a row."""
    return _QUOTED.sub("…", text)


def of_error(error: BaseException) -> str:
    """Return the first line of an error, with … for what may be a value of a row.

    The other lines of PostgreSQL are a row, a key or a statement.
    """
    line = next(iter(str(error).splitlines()), "")
    state = getattr(error.__cause__, "pgcode", None) or ""
    if state.startswith("22") or isinstance(error, ValueError | ArithmeticError | LookupError):
        line = without_quoted(line)
    return without_secrets(line)


def _secrets() -> Iterator[str]:
    """Yield what this process knows and nobody else is to."""
    databases: list[dict[str, Any]] = []
    known: list[Any] = []
    if settings.configured:  # or what is to be told is that they cannot be read
        scratch = getattr(settings, "SCRATCH_DATABASE", None) or {}
        databases = [*settings.DATABASES.values(), scratch]
        known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        known += [database.get("PASSWORD") for database in databases]
    for name, value in os.environ.items():
        if _NAMES.search(name):
            known.append(value)
        for match in _IN_ADDRESS.finditer(value):
            known += [match[2], unquote(match[2])]
    # What is a name too would make holes in messages, and is no secret.
    names = {database.get(key) for database in databases for key in ("USER", "NAME", "HOST")}
    for secret in known:
        if secret and len(str(secret)) >= LEAST and secret not in names:
            yield str(secret)
