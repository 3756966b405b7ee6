"""What may be wrong with a database and its migrations: every diagnosis, and what mends it.

A diagnosis looks and changes nothing. Its cure, where it has one, loses nothing whoever wrote the
rows; everything else is left to a human being, with the command to type.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

from django.apps import apps
from django.core.management.color import no_style
from django.db import DatabaseError, IntegrityError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from hotel.migrator import preflight
from hotel.migrator.actual_position import ActualPosition
from hotel.migrator.adopt import rows_set_aside, unrecorded
from hotel.migrator.exceptions import MigratorError
from hotel.migrator.locking import run_locks
from hotel.migrator.messages import complaints
from hotel.migrator.plan.finding import LEGACY
from hotel.migrator.revisions.targets import Key, label, labels, migrations
from hotel.migrator.running import interruptions
from hotel.migrator.schema import drift
from hotel.migrator.schema.stamps import Recorded
from hotel.migrator.storage import batches, tables
from hotel.migrator.storage.tables import Adoption, Cursor


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


@dataclass
class OfDatabase:
    """What is looked at where the files make no graph, and what was found out by now.

    mismatch: the kind of the Mismatch of records and tables, "" if none is known.
    """

    connection: BaseDatabaseWrapper
    mismatch: str = ""


class Examination(OfDatabase):
    """The same with the files. is_as_recorded: whether the tables are known to be."""

    def __init__(self, position: Recorded) -> None:
        super().__init__(position.connection)
        self.position = position
        self.loader, self.graph = position.loader, position.graph
        self.applied, self.ghosts = position.applied, position.ghosts
        self.is_as_recorded = False

    @cached_property
    def actual(self) -> ActualPosition:
        """Where the database stands, whatever is recorded."""
        return ActualPosition(self.position)


E = TypeVar("E", bound=OfDatabase)


def diagnoses(position: Recorded) -> list[Diagnosis]:
    """Return every Diagnosis of a database where it stands; see ``verbs.Position``."""
    return _examine(
        Examination(position),
        {
            "Who migrates": _locked,
            "The ends of the applications": _forks,
            "The files": _files,
            "Doubled records": _doubled_records,
            "What was interrupted": _interrupted,
            "The tables": _tables,
            "The cursors": _forgotten_cursors,
            "The indexes": _invalid_indexes,
            "The sequences": _sequences_behind,
            "The foreign keys": _orphans,
            "What stays aside": _set_aside,
            "What is left to apply": _behind,
            "The models": _unwritten,
        },
    )


def diagnoses_without_files(
    connection: BaseDatabaseWrapper, error: MigratorError | None
) -> list[Diagnosis]:
    """Return the same where the files make no graph, as the MigratorError ``error`` says."""
    found = _examine(
        OfDatabase(connection),
        {
            "Who migrates": _locked,
            "Doubled records": _doubled_records,
            "The cursors": _forgotten_cursors,
            "The indexes": _invalid_indexes,
            "The sequences": _sequences_behind,
            "The foreign keys": _orphans,
            "What stays aside": _set_aside,
        },
    )
    mend = "Until then nothing can be said about the files."
    return [Diagnosis("graph", str(error), mend), *found]


def _examine(
    examination: E, examiners: dict[str, Callable[[E], Iterator[Diagnosis]]]
) -> list[Diagnosis]:
    """Return what is found, and of what cannot be looked at, that it cannot be."""
    found: list[Diagnosis] = []
    for what, examine in examiners.items():
        try:
            found += examine(examination)
        except MigratorError as error:
            found.append(Diagnosis("unseen", f"{what} cannot be looked at.", str(error)))
        except DatabaseError as error:
            said, _, mend = complaints.of(error)
            what += f" cannot be looked at: {said}."
            found.append(Diagnosis("unseen", what, mend))
    return found


def sequences_behind(connection: BaseDatabaseWrapper) -> list[Diagnosis]:
    """Return the Diagnoses of sequences alone, of those that this user may look at."""
    found = _examine(OfDatabase(connection), {"The sequences": _sequences_behind})
    return [one for one in found if one.kind == "sequence"]


def _locked(examination: OfDatabase) -> Iterator[Diagnosis]:
    who = run_locks.holder(examination.connection)
    if who:
        yield Diagnosis(
            "locked",
            f"This database is being migrated by {who}.",
            "Wait until that has ended, or end it; what it began is finished by the next run.",
        )


def _forks(examination: Examination) -> Iterator[Diagnosis]:
    graph = examination.graph
    for app in graph.apps:
        leaves = graph.leaves(app)
        if len(leaves) > 1:
            yield Diagnosis(
                "conflict",
                f"{app} ends in {len(leaves)} migrations: {labels(leaves)}.",
                f"Join them with manage.py db merge {app}.",
            )


def _files(examination: Examination) -> Iterator[Diagnosis]:
    """What preflight says of files and records of applied migrations, whatever is planned."""
    found = preflight.findings(examination.connection, examination.loader, [])
    mends = {}
    if any(finding.kind == "dependency" for finding in found) and not _is_busy(examination):
        mends["dependency"] = examination.actual.of_gaps()  # by one command for all
    for finding in found:
        if finding.kind in ("ghost", "edited", "dependency"):
            yield Diagnosis(finding.kind, finding.cause, mends.get(finding.kind) or finding.mend)
    for key in examination.ghosts:
        if key[0] not in examination.loader.migrated_apps:
            yield Diagnosis(
                "ghost",
                f"{label(key)} is applied, but no application {key[0]} is installed.",
                "Install it again; or, if it is gone for good, forget the record with manage.py db"
                " stamp --purge.",
            )


def _doubled_records(examination: OfDatabase) -> Iterator[Diagnosis]:
    if not MigrationRecorder(examination.connection).has_table():
        return
    rows = MigrationRecorder.Migration.objects.using(examination.connection.alias)
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
            "Check whether its rows were changed twice; --fix deletes the later record.",
            partial(_delete, row),
        )


def _delete(row: Model) -> None:
    row.delete()


def _interrupted(examination: Examination) -> Iterator[Diagnosis]:
    for half in interruptions.half_done(examination.connection, examination.loader):
        where = f", in process {half.last.process} on {half.last.host}" if half.last else ""
        yield Diagnosis("interrupted", f"{half.cause}{where}.", half.mend)


def _is_busy(examination: Examination) -> bool:
    """Tell whether somebody is changing the tables, or has stopped half way."""
    connection = examination.connection
    is_mine = run_locks.held(connection) is not None
    return bool(not is_mine and run_locks.holder(connection)) or bool(
        interruptions.half_done(connection, examination.loader)
    )


def _tables(examination: Examination) -> Iterator[Diagnosis]:
    """Whether the tables are what is recorded; the rest of what is said here takes that for true.

    Left out where no scratch database can be made: ``db drift`` says so.
    """
    if examination.actual.gaps or _is_busy(examination):
        return
    found = examination.actual.of_tables()
    examination.is_as_recorded = found is None
    if found:
        examination.mismatch = found.kind
        yield Diagnosis(found.kind, found.what, found.mend)


def _forgotten_cursors(examination: OfDatabase) -> Iterator[Diagnosis]:
    connection = examination.connection
    if not tables.exists(connection, Cursor):
        return
    for cursor in batches.finished(connection):
        yield Diagnosis(
            "cursor",
            f"A cursor of {cursor.owner} was left, though that has ended.",
            "Nothing is lost; --fix deletes it, and so does the next migrate.",
            partial(_delete, cursor),
        )


def _invalid_indexes(examination: OfDatabase) -> Iterator[Diagnosis]:
    connection = examination.connection
    for name, table in interruptions.invalid_indexes(connection).items():
        what = f"The index {name} of {table} is invalid: it was not finished, and no query uses it."
        # What a REINDEX CONCURRENTLY that failed leaves beside the index itself.
        if re.search(r"_cc(new|old)\d*$", name.strip('"')):
            sql = f"DROP INDEX CONCURRENTLY {name}"
        elif obstacle := _obstacle(connection, name, table):
            mend = f"It cannot be finished: {obstacle}; then --fix finishes it."
            yield Diagnosis("invalid index", what, mend)
            continue
        else:
            sql = f"REINDEX INDEX CONCURRENTLY {name}"

        def cure(sql: str = sql) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql)

        mend = f"--fix runs {sql}, for which nobody waits."
        yield Diagnosis("invalid index", what, mend, cure)


def _obstacle(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    """Return why an index cannot be finished as the rows are, and what to do, or ""."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisunique AND NOT indnullsnotdistinct, indisunique, relkind = 'I',"
            " coalesce(pg_get_expr(indpred, indrelid), 'true'),"
            " ARRAY(SELECT pg_get_indexdef(indexrelid, number, true)"
            " FROM generate_series(1, indnkeyatts) AS number)"
            " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indexrelid = to_regclass(%s)",
            [name],
        )
        nulls_differ, is_unique, is_partitioned, condition, keys = cursor.fetchone()
    if is_partitioned:
        return "partitions lack theirs: ALTER INDEX … ATTACH PARTITION attaches them"
    of_rows = f"FROM {table} WHERE ({condition})"
    # In a transaction of somebody else's, an error must not end it.
    own = transaction.atomic(connection.alias) if connection.in_atomic_block else nullcontext()
    try:
        with own, connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(f'count({key})' for key in keys)} {of_rows}")
            if not is_unique:
                return ""
            known = "".join(f" AND ({key}) IS NOT NULL" for key in keys if nulls_differ)
            groups = ", ".join(str(number) for number, _ in enumerate(keys, 1))
            cursor.execute(
                f"SELECT {', '.join(f'({key})' for key in keys)}, count(*) {of_rows}{known}"
                f" GROUP BY {groups} HAVING count(*) > 1 LIMIT 1"
            )
            if not cursor.fetchone():
                return ""
    except DatabaseError as error:
        return f"{complaints.of(error).said}: mend the rows of {table}"
    return f"rows of {table} have the same {', '.join(keys)}: change or merge them"


def _sequences_behind(examination: OfDatabase) -> Iterator[Diagnosis]:
    """Keys that the next rows would get although they are taken, as after a restored dump."""
    connection = examination.connection
    if connection.vendor != "postgresql":
        return
    present = set(connection.introspection.table_names())
    own: list[type[Model]] = [*tables.MODELS, MigrationRecorder.Migration]
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
                f"SELECT max({connection.ops.quote_name(str(key.column))}),"
                f" (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM {sequence})"
                f" FROM {quoted}"
            )
            highest, last = cursor.fetchone()
        if (highest or 0) > last:

            def cure(model: type[Model] = model) -> None:
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


def _orphans(examination: OfDatabase) -> Iterator[Diagnosis]:
    if examination.mismatch == LEGACY:
        return  # adopt finds something for them to refer to
    try:
        examination.connection.check_constraints()
    except IntegrityError as error:
        yield Diagnosis(
            "orphan",
            f"{str(error).rstrip('.')}.",
            "Mend or delete the row; until then SQLite refuses to change its table.",
        )


def _set_aside(examination: OfDatabase) -> Iterator[Diagnosis]:
    connection = examination.connection
    if not tables.exists(connection, Adoption):
        return
    latest = Adoption._base_manager.using(connection.alias).order_by("-pk").first()
    if latest and (rows := rows_set_aside.still(connection, latest)):
        yield Diagnosis(
            "set aside",
            f"Rows of the legacy database could not come along on {latest.adopted_at:%Y-%m-%d} and"
            f" stay aside: {rows_set_aside.in_short(rows)}.",
            "Insert them with the keys they had, once what they need is there; or end the adoption"
            " with manage.py db adopt --finish, which keeps the tables they are in. manage.py db"
            " adopt lists them all.",
        )


def _behind(examination: Examination) -> Iterator[Diagnosis]:
    left = [key for key in examination.graph.order if key not in examination.applied]
    applied = set(examination.applied)
    # What is applied needs these: they are found with the files, and migrate would refuse.
    left = [key for key in left if applied.isdisjoint(examination.graph.descendants(key))]
    if left and examination.is_as_recorded and not _is_busy(examination):
        yield from _in_the_way(examination, left)
    if left and examination.mismatch not in unrecorded.KINDS:
        number = len(left)
        yield Diagnosis(
            "behind",
            f"Target database is not up to date: {migrations(number)}"
            f" {'is' if number == 1 else 'are'} left to apply: {labels(left)}.",
            "Apply with manage.py migrate, or by steps with manage.py db upgrade +1.",
        )


def _in_the_way(examination: Examination, left: list[Key]) -> Iterator[Diagnosis]:
    """What would stop ``migrate``: on these rows, or on any database."""
    if any(len(examination.graph.leaves(app)) > 1 for app in examination.graph.apps):
        return  # it is to be merged first, and migrate says so
    plan = [(examination.loader.graph.nodes[key], False) for key in left]
    for finding in preflight.findings(
        examination.connection, examination.loader, plan, accept_data_loss=True
    ):
        if finding.kind in unrecorded.KINDS:  # which is found with the tables, if it can be
            examination.mismatch = finding.kind
        if finding.refuses and finding.kind not in SAID:
            yield Diagnosis(finding.kind, finding.cause, finding.mend)
    if broken := examination.actual.of_left():
        yield Diagnosis("broken", broken, "Until then manage.py migrate stops there.")


SAID = "ghost", "edited", "dependency", "interrupted", "orphan"  # of what is found elsewhere


def _unwritten(examination: Examination) -> Iterator[Diagnosis]:
    for app in drift.unwritten(examination.loader):
        yield Diagnosis(
            "unwritten",
            f"The models of {app} have changes that no migration has.",
            f"Write them down with manage.py makemigrations {app}.",
        )
