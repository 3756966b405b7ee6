"""``db adopt`` and rows that no rule held: what is kept, what is emptied, what stays aside."""

import pytest
from django.db import connection

from hotel.migrator.schema import catalog
from hotel.migrator.storage.tables import ArchivedValue
from hotel.migrator.tests.adopt.adoptions import (
    ON_POSTGRESQL,
    accepted,
    adopt,
    dump,
    legacy,
    refusal,
    rows,
    unchecked,
)
from hotel.migrator.tests.legacy_shapes import run


def test_an_orphan_loses_its_optional_reference_and_the_archive_has_it(history):
    legacy(history)
    unchecked("UPDATE reservations SET discount_id = 999 WHERE id IN (1, 2)")
    before = dump()
    done = adopt()
    assert accepted(done) == {"reservations.discount_id": 2}
    assert rows("SELECT discount_id FROM reservations WHERE id IN (1, 2)") == [(None,), (None,)]
    kept = ArchivedValue.objects.values_list("owner", "table_name", "column_name", "row_key")
    assert sorted(kept) == [("db adopt", "reservations", "discount_id", key) for key in "12"]
    assert set(ArchivedValue.objects.values_list("original", flat=True)) == {"999"}
    adopt("--undo")
    assert dump() == before


def test_a_row_without_what_it_needs_stays_aside_with_what_needs_it(history):
    legacy(history)
    [(stay,)] = rows(
        "SELECT r.id FROM reservations r JOIN payments p ON p.reservation_id = r.id"
        " JOIN payment_attachments a ON a.payment_id = p.id ORDER BY 1 LIMIT 1"
    )
    [(payments,)] = rows(f"SELECT count(*) FROM payments WHERE reservation_id = {stay}")
    [(files,)] = rows(
        "SELECT count(*) FROM payment_attachments a JOIN payments p ON p.id = a.payment_id"
        f" WHERE p.reservation_id = {stay}"
    )
    unchecked(f"UPDATE reservations SET guest_id = 999999 WHERE id = {stay}")
    before = dump()
    shown = adopt("--dry-run", "--accept-set-aside")
    assert dump() == before
    done = adopt("--accept-set-aside")
    assert shown["proof"] == done["proof"]
    assert accepted(done) == {
        "reservations": 1,
        "payments": payments,
        "payment_attachments": files,
    }
    assert files and payments
    [part] = [part for part in done["proof"]["tables"] if part["table"] == "payments"]
    assert part["rows_before"] == part["rows_after"] + part["set_aside"]
    adopt("--undo")
    assert dump() == before


def test_what_stays_aside_outlives_the_end_of_an_adoption(history):
    legacy(history)
    unchecked("UPDATE payments SET reservation_id = 999999 WHERE id = 1")
    adopt("--accept-set-aside")
    done = adopt("--finish")
    assert "payments" in done["kept"]
    aside = "legacy.payments" if ON_POSTGRESQL else "legacy_payments"
    assert rows(f"SELECT id FROM {aside} WHERE reservation_id = 999999") == [(1,)]


@pytest.mark.parametrize(
    "statement, said",
    [
        (
            "UPDATE rooms SET room_number = '101' WHERE id IN (1, 2)",
            "rooms.room_number: 1 value used more than once (id 1, 2).",
        ),
        (
            "UPDATE guests SET full_name = NULL WHERE id IN (3, 4)",
            "guests.full_name: 2 rows with no value, where one is needed (id 3, 4).",
        ),
    ],
)
def test_rows_that_no_table_here_can_hold_are_named_and_nothing_is_changed(
    history, statement, said
):
    legacy(history)
    if ON_POSTGRESQL:
        run("DROP INDEX ix_rooms_room_number", "ALTER TABLE guests ALTER full_name DROP NOT NULL")
    else:
        run("DROP INDEX ix_rooms_room_number", "PRAGMA writable_schema = ON")
        run(
            "UPDATE sqlite_master SET sql = replace(sql, 'full_name VARCHAR(100) NOT NULL',"
            " 'full_name VARCHAR(100)') WHERE name = 'guests'",
            "PRAGMA writable_schema = RESET",
        )
        connection.close()
    run(statement)
    before = dump()
    expected = f"No table of this history can hold what is here, so nothing was changed. {said}"
    assert refusal("--dry-run") == expected
    assert refusal() == expected
    assert dump() == before


@pytest.mark.sqlite
def test_what_is_too_long_or_too_fine_is_listed_and_kept(history):
    legacy(history)
    run(
        "UPDATE guests SET phone_country_code = '+62 or so' WHERE id = 5",
        "UPDATE payments SET amount = 10.005 WHERE id = 7",
    )
    before = catalog.dump(connection, ["guests", "payments"])
    done = adopt()
    assert done["proof"]["notes"] == [
        "guests.phone_country_code: 1 row with a text longer than 5 characters, which is kept"
        " (id 5).",
        "payments.amount: 1 row with more than 2 decimals, which are kept (id 7).",
    ]
    after = catalog.dump(connection, ["guests", "payments"])
    assert after["guests"] == before["guests"]
    assert rows("SELECT CAST(amount AS text) FROM payments WHERE id = 7") == [("10.005",)]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "statement, said",
    [
        ("UPDATE payments SET amount = 'much' WHERE id = 7", "payments.amount: 1 row with"),
        ("UPDATE rooms SET is_active = 'yes' WHERE id = 2", "rooms.is_active: 1 row with"),
        (
            "UPDATE guests SET birth_date = '31.12.1980' WHERE id = 2",
            "guests.birth_date: 1 row with",
        ),
        ("UPDATE guests SET created_at = 'today' WHERE id = 2", "guests.created_at: 1 row with"),
        ("UPDATE rooms SET floor = 'top' WHERE id = 2", "rooms.floor: 1 row with"),
    ],
)
def test_values_of_another_kind_are_named(history, statement, said):
    legacy(history)
    run(statement)
    assert said in refusal()
