"""Copies the rows of the legacy tables into those of this history, and proves that all came.

Both sides are measured under the names that the legacy system has for its columns.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NoReturn, cast

from django.db import models

from hotel.migrator.adopt import stand_ins
from hotel.migrator.adopt.checksums import Measures, measure
from hotel.migrator.adopt.inspection import Look
from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.adopt.orphans import Orphans, Reference
from hotel.migrator.adopt.shapes import (
    ABSENT,
    ORPHAN_REFERENCE,
    ORPHAN_ROW,
    STAND_IN,
    Legacy,
    Recognised,
)
from hotel.migrator.exceptions import FailedDuringApply, RefusedByPreflight
from hotel.migrator.sql.parsing import quoted

logger = logging.getLogger(__name__)

Pairs = Sequence[tuple[str, str]]  # of columns: what the legacy system calls each, and we


def references(look: Look, recognised: Recognised) -> Iterator[Reference]:
    """Yield the references of the tables that are carried, as the legacy system calls them."""
    was = {table.becomes: name for name, table in look.legacy.tables.items()}
    for table, pairs in recognised.tables.items():
        model = look.models[look.legacy.tables[table].becomes]
        for one in model._meta.local_concrete_fields:
            old = next((old for old, new in pairs if new == one.column), None)
            if one.is_relation and old:
                parent = was[cast("type[models.Model]", one.related_model)._meta.db_table]
                is_there = parent in recognised.tables
                yield Reference(table, old, parent if is_there else None, not one.null)


class Carrier:
    """The rows of one legacy database on their way."""

    seconds = 0.0  # that copying took

    def __init__(self, look: Look, recognised: Recognised, orphans: Orphans) -> None:
        self.connection = look.connection
        self.aside = look.aside
        self.legacy = look.legacy
        self.models = look.models
        self.recognised = recognised
        self.orphans = orphans
        self.before: dict[str, Measures] = {}

    def measure_all(self) -> dict[str, str]:
        """Measure what is to be copied; return the measures of what is only moved."""
        for table, pairs in self.recognised.tables.items():
            logger.info("Measuring %s.", table)
            self.before[table] = self._measured(table, pairs, self.aside.here(table))
        return {
            name: measured_alone(self.aside, self.aside.here, name)
            for name in (*self.recognised.kept, *self.recognised.beside)
        }

    def accepted(self) -> list[dict[str, Any]]:
        """Return the changes that the project accepts, with their numbers.

        Raises RefusedByPreflight for one that it does not accept.
        """
        changes = [
            (ABSENT, name, self._number_of_rows(name.partition(".")[0]))
            for name in self.recognised.absent
        ]
        for (table, column), number in self.orphans.numbers.items():
            rule = ORPHAN_REFERENCE if column else ORPHAN_ROW
            if (table, column) in self.orphans.replaced:
                rule = STAND_IN
            changes.append((rule, f"{table}.{column}" if column else table, number))
        return [_accepted(self.legacy, *change) for change in changes]

    def _number_of_rows(self, table: str) -> int:
        return self.before[table]["rows"] if table in self.before else 0

    def copy(self, table: str, source: str) -> dict[str, Any]:
        """Copy the rows of one table, measure the new one, and return its part of the proof."""
        logger.info("Copying %s: %d rows.", table, self.before[table]["rows"])
        pairs, before = self.recognised.tables[table], self.before[table]
        becomes = self.legacy.tables[table].becomes
        here = self.aside.new(becomes)
        chosen = self._chosen(table, pairs, source)
        started = time.monotonic()
        self.aside.rows(
            f"INSERT INTO {here} ({', '.join(quoted(new) for _, new in pairs)}) {chosen}"
        )
        self.seconds += time.monotonic() - started
        after = self._measured_new(table, pairs, here)
        carried = before
        if any(of == table for of, _ in self.orphans.numbers):
            carried = self._measured(table, pairs, f"({chosen}) AS carried")
        lost = self.orphans.numbers.get((table, ""), 0)
        if before["rows"] != after["rows"] + lost or carried != after:
            _refuse(table, carried, after)
        new_names = dict(pairs)
        made = stand_ins.insert(self.orphans, self.legacy, table, new_names, here)
        if made:
            after = self._measured_new(table, pairs, here)
        return {
            "table": table,
            "becomes": becomes,
            "rows_before": before["rows"],
            "rows_after": after["rows"],
            "set_aside": lost,
            "stand_ins": made,
            "columns": [
                _compared(old, new_names[old], before, after) for old in before["checksums"]
            ],
        }

    def _measured(self, table: str, pairs: Pairs, source: str) -> Measures:
        model = self.models[self.legacy.tables[table].becomes]
        fields = {one.column: one for one in model._meta.local_concrete_fields}
        money = [old for old, new in pairs if isinstance(fields[new], models.DecimalField)]
        return measure(self.connection, source, [old for old, _ in pairs if old != "id"], money)

    def _measured_new(self, table: str, pairs: Pairs, here: str) -> Measures:
        """Measure what was made, under the names that its columns had."""
        if all(old == new for old, new in pairs):
            return self._measured(table, pairs, here)
        names = ", ".join(f"{quoted(new)} AS {quoted(old)}" for old, new in pairs)
        return self._measured(table, pairs, f"(SELECT {names} FROM {here}) AS made")

    def _chosen(self, table: str, pairs: Pairs, source: str) -> str:
        """Return the SELECT of the rows that come along, as they come along."""
        orphans, values = self.orphans, []
        for old, _ in pairs:
            value = f"came.{quoted(old)}"
            if (table, old) in orphans.numbers:
                value = (
                    f"CASE WHEN {orphans.among(table, old, 'came')}"
                    f" THEN {orphans.became(table, old, 'came')} ELSE {value} END AS {quoted(old)}"
                )
            values.append(value)
        sql = f"SELECT {', '.join(values)} FROM {source} AS came"
        if (table, "") in orphans.numbers:
            sql += f" WHERE NOT {orphans.among(table, '', 'came')}"
        return sql


def _accepted(legacy: Legacy, rule: str, where: str, number: int) -> dict[str, Any]:
    if rule not in legacy.accepted:
        raise RefusedByPreflight(
            f"{where}: {number} times {rule}, which this project does not accept, so nothing was"
            " changed."
        )
    return {"rule": rule, "where": where, "count": number, "says": legacy.accepted[rule]}


def _compared(old: str, new: str, before: Measures, after: Measures) -> dict[str, str]:
    """Return what the proof says of a column."""
    column = {
        "column": old,
        "becomes": new,
        "before": before["checksums"][old],
        "after": after["checksums"][old],
    }
    if old in before["sums"]:
        column["sum_before"] = _money(before["sums"][old])
        column["sum_after"] = _money(after["sums"][old])
    return column


def measured_alone(aside: Aside, place: Callable[[str], str], name: str) -> str:
    """Return as text what is in that which is only moved, and not copied: a table or a column.

    place: where it stands, ``Aside.here`` or ``Aside.there``.
    """
    table, _, column = name.partition(".")
    if column:
        now = measure(aside.connection, place(table), [column])
        return f"{now['rows']} {now['checksums'][column]}"
    rows = sorted(map(repr, aside.rows(f"SELECT * FROM {place(table)}")))  # a few
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _money(value: Decimal) -> str:
    """Return an amount without the zeros that SQLite does not keep."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse(table: str, before: Measures, after: Measures) -> NoReturn:
    raise FailedDuringApply(
        f"{table} did not arrive as it was: {_difference(before, after)}. Nothing was changed."
    )


def _difference(before: Measures, after: Measures) -> str:
    if before["rows"] != after["rows"]:
        return f"{before['rows']} rows became {after['rows']}"
    for name, checksum in before["checksums"].items():
        if checksum != after["checksums"][name]:
            return f"checksum of {name} was {checksum} and became {after['checksums'][name]}"
    for name, total in before["sums"].items():
        if total != after["sums"][name]:
            return f"sum of {name} was {total} and became {after['sums'][name]}"
    return "something differs"
