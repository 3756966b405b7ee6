"""``db adopt``: every shape comes over whole, and goes back as it was."""

import io
import os
import subprocess
import sys
import tempfile

import pytest
from django.core.management import call_command
from django.db import connection

from conftest import PLAN
from hotel.migrator import verbs
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight, WrongUse
from hotel.migrator.schema import catalog
from hotel.migrator.storage.journal import entries
from hotel.migrator.storage.tables import Adoption
from hotel.migrator.tests.adopt.adoptions import (
    ON_POSTGRESQL,
    SHARED,
    STANDS,
    THOROUGH,
    UNKNOWN,
    adopt,
    drift,
    dump,
    legacy,
    refusal,
    rows,
    statements,
)
from hotel.migrator.tests.legacy_shapes import SHAPES, TABLES, load, run, run_sql_files
from hotel.tests import stress


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_comes_over_whole_and_goes_back(history, shape):
    before, catalog_before = legacy(history, shape)
    made = statements()
    shown = adopt("--dry-run")
    assert (shown["did"], shown["shape"]) == ("shown", shape)
    assert dump() == (before, catalog_before)
    done = adopt()
    assert (done["did"], done["shape"], done["proof"]) == ("adopted", shape, shown["proof"])
    after = catalog.dump(connection, before)
    for table, was in before.items():
        assert [{name: row[name] for name in was[0]} for row in after[table]] == was
    assert drift() == "Models, migrations and database agree."
    again = adopt()
    assert (again["did"], again["proof"]) == ("nothing", done["proof"])
    assert adopt("--undo")["tables"] == {table: len(was) for table, was in before.items()}
    assert dump() == (before, catalog_before)
    assert statements() == made


@stress.whole
@pytest.mark.parametrize("name", ["orm", "sql003"])
def test_the_samples_come_over_whole_and_go_back(history, name):
    file = SHARED / f"legacy_{name}.{connection.vendor}.sql"
    if not file.exists():
        pytest.skip("needs the sample databases beside the project")
    history.at(None)
    load(file)
    before = dump()
    assert adopt("--dry-run")["did"] == "shown"
    assert dump() == before
    adopt()
    if THOROUGH:
        history.migrate()
        assert drift() == "Models, migrations and database agree."
    adopt("--undo")
    assert dump() == before


def test_a_mixture_says_what_it_has_twice_and_what_it_lacks(history):
    legacy(history, lacks=[("reservations", "deposit_returned_at"), ("payments", "payment_type")])
    run_sql_files()
    run("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    run("INSERT INTO alembic_version VALUES ('2f0a')")
    shown = adopt("--dry-run")
    assert shown["shape"] == "mixture"
    twice = ["7 indexes are there twice; one remains."]
    if ON_POSTGRESQL:
        twice.append("1 foreign key is there twice; one remains.")
    assert shown["remarks"] == [
        *twice,
        "It lacks reservations.checked_in_by_name, reservations.deposit_returned_at,"
        " payments.payment_type, which will be empty.",
        "alembic_version is there, Alembic's record of revisions: it is kept aside.",
    ]
    adopt()
    assert rows("SELECT count(payment_type), count(*) > 0 FROM payments") == [(0, True)]
    assert drift() == "Models, migrations and database agree."
    adopt("--finish")
    aside = '"legacy"."alembic_version"' if ON_POSTGRESQL else "legacy_alembic_version"
    assert rows(f"SELECT * FROM {aside}") == [("2f0a",)]


def test_what_was_recorded_is_in_the_journal(history):
    legacy(history, "O1")
    adopt()
    assert {entry.remark for entry in entries(connection, event="finished")} == {
        "recorded by db adopt, which made it from a database of shape O1"
    }
    adopt("--undo")
    last = entries(connection, latest=1)[0]
    assert (last.direction, last.is_fake) == ("backward", True)
    assert last.remark == "recorded by db adopt --undo"
    states = Adoption.objects.values_list("state", "shape")
    assert list(states) == [("undone", "O1")]


def key_of(name):
    [key] = [key for key in PLAN if ".".join(key).startswith(name)]
    return key


POINTS = ["dashboard.0001", "reservations.0007", *["sessions.0001"] * THOROUGH]


@stress.whole
@pytest.mark.parametrize("point", POINTS)
def test_a_database_of_this_history_is_recorded_at_its_point(history, point):
    history.at(key_of(point))
    before = dump()
    run("DROP TABLE django_migrations")
    assert adopt("--dry-run")["did"] == "shown"
    assert "django_migrations" not in connection.introspection.table_names()
    done = adopt()
    assert (done["kind"], done["did"]) == ("point", "stamped")
    expected = PLAN[: PLAN.index(key_of(point)) + 1]
    assert done["proof"]["recorded"] == [".".join(key) for key in expected]
    assert dump() == before
    assert adopt()["kind"] == "native"


def test_points_that_differ_in_rows_only_are_not_guessed(history):
    history.at(key_of("accounts.0004"))
    run("DROP TABLE django_migrations")
    history.insert("users", id=1, username="a", password_hash="b", role="user", status="active")
    assert refusal() == (
        "The database is this history at one of accounts.0003_add_permission_grants,"
        " accounts.0004_convert_credentials, accounts.0005_convert_roles: these have the same"
        " tables and differ in what they do to rows, so nothing was recorded. Find out which ran"
        " last, and record it with manage.py db stamp."
    )


REFUSED = {
    "a missing table": (["DROP TABLE settings"], UNKNOWN + "The table settings is missing."),
    "a missing column": (
        ["ALTER TABLE guests DROP COLUMN nationality"],
        UNKNOWN + "The column guests.nationality is missing.",
    ),
    "an extra column": (
        ["ALTER TABLE guests ADD COLUMN shoe_size integer"],
        UNKNOWN + "The column guests.shoe_size (integer) is not one of the legacy hotel system.",
    ),
    "another type": (
        [
            "ALTER TABLE guests DROP COLUMN notes",
            "ALTER TABLE guests ADD COLUMN notes varchar(500)",
        ],
        UNKNOWN + "The column guests.notes is TYPE instead of text.",
    ),
    "a table of somebody else": (
        ["CREATE TABLE loyalty_cards (id integer PRIMARY KEY)"],
        UNKNOWN + "The table loyalty_cards is not one of the legacy hotel system.",
    ),
    "a view": (
        ["CREATE VIEW arrivals AS SELECT id FROM reservations"],
        STANDS + "The view arrivals reads reservations: drop it, and make it anew for the new"
        " tables afterwards.",
    ),
    "the boarding house": (
        ["CREATE TABLE tenants (id integer PRIMARY KEY)"],
        "This is a database of shape K, so nothing was changed. It is of the boarding house system"
        " (kos) that came before the hotel system: another business, whose monthly rents have no"
        " honest nightly rate and whose tenants no stays. It is not taken over. Keep its file, and"
        " begin a hotel with an empty database.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_named_before_anything_is_changed(history, what):
    statements, said = REFUSED[what]
    legacy(history)
    run(*statements)
    before = dump()
    said = said.replace("TYPE", "character varying(500)" if ON_POSTGRESQL else "varchar(500)")
    assert refusal("--dry-run") == said
    assert refusal() == said
    assert dump() == before


def test_a_view_that_reads_none_of_the_tables_is_kept(history):
    legacy(history)
    run("CREATE VIEW one AS SELECT 1 AS number")
    adopt()
    assert rows("SELECT number FROM one") == [(1,)]


def test_an_empty_database_is_told_to_migrate(history):
    history.at(None)
    assert refusal() == (
        "The database is empty: there is nothing to take over. manage.py migrate makes the tables."
    )


def test_half_of_a_history_is_refused(history):
    legacy(history)
    call_command("migrate", "contenttypes", verbosity=0)
    said = refusal()
    assert said.startswith(
        "Its history says that 2 migrations were applied, up to"
        " contenttypes.0002_remove_content_type_name, and the database is not what these make, so"
        " nothing was changed. The table booking_channels is there, and no migration makes it."
    )


def test_the_history_of_another_project_is_refused(history):
    legacy(history)
    run(
        "CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(255),"
        " name varchar(255), applied timestamp)",
        "INSERT INTO django_migrations VALUES (1, 'shop', '0001_initial', '2025-01-01 00:00:00')",
    )
    assert refusal() == (
        "Its table django_migrations names what this project does not have: shop.0001_initial. So"
        " it is of another project or release, and nothing was changed: take the release that has"
        " these files."
    )


def test_neither_drift_nor_doctor_would_drop_its_tables(history):
    before = legacy(history)
    found = verbs.drift(connection).document
    assert found["script"] == []
    assert found["withheld"] == (
        "No script is printed: it would drop tables with rows, which migrations make that are left"
        " to apply: booking_channels, discounts, expenses, guest_images, guests and 9 more. If the"
        " database is of a legacy system, take it over with manage.py db adopt; if these migrations"
        " were applied, record them with manage.py db stamp; if nobody needs the rows, drop the"
        " tables yourself."
    )
    assert [(one["kind"], one["mend"]) for one in verbs.doctor(connection).document] == [
        (
            "legacy",
            "Take it over: manage.py db adopt --dry-run shows how, and manage.py db adopt does it.",
        )
    ]
    assert dump() == before
    assert adopt()["did"] == "adopted"


def test_a_migrate_that_failed_before_does_not_stand_in_the_way(history):
    legacy(history)
    with pytest.raises(RefusedByPreflight, match=r"Take it over: manage\.py db adopt --dry-run"):
        history.migrate()
    assert adopt()["did"] == "adopted"


def test_nobody_can_be_asked_without_a_terminal(history, monkeypatch):
    legacy(history)
    before = dump()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(WrongUse, match="say --no-input to go on without"):
        call_command("db", "adopt", stdout=io.StringIO())
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    output = io.StringIO()
    call_command("db", "adopt", stdout=output)
    assert output.getvalue().endswith("Nothing was changed.\n")
    assert dump() == before


def test_options_that_do_not_go_together_are_wrong_use(history):
    history.at(None)
    for words in (["--undo", "--finish"], ["--dry-run", "--undo"], ["--discard-new-rows"]):
        with pytest.raises(WrongUse, match="Say one of --dry-run, --undo and --finish"):
            adopt(*words)


def test_undo_and_finish_need_an_adoption(history):
    legacy(history)
    said = (
        "This database is not an adopted one, so there is nothing to undo or to finish."
        " manage.py db adopt --dry-run says what it is."
    )
    assert refusal("--undo") == said
    adopt()
    assert adopt("--finish")["kept"] == []
    assert refusal("--undo").startswith("The adoption was finished on ")
    assert adopt()["says"].endswith("and that is finished.")
    assert set(TABLES) <= set(connection.introspection.table_names())


def test_undo_is_refused_once_rows_were_written(history):
    before = legacy(history)
    adopt()
    run(
        "INSERT INTO guests (full_name) VALUES ('New')",
        "UPDATE rooms SET updated_at = '2026-01-01 00:00:00' WHERE id = 1",
        "DELETE FROM payment_attachments WHERE id = 1",
    )
    assert refusal("--undo") == (
        "Rows were written since the adoption, which --undo would throw away: guests: 1 inserted;"
        " payment_attachments: 1 deleted; rooms: 1 changed. Nothing was changed. Keep them by"
        " staying, or say --discard-new-rows."
    )
    done = adopt("--undo", "--discard-new-rows")
    assert done["discarded"]["guests"] == {"inserted": 1}
    assert dump() == before


def test_a_column_that_no_model_has_is_kept_aside_for_good(history):
    legacy(history)
    run("ALTER TABLE rooms ADD COLUMN level varchar(10)", "UPDATE rooms SET level = 'B'")
    before = dump()
    done = adopt()
    assert done["proof"]["kept_columns"] == ["rooms.level"]
    assert drift() == "Models, migrations and database agree."
    adopt("--undo")
    assert dump() == before
    adopt()
    assert adopt("--finish")["kept"] == ["rooms"]
    aside = "legacy.rooms" if ON_POSTGRESQL else "legacy_rooms"
    assert rows(f"SELECT DISTINCT level FROM {aside}") == [("B",)]
    history.migrate("reservations", "0006")  # a rebuild on SQLite, which checks every table


@pytest.mark.sqlite
def test_a_file_that_is_not_there_is_not_made(tmp_path):
    file = tmp_path / "no.sqlite3"
    end = subprocess.run(
        [sys.executable, "manage.py", "db", "adopt", "--dry-run"],
        env={**os.environ, "DATABASE_URL": f"sqlite:///{file}"},
        capture_output=True,
        text=True,
    )
    assert (end.returncode, end.stdout) == (3, "")
    assert end.stderr.endswith(
        f"There is no file {file}: let DATABASE_URL name the legacy database.\n"
    )
    assert not file.exists()


@pytest.mark.sqlite
def test_a_copy_for_which_there_is_no_room_is_told(history, monkeypatch, tmp_path):
    legacy(history)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(FailedDuringApply) as caught:
        adopt("--dry-run")
    assert str(caught.value).startswith(
        "The database could not be copied into the folder for temporary files, where --dry-run"
        " tries everything: "
    )
