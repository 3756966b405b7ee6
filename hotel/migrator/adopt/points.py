"""Which point of the history a database is that has no record of it, told by its catalog."""

from django.conf import settings
from django.db.migrations.state import ProjectState

from hotel.migrator import catalog, drift, history, scratch
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.repair import quoted
from hotel.migrator.targets import labels


def equal(connection, loader, order, found):
    """Return the keys, in order, after which a database has exactly the Catalog ``found``, or None.

    Data migrations leave the catalog as it is, so several points can be meant. Rows cannot be asked
    which: then it is refused, with RefusedByPreflight, unless there are none, or the journal knows.
    Only points with the tables and columns that are there are replayed, beside the database.
    """
    candidates = _candidates(loader, order, found)
    if not candidates:
        return None
    known = drift.tables_of(loader)
    if len(candidates) == 1:  # the one that may be kept from another time
        keys = order[: candidates[0]]
        expected = scratch.replay(connection, loader, keys).catalog
        return None if drift.differences(expected, found, known) else keys
    same = []
    with scratch.database(connection, beside=connection) as empty:
        state, done = None, 0
        for number in candidates:
            state = scratch.run(empty, loader, order[done:number], state=state)
            done = number
            if not drift.differences(catalog.read(empty), found, known):
                same.append(number)
    if len(same) > 1:
        same = _told_apart(connection, loader, order, found, same)
    return order[: same[0]] if same else None


def _candidates(loader, order, found):
    """Return after how many migrations there are the tables and columns that are found."""
    state = ProjectState(real_apps=loader.unmigrated_apps)
    made = []
    for key in order:
        state = loader.graph.nodes[key].mutate_state(state, preserve=False)
        made.append(_columns_of(state))
    known = set().union(*made)
    there = {name: set(found.columns[name]) for name in found.tables & known}
    return [
        number
        for number, then in enumerate(made, 1)
        if then.keys() == there.keys()
        and all(columns is None or columns == there[name] for name, columns in then.items())
    ]


def _columns_of(state):
    """Return ``{table: its columns}`` of all models of a state that have a table.

    None instead of the columns of a table that joins two others: they follow from those.
    """
    found = {}
    for model in state.models.values():
        swapped = getattr(settings, model.options.get("swappable") or "", None)
        is_swapped = swapped and swapped.lower() != f"{model.app_label}.{model.name_lower}"
        if is_swapped or model.options.get("proxy") or not model.options.get("managed", True):
            continue
        table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        columns = set()
        for name, one in model.fields.items():
            if one.many_to_many and not one.remote_field.through:
                found[one.db_table or f"{table}_{name}"] = None
            elif not one.many_to_many:
                columns.add(one.db_column or (f"{name}_id" if one.is_relation else name))
        found[table] = columns
    return found


def _told_apart(connection, loader, order, found, same):
    """Return the one point of several that have the same catalog, or raise RefusedByPreflight."""
    ran = set()
    for entry in history.entries(connection, event=history.Event.FINISHED):
        is_forward = entry.direction == history.Direction.FORWARD
        (ran.add if is_forward else ran.discard)((entry.app, entry.name))
    told = [number for number in same if ran == set(order[:number])]
    if told:
        return told
    with connection.cursor() as cursor:
        for name in sorted(found.tables & drift.tables_of(loader)):
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
