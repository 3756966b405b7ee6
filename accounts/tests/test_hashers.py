"""Passwords as bcrypt stores them."""

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from accounts.hashers import LegacyBCryptHasher

# Made by the legacy system of 72 noughts and what it then ignored: "-beyond-72-bytes".
OF_NOUGHTS = "bcrypt$$2b$10$DTbydWbRfVxIYfsUCSvNP.IRso0eAmvx6LAK7t583u3C3xLlPEu9q"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Hash with the fewest rounds that bcrypt knows."""
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 4)


@pytest.fixture
def hasher():
    return LegacyBCryptHasher()


def stored(hasher, password):
    return hasher.encode(password, hasher.salt())


def test_twelve_rounds_are_what_a_hotel_gets(monkeypatch):
    monkeypatch.undo()
    assert LegacyBCryptHasher().salt().startswith(b"$2b$12$")


def test_a_new_hash_is_the_legacy_systems_with_a_prefix():
    encoded = make_password("secret")
    assert encoded.startswith("bcrypt$$2b$04$")
    assert len(encoded) == len("bcrypt$") + 60
    assert isinstance(identify_hasher(encoded), LegacyBCryptHasher)
    assert check_password("secret", encoded)
    assert not check_password("Secret", encoded)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_every_prefix_that_passlib_wrote_is_verified(hasher, prefix):
    encoded = stored(hasher, "pässwörd 旅館").replace("$2b$", prefix)
    assert hasher.verify("pässwörd 旅館", encoded)
    assert not hasher.verify("passwörd 旅館", encoded)


def test_72_bytes_count_and_no_more(hasher):
    encoded = stored(hasher, "x" * 72)
    assert hasher.verify("x" * 72, encoded)
    assert hasher.verify("x" * 72 + "anything", encoded)
    assert not hasher.verify("x" * 71, encoded)


def test_a_legacy_hash_of_a_longer_password_is_verified_as_it_was(hasher):
    assert hasher.verify("0" * 72 + "-beyond-72-bytes", OF_NOUGHTS)
    assert hasher.verify("0" * 72, OF_NOUGHTS)
    assert not hasher.verify("0" * 71, OF_NOUGHTS)


def test_the_72nd_byte_may_be_half_a_letter(hasher):
    encoded = stored(hasher, "x" * 71 + "é")  # é is C3 A9: only C3 counts
    assert hasher.verify("x" * 71 + "é", encoded)
    assert hasher.verify("x" * 71 + "è", encoded)  # C3 A8
    assert not hasher.verify("x" * 71 + "ł", encoded)  # C5 82


def test_nul_is_refused_as_passlib_refused_it(hasher):
    encoded = stored(hasher, "secret\0")
    assert not hasher.verify("secret\0", encoded)
    assert not hasher.verify("secret", encoded)


@pytest.mark.parametrize(
    "typed", ["", "\0", "\ud800", "x" * 1_000_000, "旅" * 100_000, "\n", "\u2019"]
)
def test_anything_can_be_typed(hasher, typed):
    assert hasher.verify(typed, stored(hasher, "secret")) is False


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "bcrypt",
        "bcrypt$",
        "bcrypt$$",
        "bcrypt$$2b$04$short",
        "bcrypt$$2b$04$" + "é" * 53,
        "bcrypt$$2b$04$" + "!" * 53,
        "bcrypt$$2b$99$" + "a" * 53,
        "bcrypt$$2b$xx$" + "a" * 53,
        "bcrypt$$2b$٠٤$" + "a" * 53,
        "bcrypt$$2b$04$" + "a" * 54,
        "bcrypt$$2b$04$" + "z" * 53,  # bits that no salt has
        "bcrypt$$2c$04$" + "a" * 53,
        "bcrypt$$2b$04$" + "a" * 53 + "\n",
        "bcrypt$\0",
        "pbkdf2_sha256$1$salt$hash",
        "!" + "a" * 40,
    ],
)
def test_what_is_no_hash_matches_nothing(hasher, encoded):
    assert hasher.verify("secret", encoded) is False
    assert check_password("secret", encoded) is False


def test_logging_in_leaves_a_hash_as_it_was(hasher, monkeypatch):
    encoded = stored(hasher, "secret")
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 5)
    renewed = []
    assert check_password("secret", encoded, setter=renewed.append)
    assert renewed == []
    assert hasher.must_update("bcrypt$junk") is False


def test_nothing_of_a_hash_is_shown(hasher):
    assert hasher.safe_summary(stored(hasher, "secret")) == {"algorithm": "bcrypt"}
    assert hasher.safe_summary("bcrypt$junk") == {"algorithm": "bcrypt"}
