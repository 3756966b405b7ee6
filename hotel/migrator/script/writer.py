"""Recorded statements as a script for plain ``psql`` or ``sqlite3``.

Around them: what stops a script in the wrong place, transactions, records, and the journal.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.plan import atomicity
from hotel.migrator.revisions import edits
from hotel.migrator.revisions.targets import Key, label, labels
from hotel.migrator.script.recording import Dropped, Remade, Renamed, Said, Step
from hotel.migrator.sql.quoting import comment, text
from hotel.migrator.sql.shells import for_shell
from hotel.migrator.storage import journal

if TYPE_CHECKING:
    from hotel.migrator.script.offline import Range


# What a transaction may not hold in some cases, besides what it never may.
_ALONE = re.compile(
    r"\s*((CREATE|DROP)\s+SUBSCRIPTION|PRAGMA\s+journal_mode)\b", re.IGNORECASE | re.DOTALL
)


def is_alone(sql: str) -> bool:
    """Tell whether a statement cannot be in a transaction."""
    return bool(atomicity.alone(sql) or any(map(_ALONE.match, atomicity.statements(sql))))


def _records(loader: MigrationLoader, keys: Iterable[Key]) -> tuple[list[Key], list[Key]]:
    """Return the records that must be there if ``keys`` are applied, and all that may be.

    Django takes a squashed migration for applied if all that it replaces is.
    """
    needed: list[Key] = []
    allowed: list[Key] = []
    for key in keys:
        replaced = [*map(tuple, loader.graph.nodes[key].replaces)]
        needed += replaced or [key]
        allowed += [*replaced, key]
    return needed, allowed


class Writer:
    """Writes the script; a subclass for each engine says what differs.

    before_all: lines. begin: starts a transaction. now, run, who: expressions for the bookkeeping;
    ``who`` is actor, host and process.
    """

    begin = "BEGIN"
    engine = now = run = who = false = ""
    before_all: tuple[str, ...] = ()
    renames = False  # content types

    def __init__(self, span: "Range", made_first: list[str]) -> None:
        self.span = span
        self.verb = "downgrade" if span.backwards else "upgrade"
        self.made_first = [self.if_not_there(sql) for sql in made_first]
        self.place = labels(span.ends) if span.start else "an empty database"

    def lines(self, steps: Iterable[Step], loader: MigrationLoader) -> Iterator[str]:
        """Yield the lines of the script."""
        steps = [*steps]
        said = (said for step in steps for group in step.groups for said in group)
        self.renames = any(isinstance(one, Renamed) for one in said)
        yield from self.before_all
        yield comment(f"manage.py db {self.verb} {self.span.says} --sql --engine {self.engine}")
        yield comment(labels(self.span.steps) or "nothing to do")
        yield from self.begins()
        first = [*self.made_first, *self.guards(*_records(loader, self.span.start))]
        if not steps:
            yield from self.transaction(first)
        for step in steps:
            migration = loader.graph.nodes[step.key]
            yield from ("", comment(label(step.key)))
            last = [*self.checked(), *self.recorded(migration)]
            for group in self.transactions(first, step, last):
                yield from self.transaction(group)
            first = [self.guard_between(step.key)]
        yield from self.ends()

    def transactions(self, first: list[str], step: Step, last: list[str]) -> list[list[str]]:
        """Return the statements of one migration in one transaction, if that can be."""
        groups: list[list[str]] = [[*first]]
        for group in step.groups:
            for said in group:
                sql = self.written(said)
                if not sql:
                    continue
                if is_alone(sql):
                    groups += [[sql], []]
                else:
                    groups[-1].append(sql)
            self.after_group(groups, step)
        groups[-1] += last
        return [group for group in groups if group]

    def after_group(self, groups: list[list[str]], step: Step) -> None:
        """Add what ends that which was a transaction of its own."""

    def written(self, said: Said) -> str | None:
        """Return what was taken down as SQL, or None where this engine needs nothing."""
        if isinstance(said, Renamed):
            return self.renamed(said)
        if isinstance(said, Dropped):
            return self.guard_dropped(said)
        if isinstance(said, Remade):
            return self.guard_remade(said)
        return said

    def begins(self) -> list[str]:
        """Return the lines that set the session up and take the lock."""
        raise NotImplementedError

    def ends(self) -> list[str]:
        """Return the lines that give back what ``begins`` took."""
        return []

    def checked(self) -> list[str]:
        """Return what stops the script if a row refers to another that is not there."""
        return []

    def guards(self, needed: list[Key], allowed: list[Key]) -> list[str]:
        """Return what stops the script unless the database stands at the start of the range."""
        raise NotImplementedError

    def guard_between(self, key: Key) -> str:
        """Return what stops the script unless the step before this one is done."""
        raise NotImplementedError

    def guard_dropped(self, said: Dropped) -> str | None:
        """Return what stops the script if something would go with what is dropped."""

    def guard_remade(self, said: Remade) -> str | None:
        """Return what stops the script if what no migration has made would be lost."""

    def renamed(self, said: Renamed) -> str:
        """Return what renames a content type as Django does."""
        old, new = (
            f"app_label = {text(said.app)} AND model = {text(name)}"
            for name in (said.old, said.new)
        )
        return (
            f"UPDATE django_content_type SET model = {text(said.new)} WHERE {old}"
            f" AND NOT EXISTS (SELECT 1 FROM django_content_type WHERE {new})"
        )

    def statement(self, sql: str) -> str:
        """Return a statement as the script has it; its last line may be a comment."""
        sql = for_shell(sql, self.engine)
        return f"{sql}\n;" if "--" in sql.rpartition("\n")[2] else f"{sql};"

    def transaction(self, statements: list[str]) -> Iterator[str]:
        """Yield the statements of one transaction, or one that stands alone."""
        alone = len(statements) == 1 and is_alone(statements[0])
        inner = statements if alone else [self.begin, *statements, "COMMIT"]
        yield from map(self.statement, inner)

    def recorded(self, migration: Migration) -> Iterator[str]:
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
                f" '{edits.checksum(migration)}', {remark}, {self.who},"
                # The database it will be run on may have another encoding.
                f" {text(journal.readable(journal.code_version(), 'ascii')[:255])})"
            )

    def if_not_there(self, sql: str) -> str:
        """Return a CREATE statement that does nothing where the thing is there."""
        found = re.match(r"CREATE (TABLE|UNIQUE INDEX|INDEX|TRIGGER) (?!IF\b)", sql)
        return f"{found[0]}IF NOT EXISTS {sql[found.end() :]}" if found else sql

    def keys(self, keys: Iterable[Key]) -> str:
        """Return ``(app, name)`` pairs as a list of SQL."""
        return ", ".join(f"({text(app)}, {text(name)})" for app, name in keys)
