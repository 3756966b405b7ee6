"""Takes a database that no migration of this project made over into its history, and gives it back.

Everything that is changed is changed in one transaction: the legacy tables are moved aside, this
history's are made as they are at the point that the project declares (``shapes.Legacy``), every row
is copied with its key, and both sides are measured. Only if they agree is it committed. Over 300
lines, since all of them are steps of this one transaction and of its proof.
"""

import hashlib
import json
import logging
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from django.core.management.color import no_style
from django.db import DatabaseError, OperationalError, connections, models, transaction

from hotel.migrator import catalog, history, tables
from hotel.migrator.adopt import obstacles
from hotel.migrator.adopt.checksums import measure
from hotel.migrator.adopt.look import Look, State, listed
from hotel.migrator.adopt.orphans import Orphans
from hotel.migrator.adopt.shapes import ABSENT, ORPHAN_REFERENCE, ORPHAN_ROW
from hotel.migrator.adopt.written import at_takeover
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.files import own_apps
from hotel.migrator.locks import Patience, short_lock_timeout
from hotel.migrator.repair import quoted
from hotel.migrator.runner import rare_garbage_collection
from hotel.migrator.tables import Adoption, JournalEntry
from hotel.migrator.targets import label

logger = logging.getLogger(__name__)

OWNER = "db adopt"  # in the archive
DEPENDENT_OBJECTS = "2BP01"  # PostgreSQL: these still exist


@contextmanager
def told(what):
    """Say in a sentence what a database refuses that nothing that was looked for explains."""
    try:
        yield
    except DatabaseError as error:
        line, *others = [text.rstrip(".") for text in str(error).splitlines()] or [""]
        # What depends on a thing; other details may show rows, which are nobody's business.
        if getattr(error.__cause__, "pgcode", None) == DEPENDENT_OBJECTS:
            line = ". ".join([line, *(text for text in others if not text.startswith("HINT"))])
        raise FailedDuringApply(
            f"{what} failed: {line}. Nothing was changed: mend what it says, then run the same"
            " command again. --traceback shows where."
        ) from error


class Adopter(Look):
    """One database on its way into the history, under the lock of its caller."""

    copying = 0.0  # seconds that copying rows and making indexes and foreign keys took

    def stamp(self, found):
        """Record that the database is at a point of the history, all at once or not at all.

        Raises FailedDuringApply if rows refer to others that are not there (SQLite).
        """
        alias = self.connection.alias
        with (
            told("Recording the migrations"),
            self.without_foreign_keys(),
            transaction.atomic(using=alias),
        ):
            self._refuse_if_changed(found)
            self.record(found.keys, "recorded by db adopt, having compared the catalog")
        return {"shape": "point", "recorded": list(map(label, found.keys))}

    def record(self, keys, remark, backwards=False):
        """Record migrations as applied, or as not, without running them; ``remark`` says why."""
        self.executor.remark = remark
        self.executor.journal = None
        for key in reversed(keys) if backwards else keys:
            migration = self.loader.graph.nodes[key]
            step = self.executor.unapply_migration if backwards else self.executor.apply_migration
            step(None, migration, fake=True)

    def take_over(self, found, *, for_show=False):
        """Take a legacy database over and return the proof, a dict.

        for_show: leave everything as it was, and let nobody wait. Raises RefusedByPreflight if the
        rows stand in the way, and FailedDuringApply if both sides do not agree.
        """
        if for_show and self.connection.vendor == "sqlite":
            with self._copy_of_file() as copy:
                adopter = Adopter(copy, type(self.executor)(copy), self.order, self.legacy)
                proof = adopter.take_over(found)
                self.copying = adopter.copying
                return proof
        what = "Taking the database over"
        with told(what), self.without_foreign_keys(), short_lock_timeout(self.connection):
            return Patience(self.connection)(
                what, lambda: self._in_one_transaction(found, for_show)
            )

    @contextmanager
    def _copy_of_file(self):
        """Yield a connection to a copy of an SQLite database, which is gone afterwards."""
        alias, live = self.connection.alias, self.connection
        with ExitStack() as stack:
            live.ensure_connection()
            try:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hotel-adopt-"))
                file = Path(folder) / "copy.sqlite3"
                with closing(live.Database.connect(file)) as target:
                    live.connection.backup(target)
            except (OSError, live.Database.Error) as error:
                raise FailedDuringApply(
                    "The database could not be copied into the folder for temporary files, where"
                    f" --dry-run tries everything: {error}. Nothing was changed: name a folder"
                    " with room for it in TMPDIR."
                ) from error
            copy = type(live)({**live.settings_dict, "NAME": str(file)}, alias)
            connections[alias] = copy
            stack.callback(connections.__setitem__, alias, live)
            stack.callback(copy.close)
            yield copy

    @contextmanager
    def without_foreign_keys(self):
        """Leave foreign keys unchecked, which SQLite only lets do before a transaction."""
        self.connection.disable_constraint_checking()
        try:
            yield
        finally:
            if not self.connection.in_atomic_block and self.connection.connection is not None:
                self.connection.enable_constraint_checking()

    @rare_garbage_collection()
    def _in_one_transaction(self, found, for_show):
        alias, recognised = self.connection.alias, found.recognised
        with transaction.atomic(using=alias):
            if for_show:
                self.aside.show()
            else:
                self.aside.lock(recognised.moved)
                self._refuse_if_changed(found)
            proof = self._carried(found, for_show)
            if for_show:
                transaction.set_rollback(True, using=alias)
        return proof

    def _refuse_if_changed(self, found):
        """Look again, now that nobody can write: somebody may have taken long to say yes."""
        now = catalog.read(self.connection)
        is_as_it_was = (
            now.facts == found.facts
            # A run that was killed may have come to its end.
            and self.latest() == found.adoption
            and not history.applied(self.loader)
        )
        if not is_as_it_was:
            raise RefusedByPreflight(
                "The database was changed while this looked at it, so nothing was done: run the"
                " same command again."
            )
        if found.kind == "legacy":
            self._of_legacy(now)  # views, rights

    def _carried(self, found, for_show):
        recognised = found.recognised
        refused, noted = obstacles.of_rows(self.aside, recognised, self.legacy, self.models)
        if refused:
            raise _too_much(refused)
        orphans = Orphans(self.aside, list(self._references(recognised)))
        try:
            before, alone = self._before(recognised)
        except OperationalError:
            if unreadable := obstacles.of_texts(self.aside, recognised, self.legacy, self.models):
                raise _too_much(unreadable) from None
            raise
        # What stays aside for longer than the others must lean on none of them.
        bare = bool(orphans.found or recognised.kept)
        kept = {} if for_show else self.aside.move(recognised.moved, bare=bare)
        source = self.aside.here if for_show else self.aside.there
        proof = {
            "shape": recognised.shape,
            "says": recognised.says,
            "remarks": recognised.remarks,
            "notes": noted,
            "point": list(map(label, self.legacy.point)),
            "tables": [],
            "accepted": self._accepted(recognised, orphans, before),
            "kept_columns": recognised.kept,
            "kept_aside": [
                {"table": table, "is": self.legacy.beside[table]} for table in recognised.beside
            ],
        }
        with self.connection.schema_editor(atomic=False) as editor:
            made = self.models
            for model in made.values():
                editor.create_model(model)
            # Indexes and foreign keys come after the rows.
            deferred, editor.deferred_sql = editor.deferred_sql, []
            for table, pairs in recognised.tables.items():
                logger.info("Copying %s: %d rows.", table, before[table]["rows"])
                proof["tables"].append(
                    self._copy(table, pairs, source(table), before[table], orphans)
                )
            started = time.monotonic()
            for sql in deferred:
                editor.execute(sql, None)
            self.copying += time.monotonic() - started
            self._set_sequences(recognised, for_show, kept)
            if self.connection.vendor == "postgresql":
                for table in made:  # or the planner would take them for empty
                    self.aside.rows(f"ANALYZE {self.aside.new(table)}")
            if not for_show:
                self._archive(recognised, orphans, editor)
                self._keep(found, proof, {**kept, "alone": alone}, editor)
        orphans.forget()
        return proof

    def _before(self, recognised):
        """Measure what is copied, and what is only moved."""
        before = {}
        for table, pairs in recognised.tables.items():
            logger.info("Measuring %s.", table)
            before[table] = self._measured(table, pairs, self.aside.here(table))
        return before, {
            name: measured_alone(self.aside, self.aside.here, name)
            for name in (*recognised.kept, *recognised.beside)
        }

    def _measured(self, table, pairs, source):
        model = self.models[self.legacy.tables[table].becomes]
        fields = {one.column: one for one in model._meta.local_concrete_fields}
        money = [old for old, new in pairs if isinstance(fields[new], models.DecimalField)]
        return measure(self.connection, source, [old for old, _ in pairs if old != "id"], money)

    def _references(self, recognised):
        """Yield table, column, parent and whether it is needed, of each reference, as it was.

        The parent is None if this shape lacks that table.
        """
        was = {table.becomes: name for name, table in self.legacy.tables.items()}
        for table, pairs in recognised.tables.items():
            model = self.models[self.legacy.tables[table].becomes]
            for one in model._meta.local_concrete_fields:
                old = next((old for old, new in pairs if new == one.column), None)
                if one.is_relation and old:
                    parent = was[one.related_model._meta.db_table]
                    is_there = parent in recognised.tables
                    yield table, old, parent if is_there else None, not one.null

    def _accepted(self, recognised, orphans, before):
        """Return the changes that the project accepts, with their numbers.

        Raises RefusedByPreflight for one that it does not accept.
        """
        changes = [
            (ABSENT, name, before.get(name.partition(".")[0], {}).get("rows", 0))
            for name in recognised.absent
        ]
        for (table, column), number in orphans.found.items():
            rule = ORPHAN_REFERENCE if column else ORPHAN_ROW
            changes.append((rule, f"{table}.{column}" if column else table, number))
        for rule, where, number in changes:
            if rule not in self.legacy.accepted:
                raise RefusedByPreflight(
                    f"{where}: {number} times {rule}, which this project does not accept, so"
                    " nothing was changed."
                )
        return [
            {"rule": rule, "where": where, "count": number, "says": self.legacy.accepted[rule]}
            for rule, where, number in changes
        ]

    def _copy(self, table, pairs, source, before, orphans):
        """Copy the rows of one table, measure the new one, and return its part of the proof."""
        becomes = self.legacy.tables[table].becomes
        here = self.aside.new(becomes)
        chosen = self._chosen(table, pairs, source, orphans)
        started = time.monotonic()
        self.aside.rows(
            f"INSERT INTO {here} ({', '.join(quoted(new) for _, new in pairs)}) {chosen}"
        )
        self.copying += time.monotonic() - started
        after = self._measured_new(table, pairs, here)
        is_changed = any(of == table for of, _ in orphans.found)
        carried = before
        if is_changed:
            carried = self._measured(table, pairs, f"({chosen}) AS carried")
        lost = orphans.found.get((table, ""), 0)
        new_names = dict(pairs)
        agree = before["rows"] == after["rows"] + lost and carried == after
        if not agree:
            raise FailedDuringApply(
                f"{table} did not arrive as it was: {_difference(carried, after)}. Nothing was"
                " changed."
            )
        return {
            "table": table,
            "becomes": becomes,
            "rows_before": before["rows"],
            "rows_after": after["rows"],
            "set_aside": lost,
            "columns": [
                {
                    "column": old,
                    "becomes": new_names[old],
                    "before": before["checksums"][old],
                    "after": after["checksums"][old],
                    **(
                        {
                            "sum_before": _money(before["sums"][old]),
                            "sum_after": _money(after["sums"][old]),
                        }
                        if old in before["sums"]
                        else {}
                    ),
                }
                for old in before["checksums"]
            ],
        }

    def _measured_new(self, table, pairs, here):
        """Measure what was made, under the names that its columns had."""
        if all(old == new for old, new in pairs):
            return self._measured(table, pairs, here)
        names = ", ".join(f"{quoted(new)} AS {quoted(old)}" for old, new in pairs)
        return self._measured(table, pairs, f"(SELECT {names} FROM {here}) AS made")

    def _chosen(self, table, pairs, source, orphans):
        """Return the SELECT of the rows that come along, as they come along."""
        values = []
        for old, _ in pairs:
            value = f"came.{quoted(old)}"
            if (table, old) in orphans.found:
                value = (
                    f"CASE WHEN {orphans.among(table, old, 'came')} THEN NULL ELSE {value} END"
                    f" AS {quoted(old)}"
                )
            values.append(value)
        sql = f"SELECT {', '.join(values)} FROM {source} AS came"
        if (table, "") in orphans.found:
            sql += f" WHERE NOT {orphans.among(table, '', 'came')}"
        return sql

    def _set_sequences(self, recognised, for_show, kept):
        """Let new rows get keys above all that were ever given."""
        made = self.models
        if for_show:
            return
        for sql in self.connection.ops.sequence_reset_sql(no_style(), list(made.values())):
            self.aside.rows(sql)
        for table in recognised.tables:
            if last := self.aside.last_key(table, kept):
                self.aside.count_from(self.legacy.tables[table].becomes, last)

    def _archive(self, recognised, orphans, editor):
        """Keep the references that became NULL."""
        if any(column for _, column in orphans.found):
            tables.ensure(editor)
        for table, column in orphans.found:
            if column:
                becomes = self.legacy.tables[table].becomes
                new = dict(recognised.tables[table])[column]
                orphans.archive(OWNER, table, column, becomes, new)

    def _keep(self, found, proof, kept, editor):
        """Record the migrations, and keep the proof and the way back."""
        # Each editor of SQLite checks all foreign keys at its end: one is enough.
        tables.ensure(editor, [Adoption, JournalEntry, self.executor.recorder.Migration])
        self.record(
            found.keys,
            f"recorded by db adopt, which made it from a database of shape {proof['shape']}",
        )
        made = {table for table, one in self.models.items() if one._meta.app_label in own_apps()}
        document = {
            "proof": proof,
            "aside": kept,
            "stands": at_takeover(self.connection, proof, made, self.legacy.computed),
            "written": {},
        }
        Adoption.objects.using(self.connection.alias).create(
            state=State.ADOPTED, shape=proof["shape"], document=json.dumps(document)
        )


def _too_much(sentences):
    return RefusedByPreflight(
        "No table of this history can hold what is here, so nothing was changed."
        f" {listed(sentences)}"
    )


def measured_alone(aside, place, name):
    """Return as text what is in that which is only moved, and not copied: a table or a column.

    place: where it stands, ``Aside.here`` or ``Aside.there``.
    """
    table, _, column = name.partition(".")
    if column:
        found = measure(aside.connection, place(table), [column])
        return f"{found['rows']} {found['checksums'][column]}"
    rows = sorted(map(repr, aside.rows(f"SELECT * FROM {place(table)}")))  # a few
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _money(value):
    """Return an amount without the zeros that SQLite does not keep."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _difference(before, after):
    if before["rows"] != after["rows"]:
        return f"{before['rows']} rows became {after['rows']}"
    for what in ("checksums", "sums"):
        for name, value in before[what].items():
            if value != after[what][name]:
                return f"{what[:-1]} of {name} was {value} and became {after[what][name]}"
    return "something differs"
