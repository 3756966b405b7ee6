"""A live schema, and its rows, as facts that can be compared; a function for each engine.

Column order is left out: a column that was dropped and added again stands last.
"""

import re
from decimal import Decimal


def read(connection, tables):
    """Return ``{table: {"columns", "indexes", "constraints", …}}``, normalised and sorted."""
    reader = {"postgresql": _read_postgresql, "sqlite": _read_sqlite}[connection.vendor]
    with connection.cursor() as cursor:
        return {table: reader(connection, cursor, table) for table in tables}


def dump(connection, tables):
    """Return ``{table: [row, …]}``: rows by key, columns by name, values as canonical text.

    NULL stays None, so that it differs from empty text. Numbers lose trailing zeros: the two
    engines, and a column before and after a rebuild, write them differently.
    """
    quote = connection.ops.quote_name
    dumped = {}
    with connection.cursor() as cursor:
        for table in tables:
            key = connection.introspection.get_primary_key_column(cursor, table)
            cursor.execute(f"SELECT * FROM {quote(table)} ORDER BY {quote(key)}")
            names = [column[0] for column in cursor.description]
            dumped[table] = [
                {name: _canonical(value) for name, value in sorted(zip(names, row, strict=True))}
                for row in cursor.fetchall()
            ]
    return dumped


def _canonical(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        text = format(Decimal(repr(value) if isinstance(value, float) else value), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _read_postgresql(connection, cursor, table):
    def rows(sql):
        cursor.execute(sql, [table])
        return sorted(cursor.fetchall())

    return {
        "columns": rows(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
            " a.attidentity::text, a.attgenerated::text, a.attcollation::regcollation::text,"
            " coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
            " FROM pg_attribute a"
            " LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
            " WHERE a.attrelid = quote_ident(%s)::regclass AND a.attnum > 0 AND NOT a.attisdropped"
        ),
        "indexes": rows(
            "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index"
            " WHERE indrelid = quote_ident(%s)::regclass"
        ),
        # PostgreSQL 18 lists NOT NULL here too; the columns say it already, on every version.
        "constraints": rows(
            "SELECT conname, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred"
            " FROM pg_constraint WHERE conrelid = quote_ident(%s)::regclass AND contype <> 'n'"
        ),
        "triggers": rows(
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgrelid = quote_ident(%s)::regclass AND NOT tgisinternal"
        ),
    }


def _read_sqlite(connection, cursor, table):
    quoted = connection.ops.quote_name(table)

    def rows(sql, params=None):
        cursor.execute(sql, params)
        return sorted(cursor.fetchall(), key=repr)  # keys that hold NULL cannot be compared

    [(created,)] = rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
    return {
        "columns": sorted((row[1:] for row in rows(f"PRAGMA table_xinfo({quoted})")), key=repr),
        "indexes": rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s", [table]
        ),
        "foreign keys": sorted(row[2:] for row in rows(f"PRAGMA foreign_key_list({quoted})")),
        # Only the text has the bodies of constraints and generated columns.
        "constraints": sorted(_definitions(created)),
        "triggers": rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table]
        ),
    }


def _definitions(created):
    """Return the columns and constraints in a CREATE TABLE, each as its text."""
    found, start, depth = [], created.index("(") + 1, 0
    words = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),]""")
    for word in words.finditer(created, start):
        depth += {"(": 1, ")": -1}.get(word[0], 0)
        if (word[0] == "," and depth == 0) or depth < 0:
            found.append(" ".join(created[start : word.start()].split()))
            start = word.end()
        if depth < 0:
            break
    return found
