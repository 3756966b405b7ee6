"""A script for plain ``sqlite3``."""

from hotel.migrator.editors.sqlite_extras import PARTS
from hotel.migrator.locking import sessions
from hotel.migrator.revisions.targets import Key
from hotel.migrator.script.recording import Remade
from hotel.migrator.script.writer import Writer
from hotel.migrator.sql.parsing import quoted
from hotel.migrator.sql.quoting import text


class SQLite(Writer):
    """Writes for ``sqlite3``."""

    engine = "sqlite"
    before_all = (".bail on",)
    begin = "BEGIN IMMEDIATE"
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    run = "(SELECT run FROM temp.migrator_run)"
    who = "'sqlite3', 'local', 0"
    false = "0"

    def begins(self) -> list[str]:
        """Stop at the first error; no foreign keys meanwhile, which are checked at the end.

        A table of content types that are none stands in where there is no other of this name.
        """
        place = quoted(f"The database does not stand at {self.place}, where this script begins.")
        no_content_types = (
            "ATTACH ':memory:' AS migrator_none;",
            "CREATE TABLE migrator_none.django_content_type (app_label text, model text);",
        )
        return [
            "PRAGMA foreign_keys = OFF;",
            *(no_content_types if self.renames else ()),
            *(
                f"PRAGMA {pragma} = {value};"
                for pragma, value in {**sessions.SQLITE, "case_sensitive_like": 0}.items()
                if pragma != "foreign_keys"
            ),
            "CREATE TEMP TABLE migrator_run AS SELECT lower(hex(randomblob(16))) AS run;",
            "CREATE TEMP TABLE migrator_guard (",
            f"    starts integer CONSTRAINT {place} CHECK (starts),",
            '    follows integer CONSTRAINT "Somebody else has migrated meanwhile."'
            " CHECK (follows),",
            '    known integer CONSTRAINT "A table would lose a column, an index, a trigger, a'
            " rule or a default that no migration has made: manage.py db drift names it, and"
            ' manage.py migrate keeps it."'
            " CHECK (known),",
            '    whole integer CONSTRAINT "Rows refer to others that are not there:'
            ' PRAGMA foreign_key_check lists them." CHECK (whole)',
            ");",
        ]

    def checked(self) -> list[str]:
        """Return what stops the script if a row refers to another that is not there."""
        return [
            "INSERT INTO migrator_guard (whole)"
            " SELECT NOT EXISTS (SELECT 1 FROM pragma_foreign_key_check)"
        ]

    def guards(self, needed: list[Key], allowed: list[Key]) -> list[str]:
        """Return what stops the script unless the database stands at the start of the range."""
        apps = ", ".join(map(text, self.span.apps))
        must, may = (
            f"VALUES {self.keys(keys)}" if keys else "SELECT NULL, NULL WHERE 0"
            for keys in (needed, allowed)
        )
        wrong = (
            f"SELECT * FROM ({must}) EXCEPT SELECT app, name FROM django_migrations",
            f"SELECT app, name FROM django_migrations WHERE app IN ({apps})"
            f" EXCEPT SELECT * FROM ({may})",
        )
        return [
            "INSERT INTO migrator_guard (starts) SELECT NOT EXISTS"
            f" (SELECT * FROM ({wrong[0]}) UNION ALL SELECT * FROM ({wrong[1]}))"
        ]

    def guard_remade(self, said: Remade) -> str:
        """Return what stops the script if what no migration has made would be lost."""
        names = ", ".join(map(text, said.names))
        return (
            "INSERT INTO migrator_guard (known) SELECT NOT EXISTS (SELECT 1 FROM sqlite_master"
            f" WHERE lower(tbl_name) = lower({text(said.table)}) AND type IN ('index', 'trigger')"
            f" AND sql IS NOT NULL AND name NOT IN ({names})) AND NOT EXISTS (SELECT 1 FROM (SELECT"
            f" '' AS part WHERE 0 UNION ALL {PARTS.format(table=text(said.table))})"
            f" WHERE part NOT IN ({', '.join(map(text, said.parts))}))"
        )

    def guard_between(self, key: Key) -> str:
        """Return what stops the script unless the step before this one is done."""
        app, name = map(text, key)
        there = f"EXISTS (SELECT 1 FROM django_migrations WHERE app = {app} AND name = {name})"
        right = f"NOT {there}" if self.span.backwards else there
        return f"INSERT INTO migrator_guard (follows) SELECT {right}"
