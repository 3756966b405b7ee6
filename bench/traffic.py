"""What the desk feels while a big hotel goes from the initial state to head: PostgreSQL only.

Run with ``make bench``, or ``python -m hotel.on_postgresql python -m bench.traffic``. The hotel of
``bench.history`` is taken to head twice, from the same rows: alone, and while 4 processes go on
working, each transaction at its time: 100 a second that write (payments and stays are inserted and
updated, in either order of the two tables) and 200 a second that read. They know only the columns
that are there from the first state to the last, as the release before does.

Reported are the errors of the clients, the longest wait of each, from the beginning of a
transaction to its commit, and the time that the run took, beside its time alone. A wait while a
migration runs for which ``migrate --plan`` names a planned lock counts for that lock; any other one
must not be longer than the lock timeout (MIGRATOR_LOCK_TIMEOUT) and 20 ms. Broken bounds end with
exit code 1. The clients work alone first: what they wait then is the machine's noise.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from contextlib import closing, contextmanager

from bench.databases import NAME, Postgresql, on_server
from bench.history import DOWN, run, shell

CLIENTS, WRITES, READS = 4, 100, 200  # transactions a second of all clients together
ALONE = 3  # seconds of clients alone, before migrate begins
BOUND = 20  # milliseconds beyond the lock timeout
FACTOR = 3  # times the run alone
START = f"{NAME}_start"  # the database from which both runs begin

PLANNED = """
import json
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hotel.migrator.plan import waits
executor = MigrationExecutor(connection)
plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
found = [
    [wait.migration, wait.table, wait.lock, wait.seconds, wait.longest]
    for wait in waits.locks(connection, executor.loader, plan)
    if wait.online is False and wait.table in connection.introspection.table_names()
]
print(json.dumps([settings.MIGRATOR_LOCK_TIMEOUT, found]))
"""

PAYMENT = (
    "INSERT INTO payments (reservation_id, payment_date, amount, payment_method, notes, is_refund,"
    " is_voided, has_proof, created_at, updated_at)"
    " VALUES (%s, current_date, 100000, 'cash', 'by the bench', false, false, false, now(), now())"
)
STAY = (
    "INSERT INTO reservations (confirmation_number, check_in_date, check_out_date, adults,"
    " children, rate_per_night, subtotal, discount_amount, total_amount, is_archived, created_at,"
    " updated_at, created_by, guest_id, room_type_id) SELECT %s, current_date, current_date + 2, 2,"
    " 0, 100000, 200000, 0, 200000, false, now(), now(), created_by, guest_id, room_type_id"
    " FROM reservations WHERE id = %s RETURNING id"
)
WISH = "UPDATE reservations SET special_requests = 'quiet', updated_at = now() WHERE id = %s"
NOTE = "UPDATE payments SET notes = 'seen by the bench', updated_at = now() WHERE id = %s"
LOCK = "SELECT id FROM reservations WHERE id = %s FOR UPDATE"
READ = (
    "SELECT reservations.id, total_amount, sum(amount) FROM reservations"
    " LEFT JOIN payments ON payments.reservation_id = reservations.id"
    " WHERE reservations.id BETWEEN %s AND %s GROUP BY reservations.id"
)


def main():
    """Measure, print what the clients felt, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reservations", type=int, default=100_000)
    wanted = parser.parse_args().reservations
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        sys.exit("This is about PostgreSQL: python -m hotel.on_postgresql python -m …")
    with closing(Postgresql(server, START)) as start, closing(Postgresql(server, NAME)) as used:
        start.empty()
        os.environ["DATABASE_URL"] = start.url
        for app in DOWN:
            run("migrate", app, "0001", "--verbosity", "0")
        print(shell(f"from bench.history import write; write({wanted})"), end="", flush=True)
        on_server(start.url, "ANALYZE")
        timeout, planned = json.loads(shell(PLANNED))
        keys = [key for (key,) in start.ask("SELECT id FROM reservations ORDER BY id")]
        copy(server, used)
        os.environ["DATABASE_URL"] = used.url
        alone, _ = run("migrate", "--verbosity", "0")
        print(f"  alone {alone:.1f} s", flush=True)
        copy(server, used)
        sys.exit(verdict(alone, *together(used, keys), timeout, planned))


def copy(server, used):
    """Make the database anew, as it was at the start."""
    used.close()
    on_server(server, f"CREATE DATABASE {used.name} TEMPLATE {START}")


def together(database, keys):
    """Run ``migrate`` while the clients work.

    Returns its seconds; when it began; what each client felt; and when each migration ran.
    """
    with clients(database.url, keys) as felt:
        time.sleep(ALONE)
        began = time.time()
        migrate = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            capture_output=True,
            text=True,
        )
        seconds = time.time() - began
    for line in migrate.stderr.splitlines():
        print(f"  migrate says: {line}")
    if migrate.returncode:
        sys.exit(f"migrate ended with {migrate.returncode}")
    runs = database.ask(
        "SELECT app || '.' || name, extract(epoch FROM min(at))::float FROM migrator_journal"
        f" WHERE at >= to_timestamp({began}) GROUP BY app, name, run ORDER BY 2"
    )
    # A migration holds its locks until its commit, which comes after its last entry.
    ends = [first for _, first in runs[1:]] + [began + seconds]
    return seconds, began, felt, [(*run, end) for run, end in zip(runs, ends, strict=True)]


@contextmanager
def clients(url, keys):
    """Let the clients work meanwhile, each on reservations of its own; keys: of those there are.

    Yields a list that holds in the end, for each client, its waits as ``(ended, seconds)``, the
    longest first, and its errors as ``(at, text)``.
    """
    fork = multiprocessing.get_context("fork")
    ended, felt = fork.Event(), []
    pipes = [fork.Pipe(duplex=False) for _ in range(CLIENTS)]
    processes = [
        fork.Process(target=client, args=(url, number, keys, ended, sender), daemon=True)
        for number, (_, sender) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for _, sender in pipes:
        sender.close()  # or nobody would notice that a client has died
    try:
        yield felt
    finally:
        ended.set()
        felt += [receiver.recv() for receiver, _ in pipes]
        for process in processes:
            process.join()


def client(url, number, keys, ended, sender):
    """Write and read, each transaction at its time; send the waits and the errors."""
    import psycopg2

    waits, errors, turn, mine = [], [], 0, keys[number::CLIENTS]
    rate = (WRITES + READS) / CLIENTS
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        due = time.monotonic() + number / (rate * CLIENTS)
        while not ended.is_set():
            time.sleep(max(0, due - time.monotonic()))
            key = mine[turn * 7919 % len(mine)]
            began = time.monotonic()
            try:
                work(cursor, number, turn, key)
                connection.commit()
            except psycopg2.Error as error:
                errors.append((time.time(), f"{type(error).__name__}: {error}".splitlines()[0]))
                connection.rollback()
            waits.append((time.time(), time.monotonic() - began))
            due = max(due + 1 / rate, time.monotonic())
            turn += 1
    sender.send((sorted(waits, key=lambda wait: -wait[1]), errors))


def work(cursor, number, turn, key):
    """Make one transaction: two of three read."""
    if turn % 3:
        cursor.execute(READ, [key, key + 5])
        cursor.fetchall()
        return
    kind = turn // 3 % 4
    if kind == 0:
        cursor.execute(PAYMENT, [key])
        cursor.execute(WISH, [key])
    elif kind == 1:
        cursor.execute(LOCK, [key])
        cursor.execute(PAYMENT, [key])
    elif kind == 2:
        cursor.execute(NOTE, [key])
    else:
        cursor.execute(STAY, [f"B{number}-{turn}", key])
        cursor.execute(PAYMENT, cursor.fetchone())


def verdict(alone, seconds, began, felt, runs, timeout, planned):
    """Print what was felt, and return the exit code."""
    named: dict[str, dict] = {}
    for migration, table, lock, estimate, longest in planned:
        tables = named.setdefault(migration, {})
        modes, seconds_there, _ = tables.get(table, ([], 0, 0))
        tables[table] = [*modes, lock], seconds_there + (estimate or 0), longest
    noise, during, outside = 0.0, {}, []
    for waits, _ in felt:
        for end, wait in waits:
            if end < began:
                noise = max(noise, wait)
                continue
            met = [name for name, first, last in runs if end >= first and end - wait <= last]
            under = [name for name in met if name in named]
            for name in under:
                during[name] = max(during.get(name, 0), wait)
            if not under:
                outside.append((wait, ", ".join(met) or "no migration", round(end - began, 1)))
    for name, tables in named.items():
        each = ", ".join(
            f"{' and '.join(dict.fromkeys(modes))} on {table}, {there:.2f} s, with all beside it"
            f" {'at most' if longest is not None else 'more than'} {longest or there:.2f} s"
            for table, (modes, there, longest) in tables.items()
        )
        print(f"  planned: {name}: {each}; felt {during.get(name, 0) * 1000:.0f} ms at most")
    number = sum(len(waits) for waits, _ in felt)
    errors = [error for _, found in felt for error in found]
    for at, text in errors[:10]:
        met = [name for name, first, last in runs if first <= at <= last]
        print(f"  a client's error during {', '.join(met) or 'no migration'}: {text}")
    outside.sort(reverse=True)
    print(
        f"  {number} transactions, {len(errors)} errors; longest waits outside planned locks"
        f" (before the run {noise * 1000:.0f} ms):"
    )
    for wait, where, at in outside[:5]:
        print(f"    {wait * 1000:.0f} ms, {where}, after {at} s")
    longest = outside[0][0] if outside else 0
    print(f"  beside clients {seconds:.1f} s, {seconds / alone:.2f} times the run alone")
    bound = timeout + BOUND
    is_within = not errors and longest * 1000 <= bound and seconds <= FACTOR * alone
    print(
        f"{'within' if is_within else 'BEYOND'} the bounds: no error, {bound} ms outside planned"
        f" locks, {FACTOR} times the run alone"
    )
    if longest * 1000 > bound and noise * 1000 > BOUND:
        print(f"but alone they waited {noise * 1000:.0f} ms too: this machine has other work")
    return 0 if is_within else 1


if __name__ == "__main__":
    main()
