"""A live schema, and its rows, as facts that can be compared; a function for each engine.

Column order is left out: a column that was dropped and added again stands last.
"""

import re
from decimal import Decimal


def read(connection, tables):
    """Return ``{table: {"columns", "indexes", "constraints", …}}``, normalised and sorted."""
    reader = {"postgresql": _read_postgresql, "sqlite": _read_sqlite}[connection.vendor]
    with connection.cursor() as cursor:
        return reader(connection, cursor, tables)


def dump(connection, tables):
    """Return ``{table: [row, …]}``: rows by key, columns by name, values as canonical text.

    NULL stays None, so that it differs from empty text. Numbers lose trailing zeros: the two
    engines, and a column before and after a rebuild, write them differently.
    """
    quote = connection.ops.quote_name
    dumped = {}
    with connection.cursor() as cursor:
        keys = _keys(connection, cursor, tables)
        for table in tables:
            cursor.execute(f"SELECT * FROM {quote(table)} ORDER BY {quote(keys[table])}")
            names = [column[0] for column in cursor.description]
            dumped[table] = [
                {name: _canonical(value) for name, value in sorted(zip(names, row, strict=True))}
                for row in cursor.fetchall()
            ]
    return dumped


def _keys(connection, cursor, tables):
    """Return the column of the primary key of each table."""
    if connection.vendor == "postgresql":  # which Django asks much more for
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON (a.attrelid, a.attnum) = (i.indrelid, i.indkey[0])"
            " WHERE i.indisprimary AND i.indrelid = ANY(%s::text[]::regclass[])",
            [[connection.ops.quote_name(table) for table in tables]],
        )
        return dict(cursor.fetchall())
    find = connection.introspection.get_primary_key_column
    return {table: find(cursor, table) for table in tables}


def _canonical(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float | Decimal):
        text = format(Decimal(repr(value) if isinstance(value, float) else value), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _read_postgresql(connection, cursor, tables):
    """Return the facts of all tables, from one query for each kind."""
    names = [connection.ops.quote_name(table) for table in tables]
    found = {table: {} for table in tables}

    def read(kind, sql):
        cursor.execute(sql, [names])
        for facts in found.values():
            facts[kind] = []
        for table, *fact in sorted(cursor.fetchall()):
            found[table][kind].append(tuple(fact))

    read(
        "columns",
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
        " a.attidentity::text, a.attgenerated::text, a.attcollation::regcollation::text,"
        " coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
        " WHERE a.attrelid = ANY(%s::text[]::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped",
    )
    read(
        "indexes",
        "SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " WHERE i.indrelid = ANY(%s::text[]::regclass[])",
    )
    # PostgreSQL 18 lists NOT NULL here too; the columns say it already, on every version.
    read(
        "constraints",
        "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated,"
        " k.condeferrable, k.condeferred"
        " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " WHERE k.conrelid = ANY(%s::text[]::regclass[]) AND k.contype <> 'n'",
    )
    read(
        "triggers",
        "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid)"
        " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgrelid = ANY(%s::text[]::regclass[]) AND NOT t.tgisinternal",
    )
    return found


def _read_sqlite(connection, cursor, tables):
    return {table: _read_sqlite_table(connection, cursor, table) for table in tables}


def _read_sqlite_table(connection, cursor, table):
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
