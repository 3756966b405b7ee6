"""Legacy hashes become Django's and go back; the status says who may log in."""

import pytest
from django.contrib.auth.hashers import BCryptPasswordHasher, is_password_usable

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0004_convert_credentials")
BEFORE = ("accounts", "0003")

OTHER_HASH = "$2b$12$ssssssssssssssssssssssAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  # 60 characters

RAHASIA = "$2b$04$d8.cAFTR95LzrmD87/ftU.EFpaW5/IOOygQh2Noa.6rwWpe9VrPne"  # of "rahasia"

# key: (what the legacy system had, what Django gets)
PASSWORDS = {
    1: (legacy.HASH, "bcrypt$" + legacy.HASH),
    2: ("$2a$" + "k" * 56, "bcrypt$$2a$" + "k" * 56),
    3: ("$2x$" + "k" * 56, "bcrypt$$2x$" + "k" * 56),
    4: ("$2y$" + "k" * 56, "bcrypt$$2y$" + "k" * 56),
    # look-alikes of 60 characters
    5: ("$2B$" + "k" * 56, "!$2B$" + "k" * 56),
    6: ("$2c$" + "k" * 56, "!$2c$" + "k" * 56),
    7: (" $2b$" + "k" * 55, "! $2b$" + "k" * 55),
    8: ("\N{FULLWIDTH DOLLAR SIGN}2b$" + "k" * 56, "!\N{FULLWIDTH DOLLAR SIGN}2b$" + "k" * 56),
    # a byte too short, a byte too long, and a trailing space that counts
    9: ("$2b$" + "k" * 55, "!$2b$" + "k" * 55),
    10: ("$2b$" + "k" * 57, "!$2b$" + "k" * 57),
    11: (legacy.HASH + " ", "!" + legacy.HASH + " "),
    # no hash at all
    12: ("", "!"),
    13: ("!", "!!"),
    14: ("secret in clear", "!secret in clear"),
    15: ("pbkdf2:sha256:260000$salt$hash", "!pbkdf2:sha256:260000$salt$hash"),
    # what Django would have written itself was no hash of the legacy system
    16: ("bcrypt$" + legacy.HASH, "bcrypt$" + legacy.HASH),  # converted by an earlier attempt
    # as long as the column: "!" pushes the last character out
    17: ("ü" * 255, "!" + "ü" * 254),
}

# key: (status, may log in)
STATUSES = {
    1: ("active", True),
    2: (None, True),
    3: ("inactive", False),
    4: ("Active", False),
    5: (" active", False),
    6: ("active ", False),
    7: ("\N{FULLWIDTH LATIN SMALL LETTER A}ctive", False),
    8: ("", False),
    9: ("suspended", False),
    10: ("active\n", False),
}


def passwords(history):
    return legacy.column(history, "users", "password_hash")


def may_log_in(history):
    found = legacy.column(history, "users", "is_active")
    return {key: bool(value) for key, value in found.items()}


@pytest.fixture
def with_passwords(history):
    history.before(MIGRATION)
    for key, (legacy_hash, _) in PASSWORDS.items():
        legacy.user(history, key, password_hash=legacy_hash)
    return history


@pytest.fixture
def with_statuses(history):
    history.before(MIGRATION)
    for key, (status, _) in STATUSES.items():
        legacy.user(history, key, status=status)
    return history


def test_hashes_go_up_and_down_and_up(with_passwords):
    history = with_passwords
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert passwords(history) == {key: after for key, (_, after) in PASSWORDS.items()}
        history.go(*BEFORE)
        assert passwords(history) == {key: before for key, (before, _) in PASSWORDS.items()}


def test_only_a_secret_that_the_inverse_would_not_give_is_archived(with_passwords):
    with_passwords.go(*MIGRATION)
    assert legacy.archive(
        with_passwords, "table_name", "column_name", "row_key", "original", "became"
    ) == [
        ("users", "password_hash", "16", "bcrypt$" + legacy.HASH, "bcrypt$" + legacy.HASH),
        (
            "users",
            "password_hash",
            "17",
            "ü" * 255,
            "!" + "ü" * 254,
        ),
    ]


def test_a_password_set_since_goes_down_as_its_own_hash(with_passwords):
    history = with_passwords
    history.go("accounts", "0006")
    change = "UPDATE users SET password_hash = %s WHERE id = %s"
    history.execute(change, ["bcrypt$" + OTHER_HASH, 1])  # a changed password
    history.execute(change, ["bcrypt$" + OTHER_HASH, 14])  # the first real one
    history.execute(change, ["bcrypt$" + OTHER_HASH, 17])  # instead of the archived one
    history.execute(change, ["!" + "r" * 40, 2])  # made unusable
    history.execute(change, ["argon2$argon2id$hash", 3])  # a hasher the legacy does not know
    history.execute("DELETE FROM users_groups WHERE user_id = 4")
    history.execute("DELETE FROM users WHERE id = 4")
    legacy.user(history, 21, password_hash="bcrypt$" + OTHER_HASH)
    at_head = passwords(history)

    history.go(*BEFORE)
    expected = {key: before for key, (before, _) in PASSWORDS.items()}
    del expected[4]
    expected.update(
        {
            1: OTHER_HASH,
            14: OTHER_HASH,
            17: OTHER_HASH,
            2: "r" * 40,
            3: "argon2$argon2id$hash",
            21: OTHER_HASH,
        }
    )
    assert passwords(history) == expected

    history.go("accounts", "0006")
    assert passwords(history) == at_head


def test_a_password_changed_below_counts_on_the_way_up(with_passwords):
    history = with_passwords
    history.go(*MIGRATION)
    history.execute("UPDATE users SET password_hash = 'argon2$argon2id$hash'")
    history.go(*BEFORE)
    history.execute("UPDATE users SET password_hash = %s", [OTHER_HASH])
    history.go(*MIGRATION)
    assert set(passwords(history).values()) == {"bcrypt$" + OTHER_HASH}


def test_status_says_who_may_log_in_and_stays(with_statuses):
    history = with_statuses
    words = {key: status for key, (status, _) in STATUSES.items()}
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert may_log_in(history) == {key: may for key, (_, may) in STATUSES.items()}
            assert legacy.column(history, "users", "status") == words
        history.go(*BEFORE)
        assert may_log_in(history) == dict.fromkeys(STATUSES, True)
        assert legacy.column(history, "users", "status") == words


def test_a_flag_from_before_and_one_set_since_are_both_given_back(with_statuses):
    history = with_statuses
    history.execute("UPDATE users SET is_active = %s WHERE id = 1", [False])
    history.go(*MIGRATION)
    assert may_log_in(history)[1] is True

    history.execute("UPDATE users SET is_active = %s WHERE id IN (3, 4)", [True])
    history.execute("UPDATE users SET is_active = %s WHERE id = 2", [False])
    history.go(*BEFORE)
    assert may_log_in(history) == {**dict.fromkeys(STATUSES, True), 1: False}

    history.execute("UPDATE users SET status = 'inactive' WHERE id = 4")
    history.go(*MIGRATION)
    found = may_log_in(history)
    assert (found[1], found[2], found[3]) == (True, False, True)
    assert found[4] is False  # its status was changed, so the rule decides


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["users"] == []
    assert legacy.archive(history, "row_key") == []


def test_the_password_of_the_legacy_system_is_still_the_password(history):
    history.before(MIGRATION)
    legacy.user(history, 1, password_hash=RAHASIA)
    legacy.user(history, 2, password_hash="rahasia")
    history.go(*MIGRATION)
    found = passwords(history)
    assert BCryptPasswordHasher().verify("rahasia", found[1])
    assert not BCryptPasswordHasher().verify("Rahasia", found[1])
    assert not is_password_usable(found[2])
