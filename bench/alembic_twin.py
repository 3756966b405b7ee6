"""The same schema history as an Alembic environment of its own, to measure ``migrate`` beside it.

Nothing of it is a dependency: Alembic is installed into a virtual environment in a temporary
folder. There is a revision for each migration, those of Django's own apps among them, with the SQL
that Django collects for it (what ``sqlmigrate`` prints) at the moment when all before it have run,
since some of it is read from the database. A migration that is not atomic becomes an autocommit
block. What Django cannot collect, which is what changes rows, is left out: an empty database has
none. So are the permissions and content types, which Django writes after each ``migrate``; and
Alembic has no models to make at each step. The schema must be the same in the end, and is compared.
"""

import os
import subprocess
import sys
from pathlib import Path

INI = """[alembic]
script_location = {folder}
"""
ENVIRONMENT = """
import os

from alembic import context
from sqlalchemy import create_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://")
with create_engine(url).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = '''"""{name}"""

from contextlib import nullcontext

from alembic import op

revision = {revision!r}
down_revision = {before!r}

STATEMENTS = {statements!r}


def upgrade():
    block = nullcontext() if {atomic} else op.get_context().autocommit_block()
    with block:
        connection = op.get_bind().execution_options(no_parameters=True)
        for statement in STATEMENTS:
            connection.exec_driver_sql(statement)
'''
SCHEMA = """
import hashlib
from django.db import connection
from hotel.migrator.schema import catalog
outside = ("django_migrations", "alembic_", "migrator_", "sqlite_")
tables = [t for t in sorted(connection.introspection.table_names()) if not t.startswith(outside)]
facts = sorted(catalog.read(connection, tables).facts.items())
print(hashlib.sha256(repr(facts).encode()).hexdigest())
"""


class NotMade(Exception):
    """There is no twin; the message says why, in half a sentence."""


def make(folder, database):
    """Write the twin into ``folder`` and return its command line; the database is used for it.

    Raises NotMade if Alembic cannot be installed. A twin that is none ends the process.
    """
    folder = Path(folder, "twin")
    (folder / "versions").mkdir(parents=True)
    ini = folder / "alembic.ini"
    ini.write_text(INI.format(folder=folder))
    (folder / "env.py").write_text(ENVIRONMENT)
    (folder / "script.py.mako").touch()
    python = _install(folder / "environment", database.engine)
    database.empty()
    environment = {**os.environ, "DATABASE_URL": database.url}
    code = f"from bench.alembic_twin import write; write({str(folder / 'versions')!r})"
    _shell(code, environment)
    wanted = _shell(SCHEMA, environment)
    command = [str(python), "-m", "alembic", "-c", str(ini)]
    database.empty()
    end = subprocess.run(
        [*command, "upgrade", "head"], env=environment, capture_output=True, text=True
    )
    if end.returncode:
        sys.exit(f"The twin's upgrade fails: {end.stderr.strip().splitlines()[-1]}")
    if _shell(SCHEMA, environment) != wanted:
        sys.exit("The twin's schema is another one than that of the migrations.")
    return command


def write(versions):
    """Take the empty database to head with Django's executor, and write each revision."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    before = None
    for number, (migration, _) in enumerate(plan):
        collected = executor.loader.collect_sql([(migration, False)])
        lines = "\n".join(
            line
            for line in "\n".join(collected).splitlines()
            if not line.startswith("--") and line not in ("BEGIN;", "COMMIT;")
        )
        revision = f"r{number:03}"
        Path(versions, f"{revision}.py").write_text(
            REVISION.format(
                name=migration,
                revision=revision,
                before=before,
                statements=_statements(lines),
                atomic=migration.atomic,
            )
        )
        before = revision
        executor.migrate([(migration.app_label, migration.name)], plan=[(migration, False)])
        executor.loader.build_graph()


def _statements(text):
    """Split SQL after each semicolon that ends a line outside of BEGIN … END and of dollars."""
    found, current, inside = [], [], False
    for line in text.splitlines():
        current.append(line)
        whole = "\n".join(current)
        inside = whole.count("$$") % 2 or (
            "CREATE TRIGGER" in whole and "BEGIN" in whole and not line.strip().endswith("END;")
        )
        if line.rstrip().endswith(";") and not inside:
            found.append(whole)
            current = []
    return [*found, *(["\n".join(current)] if "".join(current).strip() else [])]


def _install(environment, engine):
    python = environment / "bin" / "python"
    driver = ["psycopg2-binary"] if engine == "PostgreSQL" else []
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", environment],
        [python, *pip, "alembic", *driver],
    ):
        end = subprocess.run(command, capture_output=True, text=True)
        if end.returncode:
            raise NotMade("it could not be installed")
    return python


def _shell(code, environment):
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    end = subprocess.run(command, capture_output=True, text=True, env=environment)
    if end.returncode:
        sys.exit(end.stderr)
    return end.stdout
