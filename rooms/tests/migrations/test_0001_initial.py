"""Room types, rooms and their pictures, as the legacy system kept them."""

from hotel.migrator.tests import legacy

MIGRATION = ("rooms", "0001_initial")

ROOM_TYPES = """
    id integer NOT NULL KEY
    name varchar(100) NOT NULL
    code varchar(10) NOT NULL
    unique code
    description text
    base_capacity_adults integer
    base_capacity_children integer
    bed_config varchar(100)
    default_rate decimal NOT NULL
    amenities text
    max_occupancy integer
    is_active bool
    index is_active
    created_at datetime
    updated_at datetime
"""
ROOMS = """
    id integer NOT NULL KEY
    room_number varchar(10) NOT NULL
    unique room_number
    floor integer
    room_type_id integer NOT NULL
    room_type_id -> room_types.id
    index room_type_id
    status varchar(20)
    index status
    view_type varchar(50)
    notes text
    custom_rate decimal
    is_active bool
    index is_active
    created_at datetime
    updated_at datetime
"""
IMAGES = """
    id integer NOT NULL KEY
    image_name varchar(255) NOT NULL
    image_type varchar(20) NOT NULL
    image_path varchar(500) NOT NULL
    storage_location varchar(50) NOT NULL
    file_size_bytes integer
    image_width integer
    image_height integer
    mime_type varchar(100)
    original_filename varchar(255)
    uploaded_by integer
    uploaded_by -> users.id
    index uploaded_by
    description text
    display_order integer
    is_active bool
    created_at datetime
    updated_at datetime
"""
ROOM_IMAGES = f"""
    room_id integer NOT NULL
    room_id -> rooms.id
    index room_id
    {IMAGES}
"""
ROOM_TYPE_IMAGES = f"""
    room_type_id integer NOT NULL
    room_type_id -> room_types.id
    index room_type_id
    {IMAGES}
"""


def image(history, table, key, **columns):
    """Insert a picture; ``columns`` name what it shows."""
    plain = {
        "image_name": "Kamar",
        "image_type": "main_photo",
        "image_path": "kamar.jpg",
        "storage_location": "local",
    }
    history.insert(table, id=key, **{**plain, **columns})


def test_makes_empty_tables_of_the_legacy_shape(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    users = history.dump()
    history.go(*MIGRATION)
    assert history.dump() == {
        **users,
        "room_types": [],
        "rooms": [],
        "room_type_images": [],
        "room_images": [],
    }
    assert legacy.shape(history, "room_types") == legacy.lines(ROOM_TYPES)
    assert legacy.shape(history, "rooms") == legacy.lines(ROOMS)
    assert legacy.shape(history, "room_images") == legacy.lines(ROOM_IMAGES)
    assert legacy.shape(history, "room_type_images") == legacy.lines(ROOM_TYPE_IMAGES)


def test_rooms_come_back_with_their_keys_after_the_tables_were_dropped(history):
    history.at(MIGRATION)
    legacy.user(history, 1)
    legacy.room_type(history, 4, code="SUITE", default_rate="9999999999.99", is_active=None)
    legacy.room_type(
        history,
        2,
        code="",
        name="Kamar 'dua'",
        default_rate="-0.10",
        amenities='AC,\nTV, "bath"',
        is_active=False,
        created_at="2025-11-08 00:00:00.000001",
    )
    legacy.room(history, 8, room_type_id=4, status=None, custom_rate="0.01", floor=-1)
    legacy.room(history, 3, room_type_id=2, status=" Available", room_number="007", notes="")
    image(history, "room_images", 5, room_id=8, uploaded_by=1, image_name="日本 😀")
    image(history, "room_type_images", 6, room_type_id=2, display_order=0, is_active=True)
    rows = history.dump()
    assert [row["default_rate"] for row in rows["room_types"]] == [
        "500000",
        "-0.1",
        "9999999999.99",
    ]
    assert [row["status"] for row in rows["rooms"]] == [" Available", None]

    history.go("rooms", "zero")
    assert history.tables() == ["users"]
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump() == rows
    assert legacy.shape(history, "rooms") == legacy.lines(ROOMS)

    history.insert("room_types", name="new", code="new", default_rate="1")
    history.insert("rooms", room_number="new", room_type_id=4)
    assert set(legacy.column(history, "room_types", "code")) == {1, 2, 4, 5}
    assert set(legacy.column(history, "rooms", "room_number")) == {3, 8, 9}


def test_a_picture_comes_back_without_an_uploader_who_was_deleted_meanwhile(history):
    history.at(MIGRATION)
    legacy.user(history, 1)
    legacy.user(history, 2)
    legacy.room(history, 1)
    image(history, "room_images", 1, room_id=1, uploaded_by=1)
    image(history, "room_images", 2, room_id=1, uploaded_by=2)
    history.go("rooms", "zero")
    history.execute("DELETE FROM users WHERE id = 2")
    history.go(*MIGRATION)
    assert legacy.column(history, "room_images", "uploaded_by") == {1: 1, 2: None}
