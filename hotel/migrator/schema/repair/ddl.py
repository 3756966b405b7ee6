"""The DDL of PostgreSQL that mends each kind of difference, with its place in the order."""

import re
from collections.abc import Callable

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.repair import uuids
from hotel.migrator.schema.repair.key_columns import is_about_keys, options
from hotel.migrator.sql.parsing import bare, quoted, tokens
from hotel.migrator.sql.quoting import text

Ranked = tuple[float, str]  # a place in the order, and a statement

# The order in which statements can run.
(
    RENAME_TABLE,
    EXTENSION,
    FUNCTION,
    DROP_TRIGGER,
    DROP_FOREIGN_KEY,
    DROP_CONSTRAINT,
    DROP_INDEX,
    RENAME,
    DROP_TABLE,
    TABLE,
    DROP_COLUMN,
    ADD_COLUMN,
    UNTIE,
    ALTER_COLUMN,
    CONSTRAINT,
    FOREIGN_KEY,
    INDEX,
    TRIGGER,
    SEQUENCE,
) = range(19)


def default_of(catalog: Catalog, thing: Thing) -> str:
    """Return the default of a column as the server writes it; ``facts`` have it for comparing."""
    facts = catalog.facts[thing]
    kind = facts["type"] + (f" COLLATE {facts['collation']}" if facts["collation"] else "")
    end = " NOT NULL" if facts["null"] == "no" else ""
    return catalog.sql[thing][len(kind) :].removesuffix(end).removeprefix(" DEFAULT ")


def _definition(expected: Catalog, thing: Thing) -> str:
    """Return what stands in CREATE TABLE for a column, the name of its identity's sequence too."""
    sql = expected.sql[thing]
    for one, facts in expected.of(thing.table, "sequence").items():
        if facts["column"] == thing.name and expected.sql[one]:
            said = f" AS IDENTITY (SEQUENCE NAME {quoted(one.name)} {options(facts)})"
            return sql.replace(" AS IDENTITY", said)
    return sql


def _extension(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    return [(EXTENSION, f"{expected.sql[difference.thing]};")]


def _function(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    return [(FUNCTION, f"{expected.sql[difference.thing]};")]


def _table(difference: Difference, expected: Catalog, actual: Catalog) -> list[Ranked]:
    thing, name = difference.thing, difference.thing.name
    if difference.what == "extra":
        return [(DROP_TABLE, f"DROP TABLE {quoted(name)};")]
    if difference.what == "renamed":
        return [(RENAME_TABLE, renamed(difference))]
    if difference.what == "different":
        return _altered(difference)
    return _created(thing, expected, actual)


def _altered(difference: Difference) -> list[Ranked]:
    """Return what gives a table that stays what is its own."""
    name = difference.thing.name
    made: list[Ranked] = []
    if "kept" in difference.attributes:
        wanted, _ = difference.attributes["kept"]
        logged = "LOGGED" if wanted == "permanent" else "UNLOGGED"
        made.append((TABLE, f"ALTER TABLE {quoted(name)} SET {logged};"))
    if "row security" in difference.attributes:
        wanted, _ = difference.attributes["row security"]
        enabled = "ENABLE" if wanted in ("on", "forced") else "DISABLE"
        forced = "FORCE" if "forced" in wanted else "NO FORCE"
        made += [
            (TABLE, f"ALTER TABLE {quoted(name)} {word} ROW LEVEL SECURITY;")
            for word in (enabled, forced)
        ]
    if "foreign keys" in difference.attributes:
        made.append((SEQUENCE, f"ALTER TABLE {quoted(name)} ENABLE TRIGGER ALL;"))
    return made


def _created(thing: Thing, expected: Catalog, actual: Catalog) -> list[Ranked]:
    """Return what makes a table and all that belongs to it."""
    name = thing.name
    columns = ", ".join(
        f"{quoted(column)} {_definition(expected, Thing('column', name, column))}"
        for column in expected.columns[name]
    )
    facts = expected.facts[thing]
    rank = TABLE + depth(expected, name) / 100
    unlogged = "UNLOGGED " if facts["kept"] == "unlogged" else ""
    parts = "" if "partition of" in facts else f"({columns}) "
    sql = f"CREATE {unlogged}TABLE {quoted(name)} {parts}{expected.sql[thing]}".rstrip()
    made: list[Ranked] = [(rank, f"{sql};")]
    if facts["row security"] != "off":
        security = {"row security": (facts["row security"], "off")}
        secured = _altered(Difference("different", thing, attributes=security))
        made += [(TRIGGER, sql) for _, sql in secured]
    for one in expected.of(name):
        if one.kind == "sequence" and not expected.sql[one]:
            made += _sequence(Difference("missing", one), expected, actual)
        ranks = {"constraint": CONSTRAINT, "foreign key": FOREIGN_KEY, "index": INDEX}
        if one.kind in ranks or one.kind in ("trigger", "rule", "policy"):
            made.append((ranks.get(one.kind, TRIGGER), _made(one, expected)))
    return made


def whole(table: str, expected: Catalog) -> list[tuple[float, str]]:
    """Return what makes a table and all that belongs to it: statements with their ranks."""
    return _table(Difference("missing", Thing("table", table, table)), expected, Catalog())


def depth(catalog: Catalog, table: str) -> int:
    """Return how many tables one below another a partition, or what inherits, stands under."""
    words = tokens(catalog.sql[Thing("table", table, table)])
    parents = {bare(word) for word in words} & catalog.tables - {table}
    return 1 + max(depth(catalog, parent) for parent in parents) if parents else 0


def renamed(difference: Difference) -> str:
    """Return what gives a table its name back."""
    old, new = difference.old.name, difference.thing.name
    return f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)};"


def _made(thing: Thing, expected: Catalog) -> str:
    """Return the statement that makes a constraint, an index or a trigger."""
    if thing.kind in ("constraint", "foreign key"):
        table, name, sql = quoted(thing.table), quoted(thing.name), expected.sql[thing]
        return f"ALTER TABLE {table} ADD CONSTRAINT {name} {sql};"
    return f"{expected.sql[thing]};"


def _column(difference: Difference, expected: Catalog, actual: Catalog) -> list[Ranked]:
    thing = difference.thing
    table, name = f"ALTER TABLE {quoted(thing.table)}", quoted(thing.name)
    if difference.what == "extra":
        return [(DROP_COLUMN, f"{table} DROP COLUMN {name};")]
    if difference.what == "renamed":
        return [(RENAME, f"{table} RENAME COLUMN {quoted(difference.old.name)} TO {name};")]
    if difference.what == "missing" or "generated" in difference.attributes:
        # What is generated holds the types of the columns that it is made of.
        rank = ALTER_COLUMN + 0.5 if expected.facts[thing]["generated"] else ADD_COLUMN
        added = [(rank, f"{table} ADD COLUMN {name} {_definition(expected, thing)};")]
        if difference.what == "different":
            added.insert(0, (DROP_COLUMN, f"{table} DROP COLUMN {name};"))
        return added
    column = f"{table} ALTER COLUMN {name}"
    facts, got, changed = expected.facts[thing], actual.facts[thing], difference.attributes
    is_converted = bool(changed.keys() & {"type", "collation"})
    has_default = "default" in changed or is_converted  # which no cast of its own may fit
    changes = []
    if is_about_keys(difference):
        has_default = False
    if has_default and got["default"]:
        changes.append(f"{column} DROP DEFAULT;")
    if is_converted:
        collation = f" COLLATE {facts['collation']}" if facts["collation"] else ""
        if "type" in changed:
            changes.append(_refused_if_rounded(thing, got["type"], facts["type"]))
        using = converted(name, got["type"], facts["type"])
        changes.append(f"{column} TYPE {facts['type']}{collation} USING {using};")
    if "null" in changed:
        changes.append(f"{column} {'SET' if facts['null'] == 'no' else 'DROP'} NOT NULL;")
    if has_default and facts["default"]:
        changes.append(f"{column} SET DEFAULT {default_of(expected, thing)};")
    if uuids.is_spelled_anew(thing, changed, "postgresql") and uuids.ARCHIVE in actual.tables:
        changes += uuids.in_archive(thing, expected, "postgresql")
    return [(ALTER_COLUMN, sql) for sql in changes]


def converted(value: str, old: str, new: str) -> str:
    """Return the expression that makes a value of one type one of another.

    An instant without a zone is one of UTC, as everywhere in this project.
    """
    pair = "with time zone" in old, "with time zone" in new
    if old.startswith("timestamp") and new.startswith("timestamp") and len({*pair}) == 2:
        return f"({value} AT TIME ZONE 'UTC')::{new}"
    return f"{value}::{new}"


def is_changed(value: str, old: str, new: str) -> str:
    """Return the condition that a value is another one once it is of the type ``new``.

    What a text says is read, however it is spelled, where a type has more than one way to say it.
    """
    back = converted(f"({converted(value, old, new)})", new, old)
    if new in ("boolean", "json", "jsonb", "uuid") and re.match("character|text|json", old):
        return f"({value} IS NULL) <> (({back}) IS NULL)"  # which computes it for every row
    return f"({back})::text IS DISTINCT FROM {value}::text"


def _refused_if_rounded(thing: Thing, old: str, new: str) -> str:
    """Return what stops the script if a value would not be the same after its type has changed."""
    name, table = quoted(thing.name), quoted(thing.table)
    said = f"{thing.table}.{thing.name} has values that {new} cannot hold: change these first."
    body = (
        f"BEGIN IF EXISTS (SELECT FROM {table} WHERE {is_changed(name, old, new)})"
        f" THEN RAISE EXCEPTION USING MESSAGE = {text(said)}; END IF; END"
    )
    return f"DO {text(body)};"


def _constraint(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    thing = difference.thing
    is_reference = thing.kind == "foreign key"
    table, name = f"ALTER TABLE {quoted(thing.table)}", quoted(thing.name)
    drop, add = (DROP_FOREIGN_KEY, FOREIGN_KEY) if is_reference else (DROP_CONSTRAINT, CONSTRAINT)
    gone = drop, f"{table} DROP CONSTRAINT {name};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        return [(RENAME, f"{table} RENAME CONSTRAINT {quoted(difference.old.name)} TO {name};")]
    if difference.attributes == {"valid": ("yes", "no")}:
        return [(add, f"{table} VALIDATE CONSTRAINT {name};")]
    made = add, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _index(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    thing = difference.thing
    name = quoted(thing.name)
    gone = DROP_INDEX, f"DROP INDEX {name};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        return [(RENAME, f"ALTER INDEX {quoted(difference.old.name)} RENAME TO {name};")]
    is_partitioned = "partitioned" in expected.facts[Thing("table", thing.table, thing.table)]
    if difference.attributes == {"valid": ("yes", "no")} and not is_partitioned:
        return [(INDEX, f"REINDEX INDEX {name};")]
    made = INDEX, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _rule(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    """Return what mends a rule or a policy."""
    thing = difference.thing
    kind, on = thing.kind.upper(), f"ON {quoted(thing.table)}"
    old = quoted(difference.old.name)
    gone = DROP_TRIGGER, f"DROP {kind} {old} {on};"
    if difference.what == "extra":
        return [gone]
    made = TRIGGER, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _trigger(difference: Difference, expected: Catalog, _actual: Catalog) -> list[Ranked]:
    thing = difference.thing
    table, name = quoted(thing.table), quoted(thing.name)
    gone = DROP_TRIGGER, f"DROP TRIGGER {name} ON {table};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        old = quoted(difference.old.name)
        return [(RENAME, f"ALTER TRIGGER {old} ON {table} RENAME TO {name};")]
    if list(difference.attributes) == ["enabled"]:
        words = {"yes": "ENABLE", "no": "DISABLE", "always": "ENABLE ALWAYS"}
        word = words.get(expected.facts[thing]["enabled"], "ENABLE REPLICA")
        return [(TRIGGER, f"ALTER TABLE {table} {word} TRIGGER {name};")]
    made = TRIGGER, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _sequence(difference: Difference, expected: Catalog, actual: Catalog) -> list[Ranked]:
    """Return what mends a sequence of nobody's; those of columns are ``_keys``'."""
    thing = difference.thing
    if thing.table and difference.what != "missing":
        return []
    facts = expected.facts[thing]
    name, said = quoted(thing.name), options(facts, typed=True)
    if difference.what == "different":
        return [(SEQUENCE, f"ALTER SEQUENCE {name} {said};")]
    column = Thing("column", thing.table, facts["column"])
    if expected.sql[thing] or column in actual.facts:
        return []  # the column brings it
    made: list[Ranked] = []
    if not any(one.kind == "sequence" and one.name == thing.name for one in actual.facts):
        made = [(EXTENSION, f"CREATE SEQUENCE {name} {said};")]
    if thing.table:
        owner = f"{quoted(thing.table)}.{quoted(facts['column'])}"
        made.append((SEQUENCE, f"ALTER SEQUENCE {name} OWNED BY {owner};"))
    return made


# Each returns what mends a difference of its kind.
WRITERS: dict[str, Callable[[Difference, Catalog, Catalog], list[Ranked]]] = {
    "extension": _extension,
    "function": _function,
    "table": _table,
    "column": _column,
    "constraint": _constraint,
    "foreign key": _constraint,
    "index": _index,
    "trigger": _trigger,
    "rule": _rule,
    "policy": _rule,
    "sequence": _sequence,
}
