"""Settings of the hotel: development when nothing is set, everything else by environment.

The variables are described in .env.example. One that cannot be read raises ImproperlyConfigured,
with a sentence that names it: a wrong word must not turn into a default.
"""

import importlib.util
import io
import os
import re
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from hotel import database_url

# What has a rate of tax: the kinds of charges (payments.models.ChargeKind).
TAXED = (
    *("room", "cancellation", "no_show"),
    *("minibar", "laundry", "late_check_out", "other"),
)
BASE_DIR = Path(__file__).resolve().parent.parent


def read_env_file(path: Path) -> None:
    """Put the variables of the file ``path`` into the environment, which wins where it has them.

    Raises ImproperlyConfigured if the file cannot be read or has a line that sets nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ImproperlyConfigured(
            f"Cannot read the environment file {path}: {reason}; mend ENV_FILE or the file."
        ) from None
    for number, line in enumerate(lines, start=1):
        # environ would skip the line and log it, with the password that may be in it.
        if not re.match(r"\s*(#|$)|(export )?[A-Za-z_0-9]+=", line):
            raise ImproperlyConfigured(
                f"Line {number} of the environment file {path} is not NAME=value without blanks"
                " around the sign; mend it or put # before it."
            )
        if re.search(r"""=(['"])(?!.*\1\s*$)""", line) and not line.lstrip().startswith("#"):
            raise ImproperlyConfigured(
                f"Line {number} of the environment file {path} begins a quotation that does not end"
                " the line; mend it, and put comments on lines of their own."
            )
    settings = (line for line in lines if not re.match(r"\s*(#|$)", line))
    environ.Env.read_env(io.StringIO("\n".join(settings)))


def text(name: str, default: str = "") -> str:
    """Return the variable as it is; environ would take a value with a leading $ for a reference."""
    return os.environ.get(name, default)


def boolean(name: str, default: bool) -> bool:
    """Return the variable as a bool. Raises ImproperlyConfigured for a word that is neither."""
    word = text(name, str(default)).strip().lower()
    if word in ("on", "true", "yes", "1"):
        return True
    if word in ("off", "false", "no", "0"):
        return False
    raise ImproperlyConfigured(f"{name} is neither on nor off; set it to one of these two words.")


def whole_number(name: str, default: int, of: str = "seconds", least: int = 0) -> int:
    """Return the variable as an int. Raises ImproperlyConfigured for anything else."""
    word = text(name, str(default)).strip()
    if not re.fullmatch("[0-9]{1,9}", word) or int(word) < least:  # what servers and dates hold
        raise ImproperlyConfigured(
            f"{name} is not a whole number of {of} from {least} to 999999999; set it to one."
        )
    return int(word)


def words(name: str) -> list[str]:
    """Return the items of the variable, which are separated by commas."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def header(name: str) -> tuple[str, str] | None:
    """Return the variable, a header such as ``X-Name: value``, as the pair Django wants, or None.

    Raises ImproperlyConfigured if it is set to anything else.
    """
    line = text(name).strip()
    if not line:
        return None
    match = re.fullmatch(r"([A-Za-z0-9-]+):\s*(\S+)", line)
    if not match:
        raise ImproperlyConfigured(
            f"{name} is not a header; write it as the proxy sends it,"
            ' such as "X-Forwarded-Proto: https".'
        )
    return "HTTP_" + match[1].upper().replace("-", "_"), match[2]


def header_name(name: str) -> str:
    """Return the variable, the name of a header, as Django has it in META; "" if it is not set.

    Raises ImproperlyConfigured if it is no name of a header.
    """
    word = text(name).strip()
    if not word:
        return ""
    if not re.fullmatch("[A-Za-z0-9-]+", word):
        raise ImproperlyConfigured(
            f"{name} is not the name of a header; set it to the one that the proxy writes the"
            " address of a visitor into, such as X-Real-IP."
        )
    return "HTTP_" + word.upper().replace("-", "_")


def time_zone(name: str, default: str) -> str:
    """Return the variable as the name of a time zone. Raises ImproperlyConfigured for any other."""
    zone = text(name, default)
    try:
        ZoneInfo(zone)
    except (LookupError, OSError, ValueError):
        raise ImproperlyConfigured(
            f'{name} is "{zone}", which is no time zone of this system; '
            f"set it to a name such as {default}."
        ) from None
    return zone


def end_of_day(name: str, default: str) -> time:
    """Return the variable as a time from midnight to noon.

    Raises ImproperlyConfigured for anything else.
    """
    word = text(name, default).strip()
    match = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", word)
    if not match or (int(match[1]), int(match[2])) > (12, 0):
        raise ImproperlyConfigured(
            f'{name} is "{word}", which is no time from 00:00 to 12:00; set it to one such as'
            f" {default}, at which no guest of the night before arrives any more."
        )
    return time(int(match[1]), int(match[2]))


def currency(name: str, default: str) -> str:
    """Return the variable as a code of ISO 4217. Raises ImproperlyConfigured for anything else."""
    code = text(name, default)
    if not re.fullmatch("[A-Z]{3}", code):
        raise ImproperlyConfigured(
            f'{name} is "{code}", which is no code of a currency; '
            f"set it to three capitals such as {default}."
        )
    return code


def tax_rates(name: str) -> dict[str, Decimal]:
    """Return the variable, such as ``minibar=11,laundry=11``, as percent by kind of charge.

    Raises ImproperlyConfigured for anything else. Kinds are those of ``payments.ChargeKind``.
    """
    rates = {}
    for item in words(name):
        kind, _, rate = item.partition("=")
        if kind not in TAXED or not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?|100", rate):
            raise ImproperlyConfigured(
                f'{name} has "{item}", which is no rate of a tax; write items such as minibar=11,'
                f" in percent, with commas between them, of {', '.join(TAXED)}."
            )
        rates[kind] = Decimal(rate)
    return rates


if "ENV_FILE" not in os.environ:
    if (BASE_DIR / ".env").exists():
        read_env_file(BASE_DIR / ".env")
elif text("ENV_FILE"):
    read_env_file(Path(text("ENV_FILE")))

DEBUG = boolean("DEBUG", default=True)
SECRET_KEY = text("SECRET_KEY").strip()
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is required when DEBUG is off; set it to a long random text, such as"
            " python -c 'import secrets; print(secrets.token_urlsafe(50))' prints."
        )
    # With this prefix, check --deploy refuses it.
    SECRET_KEY = "django-insecure-development-only"  # noqa: S105
ALLOWED_HOSTS = words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "hotel.apps.HotelAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "hotel.apps.FailedLogInsConfig",  # django-axes
    "hotel.migrator",
    "hotel.dashboard",
    "accounts",
    "rooms",
    "reservations",
    "payments",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "hotel.middleware.ContentSecurityPolicyMiddleware",
    "hotel.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hotel.middleware.OneDateMiddleware",
    "hotel.middleware.BusyMiddleware",
    "axes.middleware.AxesMiddleware",  # the last one, as it says
]

ROOT_URLCONF = "hotel.urls"
WSGI_APPLICATION = "hotel.wsgi.application"
ASGI_APPLICATION = "hotel.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "hotel" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["hotel.desk.tags"],
        },
    },
]

if not DEBUG and "DATABASE_URL" not in os.environ:
    raise ImproperlyConfigured(
        "DATABASE_URL is required when DEBUG is off; set it as .env.example describes."
    )
# Set but empty is an error: only a variable that is not there means the file of development.
DATABASES = {
    "default": database_url.parse(text("DATABASE_URL", "sqlite:///db.sqlite3"), BASE_DIR),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["CONN_MAX_AGE"] = whole_number("CONN_MAX_AGE", default=0 if DEBUG else 60)
# Where a scratch database may be made to compare with: see hotel/migrator/scratch/databases.py.
SCRATCH_DATABASE = None
if text("SCRATCH_DATABASE_URL"):
    SCRATCH_DATABASE = database_url.parse(text("SCRATCH_DATABASE_URL"), BASE_DIR)
SCRATCH_SERVER = "hotel.on_postgresql.database"  # where no other server lets one be made
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # the legacy tables have integer keys

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["accounts.throttling.Backend", "accounts.backends.StaffBackend"]
PASSWORD_HASHERS = ["accounts.hashers.LegacyBCryptHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.validators.MaximumBytesValidator"},
]

# How often a password may be tried for one name from one address: see accounts/throttling.py.
AXES_FAILURE_LIMIT = whole_number("LOGIN_TRIES", default=5, of="tries", least=1)
AXES_COOLOFF_TIME = timedelta(
    minutes=whole_number("LOGIN_LOCK_MINUTES", default=15, of="minutes", least=1)
)
LOGIN_ADDRESS_HEADER = header_name("LOGIN_ADDRESS_HEADER")
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"  # axes would ask the model, which some tests do not install
AXES_USERNAME_CALLABLE = "accounts.throttling.name"
AXES_CLIENT_IP_CALLABLE = "accounts.throttling.address"
AXES_LOCKOUT_CALLABLE = "accounts.throttling.locked_out"
AXES_HANDLER = "accounts.throttling.Handler"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # what is kept is what is needed: failed tries, until they expire
AXES_ENABLE_ADMIN = False  # its pages are those of accounts/admin.py
AXES_VERBOSE = False

# Outside development every page goes over TLS. A proxy that ends TLS is trusted only by its header.
SECURE_SSL_REDIRECT = boolean("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_PROXY_SSL_HEADER = header("SECURE_PROXY_SSL_HEADER")
SECURE_HSTS_SECONDS = whole_number(
    "SECURE_HSTS_SECONDS", default=0 if DEBUG else 365 * 24 * 60 * 60
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a long shift at the front desk
CSRF_COOKIE_SECURE = not DEBUG
X_FRAME_OPTIONS = "DENY"

CODE_VERSION = text("CODE_VERSION")  # what the journal says that was running; else the git commit

# How long a migration waits for others: see hotel/migrator/locking/.
MIGRATOR_WAIT = whole_number("MIGRATOR_WAIT", default=300)
MIGRATOR_LEGACY = "hotel.legacy.LEGACY"  # whose databases manage.py db adopt takes over
MIGRATOR_SNAPSHOT = BASE_DIR / "hotel" / "schema"  # where manage.py db snapshot writes
MIGRATOR_LOCK_TIMEOUT = whole_number("MIGRATOR_LOCK_TIMEOUT", default=50, of="milliseconds")

LANGUAGE_CODE = "en-us"
TIME_ZONE = time_zone("HOTEL_TIME_ZONE", default="Asia/Jakarta")
HOTEL_LONG_STAY = whole_number("HOTEL_LONG_STAY", default=30, of="nights")  # more are asked about
HOTEL_DAY_ENDS = end_of_day("HOTEL_DAY_ENDS", default="06:00")  # see hotel/business_day.py
HOTEL_CURRENCY = currency("HOTEL_CURRENCY", default="IDR")  # of every amount
HOTEL_TAX_RATES = tax_rates("HOTEL_TAX_RATES")  # percent, by kind of charge; 0 if not named
HOTEL_TAX_INCLUDED = boolean("HOTEL_TAX_INCLUDED", default=True)  # in the amounts typed in
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "hotel" / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"

# In development runserver hands out static files itself, without collectstatic.
if not DEBUG and importlib.util.find_spec("whitenoise"):
    MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")  # after SecurityMiddleware
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
    }

# Added to Django's own. The root logger has no handler, so that propagating prints nothing twice.
LOGGERS: dict[str, dict[str, Any]] = {
    "hotel.migrator": {"level": "INFO", "handlers": ["stderr"]},
    "accounts": {"level": "INFO", "handlers": ["stderr"]},
    "axes": {"level": "WARNING", "handlers": ["stderr"]},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "message": {
            "()": "hotel.migrator.messages.output.PrintableFormatter",
            "format": "%(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "message"}},
    "loggers": LOGGERS,
}
if not DEBUG:
    # Django's own handler is silent outside development: an error 500 would leave no trace.
    LOGGERS["django"] = {"level": "WARNING", "handlers": ["stderr"]}
