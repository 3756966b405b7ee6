"""Roles become flags and a group; nobody is put into a group twice."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0005_convert_roles")
BEFORE = ("accounts", "0004")

GROUPS = ["Accounting", "Front desk", "Housekeeping", "Manager", "Read-only"]

# key: (role, works here, is an owner, is put into the group "Front desk")
ROLES = {
    1: ("admin", True, True, False),
    2: ("user", True, False, True),
    3: ("user", True, False, True),
    4: ("Admin", False, False, False),
    5: ("USER", False, False, False),
    6: ("admin ", False, False, False),
    7: (" user", False, False, False),
    8: ("\N{FULLWIDTH LATIN SMALL LETTER A}dmin", False, False, False),
    9: ("u\N{CYRILLIC SMALL LETTER DZE}er", False, False, False),
    10: ("", False, False, False),
    11: ("manager", False, False, False),
}


def flags(history):
    rows = history.execute("SELECT id, is_staff, is_superuser FROM users")
    return {key: tuple(map(bool, values)) for key, *values in rows}


def groups(history):
    return sorted(name for (name,) in history.execute("SELECT name FROM auth_group"))


def members(history):
    return history.execute(
        "SELECT u.id, g.name FROM users_groups m JOIN users u ON u.id = m.user_id"
        " JOIN auth_group g ON g.id = m.group_id ORDER BY u.id, g.name"
    )


@pytest.fixture
def with_roles(history):
    history.before(MIGRATION)
    for key, (role, *_) in ROLES.items():
        legacy.user(history, key, role=role)
    return history


def test_roles_go_up_and_down_and_up(with_roles):
    history = with_roles
    roles = {key: role for key, (role, *_) in ROLES.items()}
    for _ in range(2):
        for _ in range(2):  # the second run finds nothing to do
            history.go(*MIGRATION)
            assert flags(history) == {key: tuple(fact[1:3]) for key, fact in ROLES.items()}
            assert members(history) == [(2, "Front desk"), (3, "Front desk")]
            assert groups(history) == GROUPS
            assert legacy.column(history, "users", "role") == roles
        history.go(*BEFORE)
        assert flags(history) == dict.fromkeys(ROLES, (False, False))
        assert members(history) == []
        assert groups(history) == GROUPS
        assert legacy.column(history, "users", "role") == roles


def test_groups_are_there_although_nobody_works_here(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert groups(history) == GROUPS
    assert (flags(history), members(history)) == ({}, [])


def test_a_group_of_the_same_name_and_its_members_are_kept(with_roles):
    history = with_roles
    history.insert("auth_group", id=901, name="Front desk")
    history.insert("auth_group", id=902, name="front desk")
    history.insert("users_groups", id=901, user_id=2, group_id=901)
    history.insert("users_groups", id=902, user_id=4, group_id=901)
    for _ in range(2):
        history.go(*MIGRATION)
        assert groups(history) == sorted([*GROUPS, "front desk"])
        assert members(history) == [(2, "Front desk"), (3, "Front desk"), (4, "Front desk")]
        assert history.execute("SELECT id FROM users_groups WHERE user_id = 2") == [(901,)]
        assert history.execute("SELECT id FROM auth_group WHERE name = 'Front desk'") == [(901,)]
        history.go(*BEFORE)
        assert members(history) == [(2, "Front desk"), (4, "Front desk")]


@pytest.mark.parametrize("below", ["0004", "0001"])
def test_whoever_was_here_before_is_not_put_into_the_group_again(with_roles, below):
    history = with_roles
    legacy.user(history, 12)
    history.go(*MIGRATION)
    history.execute("DELETE FROM users_groups WHERE user_id = 2")  # a manager's choice
    history.execute("DELETE FROM users_groups WHERE user_id = 12")
    history.execute("DELETE FROM users WHERE id = 12")
    legacy.user(history, 21)  # a manager's choice too: no group
    history.go("accounts", below)
    legacy.user(history, 31)
    for _ in range(2):
        history.go(*MIGRATION)
        assert members(history) == [(3, "Front desk"), (31, "Front desk")]
        history.go(*BEFORE)


def test_a_membership_given_by_hand_is_not_taken_away_on_the_way_down(with_roles):
    history = with_roles
    history.go(*MIGRATION)
    ((group,),) = history.execute("SELECT id FROM auth_group WHERE name = 'Front desk'")
    history.execute("DELETE FROM users_groups WHERE user_id = 2")
    history.insert("users_groups", id=902, user_id=2, group_id=group)
    for _ in range(2):
        history.go(*BEFORE)
        assert members(history) == [(2, "Front desk")]
        history.go(*MIGRATION)
        assert members(history) == [(2, "Front desk"), (3, "Front desk")]


def test_a_membership_given_by_hand_below_is_not_given_twice(with_roles):
    history = with_roles
    history.go(*MIGRATION).go(*BEFORE)
    ((group,),) = history.execute("SELECT id FROM auth_group WHERE name = 'Front desk'")
    history.insert("users_groups", id=902, user_id=2, group_id=group)
    history.go(*MIGRATION)
    assert members(history) == [(2, "Front desk"), (3, "Front desk")]


def test_the_membership_of_a_user_who_was_deleted_below_stays_away(with_roles):
    history = with_roles
    history.go(*MIGRATION).go(*BEFORE)
    history.execute("DELETE FROM users WHERE id = 2")
    history.go(*MIGRATION)
    assert members(history) == [(3, "Front desk")]


def test_a_renamed_group_is_made_anew_and_keeps_its_members(with_roles):
    history = with_roles
    history.go(*MIGRATION)
    history.execute("UPDATE auth_group SET name = 'Reception' WHERE name = 'Front desk'")
    history.go(*BEFORE).go(*MIGRATION)
    assert groups(history) == sorted([*GROUPS, "Reception"])
    assert members(history) == [(2, "Reception"), (3, "Reception")]


def test_flags_set_since_come_back_unless_the_role_was_changed(with_roles):
    history = with_roles
    history.execute("UPDATE users SET is_staff = %s WHERE id = 11", [True])
    history.go(*MIGRATION)
    assert flags(history)[11] == (False, False)

    history.execute("UPDATE users SET is_staff = %s, is_superuser = %s WHERE id = 4", [True, True])
    history.execute("UPDATE users SET is_superuser = %s WHERE id IN (1, 2)", [False])
    history.execute("UPDATE users SET is_staff = %s WHERE id IN (2, 3)", [False])
    history.go(*BEFORE)
    assert flags(history) == {**dict.fromkeys(ROLES, (False, False)), 11: (True, False)}

    history.execute("UPDATE users SET role = 'admin' WHERE id = 3")
    history.go(*MIGRATION)
    found = flags(history)
    assert found[4] == (True, True)
    assert found[1] == (True, False)
    assert found[2] == (False, False)
    assert found[3] == (True, True)  # its role was changed, so the rule decides
    assert found[11] == (False, False)
