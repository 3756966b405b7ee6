"""A script stops before anything is lost that no migration made, and locks as ``migrate`` does."""

import pytest

from hotel.migrator.tests import shells
from hotel.migrator.tests.script.printed import sql, unchanged

VIEW = "CREATE VIEW annexe_seen AS SELECT id, text FROM annexe_note"


HANGING = {
    VIEW: "view annexe_seen",
    "CREATE MATERIALIZED VIEW kept AS SELECT text FROM annexe_note": "materialized view kept",
    "CREATE POLICY seen ON annexe_note USING (text <> '')": "policy seen",
    "CREATE TRIGGER seen BEFORE UPDATE OF text ON annexe_note FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()": "trigger seen",
    "ALTER TABLE annexe_note ADD more text GENERATED ALWAYS AS (text || '') STORED": "column more",
    "CREATE INDEX by_hand ON annexe_note (text, id)": "index by_hand",
    "CREATE INDEX by_hand ON annexe_note (id) WHERE text <> ''": "index by_hand",
    "ALTER TABLE annexe_note ADD CONSTRAINT by_hand CHECK (text <> id::text)": "constraint by_hand",
    "CREATE STATISTICS by_hand ON id, text FROM annexe_note": "statistics by_hand",
}


@pytest.mark.postgresql
@pytest.mark.parametrize("made", HANGING)
def test_what_would_go_with_a_column_stops_the_script(notes, history, made):
    notes.write("0002_gone", "migrations.RemoveField('Note', 'text')")
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    history.execute(made)
    script = sql("upgrade", "annexe.0001:annexe.0002")
    unchanged(history, script, f"This would go with annexe_note.text: {HANGING[made]}")
    unchanged(
        history, script, ". Drop it before, and make it again after it, without what is gone."
    )


@pytest.mark.postgresql
def test_what_would_go_with_a_table_stops_the_script(notes, history):
    notes.write("0002_gone", "migrations.DeleteModel('Note')")
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    history.execute(VIEW)
    script = sql("upgrade", "annexe.0001:annexe.0002")
    depends = "view annexe_seen depends on table annexe_note. Drop it before, and make"
    unchanged(history, script, f"This would go with annexe_note: {depends}")
    history.execute("DROP VIEW annexe_seen")
    history.execute("CREATE INDEX by_hand ON annexe_note (text, id)")
    assert shells.run(script) == (0, "")


@pytest.mark.postgresql
def test_what_reads_other_columns_or_is_of_the_model_stops_no_script(notes, history):
    notes.write(
        "0002_more",
        """
        migrations.AddIndex("Note", models.Index("id", "text", name="of_both")),
        migrations.AlterUniqueTogether("Note", {("id", "text")}),
        """,
    )
    notes.write("0003_gone", "migrations.RemoveField('Note', 'text')")
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    history.execute("CREATE VIEW annexe_seen AS SELECT id FROM annexe_note")
    history.execute("CREATE INDEX by_hand ON annexe_note (text)")
    assert shells.run(sql("upgrade", "annexe.0002:annexe.0003")) == (0, "")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "made, lost",
    [
        ("CREATE INDEX by_hand ON annexe_note (text)", True),
        ("CREATE TRIGGER by_hand AFTER INSERT ON ANNEXE_NOTE BEGIN SELECT 1; END", True),
        ("CREATE TABLE annexe_aside (id); CREATE INDEX by_hand ON annexe_aside (id)", False),
        ("text NOT NULL DEFAULT 'none'", True),
        ("text NOT NULL CHECK (text <> '')", True),
        ("text NOT NULL COLLATE NOCASE", True),
        ("text NOT NULL UNIQUE", True),
        ("text NOT NULL REFERENCES annexe_note (text) ON UPDATE CASCADE", True),
        ("text NOT NULL /* nothing of its own */", False),
    ],
)
def test_what_no_migration_has_made_is_not_lost_with_a_table_that_is_made_anew(
    notes, history, made, lost
):
    notes.write("0002_index", "migrations.RunSQL('CREATE INDEX known ON annexe_note (text)', '')")
    notes.write(
        "0003_short", "migrations.AlterField('Note', 'text', models.CharField(max_length=9))"
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    by_hand = made.startswith("CREATE")
    if not by_hand:  # in the text of the table
        history.execute("PRAGMA writable_schema = ON")
        history.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'text NOT NULL', %s)"
            " WHERE name = 'annexe_note'",
            [made],
        )
        history.execute("PRAGMA writable_schema = RESET")
    for statement in made.split("; CREATE") if by_hand else ():
        history.execute(statement if statement.startswith("CREATE") else f"CREATE{statement}")
    script = sql("upgrade", "annexe.0002:annexe.0003")
    if lost:
        unchanged(
            history, script, "A table would lose a column, an index, a trigger, a rule or a default"
        )
    else:
        assert shells.run(script) == (0, "")
    there = history.execute("SELECT name FROM sqlite_master WHERE name IN ('known', 'by_hand')")
    assert sorted(there) == [*([("by_hand",)] if by_hand else []), ("known",)]


@pytest.mark.once
def test_a_script_takes_the_strongest_lock_before_it_changes_rows(notes):
    notes.write(
        "0002_fill",
        """
        migrations.RunSQL("UPDATE annexe_note SET text = 'x'", ""),
        migrations.AlterField("Note", "text", models.CharField(max_length=9)),
        """,
    )
    script = sql("upgrade", "annexe.0001:annexe.0002", "--engine", "postgresql")
    lock = 'LOCK TABLE "annexe_note" IN ACCESS EXCLUSIVE MODE;'
    assert [line for line in script if line.startswith("LOCK")] == [lock]
    assert script.index(lock) < script.index("UPDATE annexe_note SET text = 'x';")
    script = sql("upgrade", "base:annexe.0002", "--engine", "postgresql")
    assert [line for line in script if line.startswith("LOCK")] == []  # there is nobody yet
