"""What the guarded ``migrate`` costs: its wall time as a ratio to plain Django's.

Run with ``make bench``, or ``python -m bench.migrate``. The database is one of its own, like that
of ``bench.history``. Measured are ``migrate`` with nothing to do, ``migrate`` from an empty
database to head, and ``migrate --check`` at head. Each run is a process like the one an operator
starts; the two sides take turns within one run, so that both see the same machine, and the medians
are compared. A bound that is broken ends with exit code 1.

Plain Django is ``bench.plain``: the same project, settings and migrations, with Django's own
command and executor. So what the ratio shows is lock, journal, lock timeout, and the receivers of
``pre_migrate`` and ``post_migrate`` with which the migrator looks for half-done work and counts
rows; and, to its advantage, that the guarded command looks for garbage more rarely. The operations of
the migrations are the same on both sides, the migrator's own among them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from statistics import median

from bench.databases import Postgresql, Sqlite
from bench.history import NAME

SIDES = {"guarded": "manage", "plain": "bench.plain"}
BOUNDS = {"at head": 1.15, "from zero": 1.1}  # guarded / plain


def main():
    """Measure, print one line for each way to run it, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rounds-from-zero", type=int, default=7)
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="hotel-bench-") as folder:
        on_postgresql = url.startswith("postgres")
        with closing(Postgresql(url, NAME) if on_postgresql else Sqlite(folder)) as database:
            os.environ["DATABASE_URL"] = database.url
            broken = measure(database, options.rounds, options.rounds_from_zero)
    print(f"beyond the bounds: {', '.join(broken)}" if broken else "within the bounds")
    sys.exit(1 if broken else 0)


def measure(database, rounds, rounds_from_zero):
    """Print medians and ratios; return what is beyond its bound."""
    print(f"{database.engine}: medians of {rounds} runs, from zero of {rounds_from_zero}")
    broken = []
    ways = {
        "from zero": (rounds_from_zero, ["migrate"], database.empty),
        "at head": (rounds, ["migrate"], None),
        "at head, --check": (rounds, ["migrate", "--check"], None),
    }
    for way, (number, words, before) in ways.items():
        seconds = {side: [] for side in SIDES}
        for turn in range(number + 1):  # the first warms up
            for side in reversed(SIDES) if turn % 2 else SIDES:  # nobody always has the first turn
                if before:
                    before()
                taken = run(side, words)
                if turn:
                    seconds[side].append(taken)
        guarded, plain = (median(seconds[side]) for side in SIDES)
        ratio, bound = guarded / plain, BOUNDS.get(way)
        print(
            f"  {way:<18}{guarded * 1000:7.0f} ms, plain {plain * 1000:7.0f} ms: {ratio:5.3f} x"
            + (f" (at most {bound} x)" if bound else ""),
            flush=True,
        )
        if bound and ratio > bound:
            broken.append(way)
    return broken


def run(side, words):
    """Run one side's command line and return its seconds."""
    started = time.monotonic()
    end = subprocess.run(
        [sys.executable, "-m", SIDES[side], *words], stdout=subprocess.DEVNULL, stderr=-1, text=True
    )
    taken = time.monotonic() - started
    if end.returncode:
        sys.exit(f"{side} {' '.join(words)} failed: {end.stderr}")
    return taken


if __name__ == "__main__":
    main()
