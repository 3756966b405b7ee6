"""The benches run: not how quick anything is, but that each comes to an end and a verdict."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from hotel.tests import stress

ROOT = Path(settings.BASE_DIR)
BENCHES = {  # each in its shortest form, and what it says in the end
    "history": ("--reservations", "600", "dumps: identical"),
    "adopt": ("--reservations", "600", "with all checks and the proof"),
    "pages": ("--reservations", "25000", "the bounds"),
    "drift": ("--rounds", "1", "the bounds"),
    "migrate": ("--rounds=1", "--rounds-from-zero=1", "--without-alembic", "the bounds"),
    "interference": ("--rounds=1", "--seconds=1", "the bound"),
    "traffic": ("--reservations", "600", "the bounds"),
}


@pytest.mark.once
def test_each_bench_can_be_loaded():
    names = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
    assert names[:2] == ["adopt", "alembic_twin"]
    for name in names:
        assert importlib.import_module(f"bench.{name}").__doc__


@stress.only_whole
def test_each_bench_comes_to_its_verdict():
    server = os.environ.get("DATABASE_URL", "")
    is_server = server.startswith("postgres")
    environment = {**os.environ, "DATABASE_URL": server if is_server else ""}
    # One after the other: on a server they use a database of the same name.
    for name, (*words, verdict) in BENCHES.items():
        if name in ("interference", "traffic") and not is_server:  # about locks of PostgreSQL
            continue
        end = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", *words],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in end.stderr, name
        # Where other tests run beside it, a bound may be broken.
        assert end.returncode in (0, 1) and verdict in end.stdout, (name, end)
