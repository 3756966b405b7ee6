"""Time and memory of taking over a big legacy hotel, beside a plain copy of the same rows.

Run with ``make bench``, or ``python -m bench.adopt --reservations 5000``. The database is one
of its own: a temporary SQLite file, or one on the PostgreSQL server that DATABASE_URL names (what
``python -m hotel.on_postgresql`` sets). It is made in shape O2; each command is a process like the
one an operator starts. The plain copy is one ``INSERT … SELECT`` a table into the tables of this
history, with the indexes and foreign keys they have.
"""

import argparse
import json
import sys
import time

from bench.databases import database
from bench.history import report, run, shell

BOUNDS = {"seconds": 300, "megabytes": 700, "rate": 0.5}


def main():
    """Measure, print one line a step and the verdict, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reservations", type=int, default=100_000)
    wanted = parser.parse_args().reservations
    with database():
        sys.exit(measure(wanted))


def measure(wanted):
    """Write the hotel, take it over and back and over again, and return the exit code."""
    rows = int(shell(f"from bench.adopt import write; print(write({wanted}))"))
    print(f"  {rows} rows in all, of which {wanted} reservations or more")
    steps = {}
    for name, words in (
        ("dry run", ["--dry-run"]),
        ("adopt", ["--no-input"]),
        ("undo", ["--undo", "--no-input"]),
        ("again", ["--no-input"]),
    ):
        steps[name] = run("db", "adopt", *words)
        report(name, *steps[name])
    plain, adopting, copying = json.loads(shell("from bench.adopt import rates; rates()"))
    steps["migrate"] = run("migrate", "--verbosity", "0")
    report("migrate", *steps["migrate"])
    print(f"  plain INSERT … SELECT: {rows / plain:.0f} rows a second")
    for what, took in (("copy", copying), ("with all checks and the proof", adopting)):
        print(f"  adopt, {what}: {rows / took:.0f} rows a second ({plain / took:.2f} times)")
    memory = max(megabytes for _, megabytes in steps.values())
    kept = steps["adopt"][0] < BOUNDS["seconds"] and memory < BOUNDS["megabytes"]
    return 0 if kept and plain / copying >= BOUNDS["rate"] else 1


def write(wanted):
    """Make a legacy database of shape O2 with at least ``wanted`` reservations; count its rows."""
    from django.db import connection

    from hotel.migrator.tests import legacy_shapes

    legacy_shapes.build("O2")
    legacy_shapes.fill(-(-wanted // 300))
    print(connection.display_name, file=sys.stderr)
    with connection.cursor() as cursor:
        count = 0
        for table in legacy_shapes.TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            count += cursor.fetchone()[0]
    return count


def rates():
    """Print the seconds of a plain copy, of adopting, and of the copy in it: the best of three."""
    import logging
    from io import StringIO

    from django.core.management import call_command

    logging.disable()
    plains, adoptions, copies = [], [], []
    for _ in range(3):
        plains.append(plain())
        call_command("db", "adopt", "--undo", "--discard-new-rows", "--no-input", stdout=StringIO())
        started = time.monotonic()
        call_command("db", "adopt", "--no-input", "--json", stdout=(output := StringIO()))
        adoptions.append(time.monotonic() - started)
        copies.append(json.loads(output.getvalue())["seconds_of_copying"])
    print(json.dumps([min(plains), min(adoptions), min(copies)]))


def plain():
    """Copy all rows into the tables of this history, made empty, and return the seconds it took."""
    from django.db import connection, transaction

    from hotel.legacy import LEGACY
    from hotel.migrator.adopt.moved_tables import place

    aside = place(connection, LEGACY.aside)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            aside.rows(f"TRUNCATE {', '.join(LEGACY.tables)} CASCADE")
        else:
            aside.rows("PRAGMA defer_foreign_keys = ON")
            for table in reversed(LEGACY.tables):
                aside.rows(f"DELETE FROM {table}")
    started = time.monotonic()
    with transaction.atomic():
        for name, table in LEGACY.tables.items():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {aside.there(name)} WHERE 1 = 0")
                there = {column[0] for column in cursor.description}
            pairs = [pair for pair in table.pairs if pair[0] in there]
            new = ", ".join(column for _, column in pairs)
            old = ", ".join(column for column, _ in pairs)
            aside.rows(f"INSERT INTO {table.becomes} ({new}) SELECT {old} FROM {aside.there(name)}")
    return time.monotonic() - started


if __name__ == "__main__":
    main()
