"""The settings as the environment asks for them."""

import importlib.util
import os
import re
import runpy
import shutil
from datetime import time, timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from hotel.settings import TAXED
from hotel.tests import PROJECT, manage
from payments.models import ChargeKind

pytestmark = pytest.mark.once

PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "$k#" + "0123456789" * 5,
    "ALLOWED_HOSTS": "a.example",
    "DATABASE_URL": "sqlite:///hotel.sqlite3",
}


def load(file=PROJECT / "hotel" / "settings.py", **env):
    """Return the settings that ``env`` alone gives, leaving the environment of the tests alone."""
    with mock.patch.dict(os.environ, env, clear=True):
        return runpy.run_path(str(file))


def settings(**env):
    return load(ENV_FILE="", **env)


def refusal(**env):
    with pytest.raises(ImproperlyConfigured) as error:
        load(**{"ENV_FILE": "", **env})
    return str(error.value)


@pytest.fixture
def env_file(tmp_path):
    """Return a function that writes the lines of an environment file and returns its path."""

    def write(*lines):
        path = tmp_path / "hotel.env"
        path.write_text("\n".join(lines))
        return str(path)

    return write


def test_nothing_set_means_development():
    found = settings()
    assert found["DEBUG"] is True
    assert found["SECRET_KEY"] == "django-insecure-development-only"
    assert found["ALLOWED_HOSTS"] == []
    assert found["DATABASES"]["default"]["NAME"] == str(PROJECT / "db.sqlite3")
    assert found["TIME_ZONE"] == "Asia/Jakarta"
    assert found["SECURE_SSL_REDIRECT"] is False
    assert found["SECURE_HSTS_SECONDS"] == 0
    assert found["SECURE_PROXY_SSL_HEADER"] is None
    assert found["SESSION_COOKIE_SECURE"] is False
    assert found["CSRF_COOKIE_SECURE"] is False


def test_debug_off_brings_what_production_needs():
    found = settings(**PRODUCTION)
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]
    assert found["ALLOWED_HOSTS"] == ["a.example"]
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["CSRF_COOKIE_SECURE"] is True
    assert found["SESSION_COOKIE_AGE"] == 43_200
    assert found["X_FRAME_OPTIONS"] == "DENY"
    assert found["SECURE_REFERRER_POLICY"] == "same-origin"


def test_documented_production_environment_passes_the_deployment_checks():
    done = manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        ENV_FILE=".env.example",
        SECRET_KEY=PRODUCTION["SECRET_KEY"],
    )
    assert (done.stdout, done.stderr, done.returncode) == (
        "System check identified no issues (0 silenced).\n",
        "",
        0,
    )


@pytest.mark.parametrize("key", ["", "  "])
def test_secret_key_is_required_when_debug_is_off(key):
    assert refusal(DEBUG="off", SECRET_KEY=key) == (
        "SECRET_KEY is required when DEBUG is off; set it to a long random text, such as "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))' prints."
    )


@pytest.mark.parametrize("word", ["on", "On", "true", "yes", "1", " 1 "])
def test_words_for_debug_on(word):
    assert settings(DEBUG=word)["DEBUG"] is True


@pytest.mark.parametrize("word", ["off", "OFF", "False", "no", "0"])
def test_words_for_debug_off(word):
    assert settings(**{**PRODUCTION, "DEBUG": word})["DEBUG"] is False


@pytest.mark.parametrize("word", ["", "2", "maybe", "off # comment"])
def test_debug_is_not_guessed(word):
    assert refusal(DEBUG=word) == "DEBUG is neither on nor off; set it to one of these two words."


def test_hosts_and_origins_are_separated_by_commas():
    found = settings(
        ALLOWED_HOSTS="a.example, b.example,", CSRF_TRUSTED_ORIGINS="https://a.example"
    )
    assert found["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://a.example"]


def test_a_proxy_can_end_tls():
    found = settings(
        **PRODUCTION,
        SECURE_PROXY_SSL_HEADER="X-Forwarded-Proto: https",
        SECURE_SSL_REDIRECT="off",
    )
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["SECURE_SSL_REDIRECT"] is False


@pytest.mark.parametrize("line", ["X-Forwarded-Proto", "X-Forwarded-Proto:", "X Y: https"])
def test_proxy_header_must_be_a_header(line):
    assert refusal(SECURE_PROXY_SSL_HEADER=line) == (
        "SECURE_PROXY_SSL_HEADER is not a header; write it as the proxy sends it,"
        ' such as "X-Forwarded-Proto: https".'
    )


def test_connections_to_postgresql_are_kept_outside_development():
    url = {"DATABASE_URL": "postgresql:///hotel"}

    def age(**env):
        return settings(**{**env, **url})["DATABASES"]["default"]["CONN_MAX_AGE"]

    assert age() == 0
    assert age(**PRODUCTION) == 60
    assert age(**PRODUCTION, CONN_MAX_AGE="5") == 5


def test_connections_to_sqlite_are_not_kept():
    assert "CONN_MAX_AGE" not in settings(**PRODUCTION)["DATABASES"]["default"]


@pytest.mark.parametrize("word", ["", "-1", "1.5", "ten", "NaN", "٣", "2000000000"])
def test_seconds_are_not_guessed(word):
    assert refusal(SECURE_HSTS_SECONDS=word) == (
        "SECURE_HSTS_SECONDS is not a whole number of seconds from 0 to 999999999; set it to one."
    )


@pytest.mark.parametrize("line", ["SECRET_KEY='a b' # c", 'SECRET_KEY="a', "export A='b'c"])
def test_a_quotation_in_the_environment_file_ends_its_line(env_file, line):
    path = env_file("# 'comment", "DEBUG='on'", line)
    with pytest.raises(ImproperlyConfigured) as error:
        load(ENV_FILE=path)
    assert str(error.value) == (
        f"Line 3 of the environment file {path} begins a quotation that does not end the line;"
        " mend it, and put comments on lines of their own."
    )


def test_production_names_its_database():
    without = {name: value for name, value in PRODUCTION.items() if name != "DATABASE_URL"}
    assert refusal(**without) == (
        "DATABASE_URL is required when DEBUG is off; set it as .env.example describes."
    )


def test_production_says_on_standard_error_what_went_wrong():
    assert settings(**PRODUCTION)["LOGGING"]["loggers"]["django"] == {
        "level": "WARNING",
        "handlers": ["stderr"],
    }
    assert "django" not in settings()["LOGGING"]["loggers"]


def test_empty_database_url_is_no_default():
    assert refusal(DATABASE_URL="").startswith("DATABASE_URL is empty; accepted are sqlite:///FILE")


def test_time_zone():
    assert settings(HOTEL_TIME_ZONE="Europe/Paris")["TIME_ZONE"] == "Europe/Paris"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Asia", "/etc/passwd", "../UTC"])
def test_time_zone_must_exist(zone):
    assert refusal(HOTEL_TIME_ZONE=zone) == (
        f'HOTEL_TIME_ZONE is "{zone}", which is no time zone of this system; '
        "set it to a name such as Asia/Jakarta."
    )


def test_the_day_of_the_hotel_ends_in_the_small_hours():
    assert settings()["HOTEL_DAY_ENDS"] == time(6)
    assert settings(HOTEL_DAY_ENDS="00:00")["HOTEL_DAY_ENDS"] == time(0)
    assert settings(HOTEL_DAY_ENDS="4:30")["HOTEL_DAY_ENDS"] == time(4, 30)
    assert settings(HOTEL_DAY_ENDS="12:00")["HOTEL_DAY_ENDS"] == time(12)


@pytest.mark.parametrize(
    "word", ["", "6", "06:60", "12:01", "23:00", "24:00", "6 am", "-1:00", "\u0660\u0666:00"]
)
def test_the_end_of_the_day_must_be_a_time_before_noon(word):
    assert refusal(HOTEL_DAY_ENDS=word) == (
        f'HOTEL_DAY_ENDS is "{word}", which is no time from 00:00 to 12:00; set it to one such as'
        " 06:00, at which no guest of the night before arrives any more."
    )


def test_currency():
    assert settings(HOTEL_CURRENCY="EUR")["HOTEL_CURRENCY"] == "EUR"


@pytest.mark.parametrize("code", ["", "eur", "Rp", "EURO", "EU1"])
def test_currency_must_be_a_code(code):
    assert refusal(HOTEL_CURRENCY=code) == (
        f'HOTEL_CURRENCY is "{code}", which is no code of a currency; '
        "set it to three capitals such as IDR."
    )


def test_environment_file_sets_what_the_environment_does_not(env_file):
    path = env_file(
        "# comment",
        "",
        "  # comment",
        "ALLOWED_HOSTS=file.example",
        "DEBUG='off'",
        "SECRET_KEY=$a#b",
        "DATABASE_URL=sqlite:///file.sqlite3",
    )
    found = load(ENV_FILE=path, ALLOWED_HOSTS="real.example")
    assert found["ALLOWED_HOSTS"] == ["real.example"]
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == "$a#b"


def test_an_empty_variable_wins_over_the_file_too(env_file):
    path = env_file("DATABASE_URL=sqlite:///other.sqlite3")
    assert refusal(ENV_FILE=path, DATABASE_URL="").startswith("DATABASE_URL is empty;")


def test_file_in_the_project_folder_is_read_unless_another_is_named(tmp_path, env_file):
    project = tmp_path / "project"
    (project / "hotel").mkdir(parents=True)
    copy = shutil.copy(PROJECT / "hotel" / "settings.py", project / "hotel")
    assert load(copy)["TIME_ZONE"] == "Asia/Jakarta"

    (project / ".env").write_text("HOTEL_TIME_ZONE=Asia/Tokyo\n")
    assert load(copy)["TIME_ZONE"] == "Asia/Tokyo"
    assert load(copy, ENV_FILE="")["TIME_ZONE"] == "Asia/Jakarta"
    named = env_file("HOTEL_TIME_ZONE=Asia/Dili")
    assert load(copy, ENV_FILE=named)["TIME_ZONE"] == "Asia/Dili"


def test_missing_environment_file_is_an_error(tmp_path):
    path = tmp_path / "nothing.env"
    assert refusal(ENV_FILE=str(path)) == (
        f"Cannot read the environment file {path}: No such file or directory; "
        "mend ENV_FILE or the file."
    )


def test_environment_file_must_be_text(tmp_path):
    path = tmp_path / "hotel.env"
    path.write_bytes(b"SECRET_KEY=\xff")
    assert refusal(ENV_FILE=str(path)) == (
        f"Cannot read the environment file {path}: it is not text in UTF-8; "
        "mend ENV_FILE or the file."
    )


@pytest.mark.parametrize("line", ["DATABASE_URL = postgres://ada:hunter2@db/hotel", "hunter2"])
def test_a_line_that_sets_nothing_is_an_error_and_is_not_shown(env_file, line):
    path = env_file("DEBUG=on", line)
    assert refusal(ENV_FILE=path) == (
        f"Line 2 of the environment file {path} is not NAME=value without blanks around the sign; "
        "mend it or put # before it."
    )


@pytest.mark.parametrize(
    ("env", "installed", "used"),
    [({}, True, False), (PRODUCTION, True, True), (PRODUCTION, False, False)],
)
def test_whitenoise_is_used_in_production_if_it_is_installed(monkeypatch, env, installed, used):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: installed or None)
    found = settings(**env)
    assert (found["MIDDLEWARE"][1] == "whitenoise.middleware.WhiteNoiseMiddleware") is used
    assert ("STORAGES" in found) is used


def test_migrator_says_each_thing_once_and_bare():
    done = manage(
        *("shell", "-v", "0", "-c"),
        "import logging; logging.getLogger('hotel.migrator.lock').info('waiting for the lock')",
    )
    assert (done.stdout, done.stderr) == ("", "waiting for the lock\n")


def test_every_variable_is_described():
    source = (PROJECT / "hotel" / "settings.py").read_text()
    example = (PROJECT / ".env.example").read_text()
    variables = set(re.findall(r'\w\("([A-Z_]+)"', source))
    assert {"SECRET_KEY", "DATABASE_URL", "HOTEL_TIME_ZONE", "HOTEL_CURRENCY"} < variables
    assert [name for name in variables if name not in example] == []


def test_how_often_a_password_may_be_tried():
    found = settings()
    assert (found["AXES_FAILURE_LIMIT"], found["AXES_COOLOFF_TIME"]) == (5, timedelta(minutes=15))
    assert found["LOGIN_ADDRESS_HEADER"] == ""
    found = settings(LOGIN_TRIES="3", LOGIN_LOCK_MINUTES="60", LOGIN_ADDRESS_HEADER="X-Real-IP")
    assert (found["AXES_FAILURE_LIMIT"], found["AXES_COOLOFF_TIME"]) == (3, timedelta(hours=1))
    assert found["LOGIN_ADDRESS_HEADER"] == "HTTP_X_REAL_IP"


def test_nobody_is_locked_out_for_ever_or_never():
    for word in ("0", "-1", "many"):
        assert refusal(LOGIN_TRIES=word) == (
            "LOGIN_TRIES is not a whole number of tries from 1 to 999999999; set it to one."
        )
    for word in ("0", "2000000000"):
        assert refusal(LOGIN_LOCK_MINUTES=word) == (
            "LOGIN_LOCK_MINUTES is not a whole number of minutes from 1 to 999999999;"
            " set it to one."
        )
    assert refusal(LOGIN_ADDRESS_HEADER="X-Real-IP: 1") == (
        "LOGIN_ADDRESS_HEADER is not the name of a header; set it to the one that the proxy writes"
        " the address of a visitor into, such as X-Real-IP."
    )


def test_taxes_are_percent_by_kind_of_charge():
    assert settings()["HOTEL_TAX_RATES"] == {}
    rates = settings(HOTEL_TAX_RATES="minibar=11, room=10.5")["HOTEL_TAX_RATES"]
    assert rates == {"minibar": Decimal(11), "room": Decimal("10.5")}
    assert settings(HOTEL_TAX_INCLUDED="off")["HOTEL_TAX_INCLUDED"] is False
    assert set(TAXED) == set(ChargeKind.values)


@pytest.mark.parametrize(
    "rate", ["spa=11", "minibar", "minibar=-1", "minibar=101", "minibar=1.234"]
)
def test_a_tax_that_is_none_is_refused(rate):
    assert refusal(HOTEL_TAX_RATES=rate) == (
        f'HOTEL_TAX_RATES has "{rate}", which is no rate of a tax; write items such as minibar=11,'
        " in percent, with commas between them, of room, cancellation, no_show, minibar, laundry,"
        " late_check_out, other."
    )
