"""How long work on rows takes: what was measured, and how quick this database is beside that.

All figures are seconds for a million rows. PostgreSQL's were measured on version 18 and two cores,
SQLite's on 3.40 and one, both with nothing else to do; ``docs/reference.md`` shows them. So a
``Pace`` is measured when a plan is told, on the very database: what reads nothing and takes a few
hundredths of a second there.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import cached_property
from itertools import chain

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import PostgresIndex
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Index, UniqueConstraint

from hotel.migrator.constraints import Exclusion
from hotel.migrator.plan.steps import Table

REWRITE, ARCHIVE, EXCLUDE = 4.5, 10, 14.3
INDEX, OTHER_INDEX = 0.65, 2.0  # a btree; GiST, GIN and the like
SCAN, FOREIGN_KEY = 0.35, 0.3
INSERT = 14  # rows by InsertForNewRows, in one transaction

SQLITE_COPY, SQLITE_INDEX, SQLITE_ARCHIVE, SQLITE_DROP = 2.5, 1.7, 7.5, 2.9

BUSY = 2  # times as long while others work there, too


class Pace:
    """How many times longer work takes in a database than where the figures were measured."""

    # Reads nothing, and is for the processor what the making of an index is.
    probes = {
        "postgresql": "SELECT count(DISTINCT md5(i::text)) FROM generate_series(1, 20000) AS i",
        "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
        " SELECT count(DISTINCT i || 'x') FROM n",
    }
    usual = {"postgresql": 0.025, "sqlite": 0.027}  # seconds, where the figures were measured
    tries = 3

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @cached_property
    def factor(self) -> float:
        """Return it, never less than 1; measured when it is first asked for."""
        vendor, took = self.connection.vendor, []
        # In a transaction of somebody else's, an error must not end it.
        own = transaction.atomic if self.connection.in_atomic_block else nullcontext
        try:
            with own(), self.connection.cursor() as cursor:
                for _ in range(self.tries):
                    began = time.perf_counter()
                    cursor.execute(self.probes[vendor])
                    cursor.fetchall()
                    took.append(time.perf_counter() - began)
        except DatabaseError:  # a statement_timeout that is shorter than that
            return BUSY
        return max(1.0, sorted(took)[len(took) // 2] / self.usual[vendor])


def of_indexes(table: Table) -> float:
    """Return what it takes to make all indexes again that a table has by its model (PostgreSQL).

    A table that is written anew has them made, too.
    """
    some = chain(table.options.get("indexes", ()), table.options.get("constraints", ()))
    return sum(map(of_index, some)) + INDEX * _of_fields(table)


def of_index(one: object) -> float:
    """Return what the index of an Index or a constraint takes (PostgreSQL); 0 if it has none."""
    if isinstance(one, Exclusion | ExclusionConstraint):
        return EXCLUDE
    if isinstance(one, PostgresIndex):
        return OTHER_INDEX
    return INDEX if is_index(one) else 0


def is_index(one: object) -> bool:
    """Tell whether an Index or a constraint has an index, on either engine."""
    return isinstance(one, Index | UniqueConstraint | Exclusion | ExclusionConstraint)


def number_of_indexes(table: Table) -> int:
    """Return how many indexes a table has by its model."""
    some = chain(table.options.get("indexes", ()), table.options.get("constraints", ()))
    return sum(map(is_index, some)) + _of_fields(table)


def _of_fields(table: Table) -> int:
    of_one = sum(
        bool(one.primary_key or one.unique or one.db_index) for one in table.columns.values()
    )
    return of_one + len(table.options.get("unique_together") or ())
