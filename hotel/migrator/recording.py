"""Migrations run on a scratch database, and what they write taken down as statements.

No row is there, and that is no loss, because our data steps write by sets: their statements do not
depend on what Python has read. An operation of which that is not so is refused, and named.
"""

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps

from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from hotel.migrator import operations, tables
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.quoting import NUL, NotQuotable, written_out

# What is run only to look, or what the script has its own words for.
_LOOKS = re.compile(
    r"\s*(SELECT(?!.*\b(setval|set_config)\()|SHOW|EXPLAIN|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE"
    r"|PRAGMA\s+(foreign_keys\b|[a-z_]+\s*(\(|$)))",
    re.IGNORECASE | re.DOTALL,
)
_RETURNING = re.compile(r'(?<=\S) RETURNING ("[^"]+"[., ]*)+$')  # nobody reads it
_CATALOG = re.compile(r"\b(pg_\w+|information_schema|sqlite_master)\b")
_OF_DJANGO = re.compile(
    r"\b(django_\w+|BITXOR|COT|LPAD|MD5|REPEAT|REVERSE|RPAD|SHA\d+|STDDEV_\w+|VAR_\w+)\("
    r"|\bREGEXP\b"
)
_VALUES = re.compile(r"'(?:[^']|'')*'")
_TABLES_READ = re.compile(r'(?:FROM|JOIN)\s+"((?:[^"]|"")+)"', re.IGNORECASE)


@dataclass
class Step:
    """One migration as SQL: lists of statements, each of which was a transaction of its own."""

    key: tuple
    groups: list[list[str]]


def bookkeeping(connection):
    """Return what makes the tables that every script writes to, in an empty database."""
    with _recording(connection, []) as statements:
        MigrationRecorder(connection).ensure_schema()
        with connection.schema_editor() as editor:
            tables.ensure(editor, tables.MODELS)
    return statements


def record(connection, loader, span, state):
    """Run the steps of a Range on a scratch database and yield each as a Step.

    state: the models where the scratch database stands.
    """
    recorder = MigrationRecorder(connection)
    # Of the tables that the script itself makes in an empty database, it knows every row.
    empty = None if span.start else set()
    for key, before in _states(loader, span, state):
        migration = loader.graph.nodes[key]
        yield Step(key, _groups(connection, migration, before, span.backwards, empty))
        (recorder.record_unapplied if span.backwards else recorder.record_applied)(*key)


def _states(loader, span, state):
    """Yield each step with the models before it, as they are on the way up."""
    nodes = loader.graph.nodes
    if not span.backwards:
        for key in span.steps:
            yield key, state
            state = nodes[key].mutate_state(state, preserve=True)
        return
    going, states, current = set(span.steps), {}, ProjectState(real_apps=loader.unmigrated_apps)
    for key in span.start:
        if key in going:
            current.apps  # noqa: B018 (renders it, so that the next is made from it)
            states[key] = current
        current = nodes[key].mutate_state(current, preserve=key in going)
    for key in span.steps:
        yield key, states[key]


def _groups(connection, migration, state, backwards, empty):
    """Run one migration and return its statements, those of one transaction together."""
    app, moves = migration.app_label, []
    for operation in migration.operations:
        before, state = state, state.clone()
        operation.state_forwards(app, state)
        moves.append((operation, before, state))
    if backwards:
        moves = [(operation, after, before) for operation, before, after in reversed(moves)]
    groups: list[list[str]] = []
    with ExitStack() as stack:
        unwritable: list[NotQuotable] = []
        statements = stack.enter_context(_recording(connection, unwritable))
        editor = None
        if migration.atomic:
            editor = stack.enter_context(connection.schema_editor(atomic=True))
        for operation, before, after in moves:
            with ExitStack() as own:
                own.enter_context(
                    _watch(connection, migration, operation, backwards, empty, unwritable)
                )
                one = editor or own.enter_context(connection.schema_editor(atomic=False))
                move = operation.database_backwards if backwards else operation.database_forwards
                move(app, one, before, after)
            if editor is None:
                groups.append([*statements])
                statements.clear()
    return [*groups, [*statements]]  # the last has what an editor puts off to its end


@contextmanager
def _recording(connection, unwritable):
    """Take down what is written meanwhile, with values in it; yields the list of statements.

    What cannot be written goes to ``unwritable``: an error in a transaction would hide behind the
    next one, which SQLite's schema editor makes on its way out.
    """
    statements: list[str] = []

    def listen(execute, sql, params, many, context):
        if not _LOOKS.match(sql):
            for values in params if many else [params]:
                try:
                    written = written_out(str(sql), values, connection.vendor)
                    if connection.vendor == "sqlite":
                        _refuse_functions_of_django(written)
                except NotQuotable as error:
                    unwritable.append(error)
                    continue
                statements.append(_RETURNING.sub("", written.strip().rstrip(";")).rstrip())
        return execute(sql, params, many, context)

    connection.is_recorded = True
    try:
        with connection.execute_wrapper(listen):
            yield statements
    finally:
        connection.is_recorded = False


def _refuse_functions_of_django(sql):
    """Raise NotQuotable for a function that Django adds to SQLite, and its shell has not."""
    if found := _OF_DJANGO.search(_VALUES.sub("''", sql)):
        raise NotQuotable(f"with {found[0].rstrip('(')}, which sqlite3 does not have")


@contextmanager
def _watch(connection, migration, operation, backwards, empty, unwritable):
    """Refuse an operation whose statements may depend on rows that Python has read.

    Those of ``hotel.migrator.operations`` write by sets. empty: tables without any row, if the
    script begins with an empty database; what reads those reads nothing.
    """
    read, made, filled, wrote, inserted = set(), set(), set(), False, 0
    is_own = type(operation).__module__ == operations.__name__
    asked: list[str] = []  # functions of a migration that one of our operations is calling

    def listen(execute, sql, params, many, context):
        nonlocal wrote, inserted
        if match := re.match(r'\s*CREATE TABLE "((?:[^"]|"")+)"', sql):
            made.add(match[1])
        elif not _LOOKS.match(sql):
            wrote = True
            filled.update(re.findall(r'(?:INSERT INTO|UPDATE) "((?:[^"]|"")+)"', sql))
            if not is_own and empty is None:
                rows = params if many else [params]
                if any(_holds_key(values, inserted) for values in rows):
                    read.add("the keys that rows got here")
                if re.match(r"\s*INSERT\b", sql):
                    inserted += sum(1 + sql.count("), (") for _ in rows)
        elif (
            (asked or not is_own)
            and re.match(r"\s*(WITH|SELECT)\b", sql)
            and not _CATALOG.search(sql)
        ):
            read.update(_TABLES_READ.findall(sql) or ["?"])
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(listen), _noted(operation, is_own, asked):
            yield
    except ValueError as error:
        if not unwritable and "NUL" not in str(error):
            raise
        unwritable.append(NotQuotable(NUL))  # which the driver did not take either
    if unwritable:
        raise RefusedByPreflight(
            f"{migration} cannot be written as SQL: {operation.describe()} writes {unwritable[0]}."
            " Run it with manage.py migrate, and scripts for what is before and after it."
        )
    if empty is not None:
        empty |= made
        empty -= filled
    if not read:
        return
    if empty is not None and not wrote and read <= empty:
        return  # of nothing comes nothing
    way = getattr(operation, "reverse_code" if backwards else "code", None)
    name = f", {way.__name__}()" if way else ""
    raise RefusedByPreflight(
        f"{migration} cannot be written as SQL: what it does depends on the rows that Python reads"
        f" ({operation.describe()}{name}). Run it with manage.py migrate, and scripts for what is"
        " before and after it."
    )


def _holds_key(values, inserted):
    """Tell whether one of the values may be the key of one of the rows that were inserted."""
    found = values.values() if isinstance(values, dict) else values or ()
    return any(type(value) is int and 0 < value <= inserted for value in found)


@contextmanager
def _noted(operation, is_own, asked):
    """Note in ``asked`` while one of our operations calls a function that it was given."""

    def noting(function):
        @wraps(function)
        def noted(*arguments):
            asked.append(function.__name__)
            try:
                return function(*arguments)
            finally:
                asked.pop()

        return noted

    given = {
        name: function
        for name in ("code", "reverse_code")
        if is_own
        and (function := getattr(operation, name, None))
        # Those of our own are markers too, which must stay what they are.
        and function.__module__ != operations.__name__
    }
    try:
        for name, function in given.items():
            setattr(operation, name, noting(function))
        yield
    finally:
        for name, function in given.items():
            setattr(operation, name, function)
