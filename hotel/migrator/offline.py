"""A range of the history as one SQL script for plain ``psql`` or ``sqlite3``.

The migrations are run on a scratch database without rows, which stands where the script will begin,
and every statement that writes is taken down. So names that the server chooses are right, and the
live database is neither needed nor read. That no row is there is no loss, because the data steps
write by sets: their statements do not depend on what Python has read. Where that is not so the
script is refused, and the step named.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from hotel.migrator import history, locks, operations, scratch, tables
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.quoting import NUL, NotQuotable, text, written_out
from hotel.migrator.targets import label, labels, parse, quoted

ENGINES = ("postgresql", "sqlite")

# What is run only to look, or what the script has its own words for.
_LOOKS = re.compile(
    r"\s*(SELECT(?!.*\b(setval|set_config)\()|SHOW|EXPLAIN|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE"
    r"|PRAGMA\s+(foreign_keys\b|[a-z_]+\s*(\(|$)))",
    re.IGNORECASE | re.DOTALL,
)
_ALONE = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)  # what no transaction may hold
_RETURNING = re.compile(r'(?<=\S) RETURNING ("[^"]+"[., ]*)+$')  # nobody reads it
_CATALOG = re.compile(r"\b(pg_\w+|information_schema|sqlite_master)\b")
_TABLES_READ = re.compile(r'(?:FROM|JOIN)\s+"((?:[^"]|"")+)"', re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """What a script does: ``steps`` in their order, on a database where ``start`` is applied.

    start: keys in the order G. ends: those of them that no other of them needs. own: labels of this
    project's apps among them. says: the range as the user wrote it.
    """

    start: tuple
    steps: tuple
    backwards: bool
    says: str
    ends: tuple
    own: frozenset

    @property
    def apps(self):
        """The labels of the apps of which exactly the start must be applied, sorted."""
        return sorted(self.own | {app for app, _ in self.steps})


def between(graph, says, backwards, *, cascade=False):
    """Return the Range that ``START:END`` means. Raises WrongUse, and RefusedByPreflight.

    An end is a revision (all of its ancestors are applied), base, heads, or of END a number of
    steps from START, as in ``app.0003:+2``. Only this project's own apps and what they depend on
    are in it; from base to heads, all apps. What depends on what goes down goes only with
    ``cascade``.
    """
    start, colon, end = says.partition(":")
    if not colon or ":" in end:
        verb, example = ("downgrade", "heads:app.0003") if backwards else ("upgrade", "base:heads")
        raise WrongUse(
            f"{verb} with --sql requires START:END, and {quoted(says)} is none: write manage.py db"
            f" {verb} {example} --sql, or let it read what is applied: manage.py db"
            f" {'downgrade -1' if backwards else 'upgrade heads --pending'} --sql."
        )
    start = start or ("heads" if backwards else "base")
    end = end or ("base" if backwards else "heads")
    is_all = {_kind(graph, start), _kind(graph, end)} == {"base", "head"}
    before = _reached(graph, start, is_all)
    after = _counted(graph, before, end) if _kind(graph, end) == "step" else None
    after = _reached(graph, end, is_all) if after is None else after
    low, high = (after, before) if backwards else (before, after)
    if not low <= high:
        raise WrongUse(
            f"{quoted(says)} leads nowhere: {'START' if backwards else 'END'} is not above"
            f" {'END' if backwards else 'START'} on the same branch. manage.py db history lists all"
            " revisions."
        )
    steps = [key for key in graph.order if key in high - low]
    if backwards:
        # What is contrib stays, unless it cannot.
        gone = {key for key in steps if key[0] in graph.own}
        required = {key for key in steps if not graph.ancestors(key).isdisjoint(gone)} - gone
        if required and not cascade:
            raise RefusedByPreflight(
                f"{quoted(says)} takes along {labels(sorted(required))}, which depend on what goes:"
                " --cascade writes a script that undoes them too."
            )
        steps = [key for key in reversed(graph.order) if key in gone | required]
    return _range(graph, before, steps, backwards, says)


def from_plan(graph, plan, applied, says):
    """Return the Range that carries out a ``graph.Plan`` where ``applied`` is applied."""
    here = [key for key in applied if key in graph.place]
    return _range(graph, frozenset(here), plan.steps, plan.backwards, says)


def _range(graph, start, steps, backwards, says):
    there = tuple(key for key in graph.order if key in start)
    own = graph.own & {app for app, _ in (*there, *steps)}
    ends = tuple(key for key in graph.frontier(there) if key[0] in own) or graph.frontier(there)
    return Range(there, tuple(steps), backwards, says, ends, own)


def _kind(graph, end):
    return parse(graph, end).kind


def _reached(graph, end, is_all):
    """Return what is applied where the database stands at ``end``."""
    target = parse(graph, end)
    if target.kind == "base":
        return frozenset()
    if target.kind == "step":
        raise WrongUse(f"{quoted(end)} is no place to start at: name a revision, base or heads.")
    if target.kind == "revision":
        ends = [target.key]
    elif target.app:
        ends = graph.leaves(target.app)
    else:
        ends = [key for key in graph.heads() if is_all or key[0] in graph.own]
    return frozenset(ends).union(*map(graph.ancestors, ends))


def _counted(graph, before, end):
    """Return what is applied N steps of this project's own apps from ``before``."""
    number = parse(graph, end).number
    if number > 0:
        return before.union(graph.upgrade([end], before).steps)
    return before.difference(
        graph.downgrade(end, [key for key in graph.order if key in before]).steps
    )


@dataclass
class Step:
    """One migration as SQL: lists of statements, each of which was a transaction of its own."""

    key: tuple
    groups: list[list[str]]


def script(connection, loader, span, engine):
    """Yield the lines of the script for a Range on ``engine``.

    Raises RefusedByPreflight, before the first line, for a step that cannot be written as SQL, and
    where no scratch database can be made.
    """
    with scratch.database(connection, engine=engine) as empty:
        made_first = bookkeeping(empty)
        state = scratch.run(empty, loader, span.start)
        steps = list(record(empty, loader, span, state))
    yield from writer(engine, span, made_first).lines(steps, loader)


def writer(engine, span, made_first):
    """Return what writes the script for a Range; made_first: see ``bookkeeping``."""
    return {"postgresql": _PostgreSQL, "sqlite": _SQLite}[engine](span, made_first)


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
        statements = stack.enter_context(_recording(connection))
        editor = None
        if migration.atomic:
            editor = stack.enter_context(connection.schema_editor(atomic=True))
        for operation, before, after in moves:
            with ExitStack() as own:
                own.enter_context(_watch(connection, migration, operation, backwards, empty))
                one = editor or own.enter_context(connection.schema_editor(atomic=False))
                move = operation.database_backwards if backwards else operation.database_forwards
                move(app, one, before, after)
            if editor is None:
                groups.append([*statements])
                statements.clear()
    return [*groups, [*statements]]  # the last has what an editor puts off to its end


@contextmanager
def _recording(connection):
    """Take down what is written meanwhile, with values in it; yields the list of statements."""
    statements: list[str] = []

    def listen(execute, sql, params, many, context):
        if not _LOOKS.match(sql):
            for values in params if many else [params]:
                written = written_out(str(sql), values, connection.vendor)
                statements.append(_RETURNING.sub("", written.strip().rstrip(";")).rstrip())
        return execute(sql, params, many, context)

    connection.is_recorded = True
    try:
        with connection.execute_wrapper(listen):
            yield statements
    finally:
        connection.is_recorded = False


@contextmanager
def _watch(connection, migration, operation, backwards, empty):
    """Refuse an operation whose statements may depend on rows that Python has read.

    Those of ``hotel.migrator.operations`` write by sets. empty: tables without any row, if the
    script begins with an empty database; what reads those reads nothing.
    """
    read, made, wrote = set(), set(), False

    def listen(execute, sql, params, many, context):
        nonlocal wrote
        if match := re.match(r'\s*CREATE TABLE "((?:[^"]|"")+)"', sql):
            made.add(match[1])
        elif not _LOOKS.match(sql):
            wrote = True
            filled.update(re.findall(r'(?:INSERT INTO|UPDATE) "((?:[^"]|"")+)"', sql))
        elif re.match(r"\s*(WITH|SELECT)\b", sql) and not _CATALOG.search(sql):
            read.update(_TABLES_READ.findall(sql) or ["?"])
        return execute(sql, params, many, context)

    filled = set()
    try:
        with connection.execute_wrapper(listen):
            yield
    except ValueError as error:
        if not isinstance(error, NotQuotable) and "NUL" not in str(error):
            raise
        what = error if isinstance(error, NotQuotable) else NUL
        raise RefusedByPreflight(
            f"{migration} cannot be written as SQL: {operation.describe()} writes {what}. Run it"
            " with manage.py migrate, and scripts for what is before and after it."
        ) from None
    if empty is not None:
        empty |= made
        empty -= filled
    if type(operation).__module__ == operations.__name__ or not read:
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


class _Writer:
    """Writes the script; a subclass for each engine says what differs.

    before_all: lines. begin: starts a transaction. now, run, who: expressions for the bookkeeping;
    ``who`` is actor, host and process.
    """

    begin = "BEGIN"
    engine = now = run = who = false = ""
    before_all: tuple[str, ...] = ()

    def __init__(self, span, made_first):
        self.span = span
        self.verb = "downgrade" if span.backwards else "upgrade"
        self.made_first = [self.if_not_there(sql) for sql in made_first]
        self.place = labels(span.ends) if span.start else "an empty database"

    def lines(self, steps, loader) -> Iterator[str]:
        """Yield the lines of the script."""
        yield from self.before_all
        yield f"-- manage.py db {self.verb} {self.span.says} --sql --engine {self.engine}"
        yield f"-- {labels(self.span.steps) or 'nothing to do'}"
        yield from self.begins()
        first = [*self.made_first, *self.guards()]
        for step in steps or [None]:
            if step is None:
                yield from self.transaction(first)
                break
            migration = loader.graph.nodes[step.key]
            yield from ("", f"-- {label(step.key)}")
            last = [*self.checked(), *self.recorded(migration)]
            for group in self.transactions(first, step, last):
                yield from self.transaction(group)
            first = [self.guard_between(step.key)]
        yield from self.ends()

    def transactions(self, first, step, last):
        """Return the statements of one migration in one transaction, if that can be."""
        return [[*first, *(sql for group in step.groups for sql in group), *last]]

    def statement(self, sql):
        """Return a statement as the script has it."""
        return f"{sql};"

    def transaction(self, statements):
        """Yield the statements of one transaction, or one that stands alone."""
        alone = len(statements) == 1 and _ALONE.search(statements[0])
        inner = statements if alone else [self.begin, *statements, "COMMIT"]
        yield from map(self.statement, inner)

    def recorded(self, migration):
        """Yield what records a migration, in django_migrations and in the journal."""
        app, name = text(migration.app_label), text(migration.name)
        if self.span.backwards:
            for of, gone in [(migration.app_label, migration.name), *migration.replaces]:
                yield (
                    f"DELETE FROM django_migrations WHERE app = {text(of)} AND name = {text(gone)}"
                )
        else:
            yield (
                "INSERT INTO django_migrations (app, name, applied)"
                f" VALUES ({app}, {name}, {self.now})"
            )
        direction = "backward" if self.span.backwards else "forward"
        remark = text(f"by a script: {self.verb} {self.span.says} --sql")
        for event in ("started", "finished"):
            yield (
                "INSERT INTO migrator_journal (run, event, app, name, direction, is_fake, checksum,"
                " remark, actor, host, process, code_version)"
                f" VALUES ({self.run}, '{event}', {app}, {name}, '{direction}', {self.false},"
                f" '{history.checksum(migration)}', {remark}, {self.who},"
                f" {text(history.code_version())})"
            )

    def if_not_there(self, sql):
        """Return a CREATE statement that does nothing where the thing is there."""
        found = re.match(r"CREATE (TABLE|UNIQUE INDEX|INDEX|TRIGGER) (?!IF\b)", sql)
        return f"{found[0]}IF NOT EXISTS {sql[found.end() :]}" if found else sql

    def keys(self, keys):
        """Return ``(app, name)`` pairs as a list of SQL."""
        return ", ".join(f"({text(app)}, {text(name)})" for app, name in keys)


def bookkeeping(connection):
    """Return what makes the tables that every script writes to, in an empty database."""
    with _recording(connection) as statements:
        MigrationRecorder(connection).ensure_schema()
        with connection.schema_editor() as editor:
            tables.ensure(editor, tables.MODELS)
    return statements


class _PostgreSQL(_Writer):
    engine = "postgresql"
    now = "clock_timestamp()"
    run = "current_setting('migrator.run')::uuid"
    who = "current_user, coalesce(host(inet_client_addr()), 'local'), pg_backend_pid()"
    false = "FALSE"

    def begins(self):
        """The lock that ``migrate`` takes too, and one run for all entries of the journal."""
        return [
            "SET standard_conforming_strings = on;",
            "SET client_encoding = 'UTF8';",
            "SET client_min_messages = warning;",
            "DO $migrator$ BEGIN",
            f"    IF NOT pg_try_advisory_lock({locks.CLASS}, {locks.key_of('public')}) THEN",
            "        RAISE EXCEPTION 'This database is being migrated by somebody else.';",
            "    END IF;",
            "    PERFORM set_config('migrator.run', gen_random_uuid()::text, false);",
            "END $migrator$;",
        ]

    def ends(self):
        """Give the lock back."""
        yield ""
        yield self.statement(f"SELECT pg_advisory_unlock({locks.CLASS}, {locks.key_of('public')})")

    def statement(self, sql):
        """Return a statement as the script has it; what a function returns is not printed."""
        if sql.startswith("SELECT "):
            sql = f"DO $migrator$ BEGIN PERFORM {sql.removeprefix('SELECT ')}; END $migrator$"
        return f"{sql};"

    def if_not_there(self, sql):
        """Return a CREATE statement that does nothing where the thing is there."""
        if sql.startswith("CREATE TRIGGER"):
            return sql.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1)
        return super().if_not_there(sql)

    def transactions(self, first, step, last):
        """Split at what no transaction may hold; see that nothing of that name is there."""
        groups: list[list[str]] = [[*first]]
        named = [
            found[1]
            for group in step.groups
            for sql in group
            if (found := re.match(r'CREATE (?:UNIQUE )?INDEX CONCURRENTLY ("[^"]+")', sql))
        ]
        groups[-1] += [self.guard_absent(name) for name in named]
        for group in step.groups:
            for sql in group:
                if _ALONE.search(sql):
                    groups += [[sql], []]
                else:
                    groups[-1].append(sql)
            if groups[-1] and len(step.groups) > 2:
                # What was a transaction of its own must not leave rows for whose foreign keys the
                # next one would wait.
                groups[-1].append("SET CONSTRAINTS ALL IMMEDIATE")
        groups[-1] += last
        return [group for group in groups if group]

    def checked(self):
        """Return nothing: constraints are checked at the end of a transaction."""
        return []

    def guards(self):
        """Return what stops the script unless the database stands at the start of the range."""
        span = self.span
        missing = (
            f"SELECT app, name FROM (VALUES {self.keys(span.start)}) AS needed (app, name)"
            " EXCEPT SELECT app, name FROM django_migrations"
        )
        surplus = (
            "SELECT app, name FROM django_migrations"
            f" WHERE app IN ({', '.join(map(text, span.apps))})"
        )
        if span.start:
            surplus += f" AND (app, name) NOT IN (VALUES {self.keys(span.start)})"
        checks = [("is applied too", surplus)]
        if span.start:
            checks.insert(0, ("is not applied", missing))
        return [
            "DO $migrator$ DECLARE found text; BEGIN"
            " SELECT string_agg(app || '.' || name, ', ' ORDER BY app, name) INTO found"
            f" FROM (SELECT * FROM ({rows}) AS wrong ORDER BY app, name LIMIT 10) AS first;"
            " IF found IS NOT NULL THEN RAISE EXCEPTION"
            f" 'The database does not stand at {self.place}, where this script begins:"
            f" % {what}.', found; END IF; END $migrator$"
            for what, rows in checks
        ]

    def guard_between(self, key):
        """Return what stops the script unless the step before this one is done."""
        there = f"EXISTS (SELECT FROM django_migrations WHERE (app, name) = {self.keys([key])})"
        wrong = there if self.span.backwards else f"NOT {there}"
        return (
            f"DO $migrator$ BEGIN IF {wrong} THEN RAISE EXCEPTION"
            f" '{label(key)} has to be done first.'; END IF; END $migrator$"
        )

    def guard_absent(self, name):
        """Return what stops the script if there is an index or a table of this name."""
        return (
            f"DO $migrator$ BEGIN IF to_regclass({text(name)}) IS NOT NULL THEN RAISE EXCEPTION"
            f" {text(f'{name} is there already.')}; END IF; END $migrator$"
        )


class _SQLite(_Writer):
    engine = "sqlite"
    before_all = (".bail on",)
    begin = "BEGIN IMMEDIATE"
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    run = "(SELECT run FROM temp.migrator_run)"
    who = "'sqlite3', 'local', 0"
    false = "0"

    def begins(self):
        """Stop at the first error; no foreign keys meanwhile, which are checked at the end."""
        return [
            "PRAGMA foreign_keys = OFF;",
            "CREATE TEMP TABLE migrator_run AS SELECT lower(hex(randomblob(16))) AS run;",
            "CREATE TEMP TABLE migrator_guard (",
            f'    starts integer CONSTRAINT "The database does not stand at {self.place},'
            ' where this script begins." CHECK (starts),',
            '    follows integer CONSTRAINT "Somebody else has migrated meanwhile."'
            " CHECK (follows),",
            '    whole integer CONSTRAINT "Rows refer to others that are not there:'
            ' PRAGMA foreign_key_check lists them." CHECK (whole)',
            ");",
        ]

    def ends(self):
        """Return nothing: what is temporary ends with the shell."""
        return []

    def checked(self):
        """Return what stops the script if a row refers to another that is not there."""
        yield (
            "INSERT INTO migrator_guard (whole)"
            " SELECT NOT EXISTS (SELECT 1 FROM pragma_foreign_key_check)"
        )

    def guards(self):
        """Return what stops the script unless the database stands at the start of the range."""
        span = self.span
        apps = ", ".join(map(text, span.apps))
        start = f"VALUES {self.keys(span.start)}" if span.start else "SELECT NULL, NULL WHERE 0"
        wrong = (
            f"SELECT * FROM ({start}) EXCEPT SELECT app, name FROM django_migrations",
            f"SELECT app, name FROM django_migrations WHERE app IN ({apps})"
            f" EXCEPT SELECT * FROM ({start})",
        )
        yield (
            "INSERT INTO migrator_guard (starts) SELECT NOT EXISTS"
            f" (SELECT * FROM ({wrong[0]}) UNION ALL SELECT * FROM ({wrong[1]}))"
        )

    def guard_between(self, key):
        """Return what stops the script unless the step before this one is done."""
        app, name = map(text, key)
        there = f"EXISTS (SELECT 1 FROM django_migrations WHERE app = {app} AND name = {name})"
        right = f"NOT {there}" if self.span.backwards else there
        return f"INSERT INTO migrator_guard (follows) SELECT {right}"
