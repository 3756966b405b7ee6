"""The facts of an SQLite, read from the text of each CREATE statement, which is all it keeps."""

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from hotel.migrator.schema.catalog.facts import Catalog, nameless
from hotel.migrator.sql.parsing import normal, table_of_sqlite


class Reader:
    """Reads the text of each CREATE statement, which is all that SQLite keeps."""

    def __init__(self, cursor: CursorWrapper, tables: Collection[str] | None) -> None:
        self.catalog = Catalog()
        cursor.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            r" AND name NOT LIKE 'sqlite\_%%' ESCAPE '\' ORDER BY type, name",
            [],
        )
        for kind, name, table, sql in cursor.fetchall():  # tables before triggers
            if tables is not None and table not in tables:
                continue
            if kind == "table" and not sql[:16].upper().startswith("CREATE VIRTUAL"):
                self.table(name, sql)
            elif kind == "index" or (kind == "trigger" and table in self.catalog.columns):
                self.catalog.add(kind, table, name, sql=sql, definition=nameless(sql))

    def table(self, name: str, sql: str) -> None:
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
