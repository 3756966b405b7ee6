"""What comes back from the archive when the world has moved on while a table or column was gone."""

import logging

from hotel.migrator.storage.tables import ArchivedValue
from hotel.migrator.tests import legacy

GUEST_IMAGES = ("reservations", "0002_add_guest_images")
CHECKED_IN_BY = ("reservations", "0003_add_checked_in_by")


def image(history, key, **columns):
    columns = {"guest_id": 1, "image_type": "passport", "file_path": "/", **columns}
    history.insert("guest_images", id=key, file_name=f"{key}.jpg", **columns)


def images(history):
    return history.execute(
        "SELECT id, guest_id, uploaded_by_user_id, file_name FROM guest_images ORDER BY id"
    )


def test_a_row_whose_parent_is_gone_stays_in_the_archive(history, caplog):
    history.at(GUEST_IMAGES)
    legacy.guest(history, 1)
    legacy.guest(history, 2)
    image(history, 1)
    image(history, 2, guest_id=2)
    history.migrate("reservations", "0001")
    history.execute("DELETE FROM guests WHERE id = 2")
    with caplog.at_level(logging.WARNING, "hotel.migrator"):
        history.migrate(*GUEST_IMAGES)
    assert images(history) == [(1, 1, None, "1.jpg")]
    assert [record.getMessage() for record in caplog.records] == [
        "guest_images: 1 rows stay in migrator_archive: their keys were taken,"
        " or rows they refer to are gone."
    ]
    assert list(ArchivedValue.objects.values_list("table_name", "row_key")) == [
        ("guest_images", "2")
    ]


def test_a_reference_that_may_be_empty_is_emptied_when_its_row_is_gone(history):
    history.at(GUEST_IMAGES)
    legacy.guest(history, 1)
    legacy.user(history, 1)
    image(history, 1, uploaded_by_user_id=1)
    history.migrate("reservations", "0001")
    history.execute("DELETE FROM users")
    history.migrate(*GUEST_IMAGES)
    assert images(history) == [(1, 1, None, "1.jpg")]


def test_a_column_does_not_refer_to_a_row_that_is_gone(history):
    history.at(CHECKED_IN_BY)
    legacy.reservation(history, 1)
    legacy.user(history, 2)
    legacy.reservation(history, 2, checked_in_by=2)
    legacy.reservation(history, 3, checked_in_by=1)
    history.migrate("reservations", "0002")
    history.execute("DELETE FROM users WHERE id = 2")
    history.migrate(*CHECKED_IN_BY)
    rows = history.execute("SELECT id, checked_in_by FROM reservations ORDER BY id")
    assert rows == [(1, None), (2, None), (3, 1)]


def test_memberships_go_down_and_come_back_without_those_that_a_manager_ended(history):
    history.before(("accounts", "0005_convert_roles"))
    for key in (1, 2, 3):
        legacy.user(history, key)
    history.migrate("accounts", "0005")
    members = "SELECT user_id FROM users_groups ORDER BY user_id"
    assert history.execute(members) == [(1,), (2,), (3,)]
    history.execute("DELETE FROM users_groups WHERE user_id = 2")
    history.migrate("accounts", "0004")
    assert history.execute(members) == []
    history.execute("DELETE FROM users WHERE id = 3")
    history.migrate("accounts", "0005")
    assert history.execute(members) == [(1,)]


def test_a_new_member_gets_a_free_key_after_the_table_came_back(history):
    history.before(("accounts", "0005_convert_roles"))
    legacy.user(history, 1)
    history.migrate("accounts", "0005").migrate("accounts", "0001").migrate("accounts", "0004")
    legacy.user(history, 2)
    history.migrate("accounts", "0005")
    members = history.execute("SELECT user_id FROM users_groups ORDER BY user_id")
    assert members == [(1,), (2,)]
