"""The script that mends a database of PostgreSQL: statements in an order in which they can run."""

import re

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.repair.ddl import (
    FUNCTION,
    SEQUENCE,
    TRIGGER,
    UNTIE,
    WRITERS,
    Ranked,
)
from hotel.migrator.schema.repair.key_columns import Keys, is_about_keys
from hotel.migrator.schema.repair.limits import by_hand, goes_with, refers_to
from hotel.migrator.sql.parsing import quoted


def script(differences: list[Difference], expected: Catalog, actual: Catalog) -> list[str]:
    """Return one transaction of statements that mend ``differences``; [] if there is nothing to do.

    What ``by_hand`` says of is left out, with everything else of such a table.
    """
    left = {one.thing.table for one in differences if by_hand(one)}
    differences = [one for one in differences if not goes_with(one, left, expected)]
    differences += _generated_from(differences, expected, actual)
    keys = _keys(differences, expected, actual)
    named = {Thing("sequence", "", one.name) for one in keys}  # these make it
    statements: list[Ranked] = [
        # A column without keys may be NULL then; one must not be before it gets them.
        (SEQUENCE if one.name else UNTIE, sql)
        for one in keys
        for sql in one.statements()
    ]
    for difference in differences:
        if difference.thing not in named:
            statements += WRITERS[difference.thing.kind](difference, expected, actual)
    statements += _around(differences, expected, actual)
    functions: set[Ranked] = {
        (FUNCTION, f"{expected.sql[thing]};")
        for thing in expected.facts
        if thing.kind == "function"
        and any(rank == TRIGGER and thing.name in sql for rank, sql in statements)
        and thing not in actual.facts
    }
    # Each but once: what stands around two columns is made anew around both.
    ordered = dict.fromkeys(sorted([*functions, *statements], key=lambda pair: pair[0]))
    return ["BEGIN;", *(sql for _, sql in ordered), "COMMIT;"] if ordered else []


def _keys(differences: list[Difference], expected: Catalog, actual: Catalog) -> list[Keys]:
    """Return the ``Keys`` of the columns that do not get them as they should."""
    called = {
        one.thing[1:]: one.old.name
        for one in differences
        if one.thing.kind == "column" and one.what == "renamed"
    }
    was = {(table, old): new for (table, new), old in called.items()}
    columns = set()
    for one in differences:
        thing, table = one.thing, one.thing.table
        if thing.kind == "column" and one.what == "different" and is_about_keys(one):
            columns.add(thing)
        elif thing.kind == "sequence" and table:
            facts = (actual if one.what == "extra" else expected).facts[thing]
            name = facts["column"]
            if one.what == "extra":
                name = was.get((table, name), name)
            is_renamed = list(one.attributes) == ["column"] and (table, name) in called
            if not is_renamed:
                columns.add(Thing("column", table, name))
    made = []
    for column in sorted(columns):
        old = Thing("column", column.table, called.get(column[1:], column.name))
        if column not in expected.facts or old not in actual.facts:
            continue  # it is dropped, or made anew with all that is its own
        if _is_made_anew(column, differences):
            continue
        made.append(Keys(column, old.name, expected, actual))
    return made


def _is_made_anew(column: Thing, differences: list[Difference]) -> bool:
    return any(one.thing == column and "generated" in one.attributes for one in differences)


def _around(differences: list[Difference], expected: Catalog, actual: Catalog) -> list[Ranked]:
    """Return what drops and makes anew things that stand in the way of a change, or go with it.

    A trigger, a policy and a generated column hold the type of a column; an index and a constraint
    go with a column that is made anew, and foreign keys with the key that they refer to.
    """
    named = {one.thing for one in differences}
    made: list[Ranked] = []
    for one in differences:
        kinds = _held_by(one)
        for thing in expected.of(one.thing.table) if kinds else ():
            if thing.kind not in kinds or thing in named or thing not in actual.facts:
                continue
            if _mentions(expected.sql[thing], one.thing.name):
                again = Difference("different", thing)
                made += WRITERS[thing.kind](again, expected, actual)
        if _is_key_that_goes(one, actual) or _is_retyped(one):
            for thing in actual.facts:
                if thing in named or thing not in expected.facts or thing.kind != "foreign key":
                    continue
                if refers_to(actual, thing, one.thing.table):
                    again = Difference("different", thing)
                    made += WRITERS[thing.kind](again, expected, actual)
    return made


def _generated_from(
    differences: list[Difference], expected: Catalog, actual: Catalog
) -> list[Difference]:
    """Return, as differences, the generated columns that hold the type of one that changes."""
    named = {one.thing for one in differences}
    return [
        Difference("different", thing, attributes={"generated": ("", "")})
        for one in differences
        if one.thing.kind == "column" and one.what == "different" and "type" in one.attributes
        for thing, facts in expected.of(one.thing.table, "column").items()
        if facts["generated"]
        and thing not in named
        and thing in actual.facts
        and _mentions(expected.sql[thing], one.thing.name)
    ]


def _is_key_that_goes(difference: Difference, actual: Catalog) -> bool:
    """Tell whether a key that foreign keys may refer to is dropped, if only to be made anew."""
    if difference.thing.kind != "constraint" or difference.what not in ("extra", "different"):
        return False
    return actual.facts[difference.thing]["definition"].startswith(("primary key", "unique"))


def _held_by(difference: Difference) -> tuple[str, ...]:
    """Return the kinds of things of its table that a change of a column has to make anew."""
    if difference.thing.kind != "column" or difference.what != "different":
        return ()
    if "generated" in difference.attributes:
        return ("trigger", "policy", "index", "constraint", "foreign key")
    if _is_retyped(difference):  # a foreign key needs the same type on both sides meanwhile
        return ("trigger", "policy", "foreign key")
    if "collation" in difference.attributes:
        return ("trigger", "policy")
    return ()


def _is_retyped(difference: Difference) -> bool:
    return difference.thing.kind == "column" and "type" in difference.attributes


def _mentions(sql: str, name: str) -> bool:
    return bool(
        re.search(rf'(?<![\w$"]){re.escape(name)}(?![\w$"])|{re.escape(quoted(name))}', sql)
    )
