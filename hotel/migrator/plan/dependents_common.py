"""What hangs on a table or a column that a plan drops or changes: what both engines share."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations import RunSQL

from hotel.migrator.editors.generated import AnyField, MaybeField, names_read
from hotel.migrator.plan import steps
from hotel.migrator.plan.failing import left_to_the_run
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.live import Live
from hotel.migrator.plan.steps import Step, Table, remakes
from hotel.migrator.sql.parsing import bare, is_elsewhere


class Dependents:
    """Looks for what no model knows of along a plan; a subclass for each engine."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.live = Live(connection)
        self.code = ""  # the first operation whose Python may do whatever it likes
        self.said = list[str]()  # what RunSQL has run
        self.findings = list[Finding]()

    def look(self, walked: Sequence[Step]) -> list[Finding]:
        """Return the Findings about steps, in their order."""
        for step in walked:
            with left_to_the_run(step, self.findings):
                self.of_step(step)
            if isinstance(step.operation, RunSQL):
                self.said += steps.texts(step.operation, step.backwards)
            elif not self.code and steps.writes(step) is steps.EVERYTHING:
                self.code = f"{step.name} ({step.describe()})"
            self.live.follow(step)
        return self.findings

    def of_field(
        self, step: Step, old: Table, new: Table, before: MaybeField, after: MaybeField
    ) -> None:
        """Look at what a change of a field meets."""
        raise NotImplementedError

    def of_dropped(self, step: Step, name: str) -> None:
        """Look at what hangs on a table that is dropped."""
        raise NotImplementedError

    def of_step(self, step: Step) -> None:
        """Look at all that a step changes."""
        for old, new in steps.pairs(step, self.connection):
            if old and new:
                for before, after in steps.field_pairs(step, old, new):
                    self.of_field(step, old, new, before, after)
                    if before is not None and after is None:
                        self.of_generated(step, old, new, before)
            elif old and old.key not in step.after.models:
                through = [
                    steps.many_to_many_table(old, one, self.connection)
                    for one in old.fields.values()
                ]
                for name in filter(None, [*through, old.name]):
                    self.of_dropped(step, name)

    def of_elsewhere(self, walked: Sequence[Step]) -> None:
        """Look for what Django cannot do to tables with the name of a schema before theirs."""
        for step in walked:
            for old, new in steps.pairs(step, self.connection):
                if not (old and new and (is_elsewhere(old.name) or is_elsewhere(new.name))):
                    continue
                does = ""
                if bare(old.name) != bare(new.name):
                    does = f"renames {old.name} to {new.name}"
                elif self.connection.vendor == "sqlite" and remakes(step, old, new):
                    does = f"makes {old.name} anew"
                if does:
                    self.add(
                        step,
                        f"{does}, which Django cannot do to a table with the name of its schema"
                        " before its own",
                        "Do it with a migrations.RunSQL, and tell the model with"
                        " SeparateDatabaseAndState,",
                    )

    def of_generated(self, step: Step, old: Table, new: Table, dropped: AnyField) -> None:
        """Look for generated fields that read one that is dropped."""
        for name, field in new.columns.items():
            if field.generated and dropped.name in names_read(field):
                self.add(
                    step,
                    f"drops {old.name}.{dropped.column}, which the generated field {name} reads",
                    f"Remove {name}, or give it another expression, in an operation before that,",
                )

    def add(
        self, step: Step, cause: str, mend: str, refuses: bool = True, kind: str = "dependent"
    ) -> None:
        """Add a Finding; where code runs first, it is a warning."""
        cause = f"{step.name} {cause}"
        if refuses and self.code:
            cause += f"; {self.code} runs first and may change that"
        verb = "downgrade" if step.backwards else "upgrade"
        if refuses:
            mend += f" and run manage.py db {verb} again."
        refuses = refuses and not self.code
        name, operation = step.name, step.describe()
        self.findings.append(Finding(kind, refuses, name, operation, f"{cause}.", mend))


def tables(walked: Sequence[Step], connection: BaseDatabaseWrapper) -> dict[str, list[Table]]:
    """Return all Tables by their names in small letters, as lists.

    Those before the first step, and what the steps make of them or anew, which may be there
    already.
    """
    state, by_name = walked[0].before, dict[str, list[Table]]()
    made = [new for step in walked for _, new in steps.pairs(step, connection)]
    for one in (*made, *(steps.table(state, key, connection) for key in state.models)):
        if one:
            by_name.setdefault(bare(one.name).lower(), []).append(one)
    return by_name


def indexed_columns(table: Table) -> list[list[str]]:
    """Return the columns of each index that a field has, or that fields have together."""
    together = [
        [field.column for field in map(table.field, names) if field]
        for option in ("unique_together", "index_together")
        for names in table.options.get(option) or ()
    ]
    alone = [
        [field.column]
        for field in table.columns.values()
        if field.db_index or field.unique or field.remote_field
    ]
    return together + alone
