"""A live schema, and its rows, as facts that can be compared.

A fact is about a ``Thing``: a table, a column, an index … with its attributes as text. Column order
is left out: a column that was dropped and added again stands last. Over 300 lines because the facts
of both engines have to be of the same kinds.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from hotel.migrator.parsing import normal, table_of_sqlite, tokens, unqualified


class Thing(NamedTuple):
    """What a schema is made of.

    kind: table, column, index, constraint, foreign key, trigger, rule, policy, function, sequence,
    extension.
    table: the one it belongs to; "" for functions and extensions.
    """

    kind: str
    table: str
    name: str

    def __str__(self):
        of = f" of {self.table}" if self.table and self.kind != "table" else ""
        return f"{self.kind} {self.name}{of}"


class Catalog:
    """What a schema consists of: ``facts``, and the SQL that would make each thing of them.

    facts: ``{Thing: {attribute: text}}``. sql: ``{Thing: text}``; of a column of PostgreSQL what
    stands in CREATE TABLE. columns: those of each table in the order in which they stand.
    """

    def __init__(self):
        self.facts: dict[Thing, dict[str, str]] = {}
        self.sql: dict[Thing, str] = {}
        self.columns: dict[str, list[str]] = {}

    def add(self, kind, table, name, sql="", **facts):
        """Take down a thing; of two of the same name the second is called #2."""
        thing, number = Thing(kind, table, name), 1
        while thing in self.facts:
            number += 1
            thing = Thing(kind, table, f"{name} #{number}")
        self.facts[thing] = facts
        self.sql[thing] = sql
        if kind == "column":
            self.columns.setdefault(table, []).append(name)

    def of(self, table, kind=None):
        """Return the facts of one table, of one kind if it is said."""
        return {
            thing: facts
            for thing, facts in self.facts.items()
            if thing.table == table and kind in (None, thing.kind)
        }

    @property
    def tables(self):
        """The names of the tables."""
        return {thing.name for thing in self.facts if thing.kind == "table"}

    def with_table_called(self, new, old):
        """Return the Catalog as it is once the table ``old`` is called ``new``, wherever it is."""
        word = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)")
        made = Catalog()
        for thing, facts in self.facts.items():
            table = new if thing.table == old else thing.table
            name = table if thing.kind == "table" else thing.name
            if name == facts.get("definition"):  # what has no name is called by its text
                name = word.sub(new, name)
            of_new = Thing(thing.kind, table, name)
            made.facts[of_new] = {what: word.sub(new, text) for what, text in facts.items()}
            made.sql[of_new] = word.sub(new, self.sql[thing])
        made.columns = {new if name == old else name: of for name, of in self.columns.items()}
        return made

    def as_json(self):
        """Return all of it in lists and dicts."""
        things = [[*thing, self.facts[thing], self.sql[thing]] for thing in self.facts]
        return {"things": things, "columns": self.columns}

    @classmethod
    def from_json(cls, document):
        """Return the Catalog that ``as_json`` wrote."""
        made = cls()
        made.columns = document["columns"]
        for kind, table, name, facts, sql in document["things"]:
            made.facts[Thing(kind, table, name)] = facts
            made.sql[Thing(kind, table, name)] = sql
        return made


def read(connection, tables=None):
    """Return the Catalog of the schema that ``connection`` uses, or of some tables of it."""
    reader = {"postgresql": _PostgreSQL, "sqlite": _SQLite}[connection.vendor]
    with connection.cursor() as cursor:
        return reader(connection, cursor, tables).catalog


class _PostgreSQL:
    """Reads all tables by one query for each kind of thing."""

    def __init__(self, connection, cursor, tables):
        self.catalog = Catalog()
        self.cursor = cursor
        cursor.execute("SELECT current_schema()")
        [self.schema] = cursor.fetchone()
        cursor.execute(
            "SELECT c.oid, c.relname, c.relpersistence::text, c.relkind::text,"
            # Those that hold foreign keys; ALTER TABLE … DISABLE TRIGGER ALL turns them off.
            " EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgisinternal"
            " AND t.tgenabled <> 'O'),"
            " c.relrowsecurity, c.relforcerowsecurity"
            " FROM pg_class c WHERE c.relkind IN ('r', 'p')"
            " AND c.relnamespace = quote_ident(current_schema())::regnamespace"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
            " AND d.objid = c.oid AND d.deptype = 'e')"
            " ORDER BY c.relname"
        )
        found = [row for row in cursor.fetchall() if tables is None or row[1] in tables]
        self.oids = [row[0] for row in found]
        kinds = {"p": "permanent", "u": "unlogged", "t": "temporary"}
        security_of = {  # on; of the table's owner too
            (False, False): "off",
            (True, False): "on",
            (True, True): "forced",
            (False, True): "off, but forced",
        }
        for _, name, persistence, kind, is_off, *security in found:
            facts = {
                "kept": kinds[persistence],
                "foreign keys": "off" if is_off else "on",
                "row security": security_of[tuple(security)],
            }
            if kind == "p":
                facts["partitioned"] = "yes"
            self.catalog.add("table", name, name, **facts)
        self.catalog.columns = {name: [] for _, name, *_ in found}
        self.columns()
        self.indexes()
        self.constraints()
        self.triggers()
        self.rules()
        self.sequences()
        if tables is None:
            self.extensions()

    def rows(self, sql):
        """Return what a query says of the tables."""
        self.cursor.execute(sql, [self.oids])
        return self.cursor.fetchall()

    def text(self, sql):
        """Return SQL of the server without the name of the schema."""
        return unqualified(sql, self.schema)

    def columns(self):
        """Types, defaults, collations and how values are generated."""
        for table, name, kind, required, identity, generated, collation, default in self.rows(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
            " a.attidentity::text, a.attgenerated::text,"
            " CASE WHEN a.attcollation NOT IN (0, t.typcollation)"
            " THEN quote_ident(l.collname) ELSE '' END,"
            " coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
            " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_type t ON t.oid = a.atttypid"
            " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
            " LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
            " WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped"
            " ORDER BY c.relname, a.attnum"
        ):
            kind, default = self.text(kind), self.text(default)
            identity = {"a": "always", "d": "by default", "": ""}[identity]
            generated = {"s": "stored", "v": "virtual", "": ""}[generated]
            sql = kind
            if collation:
                sql += f" COLLATE {collation}"
            if generated:
                sql += f" GENERATED ALWAYS AS ({default}) {generated.upper()}"
            elif identity:
                sql += f" GENERATED {identity.upper()} AS IDENTITY"
            elif default:
                sql += f" DEFAULT {default}"
            self.catalog.add(
                "column",
                table,
                name,
                sql=sql + " NOT NULL" * required,
                type=kind,
                null="no" if required else "yes",
                default="" if generated else normal(default),
                generated=f"{normal(default)} {generated}" if generated else "",
                identity=identity,
                collation=collation,
            )

    def indexes(self):
        """Those that no constraint made."""
        for table, name, sql, is_valid in self.rows(
            "SELECT c.relname, n.relname, pg_get_indexdef(i.indexrelid), i.indisvalid"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_class n ON n.oid = i.indexrelid"
            " WHERE i.indrelid = ANY(%s) AND NOT EXISTS (SELECT 1 FROM pg_constraint k"
            " WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"
            " ORDER BY c.relname, n.relname"
        ):
            sql = self.text(sql)
            self.catalog.add(
                "index",
                table,
                name,
                sql=sql,
                definition=_nameless(sql),
                valid="yes" if is_valid else "no",
            )

    def constraints(self):
        """Keys, checks and exclusions; NOT NULL, which PostgreSQL 18 lists, is the columns'."""
        for table, name, kind, sql, is_valid in self.rows(
            "SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid),"
            " k.convalidated FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " WHERE k.conrelid = ANY(%s) AND k.contype IN ('p', 'u', 'c', 'x', 'f')"
            " ORDER BY c.relname, k.conname"
        ):
            sql = self.text(sql)
            self.catalog.add(
                "foreign key" if kind == "f" else "constraint",
                table,
                name,
                sql=sql,
                definition=normal(sql.removesuffix(" NOT VALID")),
                valid="yes" if is_valid else "no",
            )

    def triggers(self):
        """Those that somebody made, and the functions that they call."""
        kept = {"O": "yes", "D": "no", "R": "on replicas", "A": "always"}
        functions = {}
        for table, name, sql, enabled, function, body, language in self.rows(
            "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, p.proname,"
            " pg_get_functiondef(p.oid), l.lanname"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang"
            " WHERE t.tgrelid = ANY(%s) AND NOT t.tgisinternal ORDER BY c.relname, t.tgname"
        ):
            sql = self.text(sql)
            self.catalog.add(
                "trigger",
                table,
                name,
                sql=sql,
                definition=_nameless(sql),
                enabled=kept[enabled],
            )
            functions[function] = self.text(body), language
        for name, (sql, language) in sorted(functions.items()):
            # What is between the dollar signs is not SQL that the server writes anew.
            self.catalog.add(
                "function", "", name, sql=sql, body=" ".join(sql.split()), language=language
            )

    def rules(self):
        """Rules, which do something else than what was asked, and policies, which hide rows."""
        for table, name, sql in self.rows(
            "SELECT c.relname, r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite r"
            " JOIN pg_class c ON c.oid = r.ev_class WHERE c.oid = ANY(%s) ORDER BY 1, 2"
        ):
            sql = self.text(sql).rstrip(";")
            self.catalog.add("rule", table, name, sql=sql, definition=normal(sql))
        for table, name, sql in self.rows(
            "SELECT c.relname, p.polname, format('CREATE POLICY %%I ON %%I AS %%s FOR %%s TO %%s',"
            " p.polname, c.relname, CASE WHEN p.polpermissive THEN 'PERMISSIVE'"
            " ELSE 'RESTRICTIVE' END, CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'"
            " WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END, (SELECT string_agg("
            " CASE WHEN role = 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ')"
            " FROM unnest(p.polroles) AS role))"
            " || coalesce(' USING (' || pg_get_expr(p.polqual, c.oid) || ')', '')"
            " || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, c.oid) || ')', '')"
            " FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
            " WHERE c.oid = ANY(%s) ORDER BY 1, 2"
        ):
            sql = self.text(sql)
            self.catalog.add("policy", table, name, sql=sql, definition=normal(sql))

    def sequences(self):
        """Those that belong to a column."""
        for table, name, column, kind, *numbers, cycles in self.rows(
            "SELECT c.relname, s.relname, a.attname, format_type(q.seqtypid, NULL), q.seqstart,"
            " q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle"
            " FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid"
            " JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid"
            " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
            " JOIN pg_class c ON c.oid = d.refobjid"
            " JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.oid, d.refobjsubid)"
            " WHERE c.oid = ANY(%s) ORDER BY c.relname, s.relname"
        ):
            names = ("start", "increment", "minimum", "maximum", "cache")
            self.catalog.add(
                "sequence",
                table,
                name,
                column=column,
                type=kind,
                **dict(zip(names, map(str, numbers), strict=True)),
                cycle="yes" if cycles else "no",
            )

    def extensions(self):
        """Those of the database; their versions are the administrator's."""
        self.cursor.execute("SELECT extname FROM pg_extension ORDER BY extname")
        for (name,) in self.cursor.fetchall():
            quoted = '"' + name.replace('"', '""') + '"'
            self.catalog.add("extension", "", name, sql=f"CREATE EXTENSION IF NOT EXISTS {quoted}")


class _SQLite:
    """Reads the text of each CREATE statement, which is all that SQLite keeps."""

    def __init__(self, connection, cursor, tables):
        self.catalog = Catalog()
        cursor.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            r" AND name NOT LIKE 'sqlite\_%%' ESCAPE '\' ORDER BY type, name",
            [],
        )
        for kind, name, table, sql in cursor.fetchall():
            if tables is not None and table not in tables:
                continue
            if kind == "table" and not sql[:16].upper().startswith("CREATE VIRTUAL"):
                self.table(name, sql)
            elif kind in ("index", "trigger"):
                self.catalog.add(kind, table, name, sql=sql, definition=_nameless(sql))

    def table(self, name, sql):
        """Its columns, and the constraints that stand in them or after them."""
        columns, constraints, options = table_of_sqlite(sql)
        self.catalog.add("table", name, name, sql=sql, options=options)
        self.catalog.columns[name] = []
        for column in columns:
            self.catalog.add("column", name, column.name, **column.facts)
        for called, words in sorted(constraints, key=repr):
            definition = normal(" ".join(words))
            kind = "foreign key" if words[0] == "foreign" else "constraint"
            self.catalog.add(kind, name, called or definition, definition=definition)


def _nameless(sql):
    """Return CREATE INDEX or CREATE TRIGGER in comparable form, without its name."""
    words = tokens(sql)
    place = next(at for at, word in enumerate(words) if word in ("index", "trigger")) + 1
    if words[place : place + 3] == ["if", "not", "exists"]:
        del words[place : place + 3]
    del words[place]
    return normal(" ".join(words))


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
