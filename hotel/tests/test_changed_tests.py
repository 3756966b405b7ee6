"""``make check``: which tests belong to what changed."""

import os
import subprocess

import pytest

from hotel.changed_tests import changed, named_after

pytestmark = pytest.mark.once


@pytest.fixture
def folder(tmp_path):
    for path in (
        "rooms/services.py",
        "rooms/migrations/0002_add_beds.py",
        "rooms/tests/test_services.py",
        "rooms/tests/migrations/test_0002_add_beds.py",
        "payments/tests/test_services.py",
        "hotel/migrator/verbs/__init__.py",
        "hotel/migrator/verbs/moving.py",
        "hotel/migrator/tests/test_verbs.py",
        "hotel/migrator/tests/plan/test_moving.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("rooms/services.py", ["rooms/tests/test_services.py"]),
        (
            "rooms/migrations/0002_add_beds.py",
            ["rooms/tests/migrations/test_0002_add_beds.py"],
        ),
        ("hotel/migrator/verbs/__init__.py", ["hotel/migrator/tests/test_verbs.py"]),
        (
            "hotel/migrator/verbs/moving.py",
            ["hotel/migrator/tests/plan/test_moving.py", "hotel/migrator/tests/test_verbs.py"],
        ),
        ("payments/tests/test_services.py", ["payments/tests/test_services.py"]),
        ("rooms/templates/page.html", []),
        ("rooms/forms.py", []),
    ],
)
def test_the_named_after_a_file_are_named_after_it(folder, path, tests):
    assert named_after([path], folder) == tests


def test_what_changed_since_main_is_committed_or_not(folder):
    identity = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **identity}

    def git(*words):
        subprocess.run(
            ["git", *words], cwd=folder, env=environment, check=True, capture_output=True
        )

    assert changed(folder) == set()
    git("init", "-b", "main")
    (folder / ".gitignore").write_text("*.sqlite3\n")
    git("add", "."), git("commit", "-m", "Begin")
    assert changed(folder) == set()
    git("checkout", "-b", "beds")
    (folder / "rooms/services.py").write_text("committed = 1\n")
    git("commit", "-am", "Change")
    (folder / "rooms/forms.py").touch()
    (folder / "db.sqlite3").touch()
    (folder / "hotel/migrator/verbs/moving.py").write_text("changed = 1\n")
    (folder / "payments/tests/test_services.py").unlink()
    assert changed(folder) == {
        "rooms/services.py",
        "rooms/forms.py",
        "hotel/migrator/verbs/moving.py",
    }
