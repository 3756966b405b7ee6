"""A migration's own SQL does in a script what ``migrate`` does with it, or is refused."""

import sqlite3

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hotel.migrator.script.offline import WRITERS, Range
from hotel.migrator.sql.quoting import NotQuotable
from hotel.migrator.sql.shells import refuse
from hotel.migrator.tests import shells
from hotel.migrator.tests.script.printed import refused, sql
from hotel.tests import stress

MEND = "Mend the migration: a database does not take that either."
OF_PSQL = "which psql would obey as a command of its own"


@pytest.mark.parametrize(
    "engine, statement, what",
    [
        ("postgresql", "\\! touch planted", f"\\!, {OF_PSQL}"),
        ("postgresql", "SELECT 1 \\gexec", f"\\gexec, {OF_PSQL}"),
        ("postgresql", "/* /* */ ' */ \\copy annexe_note FROM 'rows'", f"\\copy, {OF_PSQL}"),
        ("postgresql", "SELECT $a$ $a$, E'\\'' \\; SELECT 1", f"\\;, {OF_PSQL}"),
        (
            "postgresql",
            "copy annexe_note (text) from -- rows\nstdin",
            "COPY with STDIN or STDOUT, which psql would read or write itself",
        ),
        ("postgresql", "SELECT 'one", "a text or a comment that does not end (')"),
        ("postgresql", "SELECT 1 /* /* */", "a text or a comment that does not end (/*)"),
        ("postgresql", "DO $a$ BEGIN END $b$", "a text or a comment that does not end ($a$)"),
        (
            "sqlite",
            ".shell touch planted",
            ".shell, which sqlite3 would obey as a command of its own",
        ),
        ("sqlite", "-- a\n/* b */.quit", ".quit, which sqlite3 would obey as a command of its own"),
        ("sqlite", "# no comment", "#, which sqlite3 would obey as a command of its own"),
    ],
)
def test_what_a_shell_would_obey_is_refused_by_name(notes, engine, statement, what):
    notes.write("0002_own", f"migrations.RunSQL([{statement!r}], '')")
    assert refused("upgrade", "annexe.0001:annexe.0002", "--engine", engine) == (
        f"annexe.0002_own cannot be written as SQL: Raw SQL operation writes {what}. {MEND}",
        3,
    )


@pytest.mark.parametrize("statement", ["ROLLBACK", "-- all\nrollback to here", "ABORT"])
def test_what_undoes_a_part_of_the_script_is_refused(notes, statement):
    if statement == "ABORT" and connection.vendor == "sqlite":
        pytest.skip("no word of SQLite")
    notes.write("0002_own", f"migrations.RunSQL([{statement!r}], '')")
    said, code = refused("upgrade", "annexe.0001:annexe.0002")
    assert "which would undo a part of the script. Run it with manage.py migrate, and" in said
    assert code == 3


@pytest.mark.sqlite
@pytest.mark.parametrize("call", ["lpad('x', 5, '-')", "REPEAT ('x', 2)", "text regexp 'x'"])
def test_a_function_that_only_django_knows_is_refused_however_it_is_written(notes, call):
    notes.write("0002_own", f'migrations.RunSQL("UPDATE annexe_note SET text = {call}", "")')
    said, _ = refused("upgrade", "annexe.0001:annexe.0002")
    assert ", which sqlite3 does not have. Run it with manage.py migrate, and" in said


@pytest.mark.postgresql
def test_a_column_that_is_called_as_a_variable_of_psql_stays_one(notes, history):
    notes.write(
        "0002_own",
        """
        migrations.RunSQL(
            "CREATE TABLE annexe_host AS SELECT ARRAY['a', 'b'] AS a, 1 AS n, 2 AS \\"HOST\\"", ""
        ),
        migrations.RunSQL(
            "INSERT INTO annexe_note (text) SELECT (a[n:\\"HOST\\"])::text FROM annexe_host", ""
        ),
        """,
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note") == [("{a,b}",)]


@pytest.mark.sqlite
def test_a_comment_that_is_left_open_ends_with_its_statement(notes, history):
    write = "INSERT INTO annexe_note (text) VALUES ('one') /* open"
    notes.write("0002_own", f'migrations.RunSQL(["{write}", "{write}"], "")')
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note") == [("one",), ("one",)]


# Whatever it says

PIECES = {
    "postgresql": [
        *("\\", "\\! touch planted", "\\q", "\\;", "$$", "$a$", "E'", "e'\\'", "x'", "U&'", "$1"),
        *(":HOST", ":'HOST'", ":", "::text", "/*", "*/", "a[1:2]", "COPY said FROM STDIN", "1e"),
    ],
    "sqlite": [
        *("\n.quit\n", "\n.shell touch planted\n", "\n#", "[", "]", "`", "\n/\n", "\ngo\n"),
        *("/*", "*/", "\r\n", "\r", "lpad('a', 3, 'b')", "x'", "\x0c"),
    ],
}[connection.vendor]
ANYWHERE = ["'", "''", '"', "--", "\n", ";", " ", "(", ")", "1", ",", "text", "SELECT 1"]
WRITES = [f"INSERT INTO said VALUES ('{text}')" for text in ("a", "it''s", "\\\\! b", ".c")]
own = st.lists(
    st.one_of(
        st.sampled_from(WRITES), st.sampled_from(PIECES), st.sampled_from(ANYWHERE), st.just(";\n")
    ),
    min_size=1,
    max_size=10,
).map("".join)
READ = "SELECT text FROM said ORDER BY text"


@pytest.fixture
def both_ways(history, tmp_path, monkeypatch):
    """Return what runs SQL as ``migrate`` does, and by a script: rows or None where it fails."""
    history.at(None)
    history.execute("CREATE TABLE said (text text)")
    monkeypatch.chdir(tmp_path)
    writes = WRITERS[connection.vendor](Range((), (), False, "", (), frozenset()), [])
    head = {"postgresql": ["\\set ON_ERROR_STOP on", "SET client_min_messages = error;"]}
    head = head.get(connection.vendor, [".bail on"])

    def online(given):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(given, None)
                rows = history.execute(READ)
                transaction.set_rollback(True)
                return rows
        except (DatabaseError, sqlite3.Warning):  # which says of Python 3.11: one at a time
            return None

    def by_script(given):
        statement = writes.statement(given.strip().rstrip(";").rstrip())
        history.execute("DELETE FROM said")
        code, _ = shells.run([*head, "BEGIN;", statement, "COMMIT;"], shows=True)
        rows = history.execute(READ)
        history.execute("DELETE FROM said")
        return rows if code == 0 else None

    return online, by_script


@pytest.mark.stressed
@settings(
    max_examples=33 * stress.ROUNDS or 25,
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example("INSERT INTO said VALUES ('a') -- ;")
@example("SELECT E'a' -- b\n'\\' \\! touch planted '")
@given(own)
def test_it_does_the_same_both_ways_or_is_refused(both_ways, tmp_path, given):
    online, by_script = both_ways
    try:
        refuse(given, connection.vendor)
    except NotQuotable:
        return
    rows = online(given)
    if rows is not None or connection.vendor == "postgresql":  # else refused where it is recorded
        assert by_script(given) == rows
    assert [*tmp_path.glob("planted*")] == []
