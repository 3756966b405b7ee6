"""What a database complains of in a migration, and what mends it: each remedy is followed.

Every failure is caused in a real database. Afterwards the same command ends well, and doctor finds
nothing wrong.
"""

import re
import sqlite3
from contextlib import closing

import pytest
from django.db import DatabaseError, connection

from hotel.migrator.messages import complaints
from hotel.migrator.messages.complaints import MENDS
from hotel.migrator.running.explanations import explain
from hotel.migrator.tests.commands import doctor
from hotel.migrator.tests.following import follow
from hotel.migrator.tests.messages.remedies import CASES, MODELS, TABLES, python


@pytest.fixture
def room(annexe):
    """An app with the tables ``annexe_room`` and ``annexe_lamp``, without rows, and its models."""
    annexe.write("0001_initial", TABLES)
    annexe.models(MODELS)
    yield annexe.migrate()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE; RESET temp_file_limit")
            cursor.execute("SELECT FROM pg_roles WHERE rolname = 'clerk_of_annexe'")
            if cursor.fetchall():
                cursor.execute("DROP OWNED BY clerk_of_annexe; DROP ROLE clerk_of_annexe")


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_told_and_its_remedy_is_one(room, project, history, name):
    case = CASES[name]
    for statement in case.before:
        history.execute(statement)
    room.write("0002_change", case.operation, code=case.code)
    facts = project.facts if case.is_readable else history.catalog
    before = facts()
    with pytest.raises(DatabaseError) as failed:
        room.migrate()
    if not connection.is_usable():
        connection.close()
    explained = explain(failed.value)
    mend = MENDS.get(case.mend, case.mend)
    assert (str(explained), explained.exit_code) == (
        f"annexe.0002_change ({case.in_words}) failed: {case.said}. {case.undone} {mend}"
        " --traceback shows where.",
        5,
    )
    assert facts() == before
    assert case.names in mend
    follow_remedy(room, project, history, case)
    for statement in case.tidy:
        history.execute(statement)
    assert doctor() == (0, [])


def follow_remedy(room, project, history, case):
    """Do what the sentence says."""
    for statement in case.cure:
        history.execute(statement)
    if case.mended or case.own_code or not case.atomic:
        code = python(case.own_code) if case.own_code else case.code
        first, *others = case.mended or [case.operation]
        after = [("annexe", "0001_initial")]
        room.write("0002_change", first, code=code, after=after, atomic=case.atomic)
        for other in others:
            room.write("0003_change", other)
    room.models(case.models)
    if "db doctor says" in case.names:
        found = doctor()[1]
        assert found
        follow(project, found)
    room.migrate()


STATES = {
    "08006": "lost", "21000": "value", "22012": "value", "23P01": "exclusion", "25P04": None,
    "40001": "another", "42501": "rights", "42601": "sql", "42P07": "there", "53100": "disk",
    "53200": "memory", "53300": "connections", "53400": "bound", "55000": "sql", "55P03": "busy",
    "57014": "cancelled", "57P03": "lost", "58030": "file", "58P01": "no extension",
    "XX001": "damaged", "XX000": None, "F0000": None,
}  # fmt: skip


@pytest.mark.postgresql
@pytest.mark.parametrize("state", STATES)
def test_what_a_server_says_decides_by_its_code(db, state):
    with pytest.raises(DatabaseError) as refused, connection.cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN RAISE EXCEPTION 'sagt der Server' USING ERRCODE = '{state}'; END $$"
        )
    kind = "transaction timeout" if state == "25P04" else STATES[state]
    assert complaints.of(refused.value) == ("sagt der Server", kind, MENDS.get(kind, ""))


@pytest.mark.postgresql
def test_no_row_and_no_secret_is_shown(db, history):
    history.at(None)
    history.execute("CREATE TABLE users (name text UNIQUE, password text UNIQUE, n int NOT NULL)")
    history.execute("INSERT INTO users VALUES ('ada', 'hunter2', 1)")

    def said(statement):
        with pytest.raises(DatabaseError) as refused:
            history.execute(statement)
        return complaints.of(refused.value).said

    assert said("INSERT INTO users VALUES ('ada', 'x', 1)").endswith("(name)=(ada) already exists")
    assert said("INSERT INTO users VALUES ('bob', 'hunter2', 1)").endswith(
        "Key (password)=(…) already exists"
    )
    assert said("INSERT INTO users VALUES ('bob', 'hunter3', NULL)") == (
        'null value in column "n" of relation "users" violates not-null constraint'
    )


@pytest.mark.sqlite
def test_a_damaged_file_is_not_blamed_on_the_rows(tmp_path):
    path = tmp_path / "hotel.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE room (name text)")
        made.executemany("INSERT INTO room VALUES (?)", [("x" * 500,)] * 100)
        made.commit()
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    path.write_bytes(content)
    with (
        closing(sqlite3.connect(path)) as damaged,
        pytest.raises(DatabaseError) as refused,
        connection.wrap_database_errors,
    ):
        damaged.execute("SELECT * FROM room").fetchall()
    assert complaints.of(refused.value)[:2] == ("database disk image is malformed", "damaged")


@pytest.mark.sqlite
def test_every_word_of_sqlite_is_of_one_kind():
    """What nobody can cause in a test: the sentences are those of SQLite's source."""
    said = {
        "there is already another table or index with this name: x": "there",
        "table x already exists": "there",
        "index x already exists": "there",
        "duplicate column name: x": "there",
        'table "x" already exists': "there",
        "table x has 2 columns but 3 values were supplied": None,
        "table x may not be modified": None,
        "index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped": None,
        "no such index: x": "not there",
        "no such view: x": "not there",
        "cannot commit - no transaction is active": "transaction",
        "Safety level may not be changed inside a transaction": "transaction",
    }
    found = {
        words: next(
            (kind for kind, known in complaints.WORDS.items() if re.match(known, words)), None
        )
        for words in said
    }
    assert found == said
