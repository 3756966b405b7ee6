"""Files are written or replaced all or none, follow no link, and a kill loses nothing."""

import os
import resource
import signal
import sys

import pytest

from hotel.migrator.authoring import files
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.tests.graphs import refusal

pytestmark = pytest.mark.once


def test_files_that_cannot_all_be_written_are_not_written_at_all(rooms, project):
    before = project.contents()
    new, there = rooms.path("0002_add_view"), rooms.path("0001_initial")
    with pytest.raises(WrongUse, match=r"0001_initial\.py: File exists\. Nothing was written"):
        files.write({new: "1", there: "2"})
    assert project.contents() == before


def test_a_disk_that_takes_no_file_is_told(rooms, revise):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    before = rooms.names()
    try:
        with pytest.raises(WrongUse, match=r"^Cannot write the file: File too large\. Nothing was"):
            revise("Add beds", app="annexe")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert rooms.names() == before


class Broken(Exception):
    pass


@pytest.mark.parametrize("number", range(1, 6))
def test_rename_that_fails_leaves_every_file_as_it_was(
    branches,
    merge,
    project,
    monkeypatch,
    number,
):
    before, left, really = project.contents(), [number], os.replace

    def fail(*paths):
        left[0] -= 1
        if left[0] == 0:
            raise Broken
        really(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(Broken):
            merge(rebase="annexe.0002_add_view")
    assert project.contents() == before
    merge(rebase="annexe.0002_add_view")
    assert branches.names()[-1] == "0005_require_view"


CHANGES = 18  # of files, by a rebase of ``branches``


def changes_of_files(folder, when):
    """Call ``when`` before each change of a file in ``folder``, in this process, for ever."""

    def watch(event, arguments):
        writes = event == "open" and isinstance(arguments[1], str) and arguments[1] in ("x", "xb")
        changes = writes or event in ("os.rename", "os.remove")
        if changes and str(folder) in str(arguments[0]):
            when()

    sys.addaudithook(watch)


@pytest.mark.parametrize("number", range(1, CHANGES + 2))
def test_kill_loses_nothing_and_is_told_by_the_next_command(branches, merge, project, number):
    before = project.contents()
    child = os.fork()
    if not child:
        left = [number]

        def count_down():
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            changes_of_files(project.folder, count_down)
            merge(rebase="annexe.0002_add_view")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (-signal.SIGKILL if number <= CHANGES else 0)
    project.reload()
    remains = sorted(project.folder.rglob("*.new"))
    if remains:
        assert number <= CHANGES
        assert refusal(merge, "stables") == (
            f"A rebase was killed before {files.shown(remains[0])} was in its place. git status"
            " shows what it did: bring back what is changed or deleted with git restore, delete"
            " what is new, this file too, and run the same command again.",
            2,
        )
        for path in project.contents().keys() - before.keys():  # as git status shows them
            path.unlink()
        for path, contents in before.items():
            path.write_bytes(contents)
        project.reload()
    if branches.names()[-1] != "0005_require_view":
        assert project.contents() == before
        merge(rebase="annexe.0002_add_view")
    assert branches.names()[-1] == "0005_require_view"
    assert len(project.contents()) == len(before)


def test_no_text_is_written_through_a_link(branches, merge, project, tmp_path):
    victims = [tmp_path / name for name in ("kept", "moved", "beside", "fresh")]
    for victim in victims[:3]:
        victim.write_bytes(b"of somebody else")
    stables = branches.project.apps[1]
    kept, moved = stables.path("0002_fill"), branches.path("0003_fill_view")
    victims[0].write_bytes(kept.read_bytes())
    victims[1].write_bytes(moved.read_bytes())
    texts = [victim.read_bytes() for victim in victims[:3]]
    for link, victim in ((kept, victims[0]), (moved, victims[1])):
        link.unlink()
        link.symlink_to(victim)
    merge(rebase="annexe.0002_add_view")
    assert [victim.read_bytes() for victim in victims[:3]] == texts
    assert not (kept.is_symlink() or branches.path("0004_fill_view").is_symlink())

    link = stables.migrations / "0003_more.py.new"
    link.symlink_to(victims[2])
    files.replace([files.Change(kept, stables.path("0003_more"), b"text")])
    assert victims[2].read_bytes() == texts[2]
    assert stables.path("0003_more").read_bytes() == b"text"

    (branches.migrations / "__init__.py").unlink(missing_ok=True)
    (branches.migrations / "__init__.py").symlink_to(victims[3])
    files.write({branches.path("0006_add_lift"): "text"})
    assert not victims[3].exists()
