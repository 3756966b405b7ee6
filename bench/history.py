"""Time and memory of a big hotel's way from the initial state to head and back.

Run with ``make bench``, or ``python -m bench.history --reservations 5000``. The database is one of
its own: a temporary SQLite file, or one on the PostgreSQL server that DATABASE_URL names (what
``python -m hotel.on_postgresql`` sets). Every step is a process like the one an operator starts,
and the dump before and after must be the same. Before the first, ``db upgrade --plan`` looks at all
that is to come: that must be quick beside the run.
"""

import argparse
import os
import subprocess
import sys
import time

from bench.databases import database

DOWN = ["payments", "reservations", "rooms", "dashboard", "accounts"]
DIGEST = """
import hashlib
from django.db import connection
from hotel.migrator.schema import catalog
outside = ("django_", "auth_", "axes_", "migrator_", "sqlite_")
tables = [t for t in sorted(connection.introspection.table_names()) if not t.startswith(outside)]
digest = hashlib.sha256(repr(sorted(catalog.read(connection, tables).facts.items())).encode())
for table in tables:
    digest.update(repr(catalog.dump(connection, [table])).encode())
print(digest.hexdigest())
"""
BOUNDS = {"seconds": 300, "megabytes": 500}  # for all steps together; for the biggest process
PLAN = 0.1  # seconds of the plan / seconds up


def main():
    """Measure, print one line a step and the verdict, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reservations", type=int, default=100_000)
    wanted = parser.parse_args().reservations
    with database():
        sys.exit(measure(wanted))


def measure(wanted):
    """Write the hotel, take every step, and return the exit code."""
    for app in DOWN:
        run("migrate", app, "0001", "--verbosity", "0")
    print(shell(f"from bench.history import write; write({wanted})"), end="", flush=True)
    before = shell(DIGEST)
    planned = run("db", "upgrade", "--plan")
    report("plan", *planned)
    steps = [run("migrate", "--verbosity", "0")]
    report("up", *steps[0])
    at_head = shell(DIGEST)
    down = [run("migrate", app, "0001", "--verbosity", "0") for app in DOWN]
    report("down", sum(seconds for seconds, _ in down), max(memory for _, memory in down))
    same = shell(DIGEST) == before
    steps += down
    steps.append(run("migrate", "--verbosity", "0"))
    report("up again", *steps[-1])
    same = same and shell(DIGEST) == at_head
    seconds, memory = sum(step[0] for step in steps), max(step[1] for step in steps)
    report("all", seconds, memory)
    ratio = planned[0] / steps[0][0]
    print(f"plan: {ratio:.2f} x up (at most {PLAN} x)")
    print("dumps: identical" if same else "dumps: DIFFERENT")
    within = seconds < BOUNDS["seconds"] and memory < BOUNDS["megabytes"] and ratio < PLAN
    return 0 if same and within else 1


def write(wanted):
    """Insert a demo hotel with at least ``wanted`` reservations and say how many there are."""
    from django.db import connection, transaction
    from django.db.migrations.loader import MigrationLoader
    from django.utils import timezone

    from hotel import demo
    from hotel.business_day import by_clock

    loader = MigrationLoader(connection)
    apps = loader.project_state(list(loader.applied_migrations)).apps
    with transaction.atomic():
        days = max(90, wanted * 90 // 580)  # some 590 stays in 90 days
        demo.write(apps, by_clock(timezone.now()), days=days, rounds=4)
    rows = apps.get_model("reservations", "Reservation").objects.count()
    print(f"{connection.display_name}: {rows} reservations")


def shell(code):
    """Run Python in a process that is not measured and return what it prints.

    This process stays small: what a child inherits counts as its memory.
    """
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(*words):
    """Run ``manage.py`` and return its seconds and its peak memory in megabytes."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"manage.py {' '.join(words)} failed; run it by hand to see why.")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def report(step, seconds, megabytes):
    """Print one measured step."""
    print(f"  {step:<9}{seconds:7.1f} s {megabytes:7.0f} MB at most", flush=True)


if __name__ == "__main__":
    main()
