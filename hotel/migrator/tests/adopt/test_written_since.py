"""What ``db adopt --undo`` would lose: whatever was written since, however it was written."""

import json

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from hotel.legacy import LEGACY
from hotel.migrator import verbs
from hotel.migrator.adopt.takeover import Adopter
from hotel.migrator.adopt.written_since import written
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.storage.tables import Adoption
from hotel.migrator.tests.adopt.adoptions import (
    ON_POSTGRESQL,
    adopt,
    dump,
    legacy,
    refusal,
    rows,
    unchecked,
)
from hotel.migrator.tests.legacy_shapes import TABLES, run
from hotel.migrator.verbs import Position

LOST = "Rows were written since the adoption, which --undo would throw away: "
STAY = ". Nothing was changed. Keep them by staying, or say --discard-new-rows."


def test_rows_that_sql_changed_are_seen_without_their_clock(history):
    before = legacy(history)
    adopt()
    run("UPDATE payments SET amount = 1 WHERE id = 7")
    assert refusal("--undo") == f"{LOST}payments: changed{STAY}"
    done = adopt("--undo", "--discard-new-rows")
    assert done["discarded"] == {"payments": {"changed": None}}
    assert dump() == before


def test_what_was_written_before_the_next_release_is_not_taken_for_its_migrations(history):
    before = legacy(history)
    adopt()
    call_command("migrate", "payments", "0017", verbosity=0)
    run("UPDATE payments SET amount = 1 WHERE id = 7")
    run(
        "INSERT INTO room_blocks (room_id, start_date, end_date, kind, reason, created_at) VALUES"
        " (1, '2031-01-01', '2031-01-03', 'out_of_order', 'paint', '2031-01-01')"
    )
    history.migrate()
    assert refusal("--undo") == f"{LOST}payments: changed; room_blocks: 1 inserted{STAY}"
    adopt("--undo", "--discard-new-rows")
    assert dump() == before


def test_log_ins_and_figures_do_not_count_and_tables_without_a_clock_do(history):
    before = legacy(history)
    adopt()
    history.migrate()
    user = apps.get_model("accounts", "User").objects.filter(is_active=True)[0]
    user.set_password("a new hash of the same")
    user.last_login = "2031-01-01T12:00:00Z"
    user.save(update_fields=["password", "last_login"])
    call_command("compute_metrics", "--from", "2026-01-01", "--to", "2026-01-02", verbosity=0)
    assert rows("SELECT count(*) FROM daily_metrics") != [(0,)]
    standing = Position(connection)
    adopter = Adopter(connection, standing.executor, standing.graph.order, LEGACY)
    assert written(adopter, adopter.latest()) == {}
    user.groups.add(apps.get_model("auth", "Group").objects.order_by("-pk")[0])
    assert apps.get_model("reservations", "GuestImage").objects.update(mime_type="x/y") == 3
    assert refusal("--undo") == f"{LOST}guest_images: changed; users_groups: 1 inserted{STAY}"
    adopt("--undo", "--discard-new-rows")
    assert dump() == before


def test_a_run_that_was_killed_leaves_keys_and_clocks_to_tell(history):
    legacy(history)
    adopt()
    adoption = Adoption.objects.get()
    document = json.loads(adoption.document)
    assert document["written"] == {}
    assert document["stands"]["tables"].keys() >= TABLES.keys()
    adoption.document = json.dumps({**document, "stands": None})  # as between begin and end
    adoption.save()
    run("UPDATE guest_images SET mime_type = 'x/y'")
    run("INSERT INTO guests (full_name) VALUES ('New')")
    assert refusal("--undo") == f"{LOST}guests: 1 inserted{STAY}"


def test_keys_of_rows_that_stayed_aside_are_given_to_nobody_else(history):
    legacy(history)
    [(last,)] = rows("SELECT max(id) FROM payments")
    unchecked(f"UPDATE payments SET reservation_id = 999999 WHERE id = {last}")
    adopt("--accept-set-aside")
    run(
        "INSERT INTO payments (reservation_id, payment_date, amount, payment_method, is_refund,"
        " is_voided, has_proof, payment_type) VALUES (1, '2026-01-01', 5, 'cash',"
        f" {'false, false, false' if ON_POSTGRESQL else '0, 0, 0'}, 'full')"
    )
    assert rows("SELECT max(id) FROM payments") == [(last + 1,)]
    assert refusal("--undo") == f"{LOST}payments: 1 inserted{STAY}"


@pytest.mark.postgresql
def test_the_last_key_of_a_sequence_that_belongs_to_nobody_goes_along(history):
    legacy(history)
    run("ALTER SEQUENCE users_id_seq OWNED BY NONE", "SELECT setval('users_id_seq', 5555)")
    adopt()
    run("INSERT INTO guests (full_name) VALUES ('New')")
    assert rows("SELECT nextval(pg_get_serial_sequence('users', 'id'))") == [(5556,)]


def test_what_is_only_moved_aside_is_proved_too(history):
    legacy(history)
    run("ALTER TABLE rooms ADD COLUMN level varchar(10)", "UPDATE rooms SET level = 'A'")
    adopt()
    there = "legacy.rooms" if ON_POSTGRESQL else "legacy_rooms"
    run(f"UPDATE {there} SET level = 'ZZ' WHERE id = 1")
    with pytest.raises(FailedDuringApply) as caught:
        adopt("--undo")
    assert str(caught.value) == (
        "rooms.level would not come back as it was: somebody wrote into the tables that are kept"
        " aside. Nothing was changed."
    )


def test_what_is_gone_cannot_come_back_and_the_adoption_can_end(history):
    legacy(history)
    adopt()
    if ON_POSTGRESQL:
        run("DROP SCHEMA legacy CASCADE")
    else:
        connection.disable_constraint_checking()
        for (name,) in rows("SELECT name FROM sqlite_master WHERE name LIKE 'legacy_%'"):
            run(f"DROP TABLE {name}")
    assert refusal("--undo").startswith("What was kept aside is not there any more: ")
    assert adopt("--finish")["dropped"] == []
    assert Adoption.objects.get().state == "finished"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE guests ADD COLUMN loyalty varchar(10)", "The database was changed while"),
        ("CREATE VIEW takings AS SELECT sum(amount) FROM payments", "The view takings reads"),
    ],
)
def test_what_changes_while_it_asks_is_not_lost(history, statement, said):
    legacy(history)

    def yes_after_a_while():
        run(statement)
        return True

    with pytest.raises(RefusedByPreflight) as caught:
        verbs.adopt(connection, verbs.Console(ask=yes_after_a_while))
    assert said in str(caught.value)
    assert "migrator_adoption" not in connection.introspection.table_names()


def test_an_adopted_database_that_lost_its_records_gets_them_again(history):
    before = legacy(history)
    adopt()
    run("DELETE FROM django_migrations")
    done = adopt()
    assert (done["did"], len(done["proof"]["recorded"])) == ("stamped", 10)
    adopt("--undo")
    assert dump() == before
