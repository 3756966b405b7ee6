"""Takes a database that no migration of this project made over into its history.

Everything that is changed is changed in one transaction: the legacy tables are moved aside, this
history's are made as they are at the point that the project declares (``shapes.Legacy``), every row
is copied with its key (``carrying``), and both sides are measured. Only if they agree is it
committed.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.management.color import no_style
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from hotel.migrator.adopt import computed, stand_ins, unfit_values
from hotel.migrator.adopt.carrying import Carrier, references
from hotel.migrator.adopt.inspection import Look, State, Verdict, listed
from hotel.migrator.adopt.moved_tables import Kept
from hotel.migrator.adopt.orphans import Orphans
from hotel.migrator.adopt.rows_set_aside import WouldSetAside, in_short
from hotel.migrator.adopt.shapes import Legacy, Recognised
from hotel.migrator.adopt.written_since import OWNER, at_takeover
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.locking.patience import Patience, short_lock_timeout
from hotel.migrator.messages import complaints
from hotel.migrator.revisions.targets import label
from hotel.migrator.running.runner import Executor, rare_garbage_collection
from hotel.migrator.schema import catalog
from hotel.migrator.scope import own_apps
from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.tables import Adoption, JournalEntry


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say in a sentence what a database refuses that nothing that was looked for explains."""
    try:
        yield
    except DatabaseError as error:
        line, *others = [text.rstrip(".") for text in str(error).splitlines()] or [""]
        # What depends on a thing; other details may show rows, which are nobody's business.
        if complaints.kind_of(error) == "dependent":
            line = ". ".join([line, *(text for text in others if not text.startswith("HINT"))])
        raise FailedDuringApply(
            f"{what} failed: {line}. Nothing was changed: mend what it says, then run the same"
            " command again. --traceback shows where."
        ) from error


class Adopter(Look):
    """One database on its way into the history, under the lock of its caller."""

    copying = 0.0  # seconds that copying rows and making indexes and foreign keys took

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        executor: Executor,
        order: Sequence[tuple[str, str]],
        legacy: Legacy,
    ) -> None:
        """executor: that which records."""
        super().__init__(connection, executor.loader, order, legacy)
        self.executor = executor

    def stamp(self, verdict: Verdict) -> dict[str, Any]:
        """Record that the database is at a point of the history, all at once or not at all.

        Raises FailedDuringApply if rows refer to others that are not there (SQLite).
        """
        alias = self.connection.alias
        with (
            told("Recording the migrations"),
            self.without_foreign_keys(),
            transaction.atomic(using=alias),
        ):
            self._refuse_if_changed(verdict)
            self.record(verdict.keys, "recorded by db adopt, having compared the catalog")
        return {"shape": "point", "recorded": list(map(label, verdict.keys))}

    def record(self, keys: Sequence[tuple[str, str]], remark: str, backwards: bool = False) -> None:
        """Record migrations as applied, or as not, without running them; ``remark`` says why."""
        self.executor.begin(remark)
        for key in reversed(keys) if backwards else keys:
            migration = self.loader.graph.nodes[key]
            step = self.executor.unapply_migration if backwards else self.executor.apply_migration
            step(cast(Any, None), migration, fake=True)  # the state is of no use to a fake

    def take_over(
        self, verdict: Verdict, *, for_show: bool = False, accept_set_aside: bool = True
    ) -> dict[str, Any]:
        """Take a legacy database over and return the proof, a dict.

        for_show: leave everything as it was, and let nobody wait. accept_set_aside: though rows
        cannot come along. Raises RefusedByPreflight if the rows stand in the way, and
        FailedDuringApply if both sides do not agree.
        """
        if for_show and self.connection.vendor == "sqlite":
            with self._copy_of_file() as copy:
                adopter = Adopter(copy, type(self.executor)(copy), self.order, self.legacy)
                proof = adopter.take_over(verdict)
                self.copying = adopter.copying
                return proof
        what = "Taking the database over"
        with told(what), self.without_foreign_keys(), short_lock_timeout(self.connection):
            return Patience(self.connection)(
                what, lambda: self._in_one_transaction(verdict, for_show, accept_set_aside)
            )

    @contextmanager
    def _copy_of_file(self) -> Iterator[BaseDatabaseWrapper]:
        """Yield a connection to a copy of an SQLite database, which is gone afterwards."""
        alias, live = self.connection.alias, cast(Any, self.connection)  # of SQLite
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
    def without_foreign_keys(self) -> Iterator[None]:
        """Leave foreign keys unchecked, which SQLite only lets do before a transaction."""
        self.connection.disable_constraint_checking()
        try:
            yield
        finally:
            if not self.connection.in_atomic_block and self.connection.connection is not None:
                self.connection.enable_constraint_checking()

    @rare_garbage_collection()
    def _in_one_transaction(
        self, verdict: Verdict, for_show: bool, accept_set_aside: bool
    ) -> dict[str, Any]:
        alias, recognised = self.connection.alias, verdict.shape
        with transaction.atomic(using=alias):
            if for_show:
                self.aside.show()
            else:
                self.aside.lock(recognised.moved)
                self._refuse_if_changed(verdict)
            proof = self._carried(verdict, for_show, accept_set_aside)
            if for_show:
                transaction.set_rollback(True, using=alias)
        return proof

    def _refuse_if_changed(self, verdict: Verdict) -> None:
        """Look again, now that nobody can write: somebody may have taken long to say yes."""
        now = catalog.read(self.connection)
        is_as_it_was = (
            now.facts == verdict.facts
            # A run that was killed may have come to its end.
            and self.latest() == verdict.adoption
            and not journal.applied(self.loader)
        )
        if not is_as_it_was:
            raise RefusedByPreflight(
                "The database was changed while this looked at it, so nothing was done: run the"
                " same command again."
            )
        if verdict.kind == "legacy":
            self.of_legacy(now)  # views, rights

    def _carried(self, verdict: Verdict, for_show: bool, accept_set_aside: bool) -> dict[str, Any]:
        """Move, make, copy and measure, in the transaction that is open; return the proof."""
        recognised = verdict.shape
        refused, noted = unfit_values.unfit(self.aside, recognised, self.legacy, self.models)
        if refused:
            raise _too_much(refused)
        computed_anew = computed.anew(self, recognised)
        orphans = Orphans(
            self.aside, list(references(self, recognised)), self.legacy.stand_ins.keys()
        )
        set_aside = orphans.set_aside()
        if set_aside and not (accept_set_aside or for_show):
            raise WouldSetAside(set_aside)
        carrier = Carrier(self, recognised, orphans)
        try:
            alone = carrier.measure_all()
        except OperationalError:
            if texts := unfit_values.unreadable(self.aside, recognised, self.legacy, self.models):
                raise _too_much(texts) from None
            raise
        # What stays aside for longer than the others must lean on none of them.
        bare = bool(orphans.numbers or recognised.kept)
        kept = {} if for_show else self.aside.move(recognised.moved, bare=bare)
        source = self.aside.here if for_show else self.aside.there
        for table in sorted({str(orphans.parents[one]) for one in orphans.replaced}):
            last = self.aside.last_key(source(table), table, kept)
            stand_ins.name(orphans, table, last, source)
        proof = {
            "shape": recognised.shape,
            "says": recognised.says,
            "remarks": recognised.remarks,
            "notes": noted,
            "point": list(map(label, self.legacy.point)),
            "tables": [],
            "accepted": carrier.accepted(),
            "set_aside": set_aside,
            "computed_anew": computed_anew,
            "kept_columns": recognised.kept,
            "kept_aside": [
                {"table": table, "is": self.legacy.beside[table]} for table in recognised.beside
            ],
        }
        with self.connection.schema_editor(atomic=False) as editor:
            for model in self.models.values():
                editor.create_model(model)
            # Indexes and foreign keys come after the rows.
            deferred, editor.deferred_sql = editor.deferred_sql, []
            proof["tables"] = [carrier.copy(table, source(table)) for table in recognised.tables]
            started = time.monotonic()
            for sql in deferred:
                editor.execute(sql, None)
            self.copying += carrier.seconds + time.monotonic() - started
            if self.connection.vendor == "postgresql":
                for table in self.models:  # or the planner would take them for empty
                    self.aside.rows(f"ANALYZE {self.aside.new(table)}")
            if not for_show:
                self._set_sequences(recognised, kept, orphans)
                self._archive(recognised, orphans, editor)
                self._keep(verdict, proof, {**kept, "alone": alone}, editor)
        orphans.forget()
        return proof

    def _set_sequences(self, recognised: Recognised, kept: Kept, orphans: Orphans) -> None:
        """Let new rows get keys above all that were ever given."""
        made = list(self.models.values())
        for sql in self.connection.ops.sequence_reset_sql(no_style(), made):
            self.aside.rows(sql)
        for table in recognised.tables:
            last = self.aside.last_key(self.aside.there(table), table, kept)
            if last := max([last, *(key for key, _ in orphans.made.get(table, ()))]):
                self.aside.count_from(self.legacy.tables[table].becomes, last)

    def _archive(
        self, recognised: Recognised, orphans: Orphans, editor: BaseDatabaseSchemaEditor
    ) -> None:
        """Keep the references that became NULL, or lead to a stand-in."""
        if any(column for _, column in orphans.numbers):
            tables.ensure(editor)
        for table, column in orphans.numbers:
            if column:
                becomes = self.legacy.tables[table].becomes
                new = dict(recognised.tables[table])[column]
                orphans.archive(OWNER, table, column, becomes, new)
        for table in orphans.made:
            stand_ins.archive(orphans, OWNER, table, self.legacy.tables[table].becomes)

    def _keep(
        self,
        verdict: Verdict,
        proof: dict[str, Any],
        kept: dict[str, Any],
        editor: BaseDatabaseSchemaEditor,
    ) -> None:
        """Record the migrations, and keep the proof and the way back."""
        # Each editor of SQLite checks all foreign keys at its end: one is enough.
        tables.ensure(editor, [Adoption, JournalEntry, self.executor.recorder.Migration])
        remark = f"recorded by db adopt, which made it from a database of shape {proof['shape']}"
        if proof["set_aside"]:
            remark += f"; aside stay {in_short(proof['set_aside'])}"
        self.record(verdict.keys, remark)
        made = {table for table, one in self.models.items() if one._meta.app_label in own_apps()}
        document = {
            "proof": proof,
            "aside": kept,
            "stands": at_takeover(self.connection, proof, made, self.legacy.computed),
            "written": {},
        }
        Adoption._base_manager.using(self.connection.alias).create(
            state=State.ADOPTED, shape=proof["shape"], document=json.dumps(document)
        )


def _too_much(sentences: list[str]) -> RefusedByPreflight:
    return RefusedByPreflight(
        "No table of this history can hold what is here, so nothing was changed."
        f" {listed(sentences)}"
    )
