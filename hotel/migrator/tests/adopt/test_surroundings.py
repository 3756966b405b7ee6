"""``db adopt`` names what stands in its way, or stays behind."""

import pytest
from django.db import connection

from hotel.migrator.adopt import moved_tables, surroundings
from hotel.migrator.tests.adopt.adoptions import (
    STANDS,
    UNKNOWN,
    adopt,
    drift,
    dump,
    legacy,
)
from hotel.migrator.tests.adopt.adoptions import refusal as refusal_of
from hotel.migrator.tests.legacy_shapes import run


def refusal():
    """Return why it is refused, which nothing but a look needs to find out."""
    said = refusal_of("--dry-run")
    assert refusal_of() == said
    assert "django_migrations" not in connection.introspection.table_names()
    return said


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement, kind, name",
    [
        ("CREATE TABLE legacy.other (id int)", "table", "other"),
        ("CREATE TABLE legacy.guests (id int)", "table", "guests"),
        ("CREATE TYPE legacy.guests AS (a int)", "type", "guests"),
        ("CREATE TYPE legacy.guests AS ENUM ('a')", "type", "guests"),
        ("CREATE DOMAIN legacy._guests AS text", "type", "_guests"),
        ("CREATE TYPE legacy.ix_guests_full_name AS (a int)", "type", "ix_guests_full_name"),
        ("CREATE TYPE legacy.guests_pkey AS (a int)", "type", "guests_pkey"),
        ("CREATE TYPE legacy.guests_id_seq AS (a int)", "type", "guests_id_seq"),
    ],
)
def test_what_stands_where_tables_are_moved_is_named(history, statement, kind, name):
    legacy(history)
    run("CREATE SCHEMA legacy", statement)
    assert refusal() == (
        f"{STANDS}The {kind} legacy.{name} stands where tables are moved: drop it, or move it"
        " elsewhere."
    )


@pytest.mark.postgresql
def test_what_is_not_in_the_way_in_the_other_schema_does_not_hinder(history):
    legacy(history)
    run(
        "CREATE SCHEMA legacy",
        "CREATE TYPE legacy.mood AS ENUM ('a')",
        "CREATE TYPE legacy.pair AS (a int)",
        "CREATE FUNCTION legacy.guests() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    )
    before = dump()
    adopt()
    adopt("--undo")
    assert dump() == before


@pytest.mark.parametrize(
    "statement, kind",
    [
        ("CREATE VIEW expenses AS SELECT 1 AS id", "view"),
        ("CREATE VIEW migrator_adoption AS SELECT 1 AS id", "view"),
        pytest.param("CREATE TYPE expenses AS ENUM ('a')", "type", marks=pytest.mark.postgresql),
        pytest.param("CREATE TYPE expenses AS (a int)", "type", marks=pytest.mark.postgresql),
        pytest.param("CREATE SEQUENCE expenses", "sequence", marks=pytest.mark.postgresql),
        pytest.param(
            "CREATE MATERIALIZED VIEW expenses AS SELECT 1 AS id",
            "materialized view",
            marks=pytest.mark.postgresql,
        ),
    ],
)
def test_what_has_the_name_of_a_table_to_be_made_is_named(history, statement, kind):
    legacy(history, "O0")
    run(statement)
    name = "migrator_adoption" if "migrator_adoption" in statement else "expenses"
    assert refusal() == (
        f"{STANDS}The {kind} {name} has the name of a table that is made: drop it, or rename it."
    )


def test_an_index_of_a_table_that_is_moved_may_have_any_name(history):
    legacy(history, "O0")
    run("CREATE INDEX expenses ON payments (notes)", "CREATE INDEX legacy_notes ON guests (notes)")
    before = dump()
    adopt()
    assert drift() == "Models, migrations and database agree."
    adopt("--undo")
    assert dump() == before


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "statement, kind",
    [
        ("CREATE VIEW Legacy_Guests AS SELECT 1 AS id", "view Legacy_Guests"),
        ("CREATE INDEX legacy_guests ON payments (notes)", "index legacy_guests"),
    ],
)
def test_a_name_that_a_moved_table_needs_is_named(history, statement, kind):
    legacy(history)
    run(statement)
    assert refusal() == (
        f"{STANDS}The {kind} has the name of a table that is moved: drop it, or rename it."
    )


# What depends on the tables


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statements, said",
    [
        (
            "CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql"
            " BEGIN ATOMIC SELECT count(*) FROM guests; END",
            "The function counted() depends on guests",
        ),
        (
            "CREATE FUNCTION everybody() RETURNS SETOF guests LANGUAGE sql"
            " AS 'SELECT * FROM guests'",
            "The function everybody() depends on guests",
        ),
        (
            "CREATE FUNCTION name_of(guests) RETURNS text LANGUAGE sql AS 'SELECT $1.full_name'",
            "The function name_of(guests) depends on guests",
        ),
        (
            "CREATE FUNCTION names_of(guests[]) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "The function names_of(guests[]) depends on guests",
        ),
        (
            "CREATE SCHEMA other; CREATE TABLE other.was (guest guests)",
            "The column guest of table other.was depends on guests",
        ),
        (
            "CREATE SCHEMA other; CREATE TABLE other.list (id int);"
            " CREATE POLICY members ON other.list USING (id IN (SELECT id FROM guests))",
            "The policy members on table other.list depends on guests",
        ),
        (
            "CREATE VIEW nobody AS SELECT NULL::guests AS guest",
            "The view nobody reads guests",
        ),
        (
            "CREATE RULE told AS ON INSERT TO guests DO ALSO NOTIFY told",
            "The rule told on guests is about guests",
        ),
        (
            "CREATE SCHEMA other; CREATE TABLE other.list (id int); CREATE RULE copied AS"
            " ON INSERT TO other.list DO ALSO INSERT INTO guests (full_name) VALUES ('x')",
            "The rule copied on other.list is about guests",
        ),
    ],
)
def test_what_depends_on_a_table_is_named(history, statements, said):
    legacy(history)
    run(statements)
    assert refusal() == f"{STANDS}{said}: drop it, and make it anew for the new tables afterwards."


def test_what_is_made_anew_for_is_said_by_who_asks(history):
    legacy(history)
    run("CREATE VIEW cards AS SELECT id FROM settings")
    place = moved_tables.place(connection, "legacy")
    assert surroundings.dependents(place, ["settings"], "the legacy ones") == [
        "The view cards reads settings: drop it, and make it anew for the legacy ones afterwards."
    ]


def test_an_unknown_shape_is_still_called_so(history):
    legacy(history)
    run("CREATE TABLE minibar (id integer PRIMARY KEY)", "CREATE VIEW v AS SELECT id FROM guests")
    assert refusal() == UNKNOWN + "The table minibar is not one of the legacy hotel system."


@pytest.mark.postgresql
def test_rights_and_publications_that_stay_behind_are_said(history):
    legacy(history)
    role = "hotel_clerk_" + connection.settings_dict["NAME"].rpartition("_")[2]
    run(
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role}",
        f"GRANT SELECT (email) ON guests TO {role}",
        f"GRANT USAGE ON SEQUENCE guests_id_seq TO {role}",
        "GRANT SELECT ON rooms TO PUBLIC",
        "CREATE PUBLICATION everyone FOR TABLE payments, guests",
    )
    try:
        assert adopt("--dry-run")["remarks"][-4:] == [
            "PUBLIC has rights on these tables: grant them anew on the new ones.",
            f"{role} has rights on columns of these tables: grant them anew on the new ones.",
            f"{role} has rights on sequences of these tables: grant them anew on the new ones.",
            "The publication everyone has guests, payments: add the new ones afterwards, with"
            ' ALTER PUBLICATION "everyone" ADD TABLE "guests", "payments";',
        ]
    finally:
        run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
