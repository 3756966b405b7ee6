"""A session in which nothing right would come of a command is refused, with what mends it."""

import os

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.tests import shells
from hotel.migrator.tests.sessions import (
    IN_OPTIONS,
    READING,
    WRITING,
    facts,
    option,
    refusal,
    said,
    session,
)


@pytest.mark.postgresql
def test_a_role_that_is_set_to_read_only_reads_and_is_told_so(hotel_of_two, history):
    call_command("migrate", verbosity=0)
    quiet = [said(*words) for words in READING]
    script = said("db", "upgrade", "base:heads", "--sql")
    before = history.execute("SELECT * FROM migrator_journal")
    with session(options=option("default_transaction_read_only=on")):
        assert [said(*words) for words in READING] == quiet
        assert said("db", "upgrade", "base:heads", "--sql") == script
        for words in WRITING:
            code, _, error = said(*words)
            assert (code, error) == (
                3,
                refusal(
                    "default_transaction_read_only is on, so this session may only read.",
                    IN_OPTIONS,
                ),
            )
        code, complaint = shells.run(script[1].splitlines())
    assert code == 3
    assert "This session may only read: see default_transaction_read_only." in complaint
    assert history.execute("SELECT * FROM migrator_journal") == before


@pytest.mark.postgresql
@pytest.mark.parametrize("whose", ["DATABASE {database}", "ROLE {role} IN DATABASE {database}"])
def test_who_has_set_it_is_found_out_and_what_takes_it_back(hotel_of_two, history, whose):
    [(role, database)] = history.execute("SELECT current_user, current_database()")
    name, whose = "default_transaction_read_only", whose.format(role=role, database=database)
    history.execute(f"ALTER {whose} SET {name} = on")
    connection.close()
    mend = f"ALTER {whose} RESET {name}"
    assert said("migrate", "-v0")[2] == refusal(
        f"{name} is on, so this session may only read.", mend
    )
    history.execute("SET default_transaction_read_only = off")
    history.execute(mend)
    connection.close()
    assert said("migrate", "-v0") == (0, "", "")


@pytest.mark.postgresql
def test_triggers_that_are_off_and_backslashes_that_are_none_are_refused(hotel_of_two, history):
    call_command("migrate", verbosity=0)
    script = said("db", "upgrade", "base:heads", "--sql")[1].splitlines()
    off = refusal(
        "standard_conforming_strings is off, so a backslash in a text would not stay one.",
        IN_OPTIONS,
    )
    with session(options=option("standard_conforming_strings=off")):
        for words in (*READING, *WRITING, ("db", "upgrade", "base:heads", "--sql")):
            assert said(*words) == (3, "", off)
    history.at(None)
    with session(options=option("standard_conforming_strings=off")):
        assert shells.run(script) == (0, "")
    assert said("db", "drift") == (0, "Models, migrations and database agree.\n", "")


@pytest.mark.postgresql
def test_a_role_that_turns_triggers_off_and_may_not_turn_them_on_is_refused(hotel_of_two, history):
    call_command("migrate", "annexe", "0002", verbosity=0)
    [(database,)] = history.execute("SELECT current_database()")
    modest = f"modest_{os.getpid()}"
    history.execute(f"CREATE ROLE {modest}")
    try:
        history.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {modest}")
        history.execute(f"ALTER DATABASE {database} SET session_replication_role = replica")
        with session(options=option(f"role={modest}")):
            assert said("migrate", "-v0")[2] == refusal(
                "session_replication_role is replica, so triggers and foreign keys are off.",
                f"ALTER DATABASE {database} RESET session_replication_role",
            )
    finally:
        history.execute(f"DROP OWNED BY {modest}")
        history.execute(f"DROP ROLE {modest}")
    assert said("migrate", "-v0") == (0, "", "")  # a superuser may


@pytest.mark.postgresql
def test_a_search_path_that_leads_nowhere_is_refused(hotel_of_two, history):
    with session(options=option('search_path="No where"')):
        for words in (*READING, *WRITING):
            assert said(*words)[::2] == (
                3,
                refusal(
                    'search_path is "No where", and this role finds no such schema in the'
                    " database.",
                    f'make it (CREATE SCHEMA "No where"), or {IN_OPTIONS}',
                ),
            )
        history.execute('CREATE SCHEMA "No where"')
        assert said("migrate", "-v0") == (0, "", "")


OF_THE_SERVER = (
    "search_path is {}, so new tables would be made in a schema of PostgreSQL's own, or in a"
    " temporary one."
)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "search_path is empty, so there is no schema to make tables in."),
        ("pg_catalog", OF_THE_SERVER.format("pg_catalog")),
        ("pg_temp", OF_THE_SERVER.format("pg_temp")),
    ],
)
def test_a_search_path_without_a_schema_for_tables_is_refused(hotel_of_two, path, why):
    with session(options=option(f"search_path={path}")):
        for words in (*READING, *WRITING):
            assert said(*words)[::2] == (3, refusal(why, IN_OPTIONS))


@pytest.mark.postgresql
def test_a_search_path_that_begins_beside_the_tables_is_refused(hotel_of_two, history):
    call_command("migrate", verbosity=0)
    script = said("db", "upgrade", "base:heads", "--sql")[1].splitlines()
    history.execute('CREATE SCHEMA "New"')
    sentence = (
        'django_migrations stands in the schema public, and new tables would be made in "New",'
        ' since search_path is "New",public. Nothing was changed: let search_path begin with'
        ' public, or name "New" alone if the other one is of another project; it is set by options'
        " in DATABASE_URL."
    )
    before = facts()
    with session(options=option('search_path="New",public')):
        for words in (*READING, *WRITING):
            assert said(*words)[::2] == (3, sentence)
        code, complaint = shells.run(script)
        assert code == 3
        assert "is not in the first schema of search_path" in complaint
    assert facts() == before
    with session(options=option('search_path="New"')):
        assert said("migrate", "-v0") == (0, "", "")


@pytest.mark.sqlite
def test_a_session_that_may_only_read_is_told_so(hotel_of_two, history):
    call_command("migrate", verbosity=0)
    quiet = [said(*words) for words in READING]
    script = said("db", "upgrade", "base:heads", "--sql")
    with session(init_command="PRAGMA query_only = ON"):
        assert [said(*words) for words in READING] == quiet
        assert said("db", "upgrade", "base:heads", "--sql") == script
        for words in WRITING:
            assert said(*words)[::2] == (
                3,
                refusal(
                    "PRAGMA query_only is on, so this session may only read.",
                    "take it out of init_command in the settings of the database",
                ),
            )
