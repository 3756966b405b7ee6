"""The table that tells which permissions were given to which group."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0003_add_permission_grants")

PERMISSION_GRANTS = """
    id integer NOT NULL KEY
    group_id integer NOT NULL
    group_id -> auth_group.id
    index group_id
    permission_id integer NOT NULL
    permission_id -> auth_permission.id
    index permission_id
    unique group_id, permission_id
"""


@pytest.fixture
def with_grants(history):
    """Two groups, one permission, a grant each."""
    history.at(MIGRATION)
    history.insert("auth_group", id=11, name="Kitchen")
    history.insert("auth_group", id=12, name="Night audit")
    history.insert("django_content_type", id=9021, app_label="rooms", model="room")
    history.insert(
        "auth_permission", id=9031, content_type_id=9021, codename="view_room", name="Can view room"
    )
    history.insert("permission_grants", id=1, group_id=11, permission_id=9031)
    history.insert("permission_grants", id=6, group_id=12, permission_id=9031)
    return history


def grants(history):
    return history.execute("SELECT id, group_id, permission_id FROM permission_grants ORDER BY id")


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    tables, rows = history.tables(), history.dump()
    history.go(*MIGRATION)
    assert set(history.tables()) - set(tables) == {"permission_grants"}
    assert legacy.shape(history, "permission_grants") == legacy.lines(PERMISSION_GRANTS)
    assert history.dump() == {**rows, "permission_grants": []}


def test_grants_come_back_after_the_table_was_dropped(with_grants):
    history = with_grants
    history.go("accounts", "0002")
    assert "permission_grants" not in history.tables()
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert grants(history) == [(1, 11, 9031), (6, 12, 9031)]
    history.execute("DELETE FROM permission_grants WHERE id = 1")
    history.insert("permission_grants", group_id=11, permission_id=9031)
    assert grants(history) == [(6, 12, 9031), (7, 11, 9031)]
