"""What may be wrong with a database and its migrations: every diagnosis, and what mends it.

A diagnosis looks and changes nothing. Its cure, where it has one, loses nothing whoever wrote the
rows; everything else is left to a human being, with the command to type.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from django.apps import apps
from django.core.management.color import no_style
from django.db import DatabaseError, IntegrityError
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator import batches, drift, interruptions, locks, preflight, tables
from hotel.migrator.exceptions import MigratorError, mend_of
from hotel.migrator.tables import Cursor
from hotel.migrator.targets import label, labels, migrations


@dataclass(frozen=True)
class Diagnosis:
    """Something that is not as it should be.

    kind: a word for it. what: a sentence. mend: what to do about it, a sentence with the command.
    cure: does it; None if it is not for a program to do.
    """

    kind: str
    what: str
    mend: str
    cure: Callable[[], None] | None = None


def diagnoses(standing):
    """Return every Diagnosis of the database where it stands; see ``verbs.Standing``."""
    return _examine(
        standing,
        {
            "Who migrates": _locked,
            "The ends of the applications": _forks,
            "The files": _files,
            "Doubled records": _doubled_records,
            "What was interrupted": _interrupted,
            "The cursors": _forgotten_cursors,
            "The indexes": _invalid_indexes,
            "The sequences": _sequences_behind,
            "The foreign keys": _orphans,
            "What is left to apply": _behind,
            "The models": _unwritten,
        },
    )


def diagnoses_without_files(connection, error):
    """Return the same where the files make no graph, as the MigratorError ``error`` says."""
    found = _examine(
        SimpleNamespace(connection=connection),
        {
            "Who migrates": _locked,
            "Doubled records": _doubled_records,
            "The cursors": _forgotten_cursors,
            "The indexes": _invalid_indexes,
            "The sequences": _sequences_behind,
            "The foreign keys": _orphans,
        },
    )
    mend = "Until then nothing can be said of the files."
    return [Diagnosis("graph", str(error), mend), *found]


def _examine(standing, examined):
    """Return what is found, and of what cannot be looked at, that it cannot be."""
    found = []
    for what, examine in examined.items():
        try:
            found += examine(standing)
        except MigratorError as error:
            found.append(Diagnosis("unseen", f"{what} cannot be looked at.", str(error)))
        except DatabaseError as error:
            line = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
            what += f" cannot be looked at: {line}."
            found.append(Diagnosis("unseen", what, mend_of(error)))
    return found


def _locked(standing):
    who = locks.holder(standing.connection)
    if who:
        yield Diagnosis(
            "locked",
            f"This database is being migrated by {who}.",
            "Wait until that has ended, or end it; what it began is finished by the next run.",
        )


def _forks(standing):
    graph = standing.graph
    for app in graph.apps:
        leaves = graph.leaves(app)
        if len(leaves) > 1:
            yield Diagnosis(
                "conflict",
                f"{app} ends in {len(leaves)} migrations: {labels(leaves)}.",
                f"Join them with manage.py db merge {app}.",
            )


def _files(standing):
    """What preflight says of files and records of applied migrations, whatever is planned."""
    for finding in preflight.findings(standing.connection, standing.loader, []):
        if finding.kind in ("ghost", "edited", "dependency"):
            yield Diagnosis(finding.kind, finding.cause, finding.mend)
    for key in standing.ghosts:
        if key[0] not in standing.loader.migrated_apps:
            yield Diagnosis(
                "ghost",
                f"{label(key)} is applied, but no application {key[0]} is installed.",
                "Install it again; or, if it is gone for good, forget the record with manage.py db"
                " stamp --purge.",
            )


def _doubled_records(standing):
    if not MigrationRecorder(standing.connection).has_table():
        return
    rows = MigrationRecorder.Migration.objects.using(standing.connection.alias)
    seen, doubles = set(), []
    for row in rows.order_by("pk"):
        key = row.app, row.name
        if key in seen:
            doubles.append(row)
        seen.add(key)
    for row in doubles:
        yield Diagnosis(
            "doubled",
            f"{row.app}.{row.name} is recorded twice, so two processes have applied it at once.",
            "Look whether its rows were changed twice; --fix deletes the later record.",
            row.delete,
        )


def _interrupted(standing):
    for half in interruptions.half_done(standing.connection, standing.loader):
        where = f", in process {half.last.process} on {half.last.host}" if half.last else ""
        yield Diagnosis("interrupted", f"{half.cause}{where}.", half.mend)


def _forgotten_cursors(standing):
    connection = standing.connection
    if not tables.exists(connection, Cursor):
        return
    for cursor in batches.finished(connection):
        yield Diagnosis(
            "cursor",
            f"A cursor of {cursor.owner} was left, though that has ended.",
            "Nothing is lost; --fix deletes it, and so does the next migrate.",
            cursor.delete,
        )


def _invalid_indexes(standing):
    connection = standing.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(name.relname), quote_ident(home.relname) FROM pg_index"
            " JOIN pg_class AS name ON name.oid = indexrelid"
            " JOIN pg_class AS home ON home.oid = indrelid"
            " WHERE NOT indisvalid AND home.relnamespace = current_schema()::regnamespace"
            " ORDER BY 1"
        )
        found = cursor.fetchall()
    for name, table in found:
        # What a REINDEX CONCURRENTLY that failed leaves beside the index itself.
        is_left_over = re.search(r"_cc(new|old)\d*$", name.strip('"'))
        what = "DROP INDEX CONCURRENTLY" if is_left_over else "REINDEX INDEX CONCURRENTLY"

        def cure(sql=f"{what} {name}"):
            with connection.cursor() as cursor:
                cursor.execute(sql)

        yield Diagnosis(
            "invalid index",
            f"The index {name} of {table} is invalid: it was not finished, and no query uses it.",
            f"--fix runs {what} {name}, for which nobody waits.",
            cure,
        )


def _sequences_behind(standing):
    """Keys that the next rows would get although they are taken, as after a restored dump."""
    connection = standing.connection
    if connection.vendor != "postgresql":
        return
    present = set(connection.introspection.table_names())
    own = (*tables.MODELS, MigrationRecorder.Migration)
    for model in [*apps.get_models(include_auto_created=True), *own]:
        table, key = model._meta.db_table, model._meta.auto_field
        if key is None or table not in present or not model._meta.managed:
            continue
        quoted = connection.ops.quote_name(table)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [quoted, key.column])
            [sequence] = cursor.fetchone()
            if sequence is None:
                continue
            cursor.execute(
                f"SELECT max({connection.ops.quote_name(key.column)}),"
                f" (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence})"
                f" FROM {quoted}"
            )
            highest, last = cursor.fetchone()
        if (highest or 0) > last:

            def cure(model=model):
                with connection.cursor() as cursor:
                    for sql in connection.ops.sequence_reset_sql(no_style(), [model]):
                        cursor.execute(sql)

            yield Diagnosis(
                "sequence",
                f"{table} has rows up to key {highest}, but its sequence stands at {last}: new rows"
                " would be refused.",
                "--fix sets it, as manage.py sqlsequencereset does.",
                cure,
            )


def _orphans(standing):
    try:
        standing.connection.check_constraints()
    except IntegrityError as error:
        yield Diagnosis(
            "orphan",
            f"{str(error).rstrip('.')}.",
            "Mend or delete the row; until then SQLite refuses to change its table.",
        )


def _behind(standing):
    left = [key for key in standing.graph.order if key not in standing.applied]
    applied = set(standing.applied)
    # What is applied needs these: they are found with the files, and migrate would refuse.
    left = [key for key in left if applied.isdisjoint(standing.graph.descendants(key))]
    if left:
        number = len(left)
        yield Diagnosis(
            "behind",
            f"Target database is not up to date: {migrations(number)}"
            f" {'is' if number == 1 else 'are'} left to apply: {labels(left)}.",
            "Apply with manage.py migrate, or by steps with manage.py db upgrade +1.",
        )


def _unwritten(standing):
    for app in drift.unwritten(standing.loader):
        yield Diagnosis(
            "unwritten",
            f"The models of {app} have changes that no migration has.",
            f"Write them down with manage.py makemigrations {app}.",
        )
