"""Rows that cannot come along, as they are told of: before, afterwards, and until it is over.

``orphans.Orphans.set_aside`` finds them; the proof keeps them.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.adopt.orphans import ASIDE, EMPTY, MISSING, Reason
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.storage.tables import Adoption

SHOWN = 5  # keys of a table that a sentence names
LISTED = 200  # keys, or ranges of them, in one line of a list
WHY = {
    MISSING: "{column} leads to {keys}, which {parent} does not have",
    ASIDE: "{column} leads to {keys} of {parent}, which stays aside",
    EMPTY: "{column} is empty",
}


class WouldSetAside(RefusedByPreflight):
    """Rows cannot come along, and nobody has accepted that."""

    def __init__(self, rows: list[Reason], done: dict[str, Any] | None = None) -> None:
        """done: what else the verb has to report."""
        number = sum(len(reason["ids"]) for reason in rows)
        are, need = ("row", "it needs") if number == 1 else ("rows", "they need")
        super().__init__(
            f"{number} {are} would stay aside, since what {need} is not there: {in_short(rows)}."
            " Nothing was changed. Give them what they need in the legacy database, or take over"
            " the rest with manage.py db adopt --accept-set-aside."
        )
        self.rows = rows
        self.report = {**(done or {}), "did": "refused", "set_aside": rows}


def by_table(rows: list[Reason]) -> Iterator[tuple[str, list[int]]]:
    """Yield each table, and the keys of its rows."""
    for table, reasons in groupby(rows, lambda reason: reason["table"]):
        yield table, sorted(key for reason in reasons for key in reason["ids"])


def in_short(rows: list[Reason]) -> str:
    """Return tables, numbers, and the first keys, as in ``payments 2 (id 3, 4)``."""
    parts = []
    for table, keys in by_table(rows):
        more = " …" if len(keys) > SHOWN else ""
        parts.append(f"{table} {len(keys)} (id {', '.join(map(str, keys[:SHOWN]))}{more})")
    return ", ".join(parts)


def lines(rows: list[Reason]) -> Iterator[str]:
    """Yield every row that stays aside, by table and reason."""
    if rows:
        yield "What cannot come along, and why:"
    for table, of_table in groupby(rows, lambda reason: reason["table"]):
        reasons = sorted(of_table, key=lambda reason: (reason["column"], reason["because"]))
        yield f"  {table}: {sum(len(reason['ids']) for reason in reasons)}"
        for (column, because), group in groupby(
            reasons, lambda reason: (reason["column"], reason["because"])
        ):
            alike = list(group)
            keys = in_ranges(one["refers_to"] for one in alike if one["refers_to"] is not None)
            why = WHY[because].format(column=column, parent=alike[0]["parent"], keys=keys)
            yield f"    id {in_ranges(key for reason in alike for key in reason['ids'])}: {why}"


def in_ranges(keys: Iterable[int]) -> str:
    """Return keys in order, neighbours as a range: ``1-3, 7``."""
    ranges: list[list[int]] = []
    for key in sorted(set(keys)):
        if ranges and ranges[-1][1] == key - 1:
            ranges[-1][1] = key
        else:
            ranges.append([key, key])
    words = [f"{one}-{other}" if other > one else str(one) for one, other in ranges]
    if len(words) > LISTED:
        left = sum(other - one + 1 for one, other in ranges[LISTED:])
        return f"{', '.join(words[:LISTED])} and {left} more, which --json lists"
    return ", ".join(words)


def still(connection: BaseDatabaseWrapper, adoption: Adoption) -> list[Reason]:
    """Return what stays aside since an ``Adoption``, until it has ended.

    A row whose key is there again was given back.
    """
    if adoption.state != Adoption.State.ADOPTED:
        return []
    proof = json.loads(adoption.document)["proof"]
    becomes = {part["table"]: part["becomes"] for part in proof["tables"]}
    present = set(connection.introspection.table_names())
    rows: list[Reason] = []
    for table, reasons in groupby(proof.get("set_aside", ()), lambda reason: reason["table"]):
        there = set()
        if becomes[table] in present:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT id FROM {quoted(becomes[table])}")
                there = {key for (key,) in cursor.fetchall()}
        for reason in reasons:
            left = [key for key in reason["ids"] if key not in there]
            if left:
                rows.append(cast(Reason, {**reason, "ids": left}))
    return rows
