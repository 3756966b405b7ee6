"""Recorded statements as a script for plain ``psql`` or ``sqlite3``.

Around them: what stops a script in the wrong place, transactions, records, and the journal. Over
300 lines because both engines have to say the same things in other words.
"""

import re
from collections.abc import Iterator

from hotel.migrator import history, locks
from hotel.migrator.quoting import text
from hotel.migrator.targets import label, labels

# What no transaction may hold. A word in a value is none.
_ALONE = re.compile(
    r"\s*(VACUUM|(CREATE(\s+UNIQUE)?\s+INDEX|DROP\s+INDEX|REINDEX|ALTER\s+TABLE)\b[^']*?"
    r"\bCONCURRENTLY)\b",
    re.IGNORECASE,
)


def writer(engine, span, made_first):
    """Return what writes the script for a Range; made_first: see ``bookkeeping``."""
    return {"postgresql": _PostgreSQL, "sqlite": _SQLite}[engine](span, made_first)


def _records(loader, keys):
    """Return the records that must be there if ``keys`` are applied, and all that may be.

    Django takes a squashed migration for applied if all that it replaces is.
    """
    needed, allowed = [], []
    for key in keys:
        replaced = [*map(tuple, loader.graph.nodes[key].replaces)]
        needed += replaced or [key]
        allowed += [*replaced, key]
    return needed, allowed


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
        first = [*self.made_first, *self.guards(*_records(loader, self.span.start))]
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
        """Return a statement as the script has it; its last line may be a comment."""
        return f"{sql}\n;" if "--" in sql.rpartition("\n")[2] else f"{sql};"

    def transaction(self, statements):
        """Yield the statements of one transaction, or one that stands alone."""
        alone = len(statements) == 1 and _ALONE.match(statements[0])
        inner = statements if alone else [self.begin, *statements, "COMMIT"]
        yield from map(self.statement, inner)

    def recorded(self, migration):
        """Yield what records a migration, in django_migrations and in the journal."""
        app, name = text(migration.app_label), text(migration.name)
        for key in [*migration.replaces, (migration.app_label, migration.name)]:
            of, called = map(text, key)
            if self.span.backwards:
                yield f"DELETE FROM django_migrations WHERE app = {of} AND name = {called}"
            else:
                yield (
                    "INSERT INTO django_migrations (app, name, applied)"
                    f" VALUES ({of}, {called}, {self.now})"
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


class _PostgreSQL(_Writer):
    engine = "postgresql"
    number = 0  # of transactions
    now = "clock_timestamp()"
    run = "current_setting('migrator.run')::uuid"
    who = "current_user, coalesce(host(inet_client_addr()), 'local'), pg_backend_pid()"
    false = "FALSE"

    def begins(self):
        """Stop at the first error; take the lock that ``migrate`` takes; one run for the journal.

        What a session has is made what Django's has: values are archived as text.
        """
        return [
            "\\set ON_ERROR_STOP on",
            "SET TIME ZONE 'UTC';",
            "SET DateStyle = 'ISO, MDY';",
            "SET IntervalStyle = 'postgres';",
            "SET bytea_output = 'hex';",
            "SET standard_conforming_strings = on;",
            "SET client_encoding = 'UTF8';",
            "SET client_min_messages = warning;",
            "DO $migrator$ BEGIN",
            f"    IF NOT pg_try_advisory_lock({locks.CLASS}, {locks.KEY})",
            f"    OR NOT pg_try_advisory_lock({locks.GUARD}, {locks.KEY}) THEN",
            "        RAISE EXCEPTION 'This database is being migrated by somebody else.';",
            "    END IF;",
            "    PERFORM set_config('migrator.run', gen_random_uuid()::text, false),",
            "        set_config('migrator.done', '0', false);",
            "END $migrator$;",
        ]

    def transaction(self, statements):
        """Yield the statements of one transaction, or one that stands alone.

        Each transaction sees that the one before it was not rolled back, for those who run a script
        by something else than psql, which goes on.
        """
        if len(statements) == 1 and _ALONE.match(statements[0]):
            return super().transaction(statements)
        before, self.number = self.number, self.number + 1
        follows = (
            f"DO $migrator$ BEGIN IF current_setting('migrator.done') <> '{before}' THEN RAISE"
            " EXCEPTION 'What comes before this in the script was not done.'; END IF;"
            f" PERFORM set_config('migrator.done', '{self.number}', false); END $migrator$"
        )
        return super().transaction([follows, *statements])

    def ends(self):
        """Give the lock back."""
        yield ""
        for of in (locks.GUARD, locks.CLASS):
            yield self.statement(f"SELECT pg_advisory_unlock({of}, {locks.KEY})")

    def statement(self, sql):
        """Return a statement as the script has it; what a function returns is not printed."""
        if sql.startswith("SELECT "):
            sql = f"DO $migrator$ BEGIN PERFORM {sql.removeprefix('SELECT ')}; END $migrator$"
        return super().statement(sql)

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
                if _ALONE.match(sql):
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

    def guards(self, needed, allowed):
        """Return what stops the script unless the database stands at the start of the range."""
        span = self.span
        missing = (
            f"SELECT app, name FROM (VALUES {self.keys(needed)}) AS needed (app, name)"
            " EXCEPT SELECT app, name FROM django_migrations"
        )
        surplus = (
            "SELECT app, name FROM django_migrations"
            f" WHERE app IN ({', '.join(map(text, span.apps))})"
        )
        if span.start:
            surplus += f" AND (app, name) NOT IN (VALUES {self.keys(allowed)})"
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

    def guards(self, needed, allowed):
        """Return what stops the script unless the database stands at the start of the range."""
        apps = ", ".join(map(text, self.span.apps))
        must, may = (
            f"VALUES {self.keys(keys)}" if keys else "SELECT NULL, NULL WHERE 0"
            for keys in (needed, allowed)
        )
        wrong = (
            f"SELECT * FROM ({must}) EXCEPT SELECT app, name FROM django_migrations",
            f"SELECT app, name FROM django_migrations WHERE app IN ({apps})"
            f" EXCEPT SELECT * FROM ({may})",
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
