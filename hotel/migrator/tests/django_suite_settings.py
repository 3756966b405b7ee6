"""Settings under which Django's own tests run; see ``django_suite``.

``runtests.py`` replaces ``INSTALLED_APPS`` and much else. The databases are made for the run and
dropped after it: of the one that DATABASE_URL names only its server is used, or that it is a file.
"""

import os
import tempfile
from pathlib import Path

from hotel import database_url

BASE_DIR = Path(__file__).resolve().parents[3]
_given = database_url.parse(os.environ.get("DATABASE_URL", "sqlite://:memory:"), BASE_DIR)


def _test_name(alias):
    """Return the name of a database that no other run uses; None is one in memory."""
    if _given["ENGINE"].endswith("postgresql"):
        return f"django_suite_{alias}_{os.getpid()}"
    if _given["NAME"] != ":memory:":
        return os.path.join(tempfile.gettempdir(), f"{alias}.sqlite3")
    return None


DATABASES = {
    alias: {**_given, "TEST": {"NAME": _test_name(alias)}} for alias in ("default", "other")
}
MIGRATOR_WAIT = 10
MIGRATOR_LOCK_TIMEOUT = 50

# As in the settings that the archive brings for SQLite.
SECRET_KEY = "django_tests_secret_key"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False

TEST_RUNNER = "hotel.migrator.tests.django_suite.Runner"
