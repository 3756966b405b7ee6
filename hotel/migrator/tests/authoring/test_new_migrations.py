"""A copy of this project gets one migration more: a right one breaks no test, a wrong one a guard.

What breaks a rule is said by the guard alone, in one sentence; every other test is skipped.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

from conftest import OWN_MIGRATIONS
from hotel.tests import stress

TESTS = "hotel/migrator/tests"
QUICK = [
    f"{TESTS}/history/test_guards.py",
    f"{TESTS}/script/test_offline.py::test_steps_are_counted_from_the_start_of_the_range",
]

LAST = OWN_MIGRATIONS[-1]
LAST_OF_APP = [key for key in OWN_MIGRATIONS if key[0] == "reservations"][-1]
NUMBER = f"{int(LAST_OF_APP[1][:4]) + 1:04}"
NAME = f"{NUMBER}_add_nickname"
FULL = f"reservations.{NAME}"
FIELD = "models.CharField(max_length=30, null=True)"
RIGHT = f'operations.AddField("guest", "nickname", {FIELD})'


@pytest.fixture
def project(tmp_path):
    """A copy of this project, without what was made in it."""
    folder = tmp_path / "project"
    left_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "*.sqlite3")
    shutil.copytree(settings.BASE_DIR, folder, ignore=left_out)
    return folder


def write(
    project,
    operation=RIGHT,
    *,
    name=NAME,
    docstring='"""Guests may be called otherwise."""',
    dependencies=(LAST_OF_APP, LAST),
    in_models=True,
):
    """Write a migration, and the field that it adds into the models."""
    (project / "reservations" / "migrations" / f"{name}.py").write_text(
        f"{docstring}\n"
        "from django.db import migrations, models\n\n"
        "from hotel.migrator import operations\n\n\n"
        "def rule(apps, value):\n    return value\n\n\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = {[*dependencies]}\n\n"
        f"    operations = [{operation}]\n"
    )
    if in_models:
        change_models(project)


def change_models(project):
    """Write a field into the models, as a developer does."""
    models = project / "reservations" / "models.py"
    before, class_, after = models.read_text().partition("class Guest(models.Model):\n")
    assert class_
    field = f"    full_name = {'models.CharField(max_length=100)'}\n"
    assert field in after
    after = after.replace(field, f"{field}    nickname = {FIELD}\n", 1)
    models.write_text(before + class_ + after)


def ran(project, *words):
    """Run tests of the copy, and return their exit code and what was printed."""
    return run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)


def run(project, *words):
    """Run Python in the copy, and return its exit code and what was printed."""
    left_out = ("PYTEST", "ROUND_TRIPS", "KILLS")
    environment = {key: text for key, text in os.environ.items() if not key.startswith(left_out)}
    end = subprocess.run(
        [sys.executable, *words],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    return end.returncode, end.stdout + end.stderr


def complaint(project):
    """Run tests of the copy of which the guard alone must fail, and return what it says."""
    code, said = ran(project, f"{TESTS}/history/test_guards.py", f"{TESTS}/script/test_offline.py")
    assert code == 1, said
    [counted] = re.findall(r"^1 failed, (\d+) skipped in ", said, re.MULTILINE)
    assert int(counted) > 100
    [sentence] = re.findall(r"_ test_the_history_keeps_its_rules _+\n(.*?)\n=", said, re.DOTALL)
    assert f"\nThe history breaks a rule, which is to be mended first: {sentence}\n" in said
    return sentence


@pytest.mark.once
def test_what_revision_writes_of_a_changed_model_breaks_no_test_and_passes_lint(project):
    change_models(project)
    words = ("db", "revision", "-m", "Add nickname", "--autogenerate", "--noinput")
    code, said = run(project, "manage.py", *words)
    after = f"It comes after {'.'.join(LAST)}, which was the last migration of this project.\n"
    assert (code, said) == (
        0,
        "Migrations for 'reservations':\n"
        f"  reservations/migrations/{NAME}.py\n"
        "    + Add field nickname to guest\n" + (after if LAST != LAST_OF_APP else ""),
    )
    code, said = ran(project, *QUICK)
    assert code == 0, said
    pytest.importorskip("ruff", reason="needs requirements-dev.txt")
    for words in (["check"], ["format", "--check"]):
        code, said = run(project, "-m", "ruff", *words, "reservations")
        assert code == 0, said


@stress.only_whole
@pytest.mark.once
def test_a_right_migration_breaks_no_test_of_the_migrator(project):
    write(project)
    # Others move no history of the hotel, take each migration by itself at length, or are this one.
    which = "not throw_away and not stressed and not whole"
    this = f"--ignore={TESTS}/authoring/test_new_migrations.py"
    code, said = ran(project, "-n", "2", "-m", which, TESTS, this)
    assert code == 0, said


@stress.only_whole
@pytest.mark.once
def test_a_migration_that_may_run_at_any_time_is_said_to_be_one(project):
    write(project, dependencies=[LAST_OF_APP])
    before, after = sorted([LAST, ("reservations", NAME)])
    assert complaint(project) in {
        f"Nothing says in which order {'.'.join(one)} and {'.'.join(other)} run: let the one that"
        " is new depend on the other"
        for one, other in ((before, after), (after, before))
    }


WRONG = {
    "loses rows": (
        {"operation": f'migrations.AddField("guest", "nickname", {FIELD})'},
        f"{FULL}: Add field nickname to guest: write operations.AddField, which archives",
    ),
    "says nothing": (
        {"docstring": ""},
        f"{FULL}: it has no docstring at the top that says what it does",
    ),
    "has no way back": (
        {"operation": f"{RIGHT}, migrations.RunSQL('SELECT 1')"},
        f"{FULL}: Raw SQL operation: nothing takes it back",
    ),
    "has no test": (
        {"operation": f"{RIGHT}, migrations.RunPython(rule, rule)"},
        f"{FULL}: no test names it: write tests/migrations/test_{NAME}.py",
    ),
    "was named by a machine": (
        {"name": f"{NUMBER}_guest_nickname"},
        f"reservations.{NUMBER}_guest_nickname: {NUMBER}_guest_nickname begins with guest, which"
        " is none of: ",
    ),
    "is not in the models": (
        {"in_models": False},
        "The models of reservations have changes that no migration has: write them down with"
        ' manage.py db revision -m "VERB OBJECT" --autogenerate',
    ),
    "leaves a number out": (
        {"name": f"{int(NUMBER) + 1:04}_add_nickname"},
        f"reservations.{int(NUMBER) + 1:04}_add_nickname: its number is not the next one",
    ),
    "has a twin": (
        {"dependencies": [OWN_MIGRATIONS[OWN_MIGRATIONS.index(LAST_OF_APP) - 1], LAST]},
        f"reservations ends in {'.'.join(LAST_OF_APP)} and {FULL}: join them with manage.py db"
        " merge reservations",
    ),
}


@stress.whole
@pytest.mark.once
@pytest.mark.parametrize("what", WRONG if stress.IS_WHOLE else ["loses rows"])
def test_a_migration_that_breaks_a_rule_is_told_so_by_the_guard_alone(project, what):
    given, said = WRONG[what]
    write(project, **given)
    assert complaint(project).startswith(said)


@pytest.mark.once
def test_a_migration_that_needs_one_that_is_not_there_is_told_so_before_any_test(project):
    write(project, dependencies=[("reservations", "0999_add_nothing")])
    code, said = ran(project, f"{TESTS}/history/test_guards.py")
    assert (code, said.strip()) == (
        4,
        f"ERROR: {FULL} depends on reservations.0999_add_nothing, and there is no such file: bring"
        f" it back, for example with git, or mend the dependencies in the file of {FULL}.",
    )
