"""A script for plain ``psql``."""

import re
from collections.abc import Iterator

from hotel.migrator.editors.hanging import READING
from hotel.migrator.locking import session_lock, sessions
from hotel.migrator.revisions.targets import Key, label
from hotel.migrator.script.recording import Dropped, Renamed, Step
from hotel.migrator.script.writer import Writer, is_alone
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import block, in_dollars, literal, text, written_out


class PostgreSQL(Writer):
    """Writes for ``psql``."""

    engine = "postgresql"
    number = 0  # of transactions
    now = "clock_timestamp()"
    run = "current_setting('migrator.run')::uuid"
    who = "current_user, coalesce(host(inet_client_addr()), 'local'), pg_backend_pid()"
    false = "FALSE"

    def begins(self) -> list[str]:
        """Stop at the first error; take the lock that ``migrate`` takes; one run for the journal.

        What a session has is made what that of ``migrate`` has: values are archived as text.
        """
        settings = sessions.POSTGRESQL | sessions.OF_SUPERUSERS
        wanted = ", ".join(f"({text(name)}, {text(value)})" for name, value in settings.items())
        return [
            "\\set ON_ERROR_STOP on",
            "SET statement_timeout = 0;",
            "SET standard_conforming_strings = on;",
            "SET TIME ZONE 'UTC';",
            "SET client_encoding = 'UTF8';",
            "SET client_min_messages = warning;",
            "DO $migrator$ BEGIN",
            "    PERFORM set_config(name, value, false)",
            f"        FROM (VALUES {wanted}) AS wanted (name, value)",
            "        WHERE current_setting(name, true) <> value",  # not what this server has not
            f"        AND (name NOT IN ({', '.join(map(text, sessions.OF_SUPERUSERS))})",
            "        OR has_parameter_privilege(name, 'SET'));",
            "    IF current_setting('transaction_read_only')::bool THEN",
            "        RAISE EXCEPTION 'This session may only read: see"
            " default_transaction_read_only.';",
            "    END IF;",
            "    IF current_setting('session_replication_role') <> 'origin' THEN",
            "        RAISE EXCEPTION 'Triggers are off: see session_replication_role.';",
            "    END IF;",
            "    IF current_schema() IS NULL THEN",
            "        RAISE EXCEPTION 'There is no such schema: search_path is %.',"
            " current_setting('search_path');",
            "    END IF;",
            "    IF (SELECT relnamespace <> quote_ident(current_schema())::regnamespace"
            " FROM pg_class WHERE oid = to_regclass('django_migrations')) THEN",
            "        RAISE EXCEPTION 'django_migrations is not in the first schema of search_path,"
            " %.', current_setting('search_path');",
            "    END IF;",
            f"    IF NOT pg_try_advisory_lock({session_lock.CLASS}, {session_lock.KEY})",
            f"    OR NOT pg_try_advisory_lock({session_lock.GUARD}, {session_lock.KEY}) THEN",
            "        RAISE EXCEPTION 'This database is being migrated by somebody else.';",
            "    END IF;",
            "    PERFORM set_config('migrator.run', gen_random_uuid()::text, false),",
            "        set_config('migrator.search_path', current_setting('search_path'), false),",
            "        set_config('migrator.done', '0', false);",
            "END $migrator$;",
        ]

    def transaction(self, statements: list[str]) -> Iterator[str]:
        """Yield the statements of one transaction, or one that stands alone.

        Each transaction sees that the one before it was not rolled back, for those who run a script
        by something else than psql, which goes on.
        """
        if len(statements) == 1 and is_alone(statements[0]):
            return super().transaction(statements)
        before, self.number = self.number, self.number + 1
        follows = block(
            f"BEGIN IF current_setting('migrator.done') <> '{before}' THEN RAISE"
            " EXCEPTION 'What comes before this in the script was not done.'; END IF;"
            f" PERFORM set_config('migrator.done', '{self.number}', false); END"
        )
        return super().transaction([follows, *statements])

    def ends(self) -> list[str]:
        """Give the lock back."""
        unlock = "SELECT pg_advisory_unlock({}, {})"
        both = (session_lock.GUARD, session_lock.CLASS)
        return ["", *(self.statement(unlock.format(of, session_lock.KEY)) for of in both)]

    def statement(self, sql: str) -> str:
        """Return a statement as the script has it; what a function returns is not printed."""
        if re.match(r"SELECT\b", sql, re.IGNORECASE):
            sql = block(f"BEGIN EXECUTE {in_dollars(sql, 'said')}; END")
        return super().statement(sql)

    def if_not_there(self, sql: str) -> str:
        """Return a CREATE statement that does nothing where the thing is there."""
        if sql.startswith("CREATE TRIGGER"):
            return sql.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1)
        return super().if_not_there(sql)

    def transactions(self, first: list[str], step: Step, last: list[str]) -> list[list[str]]:
        """Split at what no transaction may hold; see that nothing of that name is there."""
        named = [
            found[1]
            for group in step.groups
            for sql in group
            if isinstance(sql, str)
            and (found := re.match(r'CREATE (?:UNIQUE )?INDEX CONCURRENTLY ("[^"]+")', sql))
        ]
        absent = [self.guard_absent(name) for name in named]
        return super().transactions([*first, *absent], step, last)

    def after_group(self, groups: list[list[str]], step: Step) -> None:
        """Check what one transaction has written, or the next would wait for its foreign keys."""
        if groups[-1] and len(step.groups) > 2:
            groups[-1].append("SET CONSTRAINTS ALL IMMEDIATE")

    def renamed(self, said: Renamed) -> str:
        """Return what renames a content type, if there are any."""
        return block(
            "BEGIN IF to_regclass('django_content_type') IS NOT NULL THEN"
            f" {super().renamed(said)}; END IF; END"
        )

    def guards(self, needed: list[Key], allowed: list[Key]) -> list[str]:
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
        place = text(f"The database does not stand at {self.place}, where this script begins: ")
        return [
            block(
                "DECLARE found text; BEGIN"
                " SELECT string_agg(app || '.' || name, ', ' ORDER BY app, name) INTO found"
                f" FROM (SELECT * FROM ({rows}) AS wrong ORDER BY app, name LIMIT 10) AS first;"
                " IF found IS NOT NULL THEN RAISE EXCEPTION USING MESSAGE ="
                f" {place} || found || ' {what}.'; END IF; END"
            )
            for what, rows in checks
        ]

    def guard_between(self, key: Key) -> str:
        """Return what stops the script unless the step before this one is done."""
        there = f"EXISTS (SELECT FROM django_migrations WHERE (app, name) = {self.keys([key])})"
        wrong = there if self.span.backwards else f"NOT {there}"
        message = text(f"{label(key)} has to be done first.")
        return block(
            f"BEGIN IF {wrong} THEN RAISE EXCEPTION USING MESSAGE = {message}; END IF; END"
        )

    def guard_dropped(self, said: Dropped) -> str:
        """Return what stops the script if something would go with what is dropped.

        What PostgreSQL would drop only with CASCADE it names itself, when it is tried without. What
        it drops in any case is asked of the catalog.
        """
        name, drop = said.table.strip('"'), f"DROP TABLE {said.table}"
        also = "more := NULL"
        if said.column:
            name, drop = (
                f"{name}.{said.column}",
                f"ALTER TABLE {said.table} DROP COLUMN {quoted(said.column)}",
            )
            also = self.together(said)
        return block(
            "DECLARE others text; more text; BEGIN"
            f" BEGIN {drop}; RAISE SQLSTATE 'MG000';"
            " EXCEPTION WHEN SQLSTATE 'MG000' THEN NULL; WHEN dependent_objects_still_exist THEN"
            " GET STACKED DIAGNOSTICS others = PG_EXCEPTION_DETAIL; END;"
            f" {also}; others := concat_ws('; ', replace(others, chr(10), '; '), more);"
            " IF others <> '' THEN RAISE EXCEPTION USING MESSAGE ="
            f" {text(f'This would go with {name}: ')} || others || '. Drop it before, and make it"
            " again after it, without what is gone.'; END IF; END"
        )

    def together(self, said: Dropped) -> str:
        """Return what asks for the indexes and the like over a column and others."""
        column = text(said.column)
        of_model = "".join(
            f" AND NOT (columns @> {group} AND columns <@ {group})"
            for group in (
                literal(sorted(one), self.engine) for one in sorted(said.groups, key=sorted)
            )
        )
        if said.names:
            of_model += f" AND plain NOT IN ({', '.join(map(text, sorted(said.names)))})"
        reading = written_out(READING, [said.table, said.column], self.engine)
        return (
            "SELECT string_agg(kind || ' ' || name, '; ' ORDER BY kind, name) INTO more FROM ("
            f"SELECT * FROM ({reading}) AS reading (kind, plain, name, columns)"
            f" WHERE EXISTS (SELECT FROM unnest(columns) AS one WHERE one <> {column}){of_model}"
            " UNION ALL SELECT 'statistics', '', stxname, NULL FROM pg_statistic_ext JOIN"
            " pg_attribute ON attrelid = stxrelid AND attnum = ANY (stxkeys)"
            f" WHERE stxrelid = to_regclass({text(said.table)}) AND attname = {column}) AS found"
        )

    def guard_absent(self, name: str) -> str:
        """Return what stops the script if there is an index or a table of this name."""
        message = text(f"{name} is there already.")
        return block(
            f"BEGIN IF to_regclass({text(name)}) IS NOT NULL THEN RAISE EXCEPTION USING"
            f" MESSAGE = {message}; END IF; END"
        )
