"""What the desk feels while a column is added to a table that somebody holds: PostgreSQL only.

Run with ``make bench``, or ``python -m hotel.on_postgresql python -m bench.interference``. A reader
keeps a transaction open that has read ``reservations``, as a report or a back-up does. ``migrate``
adds a column to the table and must wait for the reader; 4 processes go on reading and writing
reservations, 200 transactions a second in all. The reader ends 5 s after ``migrate`` was first seen
waiting. Reported are the longest wait of each client, from the moment at which a transaction was
due to its commit, and its errors; and how long after the reader the column was there. Each round
begins with 3 s of the clients alone: what they wait then is the machine's noise.

The guarded ``migrate`` of this project runs with the settings of the hotel, Django's own beside it
(``bench.plain``), a round each in turn. The migration is Django's ``AddField``; it lies behind a
copy of the migrations of ``reservations`` in a temporary folder. Here no client may wait longer
than the lock timeout (MIGRATOR_LOCK_TIMEOUT) and 20 ms, or see an error: else the exit code is 1.
"""

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.databases import NAME, Postgresql
from bench.history import run

ROOT = Path(__file__).resolve().parent.parent
SIDES = {"guarded": "manage", "plain": "bench.plain"}
RESERVATIONS = 10_000
CLIENTS, RATE = 4, 200  # transactions a second of all clients together
ALONE = 3  # seconds of clients alone, before anything else begins
BOUND = 20  # milliseconds beyond the lock timeout

SETTINGS = """
from hotel.settings import *

MIGRATION_MODULES = {"reservations": "bench_reservations"}
"""
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reservations", {last!r})]
    operations = [migrations.AddField("reservation", "bench", models.IntegerField(null=True))]
"""


def main():
    """Measure, print what the clients felt, and exit 1 if the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="for which the reader goes on")
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        sys.exit("This is about PostgreSQL: python -m hotel.on_postgresql python -m …")
    with (
        tempfile.TemporaryDirectory(prefix="hotel-bench-") as folder,
        closing(Postgresql(url, NAME)) as database,
    ):
        database.empty()
        os.environ["DATABASE_URL"] = database.url
        run("migrate", "--verbosity", "0")
        timeout = prepare(Path(folder))
        sys.exit(measure(database.url, timeout, options.rounds, options.seconds))


def prepare(folder):
    """Write the migration and the reservations; return the lock timeout in milliseconds."""
    copied = shutil.copytree(ROOT / "reservations" / "migrations", folder / "bench_reservations")
    last = max(path.stem for path in copied.glob("0*.py"))
    (copied / "9999_add_bench.py").write_text(MIGRATION.format(last=last))
    (folder / "bench_settings.py").write_text(SETTINGS)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench_settings"
    code = (
        "from bench.pages import write; from django.conf import settings;"
        f" write({RESERVATIONS}); print(settings.MIGRATOR_LOCK_TIMEOUT)"
    )
    words = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    return int(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(url, timeout, rounds, seconds):
    """Let both sides add the column, round by round; return the exit code."""
    print(
        f"{CLIENTS} clients, {RATE} transactions/s; a reader for {seconds:g} s;"
        f" lock timeout {timeout} ms"
    )
    found, alone = {side: [] for side in SIDES}, []
    for number in range(1, rounds + 1):
        for side in SIDES:
            clients, late = add_column(url, side, seconds)
            found[side].append((clients, late))
            waits = ", ".join(f"{max(waits) * 1000:.0f}" for _, waits, _ in clients)
            alone.append(max(max(waits) * 1000 for waits, _, _ in clients))
            errors = sum(len(errors) for *_, errors in clients)
            print(
                f"  round {number}, {side:<8} longest waits {waits} ms"
                f" (alone {alone[-1]:.0f}); {errors} errors;"
                f" the column came {late:.2f} s after the reader",
                flush=True,
            )
            for error in {error for *_, errors in clients for error in errors}:
                print(f"    {error}")
            undo(url)
    worst = {
        side: max(max(waits) * 1000 for clients, _ in ends for _, waits, _ in clients)
        for side, ends in found.items()
    }
    for side, ends in found.items():
        every = sorted(wait for clients, _ in ends for _, waits, _ in clients for wait in waits)
        print(
            f"{side}: {len(every)} transactions, median {median(every) * 1000:.1f} ms, 99 %"
            f" {every[len(every) * 99 // 100] * 1000:.0f} ms, worst {worst[side]:.0f} ms; the"
            f" column came {median(late for _, late in ends):.2f} s after the reader (median)"
        )
    errors = sum(len(errors) for clients, _ in found["guarded"] for *_, errors in clients)
    is_within = worst["guarded"] <= timeout + BOUND and not errors
    print(f"{'within' if is_within else 'BEYOND'} the bound: {timeout + BOUND} ms, no error")
    if not is_within and max(alone) > BOUND:
        print(f"but alone they waited {max(alone):.0f} ms too: this machine has other work")
    return 0 if is_within else 1


def add_column(url, side, seconds):
    """Add the column while the reader reads and the clients work.

    Returns what each client felt, its waits alone and then, in seconds, and its errors; and how
    many seconds after the reader the column was there.
    """
    import psycopg2

    fork = multiprocessing.get_context("fork")
    begun, ended = fork.Event(), fork.Event()
    pipes = [fork.Pipe(duplex=False) for _ in range(CLIENTS)]
    clients = [
        fork.Process(target=client, args=(url, number, begun, ended, sender), daemon=True)
        for number, (_, sender) in enumerate(pipes)
    ]
    for process in clients:
        process.start()
    time.sleep(ALONE)
    begun.set()
    with closing(psycopg2.connect(url)) as reader, closing(psycopg2.connect(url)) as watcher:
        watcher.autocommit = True
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM reservations")
        migrate = subprocess.Popen(
            [sys.executable, "-m", SIDES[side], "migrate", "reservations", "--verbosity", "0"],
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE relation = to_regclass('reservations')"
            " AND mode = 'AccessExclusiveLock' AND NOT granted"
        )
        there = (
            "SELECT count(*) FROM pg_attribute"
            " WHERE attrelid = to_regclass('reservations') AND attname = 'bench'"
        )
        until(watcher, waiting, migrate)
        time.sleep(seconds)
        is_early = asked(watcher, there)
        reader.commit()
        released = time.monotonic()
        until(watcher, there, migrate)
        late = time.monotonic() - released
    said = migrate.communicate()[1]
    if migrate.returncode or is_early:
        sys.exit(f"migrate ended with {migrate.returncode}: {said}")
    ended.set()
    felt = [receiver.recv() for receiver, _ in pipes]
    for process in clients:
        process.join()
    return felt, late


def client(url, number, begun, ended, sender):
    """Read and write reservations, each transaction at its time, and send waits and errors."""
    import psycopg2

    alone, waits, errors, turn = [], [], [], 0
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        started = time.monotonic() + number / RATE
        while not ended.is_set():
            due = started + turn * CLIENTS / RATE
            time.sleep(max(0, due - time.monotonic()))
            key = 1 + (turn * 7919 * CLIENTS + number) % RESERVATIONS  # never another client's
            try:
                cursor.execute("SELECT status FROM reservations WHERE id = %s", [key])
                if turn % 2:
                    cursor.execute(
                        "UPDATE reservations SET special_requests = %s WHERE id = %s", [turn, key]
                    )
                connection.commit()
            except psycopg2.Error as error:
                errors.append(f"{type(error).__name__}: {error}".splitlines()[0])
                connection.rollback()
            (waits if begun.is_set() else alone).append(time.monotonic() - due)
            turn += 1
    sender.send((alone, waits, errors))


def until(watcher, sql, migrate):
    """Ask every few milliseconds until ``sql`` finds something; exit if ``migrate`` ends first."""
    while not asked(watcher, sql):
        if migrate.poll() is not None and not asked(watcher, sql):
            sys.exit(f"migrate ended with {migrate.returncode}: {migrate.stderr.read()}")
        time.sleep(0.003)


def asked(watcher, sql):
    """Return the number that ``sql`` finds."""
    with watcher.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def undo(url):
    """Drop the column again, while nobody works."""
    import psycopg2

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE reservations DROP COLUMN bench")
        cursor.execute("DELETE FROM django_migrations WHERE name = '9999_add_bench'")
        connection.commit()


if __name__ == "__main__":
    main()
