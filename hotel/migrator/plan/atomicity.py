"""What no transaction can hold, told before the first statement of a run.

An operation that must not be in an atomic migration finds out when its turn comes, and what ran
before it was in vain.
"""

import re
from collections.abc import Iterable, Iterator

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from hotel.migrator import operations
from hotel.migrator.constraints import Check
from hotel.migrator.plan import repeating, steps
from hotel.migrator.plan.finding import Finding

# A word in a value, in a name, or in the body of a function is none of these.
_NO_WORDS = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)|'(?:[^']|'')*'|"(?:[^"]|"")*\""""
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
_ALONE = re.compile(
    r"\s*(VACUUM|(CREATE(\s+UNIQUE)?\s+INDEX|DROP\s+INDEX|REINDEX|ALTER\s+TABLE)\b.*?"
    r"\bCONCURRENTLY|REINDEX\s+(\([^)]*\)\s*)?(SCHEMA|DATABASE|SYSTEM)"
    r"|(CREATE|DROP)\s+(DATABASE|TABLESPACE)|ALTER\s+SYSTEM)\b",
    re.IGNORECASE | re.DOTALL,
)
_BEGIN = re.compile(r"(BEGIN|START\s+TRANSACTION)\b", re.IGNORECASE)
_LOCKS_NOTHING = re.compile(
    r"(BEGIN|START|COMMIT|END|ROLLBACK|SET|RESET|SHOW|SELECT(?!.*\bFOR\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def statements(sql: str) -> list[str]:
    """Return the statements in a text of SQL, without comments and what is in quotes."""
    words = _NO_WORDS.sub(lambda match: " " if match["comment"] else '""', sql)
    return [one.strip() for one in words.split(";") if one.strip()]


def alone(sql: str) -> str:
    """Return the word of the first statement in a text that cannot be in a transaction, or ""."""
    matches = map(_ALONE.match, statements(sql))
    return next((" ".join(match[0].split()) for match in matches if match), "")


def look(connection: BaseDatabaseWrapper, walked: Iterable[steps.Step]) -> list[Finding]:
    """Return the Findings about steps, in their order."""
    findings = []
    for step in walked:
        way, verb = ("undone", "downgrade") if step.backwards else ("applied", "upgrade")
        for why, mend in _wrong(step.migration, step.operation, step.backwards, connection.vendor):
            if _runs(connection, step):
                cause = f"{step.name} ({step.describe()}) cannot be {way} {why}."
                mend = f"{mend}, and run manage.py db {verb} again."
                findings.append(
                    Finding("transaction", True, step.name, step.describe(), cause, mend)
                )
    return findings


def holding(connection: BaseDatabaseWrapper, walked: Iterable[steps.Step]) -> list[Finding]:
    """Return warnings of SQL that holds locks while it waits for others for ever (PostgreSQL).

    What runs outside of a transaction of ours has only one try. If it has a transaction itself,
    and a client locks the same in another order, PostgreSQL ends one of the two.
    """
    if connection.vendor != "postgresql":
        return []
    return [
        Finding(
            "lock",
            False,
            step.name,
            step.describe(),
            f"{step.name} ({step.describe()}) runs several statements in one transaction that waits"
            " for locks as long as it takes: a client that locks the same in another order may die"
            " of a deadlock.",
            "Take atomic = False out of its Migration, which then gives way and tries again; or"
            " give each statement an entry of its own in the list of SQL.",
        )
        for step in walked
        if not step.migration.atomic and isinstance(step.operation, RunSQL)
        if _holds(steps.texts(step.operation, step.backwards)) and _runs(connection, step)
    ]


def _holds(texts: list[str]) -> bool:
    """Tell whether one of the transactions that texts make holds locks and waits for more."""
    some = [statements(text) for text in texts]
    if any(_BEGIN.match(one) for text in some for one in text):
        some = [[one for text in some for one in text]]
    return any(len([one for one in text if not _LOCKS_NOTHING.match(one)]) > 1 for text in some)


def is_doubtful(connection: BaseDatabaseWrapper, plan: steps.DjangoPlan) -> bool:
    """Tell whether ``look`` may find something in a plan of Django's; it makes no states."""
    return any(
        any(_wrong(migration, operation, backwards, connection.vendor))
        for migration, backwards in plan
        for operation in _flat(migration.operations)
    )


def needs_none(operation: Operation, *, backwards: bool, vendor: str) -> str:
    """Return why an operation cannot be in an atomic migration, or "" if it can."""
    if isinstance(operation, operations.RequireField):
        return "" if backwards else "it takes its steps in transactions of its own"
    # Django's refuse on every engine.
    is_online = isinstance(operation, operations.Online) and vendor == "postgresql"
    if is_online or isinstance(operation, NotInTransactionMixin):
        return "an index is made or dropped CONCURRENTLY outside of one"
    if isinstance(operation, RunSQL):
        word = next(filter(None, map(alone, steps.texts(operation, backwards))), "")
        if word and (vendor == "postgresql" or word.upper() == "VACUUM"):
            return f"{word} is run outside of one"
    return ""


def _wrong(
    migration: Migration, operation: Operation, backwards: bool, vendor: str
) -> Iterator[tuple[str, str]]:
    """Yield what an operation cannot be run in, or without, and why; and what mends it."""
    if repeating.has_own_way(migration, backwards=backwards):
        return
    why = needs_none(operation, backwards=backwards, vendor=vendor)
    if why and migration.atomic:
        yield f"in a transaction: {why}", "Write atomic = False into its Migration"
    if migration.atomic or vendor != "postgresql":
        return
    if why and isinstance(operation, RunSQL):
        for text in steps.texts(operation, backwards):
            if (word := alone(text)) and len(statements(text)) > 1:
                yield (
                    f"as it is: {word} stands in one text with other statements, which PostgreSQL"
                    " runs in a transaction",
                    "Give each statement an entry of its own in the list of SQL",
                )
        return
    adding = operations.RemoveRules if backwards else operations.AddRules
    rules = operation.rules if isinstance(operation, adding) else ()
    if not all(isinstance(rule, Check) for rule in rules):
        yield (
            "without a transaction: an Exclusion locks its table while its index is built",
            "Take atomic = False out of its Migration",
        )


def _runs(connection: BaseDatabaseWrapper, step: steps.Step) -> bool:
    """Tell whether an operation does anything in this database."""
    operation = step.operation
    if isinstance(operation, NotInTransactionMixin) and step.migration.atomic:
        return True  # it refuses before it asks
    if isinstance(operation, RunSQL):
        return router.allow_migrate(connection.alias, step.app, **operation.hints)
    key = step.app, getattr(operation, "model_name", "").lower()
    return steps.table(step.after, key, connection) is not None


def _flat(some: Iterable[Operation]) -> Iterator[Operation]:
    """Yield operations, and in place of SeparateDatabaseAndState those that it runs."""
    for operation in some:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation
