"""The DDL that would make a live schema what its migrations make; printed, never run.

On SQLite a table that differs in itself is made anew, with its rows. Over 300 lines because each
kind of thing has its own words.
"""

from hotel.migrator.catalog import Thing
from hotel.migrator.quoting import text

# What only CREATE TABLE says, on SQLite.
IN_TABLE = ("table", "column", "constraint", "foreign key")


def script(vendor, differences, expected, found):
    """Return statements, in an order in which they can run, that mend all ``differences``."""
    if not differences:
        return []
    mend = {"postgresql": _on_postgresql, "sqlite": _on_sqlite}[vendor]
    first, *others = mend(differences, expected, found)
    if lost := [_in_one_line(difference.thing) for difference in differences if _loses(difference)]:
        first = f"-- This drops, with what is in it: {', '.join(lost)}.\n{first}"
    return [first, *others]


def _loses(difference):
    """Tell whether what mends it drops values. A renamed column of another type is among these."""
    kind = difference.thing.kind
    return (difference.what == "extra" and kind in ("table", "column")) or (
        kind == "column" and "generated" in difference.attributes
    )


def _in_one_line(thing):
    return " ".join(str(thing).split())


def quoted(name):
    """Return a name as it can always be written."""
    return '"' + name.replace('"', '""') + '"'


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
    ALTER_COLUMN,
    CONSTRAINT,
    FOREIGN_KEY,
    INDEX,
    TRIGGER,
    SEQUENCE,
) = range(18)


def _on_postgresql(differences, expected, found):
    statements = []
    for difference in differences:
        thing = difference.thing
        write = _WRITERS[thing.kind]
        statements += write(difference, expected, found)
    functions = {
        (FUNCTION, f"{expected.sql[thing]};")
        for thing in expected.facts
        if thing.kind == "function"
        and any(rank == TRIGGER and thing.name in sql for rank, sql in statements)
        and thing not in found.facts
    }
    ordered = sorted([*functions, *statements], key=lambda pair: pair[0])
    return ["BEGIN;", *(sql for _, sql in ordered), "COMMIT;"]


def _extension(difference, expected, found):
    return [(EXTENSION, f"{expected.sql[difference.thing]};")]


def _function(difference, expected, found):
    return [(FUNCTION, f"{expected.sql[difference.thing]};")]


def _table(difference, expected, found):
    name = difference.thing.name
    if difference.what == "extra":
        return [(DROP_TABLE, f"DROP TABLE {quoted(name)};")]
    if difference.what == "renamed":
        return [(RENAME_TABLE, _renamed(difference))]
    if difference.what == "different":
        made = []
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
    columns = ", ".join(
        f"{quoted(column)} {expected.sql[Thing('column', name, column)]}"
        for column in expected.columns[name]
    )
    made = [(TABLE, f"CREATE TABLE {quoted(name)} ({columns});")]
    for thing in expected.of(name):
        ranks = {"constraint": CONSTRAINT, "foreign key": FOREIGN_KEY, "index": INDEX}
        if thing.kind in ranks or thing.kind in ("trigger", "rule", "policy"):
            made.append((ranks.get(thing.kind, TRIGGER), _made(thing, expected)))
    return made


def _renamed(difference):
    old, new = difference.found.name, difference.thing.name
    return f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)};"


def _made(thing, expected):
    """Return the statement that makes a constraint, an index or a trigger."""
    if thing.kind in ("constraint", "foreign key"):
        table, name, sql = quoted(thing.table), quoted(thing.name), expected.sql[thing]
        return f"ALTER TABLE {table} ADD CONSTRAINT {name} {sql};"
    return f"{expected.sql[thing]};"


def _column(difference, expected, found):
    thing = difference.thing
    table, name = f"ALTER TABLE {quoted(thing.table)}", quoted(thing.name)
    if difference.what == "extra":
        return [(DROP_COLUMN, f"{table} DROP COLUMN {name};")]
    if difference.what == "renamed":
        return [(RENAME, f"{table} RENAME COLUMN {quoted(difference.found.name)} TO {name};")]
    if difference.what == "missing" or "generated" in difference.attributes:
        added = [(ADD_COLUMN, f"{table} ADD COLUMN {name} {expected.sql[thing]};")]
        if difference.what == "different":
            added.insert(0, (DROP_COLUMN, f"{table} DROP COLUMN {name};"))
        return added
    column = f"{table} ALTER COLUMN {name}"
    facts, changes = expected.facts[thing], []
    changed = difference.attributes
    if "default" in changed and changed["default"][1]:
        changes.append(f"{column} DROP DEFAULT;")
    if "identity" in changed and changed["identity"][1]:
        changes.append(f"{column} DROP IDENTITY;")
    if changed.keys() & {"type", "collation"}:
        collation = f" COLLATE {facts['collation']}" if facts["collation"] else ""
        kind = facts["type"]
        changes.append(f"{column} TYPE {kind}{collation} USING {name}::{kind};")
    if "null" in changed:
        changes.append(f"{column} {'SET' if facts['null'] == 'no' else 'DROP'} NOT NULL;")
    if "default" in changed and facts["default"]:
        changes.append(f"{column} SET DEFAULT {facts['default']};")
    if "identity" in changed and facts["identity"]:
        changes.append(f"{column} ADD GENERATED {facts['identity'].upper()} AS IDENTITY;")
        # After the rows that are there, whose keys it would give out again.
        of = f"pg_get_serial_sequence({text(quoted(thing.table))}, {text(thing.name)})"
        changes.append(
            f"SELECT setval({of}, coalesce(max({name}), 0) + 1, false) FROM {quoted(thing.table)};"
        )
    return [(ALTER_COLUMN, sql) for sql in changes]


def _constraint(difference, expected, found):
    thing = difference.thing
    is_reference = thing.kind == "foreign key"
    table, name = f"ALTER TABLE {quoted(thing.table)}", quoted(thing.name)
    drop, add = (DROP_FOREIGN_KEY, FOREIGN_KEY) if is_reference else (DROP_CONSTRAINT, CONSTRAINT)
    gone = drop, f"{table} DROP CONSTRAINT {name};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        return [(RENAME, f"{table} RENAME CONSTRAINT {quoted(difference.found.name)} TO {name};")]
    if difference.attributes == {"valid": ("yes", "no")}:
        return [(add, f"{table} VALIDATE CONSTRAINT {name};")]
    made = add, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _index(difference, expected, found):
    thing = difference.thing
    name = quoted(thing.name)
    gone = DROP_INDEX, f"DROP INDEX {name};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        return [(RENAME, f"ALTER INDEX {quoted(difference.found.name)} RENAME TO {name};")]
    if difference.attributes == {"valid": ("yes", "no")}:
        return [(INDEX, f"REINDEX INDEX {name};")]
    made = INDEX, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _rule(difference, expected, found):
    """Return what mends a rule or a policy."""
    thing = difference.thing
    kind, on = thing.kind.upper(), f"ON {quoted(thing.table)}"
    old = quoted((difference.found or thing).name)
    gone = DROP_TRIGGER, f"DROP {kind} {old} {on};"
    if difference.what == "extra":
        return [gone]
    made = TRIGGER, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _trigger(difference, expected, found):
    thing = difference.thing
    table, name = quoted(thing.table), quoted(thing.name)
    gone = DROP_TRIGGER, f"DROP TRIGGER {name} ON {table};"
    if difference.what == "extra":
        return [gone]
    if difference.what == "renamed":
        old = quoted(difference.found.name)
        return [(RENAME, f"ALTER TRIGGER {old} ON {table} RENAME TO {name};")]
    if list(difference.attributes) == ["enabled"]:
        words = {"yes": "ENABLE", "no": "DISABLE", "always": "ENABLE ALWAYS"}
        word = words.get(expected.facts[thing]["enabled"], "ENABLE REPLICA")
        return [(TRIGGER, f"ALTER TABLE {table} {word} TRIGGER {name};")]
    made = TRIGGER, _made(thing, expected)
    return [made] if difference.what == "missing" else [gone, made]


def _sequence(difference, expected, found):
    thing = difference.thing
    name = quoted(thing.name)
    if difference.what == "extra":
        return []  # it goes with what makes a column its own
    if difference.what == "renamed":
        return [(RENAME, f"ALTER SEQUENCE {quoted(difference.found.name)} RENAME TO {name};")]
    facts = expected.facts[thing]
    owner = f"{quoted(thing.table)}.{quoted(facts['column'])}"
    said = (
        f"AS {facts['type']} START {facts['start']} INCREMENT {facts['increment']}"
        f" MINVALUE {facts['minimum']} MAXVALUE {facts['maximum']} CACHE {facts['cache']}"
        f" {'CYCLE' if facts['cycle'] == 'yes' else 'NO CYCLE'}"
    )
    if difference.what == "different":
        owned = f" OWNED BY {owner}" if "column" in difference.attributes else ""
        return [(SEQUENCE, f"ALTER SEQUENCE {name} {said}{owned};")]
    if expected.facts[Thing("column", thing.table, facts["column"])]["identity"]:
        return []  # the column brings it
    return [
        (EXTENSION, f"CREATE SEQUENCE {name} {said};"),
        (SEQUENCE, f"ALTER SEQUENCE {name} OWNED BY {owner};"),
    ]


_WRITERS = {
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


def _on_sqlite(differences, expected, found):
    renamed = [one for one in differences if one.thing.kind == "table" and one.what == "renamed"]
    differences = [one for one in differences if one not in renamed]
    rebuilt = {
        difference.thing.table for difference in differences if difference.thing.kind in IN_TABLE
    }
    drops, remakes, makes = [], [], []
    for table in sorted(rebuilt):
        if table in expected.tables:
            remade = _rebuilt(table, differences, expected, found)
            remakes += ["BEGIN IMMEDIATE;", *remade, "COMMIT;"]
        else:
            drops.append(f"DROP TABLE {quoted(table)};")
    for difference in differences:
        thing = difference.thing
        if thing.table in rebuilt:
            continue
        old = difference.found or thing
        if difference.what != "missing":
            drops.append(f"DROP {thing.kind.upper()} {quoted(old.name)};")
        if difference.what != "extra":
            makes.append(f"{expected.sql[thing]};")
    if drops or makes:
        makes = ["BEGIN IMMEDIATE;", *drops, *makes, "COMMIT;"]
    # Without the first, dropping a table would empty those that refer to it; without the second,
    # they would refer to it by another name, and triggers that read it would stand in its way.
    before = ["PRAGMA foreign_keys = OFF;", "PRAGMA legacy_alter_table = ON;"] if rebuilt else []
    after = ["PRAGMA legacy_alter_table = OFF;", "PRAGMA foreign_keys = ON;"] if rebuilt else []
    # The shell goes on after an error, unless it is told not to.
    return [".bail on", *map(_renamed, renamed), *before, *makes, *remakes, *after]


def _rebuilt(table, differences, expected, found):
    """Return the statements that make a table anew with the rows it has.

    Where a shell does not stop, such as one that is typed into, a row that does not fit rolls all
    of it back, and then there is nothing of that name to drop.
    """
    beside = [
        f"{expected.sql[thing]};"
        for thing in expected.of(table)
        if thing.kind in ("index", "trigger")
    ]
    if table not in found.tables:
        return [f"{expected.sql[Thing('table', table, table)]};", *beside]
    called = {
        difference.thing.name: difference.found.name
        for difference in differences
        if difference.what == "renamed" and difference.thing[:2] == ("column", table)
    }
    called |= {name: name for name in found.columns[table] if name in expected.columns[table]}
    kept = [
        name
        for name in expected.columns[table]
        if name in called and not expected.facts[Thing("column", table, name)]["generated"]
    ]
    created = expected.sql[Thing("table", table, table)]
    old = quoted(f"old__{table}")
    names = ", ".join(map(quoted, kept))
    values = ", ".join(quoted(called[name]) for name in kept)
    return [
        f"ALTER TABLE {quoted(table)} RENAME TO {old};",
        f"{created};",
        f"INSERT OR ROLLBACK INTO {quoted(table)} ({names}) SELECT {values} FROM {old};",
        f"DROP TABLE {old};",
        *beside,
    ]
