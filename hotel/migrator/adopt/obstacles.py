"""What stands in the way of taking a database over, found before anything is changed.

Each function returns sentences; none that was found is left to an error half-way.
Over 300 lines, most of them SQL: each kind of obstacle has its own question on each engine.
"""

from django.db import models

from hotel.migrator.parsing import bare, tokens
from hotel.migrator.repair import quoted

SHOWN = 5  # keys of rows that are named
DAY = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
MICROSECONDS = ".[0-9][0-9][0-9][0-9][0-9][0-9]"
TEXTS = (models.CharField, models.TextField)
NO_VALUE = "are no value of this column"
HERE = "c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)"


def of_schema(aside, tables, successors="the new tables"):
    """Return what depends on the tables and would be left behind, or would hide rows.

    successors: for which tables that which depends on these can be made anew afterwards.
    """
    look = _around_postgresql if aside.connection.vendor == "postgresql" else _around_sqlite
    return look(aside, tables, successors)


def _around_postgresql(aside, tables, successors):
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
    found = [f"The view {view} reads {table}: {anew}" for view, table in views]
    # Of its own table, and of another that it does something to.
    rules = aside.rows(
        "SELECT DISTINCT r.rulename, v.oid::regclass::text, c.relname"
        + reads
        + " JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass"
        f" JOIN pg_class v ON v.oid = r.ev_class WHERE {HERE}"
        " AND v.relkind NOT IN ('v', 'm') ORDER BY 1, 2, 3",
        [tables],
    )
    found += [f"The rule {rule} on {on} is about {table}: {anew}" for rule, on, table in rules]
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
        found.append(f"The {what} depends on {table}: {anew}")
    for other, table in aside.rows(
        "SELECT DISTINCT k.conrelid::regclass::text, c.relname FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.confrelid JOIN pg_class o ON o.oid = k.conrelid"
        f" WHERE k.contype = 'f' AND {HERE}"
        " AND NOT (o.relnamespace = c.relnamespace AND o.relname = ANY(%s)) ORDER BY 1, 2",
        [tables, tables],
    ):
        found.append(f"The table {other} of somebody else refers to {table}.")
    for (table,) in aside.rows(
        f"SELECT c.relname FROM pg_class c WHERE {HERE} AND c.relrowsecurity ORDER BY 1",
        [tables],
    ):
        found.append(f"The table {table} has policies that may hide rows from this role.")
    for (table,) in aside.rows(
        "SELECT DISTINCT c.relname FROM pg_inherits i JOIN pg_class c"
        f" ON c.oid IN (i.inhrelid, i.inhparent) WHERE {HERE}",
        [tables],
    ):
        found.append(f"The table {table} inherits from another, or another from it.")
    return found


def _around_sqlite(aside, tables, successors):
    found = []
    for view, sql in aside.rows(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
    ):
        reads = {bare(word).lower() for word in tokens(sql)} & set(tables)
        found += [
            f"The view {view} reads {table}: drop it, and make it anew for {successors} afterwards."
            for table in sorted(reads)
        ]
    return found


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


def taken(aside, tables, made):
    """Return what stands already where tables would be moved, or where they would be made.

    made: names of the tables that are made, or may be.
    """
    if aside.connection.vendor == "postgresql":
        return _taken_on_postgresql(aside, tables, made)
    # All tables, indexes and views share their names, whose capitals do not count. The indexes of
    # tables that are moved are gone by then.
    moved = {table.lower() for table in tables}
    moved_to = {f"{aside.name}_{table}".lower() for table in tables}
    new = {table.lower() for table in made}
    found = []
    for kind, name, table in aside.rows(
        "SELECT type, name, tbl_name FROM sqlite_master WHERE type <> 'trigger' ORDER BY name"
    ):
        goes = kind == "index" and table.lower() in moved
        if name.lower() in moved_to:
            found.append(_in_the_way(kind, name, "moved"))
        elif name.lower() in new and kind != "table" and not goes:
            found.append(_in_the_way(kind, name, "made"))
    return found


def _in_the_way(kind, name, what):
    return f"The {kind} {name} has the name of a table that is {what}: drop it, or rename it."


def _taken_on_postgresql(aside, tables, made):
    there = " (SELECT oid FROM pg_namespace WHERE nspname = %s)"
    # A table goes with its row's type and the array of it, its indexes and its sequences.
    going = (
        f"SELECT c.relname FROM pg_class c WHERE {HERE} UNION SELECT o.relname FROM pg_class c"
        " JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
        " AND d.classid = 'pg_class'::regclass JOIN pg_class o ON o.oid = d.objid"
        f" WHERE {HERE} UNION SELECT i.relname FROM pg_class c JOIN pg_index x"
        f" ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid WHERE {HERE}"
    )
    found = [
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
    found += [
        _in_the_way(kind, name, "made")
        for kind, name in aside.rows(
            f"SELECT {KIND}, c.relname::text FROM pg_class c WHERE {HERE}"
            f" AND c.relkind NOT IN ('r', 'p') AND c.relname NOT IN ({going}) UNION"
            " SELECT 'type', t.typname::text FROM pg_type t WHERE t.typrelid = 0"
            " AND t.typnamespace = current_schema()::regnamespace AND t.typname = ANY(%s)"
            " ORDER BY 2, 1",
            [made, tables, tables, tables, made],
        )
    ]
    return found


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
        is_sqlite = aside.connection.vendor == "sqlite"
        if is_sqlite:
            _let_sql_ask(aside, fields)
        cases = [
            (refused if is_refused else noted, what, old, sql)
            for old, new in pairs
            for is_refused, what, sql in _checks(fields[new], quoted(old), aside.connection.vendor)
        ]
        for into, sentence in _counted(aside, here, table, cases):
            into.append(sentence)
        refused += _twins(aside, here, table, pairs, fields)
    return refused, noted


def _counted(aside, here, table, cases):
    """Yield of each case, which is where to, words, column and SQL, what is found: with a sentence.

    One look is quicker than counting each, and nearly always enough.
    """
    is_any = " OR ".join(f"({sql})" for *_, sql in cases) or "1 = 0"
    if not aside.rows(f"SELECT 1 FROM {here} WHERE {is_any} LIMIT 1"):
        return
    wanted = ", ".join(f"count(CASE WHEN {sql} THEN 1 END)" for *_, sql in cases)
    [counts] = aside.rows(f"SELECT {wanted} FROM {here}")
    for (into, what, old, sql), count in zip(cases, counts, strict=True):
        if count:
            yield into, f"{table}.{old}: {count} {what} ({_keys(aside, here, sql)})."


def of_texts(aside, recognised, legacy, models_at):
    """Return sentences on texts of SQLite that nobody can read, which measuring has met.

    They are so rare, and looking for them so slow, that nobody looks before.
    """
    found = []
    for table, pairs in recognised.tables.items():
        model = models_at[legacy.tables[table].becomes]
        fields = {one.column: one for one in model._meta.local_concrete_fields}
        _let_sql_ask(aside, fields)
        names = {old: new for old, new in pairs if isinstance(fields[new], TEXTS)}
        kept = (name.partition(".") for name in recognised.kept)
        names |= {column: "" for of_table, _, column in kept if of_table == table}
        cases = []
        for old, new in names.items():
            what, sql = _no_text(new, quoted(old))
            cases.append((found, what, old, sql))
        found += [sentence for _, sentence in _counted(aside, aside.here(table), table, cases)]
    return found


def _checks(one, column, vendor):
    """Yield what may be wrong with a value: whether it is refused, words, and SQL that finds it."""
    if not one.null and not one.is_relation:
        yield True, "are empty, where a value is needed", f"{column} IS NULL"
    looks = ON_POSTGRESQL if vendor == "postgresql" else ON_SQLITE
    look = next((look for kinds, look in looks if isinstance(one, kinds)), None)
    if look:
        yield from look(one, column)


def _number_on_postgresql(one, column):
    yield True, "are no number", f"{column} = 'NaN'"


def _day_on_postgresql(one, column):
    # Infinity is beyond all days, and Python knows no others.
    yield (
        True,
        "are no day of the years 1 to 9999",
        f"{column} < make_date(1, 1, 1) OR {column} >= make_date(9999, 12, 31) + 1",
    )


# SQLite keeps any value in any column. It orders numbers before texts before bytes, and a
# comparison is the quickest way to ask; of NULL it is not true. A text that looks like a number
# would be compared as one.


def _flag_on_sqlite(one, column):
    yield True, NO_VALUE, f"{column} NOT IN (0, 1)"


def _amount_on_sqlite(one, column):
    limit = 10 ** (one.max_digits - one.decimal_places) - 1
    yield True, NO_VALUE, f"{column} >= ''"
    yield (
        True,
        "are beyond the column",
        f"{column} < '' AND {column} NOT BETWEEN {-limit} AND {limit}"
        f" AND NOT django_reads('{one.column}', {column})",
    )
    yield (
        False,
        f"have more than {one.decimal_places} decimals and are kept",
        f"typeof({column}) = 'real' AND round({column}, {one.decimal_places}) <> {column}",
    )


def _moment_on_sqlite(one, column):
    # Nearly all are as the legacy system wrote them, and for these the quickest look is enough: a
    # moment that SQLite reads, on a day that each month has.
    plain, size = f"substr({column}, 1, 19)", f"length(CAST({column} AS BLOB))"
    quick = (
        f"julianday({column}) IS NOT NULL AND {size} = 26"
        f" AND substr({column}, 9, 2) < '29' AND substr({column}, 12, 2) BETWEEN '00' AND '23'"
        f" AND substr({column}, 20) GLOB '{MICROSECONDS}' AND {column} >= '0001-01-01'"
    )
    # Only with a modifier does SQLite see that February has no day 31.
    usual = (
        f"datetime({plain}, '+0 days') = {plain} AND {column} >= '0001-01-01'"
        f" AND {size} IN (19, 26) AND ({size} = 19 OR {column} GLOB '{'?' * 19}{MICROSECONDS}')"
    )
    # What is written otherwise, both must read: SQL of later migrations and Python.
    other = (
        f"typeof({column}) = 'text' AND {column} GLOB '{DAY}*' AND datetime({column}) IS NOT NULL"
        f" AND django_reads('{one.column}', CAST({column} AS BLOB))"
    )
    yield (
        True,
        NO_VALUE,
        f"CASE WHEN {column} IS NULL OR {quick} OR {usual} THEN 0 ELSE NOT ({other}) END",
    )


def _day_on_sqlite(one, column):
    yield (
        True,
        NO_VALUE,
        f"{column} IS NOT NULL"
        f" AND (date({column}, '+0 days') IS NOT {column} OR {column} < '0001-01-01')",
    )


def _number_on_sqlite(one, column):
    # INT PRIMARY KEY, unlike INTEGER, takes anything.
    what = "are no whole number" if one.primary_key else NO_VALUE
    yield True, what, f"{column} >= '' OR typeof({column}) = 'real'"


def _text_on_sqlite(one, column):
    yield True, NO_VALUE, f"{column} >= x'' OR {column} < ''"
    if one.max_length:
        yield (
            False,
            f"are longer than {one.max_length} characters and are kept",
            f"length({column}) > {one.max_length}",
        )


def _no_text(name, column):
    """Return what is said of a text that is not in the encoding of the database, and SQL for it."""
    # Only of what is not plain is Python asked. A pattern ends at a character 0, as a length does.
    return (
        "are no text that can be read",
        f"{column} >= '' AND {column} < x'' AND"
        f" ({column} GLOB '*[^' || char(1) || '-' || char(127) || ']*'"
        f" OR length({column}) <> length(CAST({column} AS BLOB)))"
        f" AND NOT django_reads('{name}', CAST({column} AS BLOB))",
    )


# The first that fits; an instant is a day to Django, too.
ON_POSTGRESQL = (
    (models.DecimalField, _number_on_postgresql),
    (models.DateField, _day_on_postgresql),
)
ON_SQLITE = (
    (models.BooleanField, _flag_on_sqlite),
    (models.DecimalField, _amount_on_sqlite),
    (models.DateTimeField, _moment_on_sqlite),
    (models.DateField, _day_on_sqlite),
    ((models.IntegerField, models.ForeignKey), _number_on_sqlite),
    (TEXTS, _text_on_sqlite),
)


def _let_sql_ask(aside, fields):
    """Give SQL on SQLite ``django_reads(column, value)``: whether the field reads what is there.

    value: bytes for a text, which SQLite hands over without looking at them. What is no field must
    only be a text.
    """
    connection = aside.connection
    [(encoding,)] = aside.rows("PRAGMA encoding")
    converters = {
        name: [
            *connection.ops.get_db_converters(one.cached_col),
            *one.cached_col.get_db_converters(connection),
        ]
        for name, one in fields.items()
    }

    def reads(name, value):
        try:
            if isinstance(value, bytes):
                value = value.decode(encoding)
            for convert in converters.get(name, ()):
                value = convert(value, fields[name].cached_col, connection)
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            return False
        return value is not None

    connection.ensure_connection()
    connection.connection.create_function("django_reads", 2, reads, deterministic=True)


def _twins(aside, here, table, pairs, fields):
    """Return the columns that must be unique here and are not."""
    found = []
    for old, new in pairs:
        if not fields[new].unique or fields[new].primary_key:  # a key is one there, too
            continue
        column = quoted(old)
        same = f"SELECT {column} FROM {here} GROUP BY {column} HAVING count({column}) > 1"
        [(count,)] = aside.rows(f"SELECT count(*) FROM ({same}) AS twins")
        if count:
            keys = _keys(aside, here, f"{column} IN ({same})")
            found.append(f"{table}.{old}: {count} values are there more than once ({keys}).")
    return found


def _keys(aside, here, condition):
    key = "quote(id)" if aside.connection.vendor == "sqlite" else "id"  # there, it may be anything
    keys = aside.rows(f"SELECT {key} FROM {here} WHERE {condition} ORDER BY id LIMIT {SHOWN + 1}")
    shown = ", ".join(str(key) for (key,) in keys[:SHOWN])
    return f"id {shown}{' …' if len(keys) > SHOWN else ''}"
