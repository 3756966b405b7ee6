"""Rows whose key has several columns are archived, given back and changed in batches."""

import pytest
from django.db import connection

NIGHT = """
operations.CreateModel("Night", [
    ("pk", models.CompositePrimaryKey("room", "at", "slot")),
    ("room", models.CharField(max_length=20)),
    ("at", models.DateField()),
    ("slot", models.IntegerField(db_column="the slot")),
    ("note", models.CharField(max_length=30, null=True)),
])
"""
COLUMNS = ["room", "at", "the slot", "note"]
ROWS = [
    ('1", "2', "2026-05-04", 1, "a"),
    ("1", "2026-05-04", 1, "b"),
    ("1", "2026-05-04", 12, None),
    ("1", "2026-05-05", 1, "c"),
]


@pytest.fixture
def nights(annexe, history):
    """An app with the table ``annexe_night``, whose key has three columns, and four rows."""
    annexe.write("0001_initial", NIGHT).migrate()
    for row in ROWS:
        history.insert("annexe_night", **dict(zip(COLUMNS, row, strict=True)))
    return annexe


def rows(history):
    found = history.execute('SELECT room, at, "the slot", note FROM annexe_night')
    return sorted((room, str(at), slot, note) for room, at, slot, note in found)


@pytest.mark.parametrize(
    "operation",
    ['operations.RemoveField("night", "note")', 'operations.DeleteModel("night")'],
)
def test_what_goes_up_comes_back(nights, history, project, operation):
    before = rows(history)
    nights.write("0002_drop", operation)
    for _ in range(2):
        nights.migrate().migrate("0001_initial")
        assert rows(history) == sorted(before) == sorted(ROWS)
    assert project.archive() == []


def test_what_goes_down_comes_back(nights, history, project):
    nights.write(
        "0002_add", 'operations.AddField("night", "more", models.IntegerField(null=True))'
    ).migrate()
    history.execute('UPDATE annexe_night SET more = "the slot"')
    before = project.facts()
    nights.migrate("0001_initial").migrate()
    assert project.facts() == before
    nights.migrate("zero").migrate()
    assert project.facts() == before


def test_the_archive_keeps_the_key_as_json(nights, project):
    nights.write("0002_drop", 'operations.RemoveField("night", "note")').migrate()
    entries = [entry[3:5] for entry in project.archive() if entry[4] == "c"]
    assert entries == [('["1","2026-05-05","1"]', "c")]


FILL = """
def upper(apps, note):
    return Upper(note)
"""


@pytest.mark.parametrize("atomic", [True, False])
def test_batches_of_two_change_every_row_and_give_it_back(nights, history, project, atomic):
    nights.write(
        "0002_fill",
        'BatchedRunPython(upper, BatchedRunPython.keep, "night", "note", batch_size=2)',
        code=FILL,
        atomic=atomic,
    )
    nights.migrate()
    assert [note for *_, note in rows(history)] == ["B", None, "C", "A"]
    nights.migrate("0001_initial")
    assert rows(history) == sorted(ROWS)


def test_more_rows_than_a_statement_takes(nights, history):
    history.execute(
        'INSERT INTO annexe_night (room, at, "the slot", note)'
        + (
            " SELECT 'x', '2026-06-01', n, 'a' FROM generate_series(1, 2500) AS n"
            if connection.vendor == "postgresql"
            else " WITH RECURSIVE s(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < 2500)"
            " SELECT 'x', '2026-06-01', n, 'a' FROM s"
        )
    )
    nights.write(
        "0002_fill",
        'BatchedRunPython(upper, BatchedRunPython.keep, "night", "note")',
        code=FILL,
        atomic=False,
    ).migrate()
    [(count,)] = history.execute("SELECT count(*) FROM annexe_night WHERE note = 'A'")
    assert count == 2501


def test_a_killed_batch_goes_on(nights, history, project):
    nights.write(
        "0002_fill",
        'BatchedRunPython(upper, BatchedRunPython.keep, "night", "note", batch_size=1)',
        code=FILL,
        atomic=False,
    )
    assert project.killed(3, "annexe", among='UPDATE "annexe_night"')
    assert [note for *_, note in rows(history)] == ["B", None, "c", "a"]
    nights.migrate()
    assert [note for *_, note in rows(history)] == ["B", None, "C", "A"]
    nights.migrate("0001_initial")
    assert rows(history) == sorted(ROWS)


def test_a_script_archives_them_too(nights, project):
    nights.write("0002_drop", 'operations.RemoveField("night", "note")')
    nights.write("0003_drop", 'operations.DeleteModel("night")')
    run = project.manage("db", "upgrade", "base:heads", "--sql")
    assert (run.returncode, run.stderr) == (0, "")
