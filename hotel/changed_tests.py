"""Run the guards and the tests of what changed: ``python -m hotel.changed_tests``.

What changed is what git shows since this branch left main, committed or not. A changed test file is
run, and so is ``test_NAME.py`` of a changed module or package ``NAME``, wherever it is in the same
app. After ``LIMIT`` seconds the tests are stopped: the rest is for ``make test``.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

GUARDS = "hotel/migrator/tests/history/test_guards.py"
LIMIT = 15  # seconds; lint takes as long


def changed(folder: Path) -> set[str]:
    """Return the paths of changed files that still exist. On main, or without it: since HEAD."""

    def git(*words: str) -> list[str]:
        end = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
        return end.stdout.splitlines() if end.returncode == 0 else []

    since = [*git("merge-base", "HEAD", "main"), "HEAD"][0]
    paths = {*git("diff", "--name-only", since), *git("ls-files", "--others", "--exclude-standard")}
    return {path for path in paths if (folder / path).is_file()}


def named_after(paths: Iterable[str], folder: Path) -> list[str]:
    """Return the test files of changed files, which are named after these, sorted."""
    chosen = set()
    for path in map(Path, paths):
        if path.suffix != ".py":
            continue
        if path.name.startswith("test_"):
            chosen.add(str(path))
            continue
        names = {path.stem, path.parent.name} if path.stem != "__init__" else {path.parent.name}
        tests = (folder / path.parts[0]).rglob("tests/**/test_*.py")
        chosen |= {
            str(test.relative_to(folder))
            for test in tests
            if test.stem.removeprefix("test_") in names
        }
    return sorted(chosen)


def main() -> int:
    """Run them, and return the exit code of pytest."""
    folder = Path.cwd()
    tests = named_after(changed(folder), folder)
    print("Guards, and tests of what changed:", ", ".join(tests) or "none")
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    guards = subprocess.run([*pytest, "-m", "guard", GUARDS])
    if guards.returncode or not tests:
        return guards.returncode
    parallel = ["-n", "auto", "--dist", "worksteal"] if len(tests) > 1 else []
    try:
        return subprocess.run([*pytest, *parallel, *tests], timeout=LIMIT).returncode
    except subprocess.TimeoutExpired:
        print(f"Stopped after {LIMIT} seconds, nothing failed so far: make test runs all.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
