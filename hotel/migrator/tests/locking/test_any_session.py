"""Whatever a role, an address or a database sets a session to: the same answer."""

import itertools
import re
from pathlib import Path

import pytest
from django.db import connection

from hotel.migrator.locking import sessions
from hotel.migrator.tests.legacy_shapes import TABLES as LEGACY_TABLES
from hotel.migrator.tests.legacy_shapes import build, fill
from hotel.migrator.tests.sessions import (
    ROWS,
    THOROUGH,
    answers,
    assert_same,
    expected,
    known,
    option,
    said,
    session,
)
from hotel.tests import stress


def test_all_is_well_where_nothing_is_set(hotel_of_two, history):
    found = expected(history)
    assert [code for code, *_ in found["scripts"]] == [0, 0]
    assert (found["first"], found["back"], found["down"]) == ((0, "", ""),) * 3
    names, stays = found["again"][1]
    assert names == [("Ann",)]
    assert [row[:2] for row in stays] == [row[:2] for row in ROWS]
    assert [bool(is_deposit) for *_, is_deposit in stays] == [True, False]
    kept = names, stays
    assert found["by script"] == ((0, ""), kept)
    assert found["again"][:2] == ((0, "", ""), kept)
    assert [code for code, *_ in found["check"]] == [0, 0, 0]
    assert [code for code, *_ in found["stamp"]] == [0, 3]
    assert found["damaged"][0] == 1
    assert found["from nothing"] == ((0, ""), found["again"][2])
    assert found["by hand"][1] == found["check"][2]


SCHEMAS = {
    "another": ["apart"],
    "a keyword, and another": ["select", "public"],
    "letters and marks": ['Größe of.ho tel\'s "\\x" €', "Other"],
}


@pytest.mark.once
def test_no_query_takes_the_name_of_the_schema_without_quotes():
    for file in Path(sessions.__file__).parents[1].rglob("*.py"):
        if "tests" not in file.parts:
            assert "current_schema()::" not in file.read_text(), file


@pytest.mark.postgresql
@pytest.mark.parametrize("names", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_may_have_any_name(hotel_of_two, history, names):
    wanted = expected(history)
    names = ['"' + name.replace('"', '""') + '"' for name in names]
    for name in names:
        history.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    with session(options=option(f"search_path={','.join(names)}")):
        assert_same(answers(history), wanted)


@pytest.mark.postgresql
def test_a_scratch_database_that_is_named_has_these_schemas_too(hotel_of_two, history, settings):
    history.execute('CREATE SCHEMA "Other"')
    settings.SCRATCH_DATABASE = {**connection.settings_dict, "NAME": "postgres"}
    with session(options=option('search_path="Other"')):
        assert said("migrate", "-v0") == (0, "", "")
        assert said("db", "drift") == (0, "Models, migrations and database agree.\n", "")


SETTINGS = {
    "texts": [
        "quote_all_identifiers=on",
        "escape_string_warning=on",
        "backslash_quote=off",
        "bytea_output=escape",
        "xmloption=document",
        "client_encoding=LATIN1",
        "transform_null_equals=on",
        "DateStyle=German",
        "IntervalStyle=iso_8601",
        "extra_float_digits=-5",
        "TimeZone=America/St_Johns",
    ],
    "transactions": [
        "DateStyle=SQL,DMY",
        "IntervalStyle=sql_standard",
        "TimeZone=Asia/Jakarta",
        "default_transaction_isolation=serializable",
        "default_transaction_deferrable=on",
        "synchronous_commit=off",
        "row_security=off",
        "check_function_bodies=off",
        "exit_on_error=on",
    ],
    "of superusers": ["session_replication_role=replica", "plpgsql.variable_conflict=use_column"],
    "timeouts": ["lock_timeout=1", "idle_in_transaction_session_timeout=10"],
    "words and plans": [
        "client_min_messages=debug1",
        "timezone_abbreviations=India",
        "default_text_search_config=pg_catalog.german",
        "stats_fetch_consistency=snapshot",
        "plan_cache_mode=force_generic_plan",
        "constraint_exclusion=on",
        "track_activities=off",
        "event_triggers=off",
        "restrict_nonsystem_relation_kind=foreign-table",
        "transaction_timeout=500",
    ],
}
if THOROUGH:  # each alone, and plans of other kinds
    SETTINGS |= {one: [one] for of_all in [*SETTINGS.values()] for one in of_all}
    SETTINGS["plans"] = ["enable_seqscan=off", "enable_hashagg=off", "work_mem=64kB"]


@stress.whole
@pytest.mark.postgresql
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_no_setting_of_the_session_changes_an_answer(hotel_of_two, history, settings):
    wanted = expected(history)
    with session(options=option(*known(history, settings))):
        assert_same(answers(history), wanted)


OF_ROLE = [
    "lock_timeout=1",
    "transaction_timeout=500",
    "client_min_messages=debug1",
    "session_replication_role=replica",
    "default_transaction_isolation=serializable",
    "default_transaction_deferrable=on",
    "row_security=off",
    "bytea_output=escape",
    "xmloption=document",
    "DateStyle=German",
    "IntervalStyle=sql_standard",
]


@pytest.mark.postgresql
def test_no_setting_of_the_role_changes_an_answer(hotel_of_two, history):
    wanted = expected(history)
    [(role, database)] = history.execute("SELECT current_user, current_database()")
    for one in known(history, OF_ROLE):
        name, value = one.split("=")
        history.execute(f"ALTER ROLE {role} IN DATABASE {database} SET {name} = '{value}'")
    connection.close()
    try:
        assert_same(answers(history), wanted)
    finally:
        history.execute(f"ALTER ROLE {role} IN DATABASE {database} RESET ALL")
        connection.close()


PRAGMAS = {
    "values": [
        "foreign_keys = OFF",
        "recursive_triggers = ON",
        "case_sensitive_like = ON",
        "legacy_alter_table = ON",
        "ignore_check_constraints = ON",
        "reverse_unordered_selects = ON",
    ],
    "files": [
        "journal_mode = WAL",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "secure_delete = ON",
        "locking_mode = EXCLUSIVE",
    ],
}
if THOROUGH:
    PRAGMAS |= {one: [one] for of_all in [*PRAGMAS.values()] for one in of_all}


@stress.whole
@pytest.mark.sqlite
@pytest.mark.parametrize("pragmas", PRAGMAS.values(), ids=PRAGMAS)
def test_no_pragma_changes_an_answer(hotel_of_two, history, pragmas):
    wanted = expected(history)
    pragmas = ["synchronous = OFF", *pragmas]
    with session(init_command="; ".join(f"PRAGMA {pragma}" for pragma in pragmas)):
        assert_same(answers(history), wanted)


@stress.whole
@pytest.mark.postgresql
def test_a_takeover_looks_the_same(history):
    history.at(None)
    build("O2")
    fill()
    there = said("db", "adopt", "--dry-run", "--no-input")
    assert (there[0], there[2]) == (0, "")
    history.execute('CREATE SCHEMA "Old Hotel"')
    for table in LEGACY_TABLES:
        history.execute(f'ALTER TABLE {table} SET SCHEMA "Old Hotel"')
    settings = known(history, dict.fromkeys(itertools.chain(*SETTINGS.values())))
    with session(options=option('search_path="Old Hotel",public', *settings)):
        here = said("db", "adopt", "--dry-run", "--no-input")
        assert _plain(here) == _plain(there)
        if THOROUGH:  # and all of it, up to the head
            assert said("db", "adopt", "--no-input")[::2] == (0, "")
            assert said("migrate", "-v0") == (0, "", "")
            assert said("db", "drift")[0] == 0


def _plain(answer):
    return re.sub(r"[\d.]+ (seconds|s)\b|in [\d.]+", "some time", repr(answer))
