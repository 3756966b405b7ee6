"""``db merge``: two branches of an app are joined, unless both touch the same thing."""

import io
import re

import pytest
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.tests.authoring.forks import FIRST, MODELS, ROOM, VIEW, WING
from hotel.migrator.tests.graphs import refusal
from hotel.migrator.tests.guards import (
    complaints_about_docstring,
    complaints_about_name,
)

pytestmark = pytest.mark.once


@pytest.fixture
def rooms(annexe):
    """An app with a table and its first migration, applied."""
    return annexe.write("0001_initial", ROOM).migrate()


@pytest.fixture
def fork(rooms):
    """Return a function that adds a branch a word: what its migration does."""

    def branches(one, other, code=""):
        rooms.write("0002_add_a", one, code=code, after=FIRST)
        rooms.write("0002_add_b", other, code=code, after=FIRST)
        return rooms

    return branches


def test_branches_are_joined_and_go_up_and_down(fork, merge, project, history):
    rooms = fork(VIEW, WING)
    rooms.models(
        MODELS
        + "    view = models.TextField(null=True)\n" * 1
        + "    wing = models.TextField(null=True)\n"
    )
    history.insert("annexe_room", number="1")
    before = project.facts()
    [path] = merge("annexe")
    assert path == rooms.path("0003_merge_0002_add_a_0002_add_b")
    assert path.read_text() == (
        '"""Merge 0002_add_a and 0002_add_b."""\n'
        "\n"
        "from django.db import migrations\n"
        "\n"
        "\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [\n"
        '        ("annexe", "0002_add_a"),\n'
        '        ("annexe", "0002_add_b"),\n'
        "    ]\n"
        "\n"
        "    operations = []\n"
    )
    assert merge.said == (
        "Merging annexe\n"
        "  Branch 0002_add_a\n"
        "    + Add field view to room\n"
        "  Branch 0002_add_b\n"
        "    + Add field wing to room\n"
        "\n"
        "Created new merge migration annexe/migrations/0003_merge_0002_add_a_0002_add_b.py\n"
    )
    assert complaints_about_name(path.stem) == []
    assert complaints_about_docstring(path.read_text()) == []
    rooms.migrate()
    history.execute("UPDATE annexe_room SET view = 'sea'")
    head = project.facts()
    rooms.migrate("0001_initial")
    assert project.facts() == before
    rooms.migrate()
    assert project.facts() == head
    project.makemigrations("annexe", check=True)
    assert merge() == []
    assert merge.said == "Nothing to merge: no application has two leaves.\n"
    assert merge("annexe") == []
    assert merge.said == "Nothing to merge: annexe has one leaf.\n"
    assert merge(rebase="annexe.0002_add_a") == []


def test_merge_is_named_after_a_message(fork, merge):
    rooms = fork(VIEW, WING)
    [path] = merge(message="Merge views and wings\nBoth were meant.")
    assert path == rooms.path("0003_merge_views_and_wings")
    assert path.read_text().startswith('"""Merge views and wings.\n\nBoth were meant.\n"""\n')


def test_message_that_says_nothing_is_refused(fork, merge, project):
    fork(VIEW, WING)
    before = project.contents()
    text, code = refusal(merge, "annexe", message="Merge")
    assert (text[:40], code) == ("'Merge' does not say what it is about: n", 2)
    assert refusal(merge, "annexe", message="Merge views", rebase="0002_add_b") == (
        "A rebase writes no migration that a message could name: leave -m out, or --rebase.",
        2,
    )
    assert project.contents() == before


def test_long_names_of_branches_make_a_name_as_django_makes_it(rooms, merge):
    for letter in "ab":
        rooms.write(f"0002_add_{letter * 20}", after=FIRST)
    [path] = merge("annexe")
    assert re.fullmatch(r"0003_merge_\d{8}_\d{4}", path.stem)
    assert complaints_about_name(path.stem) == []


def test_three_branches_and_several_steps_are_joined_at_once(fork, merge, project):
    rooms = fork(VIEW, WING)
    rooms.write("0003_add_c", after=[("annexe", "0002_add_a")])
    rooms.write("0002_add_d", after=FIRST)
    [path] = merge("annexe", message="Merge all three")
    assert path == rooms.path("0004_merge_all_three")
    assert MigrationLoader(None).disk_migrations["annexe", path.stem].dependencies == [
        ("annexe", "0002_add_b"),
        ("annexe", "0002_add_d"),
        ("annexe", "0003_add_c"),
    ]
    project.migrate()


def test_every_app_that_has_two_leaves_is_merged(fork, merge, project):
    fork(VIEW, WING)
    stables = project.app("stables").write("0001_initial", after=[])
    for name in ("0002_add_a", "0002_add_b"):
        stables.write(name, after=[("stables", "0001_initial")])
    paths = merge()
    assert [path.parts[-3] for path in paths] == ["annexe", "stables"]
    project.migrate()


@pytest.mark.parametrize("answer, number", [("y", 1), ("n", 0)])
def test_developer_is_asked_first(fork, merge, project, monkeypatch, answer, number):
    fork(VIEW, WING)
    before = project.contents()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    assert len(merge("annexe", interactive=True)) == number
    assert "Should these migration branches be merged? [y/N]" in merge.said
    assert (project.contents() == before) == (number == 0)


RULE = "def rule(apps, value):\n    return value\n"
FILL = 'BatchedRunPython(rule, BatchedRunPython.keep, "room", "floor")'
HOME = 'models.ForeignKey("annexe.Room", models.CASCADE, null=True)'


@pytest.mark.parametrize(
    "one, other, thing, said",
    [
        (VIEW, VIEW, "room.view", ("Add field view to room", "Add field view to room")),
        (
            'migrations.AlterField("room", "floor", models.TextField(null=True))',
            'migrations.RenameField("Room", "floor", "storey")',
            "room.floor",
            ("Alter field floor on room", "Rename field floor on Room to storey"),
        ),
        (
            'operations.RemoveField("room", "floor")',
            'migrations.AddIndex("room", models.Index(fields=["-floor"], name="i"))',
            "room.floor",
            (
                "Remove field floor from room",
                "Create index i on field(s) -floor of model room",
            ),
        ),
        (
            'migrations.AddConstraint("room", models.CheckConstraint(name="c",'
            " condition=models.Q(floor__gte=0)))",
            'migrations.RenameField("room", "floor", "storey")',
            "room.floor",
            (
                "Create constraint c on model room",
                "Rename field floor on room to storey",
            ),
        ),
        (
            'migrations.AddIndex("room", models.Index(fields=["floor"], name="i"))',
            'migrations.AddIndex("room", models.Index(fields=["number"], name="i"))',
            "room.i",
            (
                "Create index i on field(s) floor of model room",
                "Create index i on field(s) number of model room",
            ),
        ),
        (
            FILL,
            'migrations.AlterField("room", "floor", models.TextField(null=True))',
            "room.floor",
            ("Change floor of room in batches", "Alter field floor on room"),
        ),
        (
            FILL,
            FILL,
            "room.floor",
            ("Change floor of room in batches", "Change floor of room in batches"),
        ),
        (
            'operations.DeleteModel("Room")',
            VIEW,
            "the model room",
            ("Delete model Room", "Add field view to room"),
        ),
        (
            'operations.CreateModel("Guest", [("id", models.AutoField(primary_key=True)),'
            f' ("home", {HOME})])',
            'migrations.RenameModel("Room", "Suite")',
            "the model room",
            ("Create model Guest", "Rename model Room to Suite"),
        ),
        (
            'operations.CreateModel("Guest", [("id", models.AutoField(primary_key=True))])',
            'operations.CreateModel("Guest", [("id", models.BigAutoField(primary_key=True))])',
            "the model guest",
            ("Create model Guest", "Create model Guest"),
        ),
        (
            'migrations.AlterModelOptions("room", {"ordering": ["id"]})',
            'migrations.AlterModelOptions("room", {"ordering": ["floor"]})',
            "room.AlterModelOptions",
            ("Change Meta options on room", "Change Meta options on room"),
        ),
        (
            "migrations.SeparateDatabaseAndState("
            'state_operations=[migrations.RemoveField("room", "floor")])',
            'migrations.AlterField("room", "floor", models.TextField(null=True))',
            "room.floor",
            ("Remove field floor from room", "Alter field floor on room"),
        ),
    ],
)
def test_branches_that_touch_the_same_thing_are_refused(
    fork, merge, project, one, other, thing, said
):
    fork(one, other, RULE)
    before = project.contents()
    assert refusal(merge, "annexe") == (
        "The branches of annexe touch the same things, so that their order matters:"
        f" {thing} ({said[0]} in 0002_add_a, {said[1]} in 0002_add_b). Nothing was written: put one"
        " behind the other with manage.py db merge annexe --rebase 0002_add_b, and then read the"
        " files that follow again.",
        3,
    )
    assert project.contents() == before


@pytest.mark.parametrize(
    "one, other",
    [
        (VIEW, 'migrations.AlterField("room", "floor", models.TextField(null=True))'),
        (
            'migrations.AddIndex("room", models.Index(fields=["floor"], name="i"))',
            'migrations.AddIndex("room", models.Index(fields=["floor"], name="j"))',
        ),
        (
            'operations.RemoveField("room", "floor")',
            'operations.AddField("room", "floor_plan", models.TextField(null=True))',
        ),
        (
            'operations.CreateModel("Guest", [("id", models.AutoField(primary_key=True)),'
            f' ("home", {HOME})])',
            VIEW,
        ),
        ('migrations.AlterModelOptions("room", {"ordering": ["id"]})', VIEW),
        (FILL, VIEW),
    ],
)
def test_branches_that_touch_different_things_are_merged(fork, merge, project, one, other):
    fork(one, other, RULE)
    assert len(merge("annexe")) == 1
    project.migrate()
    project.migrate("annexe", "0001")


def test_steps_of_which_nobody_knows_what_they_touch_are_named(fork, merge):
    fork('migrations.RunSQL("SELECT 1", "SELECT 2")', VIEW)
    assert len(merge("annexe")) == 1
    assert "  Not compared, for nobody can tell what it touches: annexe.0002_add_a\n" in merge.said
