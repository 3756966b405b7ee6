"""Values in columns that no model knows of, which go with a table and do not come back with it.

Whole rows are archived, these columns too; but the table that is made again has not got them.
"""

from __future__ import annotations

from hotel.migrator.plan import steps
from hotel.migrator.plan.asking import Asking, verb
from hotel.migrator.plan.steps import EVERYTHING, Step, Table
from hotel.migrator.sql.parsing import bare, quoted

_COMPUTED = {
    "postgresql": "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
    " AND attgenerated <> ''",
    "sqlite": "SELECT name FROM pragma_table_xinfo(%s) WHERE hidden IN (2, 3)",
}


def look_at(rows: Asking, step: Step, table: Table) -> None:
    """Look at a table that a step archives and drops; rows: the Rows who look."""
    live = rows.live.table(table.name) or ""
    known = _known(rows, live)
    if known is None or isinstance(rows.ask(table, [], "1 = 1"), str):
        return
    known |= _computed(rows, live)
    mend = "Give the model that column, or drop it by hand"
    if not rows.accept_data_loss:
        mend += f"; to lose them, say manage.py db {verb(step)} --accept-data-loss"
    writer = rows.writers.get(EVERYTHING, "")
    for column in sorted(rows.columns[live]):
        if column.lower() not in known:
            rows.report(
                step,
                "dropped",
                rows.ask(table, [], f"kept.{quoted(column)} IS NOT NULL"),
                f"{step.name} drops {live}.{column}, of which no model knows and which does not"
                " come back with its table, with values in {rows}",
                f"{mend}.",
                writer=writer,
                refuses=not (rows.accept_data_loss or writer),
            )


def _known(rows: Asking, live: str) -> set[str] | None:
    """Return the columns that the model of a live table has before the plan, in small letters."""
    state = rows.walked[0].before
    for key in state.models:
        one = steps.table(state, key, rows.connection)
        if one and bare(one.name) == bare(live):
            return {field.column.lower() for field in one.columns.values()}
    return None


def _computed(rows: Asking, live: str) -> set[str]:
    vendor = rows.connection.vendor
    with rows.connection.cursor() as cursor:
        cursor.execute(_COMPUTED[vendor], [quoted(live) if vendor == "postgresql" else bare(live)])
        return {name.lower() for (name,) in cursor.fetchall()}
