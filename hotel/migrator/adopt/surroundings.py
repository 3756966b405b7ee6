"""What stands around the tables that are taken over: what depends on them, what has their names.

All of it is found before anything is changed, and said in sentences.
"""

from hotel.migrator.adopt.moved_tables import Aside
from hotel.migrator.sql.parsing import bare, quoted, tokens

HERE = "c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relname = ANY(%s)"


def dependents(aside: Aside, tables: list[str], successors: str = "the new tables") -> list[str]:
    """Return what depends on the tables and would be left behind, or would hide rows.

    successors: for which tables that which depends on these can be made anew afterwards.
    """
    look = (
        _dependents_on_postgresql
        if aside.connection.vendor == "postgresql"
        else _dependents_on_sqlite
    )
    return look(aside, tables, successors)


def _dependents_on_postgresql(aside: Aside, tables: list[str], successors: str) -> list[str]:
    anew = f"drop it, and make it anew for {successors} afterwards."
    # A row's type and the array of it stand for the table, too.
    reads = (
        " FROM pg_class c LEFT JOIN pg_type t ON t.oid = c.reltype JOIN pg_depend d"
        " ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
        " OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)"
    )
    views = aside.rows(
        "SELECT DISTINCT v.oid::regclass::text, c.relname"
        + reads
        + " JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        f" JOIN pg_class v ON v.oid = r.ev_class WHERE {HERE}"
        " AND v.relkind IN ('v', 'm') ORDER BY 1, 2",
        [tables],
    )
    obstacles = [f"The view {view} reads {table}: {anew}" for view, table in views]
    # Of its own table, and of another that it does something to.
    rules = aside.rows(
        "SELECT DISTINCT r.rulename, v.oid::regclass::text, c.relname"
        + reads
        + " JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        f" JOIN pg_class v ON v.oid = r.ev_class WHERE {HERE}"
        " AND v.relkind NOT IN ('v', 'm') ORDER BY 1, 2, 3",
        [tables],
    )
    obstacles += [f"The rule {rule} on {on} is about {table}: {anew}" for rule, on, table in rules]
    for what, table in aside.rows(
        "SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), c.relname"
        + reads
        + f" WHERE {HERE} AND d.deptype = 'n' AND (d.classid IN ('pg_proc'::regclass,"
        " 'pg_policy'::regclass) OR d.refclassid = 'pg_type'::regclass"
        " AND d.classid <> 'pg_rewrite'::regclass) AND NOT EXISTS (SELECT 1 FROM pg_class v"
        " WHERE d.classid = 'pg_class'::regclass AND v.oid = d.objid AND v.relkind IN ('v', 'm'))"
        " ORDER BY 1, 2",
        [tables],
    ):
        obstacles.append(f"The {what} depends on {table}: {anew}")
    for other, table in aside.rows(
        "SELECT DISTINCT k.conrelid::regclass::text, c.relname FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.confrelid JOIN pg_class o ON o.oid = k.conrelid"
        f" WHERE k.contype = 'f' AND {HERE}"
        " AND NOT (o.relnamespace = c.relnamespace AND o.relname = ANY(%s)) ORDER BY 1, 2",
        [tables, tables],
    ):
        obstacles.append(f"The table {other} of somebody else refers to {table}.")
    for (table,) in aside.rows(
        f"SELECT c.relname FROM pg_class c WHERE {HERE} AND c.relrowsecurity ORDER BY 1",
        [tables],
    ):
        obstacles.append(f"The table {table} has policies that may hide rows from this role.")
    for (table,) in aside.rows(
        "SELECT DISTINCT c.relname FROM pg_inherits i JOIN pg_class c"
        f" ON c.oid IN (i.inhrelid, i.inhparent) WHERE {HERE}",
        [tables],
    ):
        obstacles.append(f"The table {table} inherits from another, or another from it.")
    return obstacles


def _dependents_on_sqlite(aside: Aside, tables: list[str], successors: str) -> list[str]:
    obstacles = []
    for view, sql in aside.rows(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
    ):
        reads = {bare(word).lower() for word in tokens(sql)} & set(tables)
        obstacles += [
            f"The view {view} reads {table}: drop it, and make it anew for {successors} afterwards."
            for table in sorted(reads)
        ]
    return obstacles


def left_behind(aside: Aside, tables: list[str]) -> list[str]:
    """Return what the tables have, on PostgreSQL, and the new ones will not.

    Owner and rights, and a place in publications.
    """
    if aside.connection.vendor != "postgresql":
        return []
    [(role, owners)] = aside.rows(
        "SELECT current_user, array_agg(DISTINCT pg_get_userbyid(c.relowner)::text)"
        f" FROM pg_class c WHERE {HERE}",
        [tables],
    )
    sequences = (
        "SELECT s.* FROM pg_class c JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass"
        " AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
        f" JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE {HERE}"
    )
    others = aside.rows(
        "SELECT DISTINCT place, what,"
        " CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END"
        " FROM (SELECT 1 AS place, 'these tables' AS what, c.relowner,"
        f" (aclexplode(c.relacl)).grantee FROM pg_class c WHERE {HERE}"
        " UNION ALL SELECT 2, 'columns of these tables', c.relowner,"
        " (aclexplode(a.attacl)).grantee FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        f" WHERE {HERE} AND NOT a.attisdropped"
        " UNION ALL SELECT 3, 'sequences of these tables', s.relowner,"
        f" (aclexplode(s.relacl)).grantee FROM ({sequences}) AS s"
        ") AS granted WHERE grantee <> relowner ORDER BY 1, 3",
        [tables, tables, tables],
    )
    remarks = []
    if owners != [role]:
        remarks.append(
            f"The tables belong to {', '.join(owners)}; the new ones will belong to {role}: let the"
            " role adopt with which the hotel will run."
        )
    for _, what, grantee in others:
        remarks.append(f"{grantee} has rights on {what}: grant them anew on the new ones.")
    for name, of_it in aside.rows(
        "SELECT p.pubname, array_agg(c.relname::text ORDER BY c.relname)"
        " FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid"
        f" JOIN pg_class c ON c.oid = r.prrelid WHERE {HERE} GROUP BY 1 ORDER BY 1",
        [tables],
    ):
        remarks.append(
            f"The publication {name} has {', '.join(of_it)}: add the new ones afterwards, with"
            f" ALTER PUBLICATION {quoted(name)} ADD TABLE {', '.join(map(quoted, of_it))};"
        )
    return remarks


# What a row of pg_class is called; a composite type is a type.
KIND = (
    "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'"
    " WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index'"
    " WHEN 'I' THEN 'index' WHEN 'f' THEN 'foreign table' ELSE 'type' END"
)


def name_clashes(aside: Aside, tables: list[str], made: list[str]) -> list[str]:
    """Return what stands already where tables would be moved, or where they would be made.

    made: names of the tables that are made, or may be.
    """
    if aside.connection.vendor == "postgresql":
        return _clashes_on_postgresql(aside, tables, made)
    # All tables, indexes and views share their names, whose capitals do not count. The indexes of
    # tables that are moved are gone by then.
    moved = {table.lower() for table in tables}
    moved_to = {f"{aside.name}_{table}".lower() for table in tables}
    new = {table.lower() for table in made}
    obstacles = []
    for kind, name, table in aside.rows(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE type <> 'trigger' ORDER BY name"
    ):
        goes = kind == "index" and table.lower() in moved
        if name.lower() in moved_to:
            obstacles.append(_in_the_way(kind, name, "moved"))
        elif name.lower() in new and kind != "table" and not goes:
            obstacles.append(_in_the_way(kind, name, "made"))
    return obstacles


def _in_the_way(kind: str, name: str, what: str) -> str:
    return f"The {kind} {name} has the name of a table that is {what}: drop it, or rename it."


def _clashes_on_postgresql(aside: Aside, tables: list[str], made: list[str]) -> list[str]:
    there = " (SELECT oid FROM pg_namespace WHERE nspname = %s)"
    # A table goes with its row's type and the array of it, its indexes and its sequences.
    going = (
        f"SELECT c.relname FROM pg_class c WHERE {HERE} UNION SELECT o.relname FROM pg_class c"
        " JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
        " AND d.classid = 'pg_class'::regclass JOIN pg_class o ON o.oid = d.objid"
        f" WHERE {HERE} UNION SELECT i.relname FROM pg_class c JOIN pg_index x"
        f" ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid WHERE {HERE}"
    )
    obstacles = [
        f"The {kind} {aside.name}.{name} stands where tables are moved: drop it, or move it"
        " elsewhere."
        for kind, name in aside.rows(
            f"SELECT {KIND}, c.relname::text FROM pg_class c WHERE c.relnamespace = {there}"
            f" AND (c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') OR c.relname IN ({going}))"
            f" UNION SELECT 'type', t.typname::text FROM pg_type t WHERE t.typnamespace = {there}"
            " AND t.typrelid = 0 AND t.typname = ANY(%s)"
            # What has an array is named itself.
            " AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid)"
            " ORDER BY 2, 1 LIMIT 3",
            [
                *[aside.name, tables, tables, tables, aside.name],
                [*tables, *(f"_{table}" for table in tables)],
            ],
        )
    ]
    obstacles += [
        _in_the_way(kind, name, "made")
        for kind, name in aside.rows(
            f"SELECT {KIND}, c.relname::text FROM pg_class c WHERE {HERE}"
            f" AND c.relkind NOT IN ('r', 'p') AND c.relname NOT IN ({going}) UNION"
            " SELECT 'type', t.typname::text FROM pg_type t WHERE t.typrelid = 0"
            " AND t.typnamespace = quote_ident(current_schema())::regnamespace"
            " AND t.typname = ANY(%s) ORDER BY 2, 1",
            [made, tables, tables, tables, made],
        )
    ]
    return obstacles
