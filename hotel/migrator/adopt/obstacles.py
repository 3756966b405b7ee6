"""What stands in the way of taking a database over, found before anything is changed.

Each function returns sentences; none that was found is left to an error half-way.
"""

from django.db import models

from hotel.migrator.parsing import bare, tokens
from hotel.migrator.repair import quoted

SHOWN = 5  # keys of rows that are named
DAY = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"


def of_schema(aside, tables):
    """Return what depends on the tables and would be left behind, or would hide rows."""
    look = _around_postgresql if aside.connection.vendor == "postgresql" else _around_sqlite
    return look(aside, tables)


def _around_postgresql(aside, tables):
    views = aside.rows(
        "SELECT DISTINCT v.oid::regclass::text, c.relname FROM pg_depend d"
        " JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        " JOIN pg_class v ON v.oid = r.ev_class"
        " JOIN pg_class c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)"
        " AND v.oid <> c.oid ORDER BY 1, 2",
        [tables],
    )
    found = [_of_view(view, table) for view, table in views]
    for other, table in aside.rows(
        "SELECT DISTINCT k.conrelid::regclass::text, c.relname FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.confrelid JOIN pg_class o ON o.oid = k.conrelid"
        " WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace"
        " AND c.relname = ANY(%s)"
        " AND NOT (o.relnamespace = c.relnamespace AND o.relname = ANY(%s)) ORDER BY 1, 2",
        [tables, tables],
    ):
        found.append(f"The table {other} of somebody else refers to {table}.")
    for (table,) in aside.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relname = ANY(%s) AND relrowsecurity ORDER BY 1",
        [tables],
    ):
        found.append(f"The table {table} has policies that may hide rows from this role.")
    for (table,) in aside.rows(
        "SELECT DISTINCT c.relname FROM pg_inherits i JOIN pg_class c"
        " ON c.oid IN (i.inhrelid, i.inhparent)"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)",
        [tables],
    ):
        found.append(f"The table {table} inherits from another, or another from it.")
    return found


def _around_sqlite(aside, tables):
    found = []
    for view, sql in aside.rows(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
    ):
        reads = {bare(word).lower() for word in tokens(sql)} & set(tables)
        found += [_of_view(view, table) for table in sorted(reads)]
    return found


def _of_view(view, table):
    return (
        f"The view {view} reads {table}: drop it, and make it anew for the new tables afterwards."
    )


def of_rights(aside, tables, extensions):
    """Return the rights that the role lacks, on PostgreSQL.

    extensions: names of those that later migrations create.
    """
    if aside.connection.vendor != "postgresql":
        return []
    [(role, database, schema, may_create, may_make_temporary, may_use, is_super)] = aside.rows(
        "SELECT current_user, current_database(), current_schema(),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " has_database_privilege(current_database(), 'TEMPORARY'),"
        " has_schema_privilege(current_schema(), 'CREATE'),"
        " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    )
    lacks = []
    for (table,) in aside.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND relname = ANY(%s) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1",
        [tables],
    ):
        lacks.append(f"to own {table}: ALTER TABLE {quoted(table)} OWNER TO {quoted(role)};")
    if not may_use:
        lacks.append(
            f"to make tables in the schema {schema}:"
            f" GRANT CREATE ON SCHEMA {quoted(schema)} TO {quoted(role)};"
        )
    if not may_make_temporary:
        lacks.append(
            "to make temporary tables:"
            f" GRANT TEMPORARY ON DATABASE {quoted(database)} TO {quoted(role)};"
        )
    there = aside.rows(
        "SELECT has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_namespace WHERE nspname = %s",
        [aside.name],
    )
    if there and not there[0][0]:
        lacks.append(
            f"to use the schema {aside.name}:"
            f" GRANT ALL ON SCHEMA {quoted(aside.name)} TO {quoted(role)};"
        )
    elif not there and not may_create:
        lacks.append(
            f"to make the schema {aside.name}:"
            f" CREATE SCHEMA {quoted(aside.name)} AUTHORIZATION {quoted(role)};"
        )
    for name in extensions:
        if aside.rows("SELECT 1 FROM pg_extension WHERE extname = %s", [name]):
            continue
        trusted = aside.rows(
            "SELECT trusted FROM pg_available_extension_versions WHERE name = %s", [name]
        )
        if not trusted:
            lacks.append(
                f"nothing, but the server has no extension {name}, which migrate needs: install"
                " postgresql-contrib on it."
            )
        elif not is_super and not (may_create and trusted[0][0]):
            lacks.append(
                f"to create the extension {name}, which migrate needs: let a superuser run"
                f" CREATE EXTENSION {quoted(name)};"
            )
    return lacks


def left_behind(aside, tables):
    """Return what the tables have, on PostgreSQL, and the new ones will not: owner and rights."""
    if aside.connection.vendor != "postgresql":
        return []
    there = (
        " FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
        " AND c.relname = ANY(%s)"
    )
    [(role, owners)] = aside.rows(
        "SELECT current_user, array_agg(DISTINCT pg_get_userbyid(relowner)::text)" + there,
        [tables],
    )
    others = aside.rows(
        "SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END"
        " FROM (SELECT c.relowner, (aclexplode(c.relacl)).grantee" + there + ") AS granted"
        " WHERE grantee <> relowner ORDER BY 1",
        [tables],
    )
    remarks = []
    if owners != [role]:
        remarks.append(
            f"The tables belong to {', '.join(owners)}; the new ones will belong to {role}: let the"
            " role adopt with which the hotel will run."
        )
    for (grantee,) in others:
        remarks.append(f"{grantee} has rights on these tables: grant them anew on the new ones.")
    return remarks


def taken(aside, tables):
    """Return what stands already where the tables would be moved."""
    names = aside.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
        " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)"
        " ORDER BY 1 LIMIT 3"
        if aside.connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE substr(name, 1, length(%s) + 1) = %s || '_'",
        [aside.name] if aside.connection.vendor == "postgresql" else [aside.name, aside.name],
    )
    return [f"{aside.name} has {name} already, where tables are moved." for (name,) in names]


def of_rows(aside, recognised, legacy, models_at):
    """Return what no table of this history can hold, and what it holds and is worth a look.

    Both are sentences with counts and keys. What refers to rows that are not there is not among
    them.
    """
    refused, noted = [], []
    for table, pairs in recognised.tables.items():
        model = models_at[legacy.tables[table].becomes]
        fields = {one.column: one for one in model._meta.local_concrete_fields}
        here = aside.here(table)
        cases = []
        for old, new in pairs:
            one, column = fields[new], quoted(old)
            if not one.null and not one.is_relation:
                cases.append(
                    (refused, "are empty, where a value is needed", old, f"{column} IS NULL")
                )
            if aside.connection.vendor == "sqlite":
                cases += _of_value(one, old, column, refused, noted)
        is_any = " OR ".join(f"({sql})" for *_, sql in cases) or "1 = 0"
        if not aside.rows(f"SELECT 1 FROM {here} WHERE {is_any} LIMIT 1"):
            cases = []  # one look is quicker than counting each
        wanted = ", ".join(f"count(CASE WHEN {sql} THEN 1 END)" for *_, sql in cases) or "1"
        [counts] = aside.rows(f"SELECT {wanted} FROM {here}") if cases else [()]
        for (into, what, old, sql), count in zip(cases, counts, strict=True):
            if count:
                into.append(f"{table}.{old}: {count} {what} ({_keys(aside, here, sql)}).")
        refused += _twins(aside, here, table, pairs, fields)
    return refused, noted


def _of_value(one, old, column, refused, noted):
    """Yield what may be wrong with a value of SQLite, which keeps any in any column.

    It orders numbers before texts before bytes, and a comparison is the quickest way to ask; of
    NULL it is not true.
    """
    bad, what = None, "are no value of this column"
    if isinstance(one, models.BooleanField):
        bad = f"{column} NOT IN (0, 1)"
    elif isinstance(one, models.DecimalField):
        bad = f"{column} >= ''"
        limit = 10 ** (one.max_digits - one.decimal_places)
        yield (
            noted,
            f"have more than {one.decimal_places} decimals and are kept",
            old,
            f"typeof({column}) = 'real' AND round({column}, {one.decimal_places}) <> {column}",
        )
        beyond = f"{column} NOT BETWEEN {1 - limit} AND {limit - 1}"
        yield (
            noted,
            "are beyond the column and are kept",
            old,
            f"{beyond} AND abs({column}) >= {limit}",
        )
    elif isinstance(one, models.DateTimeField):
        # Nearly all are as the legacy system wrote them, and a pattern is quicker than a calendar.
        bad = (
            f"({column} NOT GLOB '????-??-?? ??:??:??.??????' OR {column} >= ':') AND"
            f" ({column} < '' OR datetime({column}) IS NULL OR {column} NOT GLOB '{DAY}*')"
        )
    elif isinstance(one, models.DateField):
        bad = (
            f"{column} NOT GLOB '????-??-??' OR date({column}) IS NULL AND {column} IS NOT NULL"
            f" OR date({column}) <> {column}"
        )
    elif isinstance(one, models.IntegerField | models.ForeignKey) and not one.primary_key:
        bad = f"{column} >= '' OR typeof({column}) = 'real'"
    elif isinstance(one, models.CharField | models.TextField):
        bad = f"{column} >= x'' OR {column} < ''"
        if one.max_length:
            yield (
                noted,
                f"are longer than {one.max_length} characters and are kept",
                old,
                f"length({column}) > {one.max_length}",
            )
    if bad:
        yield refused, what, old, bad


def _twins(aside, here, table, pairs, fields):
    """Return the columns that must be unique here and are not."""
    found = []
    for old, new in pairs:
        if not fields[new].unique:
            continue
        column = quoted(old)
        same = f"SELECT {column} FROM {here} GROUP BY {column} HAVING count({column}) > 1"
        [(count,)] = aside.rows(f"SELECT count(*) FROM ({same}) AS twins")
        if count:
            keys = _keys(aside, here, f"{column} IN ({same})")
            found.append(f"{table}.{old}: {count} values are there more than once ({keys}).")
    return found


def _keys(aside, here, condition):
    keys = aside.rows(f"SELECT id FROM {here} WHERE {condition} ORDER BY id LIMIT {SHOWN + 1}")
    shown = ", ".join(str(key) for (key,) in keys[:SHOWN])
    return f"id {shown}{' …' if len(keys) > SHOWN else ''}"
