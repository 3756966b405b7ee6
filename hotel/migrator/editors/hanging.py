"""What hangs on a table of PostgreSQL or on a column of it, asked of the server's catalog."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

Dependent: TypeAlias = tuple[str, str]  # kind and name

# What goes with a table (column 0) or a column: also at second hand, as a view over a view does.
_LOST = """
WITH RECURSIVE hanging AS (
    SELECT classid, objid, objsubid FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass AND refobjid = %(table)s
    AND (%(column)s = 0 OR refobjsubid = %(column)s)
    UNION
    SELECT more.* FROM hanging JOIN LATERAL (
        SELECT classid, objid, objsubid FROM pg_depend
        WHERE refclassid = hanging.classid AND refobjid = hanging.objid
        AND (hanging.objsubid = 0 OR refobjsubid = hanging.objsubid)
        UNION ALL  -- a rule is a part of its view, which goes with it
        SELECT refclassid, refobjid, 0 FROM pg_depend JOIN pg_class v ON v.oid = refobjid
        WHERE hanging.classid = 'pg_rewrite'::regclass AND classid = hanging.classid
        AND objid = hanging.objid AND deptype = 'i' AND v.relkind IN ('v', 'm')
    ) AS more ON true
    WHERE NOT (more.classid = 'pg_class'::regclass AND more.objid = %(table)s)
)
"""
# The same at first hand: what PostgreSQL changes no type under.
_BLOCKS = """
WITH hanging AS (
    SELECT classid, objid, objsubid FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass AND refobjid = %(table)s AND refobjsubid = %(column)s
    UNION
    SELECT d.classid, d.objid, d.objsubid FROM pg_depend d JOIN pg_class c ON c.reltype = d.refobjid
    WHERE d.refclassid = 'pg_type'::regclass AND c.oid = %(table)s
    AND d.classid = 'pg_class'::regclass
)
"""
_NAMED = """
SELECT hanging.classid::regclass::text, o.identity,
    coalesce((SELECT tgname::text FROM pg_trigger WHERE oid = hanging.objid), o.type),
    place.relation, c.oid::regclass::text,
    c.relkind::text, c.relispartition, a.attname, a.attgenerated <> '',
    coalesce((SELECT tgisinternal FROM pg_trigger WHERE oid = hanging.objid), false)
FROM hanging
CROSS JOIN LATERAL pg_identify_object(hanging.classid, hanging.objid, hanging.objsubid) AS o
CROSS JOIN LATERAL (SELECT CASE hanging.classid::regclass::text
    WHEN 'pg_class' THEN hanging.objid
    WHEN 'pg_rewrite' THEN (SELECT ev_class FROM pg_rewrite WHERE oid = hanging.objid)
    WHEN 'pg_attrdef' THEN (SELECT adrelid FROM pg_attrdef WHERE oid = hanging.objid)
    WHEN 'pg_constraint' THEN (
        SELECT conrelid FROM pg_constraint WHERE oid = hanging.objid AND contype = 'f')
    WHEN 'pg_trigger' THEN (SELECT tgrelid FROM pg_trigger WHERE oid = hanging.objid)
    WHEN 'pg_policy' THEN (SELECT polrelid FROM pg_policy WHERE oid = hanging.objid)
    END AS relation,
    CASE hanging.classid::regclass::text
    WHEN 'pg_class' THEN hanging.objsubid
    WHEN 'pg_attrdef' THEN (SELECT adnum FROM pg_attrdef WHERE oid = hanging.objid)
    END AS number) AS place
LEFT JOIN pg_class c ON c.oid = place.relation
LEFT JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.oid, place.number) AND a.attnum > 0
ORDER BY 1, 2
"""


def lost(cursor: Any, table: str, column: str, known: Collection[str] = ()) -> list[Dependent]:
    """Return what PostgreSQL drops with a table, or with a column of it, as ``[(kind, name), …]``.

    Without what belongs to the table itself. table: as SQL. column: "" for all of it. known:
    tables whose foreign keys Django knows of.
    """
    if paper := _paper(cursor):
        found: list[Dependent] = paper.hanging("lost", table, column, known)
        return found
    return _read(cursor, _LOST, table, column, known)


def blocking(cursor: Any, table: str, column: str) -> list[Dependent]:
    """Return what PostgreSQL does not change the type of a column under."""
    if paper := _paper(cursor):
        found: list[Dependent] = paper.hanging("blocking", table, column)
        return found
    dependents = _read(cursor, _BLOCKS, table, column, ())
    return [(kind, name) for kind, name in dependents if kind not in REMADE]


REMADE = ("table constraint", "statistics object")  # by PostgreSQL, when a type changes
# Indexes and constraints of a table that read a column, with all columns that they read.
READING = """
SELECT CASE WHEN c.oid IS NULL THEN 'index' ELSE 'constraint' END,
    coalesce(c.conname, i.relname)::text, coalesce(c.conname::text, i.oid::regclass::text),
    array_agg(DISTINCT a.attname::text)
        FILTER (WHERE c.contype IS DISTINCT FROM 'f' OR a.attnum = ANY(c.conkey))
FROM pg_depend d
JOIN pg_attribute a ON (a.attrelid, a.attnum) = (d.refobjid, d.refobjsubid)
LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
    AND i.relkind IN ('i', 'I')
LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
    AND c.conrelid = d.refobjid AND c.contype IN ('c', 'f', 'p', 'u', 'x')
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(%s)
    AND (i.oid IS NOT NULL OR c.oid IS NOT NULL)
GROUP BY 1, 2, 3 HAVING %s = ANY(array_agg(a.attname::text)) ORDER BY 1, 2
"""


def indexed(
    cursor: Any, table: str, column: str, names: set[str], groups: set[frozenset[str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the indexes and constraints that PostgreSQL drops with a column, and no model knows.

    As ``[(kind, name), …]``: those over other columns too, and the indexes of this one alone.
    table: as SQL. names: those that the model gives. groups: of columns that it has an index of.
    """
    if paper := _paper(cursor):
        rows = paper.reading(table, column)
    else:
        cursor.execute(READING, [table, column])
        rows = cursor.fetchall()
    together, alone = [], []
    for kind, plain, name, columns in rows:
        if plain in names or frozenset(columns) in groups:
            continue
        if {*columns} - {column}:
            together.append((kind, name))
        elif kind == "index":
            alone.append((kind, name))
    return together, alone


def _paper(cursor: Any) -> Any:
    """Return the connection if it is a PostgreSQL on paper, which has no catalog; else None."""
    return cursor.db if hasattr(cursor.db, "sketch") else None


def _read(
    cursor: Any, query: str, table: str, column: str, known: Collection[str]
) -> list[Dependent]:
    cursor.execute(
        "SELECT c.oid, coalesce(a.attnum, 0) FROM pg_class c"
        " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = %s"
        " WHERE c.oid = to_regclass(%s)",
        [column, table],
    )
    place = cursor.fetchone()
    if place is None or (column and not place[1]):
        return []
    cursor.execute(query + _NAMED, {"table": place[0], "column": place[1]})
    named = [_named(row, place[0], column, known) for row in cursor.fetchall()]
    return list(dict.fromkeys(filter(None, named)))


def _named(
    row: tuple[Any, ...], table: int, of_column: str, known: Collection[str]
) -> Dependent | None:
    """Return kind and name of a dependent, or None for what belongs to the table itself."""
    kind, identity, place, relation, name, relkind, is_partition, column, generated, internal = row
    is_other = relation is not None and relation != table
    views = {"v": "view", "m": "materialized view"}
    of_relation = kind in ("pg_class", "pg_attrdef") and column
    if kind in ("pg_class", "pg_rewrite") and relkind in views:
        dependent = views[relkind], name
        is_natural = False
    elif of_relation and generated:
        dependent = "generated column", f"{name}.{column}"
        is_itself = column == of_column and not is_other
        is_natural = is_itself or dependent[1] in known or not (of_column or is_other)
    elif of_relation:
        dependent = "column", f"{name}.{column}"
        is_natural = not is_other or kind != "pg_class"
    elif kind == "pg_class" and relkind in "rpf":
        dependent = "table", name
        is_natural = not is_other or is_partition
    else:
        if name and " on " in identity:  # without its schema, if that is searched
            identity = f"{identity.rpartition(' on ')[0]} on {name}"
        dependent = "trigger" if kind == "pg_trigger" else place, identity
        is_natural = {
            "pg_constraint": not is_other or name in known,
            "pg_trigger": internal or place in known or not (of_column or is_other),
            "pg_policy": not (of_column or is_other),
            "pg_rewrite": not (of_column or is_other),
            "pg_statistic_ext": not of_column,
            "pg_publication_rel": not of_column,
            "pg_proc": False,
        }.get(kind, True)
    return None if is_natural else dependent
