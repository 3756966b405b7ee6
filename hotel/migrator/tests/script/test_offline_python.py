"""What Python reads, and what goes past SQL, is in no script."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import ConnectionHandler, connection, connections

from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import found as drift_found
from hotel.migrator.tests.script.printed import refused, sql


def test_python_that_reads_rows_is_refused_by_name(notes, history):
    notes.write(
        "0002_read",
        "migrations.RunPython(shout, migrations.RunPython.noop)",
        code="""
            def shout(apps, schema_editor):
                for note in apps.get_model("annexe", "Note").objects.all():
                    note.text = note.text.upper()
                    note.save()
        """,
    )
    history.at(None)
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("db", "upgrade", "annexe.0001:annexe.0002", "--sql", stdout=out)
    assert (str(refusal.value), refusal.value.returncode, out.getvalue()) == (
        "annexe.0002_read cannot be written as SQL: what it does depends on the rows that Python"
        " reads (Raw Python operation, shout()). Run it with manage.py migrate, and scripts for"
        " what is before and after it.",
        3,
        "",
    )
    # In an empty database there is nothing to read.
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert drift_found() == []


@pytest.mark.parametrize(
    ("between", "is_refused"),
    [
        ('migrations.AddField("page", "text", models.TextField(null=True))', False),
        ('migrations.RunSQL("INSERT INTO annexe_page DEFAULT VALUES", "")', True),
        ('migrations.DeleteModel("Page"), migrations.RenameModel("Note", "Page")', True),
    ],
    ids=["altered", "filled", "another, renamed"],
)
def test_python_may_read_what_the_script_has_made_and_not_filled(
    notes, history, between, is_refused
):
    key = '[("id", models.AutoField(primary_key=True))]'
    notes.write("0002_add_pages", f'migrations.CreateModel("Page", {key}), {between}')
    notes.write(
        "0003_read",
        "migrations.RunPython(shout, migrations.RunPython.noop)",
        code="""
            def shout(apps, schema_editor):
                for page in apps.get_model("annexe", "Page").objects.all():
                    page.delete()
        """,
    )
    history.at(None)
    if is_refused:
        with pytest.raises(CommandError, match=r"^annexe.0003_read cannot be written as SQL: "):
            sql("upgrade", "annexe.0001:annexe.0003")
    else:
        assert "annexe.0003_read" in "\n".join(sql("upgrade", "annexe.0001:annexe.0003"))


def test_python_that_reads_no_row_is_written_down(notes, history):
    notes.write(
        "0002_add",
        "migrations.RunPython(add, migrations.RunPython.noop)",
        code="""
            def add(apps, schema_editor):
                apps.get_model("annexe", "Note").objects.create(text="one")
                apps.get_model("annexe", "Note").objects.update(text="two")
        """,
    )
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text FROM annexe_note") == [("two",)]


@pytest.mark.parametrize(
    "made",
    [
        'note, _ = [Note.objects.create(text=text) for text in ("one", "two")]',
        'note, _ = Note.objects.bulk_create([Note(text="one"), Note(text="two")])',
    ],
    ids=["one by one", "at once"],
)
@pytest.mark.parametrize(
    "used, rows",
    [
        (
            'Note.objects.filter(pk=note.pk).update(text="three")',
            [("three", None), ("two", None)],
        ),
        (
            "Note.objects.bulk_create(Note(text=text, of=note.pk) for text in ('three', 'four'))",
            [("one", None), ("two", None), ("three", 1), ("four", 1)],
        ),
    ],
    ids=["update", "insert"],
)
def test_python_that_writes_the_key_of_a_row_it_made_is_refused(notes, history, made, used, rows):
    notes.write(
        "0002_add",
        """
        migrations.AddField("Note", "of", models.IntegerField(null=True)),
        migrations.RunPython(add, migrations.RunPython.noop),
        """,
        code=f"""
            def add(apps, schema_editor):
                Note = apps.get_model("annexe", "Note")
                {made}
                {used}
        """,
    )
    said, code = refused("upgrade", "annexe.0001:annexe.0002")
    assert "depends on the rows that Python reads (Raw Python operation, add())" in said
    assert code == 3
    # In an empty database the key is the same.
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0002")) == (0, "")
    assert history.execute("SELECT text, of FROM annexe_note ORDER BY id") == rows


def test_a_function_of_a_batched_step_that_reads_rows_is_refused(notes, history):
    notes.write(
        "0002_count",
        'BatchedRunPython(count, BatchedRunPython.keep, "Note", "text")',
        code="""
            def count(apps, value):
                return Value(str(apps.get_model("annexe", "Note").objects.count()))
        """,
    )
    said, _ = refused("upgrade", "annexe.0001:annexe.0002")
    assert "depends on the rows that Python reads (Change text of Note in batches, count())" in said


def test_python_that_finds_no_row_is_refused_by_name(notes, history):
    notes.write(
        "0002_read",
        "migrations.RunPython(shout, migrations.RunPython.noop)",
        code="""
            def shout(apps, schema_editor):
                note = apps.get_model("annexe", "Note").objects.get(text="one")
                note.delete()
        """,
    )
    assert refused("upgrade", "annexe.0001:annexe.0002") == (
        "annexe.0002_read cannot be written as SQL: what it does depends on the rows that Python"
        " reads (Raw Python operation, shout()). Run it with manage.py migrate, and scripts for"
        " what is before and after it.",
        3,
    )


def test_what_goes_past_sql_is_refused(notes, history):
    past = {"sqlite": "executescript('')", "postgresql": "copy_expert('', None)"}
    notes.write(
        "0002_past",
        "migrations.RunPython(past, migrations.RunPython.noop)",
        code=f"""
            def past(apps, schema_editor):
                with schema_editor.connection.cursor() as cursor:
                    cursor.{past[connection.vendor]}
        """,
    )
    name = past[connection.vendor].partition("(")[0]
    assert refused("upgrade", "base:annexe.0002") == (
        f"annexe.0002_past (Raw Python operation) calls {name}() of a cursor, which cannot be"
        " written as SQL. Run it with manage.py migrate, and scripts for what is before and after"
        " it.",
        3,
    )


def test_another_database_is_left_alone(notes, history, tmp_path, monkeypatch):
    given = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "other.sqlite3")}
    other = ConnectionHandler({"default": given}).settings["default"]
    monkeypatch.setitem(connections.settings, "other", other)
    notes.write(
        "0002_other",
        "migrations.RunPython(write, migrations.RunPython.noop)",
        code="""
            def write(apps, schema_editor):
                apps.get_model("annexe", "Note").objects.using("other").create(text="one")
        """,
    )
    assert refused("upgrade", "base:annexe.0002") == (
        "annexe.0002_other (Raw Python operation) uses the database other too, and a script is"
        " about one. Run it with manage.py migrate, and scripts for what is before and after it.",
        3,
    )
    del connections["other"]
    assert not (tmp_path / "other.sqlite3").exists()


@pytest.mark.sqlite
def test_a_function_that_django_brings_to_sqlite_is_refused(notes, history):
    notes.write(
        "0002_pad",
        "migrations.RunPython(pad, migrations.RunPython.noop)",
        code="""
            def pad(apps, schema_editor):
                from django.db.models.functions import LPad
                notes = apps.get_model("annexe", "Note").objects
                notes.update(text="LPAD( in a value is no call")
                notes.update(text=LPad("text", 5, Value("-")))
        """,
    )
    said, _ = refused("upgrade", "annexe.0001:annexe.0002")
    assert "Raw Python operation writes with LPAD, which sqlite3 does not have." in said
