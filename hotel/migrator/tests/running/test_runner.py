"""Runs that errors stop and kills cut off; and the ones that follow them."""

import pytest
from django.db import DatabaseError

from hotel.migrator.tests.commands import journal
from hotel.migrator.tests.projects import BEDS, EVERY, column, refused
from hotel.tests import stress


@stress.whole
def test_killed_before_any_change_up_and_down_it_ends_the_same(project, annexe, history):
    annexe.write("0001_initial", BEDS)
    annexe.write(
        "0002_add_columns",
        """
        migrations.AddField("room", "beds", models.IntegerField(default=2)),
        migrations.AddField(
            "bed",
            "other",
            models.ForeignKey("annexe.Room", models.CASCADE, null=True, related_name="+"),
        ),
        """,
    )
    project.migrate("annexe", "zero")
    nothing = project.facts()
    project.migrate()
    everything = project.facts()
    for target, expected in ((("annexe", "zero"), nothing), ((), everything)):
        start, killed = (nothing if expected is everything else everything), 0
        for number in range(1, 200, EVERY):
            project.migrate(*(() if start is everything else ("annexe", "zero")))
            if not project.killed(number, *target):
                break
            killed += EVERY
            project.migrate(*target)
            assert project.facts() == expected, number
        assert killed > 8
    applied = history.execute("SELECT app, name FROM django_migrations ORDER BY name")
    assert applied == [("annexe", "0001_initial"), ("annexe", "0002_add_columns")]


HALF = """
def half(apps, editor):
    rooms = apps.get_model("annexe", "Room").objects
    rooms.create(floor=7)
    if rooms.filter(floor=1).exists():
        raise ValueError("a room on the first floor")
"""


@pytest.fixture
def half_done(tables):
    """A migration that is not atomic and stops in its second operation, which has done a part."""
    tables.write(
        "0002_half",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.RunPython(half, migrations.RunPython.noop),
        migrations.AddField("room", "doors", models.IntegerField(null=True)),
        """,
        code=HALF,
        atomic=False,
    )
    with pytest.raises(ValueError, match="a room on the first floor"):
        tables.migrate()
    return tables


def test_an_operation_that_may_be_half_done_is_not_run_again(project, half_done, history):
    assert column(history, "floor") == [1, 7]
    history.execute("UPDATE annexe_room SET floor = 2")
    assert refused(project) == (
        "annexe.0002_half was stopped on its way up in an operation that has no transaction"
        " (Raw Python operation, half()), so part of it may be done: running it again could do that"
        " part twice. Look at its rows and finish or undo it by hand; then record what is true with"
        " manage.py migrate --fake annexe 0002_half, or with the name of the migration before it.",
        6,
    )
    assert column(history, "floor") == [2, 2]
    assert [event for name, _, event in journal() if name == "0002_half"] == [
        *("started", "operation", "entered", "failed"),  # the refusal is not written
    ]


def test_what_was_recorded_by_hand_begins_anew(project, half_done, history):
    history.execute("DELETE FROM annexe_room WHERE floor = 7")
    history.execute("UPDATE annexe_room SET floor = 2")
    history.execute("ALTER TABLE annexe_room DROP COLUMN beds")
    project.migrate("annexe", "0001", fake=True)  # as the refusal says; it is recorded so anyway
    project.migrate()
    assert column(history, "floor") == [2, 7]
    assert column(history, "beds") == column(history, "doors") == [None, None]


def test_what_was_finished_by_hand_is_recorded_as_it_is(project, half_done, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN doors integer NULL")
    project.migrate("annexe", "0002", fake=True)
    project.migrate("annexe", "0001")
    assert journal()[-1] == ("0002_half", "backward", "finished")


def test_a_way_down_that_was_undone_by_hand_begins_anew(project, tables, history):
    tables.write(
        "0002_half",
        "migrations.RunPython(migrations.RunPython.noop, half)",
        code=HALF,
        atomic=False,
    ).migrate()
    for _ in range(2):
        with pytest.raises(ValueError, match="a room on the first floor"):
            project.migrate("annexe", "0001")
        sentence, code = refused(project, "annexe", "0001")
        assert ("(Raw Python operation, half())" in sentence, code) == (True, 6)
        project.migrate("annexe", "0002", fake=True)


ADD = 'migrations.AddField("room", "{}", models.IntegerField(null=True))'
FILL = 'migrations.AlterField("room", "floor", models.IntegerField())'


def edited(app, name, *operations, **more):
    app.path(name).unlink()
    app.write(name, ",\n".join(operations), atomic=False, **more)


def test_a_file_that_was_edited_when_it_was_half_done_is_refused(project, tables, history):
    tables.write("0002_beds", f"{ADD.format('beds')},\n{FILL}", atomic=False)
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    before = project.facts()
    edited(tables, "0002_beds", ADD.format("shelves"), ADD.format("doors"))
    sentence = (
        "annexe.0002_beds was stopped on its way up behind 1 of its operations, and its file was"
        " edited since: to go on with the new one could leave something out or do it twice. Bring"
        " the file back as it was, for example with git, and finish it with manage.py migrate"
        " annexe 0002_beds; or finish or undo by hand what it began, and then record what is true"
        " with manage.py migrate --fake annexe 0002_beds, or with the name of the migration before"
        " it."
    )
    assert refused(project) == (sentence, 6)
    assert refused(project, "annexe", "0001") == (sentence, 6)
    assert project.facts() == before
    history.execute("ALTER TABLE annexe_room DROP COLUMN beds")
    project.migrate("annexe", "0001", fake=True).migrate()
    assert column(history, "shelves") == column(history, "doors") == [None, None]


def test_a_file_may_be_edited_when_nothing_of_it_was_done(tables, history):
    tables.write("0002_beds", f"{FILL},\n{ADD.format('beds')}", atomic=False)
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    edited(tables, "0002_beds", ADD.format("beds"))
    tables.migrate()
    assert column(history, "beds") == [None, None]


def test_a_file_that_was_made_atomic_when_it_was_half_done_is_refused(project, half_done):
    half_done.path("0002_half").unlink()
    half_done.write("0002_half", ADD.format("beds"))
    sentence, code = refused(project)
    assert ("its file was edited since" in sentence, code) == (True, 6)


@pytest.mark.postgresql
@pytest.mark.parametrize("atomic", [True, False])
def test_a_session_that_the_server_ends_is_told_in_one_sentence(project, tables, atomic):
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    tables.write("0002_end", f'migrations.RunSQL("{end}")', atomic=atomic)
    done = project.manage("migrate")
    left = "What it had not committed is undone. When the server can be reached, run the same"
    left += " command again; its log says why it has ended the session, such as by a timeout."
    assert (done.stderr.splitlines()[-1], done.returncode) == (
        "annexe.0002_end (Raw SQL operation) failed: server closed the connection unexpectedly. "
        f"{left if atomic else HALF_DONE} --traceback shows where.",
        5,
    )
    assert "Traceback" not in done.stderr


HALF_DONE = (
    "What it did before that stands. Look at its rows and finish or undo it by hand; then record"
    " what is true with manage.py migrate --fake annexe 0002_end, or with the name of the migration"
    " before it."
)


def test_operations_that_ended_are_not_run_again(project, tables, history):
    tables.write(
        "0002_three_columns",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.RunSQL("INSERT INTO annexe_room (floor) VALUES (9)", migrations.RunSQL.noop),
        migrations.AlterField("room", "floor", models.IntegerField()),
        """,
        atomic=False,
    )
    history.insert("annexe_room", floor=None)
    with pytest.raises(DatabaseError):
        tables.migrate()
    history.execute("UPDATE annexe_room SET floor = 3 WHERE floor IS NULL")
    tables.migrate()
    assert column(history, "floor") == [1, 3, 9]
    started, *operations, finished = [
        row for row in journal("event", "operation") if row[0] != "failed"
    ][-3:]
    assert (started, operations, finished) == (
        ("started", None),
        [("operation", 2)],
        ("finished", None),
    )


INDEX = '("room", models.Index(fields=["floor"], name="by_floor"))'


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "operation",
    [
        f"AddIndexConcurrently{INDEX}",
        "migrations.SeparateDatabaseAndState("
        f"[AddIndexConcurrently{INDEX}], [migrations.AddIndex{INDEX}])",
    ],
    ids=["alone", "apart from the state"],
)
def test_an_index_that_did_not_come_about_is_dropped_and_made_anew(tables, history, operation):
    tables.write(
        "0002_index_floor",
        operation,
        code="from django.contrib.postgres.operations import AddIndexConcurrently",
        atomic=False,
    )
    history.execute("CREATE INDEX by_floor ON annexe_room (id)")
    history.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_floor'::regclass"
    )
    tables.migrate()
    valid = (
        "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indexrelid = 'by_floor'::regclass"
    )
    assert history.execute(valid) == [
        (True, "CREATE INDEX by_floor ON public.annexe_room USING btree (floor)")
    ]
    tables.migrate("0001").migrate("0002")
