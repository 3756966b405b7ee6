"""The facts of a PostgreSQL, read by one query for each kind of thing."""

from collections.abc import Collection
from typing import Any

from django.db.backends.utils import CursorWrapper

from hotel.migrator.schema.catalog.facts import Catalog, nameless
from hotel.migrator.sql.parsing import normal, quoted, unqualified


class Reader:
    """Reads all tables by one query for each kind of thing."""

    def __init__(self, cursor: CursorWrapper, tables: Collection[str] | None) -> None:
        self.catalog = Catalog()
        self.cursor = cursor
        self.is_whole = tables is None
        cursor.execute("SELECT current_schema()")
        [self.schema] = cursor.fetchone()
        cursor.execute(
            "SELECT c.oid, c.relname, c.relpersistence::text, c.relkind::text,"
            # Those that hold foreign keys; ALTER TABLE … DISABLE TRIGGER ALL turns them off.
            " EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgisinternal"
            " AND t.tgenabled <> 'O'),"
            " c.relrowsecurity, c.relforcerowsecurity, coalesce(pg_get_partkeydef(c.oid), ''),"
            " (SELECT string_agg(quote_ident(p.relname), ', ' ORDER BY h.inhseqno)"
            " FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid),"
            " pg_get_expr(c.relpartbound, c.oid)"
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
        for _, name, persistence, _, is_off, *security, key, parents, bound in found:
            facts = {
                "kept": kinds[persistence],
                "foreign keys": "off" if is_off else "on",
                "row security": security_of[tuple(security)],
            }
            sql = f"PARTITION BY {self.text(key)}" if key else ""
            if key:
                facts["partitioned"] = self.text(key)
            if bound:
                sql = f"PARTITION OF {parents} {self.text(bound)} {sql}".rstrip()
                facts["partition of"] = f"{parents} {self.text(bound)}"
            elif parents:
                sql = f"INHERITS ({parents})"
                facts["inherits"] = parents
            self.catalog.add("table", name, name, sql=sql, **facts)
        self.catalog.columns = {name: [] for _, name, *_ in found}
        self.columns()
        self.indexes()
        self.constraints()
        self.triggers()
        self.rules()
        self.sequences()
        if self.is_whole:
            self.extensions()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query says of the tables."""
        self.cursor.execute(sql, [self.oids])
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found

    def text(self, sql: str) -> str:
        """Return SQL of the server without the name of the schema."""
        shortened: str = unqualified(sql, self.schema)
        return shortened

    def columns(self) -> None:
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
            # What comes from a parent is the parent's.
            " WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attinhcount = 0"
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

    def indexes(self) -> None:
        """Those that no constraint made."""
        for table, name, sql, is_valid in self.rows(
            # That of a partitioned table is written down as one of it ONLY.
            "SELECT c.relname, n.relname, CASE WHEN n.relkind = 'I'"
            " THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')"
            " ELSE pg_get_indexdef(i.indexrelid) END, i.indisvalid"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_class n ON n.oid = i.indexrelid"
            " WHERE i.indrelid = ANY(%s) AND NOT n.relispartition"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint k"
            " WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"
            " ORDER BY c.relname, n.relname"
        ):
            sql = self.text(sql)
            self.catalog.add(
                "index",
                table,
                name,
                sql=sql,
                definition=nameless(sql),
                valid="yes" if is_valid else "no",
            )

    def constraints(self) -> None:
        """Keys, checks and exclusions; NOT NULL, which PostgreSQL 18 lists, is the columns'."""
        for table, name, kind, sql, is_valid in self.rows(
            "SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid),"
            " k.convalidated FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " WHERE k.conrelid = ANY(%s) AND k.contype IN ('p', 'u', 'c', 'x', 'f')"
            " AND k.coninhcount = 0 AND k.conparentid = 0"
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

    def triggers(self) -> None:
        """Those that somebody made, and the functions that they call."""
        kept = {"O": "yes", "D": "no", "R": "on replicas", "A": "always"}
        functions = {}
        for table, name, sql, enabled, function, body, language in self.rows(
            "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, p.proname,"
            " pg_get_functiondef(p.oid), l.lanname"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang"
            " WHERE t.tgrelid = ANY(%s) AND NOT t.tgisinternal AND t.tgparentid = 0"
            " ORDER BY c.relname, t.tgname"
        ):
            sql = self.text(sql)
            self.catalog.add(
                "trigger",
                table,
                name,
                sql=sql,
                definition=nameless(sql),
                enabled=kept[enabled],
            )
            functions[function] = self.text(body), language
        for name, (sql, language) in sorted(functions.items()):
            # What is between the dollar signs is not SQL that the server writes anew.
            self.catalog.add(
                "function", "", name, sql=sql, body=" ".join(sql.split()), language=language
            )

    def rules(self) -> None:
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

    def sequences(self) -> None:
        """Those of columns; and those of nobody, under no table, where all tables are read."""
        for table, name, column, kind, *numbers, cycles, tie in self.rows(
            "SELECT c.relname, s.relname, a.attname, format_type(q.seqtypid, NULL), q.seqstart,"
            " q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle, d.deptype::text"
            " FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid"
            " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid"
            " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
            " LEFT JOIN pg_class c ON c.oid = d.refobjid"
            " LEFT JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.oid, d.refobjsubid)"
            " WHERE c.oid = ANY(%s) OR (d.objid IS NULL AND s.relpersistence <> 't'"
            " AND s.relnamespace = quote_ident(current_schema())::regnamespace)"
            " ORDER BY c.relname, s.relname"
        ):
            if not table and not self.is_whole:
                continue
            names = ("start", "increment", "minimum", "maximum", "cache")
            self.catalog.add(
                "sequence",
                table or "",
                name,
                sql="identity" if tie == "i" else "",
                column=column or "",
                type=kind,
                **dict(zip(names, map(str, numbers), strict=True)),
                cycle="yes" if cycles else "no",
            )

    def extensions(self) -> None:
        """Those of the database; their versions are the administrator's."""
        self.cursor.execute("SELECT extname FROM pg_extension ORDER BY extname")
        for (name,) in self.cursor.fetchall():
            sql = f"CREATE EXTENSION IF NOT EXISTS {quoted(name)}"
            self.catalog.add("extension", "", name, sql=sql)
