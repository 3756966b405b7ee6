"""What the guarded ``migrate`` costs: its wall time as a ratio to plain Django's.

Run with ``make bench``, or ``python -m bench.migrate``. The database is one of its own, like that
of ``bench.history``. Measured are ``migrate`` from an empty database to head, by the
snapshot of the schema and by the history (``--no-snapshot``), ``migrate`` with nothing to do, and
``migrate --check`` at head. Each run is a process like the one an operator
starts; the sides take turns within one run, so that all see the same machine, and the medians are
compared. A bound that is broken ends with exit code 1.

Plain Django is ``bench.plain``: the same project, settings and migrations, with Django's own
command and executor. So what the ratio shows is lock, journal, lock timeout, and the receivers of
``pre_migrate`` and ``post_migrate`` with which the migrator looks for half-done work and counts
rows; and, to its advantage, that the guarded command looks for garbage more rarely. The operations
of the migrations are the same on both sides, the migrator's own among them.

Alembic runs the same DDL beside both, without a bound (``bench.alembic_twin``, which says what is
left out): ``upgrade head`` and ``current --check-heads``. It is skipped if it cannot be installed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from statistics import median

from bench import alembic_twin
from bench.databases import NAME, Postgresql, Sqlite

MANAGE = {"guarded": "manage", "plain": "bench.plain"}
WORDS = {
    "migrate": {"guarded": ["migrate"], "plain": ["migrate"], "Alembic": ["upgrade", "head"]},
    "history": {"guarded": ["migrate", "--no-snapshot"], "plain": ["migrate"]},
    "check": {
        "guarded": ["migrate", "--check"],
        "plain": ["migrate", "--check"],
        "Alembic": ["current", "--check-heads"],
    },
}
BOUNDS = {"at head": 1.15, "from zero": 0.35, "from zero, history": 1.1}  # guarded / plain


def main():
    """Measure, print one line for each way to run it, and exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rounds-from-zero", type=int, default=7)
    parser.add_argument("--without-alembic", action="store_true")
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hotel-bench-"))

        def database(name):
            if url.startswith("postgres"):
                return stack.enter_context(closing(Postgresql(url, name)))
            os.mkdir(os.path.join(folder, name))
            return stack.enter_context(closing(Sqlite(os.path.join(folder, name))))

        both = database(NAME)
        print(
            f"{both.engine}: medians of {options.rounds} runs,"
            f" from zero of {options.rounds_from_zero}"
        )
        sides = {side: ([sys.executable, "-m", module], both) for side, module in MANAGE.items()}
        if not options.without_alembic:
            twin = database(f"{NAME}_twin")
            try:
                sides["Alembic"] = alembic_twin.make(folder, twin), twin
            except alembic_twin.NotMade as reason:
                print(f"  Alembic is skipped: {reason}.")
        broken = measure(sides, options.rounds, options.rounds_from_zero)
    print(f"beyond the bounds: {', '.join(broken)}" if broken else "within the bounds")
    sys.exit(1 if broken else 0)


def measure(sides, rounds, rounds_from_zero):
    """Print medians and ratios; return what is beyond its bound."""
    broken = []
    for way, number, words in (
        ("from zero", rounds_from_zero, "migrate"),
        ("from zero, history", rounds_from_zero, "history"),
        ("at head", rounds, "migrate"),
        ("at head, --check", rounds, "check"),
    ):
        seconds = {side: [] for side in sides if side in WORDS[words]}
        for turn in range(number + 1):  # the first warms up
            order = list(seconds)
            first = turn % len(order)  # nobody always has the first turn
            for side in order[first:] + order[:first]:
                command, database = sides[side]
                if way.startswith("from zero"):
                    database.empty()
                taken = run([*command, *WORDS[words][side]], database.url)
                if turn:
                    seconds[side].append(taken)
        medians = {side: median(taken) for side, taken in seconds.items()}
        ratio, bound = medians["guarded"] / medians["plain"], BOUNDS.get(way)
        print(
            f"  {way:<19}"
            + ", ".join(f"{side} {taken * 1000:.0f} ms" for side, taken in medians.items())
            + f": {ratio:.3f} x plain"
            + (f" (at most {bound} x)" if bound else "")
            + "".join(
                f", {medians['guarded'] / medians[side]:.3f} x {side}"
                for side in medians
                if side not in MANAGE
            ),
            flush=True,
        )
        if bound and ratio > bound:
            broken.append(way)
    return broken


def run(command, url):
    """Run a command line and return its seconds."""
    started = time.monotonic()
    end = subprocess.run(
        command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True
    )
    taken = time.monotonic() - started
    if end.returncode:
        sys.exit(f"{' '.join(command)} failed: {end.stderr}")
    return taken


if __name__ == "__main__":
    main()
