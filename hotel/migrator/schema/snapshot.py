"""The whole schema at heads as SQL: reviewers read it, and ``migrate`` loads it into nothing.

``db snapshot`` writes a file an engine into the folder that MIGRATOR_SNAPSHOT names. The history
stays the truth: a file is what the history makes of an empty database, and it says of which
migrations, each with a checksum, so that one that was changed is noticed. Plain ``psql`` and
``sqlite3`` can run it too.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.revisions import edits
from hotel.migrator.running.runner import loader_without_database, rare_garbage_collection
from hotel.migrator.schema import catalog
from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.repair import ddl
from hotel.migrator.scratch import databases
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import literal, text
from hotel.migrator.storage import tables

NO_FOLDER = "The setting MIGRATOR_SNAPSHOT names no folder for snapshots of the schema."
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
RECORDS = MigrationRecorder.Migration._meta.db_table
# What tells of runs, and not of the hotel: a new database has runs of its own.
OF_RUNS = {model._meta.db_table for model in tables.MODELS} | {RECORDS}

_HEAD = re.compile(r"-- checksum: (\w+)\n")
_RECORD = re.compile(r"^    \('(\w+)', '(\w+)', CURRENT_TIMESTAMP\)[,;] -- (\w*)$", re.MULTILINE)


class Snapshot:
    """What a file says: ``sql``, and ``migrations``, ``{(app, name): checksum}`` in their order."""

    def __init__(self, sql: str):
        self.sql = sql
        self.migrations = {(app, name): written for app, name, written in _RECORD.findall(sql)}

    def misfit(self, loader: MigrationLoader) -> str:
        """Return why it does not stand for the history in the files, or ""."""
        head = _HEAD.search(self.sql)
        if head is None or head[1] != digest(self.sql[head.end() :]):
            return "it was edited by hand, or two versions of it were merged"
        nodes = loader.graph.nodes
        for key, written in self.migrations.items():
            name = ".".join(key)
            if key not in nodes:
                return f"it stands for {name}, of which there is no file"
            if written != edits.checksum(nodes[key])[:16]:
                return f"{name} was changed after it was written"
            for parent in loader.graph.node_map[key].parents:
                if parent.key not in self.migrations:
                    return f"{name} depends on {'.'.join(parent.key)}, which it does not stand for"
        return ""

    def load(self, connection: BaseDatabaseWrapper) -> None:
        """Run it, in the transaction that is open."""
        inside = self.sql.partition("BEGIN;\n")[2].rpartition("COMMIT;")[0]
        with connection.cursor() as cursor:
            for statement in _apart(inside) if connection.vendor == "sqlite" else [inside]:
                cursor.execute(statement, None)


def snapshot(
    connection: BaseDatabaseWrapper, *, engine: str | None = None, check: bool = False
) -> list[dict[str, Any]]:
    """Write the whole schema at heads as SQL, a file an engine, in the folder MIGRATOR_SNAPSHOT.

    It is what the migrations make of an empty database, sorted, with the rows that they insert: for
    reviewers, who read a change of the schema in its diff, and for manage.py migrate, which loads
    it into a database without tables and then runs what came after. The history stays the truth.
    --check writes nothing, and ends with exit code 1 if a file stands for another history than that
    in the migration files. Of PostgreSQL a scratch database is made, as docs/operations.md says.

    In Python: returns a row for each engine, ``engine``, ``file``, ``migrations``, ``stale`` (why,
    or ""), ``outcome`` (written, unchanged; with ``check`` current or stale).
    Raises WrongUse without the setting, and RefusedByPreflight without a scratch database.
    """
    if file_of("sqlite") is None:
        raise WrongUse(NO_FOLDER)
    loader, found = loader_without_database(), []
    for vendor in [engine] if engine else ENGINES:
        before, why = read(vendor), stale(vendor, loader)
        if check:
            outcome = "stale" if why else "current"
        else:
            is_same = write(connection, vendor) == (before.sql if before else None)
            outcome = "unchanged" if is_same else "written"
        found.append(
            {
                "engine": vendor,
                "file": os.path.relpath(str(file_of(vendor))),
                "migrations": len(loader.graph.nodes),
                "stale": why,
                "outcome": outcome,
            }
        )
    return found


def file_of(vendor: str) -> Path | None:
    """Return where the file of an engine lies, or None where the project has no snapshots."""
    folder = getattr(settings, "MIGRATOR_SNAPSHOT", None)
    return Path(folder) / f"{vendor}.sql" if folder and vendor in ENGINES else None


def read(vendor: str) -> Snapshot | None:
    """Return the snapshot of an engine; None if there is no file."""
    file = file_of(vendor)
    if file is None or not file.is_file():
        return None
    return Snapshot(file.read_text(encoding="utf-8"))


def stale(vendor: str, loader: MigrationLoader) -> str:
    """Return why the file of an engine is not the one that would be written, or ""."""
    found = read(vendor)
    if found is None:
        return "it is not there"
    if why := found.misfit(loader):
        return why
    later = [".".join(key) for key in loader.graph.nodes if key not in found.migrations]
    return f"it was written before {', '.join(sorted(later))}" if later else ""


def write(connection: BaseDatabaseWrapper, vendor: str) -> str:
    """Run the history on an empty database of an engine, and write and return what it makes.

    Raises RefusedByPreflight where no scratch database of that engine can be made.
    """
    with databases.database(connection, engine=vendor) as empty, rare_garbage_collection():
        began, there = datetime.now(UTC), catalog.read(empty).facts
        executor = MigrationExecutor(empty)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        executor.migrate(executor.loader.graph.leaf_nodes(), plan)
        with empty.schema_editor() as editor:
            tables.ensure(editor, [tables.JournalEntry])  # the others as the history needs them
        made = catalog.read(empty)
        for thing in there:  # what every new database of a server has
            del made.facts[thing]
        parts = [*_schema(vendor, made), *_rows(empty, made, began), *_sequences(empty, made)]
        parts += ["-- The migrations that this stands for, each with the checksum of its file"]
        parts += [_records([migration for migration, _ in plan])]
    body = "\n\n".join(["BEGIN;", *parts, "COMMIT;"]) + "\n"
    sql = (
        f"-- The whole schema on {ENGINES[vendor]}, for reading, and for a database without tables."
        "\n-- Written by: manage.py db snapshot. It stands for "
        f"{len(plan)} migrations.\n-- checksum: {digest(body)}\n{body}"
    )
    file = file_of(vendor)
    if file is None:
        raise WrongUse(NO_FOLDER)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.write_text(sql, encoding="utf-8")
    new.replace(file)
    return sql


def digest(body: str) -> str:
    """Return the checksum of a file, of all that follows its head."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def _records(migrations: list[Migration]) -> str:
    lines = [
        f"    ({text(one.app_label)}, {text(one.name)}, CURRENT_TIMESTAMP)"
        f"{';' if one is migrations[-1] else ','} -- {edits.checksum(one)[:16]}"
        for one in migrations
    ]
    return "\n".join([f"INSERT INTO {RECORDS} (app, name, applied) VALUES", *lines])


# The schema


def _schema(vendor: str, made: Catalog) -> Iterator[str]:
    """Yield the schema, a part a table: what makes it, and all that belongs to it."""
    for kind in ("extension", "function"):
        for thing in sorted(thing for thing in made.facts if thing.kind == kind):
            yield f"{made.sql[thing].rstrip()};"
    references = []
    for table in sorted(made.tables, key=lambda name: (ddl.depth(made, name), name)):
        if vendor == "sqlite":
            things = [Thing("table", table, table), *sorted(made.of(table))]
            kinds = ("table", "index", "trigger")
            things = sorted((one for one in things if one.kind in kinds), key=_by_kind)
            yield "\n".join(f"{_laid_out(made.sql[thing])};" for thing in dict.fromkeys(things))
            continue
        found = sorted(ddl.whole(table, made), key=lambda pair: pair[0])
        rules = [sql for rank, sql in found if rank == ddl.CONSTRAINT]
        inside = [one for one in rules if not one.endswith(" NOT VALID;")]
        references += [sql for rank, sql in found if rank == ddl.FOREIGN_KEY]
        lines = []
        for rank, sql in found:
            if rank == ddl.FOREIGN_KEY or sql in inside:
                continue
            if ddl.TABLE <= rank < ddl.TABLE + 1 and sql.startswith("CREATE"):
                more = [sql.partition(" ADD ")[2].removesuffix(";") for sql in inside]
                sql = _laid_out(_with_short_identities(table, sql), more)
            lines.append(sql)
        yield "\n".join(lines)
    if references:
        yield "\n".join(sorted(references))


def _by_kind(thing: Thing) -> tuple[int, str]:
    return ("table", "index", "trigger").index(thing.kind), thing.name


_IDENTITY = re.compile(
    r'("(?P<column>\w+)" \w+ GENERATED BY DEFAULT AS IDENTITY)'
    r' \(SEQUENCE NAME "(?P<sequence>\w+)" START 1 INCREMENT 1 MINVALUE 1'
    r" MAXVALUE (?:32767|2147483647|9223372036854775807) CACHE 1 NO CYCLE\)"
)


def _with_short_identities(table: str, sql: str) -> str:
    """Leave out what an identity is by itself."""

    def short(match: re.Match[str]) -> str:
        by_itself = f"{table}_{match['column']}_seq"
        return match[1] if match["sequence"] == by_itself else match[0]

    return _IDENTITY.sub(short, sql)


_WORD = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),]|[^'"(),]+""")


def _laid_out(sql: str, more: list[str] | None = None) -> str:
    """Return a CREATE TABLE with a line for each of its parts; other statements as they are.

    more: parts that are to stand at its end.
    """
    if not re.match(r"CREATE (UNLOGGED )?TABLE", sql) or " PARTITION OF " in sql:
        return sql
    depth, parts, start, after = 0, [""], "", ""
    for match in _WORD.finditer(sql):
        word = match[0]
        depth += word == "("
        if depth == 0:
            start, after = (start + word, "") if parts == [""] else (start, after + word)
        elif word == "," and depth == 1:
            parts.append("")
        elif not (word == "(" and depth == 1) and not (word == ")" and depth == 1):
            parts[-1] += word
        depth -= word == ")"
    lines = ",\n".join(f"    {part.strip()}" for part in [*parts, *(more or [])])
    return f"{start.rstrip()} (\n{lines}\n){after}"


# The rows


def _rows(connection: BaseDatabaseWrapper, made: Catalog, began: datetime) -> Iterator[str]:
    """Yield what inserts the rows that the history makes of no others: those that are needed."""
    for table in sorted(made.tables - OF_RUNS):
        columns = [
            name
            for name in made.columns[table]
            if not made.facts[Thing("column", table, name)]["generated"]
        ]
        names = ", ".join(map(quoted, columns))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM {quoted(table)} ORDER BY 1")
            rows = cursor.fetchall()
        if rows:
            values = ",\n".join(
                f"    ({', '.join(_value(one, connection.vendor, began) for one in row)})"
                for row in rows
            )
            yield f"INSERT INTO {quoted(table)} ({names}) VALUES\n{values};"


def _value(value: Any, vendor: str, began: datetime) -> str:
    """Return a value as SQL; the time at which it was made is that at which it is made again."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        if began <= aware <= datetime.now(UTC):
            return "CURRENT_TIMESTAMP"
    written: str = literal(value, vendor)
    return written


def _sequences(connection: BaseDatabaseWrapper, made: Catalog) -> Iterator[str]:
    """Yield what lets keys go on after those that were given out."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name")
            for table, last in cursor.fetchall():
                if table in made.tables - OF_RUNS:
                    yield (
                        f"DELETE FROM sqlite_sequence WHERE name = {text(table)};\n"
                        f"INSERT INTO sqlite_sequence (name, seq) VALUES ({text(table)}, {last});"
                    )
            return
        for thing in sorted(one for one in made.facts if one.kind == "sequence"):
            cursor.execute(f"SELECT last_value FROM {quoted(thing.name)} WHERE is_called")
            if thing.table not in OF_RUNS and (row := cursor.fetchone()):
                yield f"SELECT setval({text(quoted(thing.name))}, {row[0]});"


def _apart(sql: str) -> Iterator[str]:
    """Yield the statements of SQLite, whose driver takes one at a time."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
