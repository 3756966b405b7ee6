"""The table of users, as the legacy system kept it."""

from hotel.migrator.tests import legacy

MIGRATION = ("accounts", "0001_initial")

USERS = """
    id integer NOT NULL KEY
    username varchar(50) NOT NULL
    unique username
    password_hash varchar(255) NOT NULL
    email varchar(100)
    index email
    full_name varchar(100)
    phone varchar(20)
    role varchar(10) NOT NULL
    status varchar(10)
    index status
    last_login datetime
    created_at datetime
    updated_at datetime
"""


def test_makes_an_empty_table_of_the_legacy_shape(history):
    history.at(None).go(*MIGRATION)
    assert history.tables() == ["users"]
    assert legacy.shape(history, "users") == legacy.lines(USERS)
    assert history.dump() == {"users": []}


def test_users_come_back_with_their_keys_after_the_table_was_dropped(history):
    history.at(MIGRATION)
    legacy.user(
        history,
        3,
        username="siti'\"\\\n\N{FULLWIDTH PERCENT SIGN}",
        email="",
        full_name="Siti Nur\N{RIGHT SINGLE QUOTATION MARK}aini 西蒂",
        phone=" 0812",
        role="admin",
        status="Active ",
        last_login="2025-11-08 23:59:59.999999",
        created_at="2025-10-24 00:00:00",
    )
    legacy.user(history, 7, username="budi", password_hash="", role="", status=None)
    plain = {
        "email": None,
        "full_name": None,
        "phone": None,
        "last_login": None,
        "created_at": None,
        "updated_at": None,
    }
    siti = {
        **plain,
        "id": "3",
        "username": "siti'\"\\\n\N{FULLWIDTH PERCENT SIGN}",
        "password_hash": legacy.HASH,
        "email": "",
        "full_name": "Siti Nur\N{RIGHT SINGLE QUOTATION MARK}aini 西蒂",
        "phone": " 0812",
        "role": "admin",
        "status": "Active ",
        "last_login": "2025-11-08 23:59:59.999999",
        "created_at": "2025-10-24 00:00:00",
    }
    budi = {
        **plain,
        "id": "7",
        "username": "budi",
        "password_hash": "",
        "role": "",
        "status": None,
    }
    assert history.dump() == {"users": [siti, budi]}

    history.go("accounts", "zero")
    assert history.tables() == []
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump() == {"users": [siti, budi]}
    assert legacy.shape(history, "users") == legacy.lines(USERS)

    history.insert("users", username="new", password_hash="", role="user")
    assert legacy.column(history, "users", "username")[8] == "new"


def test_no_row_comes_back_from_an_empty_table(history):
    history.at(MIGRATION).go("accounts", "zero").go(*MIGRATION)
    assert history.dump() == {"users": []}
    assert legacy.archive(history, "row_key") == []
