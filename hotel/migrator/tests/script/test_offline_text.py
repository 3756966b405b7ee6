"""Statements and the texts in them arrive as they were given."""

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.tests import shells
from hotel.migrator.tests.facts import differences
from hotel.migrator.tests.script.printed import known, refused, sql

NASTY = [
    "back\\slash",
    "quote's",
    "100 %",
    "%s %%",
    ":name",
    "line\nbreak",
    "$$ $1 --",
    "\u00e9\U0001f6cf",
    "$migrator$; $said$",
    "carriage\rreturn\r\nand line\r\n",
    "; /* -- */\n.quit\n\\q\n/\ngo\n:'name' :\"name\"",
]


def test_values_arrive_as_they_were_given(notes, history):
    notes.write(
        "0002_write",
        f"""
        migrations.RunSQL([
            ("INSERT INTO annexe_note (text) VALUES (%s)", [text]) for text in {NASTY!r}
        ], migrations.RunSQL.noop),
        """,
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    rows = history.execute("SELECT text FROM annexe_note ORDER BY id")
    assert [text for (text,) in rows] == NASTY


@pytest.mark.parametrize(
    "value, what",
    [
        ("a\0b", "a NUL in it, which no script can hold and PostgreSQL does not take"),
        ("a\udc80b", "half a character in it (a lone surrogate), which no database takes"),
    ],
    ids=["NUL", "surrogate"],
)
@pytest.mark.parametrize("where", ["value", "default", "statement"])
def test_text_that_no_database_takes_is_refused(notes, history, value, what, where):
    said, operation = {
        "value": ("Raw SQL operation", "('INSERT INTO annexe_note (text) VALUES (%s)', [text])"),
        "default": ("Add field more to Note", ""),
        "statement": ("Raw SQL operation", "f\"INSERT INTO annexe_note (text) VALUES ('{text}')\""),
    }[where]
    added = 'migrations.AddField("Note", "more", models.TextField(db_default=text))'
    notes.write(
        "0002_write",
        f"migrations.RunSQL([{operation}], '')" if operation else added,
        code=f"text = {value!a}",
    )
    history.at(None)
    assert refused("upgrade", "base:annexe.0002") == (
        f"annexe.0002_write cannot be written as SQL: {said} writes text with {what}."
        " Take it out of the migration, and run the same command again.",
        3,
    )


def test_nasty_text_in_the_schema_ends_as_migrate_does(annexe, history):
    defaults = ", ".join(
        f"('c{place}', models.TextField(db_default={text!a}))" for place, text in enumerate(NASTY)
    )
    comments = [text.replace("%", "%%") for text in NASTY]  # Django takes these for its own
    annexe.write(
        "0001_o'clock, 100 % $migrator$",
        f"""
        migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True)), {defaults}]),
        *(
            migrations.AddConstraint(
                "Note",
                models.CheckConstraint(
                    name=f"it's {{place}} 100 $$ ; --\\n/\\n.quit",
                    condition=~models.Q(**{{f"c{{place}}": text * 2}}),
                ),
            )
            for place, text in enumerate({NASTY!a})
        ),
        migrations.AddField(
            "Note",
            "more",
            models.TextField(db_comment={"".join(comments)!a}, default={NASTY[-1]!a}),
        ),
        """,
    )
    annexe.write("0002_more", 'migrations.AddField("Note", "last", models.TextField(null=True))')
    annexe.migrate()
    history.execute("INSERT INTO annexe_note (more) VALUES ('')")
    expected = known(history)
    annexe.migrate("zero")
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    code, complaint = shells.run(sql("downgrade", "annexe.0002:annexe.0001"))
    assert code != 0
    assert "The database does not stand at annexe.0002_more" in complaint
    code, complaint = shells.run(sql("upgrade", "base:annexe.0001"))
    assert code != 0
    assert "The database does not stand at an empty database" in complaint
    assert shells.run(sql("upgrade", "annexe.0001:annexe.0002")) == (0, "")
    history.execute("INSERT INTO annexe_note (more) VALUES ('')")
    assert differences(known(history), expected) == {}
    assert shells.run(sql("downgrade", "annexe.0002:base")) == (0, "")


def test_a_value_may_say_concurrently_and_a_statement_may_end_in_a_comment(notes, history):
    text = "'create index concurrently'"
    notes.write(
        "0002_write",
        f"""
        migrations.RunSQL([
            ("INSERT INTO annexe_note (text) VALUES (%s)", [{text!r}]),
            "INSERT INTO annexe_note (text) VALUES ('two') -- the second",
        ], migrations.RunSQL.noop),
        """,
    )
    script = sql("upgrade", "annexe.0001:annexe.0002")
    assert script.count("COMMIT;") == 1
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note ORDER BY id") == [(text,), ("two",)]


def test_what_no_transaction_may_hold_stands_alone(notes, history):
    notes.write(
        "0002_alone",
        """
        migrations.RunSQL("VACUUM", migrations.RunSQL.noop),
        migrations.RunSQL('CREATE INDEX "by CONCURRENTLY" ON annexe_note (text)', ""),
        """,
        atomic=False,
    )
    history.at(None)
    script = sql("upgrade", "base:annexe.0002")
    place = script.index("VACUUM;")
    begin = {"sqlite": "BEGIN IMMEDIATE;", "postgresql": "BEGIN;"}[connection.vendor]
    assert script[place - 1 : place + 2] == ["COMMIT;", "VACUUM;", begin]
    index = script.index('CREATE INDEX "by CONCURRENTLY" ON annexe_note (text);')
    assert "COMMIT;" not in script[place + 2 : index]
    assert shells.run(script) == (0, "")


def test_a_script_is_utf_8_whatever_the_terminal_is(notes):
    notes.write(
        "0002_write", "migrations.RunSQL(\"UPDATE annexe_note SET text = 'h\u00f4tel'\", '')"
    )
    ended = notes.project.manage(
        "db", "upgrade", "base:annexe.0002", "--sql", PYTHONIOENCODING="ascii"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "UPDATE annexe_note SET text = 'h\u00f4tel';" in ended.stdout.splitlines()


@pytest.mark.postgresql
def test_sql_with_a_transaction_of_its_own_is_not_lost(notes, history):
    notes.write(
        "0002_own",
        """
        migrations.RunSQL("BEGIN; INSERT INTO annexe_note (text) VALUES ('one'); COMMIT", "")
        """,
        atomic=False,
    )
    assert any("VALUES ('one')" in line for line in sql("upgrade", "base:annexe.0002"))


@pytest.mark.postgresql
def test_a_function_that_sql_calls_is_called(notes, history):
    notes.write(
        "0002_call",
        """
        migrations.RunSQL(
            "CREATE FUNCTION annexe_note(said text) RETURNS SETOF annexe_note LANGUAGE sql AS"
            " 'INSERT INTO annexe_note (text) VALUES (said) RETURNING *'",
            "DROP FUNCTION annexe_note(text)",
        ),
        migrations.RunSQL(
            [("select * from annexe_note(%s)", ["one"]), "SELECT annexe_note('two') -- $said$"],
            "SELECT annexe_note('three'); SELECT annexe_note('four')",
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL("SELECT 1; INSERT INTO annexe_note (text) VALUES ('two')", "")]
        ),
        """,
    )
    history.at(None)
    read = "SELECT text FROM annexe_note ORDER BY id"
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute(read) == [("one",), ("two",), ("two",)]
    assert shells.run(sql("downgrade", "annexe.0002:annexe.0001")) == (0, "")
    assert history.execute(read)[3:] == [("three",), ("four",)]


def test_a_squashed_migration_is_recorded_as_migrate_does(notes, history):
    notes.write(
        "0002_noted", 'migrations.AlterField("Note", "text", models.CharField(max_length=9))'
    )
    initial = notes.path("0001_initial").read_text()
    replaced = "replaces = [('annexe', '0001_initial'), ('annexe', '0002_noted')]"
    notes.path("0001_squashed").write_text(
        initial.replace("    atomic", f"    {replaced}\n    atomic").replace(
            "TextField(", "CharField(max_length=9"
        )
    )
    notes.write("0003_last", "migrations.RunSQL('', '')", after=[("annexe", "0001_squashed")])
    recorded = "SELECT name FROM django_migrations WHERE app = 'annexe' ORDER BY name"
    history.at(None)
    notes.migrate()
    names = history.execute(recorded)
    script = sql("downgrade", "annexe.0003:annexe.0001_squashed")
    assert shells.run(script) == (0, "")
    notes.migrate("zero")
    assert shells.run(sql("upgrade", "base:annexe.0001_squashed")) == (0, "")
    assert shells.run(sql("upgrade", "annexe.0001_squashed:annexe.0003")) == (0, "")
    assert history.execute(recorded) == names
    call_command("migrate", "--check", "annexe", verbosity=0)
    # As it is where only what was squashed has run.
    history.execute("DELETE FROM django_migrations WHERE name IN ('0003_last', '0001_squashed')")
    assert shells.run(sql("upgrade", "annexe@head", "--pending")) == (0, "")


PERCENTS = ["for %s", "10%%", "5% %s", "100 %", "%(x)s %%s %%%s", "it's 5 % ?"]


def test_a_default_is_stored_byte_for_byte_online_and_by_a_script(annexe, history):
    start = ", ".join(f"('b{at}', models.TextField(null=True))" for at in range(len(PERCENTS)))
    annexe.write(
        "0001_initial",
        f'migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True)), {start}]),',
    )
    added = [
        f'migrations.AddField("Note", "a{at}", models.TextField(default={text!r})),'
        for at, text in enumerate(PERCENTS)
    ]
    altered = [
        f'migrations.AlterField("Note", "b{at}", models.TextField(default={text!r})),'
        for at, text in enumerate(PERCENTS)
    ]
    kept = [
        f'migrations.AddField("Note", "c{at}", models.TextField(db_default={text!r})),'
        for at, text in enumerate(PERCENTS)
    ]
    annexe.write("0002_texts", "\n".join([*added, *altered, *kept]))
    columns = ", ".join(f"{kind}{at}" for kind in "abc" for at in range(len(PERCENTS)))

    annexe.migrate("0001")
    history.execute("INSERT INTO annexe_note (b0) VALUES (NULL)")
    annexe.migrate("0002")
    assert history.execute(f"SELECT {columns} FROM annexe_note") == [(*PERCENTS * 3,)]
    expected = known(history)

    annexe.migrate("zero")
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    history.execute("INSERT INTO annexe_note (b0) VALUES (NULL)")
    assert shells.run(sql("upgrade", "annexe.0001:annexe.0002")) == (0, "")
    assert history.execute(f"SELECT {columns} FROM annexe_note") == [(*PERCENTS * 3,)]
    assert differences(known(history), expected) == {}


@pytest.mark.sqlite
def test_sqlmigrate_shows_a_default_as_it_is(notes, capsys):
    notes.write(
        "0002_more", 'migrations.AddField("Note", "more", models.TextField(default="5% %s")),'
    )
    call_command("sqlmigrate", "annexe", "0002")
    assert 'SELECT "id", "text", \'5% %s\' FROM "annexe_note";' in capsys.readouterr().out


BYTES = b"\0'\\%s\xff"


def test_bytes_as_a_default_end_no_range(annexe, history):
    annexe.write(
        "0001_initial",
        f"""
        migrations.CreateModel(
            "Note",
            [
                ("id", models.AutoField(primary_key=True)),
                ("kept", models.BinaryField(db_default={BYTES!r})),
                ("n", models.IntegerField()),
            ],
        ),
        """,
    )
    annexe.write(
        "0002_more",
        f'migrations.AddField("Note", "more", models.BinaryField(default={BYTES!r})),',
    )
    annexe.write("0003_d", 'migrations.AddField("Note", "d", models.IntegerField(null=True)),')
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    history.execute("INSERT INTO annexe_note (n) VALUES (1)")
    assert shells.run(sql("upgrade", "annexe.0001:annexe.0002")) == (0, "")
    [row] = history.execute("SELECT kept, more FROM annexe_note")
    assert [*map(bytes, row)] == [BYTES, BYTES]
    for engine in ("postgresql", "sqlite"):
        assert sql("upgrade", "annexe.0002:annexe.0003", "--engine", engine)
        assert sql("downgrade", "annexe.0003:annexe.0002", "--engine", engine)
    assert shells.run(sql("upgrade", "annexe.0002:annexe.0003")) == (0, "")
    assert shells.run(sql("downgrade", "annexe.0003:annexe.0002")) == (0, "")


OF_THE_DRIVER = """
from psycopg2.extensions import AsIs

class Odd(models.IntegerField):
    def get_db_prep_save(self, value, connection):
        return AsIs("7")
"""


def test_a_value_that_only_its_driver_can_write_is_refused_where_it_is_written(notes, history):
    notes.write(
        "0002_odd", 'migrations.AddField("Note", "odd", Odd(default=7)),', code=OF_THE_DRIVER
    )
    notes.write("0003_d", 'migrations.AddField("Note", "d", models.IntegerField(null=True)),')
    to_postgresql = ("--engine", "postgresql")
    assert refused("upgrade", "annexe.0001:annexe.0002", *to_postgresql) == (
        "annexe.0002_odd cannot be written as SQL: Add field odd to Note writes a AsIs. Run it"
        " with manage.py migrate, and scripts for what is before and after it.",
        3,
    )
    after = sql("upgrade", "annexe.0002:annexe.0003", *to_postgresql)
    assert 'ALTER TABLE "annexe_note" ADD COLUMN "d" integer NULL;' in after
    assert sql("downgrade", "annexe.0003:annexe.0002", *to_postgresql)
    if connection.vendor == "postgresql":
        history.at(None)
        notes.migrate("0002")
        assert shells.run(after) == (0, "")


SIGNS = {
    "Add field odd to Note": (
        'migrations.AddField("Note", "odd", models.TextField(default="x", db_column="a %s"))'
    ),
    "Alter field text on Note": (
        'migrations.AlterField("Note", "text", models.TextField(db_column="a %s"))'
    ),
    "Rename table for Note to a %s": 'migrations.AlterModelTable("Note", "a %s")',
}


@pytest.mark.parametrize("operation", SIGNS)
def test_a_sign_in_a_name_is_refused_for_postgresql(notes, operation):
    notes.write("0002_odd", SIGNS[operation])
    for start in ("annexe.0001", "base"):
        assert refused("upgrade", f"{start}:annexe.0002", "--engine", "postgresql") == (
            f"annexe.0002_odd cannot be written as SQL: {operation} writes a %s for which it has"
            " no value. Mend the migration: a database does not take that either.",
            3,
        )


@pytest.mark.sqlite
@pytest.mark.parametrize("operation", SIGNS)
def test_a_sign_in_a_name_is_one_of_it_on_sqlite(notes, history, operation):
    notes.write("0002_odd", SIGNS[operation])
    notes.migrate("0001")
    history.execute("INSERT INTO annexe_note (text) VALUES ('%s')")
    before = known(history)
    notes.migrate("0002")
    [(made,)] = history.execute("SELECT sql FROM sqlite_master WHERE sql LIKE '%text NOT NULL%'")
    assert '"a %s"' in made
    expected = known(history)
    notes.migrate("0001")
    assert before.items() <= known(history).items()
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0001")) == (0, "")
    history.execute("INSERT INTO annexe_note (text) VALUES ('%s')")
    assert shells.run(sql("upgrade", "annexe.0001:annexe.0002")) == (0, "")
    assert differences(known(history), expected) == {}
    assert shells.run(sql("downgrade", "annexe.0002:annexe.0001")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note") == [("%s",)]
