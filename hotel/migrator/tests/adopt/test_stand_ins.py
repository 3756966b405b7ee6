"""``db adopt`` and users who are not there: each gets a stand-in, and no stay is lost for it."""

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.db import connection

from hotel.migrator.schema import catalog
from hotel.migrator.storage.tables import ArchivedValue
from hotel.migrator.tests.adopt.adoptions import (
    THOROUGH,
    accepted,
    adopt,
    drift,
    dump,
    legacy,
    rows,
    unchecked,
)
from hotel.migrator.tests.legacy_shapes import SHAPES, run
from hotel.tests import stress

ON_POSTGRESQL = connection.vendor == "postgresql"
BY_USER_4 = {
    "payment_attachments.uploaded_by": 3,
    "payments.created_by": 35,
    "reservations.created_by": 23,
    "room_images.uploaded_by": 5,
    "room_type_images.uploaded_by": 2,
}


def users_part(done):
    [part] = [part for part in done["proof"]["tables"] if part["table"] == "users"]
    return part


def allow_no_author():
    """Let a stay have no author, as somebody did by hand."""
    if ON_POSTGRESQL:
        run("ALTER TABLE reservations ALTER created_by DROP NOT NULL")
        return
    run(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'created_by INTEGER NOT NULL',"
        " 'created_by INTEGER') WHERE name = 'reservations'",
        "PRAGMA writable_schema = RESET",
    )
    connection.close()


@stress.whole
@pytest.mark.parametrize("shape", SHAPES if THOROUGH else ["O0", "P"])
def test_no_row_is_lost_for_a_user_who_was_deleted(history, shape):
    legacy(history, shape)
    unchecked("DELETE FROM users WHERE id = 4")
    before = dump()
    shown = adopt("--dry-run")
    assert dump() == before
    done = adopt()
    assert done["proof"] == shown["proof"]
    assert accepted(done) == BY_USER_4
    made = [{"id": 4, "for": 4, "named": "missing-user-4"}]
    assert users_part(done)["stand_ins"] == made
    assert users_part(done)["rows_after"] == users_part(done)["rows_before"] + 1
    for table, was in before[0].items():
        after = catalog.dump(connection, [table])[table]
        after = [{name: row[name] for name in was[0]} for row in after]
        assert [row for row in after if (table, row["id"]) != ("users", "4")] == was
    assert rows("SELECT password_hash, role, status FROM users WHERE id = 4") == [
        ("!", "none", "inactive")
    ]
    kept = ArchivedValue.objects.filter(owner="db adopt", original="4")
    assert kept.filter(became="4").count() == sum(BY_USER_4.values())
    assert list(kept.filter(became=None).values_list("table_name", "column_name", "row_key")) == [
        ("users", "id", "4")
    ]
    assert adopt("--undo")["discarded"] == {}
    assert dump() == before


def test_every_user_may_be_gone(history):
    legacy(history)
    run("INSERT INTO users (id, username, password_hash, role) VALUES (70, 'last', 'x', 'user')")
    unchecked("DELETE FROM users")
    before = dump()
    done = adopt()
    missing = {made["for"] for made in users_part(done)["stand_ins"]}
    assert len(missing) == users_part(done)["rows_after"] > 10
    assert done["proof"]["set_aside"] == []
    assert rows("SELECT count(*) FROM reservations LEFT JOIN users ON users.id = created_by") == [
        (300,)
    ]
    run("INSERT INTO users (username, password_hash, role) VALUES ('first', 'x', 'admin')")
    [(key,)] = rows("SELECT id FROM users WHERE username = 'first'")
    assert key > max(made["id"] for made in users_part(done)["stand_ins"])
    adopt("--undo", "--discard-new-rows")
    assert dump() == before


def test_what_no_user_can_have_had_for_a_key_gets_the_next_that_is_free(history):
    legacy(history)
    allow_no_author()
    run(
        "INSERT INTO users (id, username, password_hash, role) VALUES"
        " (50, 'MISSING-User-0', 'x', 'user'), (51, 'missing-user-0-2', 'x', 'user')"
    )
    unchecked(
        "UPDATE payments SET created_by = 0 WHERE id = 1",
        "UPDATE payments SET created_by = -7 WHERE id = 2",
        "UPDATE reservations SET created_by = 2147483647 WHERE id = 1",
        "UPDATE reservations SET created_by = NULL WHERE id IN (2, 3)",
        "UPDATE payments SET created_by = NULL WHERE id = 3",
    )
    before = dump()
    done = adopt()
    assert users_part(done)["stand_ins"] == [
        {"id": 52, "for": -7, "named": "missing-user--7"},
        {"id": 53, "for": 0, "named": "missing-user-0-3"},
        {"id": 54, "for": 2147483647, "named": "missing-user-2147483647"},
        {"id": 55, "for": None, "named": "missing-user-unknown"},
    ]
    assert rows("SELECT id, created_by FROM payments WHERE id < 4 ORDER BY id") == [
        *((1, 53), (2, 52), (3, None))
    ]
    assert rows("SELECT id, created_by FROM reservations WHERE id < 4 ORDER BY id") == [
        *((1, 54), (2, 55), (3, 55))
    ]
    kept = ArchivedValue.objects.filter(table_name="reservations", column_name="created_by")
    assert sorted(kept.values_list("row_key", "original", "became")) == [
        ("1", "2147483647", "54"),
        ("2", None, "55"),
        ("3", None, "55"),
    ]
    run("INSERT INTO users (username, password_hash, role) VALUES ('next', 'x', 'user')")
    assert rows("SELECT id FROM users WHERE username = 'next'") == [(56,)]
    adopt("--undo", "--discard-new-rows")
    assert dump() == before


def test_at_head_a_stand_in_may_do_nothing(history):
    legacy(history, "O1")
    unchecked("DELETE FROM users WHERE id IN (4, 6)")
    before = dump()
    adopt()
    history.migrate()
    assert drift() == "Models, migrations and database agree."
    users = get_user_model().objects.filter(username__startswith="missing-user-").order_by("pk")
    assert [
        (user.pk, user.full_name, user.is_active, user.is_staff, user.is_superuser)
        for user in users
    ] == [
        (4, "Missing user 4 of the legacy system", False, False, False),
        (6, "Missing user 6 of the legacy system", False, False, False),
    ]
    for user in users:
        assert not user.has_usable_password()
        assert list(user.groups.all()) == []
        assert authenticate(username=user.username, password="!") is None
    assert adopt("--undo")["discarded"] == {}
    assert dump() == before
