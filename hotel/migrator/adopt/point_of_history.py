"""Which point of the history a database is that has no record of it, told by its catalog."""

from collections.abc import Sequence

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.revisions.targets import labels
from hotel.migrator.schema import catalog, drift, replays
from hotel.migrator.schema.catalog import Catalog
from hotel.migrator.scratch import databases
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage import journal


def equal(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    order: Sequence[tuple[str, str]],
    live: Catalog,
) -> Sequence[tuple[str, str]] | None:
    """Return the keys, in order, after which a database has exactly this catalog, or None.

    Data migrations leave the catalog as it is, so several points can be meant. Rows cannot be asked
    which: then it is refused, with RefusedByPreflight, unless there are none, or the journal knows.
    Only points with the tables and columns that are there are replayed, beside the database.
    """
    candidates = _candidates(loader, order, live)
    if not candidates:
        return None
    known = drift.tables_of(loader)
    if len(candidates) == 1:  # the one that may be kept from another time
        keys = order[: candidates[0]]
        expected = replays.replay(connection, loader, keys).catalog
        return None if drift.differences(expected, live, known) else keys
    same: list[int] = []
    with databases.database(connection, beside=connection) as empty:
        state, done = None, 0
        for number in candidates:
            state = databases.run(empty, loader, order[done:number], state=state)
            done = number
            if not drift.differences(catalog.read(empty), live, known):
                same.append(number)
    if len(same) > 1:
        same = _told_apart(connection, loader, order, live, same)
    return order[: same[0]] if same else None


def _candidates(
    loader: MigrationLoader, order: Sequence[tuple[str, str]], live: Catalog
) -> list[int]:
    """Return after how many migrations there are exactly the tables and columns of ``live``."""
    state = ProjectState(real_apps=loader.unmigrated_apps)
    made = []
    for key in order:
        state = loader.graph.nodes[key].mutate_state(state, preserve=False)
        made.append(_columns_of(state))
    known = set().union(*made)
    there = {name: set(live.columns[name]) for name in live.tables & known}
    return [
        number
        for number, then in enumerate(made, 1)
        if then.keys() == there.keys()
        and all(columns is None or columns == there[name] for name, columns in then.items())
    ]


def _columns_of(state: ProjectState) -> dict[str, set[str] | None]:
    """Return ``{table: its columns}`` of all models of a state that have a table.

    None instead of the columns of a table that joins two others: they follow from those.
    """
    columns_by_table: dict[str, set[str] | None] = {}
    for model in state.models.values():
        swapped = getattr(settings, model.options.get("swappable") or "", None)
        is_swapped = swapped and swapped.lower() != f"{model.app_label}.{model.name_lower}"
        if is_swapped or model.options.get("proxy") or not model.options.get("managed", True):
            continue
        table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        columns = set()
        for name, one in model.fields.items():
            if one.many_to_many and not one.remote_field.through:
                columns_by_table[one.db_table or f"{table}_{name}"] = None
            elif not one.many_to_many:
                columns.add(one.db_column or (f"{name}_id" if one.is_relation else name))
        columns_by_table[table] = columns
    return columns_by_table


def _told_apart(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    order: Sequence[tuple[str, str]],
    live: Catalog,
    same: list[int],
) -> list[int]:
    """Return the one point of several that have the same catalog, or raise RefusedByPreflight."""
    ran: set[tuple[str, str]] = set()
    for entry in journal.entries(connection, event=journal.Event.FINISHED):
        is_forward = entry.direction == journal.Direction.FORWARD
        (ran.add if is_forward else ran.discard)((entry.app, entry.name))
    told = [number for number in same if ran == set(order[:number])]
    if told:
        return told
    with connection.cursor() as cursor:
        for name in sorted(live.tables & drift.tables_of(loader)):
            cursor.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 1")
            if cursor.fetchone():
                break
        else:
            return same[-1:]  # without rows, data migrations do nothing
    raise RefusedByPreflight(
        f"The database is this history at one of"
        f" {labels([order[number - 1] for number in same])}: these have the same tables and differ"
        " in what they do to rows, so nothing was recorded. Find out which ran last, and record it"
        " with manage.py db stamp."
    )
