"""Guests, discounts, booking channels and reservations, as the legacy system kept them."""

from hotel.migrator.tests import legacy

MIGRATION = ("reservations", "0001_initial")

BOOKING_CHANNELS = """
    id integer NOT NULL KEY
    name varchar(100) NOT NULL
    unique name
    code varchar(20) NOT NULL
    unique code
    description text
    channel_type varchar(50) NOT NULL
    api_url varchar(255)
    api_key varchar(255)
    api_secret varchar(255)
    webhook_url varchar(255)
    is_enabled bool
    auto_confirm bool
    sync_enabled bool
    sync_interval_minutes integer
    commission_percentage decimal
    commission_fixed_amount decimal
    support_contact varchar(255)
    support_email varchar(100)
    created_at datetime
    updated_at datetime
"""
DISCOUNTS = """
    id integer NOT NULL KEY
    name varchar(100) NOT NULL
    code varchar(20)
    unique code
    description text
    discount_type varchar(20) NOT NULL
    discount_value decimal NOT NULL
    max_discount_amount decimal
    applicable_room_types text
    applicable_guests text
    valid_from date
    valid_until date
    usage_limit integer
    usage_count integer
    min_stay_nights integer
    min_booking_amount decimal
    max_bookings_per_guest integer
    status varchar(20)
    is_auto_applied bool
    created_by integer
    created_by -> users.id
    index created_by
    created_at datetime
    updated_at datetime
"""
GUESTS = """
    id integer NOT NULL KEY
    full_name varchar(100) NOT NULL
    index full_name
    email varchar(100)
    index email
    phone varchar(20)
    index phone
    phone_country_code varchar(5)
    id_type varchar(50)
    id_number varchar(50)
    nationality varchar(50)
    birth_date date
    notes text
    is_vip bool
    preferred_room_type_id integer
    preferred_room_type_id -> room_types.id
    index preferred_room_type_id
    created_at datetime
    updated_at datetime
"""
RESERVATIONS = """
    id integer NOT NULL KEY
    confirmation_number varchar(20) NOT NULL
    unique confirmation_number
    guest_id integer NOT NULL
    guest_id -> guests.id
    index guest_id
    check_in_date date NOT NULL
    check_out_date date NOT NULL
    index check_in_date, check_out_date
    room_type_id integer NOT NULL
    room_type_id -> room_types.id
    index room_type_id
    room_id integer
    room_id -> rooms.id
    index room_id
    adults integer
    children integer
    rate_per_night decimal NOT NULL
    number_of_nights integer
    subtotal decimal NOT NULL
    discount_amount decimal
    discount_id integer
    discount_id -> discounts.id
    index discount_id
    total_amount decimal NOT NULL
    special_requests text
    status varchar(20)
    index status
    booking_source varchar(50)
    booking_channel_id integer
    booking_channel_id -> booking_channels.id
    index booking_channel_id
    created_by integer NOT NULL
    created_by -> users.id
    index created_by
    checked_in_at datetime
    checked_in_by_name varchar(100)
    checked_out_at datetime
    is_archived bool
    created_at datetime
    updated_at datetime
"""


def test_makes_empty_tables_of_the_legacy_shape(history):
    history.before(MIGRATION)
    legacy.user(history, 1)
    legacy.room(history, 1)
    others = history.dump()
    history.go(*MIGRATION)
    assert history.dump() == {
        **others,
        "booking_channels": [],
        "discounts": [],
        "guests": [],
        "reservations": [],
    }
    assert legacy.shape(history, "booking_channels") == legacy.lines(BOOKING_CHANNELS)
    assert legacy.shape(history, "discounts") == legacy.lines(DISCOUNTS)
    assert legacy.shape(history, "guests") == legacy.lines(GUESTS)
    assert legacy.shape(history, "reservations") == legacy.lines(RESERVATIONS)


def test_what_the_legacy_system_let_in_comes_back_after_the_tables_were_dropped(history):
    history.at(MIGRATION)
    legacy.guest(history, 6, full_name="", email=" A@b.c ", birth_date="1900-02-28", is_vip=None)
    legacy.guest(
        history,
        2,
        full_name="\N{FULLWIDTH LATIN CAPITAL LETTER G}uest",
        notes="%s 'x'\n",
        id_number="00123",
        is_vip=True,
    )
    history.insert(
        "booking_channels",
        id=3,
        name="Tiket",
        code="tiket",
        channel_type="ota",
        api_secret="k€y/+==",
        commission_percentage="15.50",
        is_enabled=False,
    )
    history.insert(
        "discounts",
        id=4,
        name="Lebaran",
        discount_type="percentage",
        discount_value="0.30",
        applicable_room_types='["STD", "DLX"]',
        valid_from="2025-03-31",
    )
    legacy.room(history, 5, status="occupied")
    legacy.reservation(
        history,
        9,
        guest_id=2,
        room_id=5,
        discount_id=4,
        booking_channel_id=3,
        status="Old_Confirmed ",
        check_in_date="2025-11-10",
        check_out_date="2025-11-06",  # four nights less than none
        total_amount="-0.10",
        rate_per_night="9999999999.99",
        checked_in_at="2025-11-08 23:59:59.999999",
        checked_in_by_name="Siti",
        is_archived=False,
    )
    legacy.reservation(history, 7, guest_id=6, status=None, confirmation_number="conf-009")
    rows = history.dump()
    assert [row["total_amount"] for row in rows["reservations"]] == ["1000000", "-0.1"]
    assert [row["rate_per_night"] for row in rows["reservations"]] == ["500000", "9999999999.99"]
    assert [row["status"] for row in rows["reservations"]] == [None, "Old_Confirmed "]

    history.go("reservations", "zero")
    assert not {"guests", "reservations"} & set(history.tables())
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert {table: history.dump()[table] for table in rows} == rows
    assert legacy.shape(history, "reservations") == legacy.lines(RESERVATIONS)

    history.insert("guests", full_name="new")
    assert legacy.column(history, "guests", "full_name")[7] == "new"
