"""The address of the database: which forms of ``DATABASE_URL`` are accepted, and what they mean.

django-environ reads such addresses too, but takes nearly any text and leaves ``%2F`` in a host.
Here a wrong address ends in a sentence, never in a connection to another database.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from django.core.exceptions import ImproperlyConfigured

CONNECT_TIMEOUT = 7  # seconds for each address of a host: IPv6 and IPv4 make less than 15
LOCK_TIMEOUT = 20  # seconds to wait for another writer of an SQLite file
POSTGRESQL_OPTIONS = ("connect_timeout", "host", "options", "sslmode", "sslrootcert")
ACCEPTED = (
    "sqlite:///FILE (in the project folder), sqlite:////ABSOLUTE/FILE, sqlite://:memory: and "
    "postgresql://USER:PASSWORD@HOST:PORT/NAME (special characters percent-encoded, options after "
    f"a question mark: {', '.join(POSTGRESQL_OPTIONS)})"
)

_URL = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?P<netloc>[^/?#]*)(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>.*))?")


def parse(url: str, base_dir: Path) -> dict[str, Any]:
    """Return the entry of ``DATABASES`` for the address ``url``.

    base_dir: the folder to which a relative SQLite file belongs, a ``Path``.
    Raises ImproperlyConfigured, in one sentence without any part of user, password or host.
    """
    url = url.strip()
    if not url:
        raise _refusal("is empty")
    parts = _URL.fullmatch(url)
    if not parts or not url.isprintable():
        raise _refusal("is not the address of a database")
    scheme = parts["scheme"].lower()
    if scheme == "sqlite":
        return _sqlite(parts["netloc"], parts["path"] or "", parts["query"], base_dir)
    if scheme in ("postgres", "postgresql"):
        return _postgresql(parts["netloc"], parts["path"] or "", parts["query"] or "")
    raise _refusal("names neither SQLite nor PostgreSQL")


def _sqlite(netloc: str, path: str, query: str | None, base_dir: Path) -> dict[str, Any]:
    if query is not None:
        raise _refusal("has a question mark, but SQLite takes no options")
    if (netloc, path) in ((":memory:", ""), ("", ":memory:")):
        name = ":memory:"
    elif netloc:
        raise _refusal("lacks the third slash of an SQLite file")
    elif not path.strip("/"):
        raise _refusal("names no SQLite file")
    else:
        name = str(base_dir / _decode(path))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        # A transaction that reads first and writes later cannot be made to wait: SQLite refuses it
        # at once if somebody wrote in between. Taking the write lock at its start makes it wait.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": LOCK_TIMEOUT},
    }


def _postgresql(netloc: str, path: str, query: str) -> dict[str, Any]:
    # A password with an unencoded / or ? ends the host too early. Nothing of what follows may be
    # shown or sent anywhere, since it is part of the password.
    if "@" in path + query:
        raise _refusal("has an @ after its host, so user or password are not percent-encoded")
    credentials, _, address = netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    place = _HOST_AND_PORT.fullmatch(address)
    if not place:
        raise _refusal("has brackets that do not enclose an IPv6 address")
    port = place["port"] or ""
    if port and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise _refusal("has a port that is not a number from 1 to 65535")
    if not path or "/" in path:
        raise _refusal("does not end in the name of one database")
    options = _options(query)
    # As in libpq, a host among the options wins: it is how a folder of sockets is written.
    host = options.pop("host", None) or _decode(place["ipv6"] or place["host"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _decode(path),
        "USER": _decode(user),
        "PASSWORD": _decode(password),
        "HOST": host,
        "PORT": port,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT, **options},
    }


def _options(query: str) -> dict[str, Any]:
    _decode(query)  # parse_qsl would replace bytes that it cannot read
    options: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in POSTGRESQL_OPTIONS:
            raise _refusal(f'has the unknown option "{name}"')
        if not value:
            raise _refusal(f'has no value for the option "{name}"')
    if "connect_timeout" in options:
        if not re.fullmatch("[1-9][0-9]{0,3}", options["connect_timeout"]):
            raise _refusal("has a connect_timeout that is not a number of seconds")
        options["connect_timeout"] = int(options["connect_timeout"])
    return options


def _decode(text: str) -> str:
    """Undo percent-encoding; a stray % is refused, since it is most likely part of a password."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        decoded = "\0"
    if "\0" in decoded or re.search("%(?![0-9A-Fa-f]{2})", text):
        raise _refusal("is not well percent-encoded (a % itself is written %25)")
    return decoded


def _refusal(problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASE_URL {problem}; accepted are {ACCEPTED}.")
