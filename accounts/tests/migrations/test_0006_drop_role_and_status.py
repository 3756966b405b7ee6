"""Flags and groups take the place of role and status, which come back in their own words."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0006_drop_role_and_status")
BEFORE = ("accounts", "0005")

# key: (role, status)
WORDS = {
    1: ("admin", "active"),
    2: ("user", "inactive"),
    3: ("user", None),
    4: ("Admin", "Active"),
    5: ("", ""),
    6: ("manager", "suspended"),
    7: ("admin ", " active"),
    8: ("\N{FULLWIDTH LATIN SMALL LETTER A}dmin", "\N{FULLWIDTH LATIN SMALL LETTER A}ctive"),
    9: ("user", "active"),
    10: ("admin", "inactive"),
}

# key: (may log in, works here, is an owner)
FLAGS = {
    1: (True, True, True),
    2: (False, True, False),
    3: (True, True, False),
    4: (False, False, False),
    5: (False, False, False),
    6: (False, False, False),
    7: (False, False, False),
    8: (False, False, False),
    9: (True, True, False),
    10: (False, True, True),
}


def words(history):
    rows = history.execute("SELECT id, role, status FROM users")
    return {key: (role, status) for key, role, status in rows}


def flags(history):
    rows = history.execute("SELECT id, is_active, is_staff, is_superuser FROM users")
    return {key: tuple(map(bool, values)) for key, *values in rows}


def front_desk(history):
    return history.execute(
        "SELECT user_id FROM users_groups m JOIN auth_group g ON g.id = m.group_id"
        " WHERE g.name = 'Front desk' ORDER BY user_id"
    )


@pytest.fixture
def with_words(history):
    """Users who went through 0004 and 0005 with their roles and statuses."""
    history.at(("accounts", "0003_add_permission_grants"))
    for key, (role, status) in WORDS.items():
        legacy.user(history, key, role=role, status=status)
    return history.go(*BEFORE)


def test_words_go_and_come_back_and_go_again(with_words):
    history = with_words
    assert (flags(history), words(history)) == (FLAGS, WORDS)
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert flags(history) == FLAGS
        history.go(*BEFORE)
        assert flags(history) == FLAGS
        assert words(history) == WORDS


def test_drops_two_columns_and_an_index_and_makes_them_again(with_words):
    history = with_words
    before = legacy.shape(history, "users")
    history.go(*MIGRATION)
    after = legacy.shape(history, "users")
    assert before - after == {
        "role varchar(10) NOT NULL",
        "status varchar(10)",
        "index status",
    }
    assert after - before == set()
    history.go(*BEFORE)
    assert legacy.shape(history, "users") == before


def test_only_words_that_the_inverse_would_not_give_are_archived(with_words):
    history = with_words
    history.go(*MIGRATION)
    found = legacy.archive(history, "column_name", "row_key", "original")
    assert [entry for entry in found if entry[0] in ("role", "status")] == [
        ("role", "4", "Admin"),
        ("role", "5", ""),
        ("role", "6", "manager"),
        ("role", "7", "admin "),
        ("role", "8", "\N{FULLWIDTH LATIN SMALL LETTER A}dmin"),
        ("status", "3", None),
        ("status", "4", "Active"),
        ("status", "5", ""),
        ("status", "6", "suspended"),
        ("status", "7", " active"),
        ("status", "8", "\N{FULLWIDTH LATIN SMALL LETTER A}ctive"),
    ]


def test_what_was_changed_since_follows_the_rule(with_words):
    history = with_words
    history.go(*MIGRATION)
    change = "UPDATE users SET {} = %s WHERE id IN ({})"
    history.execute(change.format("is_active", "1, 3"), [False])
    history.execute(change.format("is_active", "2, 4"), [True])
    history.execute(change.format("is_superuser", "1"), [False])
    history.execute(change.format("is_superuser", "6"), [True])
    history.execute(change.format("phone", "5, 7"), ["0812"])  # no word depends on it
    history.execute("DELETE FROM users_groups WHERE user_id = 9")
    history.execute("DELETE FROM users WHERE id = 9")
    legacy.user(history, 21, is_superuser=True, is_staff=True)
    legacy.user(history, 22, is_staff=True, is_active=False)
    at_head = flags(history)

    history.go(*BEFORE)
    assert words(history) == {
        1: ("user", "inactive"),
        2: ("user", "active"),
        3: ("user", "inactive"),
        4: ("Admin", "active"),
        5: ("", ""),
        6: ("admin", "suspended"),
        7: ("admin ", " active"),
        8: ("\N{FULLWIDTH LATIN SMALL LETTER A}dmin", "\N{FULLWIDTH LATIN SMALL LETTER A}ctive"),
        10: ("admin", "inactive"),
        21: ("admin", "active"),
        22: ("user", "inactive"),
    }
    assert flags(history) == at_head

    history.go(*MIGRATION)
    assert flags(history) == at_head


def test_flags_of_users_written_since_are_caught_up_and_given_back(with_words):
    history = with_words
    legacy.user(history, 31, role="admin", status="active")
    legacy.user(history, 32, role="user", status="inactive")
    legacy.user(history, 33, role="boss", status=None)
    history.execute("UPDATE users SET role = 'user', status = 'inactive' WHERE id = 1")
    late = {**WORDS, 31: ("admin", "active"), 32: ("user", "inactive"), 33: ("boss", None)}
    late[1] = ("user", "inactive")
    stale = {**FLAGS, **dict.fromkeys([31, 32, 33], (True, False, False))}
    assert (words(history), flags(history)) == (late, stale)

    for _ in range(2):
        history.go(*MIGRATION)
        assert flags(history) == {
            **FLAGS,
            1: (False, True, False),
            31: (True, True, True),
            32: (False, True, False),
            33: (True, False, False),
        }
        history.go(*BEFORE)
        assert (words(history), flags(history)) == (late, stale)


def test_users_written_since_join_the_front_desk(with_words):
    history = with_words
    legacy.user(history, 31)
    history.go(*MIGRATION)
    assert front_desk(history) == [(2,), (3,), (9,), (31,)]


def test_passwords_written_since_become_djangos_and_go_back(with_words):
    history = with_words
    other = "$2b$12$" + "k" * 53
    legacy.user(history, 31, password_hash=other)
    history.execute("UPDATE users SET password_hash = %s WHERE id = 1", [other])
    history.go(*MIGRATION)
    found = legacy.column(history, "users", "password_hash")
    assert found[1] == "bcrypt$" + other
    assert found[2] == "bcrypt$" + legacy.HASH  # not converted twice
    assert found[31] == "bcrypt$" + other

    history.go("accounts", "0003")
    found = legacy.column(history, "users", "password_hash")
    assert (found[1], found[2], found[31]) == (other, legacy.HASH, other)


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["users"] == []
