"""The lock file beside an SQLite database is made, locked and deleted; nothing else is touched."""

import os
import socket
import stat
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from hotel.command_line import connection_failure
from hotel.migrator.exceptions import LockNotGot
from hotel.migrator.locking import lock_file, run_locks
from hotel.migrator.locking.run_locks import run_lock

pytestmark = pytest.mark.sqlite

CONTENTS = b"root:x:0:0\n" * 3


@pytest.fixture
def lock(history):
    """The path of the lock file of an empty database."""
    history.at(None)
    path = Path(os.path.realpath(connection.settings_dict["NAME"]) + ".migrating")
    yield path
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


@pytest.fixture
def victim(tmp_path):
    """A file that nobody may touch."""
    found = tmp_path / "victim"
    found.write_bytes(CONTENTS)
    found.chmod(0o640)
    return found


def state(path):
    """Return what must stay of a file."""
    return path.read_bytes(), stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime_ns


def refusal():
    """Return what a run says that is refused."""
    with pytest.raises(LockNotGot) as refused, run_lock(connection):
        pass
    assert refused.value.exit_code == 4
    return str(refused.value)


def sentence(lock, what):
    return (
        f"{lock} is {what}, not a lock file of migrate. Neither it nor the"
        " database was changed: see what it is, move it away, and run the same command again."
    )


def bind(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # the whole path may be too long for a socket


THINGS = {
    "a link": (lambda lock, victim: lock.symlink_to(victim), "a symbolic link"),
    "a dangling link": (lambda lock, victim: lock.symlink_to("not there"), "a symbolic link"),
    "a link to itself": (lambda lock, victim: lock.symlink_to(lock), "a symbolic link"),
    "a hard link": (
        lambda lock, victim: lock.hardlink_to(victim),
        "a file that has another name too (a hard link)",
    ),
    "a pipe": (lambda lock, victim: os.mkfifo(lock), "a named pipe"),
    "a folder": (lambda lock, victim: lock.mkdir(), "a folder"),
    "a socket": (lambda lock, victim: bind(lock), "a socket"),
    "other contents": (
        lambda lock, victim: lock.write_bytes(CONTENTS),
        "a file with other contents",
    ),
    "a short word": (
        lambda lock, victim: lock.write_bytes(b"migrant"),
        "a file with other contents",
    ),
    "a huge file": (
        lambda lock, victim: lock.write_bytes(b"migrate " * 1000),
        "a file with other contents",
    ),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_has_its_name_is_neither_followed_nor_changed(lock, victim, thing):
    make, what = THINGS[thing]
    make(lock, victim)
    before, folder = state(victim), sorted(os.listdir(lock.parent))
    mode, size = lock.lstat().st_mode, lock.lstat().st_size
    assert refusal() == sentence(lock, what)
    assert run_locks.holder(connection) == ""
    with run_lock(connection, only_look=True):  # what is no lock file is no lock
        pass
    assert state(victim) == before
    assert sorted(os.listdir(lock.parent)) == folder
    assert (lock.lstat().st_mode, lock.lstat().st_size) == (mode, size)


def test_what_becomes_a_link_after_the_look_is_not_followed(lock, victim, monkeypatch):
    before = state(victim)
    lock.touch()

    def swap(found):
        if not lock.is_symlink():
            lock.unlink()
            lock.symlink_to(victim)

    monkeypatch.setattr(lock_file, "_refuse_other", swap)
    assert "Cannot make the lock file" in refusal()
    assert state(victim) == before


@pytest.mark.parametrize(
    "left",
    [b"", b"migr", b"migrate 12 host 2026-01-31T10:00:00Z", b"\0" * 40, b"migrate 1\n\x1b[2J"],
    ids=["empty", "cut", "whole", "power cut", "old host name"],
)
def test_what_a_killed_run_has_left_is_locked_again(lock, left):
    lock.write_bytes(left)
    with run_lock(connection):
        assert lock.read_bytes().startswith(f"migrate {os.getpid()} ".encode())
    assert not lock.exists()


def test_a_database_that_is_a_link_is_locked_beside_its_file(lock, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    there = tmp_path / "elsewhere" / "link.sqlite3"
    there.symlink_to(connection.settings_dict["NAME"])
    connection.settings_dict["NAME"] = str(there)
    with run_lock(connection):
        assert lock.exists()
        assert os.listdir(there.parent) == ["link.sqlite3"]


@pytest.mark.parametrize("umask", [0, 0o077])
def test_it_is_as_open_as_the_database_whatever_the_umask(lock, umask):
    os.chmod(connection.settings_dict["NAME"], 0o660)
    before = os.umask(umask)
    try:
        with run_lock(connection):
            assert stat.S_IMODE(lock.stat().st_mode) == 0o660
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be two users")
def test_another_users_lock_file_is_locked_but_not_opened_wider(lock):
    lock.write_bytes(b"migrate 12 host 2026-01-31T10:00:00Z")
    os.chown(lock, 12345, 12345)
    lock.chmod(0o644)
    with run_lock(connection):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o644
    assert not lock.exists()


@pytest.mark.parametrize(
    "words",
    [
        "migrate",
        "migrate --fake",
        "migrate --plan",
        "migrate --check",
        "db upgrade",
        "db downgrade base --noinput",
        "db stamp heads",
        "db stamp heads --plan",
        "db doctor",
        "db doctor --fix",
        "db drift",
        "db current",
        "db history --applied",
        "db stats",
    ],
)
def test_every_command_says_the_same_of_a_folder_that_is_missing(
    history, tmp_path, monkeypatch, words
):
    history.at(None)
    path = tmp_path / "missing" / "hotel.sqlite3"
    history.at(None)  # on disk, else it would not be closed
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    with pytest.raises(OperationalError) as error:
        call_command(*words.split())
    assert connection_failure(error.value) == (
        f"Cannot use the database file {path}: its folder is missing or closed to this user;"
        " make it or mend DATABASE_URL."
    )
