"""``db adopt`` on servers where little is allowed, and where clocks are told otherwise."""

import os
from contextlib import closing, contextmanager

import pytest
from django.db import connection

from hotel.migrator.exceptions import FailedDuringApply
from hotel.migrator.schema import catalog
from hotel.migrator.tests.adopt.adoptions import (
    THOROUGH,
    adopt,
    drift,
    dump,
    legacy,
    refusal,
    rows,
)
from hotel.migrator.tests.legacy_shapes import TABLES, run
from hotel.tests import stress

pytestmark = pytest.mark.postgresql
ROLE = f"hotel_keeper_{os.getpid()}"


@contextmanager
def session(options):
    """Let every new session of this database have these options."""
    given = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = {**given, "options": options}
    connection.close()
    try:
        yield
    finally:
        connection.settings_dict["OPTIONS"] = given
        connection.close()


@pytest.fixture
def keeper(history):
    """A role that owns the legacy tables and may do nothing else; no extension is there."""
    legacy(history)
    database = connection.settings_dict["NAME"]
    run(
        "DROP EXTENSION IF EXISTS btree_gist",
        "DROP EXTENSION IF EXISTS pg_trgm",
        f"DROP ROLE IF EXISTS {ROLE}",
        f"CREATE ROLE {ROLE} NOSUPERUSER NOCREATEDB",
        f"GRANT CONNECT ON DATABASE {database} TO {ROLE}",
        "REVOKE TEMPORARY ON DATABASE " + database + " FROM PUBLIC",
        *(f"ALTER TABLE {table} OWNER TO {ROLE}" for table in TABLES),
    )
    yield database
    run(f"REASSIGN OWNED BY {ROLE} TO current_user", f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


@stress.whole
def test_the_rights_that_are_missing_are_named_and_enough(history, keeper):
    before = dump()
    with session(f"-c role={ROLE}"):
        said = refusal()
        assert refusal("--dry-run") == said
    needed = [
        f'GRANT CREATE ON SCHEMA "public" TO "{ROLE}";',
        f'GRANT TEMPORARY ON DATABASE "{keeper}" TO "{ROLE}";',
        f'CREATE SCHEMA "legacy" AUTHORIZATION "{ROLE}";',
        'CREATE EXTENSION "btree_gist";',
        'CREATE EXTENSION "pg_trgm";',
    ]
    assert said == (
        f"This role lacks a right, so nothing was changed: to make tables in the schema public:"
        f" {needed[0]} to make temporary tables: {needed[1]} to make the schema legacy:"
        f" {needed[2]} to create the extension btree_gist, which migrate needs: let a superuser"
        f" run {needed[3]} to create the extension pg_trgm, which migrate needs: let a superuser"
        f" run {needed[4]}"
    )
    assert dump() == before
    run(*needed)
    with session(f"-c role={ROLE}"):
        adopt()
        if THOROUGH:
            history.migrate()
            assert drift() == "Models, migrations and database agree."
        adopt("--undo")
    assert rows("SELECT count(*) FROM pg_namespace WHERE nspname = 'legacy'") == [(1,)]
    assert dump() == before


def test_a_role_must_own_the_tables(history, keeper):
    run("ALTER TABLE guests OWNER TO current_user")
    with session(f"-c role={ROLE}"):
        assert f'to own guests: ALTER TABLE "guests" OWNER TO "{ROLE}";' in refusal()


def test_no_clock_of_a_server_or_a_session_moves_a_value(history):
    before, _ = legacy(history)
    run(f"ALTER DATABASE {connection.settings_dict['NAME']} SET timezone = 'Pacific/Auckland'")
    with session("-c timezone=America/Sao_Paulo -c datestyle=SQL,DMY"):
        adopt()
    after = catalog.dump(connection, before)
    for table, was in before.items():
        assert [{name: row[name] for name in was[0]} for row in after[table]] == was


def test_owner_and_rights_that_stay_behind_are_said(history, keeper):
    run("GRANT SELECT ON guests TO PUBLIC")
    assert adopt("--dry-run")["remarks"][-2:] == [
        f"The tables belong to {ROLE}; the new ones will belong to postgres: let the role adopt"
        " with which the hotel will run.",
        "PUBLIC has rights on these tables: grant them anew on the new ones.",
    ]


def test_new_keys_are_above_all_that_were_ever_given(history):
    legacy(history)
    run("SELECT setval('guests_id_seq', 5000)", "SELECT setval('rooms_id_seq', 1)")
    adopt()
    run("INSERT INTO guests (full_name) VALUES ('New')")
    assert rows("SELECT max(id) FROM guests") == [(5001,)]
    [(last,)] = rows("SELECT max(id) FROM rooms")
    assert rows("SELECT nextval('rooms_id_seq')") == [(last + 1,)]


def test_a_sequence_that_belongs_to_nobody_goes_along(history):
    legacy(history)
    run("ALTER SEQUENCE guests_id_seq OWNED BY NONE")
    before = dump()
    adopt()
    assert drift() == "Models, migrations and database agree."
    adopt("--undo")
    assert dump() == before
    assert rows("SELECT count(*) FROM pg_class WHERE relname = 'guests_id_seq'") == [(1,)]


def test_what_leans_on_the_tables_from_elsewhere_is_named(history):
    legacy(history)
    run(
        "CREATE SCHEMA reports",
        "CREATE TABLE reports.vip (guest_id int REFERENCES public.guests (id))",
        "CREATE MATERIALIZED VIEW reports.money AS SELECT sum(amount) FROM public.payments",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    )
    said = refusal()
    assert "The view reports.money reads payments:" in said
    assert "The table reports.vip of somebody else refers to guests." in said
    assert "The table users has policies that may hide rows from this role." in said


def test_nobody_is_waited_for_without_end_or_a_word(history, settings):
    legacy(history)
    settings.MIGRATOR_WAIT = 1.5  # time enough to see who it is, on a busy machine
    with closing(connection.Database.connect(**connection.get_connection_params())) as other:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(FailedDuringApply) as caught:
            adopt("--dry-run")
    assert str(caught.value).startswith(
        "Taking the database over found what it changes locked for 1.5 seconds (MIGRATOR_WAIT),"
        " last by session "
    )
    assert adopt("--dry-run")["did"] == "shown"


def test_tables_of_another_schema_are_named(history):
    legacy(history)
    run("CREATE SCHEMA elsewhere", "ALTER TABLE guests SET SCHEMA elsewhere")
    for (table,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        run(f"DROP TABLE {table} CASCADE")
    try:
        assert refusal() == (
            "The schema public, which this role uses here, has no tables, and elsewhere has some of"
            " the legacy hotel system: let DATABASE_URL end in"
            " ?options=-c%20search_path%3Delsewhere. Nothing was changed."
        )
    finally:
        run("DROP SCHEMA elsewhere CASCADE")


def test_what_leans_on_the_tables_aside_is_named_when_they_are_to_go(history):
    legacy(history)
    adopt()
    run("CREATE VIEW old_guests AS SELECT full_name FROM legacy.guests")
    with pytest.raises(FailedDuringApply) as caught:
        adopt("--finish")
    assert str(caught.value) == (
        "Dropping the legacy tables failed: cannot drop desired object(s) because other objects"
        " depend on them. DETAIL:  view old_guests depends on table legacy.guests. Nothing was"
        " changed: mend what it says, then run the same command again. --traceback shows where."
    )


def test_a_view_on_the_new_tables_is_to_be_made_anew_on_the_legacy_ones(history):
    legacy(history)
    adopt()
    run("CREATE VIEW names AS SELECT full_name FROM guests")
    assert refusal("--undo") == (
        "Something depends on the tables, so nothing was changed. The view names reads guests:"
        " drop it, and make it anew for the legacy ones afterwards."
    )
