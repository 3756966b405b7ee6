"""Migrations of several apps and of several branches: what needs what, and who says so."""

import io
import os
import re
import shutil
import subprocess

import pytest
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader

pytestmark = pytest.mark.once

ROOM = """
operations.CreateModel(
    "Room", [("id", models.AutoField(primary_key=True)), ("number", models.TextField())]
)
"""
GUEST = """
operations.CreateModel(
    "Guest", [("id", models.AutoField(primary_key=True)), ("room", models.TextField(null=True))]
)
"""


def recorded(history, app=None):
    """Return the migrations that are applied, in the order in which they were."""
    rows = history.execute("SELECT app, name FROM django_migrations ORDER BY id")
    return [f"{label}.{name}" for label, name in rows if app in (None, label)]


# One app needs another


@pytest.fixture
def two_apps(project):
    """An app with rooms, and one with guests whose 0002 looks at the rooms."""
    annexe, stables = project.app("annexe"), project.app("stables")
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_add_floor", """operations.AddField("room", "floor", models.IntegerField(default=1))"""
    )
    stables.write("0001_initial", GUEST)
    stables.write(
        "0002_fill_room",
        """BatchedRunPython(fill, BatchedRunPython.keep, "guest", "room")""",
        code="""
            def fill(apps, room):
                rooms = apps.get_model("annexe", "Room").objects.filter(floor=1)
                return Subquery(rooms.order_by("pk").values("number")[:1])
        """,
    )
    return annexe, stables


def test_model_of_another_app_without_a_dependency_is_not_there(two_apps, project):
    _, stables = two_apps
    with pytest.raises(LookupError, match=r"^No installed app with label 'annexe'\.$"):
        stables.migrate()
    assert recorded(project.history) == ["stables.0001_initial"]


def test_model_of_another_app_with_too_early_a_dependency_lacks_its_field(two_apps, project):
    _, stables = two_apps
    depends(stables, "0002_fill_room", ("stables", "0001_initial"), ("annexe", "0001_initial"))
    with pytest.raises(FieldError, match=r"^Cannot resolve keyword 'floor' into field"):
        stables.migrate()
    assert sorted(recorded(project.history)) == ["annexe.0001_initial", "stables.0001_initial"]


def test_forgotten_dependency_does_not_show_where_the_other_app_was_there_before(two_apps, project):
    """Hence every migration is also the target of a test that starts from nothing."""
    annexe, stables = two_apps
    annexe.migrate()
    stables.migrate()
    assert recorded(project.history, "stables") == [
        "stables.0001_initial",
        "stables.0002_fill_room",
    ]


def test_dependency_brings_the_other_app_along_and_takes_only_its_own_down(two_apps, project):
    annexe, stables = two_apps
    depends(stables, "0002_fill_room", ("stables", "0001_initial"), ("annexe", "0002_add_floor"))
    stables.migrate("0001_initial")
    project.history.insert("stables_guest", id=1)
    facts = project.facts()
    assert recorded(project.history) == ["stables.0001_initial"]
    stables.migrate()
    assert recorded(project.history, "annexe") == ["annexe.0001_initial", "annexe.0002_add_floor"]
    stables.migrate("0001_initial")
    assert recorded(project.history, "annexe") == ["annexe.0001_initial", "annexe.0002_add_floor"]
    stables.migrate()
    annexe.migrate("0001_initial")
    assert recorded(project.history) == ["stables.0001_initial", "annexe.0001_initial"]
    annexe.migrate("zero")
    assert project.facts() == facts


def depends(app, name, *dependencies):
    """Write other dependencies into a migration."""
    path = app.path(name)
    text = re.sub(
        r"(?s)dependencies = \[.*?\]", f"dependencies = {[*dependencies]}", path.read_text()
    )
    path.write_text(text)
    app.project.reload()


def test_dependency_on_a_migration_that_is_not_there_is_named(two_apps, project):
    _, stables = two_apps
    depends(stables, "0002_fill_room", ("stables", "0001_initial"), ("annexe", "0009_gone"))
    with pytest.raises(
        NodeNotFoundError,
        match=r"^Migration stables\.0002_fill_room dependencies reference nonexistent parent node"
        r" \('annexe', '0009_gone'\)$",
    ):
        stables.migrate()
    assert "django_migrations" not in project.history.tables()


def test_circle_is_named(two_apps, project):
    annexe, stables = two_apps
    depends(stables, "0002_fill_room", ("stables", "0001_initial"), ("annexe", "0002_add_floor"))
    depends(annexe, "0002_add_floor", ("annexe", "0001_initial"), ("stables", "0002_fill_room"))
    with pytest.raises(
        CircularDependencyError,
        match=r"^annexe\.0002_add_floor, stables\.0002_fill_room$"
        r"|^stables\.0002_fill_room, annexe\.0002_add_floor$",
    ):
        project.migrate()


def test_deleted_file_that_others_need_is_named(two_apps, project):
    """The guide's "Can't locate revision": the file is to come back from version control."""
    annexe, _ = two_apps
    annexe.migrate()
    text = annexe.path("0001_initial").read_text()
    annexe.path("0001_initial").unlink()
    result = project.manage("migrate", "annexe")
    assert result.returncode == 2
    assert "annexe.0002_add_floor depends on annexe.0001_initial, and there is no such file: " in (
        result.stderr
    )
    annexe.path("0001_initial").write_text(text)
    assert project.manage("migrate", "annexe").returncode == 0


# This project's own graph


def test_deposits_bring_the_payment_type_along(history):
    history.at(None).migrate("reservations", "0005")
    assert recorded(history, "payments") == [
        "payments.0001_initial",
        "payments.0002_add_expenses",
        "payments.0003_add_payment_type",
    ]
    assert recorded(history, "reservations")[-1] == "reservations.0005_backfill_deposit_amount"


def test_payment_type_brings_the_required_deposit_along(history):
    history.at(None).migrate("payments", "0004")
    assert recorded(history, "reservations")[-1] == "reservations.0006_require_deposit_amount"
    assert recorded(history, "payments")[-1] == "payments.0004_backfill_payment_type"


def test_payments_take_down_what_needs_them(history):
    history.at(("reservations", "0008_add_new_status")).migrate("payments", "0002")
    assert recorded(history, "payments") == ["payments.0001_initial", "payments.0002_add_expenses"]
    assert recorded(history, "reservations")[-1] == "reservations.0004_add_deposit_columns"
    assert recorded(history, "rooms") == ["rooms.0001_initial"]
    assert recorded(history, "accounts") == ["accounts.0001_initial"]


@pytest.mark.parametrize(
    "child, parents",
    [
        (("reservations", "0005_backfill_deposit_amount"), [("payments", "0003_add_payment_type")]),
        (
            ("payments", "0004_backfill_payment_type"),
            [("reservations", "0006_require_deposit_amount")],
        ),
    ],
)
def test_needs_of_the_data_migrations_are_written_down(child, parents):
    dependencies = MigrationLoader(None).disk_migrations[child].dependencies
    assert [key for key in dependencies if key[0] != child[0]] == parents


# Two branches


MODELS = """
class Room(models.Model):
    number = models.TextField()
"""
FLOOR = """    floor = models.IntegerField(null=True)
"""
VIEW = """    view = models.TextField(null=True)
"""
CONFLICT = (
    "Conflicting migrations detected; multiple leaf nodes in the migration graph:"
    " (0002_add_floor, 0002_add_view in annexe).\n"
    "To fix them run 'python manage.py makemigrations --merge'"
)


@pytest.fixture
def branches(annexe, project, history):
    """Two branches added a column each, and were put together."""
    annexe.models(MODELS).make()
    annexe.migrate()
    history.insert("annexe_room", number="1")
    for column, name in ((FLOOR, "0002_add_floor"), (VIEW, "0002_add_view")):
        annexe.models(MODELS + column)
        for path in annexe.migrations.glob("0002*.py"):
            path.rename(path.with_suffix(".aside"))
        project.reload()
        annexe.make(name=name.removeprefix("0002_"))
        for path in annexe.migrations.glob("*.aside"):
            path.rename(path.with_suffix(".py"))
    annexe.models(MODELS + FLOOR + VIEW)
    assert annexe.names() == ["0001_initial", "0002_add_floor", "0002_add_view"]
    return annexe


@pytest.mark.parametrize("command", ["migrate", "makemigrations"])
def test_two_leaves_are_reported_with_the_command_that_mends_them(branches, project, command):
    facts = project.facts()
    with pytest.raises(CommandError) as refusal:
        call_command(command, "annexe", interactive=False, verbosity=0)
    assert str(refusal.value) == CONFLICT
    result = project.manage(command, "annexe")
    assert result.returncode == 1
    assert result.stderr == f"CommandError: {CONFLICT}\n"
    assert project.facts() == facts


def test_merge_is_asked_for_and_then_both_branches_go_up_and_down(branches, project, history):
    facts = project.facts()
    output = project.makemigrations("annexe", "y", merge=True)
    assert "Branch 0002_add_floor\n    + Add field floor to room" in output
    assert "Branch 0002_add_view\n    + Add field view to room" in output
    assert "Created new merge migration" in output
    merge = "0003_merge_0002_add_floor_0002_add_view"
    assert branches.names()[-1] == merge
    branches.migrate()
    history.execute("UPDATE annexe_room SET floor = 3, view = 'sea'")
    head = project.facts()
    branches.migrate("0002_add_floor")  # takes down the merge alone
    assert sorted(recorded(history, "annexe")) == [
        "annexe.0001_initial",
        "annexe.0002_add_floor",
        "annexe.0002_add_view",
    ]
    branches.migrate("0001_initial")
    assert project.facts() == facts
    branches.migrate()
    assert project.facts() == head
    project.makemigrations("annexe", check=True)


def test_merge_that_is_declined_writes_nothing(branches, project):
    project.makemigrations("annexe", "n", merge=True)
    assert branches.names() == ["0001_initial", "0002_add_floor", "0002_add_view"]


def test_database_that_has_one_branch_gets_the_other_by_the_merge(branches, project, history):
    branches.path("0002_add_view").rename(branches.path("0002_add_view").with_suffix(".aside"))
    project.reload()
    branches.migrate()
    history.execute("UPDATE annexe_room SET floor = 3")
    branches.path("0002_add_view").with_suffix(".aside").rename(branches.path("0002_add_view"))
    project.reload()
    project.makemigrations("annexe", merge=True)
    branches.migrate()
    assert history.execute("SELECT number, floor, view FROM annexe_room") == [("1", 3, None)]
    assert recorded(history, "annexe") == [
        "annexe.0001_initial",
        "annexe.0002_add_floor",
        "annexe.0002_add_view",
        "annexe.0003_merge_0002_add_floor_0002_add_view",
    ]


def test_later_branch_may_be_put_behind_the_earlier_one_by_hand(branches, project, history):
    """The guide's way: the newer migration's parent becomes the older one; numbers are no order."""
    depends(branches, "0002_add_view", ("annexe", "0002_add_floor"))
    branches.path("0002_add_view").rename(branches.path("0003_add_view"))
    project.reload()
    branches.migrate()
    assert recorded(history, "annexe") == [
        "annexe.0001_initial",
        "annexe.0002_add_floor",
        "annexe.0003_add_view",
    ]
    project.makemigrations("annexe", check=True)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_git_puts_two_branches_together_and_django_sees_the_conflict(annexe, project, history):
    def git(*arguments):
        own = ["user.name=A", "user.email=a@example.org", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *(word for setting in own for word in ("-c", setting)), *arguments],
            cwd=project.folder,
            env={name: value for name, value in os.environ.items() if name[:4] != "GIT_"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(models, name):
        annexe.models(models)
        annexe.make(name=name)
        git("add", "annexe")
        git("commit", "-m", name)

    git("init", "-b", "main")
    commit(MODELS, "initial")
    git("switch", "-c", "floors")
    commit(MODELS.replace("    number", f"{FLOOR}\n\n\n\n    number"), "add_floor")
    git("switch", "main")
    commit(f"{MODELS}\n\n\n\n{VIEW}", "add_view")
    git("merge", "--no-edit", "floors")
    project.reload()
    assert annexe.names() == ["0001_initial", "0002_add_floor", "0002_add_view"]
    result = project.manage("migrate", "annexe")
    assert (result.returncode, result.stderr) == (1, f"CommandError: {CONFLICT}\n")
    merged = project.manage("makemigrations", "--merge", "--noinput", "annexe")
    assert merged.returncode == 0, merged.stderr
    done = project.manage("migrate", "annexe")
    assert done.returncode == 0, done.stderr
    assert project.manage("makemigrations", "--check", "annexe").returncode == 0
    assert len(recorded(history, "annexe")) == 4
    down = project.manage("migrate", "annexe", "zero")
    assert down.returncode == 0, down.stderr
    assert recorded(history, "annexe") == []


def test_plan_names_what_a_merge_would_run(branches, project):
    project.makemigrations("annexe", merge=True)
    output = io.StringIO()
    call_command("migrate", "annexe", plan=True, no_color=True, stdout=output)
    assert output.getvalue() == (
        "Planned operations:\n"
        "annexe.0002_add_view\n    Add field view to room\n"
        "annexe.0002_add_floor\n    Add field floor to room\n"
        "annexe.0003_merge_0002_add_floor_0002_add_view\n"
    )
