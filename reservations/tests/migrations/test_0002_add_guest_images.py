"""Pictures of guests' documents."""

import pytest

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0002_add_guest_images")
BEFORE = ("reservations", "0001")

GUEST_IMAGES = """
    id integer NOT NULL KEY
    guest_id integer NOT NULL
    guest_id -> guests.id
    index guest_id
    image_type varchar(50) NOT NULL
    file_path varchar(500) NOT NULL
    file_name varchar(255) NOT NULL
    file_size integer
    mime_type varchar(100)
    uploaded_by_user_id integer
    uploaded_by_user_id -> users.id
    index uploaded_by_user_id
    created_at datetime
"""


@pytest.fixture
def with_images(history):
    history.at(MIGRATION)
    legacy.user(history, 1)
    legacy.guest(history, 1)
    legacy.guest(history, 2)
    plain = {"image_type": "passport", "file_path": "p.jpg", "file_name": "p"}
    history.insert("guest_images", id=8, guest_id=1, **plain, file_size=0, mime_type="")
    history.insert("guest_images", id=3, guest_id=2, **plain, uploaded_by_user_id=1)
    return history


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1, status="Old_Confirmed ")
    rows = history.dump()
    history.go(*MIGRATION)
    assert legacy.shape(history, "guest_images") == legacy.lines(GUEST_IMAGES)
    assert history.dump() == {**rows, "guest_images": []}


def test_pictures_come_back_with_their_keys_after_the_table_was_dropped(with_images):
    history = with_images
    rows = history.dump()
    assert [row["file_size"] for row in rows["guest_images"]] == [None, "0"]
    history.go(*BEFORE)
    assert "guest_images" not in history.tables()
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump() == rows
    history.insert("guest_images", guest_id=1, image_type="x", file_path="x", file_name="new")
    assert legacy.column(history, "guest_images", "file_name")[9] == "new"


def test_a_picture_of_a_guest_who_was_deleted_meanwhile_stays_away(with_images):
    history = with_images
    history.go(*BEFORE)
    history.execute("DELETE FROM guests WHERE id = 2")
    history.go(*MIGRATION)
    assert legacy.column(history, "guest_images", "guest_id") == {8: 1}
