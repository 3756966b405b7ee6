"""What hangs on an SQLite table that a plan changes: the plan is followed on a copy in memory."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from django.db import DatabaseError
from django.db.migrations.operations import RunSQL

from hotel.migrator.editors.generated import MaybeField
from hotel.migrator.editors.sqlite_extras import Column, Extras, extras
from hotel.migrator.editors.sqlite_objects import Made, made, reading, trials
from hotel.migrator.plan import steps
from hotel.migrator.plan.dependents_common import Dependents, indexed_columns, tables
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.shadow import Shadow
from hotel.migrator.plan.steps import Step, Table, is_renamed_alone, remakes
from hotel.migrator.sql.parsing import bare, quoted
from hotel.migrator.sql.quoting import text


class DependentsOfSQLite(Dependents):
    """Follows the plan on a copy of the schema, and asks SQLite what no longer fits."""

    def look(self, walked: Sequence[Step]) -> list[Finding]:
        """Return the Findings about steps, in their order."""
        self.of_elsewhere(walked)
        self.start, self.of_tables = walked[0].before, dict[str, Extras]()
        there = made(self.connection)
        of_models = tables(walked, self.connection)
        there = [
            one
            for one in there
            if not any(_is_of(one, table) for table in of_models.get(one.table.lower(), ()))
        ]
        self.shadow = Shadow(self.connection, there)
        try:
            self.of_what_is_wrong(walked)
            return super().look(walked)
        finally:
            self.shadow.close()

    def of_what_is_wrong(self, walked: Sequence[Step]) -> None:
        """Look for what lacks by now what it reads: SQLite renames nothing beside that."""
        altering = next((step for step in walked if self.alters(step)), None)
        for one, _ in self.shadow.wrong:
            step = walked[0] if one.kind == "view" else altering
            if step is None:
                continue
            try:
                with self.connection.cursor() as cursor:
                    for sql in trials(cursor, one):
                        cursor.execute(sql)
            except DatabaseError as error:
                self.add(
                    step,
                    f"cannot change tables while the {one} lacks what it reads ({error})",
                    f"Drop it (DROP {one.kind.upper()} {quoted(one.name)}), or make what it reads,",
                )

    def alters(self, step: Step) -> bool:
        """Tell whether a step renames or drops something of a table, or makes it anew."""
        return any(
            bare(old.name) != bare(new.name)
            or remakes(step, old, new)
            or any(
                before and before.column and (after is None or before.column != after.column)
                for before, after in steps.field_pairs(step, old, new)
            )
            for old, new in steps.pairs(step, self.connection)
            if old and new
        )

    def of_step(self, step: Step) -> None:
        """Follow a step on the copy."""
        super().of_step(step)
        if isinstance(step.operation, RunSQL):
            for sql in steps.texts(step.operation, step.backwards):
                self.shadow.run(sql)
        for old, new in steps.pairs(step, self.connection):
            if old and new:
                self.of_table(step, old, new)
            elif new:
                columns = [one.column for one in new.columns.values()]
                self.shadow.create(bare(new.name), columns, new.key_columns)

    def of_table(self, step: Step, old: Table, new: Table) -> None:
        """Look at what a change of a table makes of what stands beside it."""
        was, becomes = bare(old.name), bare(new.name)
        changes = steps.field_pairs(step, old, new)
        if remakes(step, old, new):
            self.of_remade(step, old)
        if was.lower() != becomes.lower():
            self.tell(step, "renames", becomes, self.alter(was, f"RENAME TO {quoted(becomes)}"))
        for before, after in changes:
            there, then = (one and one.column for one in (before, after))
            if then and not there:
                wrong = self.alter(becomes, f"ADD COLUMN {quoted(then)}")
                self.tell_unfit(step, f"adds {becomes}.{then}", wrong)
            elif not there or not then or there == then:
                continue
            elif is_renamed_alone(before, after):
                wrong = self.alter(becomes, f"RENAME COLUMN {quoted(there)} TO {quoted(then)}")
                self.tell_unfit(step, f"renames {becomes}.{there} to {then}", wrong)
            else:
                wrong = self.alter(becomes, f"DROP COLUMN {quoted(there)}")
                added = self.alter(becomes, f"ADD COLUMN {quoted(then)}")
                self.tell(step, "renames and changes", f"{becomes}.{there}", wrong)
                self.tell_unfit(step, f"renames {becomes}.{there} to {then}", added)

    def of_dropped(self, step: Step, name: str) -> None:
        """Look at what lacks a table that is dropped."""
        name = bare(name)
        of_it = {one for one in self.shadow.things() if one.table.lower() == name.lower()}
        wrong = [each for each in self.shadow.drop(name) if each[0] not in of_it]
        self.tell(step, "drops", name, wrong)

    def of_field(
        self,
        step: Step,
        old: Table,
        new: Table,  # noqa: ARG002 (the other engine asks it)
        before: MaybeField,
        after: MaybeField,
    ) -> None:
        """Look at what lacks a column that is dropped."""
        if before is None or after is not None:
            return
        if through := steps.many_to_many_table(old, before, self.connection):
            self.of_dropped(step, through)
        elif before.column:
            table = bare(old.name)
            wrong = self.alter(table, f"DROP COLUMN {quoted(before.column)}")
            self.tell(step, "drops", f"{table}.{before.column}", wrong)
            if self.is_spoken_of(table):
                return  # it may have made the table anew, as it is told here
            for reader in self.beside(table).reading(before.column):
                self.add(
                    step,
                    f"drops {table}.{before.column}, which {reader}, of which no model knows,"
                    " reads",
                    "Make the table anew without that in a migrations.RunSQL before it,",
                )

    def of_remade(self, step: Step, old: Table) -> None:
        """Name what is made again with a table, and refuse what cannot be."""
        table, there = bare(old.name), self.shadow.things()
        of_it = [one for one in there if one.table.lower() == table.lower() and one.kind != "view"]
        unknown = self.unknown(old)
        kept = [f"column {one.name}" for one in unknown]
        kept += map(str, [*of_it, *reading(table, there), *self.beside(table)])
        if kept:
            self.add(
                step,
                f"makes {table} anew, and keeps what no model knows of: {', '.join(kept)}",
                "Nothing is to be done.",
                refuses=False,
                kind="kept",
            )
        by_hand = (
            "Change it with a migrations.RunSQL, and let SeparateDatabaseAndState tell the model,"
        )
        if kind := self.special(table):
            self.add(
                step,
                f"makes {table} anew, which is a {kind} table, and the new one would not be",
                by_hand,
            )
        for one in unknown:
            if one.is_key:
                self.add(
                    step,
                    f"makes {table} anew, and its column {one.name}, of which no model knows, is in"
                    " its primary key, as which it cannot be kept",
                    by_hand,
                )

    def is_spoken_of(self, name: str) -> bool:
        """Tell whether a RunSQL of the plan has spoken of something by then."""
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", " ".join(self.said), re.I))

    def unknown(self, old: Table) -> list[Column]:
        """Return the columns of a live table that no model knows by then, and that stand by then.

        The model may have come to know them, or RunSQL may have dropped them.
        """
        known = {one.column.lower() for one in old.columns.values()}
        stand = self.shadow.columns(bare(old.name)) - known
        return [one for one in self.beside(bare(old.name)).unknown if one.name.lower() in stand]

    def beside(self, table: str) -> Extras:
        """Return what the live table has that its model, as it is before the plan, does not say."""
        if table not in self.of_tables:
            models = self.start.apps.get_models(include_auto_created=True)
            model = next((one for one in models if bare(one._meta.db_table) == table), None)
            is_there = model and self.live.table(table)  # and not one that the plan makes
            self.of_tables[table] = (
                extras(self.connection, model) if model and is_there else Extras()
            )
        return self.of_tables[table]

    def special(self, table: str) -> str:
        """Return STRICT or WITHOUT ROWID for such a table, else ""."""
        live = self.live.table(table)
        if live is None or sqlite3.sqlite_version_info < (3, 37):
            return ""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT wr, strict FROM pragma_table_list(%s)", [live])
            without, strict = cursor.fetchone() or (0, 0)
        return "WITHOUT ROWID" if without else "STRICT" if strict else ""

    def alter(self, table: str, how: str) -> list[tuple[Made, str]]:
        """Alter a table of the copy, and return what no longer fits."""
        return self.shadow.alter(table, how) + self.shadow.broken()

    def tell(self, step: Step, does: str, what: str, wrong: list[tuple[Made, str]]) -> None:
        """Add a Finding for each thing that lacks what it reads."""
        for one, why in wrong:
            cause = f"{does} {what}, which the {one} reads ({why})"
            self.take_along(step, one, cause, "makes it again without that")

    def tell_unfit(self, step: Step, does: str, wrong: list[tuple[Made, str]]) -> None:
        """Add a Finding for each thing that does not fit the new name of a column."""
        for one, why in wrong:
            cause = f"{does}, which the {one} does not fit ({why})"
            self.take_along(step, one, cause, "makes it again so that it fits")

    def take_along(self, step: Step, one: Made, cause: str, again: str) -> None:
        """Add a Finding about what is to be dropped before a step, and made again after it."""
        self.add(
            step,
            cause,
            f"Take it along: migrations.RunSQL('DROP {one.kind.upper()} {quoted(one.name)}')"
            f" before that operation, and one that {again} (SELECT sql FROM sqlite_master"
            f" WHERE name = {text(one.name)} gives its text) after it,",
        )


def _is_of(one: Made, table: Table) -> bool:
    """Tell whether the model of a Table makes an index or a trigger itself."""
    if one.kind == "view":
        return False
    constraints = table.options.get("constraints", ())
    if any(
        one.name.startswith(f"{constraint.name}_") and hasattr(constraint, "trigger_sql")
        for constraint in constraints
    ):
        return True
    if one.kind == "trigger":
        return False
    names = [*constraints, *table.options.get("indexes", ())]
    return one.name in {each.name for each in names} or _is_of_columns(one, table)


def _is_of_columns(one: Made, table: Table) -> bool:
    """Tell whether an index is that of a field, or of fields that are unique together."""
    match = re.fullmatch(r"[^(]+\(([^()]*)\)", one.on)
    if not match:
        return False
    return match[1].split(",") in [
        [column.lower() for column in columns] for columns in indexed_columns(table)
    ]
