"""Tests of the project package: settings, the address of the database, the command line."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent


def manage(*words, **env):
    """Run ``manage.py`` with no other environment than ``env``, and no file of it unless named."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env={"ENV_FILE": "", **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
