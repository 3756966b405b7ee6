"""Flags, groups and permissions of users."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0002_add_django_columns")

FLAGS = {
    "is_active bool NOT NULL DEFAULT true",
    "is_staff bool NOT NULL DEFAULT false",
    "is_superuser bool NOT NULL DEFAULT false",
}
USERS_GROUPS = """
    id integer NOT NULL KEY
    user_id integer NOT NULL
    user_id -> users.id
    index user_id
    group_id integer NOT NULL
    group_id -> auth_group.id
    index group_id
    unique user_id, group_id
"""
USERS_PERMISSIONS = """
    id integer NOT NULL KEY
    user_id integer NOT NULL
    user_id -> users.id
    index user_id
    permission_id integer NOT NULL
    permission_id -> auth_permission.id
    index permission_id
    unique user_id, permission_id
"""


def flags(history):
    rows = history.execute("SELECT id, is_active, is_staff, is_superuser FROM users")
    return {key: tuple(map(bool, values)) for key, *values in rows}


def memberships(history):
    return history.execute("SELECT id, user_id, group_id FROM users_groups ORDER BY id")


@pytest.fixture
def with_members(history):
    """Three users with flags, a membership each for users 1 and 2, a permission for 1."""
    history.at(MIGRATION)
    legacy.user(history, 1, is_active=False, is_staff=True, is_superuser=True)
    legacy.user(history, 2)
    legacy.user(history, 3, is_staff=True)
    history.insert("auth_group", id=11, name="Kitchen")
    history.insert("auth_group", id=12, name="Night audit")
    history.insert("users_groups", id=5, user_id=1, group_id=11)
    history.insert("users_groups", id=9, user_id=2, group_id=12)
    history.insert("django_content_type", id=9021, app_label="rooms", model="room")
    history.insert(
        "auth_permission", id=9031, content_type_id=9021, codename="view_room", name="Can view room"
    )
    history.insert("users_user_permissions", id=4, user_id=1, permission_id=9031)
    return history


def test_users_keep_everything_and_get_the_flags_of_nobody_in_particular(history):
    history.before(MIGRATION)
    legacy.user(history, 1, username="admin", role="admin", status=None)
    legacy.user(history, 2, username="admin ", role="Admin", status="inactive")
    before, rows = legacy.shape(history, "users"), history.dump()["users"]
    history.go(*MIGRATION)
    after = history.dump()["users"]
    assert legacy.shape(history, "users") - before == FLAGS
    assert before - legacy.shape(history, "users") == set()
    assert [{name: row[name] for name in rows[0]} for row in after] == rows
    assert flags(history) == {1: (True, False, False), 2: (True, False, False)}
    assert legacy.shape(history, "users_groups") == legacy.lines(USERS_GROUPS)
    assert legacy.shape(history, "users_user_permissions") == legacy.lines(USERS_PERMISSIONS)
    assert history.execute("SELECT * FROM users_groups") == []
    assert history.execute("SELECT * FROM users_user_permissions") == []


def test_an_older_writer_names_no_flag(history):
    history.at(MIGRATION).insert("users", username="late", password_hash="", role="user")
    assert list(flags(history).values()) == [(True, False, False)]


def test_flags_and_memberships_come_back_after_they_were_dropped(with_members):
    history = with_members
    history.go("accounts", "0001")
    assert not FLAGS & legacy.shape(history, "users")
    assert not {"users_groups", "users_user_permissions"} & set(history.tables())
    history.execute("DELETE FROM users WHERE id = 3")
    legacy.user(history, 4)

    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert flags(history) == {
            1: (False, True, True),
            2: (True, False, False),
            4: (True, False, False),
        }
        assert memberships(history) == [(5, 1, 11), (9, 2, 12)]
        permissions = history.execute(
            "SELECT id, user_id, permission_id FROM users_user_permissions"
        )
        assert permissions == [(4, 1, 9031)]

    history.insert("users_groups", user_id=4, group_id=12)
    assert memberships(history)[-1] == (10, 4, 12)


@pytest.mark.parametrize("gone", ["users WHERE id = 2", "auth_group WHERE id = 12"])
def test_a_membership_whose_user_or_group_was_deleted_meanwhile_stays_away(with_members, gone):
    history = with_members
    history.go("accounts", "0001")
    history.execute(f"DELETE FROM {gone}")
    history.go(*MIGRATION)
    assert memberships(history) == [(5, 1, 11)]


def test_nothing_is_archived_of_users_without_flags_and_groups(history):
    history.at(MIGRATION)
    legacy.user(history, 1)
    history.go("accounts", "0001")
    assert legacy.archive(history, "row_key") == []
