"""What ``db drift`` costs on a clean database at head: the first answer, and the next ones.

Run with ``make bench``, or ``python -m bench.drift``. The database is one of its own. Each run is a
process like the one an operator starts; beside it stands ``migrate --check`` of the same project,
which asks the database next to nothing. The first answer replays the whole history; afterwards its
result is in a file. A bound that is broken ends with exit code 1.
"""

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, closing
from statistics import median

from bench.databases import NAME, Postgresql, Sqlite
from bench.migrate import run

MANAGE = [sys.executable, "-m", "manage"]
BOUNDS = {"first": 3.0, "second": 1.0}  # seconds


def main():
    """Measure, print one line for each answer, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    server = os.environ.get("DATABASE_URL", "")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hotel-bench-"))
        made = Postgresql(server, NAME) if server.startswith("postgres") else Sqlite(folder)
        database = stack.enter_context(closing(made))
        database.empty()
        cache = os.path.join(folder, "cache")
        os.environ["XDG_CACHE_HOME"] = cache
        run([*MANAGE, "migrate"], database.url)
        seconds = {"first": [], "second": [], "migrate --check": []}
        for _ in range(options.rounds):
            shutil.rmtree(cache, ignore_errors=True)
            seconds["first"].append(run([*MANAGE, "db", "drift"], database.url))
            seconds["second"].append(run([*MANAGE, "db", "drift"], database.url))
            seconds["migrate --check"].append(run([*MANAGE, "migrate", "--check"], database.url))
    medians = {name: median(taken) for name, taken in seconds.items()}
    beside = medians.pop("migrate --check")
    print(f"{database.engine}: medians of {options.rounds} runs, migrate --check {beside:.2f} s")
    for name, taken in medians.items():
        print(
            f"  {name + ' answer':<16}{taken:.2f} s (at most {BOUNDS[name]:.0f} s),"
            f" {taken / beside:.2f} x migrate --check"
        )
    broken = [name for name, taken in medians.items() if taken > BOUNDS[name]]
    print(f"beyond the bounds: {', '.join(broken)}" if broken else "within the bounds")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
